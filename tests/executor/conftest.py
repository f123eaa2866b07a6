from __future__ import annotations

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
