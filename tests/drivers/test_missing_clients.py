"""A bridge whose client is not installed says so in a sentence, with the line that installs it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from bridge_fakes import declared
from driver_fakes import bench

from drivers.bridges.objects import found_class
from orchestrator.errors import Exit, HaganeError, InputError, MissingExtra

AT = {"address": "ca://GATE:"}
CLIENTS: list[tuple[str, str, str, Mapping[str, Any]]] = [
    ("scpi", "supply.yaml", "pyvisa", {"port": "visa:GPIB0::22::INSTR"}),
    ("epics", "gate.yaml", "caproto", AT),
    ("ophyd", "gate.yaml", "ophyd", {"device": "a:B", **AT}),
    ("ophyd-async", "gate.yaml", "ophyd_async", {"device": "a:B", **AT}),
    ("opcua", "pump.yaml", "asyncua", {"address": "opc.tcp://127.0.0.1:1"}),
    ("sila2", "block.yaml", "sila2", {"address": "sila://127.0.0.1:1"}),
    ("yaq", "stage.yaml", "yaqc", {"address": "yaq://127.0.0.1:1"}),
    ("pylabrobot", "handler.yaml", "pylabrobot.resources", {"device": "a:b", "address": "plr://"}),
]


@pytest.mark.parametrize(
    ("kind", "file", "module", "options"), CLIENTS, ids=[client[0] for client in CLIENTS]
)
def test_a_client_that_is_not_installed_is_told_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, kind: str, file: str, module: str, options: Mapping[str, Any]
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    made = declared(kind, file).cls(bench("device"), **options)
    with pytest.raises(MissingExtra) as missing:
        asyncio.run(made.open())
    extra = {"scpi": "visa"}.get(kind, kind)
    assert missing.value.hint == f"install it with: pip install 'hagane[{extra}]'"


def test_what_a_device_of_another_layer_needs_is_a_fault_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "deck_of_ours.py").write_text("import nonesuch.deck\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(HaganeError, match="No module named 'nonesuch'") as missing:
        found_class("handler", "deck_of_ours:Deck")
    assert missing.value.exit_code is Exit.ENVIRONMENT
    with pytest.raises(InputError, match="No module named 'deck_of_yours'"):
        found_class("handler", "deck_of_yours:Deck")
