"""An instrument that a file declares keeps its actions in a process of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bridge_fakes import DECLARATIONS, FakeDeclaredSupply
from test_isolated import play
from wire_fakes import on_tcp

from orchestrator import plugins
from orchestrator.errors import LimitExceeded
from orchestrator.executor.guarding import Place
from orchestrator.executor.isolated import Isolation, Spec
from orchestrator.executor.local import environment
from orchestrator.files.declared import read_declaration


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    sockets = Path(tempfile.mkdtemp(prefix="hgi-"))
    yield Place(sockets / "s", tmp_path / "logs", tmp_path / "records", environment())
    shutil.rmtree(sockets)


def test_declared_actions_limits_and_make_safe_come_through(place: Place) -> None:
    text = read_declaration(DECLARATIONS / "supply.yaml", plugins.resource_kind("scpi"))
    kind = plugins.resource_kind("scpi", text)
    fake = FakeDeclaredSupply()

    async def script(isolation: Isolation) -> None:
        supply: Any = isolation.resources["psu"]
        await supply.set_voltage(voltage=12.5)
        assert (fake.volt, fake.is_on) == ("12.500", "1")
        assert await supply.output() == {"voltage": 12.5, "current": 0.5}
        with pytest.raises(LimitExceeded):
            await supply.set_voltage(voltage=31.0)
        await supply.make_safe()
        assert fake.is_on == "0"

    with on_tcp(fake.answer) as url:
        target = plugins.installed("resources")["scpi"].value
        spec = Spec("psu", kind, target, {"port": url}, declaration=text)
        assert play(place, [[spec]], script) == []
