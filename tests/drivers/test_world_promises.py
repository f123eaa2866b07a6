"""Every world of twins of ours keeps every promise, with the drivers of the labs that are on it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from test_promises import SPECIMENS

from drivers.conformance.worlds import Client, TwinPromise
from orchestrator.model.lab import ResourceBinding
from orchestrator.runtime.bench import lab_of

ROOT = Path(__file__).parents[2]
LABS = (*ROOT.glob("campaigns/*/twins.yaml"), *ROOT.glob("benchmarks/drivers/labs/*.yaml"))
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "oxygen": {"set_flow": {"flow": 4.0}},
    "lamp": {"set_power": {"power": 40.0}},
    "heat": {"set_temperature": {"temperature": 350.0}},
    "light": {"set_wavelength": {"wavelength": 600.0}},
    "z": {"move_to": {"position": 20.0}},
}
"""What a resource of a lab is given, where its kind's specimen is given something else."""
NOWHERE = {
    "zaber-stages": [
        Client(
            "zaber-stage",
            {"port": "memory:stages", "microstep": 0.047625, "highest": 150.0, "device": device},
            {"move_to": {"position": 31.75}},
        )
        for device in (1, 2)
    ],
    "vacuum": [
        Client("modbus-heater", {"port": "memory:modbus", "unit_id": 1}, ARGUMENTS["heat"]),
        Client("modbus-valves", {"port": "memory:modbus", "unit_id": 2}),
    ],
}
"""What no lab file has on a port."""


def on_the_labs() -> dict[str, list[Client]]:
    """By world, what the lab files have on its ports."""
    found = {world: list(clients) for world, clients in NOWHERE.items()}
    for file in sorted(LABS):
        lab = lab_of(file)
        if lab.twins is None:
            continue
        clients = found.setdefault(lab.twins.world, [])
        for binding in lab.resources:
            client = _client(binding)
            if client.ports and client not in clients:
                clients.append(client)
    both = [*found["wet-lab"], *found["dye-lab"]]
    found["dye-lab"] = both
    found["wet-lab"] = [client for client in both if client.kind != "file-drop"]
    return found


def _client(binding: ResourceBinding) -> Client:
    options = {
        name: value.replace("twin:", "memory:") if isinstance(value, str) else value
        for name, value in binding.options.items()
    }
    given = ARGUMENTS.get(binding.name)
    if given is None:
        given = SPECIMENS[binding.kind].arguments if binding.kind in SPECIMENS else {}
    declaration = json.loads(binding.declaration) if binding.declaration else None
    return Client(binding.kind, options, given, declaration)


@pytest.fixture(scope="session")
def clients() -> Mapping[str, Sequence[Client]]:
    return on_the_labs()


def test_a_world_keeps(twin_promise: TwinPromise) -> None:
    twin_promise.keep()
