"""Routes of synthesis as vectors."""

from __future__ import annotations

import pytest

from orchestrator.errors import InputError
from orchestrator.materials.chemistry import molecule
from orchestrator.materials.descriptors.molecule import Morgan
from orchestrator.materials.descriptors.route import Route, steps_of
from orchestrator.ports.descriptor import Descriptor

NITRATION = "c1ccccc1.O[N+](=O)[O-]>>O=[N+]([O-])c1ccccc1"
REDUCTION = "O=[N+]([O-])c1ccccc1>[Fe].Cl>Nc1ccccc1"
ACETYLATION = "Nc1ccccc1.CC(=O)Cl>>CC(=O)Nc1ccccc1"
CHLORIDE = "CC(=O)O.O=S(Cl)Cl>>CC(=O)Cl"
ACETANILIDE = "; ".join((NITRATION, REDUCTION, ACETYLATION, CHLORIDE))


def _quantities(route: str) -> dict[str, float]:
    described = Route(size=16)
    return dict(zip(described.names, described.describe([route])[0].tolist(), strict=True))


def test_a_convergent_route_is_shorter_than_the_number_of_its_steps() -> None:
    found = _quantities(ACETANILIDE)
    assert found["steps"] == 4
    assert found["longest linear sequence"] == 3
    assert found["starting materials"] == 4
    assert found["heavy atoms of starting materials"] == 6 + 4 + 4 + 4
    assert found["heavy atoms of agents"] == 2
    assert found["heavy atoms of final products"] == 10


def test_what_is_made_on_the_way_cancels_out() -> None:
    route, morgan = Route(size=64), Morgan(size=64)
    vector = route.describe([ACETANILIDE])[0]
    made, start = vector[6:70], vector[70:]
    first = sum(
        morgan.counts(molecule(each))
        for each in ("c1ccccc1", "O[N+](=O)[O-]", "CC(=O)O", "O=S(Cl)Cl")
    )
    assert (start == first).all()
    assert (made == morgan.counts(molecule("CC(=O)Nc1ccccc1")) - first).all()


def test_the_order_and_the_spelling_of_steps_change_nothing() -> None:
    other = "\n".join((CHLORIDE, "CC(Cl)=O.c1ccccc1N>>O=C(C)Nc1ccccc1", REDUCTION, NITRATION))
    route = Route(size=32)
    assert route.canonical(other) == route.canonical(ACETANILIDE)
    assert (route.describe([other]) == route.describe([ACETANILIDE])).all()
    assert route.canonical(route.canonical(other)) == route.canonical(other)


def test_steps_come_in_an_order_in_which_they_can_be_done() -> None:
    have: set[str] = set()
    steps = steps_of("; ".join((ACETYLATION, REDUCTION, CHLORIDE, NITRATION)))
    made = {product for step in steps for product in step.products}
    for step in steps:
        assert {each for each in step.reactants if each in made} <= have
        have.update(step.products)


def test_what_stands_on_both_sides_of_a_step_is_an_agent() -> None:
    ester = "CC(=O)[O-].[Na+].CI>>CC(=O)OC.[Na+].[I-]"
    assert Route().canonical(ester) == "CC(=O)[O-].CI>[Na+]>COC(C)=O.[I-]"
    found = _quantities(f"{ester}; COC(C)=O.[Na+].[OH-]>>CC(=O)O.[Na+].C[O-]")
    assert (found["steps"], found["longest linear sequence"]) == (2, 2)
    assert found["heavy atoms of agents"] == 2
    assert found["starting materials"] == 3
    assert Route().canonical("CCO.CCO>>CC=O.CCO") == "CCO>CCO>CC=O"


def test_numbers_of_mapped_atoms_change_nothing() -> None:
    plain = "CC(=O)Cl.[O-]CC>>CCOC(C)=O.[Cl-]; CCOC(C)=O.N>>CC(N)=O.CCO"
    mapped = (
        "[CH3:1][C:2](=[O:3])[Cl:4].[O-:5][CH2:6][CH3:7]>>[CH3:7][CH2:6][O:5][C:2]([CH3:1])=[O:3]"
        ".[Cl-:4]; [CH3:1][CH2:2][O:3][C:4]([CH3:5])=[O:6].[NH3:7]>>[CH3:5][C:4]([NH2:7])=[O:6]"
        ".[CH3:1][CH2:2][OH:3]"
    )
    route = Route(size=32)
    assert route.canonical(mapped) == route.canonical(plain)
    assert (route.describe([mapped]) == route.describe([plain])).all()


def test_a_route_is_a_descriptor() -> None:
    route = Route()
    assert isinstance(route, Descriptor)
    assert route.describe([ACETANILIDE]).shape == (1, len(route.names)) == (1, len(route.units))
    assert route.describe([]).shape == (0, 6 + 2 * 512)


@pytest.mark.parametrize(
    ("route", "why"),
    [
        ("", "the route is empty"),
        (" ; \n", "the route is empty"),
        ("CCO", "the step 'CCO' is not a reaction"),
        (">>CCO", "the step '>>CCO' is not a reaction"),
        ("CCO>>", "the step 'CCO>>' is not a reaction"),
        ("CCQ>>CCO", "'CCQ' is not a molecule"),
        ("CCO>>CC=O; CC=O>>CCO", "need each other in a circle"),
        ("CCO>>CCO", "stands on the other too"),
        ("CCO.O>>CC=O.O.CCO", "stands on the other too"),
    ],
)
def test_what_is_no_route_is_refused_with_its_reason(route: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        Route().describe([route])
