from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import slurm_node

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def slurm_configuration() -> Iterator[Path]:
    """The configuration file of a SLURM of one node, which ends with the tests."""
    reason = slurm_node.why_not()
    if reason:
        pytest.skip(reason)
    with (
        tempfile.TemporaryDirectory(prefix="hgs-") as folder,  # a socket's path is short
        slurm_node.one_node(Path(folder)) as configuration,
    ):
        yield configuration


@pytest.fixture
def slurm(slurm_configuration: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SLURM, and functions for its jobs that can be imported there."""
    monkeypatch.setenv("SLURM_CONF", str(slurm_configuration))
    monkeypatch.syspath_prepend(str(HERE))


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file system of one megabyte."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    folder = tmp_path / "scratch"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m", "hagane-test", str(folder)]
    try:
        said = subprocess.run(mounting, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("needs mount")
    if said.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {said.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
