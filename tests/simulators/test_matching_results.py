"""Results of the same crystal in another cell: named, and taken only where the user allows it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ase import Atoms
from ase.build import bulk
from structure_kinds import asked as computed

from orchestrator.clock import WallClock
from orchestrator.errors import UnknownName
from orchestrator.executor.known import KnownResults
from orchestrator.executor.local import LocalCompute
from orchestrator.plugins import resource_kind
from orchestrator.ports.action import Ticket
from orchestrator.ports.resource import Bench
from orchestrator.runtime.known_matches import KnownMatches
from simulators.atomistic.requests import Method, Request
from simulators.atomistic.structures import atoms_of, text_of
from simulators.atomistic.symmetric import primitive_text

SITES = [(0, 0, 0), (0.5, 0, 0.5), (0.5, 0.5, 0), (0, 0.5, 0.5)]


def alloy() -> Any:
    return Atoms("CuPt3", scaled_positions=SITES, cell=[3.8] * 3, pbc=True)


def doubled() -> Any:
    found = (alloy() * (1, 2, 1))[[7, 3, 1, 0, 2, 4, 5, 6]]
    found.rotate(30, "z", rotate_cell=True)
    return found


def asked(
    folder: Path,
    structure: Any,
    action: str = "energy",
    where: Mapping[str, Any] | None = None,
    **options: Any,
) -> Any:
    """The result of a calculator whose results lie in a folder."""

    async def compute() -> Any:
        clock, results = WallClock(), KnownResults(folder / "results")
        place = LocalCompute(folder / "calculations", clock, results=results)
        try:
            matches = KnownMatches(results)
            bench = Bench(name="calc", clock=clock, compute=place, matches=matches)
            made = resource_kind("emt-structures").cls(bench, **options)
            told = {"structure": text_of(structure), "ticket": Ticket("t"), **(where or {})}
            return await getattr(made, action)(**told)
        finally:
            place.close()

    return asyncio.run(compute())


def test_a_matching_result_is_named_and_not_used_unless_that_is_allowed(tmp_path: Path) -> None:
    first = asked(tmp_path, alloy())
    assert (first.reused, first.matched) == (0, "")
    taken = asked(tmp_path, doubled(), reuse="matching")
    key = Request("energy", text_of(alloy()), method_of(), {}).key()
    assert (taken.reused, taken.matched) == (1, key)
    assert taken.energy == first.energy
    assert len(atoms_of(taken.structure)) == taken.atoms == 4
    named = asked(tmp_path, doubled())
    assert (named.reused, named.matched, named.atoms) == (0, key, 8)
    assert named.energy == pytest.approx(first.energy, abs=1e-8)
    again = asked(tmp_path, doubled(), reuse="matching")
    assert (again.reused, again.matched, again.atoms) == (1, "", 8)


def method_of() -> Method:
    import importlib.metadata

    return Method(
        "simulators.atomistic.methods:emt", {}, {"ase": importlib.metadata.version("ase")}
    )


def test_another_task_or_another_crystal_of_the_formula_is_no_match(tmp_path: Path) -> None:
    asked(tmp_path, alloy())
    assert asked(tmp_path, doubled(), "equation_of_state", reuse="matching").reused == 0
    strained = doubled()
    strained.set_cell(strained.cell * 1.01, scale_atoms=True)
    found = asked(tmp_path, strained, reuse="matching")
    assert (found.reused, found.matched) == (0, "")


def test_molecules_moments_and_charges_are_matched_by_their_exact_key_alone() -> None:
    spun = bulk("Ni")
    spun.set_initial_magnetic_moments([1.0])
    for atoms in (spun, Atoms("N2", [[0, 0, 0], [0, 0, 1.1]])):
        assert Request("energy", text_of(atoms), method_of(), {}).kind() == ""
    plain, double = (Request("energy", text_of(a), method_of(), {}) for a in (alloy(), doubled()))
    assert plain.kind() == double.kind() != ""
    assert plain.key() != double.key()


def test_a_facet_is_of_the_cell_that_is_given_whatever_cell_is_known(tmp_path: Path) -> None:
    where = {"adsorbate": "H", "facet": "111", "layers": 2, "separation": 0.0}
    cell = [3.96, 3.96, 3.67]
    given = Atoms("CuAuCuAu", scaled_positions=SITES, cell=cell, pbc=True)
    small = atoms_of(primitive_text(text_of(given)))
    assert len(small) == 2
    asked(tmp_path, small, "relax")
    found = asked(tmp_path, given, "adsorption_energy", where, reuse="matching")
    assert found.atoms == 9


@pytest.mark.parametrize("words", [{"system.tot_charge": 1}, {"nupdown": 2.0}])
def test_a_charge_or_moment_of_a_whole_cell_is_not_that_of_another_cell(
    words: dict[str, Any],
) -> None:
    method = Method("DFT", {"input": words}, {})
    assert Request("energy", text_of(alloy()), method, {}).kind() == ""
    assert Request("energy", text_of(alloy()), Method("DFT", {"input": {}}, {}), {}).kind()


def test_a_way_of_reuse_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownName, match="'all' is not a word for 'reuse'"):
        resource_kind("emt-structures").cls(Bench(name="calc", clock=WallClock()), reuse="all")


def test_a_torn_line_of_the_kinds_is_only_not_found(tmp_path: Path) -> None:
    results = KnownResults(tmp_path)
    results.note("ab1", "k1")
    results.note("ab1", "k2")
    results.note("ab2", "k3")
    with (tmp_path / "kinds" / "ab.txt").open("a") as file:
        file.write("ab1 k4 torn\nab1")
    assert results.noted("ab1") == ["k1", "k2"]
    assert results.noted("cd") == []


@pytest.mark.parametrize("change", [{"max_force": None}, {"more": 1.0}, {"energy": "low"}])
def test_a_result_that_another_version_kept_is_computed_anew(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    text = text_of(bulk("Cu"))
    first = asyncio.run(computed(tmp_path, "emt-structures", "energy", text))
    (kept,) = (tmp_path / "results").glob("??/*.json")
    whole = json.loads(kept.read_text())
    result = {**whole["result"], **change}
    whole["result"] = {name: value for name, value in result.items() if value is not None}
    kept.write_text(json.dumps(whole))
    again = asyncio.run(computed(tmp_path, "emt-structures", "energy", text, ticket="t2"))
    assert (again.energy, again.max_force) == (first.energy, first.max_force)
    assert again.reused == 0
