"""Differences of energies: what their parts cost, and whether they may be subtracted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from orchestrator.ports.action import Ticket
from simulators.atomistic.comparing import formed

PARTS = {"compound": (-3.0, 10.0), "Cu": (-2.0, 1.0), "Au": (-1.0, 4.0)}


def difference(**more: Mapping[str, Any]) -> dict[str, Any]:
    """The formation energy of CuAu, `more` being fields of its parts' results."""

    async def relax(text: str, ticket: Ticket) -> Mapping[str, Any]:
        energy, seconds = PARTS[text]
        plain = {"energy": energy, "seconds": seconds, "reused": 0, "volume": 1.0, "structure": ""}
        return {**plain, "cures": "", "altered": 0, **more.get(text, {})}

    shares = {"Cu": 0.5, "Au": 0.5}
    return asyncio.run(formed(relax, "compound", shares, lambda e: e, Ticket("t")))


def test_a_formation_energy_is_what_the_elements_leave() -> None:
    found = difference()
    assert found["formation_energy"] == pytest.approx(-1.5)
    assert (found["seconds"], found["reused"], found["altered"]) == (15.0, 0, 0)


def test_elements_that_were_known_cost_this_candidate_nothing() -> None:
    assert difference(Cu={"reused": 1})["seconds"] == 14.0
    assert difference(Cu={"reused": 1}, Au={"reused": 1})["seconds"] == 10.0
    # the compound's own, known or not, is what such a candidate costs
    again = difference(**{name: {"reused": 1} for name in PARTS})
    assert (again["seconds"], again["reused"]) == (10.0, 1)


def test_a_difference_of_unlike_energies_says_so() -> None:
    wider = "pw.x: not converged, wider smearing (degauss 0.01 -> 0.02)"
    found = difference(compound={"altered": 1, "cures": wider})
    assert found["altered"] == 1
    assert found["cures"] == (
        f"{wider}; the difference is of unlike energies: compound is altered, Au, Cu are not"
    )
    alike = difference(**{name: {"altered": 1, "cures": wider} for name in PARTS})
    assert (alike["altered"], alike["cures"]) == (1, wider)
