"""A store in use lies on a disk of this machine."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from orchestrator.errors import JournalError
from orchestrator.journal import disks, open_store
from orchestrator.journal.disks import mount_of
from orchestrator.journal.faults import not_written

TABLE = """\
/dev/sda1 / ext4 rw 0 0
tmpfs /tmp tmpfs rw 0 0
server:/home /home nfs4 rw,vers=4.2 0 0
/dev/sdb1 /home/local xfs rw 0 0
10.0.0.1@tcp:/scratch /scratch\\040space lustre rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/ada/store.sqlite", "nfs4"),
        ("/home/local/store.sqlite", "xfs"),
        ("/homes/store.sqlite", "ext4"),
        ("/scratch space/store.sqlite", "lustre"),
    ],
)
def test_the_innermost_mount_counts(path: str, kind: str) -> None:
    assert mount_of(Path(path), TABLE)[0] == kind


def test_the_last_of_two_mounts_at_one_place_counts() -> None:
    assert mount_of(Path("/tmp/x"), TABLE + "server:/t /tmp nfs rw 0 0\n")[0] == "nfs"


@pytest.mark.parametrize(
    ("kind", "named"), [("nfs4", "NFS"), ("lustre", "Lustre"), ("gpfs", "GPFS")]
)
def test_a_store_on_a_shared_file_system_is_refused_with_the_way_out(
    kind: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "mounts"
    table.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/x {tmp_path} {kind} rw 0 0\n")
    monkeypatch.setattr(disks, "MOUNTS", table)
    with pytest.raises(JournalError, match=f"is on {named}.*needs a disk of this machine") as error:
        open_store(tmp_path / "store.sqlite")
    assert "--store" in error.value.hint
    assert "postgresql://" in error.value.hint
    assert not (tmp_path / "store.sqlite").exists()


def test_a_link_to_a_shared_file_system_is_seen_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to(tmp_path / "far")
    table = tmp_path / "mounts"
    table.write_text(f"server:/x {tmp_path / 'far'} nfs rw 0 0\n")
    monkeypatch.setattr(disks, "MOUNTS", table)
    with pytest.raises(JournalError, match="is on NFS"):
        open_store(tmp_path / "near" / "store.sqlite")


def test_a_store_that_a_limit_of_the_shell_keeps_small_says_so() -> None:
    told = not_written(OSError(errno.EFBIG, "File too large"), "store.db")
    assert "may not grow" in str(told)
    assert "ulimit -f" in told.hint
