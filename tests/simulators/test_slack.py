from __future__ import annotations

import pytest

from orchestrator.errors import InputError
from orchestrator.plugins import capability, resource_kind
from simulators.atomistic.slack import conductivity, elements_of


def test_the_order_of_well_known_crystals_comes_out_right() -> None:
    kappa = [
        conductivity(f)["thermal_conductivity"] for f in ("C", "BN", "Si", "GaAs", "NaCl", "CsI")
    ]
    assert kappa == sorted(kappa, reverse=True)
    assert conductivity("C")["debye_temperature"] == pytest.approx(2144, abs=1)


def test_a_compound_is_the_same_from_either_end() -> None:
    one, other = conductivity("GaAs"), conductivity("AsGa")
    assert one == pytest.approx(other)


def test_the_phase_space_falls_as_the_conductivity_rises() -> None:
    assert conductivity("C")["phase_space"] < conductivity("GaAs")["phase_space"]


@pytest.mark.parametrize("formula", ["", "Xx", "GaAs2", "gaas", "UO", "Ga As"])
def test_what_the_law_does_not_know_is_refused(formula: str) -> None:
    with pytest.raises(InputError, match="is no binary compound that the law knows"):
        elements_of(formula)


def test_the_law_has_the_actions_of_its_capability() -> None:
    wanted, kind = capability("CrystalCalculation")["conductivity"], resource_kind("slack")
    assert kind.implements == ("CrystalCalculation",)
    found = kind.actions["conductivity"]
    assert (found.args, found.results, found.effect) == (wanted.args, wanted.results, wanted.effect)
