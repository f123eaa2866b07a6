"""On what kind of disk a file lies, and that a store in use lies on one of this machine."""

from __future__ import annotations

import re
from pathlib import Path

from orchestrator.errors import JournalError

MOUNTS = Path("/proc/self/mounts")
"""What is mounted where (proc(5)). Elsewhere than on Linux nothing is known, nothing refused."""
SHARED = {
    "nfs": "NFS",
    "nfs4": "NFS",
    "lustre": "Lustre",
    "gpfs": "GPFS",
    "beegfs": "BeeGFS",
    "fuse.beegfs": "BeeGFS",
    "ceph": "CephFS",
    "fuse.ceph": "CephFS",
    "fuse.glusterfs": "GlusterFS",
    "panfs": "PanFS",
    "pvfs2": "OrangeFS",
    "orangefs": "OrangeFS",
    "wekafs": "WekaFS",
    "afs": "AFS",
    "cifs": "a Windows share (CIFS)",
    "smb3": "a Windows share (SMB)",
    "fuse.sshfs": "SSHFS",
    "9p": "a folder of the host (9p)",
}
"""File systems that several machines share, by their kinds in the table of mounts."""


def refuse_shared(path: Path) -> None:
    """Accepts a path on a disk of this machine.

    SQLite's write-ahead log has an index in memory that all its processes share, which no network
    file system gives (sqlite.org/wal.html).

    Raises:
        JournalError: it is on a file system that machines share.
    """
    try:
        table = MOUNTS.read_text(errors="surrogateescape")
    except OSError:
        return
    kind, mount = mount_of(path, table)
    if kind not in SHARED:
        return
    raise JournalError(
        f"{path} cannot be used as a store: {mount} is on {SHARED[kind]}, and the write-ahead log "
        "of SQLite, which keeps every result, needs a disk of this machine",
        hint="name a file on a local disk, such as --store /var/tmp/$USER/hagane.sqlite, or a "
        "server, --store postgresql://user@host/database; calculations may stay where they are",
    )


def mount_of(path: Path, table: str) -> tuple[str, str]:
    """The kind of file system below a path, and where it is mounted; of several mounts at one place
    the last one counts."""
    real = path.resolve()
    best, kind = Path("/"), ""
    for line in table.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        mount = Path(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), fields[1]))
        if real.is_relative_to(mount) and len(mount.parts) >= len(best.parts):
            best, kind = mount, fields[2]
    return kind, str(best)
