"""Ordered alloys by EMT: reference values, structures, the resource."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.clock import WallClock
from orchestrator.engine.study import prepare
from orchestrator.errors import DeviceAbsent, InputError, UnknownName
from orchestrator.plugins import capability, resource_kind
from orchestrator.ports.resource import Bench
from orchestrator.runtime.load import load
from simulators.atomistic import emt
from simulators.atomistic.orderings import ORDERINGS

CAMPAIGNS = Path(__file__).parents[2] / "campaigns"


Relaxed = Callable[[str, str, str], dict[str, float]]
CASES = (
    *[("Cu", "Cu", name) for name in ORDERINGS],
    ("Cu", "Au", "L1_2"),
    ("Cu", "Pd", "L1_0"),
    ("Pd", "Cu", "L1_0"),
    ("Cu", "Pd", "L1_2"),
    ("Pd", "Cu", "L1_2"),
    ("Pt", "Ni", "L1_2"),
)
CHILD = """
import json, sys
from simulators.atomistic.emt import relax_alloy
print(json.dumps([relax_alloy(*case) for case in json.loads(sys.argv[1])]))
"""


@pytest.fixture(scope="module")
def relaxed() -> Relaxed:
    """All calculations of this module, made in one child with one thread, warnings as errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD, json.dumps(CASES)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = dict(zip(CASES, json.loads(done.stdout), strict=True))
    return lambda a, b, ordering: found[a, b, ordering]


class _Compute:
    """Has the results of `relaxed`, and keeps by ticket what was asked of it."""

    goes_on = False

    def __init__(self, relaxed: Relaxed | None = None) -> None:
        self._relaxed = relaxed
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._kept: dict[str, Mapping[str, Any]] = {}

    async def submit(
        self, function: str, arguments: Mapping[str, Any], *, ticket: str = ""
    ) -> Mapping[str, Any]:
        self.asked.append((function, dict(arguments)))
        assert self._relaxed is not None
        self._kept[ticket] = self._relaxed(**arguments)
        return self._kept[ticket]

    async def known(self, ticket: str) -> Mapping[str, Any] | None:
        return self._kept.get(ticket)

    async def is_running(self, ticket: str) -> bool:
        return False


def _calculator(compute: _Compute | None) -> emt.EmtCalculator:
    return emt.EmtCalculator(Bench(name="emt", clock=WallClock(), compute=compute))


def test_copper_has_the_lattice_constant_and_stiffness_of_the_reference(relaxed: Relaxed) -> None:
    copper = relaxed("Cu", "Cu", "fcc")
    assert copper["lattice_constant"] == pytest.approx(3.590, abs=0.002)
    assert copper["bulk_modulus"] == pytest.approx(134.0, abs=1.0)
    assert copper["formation_energy"] == pytest.approx(0.0, abs=1e-9)


def test_copper_and_gold_form_compounds_as_they_do(relaxed: Relaxed) -> None:
    alloy = relaxed("Cu", "Au", "L1_2")
    assert -0.03 < alloy["formation_energy"] < -0.005
    assert 3.65 < alloy["lattice_constant"] < 3.75
    assert alloy["volume"] == pytest.approx(alloy["lattice_constant"] ** 3 / 4)


def test_equivalent_metals_may_be_swapped_in_ab_and_not_in_a3b(relaxed: Relaxed) -> None:
    first, second = relaxed("Cu", "Pd", "L1_0"), relaxed("Pd", "Cu", "L1_0")
    assert first["formation_energy"] == pytest.approx(second["formation_energy"], abs=1e-4)
    other, way = relaxed("Cu", "Pd", "L1_2"), relaxed("Pd", "Cu", "L1_2")
    assert abs(other["volume"] - way["volume"]) > 0.5


@pytest.mark.parametrize("name", sorted(ORDERINGS))
def test_every_ordering_is_pure_fcc_when_both_metals_are_the_same(
    name: str, relaxed: Relaxed
) -> None:
    found = relaxed("Cu", "Cu", name)
    assert found["formation_energy"] == pytest.approx(0.0, abs=1e-6)
    assert found["volume"] == pytest.approx(relaxed("Cu", "Cu", "fcc")["volume"], rel=1e-3)


def test_a_calculation_is_submitted_with_its_ticket_and_found_again_by_it(relaxed: Relaxed) -> None:
    compute = _Compute(relaxed)
    calculator = _calculator(compute)
    found = asyncio.run(calculator.relax("Pt", "Ni", "L1_2", emt.Ticket("00000000000000a1")))
    assert found.bulk_modulus == pytest.approx(251.7, abs=0.5)
    assert compute.asked == [(emt.FUNCTION, {"a": "Pt", "b": "Ni", "ordering": "L1_2"})]
    verdict = asyncio.run(calculator.ask(emt.Ticket("00000000000000a1")))
    assert (verdict.outcome, verdict.results["bulk_modulus"]) == ("done", found.bulk_modulus)
    assert asyncio.run(calculator.ask(emt.Ticket("00000000000000a2"))).outcome == "not_done"


@pytest.mark.parametrize(
    ("a", "b", "ordering", "error"),
    [
        ("Cu", "Al", "L1_2", UnknownName),
        ("Cu", "Au", "B2", UnknownName),
        ("Cu", "Cu", "L1_2", InputError),
        ("Cu", "Au", "fcc", InputError),
    ],
)
def test_what_it_cannot_calculate_is_refused_before_anything_is_submitted(
    a: str, b: str, ordering: str, error: type[Exception]
) -> None:
    compute = _Compute()
    with pytest.raises(error):
        asyncio.run(_calculator(compute).relax(a, b, ordering, emt.Ticket("00000000000000a1")))
    assert compute.asked == []


def test_without_compute_it_is_not_fit_and_says_so() -> None:
    calculator = _calculator(None)
    assert not asyncio.run(calculator.health()).is_fit
    with pytest.raises(DeviceAbsent):
        asyncio.run(calculator.ask(emt.Ticket("00000000000000a1")))


def test_the_calculator_has_the_actions_of_its_capability() -> None:
    wanted, kind = capability("AlloyCalculation")["relax"], resource_kind("emt")
    assert kind.implements == ("AlloyCalculation",)
    found = kind.actions["relax"]
    assert (found.args, found.results, found.effect) == (wanted.args, wanted.results, wanted.effect)


@pytest.mark.parametrize(
    ("folder", "lab"),
    [
        ("alloy_screening", "lab.yaml"),
        ("niobium_titania", "twins.yaml"),
        ("niobium_titania", "hardware.yaml"),
        ("molecule_design", "lab.yaml"),
        ("thermal_crystals", "lab.yaml"),
    ],
)
def test_the_campaigns_fit_the_labs_that_come_with_them(folder: str, lab: str) -> None:
    loaded = load(CAMPAIGNS / folder / "campaign.yaml", CAMPAIGNS / folder / lab)
    assert set(loaded.campaign.roles) == set(loaded.lab.roles)
    bound = prepare(loaded.campaign, loaded.lab, "c", loaded.kinds, loaded.capabilities)
    assert len(bound.steps) == len(loaded.campaign.recipe)
