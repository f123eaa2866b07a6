"""The doctor says what is in order, and what is not."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from orchestrator.runtime.doctor import check_resources, examine
from orchestrator.runtime.run import run_campaign
from tests.docs.private_lab import private_runtime


def test_a_sound_installation_and_store_are_called_sound(back_room: Path, tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    finish = run_campaign(back_room, store=store)
    findings = {f.what: f for f in examine(store)}
    assert all(f.ok for f in findings.values()), findings
    assert "hash chain unbroken" in findings[f"campaign {finish.campaign_id}"].said
    assert findings["import names"].said == "ours alone"
    assert "all load" in findings["descriptors"].said
    assert "all load" in findings["generators"].said
    assert "all load" in findings["parsers"].said


def test_an_edited_event_is_found(back_room: Path, tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    finish = run_campaign(back_room, store=store)
    with contextlib.closing(sqlite3.connect(store)) as database, database:
        edit = "update events set event = replace(event, '2.5', '9.5') where event like '%2.5%'"
        assert database.execute(edit).rowcount > 0
    (finding,) = [f for f in examine(store) if finish.campaign_id in f.what]
    assert not finding.ok


def test_a_broken_plugin_is_a_finding_and_not_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = tmp_path / "broken-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(
        "[hagane.resources]\nbroken = broken_plugin:Thing\n"
    )
    (tmp_path / "broken_plugin.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    findings = {f.what: f for f in examine(tmp_path / "store.sqlite")}
    assert not findings["resources"].ok
    assert "division by zero" in findings["resources"].said


def test_every_resource_of_a_lab_is_asked_who_it_is(back_room: Path) -> None:
    (finding,) = check_resources(back_room / "lab.yaml")
    assert (finding.what, finding.ok, finding.said) == ("balance", True, "we balance 4711")
    text = (back_room / "lab.yaml").read_text()
    (back_room / "lab.yaml").write_text(text.replace("seconds: 0 s", "note: unfit"))
    (finding,) = check_resources(back_room / "lab.yaml")
    assert not finding.ok


def test_a_device_with_another_serial_number_than_the_lab_file_says_is_not_sound(
    back_room: Path,
) -> None:
    text = (back_room / "lab.yaml").read_text()
    (back_room / "lab.yaml").write_text(text.replace("seconds: 0 s", 'serial: "12"'))
    (finding,) = check_resources(back_room / "lab.yaml")
    assert not finding.ok
    assert finding.said == "we balance 4711 answers, and the lab file has serial number 12"


def test_a_fault_of_a_driver_is_a_finding_and_not_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = tmp_path / "faulty-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text("[hagane.resources]\nfaulty = faulty_box:Box\n")
    (tmp_path / "faulty_box.py").write_text(
        "from drivers.instrument import Instrument\n"
        "from drivers.transports import Settings\n"
        "class Box(Instrument):\n"
        "    def __init__(self, bench, port: str):\n"
        "        super().__init__(bench, port, Settings(), 0.1)\n"
        "    async def identify(self):\n"
        "        return {}['model']\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    lab = tmp_path / "lab.yaml"
    lab.write_text(
        "lab: a bench\ntwins: {world: vacuum, seed: 1}\n"
        "resources: {box: {kind: faulty, port: 'twin:gauge'}}\n"
    )
    with private_runtime() as folder:  # its twins would be up for an hour, for whom they may serve
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
        (finding,) = check_resources(lab)
    assert (finding.ok, finding.said) == (
        False,
        "KeyError: 'model' (this is a fault of the driver)",
    )


def test_a_device_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    port = tmp_path / "tty-none"
    lab = tmp_path / "lab.yaml"
    lab.write_text(
        f"lab: a bench\nresources: {{gas: {{kind: alicat, full_scale: 9 sccm, port: {port}}}}}\n"
    )
    (finding,) = check_resources(lab)
    assert finding.what == "gas"
    assert finding.said.startswith(f"{port} cannot be opened: No such file or directory (check")
