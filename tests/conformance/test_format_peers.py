"""Readers and writers by other people take the same numbers out of the same files.

Where one writes (NeXus, MaiML), our parser reads; where none does (XRDML, RASX, BRML), theirs and
ours read what is written here by the public structure of the format. The XRDML is of PANalytical's
own schema, and the MaiML of JAIMA's, as their packages check. No file of a real instrument was at
hand. They run in `.venv-peers`; see `test_peers.py`.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import format_samples as samples
import pytest

from drivers.formats import brml, maiml, nexus, rasx, xrdml
from orchestrator.model.scan import Scan

PEERS = Path(__file__).parent / "peers"
PYTHON = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(not PYTHON.exists(), reason=".venv-peers is missing: see test_peers.py"),
]


def peer(script: str, *words: str | Path) -> dict[str, Any]:
    command = [str(PYTHON), str(PEERS / script), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


COUNTS_BEHIND_AN_ATTENUATOR = samples.xrdml([100.0, 250.0, 90.0], tag="counts", factors="1 10 1")
INTENSITIES = samples.xrdml([100.0, 2500.0, 90.0], factors="1 10 1")


@pytest.mark.parametrize(
    ("reader", "ending", "parse", "data", "axis"),
    [
        ("fairmat", "xrdml", xrdml.parse, samples.xrdml(), "2Theta"),
        ("fairmat", "xrdml", xrdml.parse, COUNTS_BEHIND_AN_ATTENUATOR, "2Theta"),
        ("fairmat", "xrdml", xrdml.parse, INTENSITIES, "2Theta"),
        ("xrayutilities", "xrdml", xrdml.parse, samples.xrdml(), "2Theta"),
        ("xrayutilities", "xrdml", xrdml.parse, COUNTS_BEHIND_AN_ATTENUATOR, "2Theta"),
        ("xrayutilities", "xrdml", xrdml.parse, samples.xrdml(positions="list"), "2Theta"),
        ("xrdtools", "xrdml", xrdml.parse, samples.xrdml(), "2Theta"),
        ("fairmat", "rasx", rasx.parse, samples.rasx(), "TwoThetaTheta"),
        ("fairmat", "brml", brml.parse, samples.brml(), "TwoTheta"),
        ("fairmat", "brml", brml.parse, samples.brml(extra_field=False), "TwoTheta"),
    ],
)
def test_angles_and_intensities_are_what_others_read(
    tmp_path: Path,
    reader: str,
    ending: str,
    parse: Callable[[bytes], Scan],
    data: bytes,
    axis: str,
) -> None:
    file = tmp_path / f"films-1.{ending}"
    file.write_bytes(data)
    theirs, ours = peer("format_reader.py", reader, file), parse(data)
    assert ours.column(axis).values == pytest.approx(theirs["x"])
    assert ours.column("intensity").values == pytest.approx(theirs["y"])


def test_a_nexus_file_of_the_organisations_own_package_is_read(tmp_path: Path) -> None:
    theirs = peer("nexus_writer.py", tmp_path / "a.nxs")
    ours = nexus.parse((tmp_path / "a.nxs").read_bytes())
    assert ours.column("two_theta").values == pytest.approx(theirs["x"])
    assert ours.column("counts").values == pytest.approx(theirs["y"])
    assert (ours.column("two_theta").unit, ours.facts) == ("deg", {"title": "films-1"})


def test_a_maiml_document_that_is_valid_by_its_schema_is_read(tmp_path: Path) -> None:
    theirs = peer("maiml_writer.py", tmp_path / "a.maiml")
    assert theirs["is_valid"], theirs["said"]
    ours = maiml.parse((tmp_path / "a.maiml").read_bytes())
    assert ours.column("two_theta").values == pytest.approx(theirs["x"])
    assert ours.column("intensity").values == pytest.approx(theirs["y"])
    assert ours.facts == {"wavelength": "0.15406 nm"}
