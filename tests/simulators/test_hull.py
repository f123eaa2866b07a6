"""Energies above the convex hull of the user's own entries."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path
from typing import Any

import pytest
from ase import Atoms
from ase.build import bulk
from ase.db import connect
from ase.io import write
from hypothesis import given, settings
from hypothesis import strategies as st
from structure_kinds import asked, calculator, l1_2

from orchestrator.errors import ExecutionError, InputError
from orchestrator.ports.action import Ticket
from simulators.atomistic.entries import read_entries
from simulators.atomistic.hull import best_mixture
from simulators.atomistic.structures import text_of

A, B = {"A": 1.0}, {"B": 1.0}
AB = {"A": 0.5, "B": 0.5}


def table(path: Path, *rows: dict[str, Any]) -> str:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def entry(name: str, atoms: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "structure": text_of(atoms), **more}


def test_the_best_mixture_is_that_of_the_lever_rule() -> None:
    found = best_mixture({"A": 0.75, "B": 0.25}, [A, B, AB], [-3.0, -5.0, -4.2])
    assert found is not None
    assert found.energy == pytest.approx(0.5 * -3.0 + 0.5 * -4.2)
    assert found.shares == pytest.approx({0: 0.5, 2: 0.5})
    alone = best_mixture(AB, [A, B, AB], [-3.0, -5.0, -4.2])
    assert alone is not None
    assert alone.shares == pytest.approx({2: 1.0})
    unstable = best_mixture(AB, [A, B, AB], [-3.0, -5.0, -3.9])
    assert unstable is not None
    assert unstable.energy == pytest.approx(-4.0)
    assert best_mixture({"A": 0.75, "B": 0.25}, [AB, B], [0.0, 0.0]) is None
    assert best_mixture({"C": 1.0}, [AB, B], [0.0, 0.0]) is None


_PHASES = st.lists(st.tuples(*[st.integers(0, 4)] * 4).filter(any), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(_PHASES, st.randoms(use_true_random=False))
def test_a_mixture_of_many_components_has_the_composition_and_lies_below_every_phase_of_it(
    counts: list[tuple[int, ...]], chance: Any
) -> None:
    elements = "ABCD"
    pure = [{e: 1.0} for e in elements]
    phases = pure + [{e: n / sum(c) for e, n in zip(elements, c, strict=True) if n} for c in counts]
    energies = [chance.uniform(-5.0, 5.0) for _ in phases]
    wanted = phases[-1]
    best = best_mixture(wanted, phases, energies)
    assert best is not None
    assert best.energy <= energies[-1] + 1e-9
    assert len(best.shares) <= len(wanted)
    for e in elements:
        mixed = sum(x * phases[i].get(e, 0.0) for i, x in best.shares.items())
        assert mixed == pytest.approx(wanted.get(e, 0.0), abs=1e-5)
    mixed = sum(x * energies[i] for i, x in best.shares.items())
    assert best.energy == pytest.approx(mixed, abs=1e-4)


def test_a_phase_is_held_against_the_entries_and_each_of_them_is_computed_once(
    tmp_path: Path,
) -> None:
    entries = table(
        tmp_path / "references.csv",
        entry("copper", bulk("Cu")),
        entry("", bulk("Pt")),
        entry("cubic", l1_2("Cu", "Pt")),
        entry("silver", bulk("Ag")),
    )
    given = {"entries": entries}
    text = text_of(l1_2("Pt", "Cu", 3.7))
    found = asyncio.run(asked(tmp_path, "emt-structures", "energy_above_hull", text, **given))
    assert found.energy_above_hull < 0.0, "no entry has its composition, and it is stable"
    assert found.decomposition == "0.667 copper + 0.333 cubic"
    assert found.method.startswith("emt-")
    assert found.reused == 0
    results = len(list((tmp_path / "results").glob("*/*.json")))
    assert results == 4, "silver does not matter"
    formed = asyncio.run(asked(tmp_path, "emt-structures", "formation_energy", text))
    other = asyncio.run(
        asked(tmp_path, "emt-structures", "formation_energy", text_of(l1_2("Cu", "Pt")))
    )
    expected = formed.formation_energy - other.formation_energy / 3.0
    assert found.energy_above_hull == pytest.approx(expected, abs=1e-6)
    itself = asyncio.run(
        asked(tmp_path, "emt-structures", "energy_above_hull", text_of(l1_2("Cu", "Pt")), **given)
    )
    assert itself.energy_above_hull == pytest.approx(0.0, abs=1e-9)
    assert itself.decomposition == "1.000 cubic"
    assert itself.reused == 1


def test_entries_are_refused_that_leave_a_gap_or_are_of_another_method(tmp_path: Path) -> None:
    copper, alloy = entry("copper", bulk("Cu")), text_of(l1_2("Pt", "Cu"))
    known = entry("platinum", bulk("Pt"), energy=-0.1)

    async def refused(said: str, *rows: dict[str, Any]) -> None:
        with calculator(tmp_path, "emt-structures") as resource:
            entries = table(tmp_path / "references.csv", *rows)
            with pytest.raises(InputError, match=said):
                await resource.energy_above_hull(alloy, entries, Ticket("t1"))

    asyncio.run(refused("has no entry with Pt", copper))
    rich = entry("richer", l1_2("Cu", "Pt")), entry("platinum", bulk("Pt"))
    asyncio.run(refused("no mixture of the entries .* Cu 0.75 Pt 0.25", *rich))
    asyncio.run(refused("row 3 .* does not say by which method", copper, known))
    known["method"] = "vasp-1"
    asyncio.run(refused("of the method 'vasp-1', and this one is 'emt-", copper, known))
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "results").exists()


def test_an_energy_that_the_same_method_gave_is_not_computed_again(tmp_path: Path) -> None:
    elements = table(tmp_path / "a.csv", entry("Cu", bulk("Cu")), entry("Pt", bulk("Pt")))
    text = text_of(l1_2("Pt", "Cu", 3.7))
    first = asyncio.run(
        asked(tmp_path, "emt-structures", "energy_above_hull", text, entries=elements)
    )
    more = table(
        tmp_path / "b.csv",
        entry("Cu", bulk("Cu")),
        entry("Pt", bulk("Pt")),
        {"name": "x", "structure": text, "energy": first.energy, "method": first.method},
    )
    again = asyncio.run(asked(tmp_path, "emt-structures", "energy_above_hull", text, entries=more))
    assert again.energy_above_hull == pytest.approx(0.0, abs=1e-9)
    assert again.decomposition == "1.000 x"


def test_entries_come_from_a_database_or_a_collection_too(tmp_path: Path) -> None:
    several = [bulk("Cu"), l1_2("Cu", "Pt")]
    several[1].info["name"] = "ordered"
    write(tmp_path / "some.xyz", several, format="extxyz")
    with connect(tmp_path / "some.db") as store:
        store.write(several[0])
        store.write(several[1], name="ordered")
    for name in ("some.xyz", "some.db"):
        found = read_entries(str(tmp_path / name))
        assert [one.name for one in found] == ["Cu", "ordered"]
        assert found[1].shares == {"Cu": 0.25, "Pt": 0.75}
        assert found[1].energy is None


def test_a_charge_or_spin_that_an_entry_says_of_itself_is_not_passed_over(tmp_path: Path) -> None:
    oxygen = Atoms("O2", [[0, 0, 0], [0, 0, 1.2]])
    with connect(tmp_path / "some.db") as store:
        store.write(oxygen, multiplicity=3)
    oxygen.info["charge"] = -1
    write(tmp_path / "some.xyz", [bulk("Cu"), oxygen], format="extxyz")
    with pytest.raises(InputError, match=r"structure 2 of 'some.xyz' has charge=-1, and the char"):
        read_entries(str(tmp_path / "some.xyz"))
    with pytest.raises(InputError, match=r"structure 1 of 'some.db' has multiplicity=3, and the"):
        read_entries(str(tmp_path / "some.db"))
    oxygen.set_initial_charges([-0.5, -0.5])
    write(tmp_path / "some.xyz", [bulk("Cu"), oxygen], format="extxyz")
    assert len(read_entries(str(tmp_path / "some.xyz"))) == 2


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none.csv", None, "there is no file"),
        ("a.json", "{}", "cannot be read from 'a.json'"),
        ("a.csv", "name,energy\nx,1\n", "has no column 'structure'"),
        ("a.csv", "name,structure\n", "holds no entry"),
        ("a.csv", "name,structure\nx,nonsense\n", "row 2 of 'a.csv': the structure"),
        ("a.xyz", "nonsense", "the entries 'a.xyz' cannot be read"),
    ],
)
def test_what_are_no_entries_is_told(tmp_path: Path, name: str, text: str, said: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=said):
        read_entries(str(tmp_path / name))


def test_entries_that_change_while_a_campaign_runs_are_noticed(tmp_path: Path) -> None:
    def of_copper(edge: float) -> str:
        rows = ({"structure": text_of(one)} for one in (bulk("Cu", a=edge), bulk("Pt")))
        return table(tmp_path / "references.csv", *rows)

    file = of_copper(3.6)

    async def twice() -> None:
        with calculator(tmp_path, "emt-structures") as resource:
            alloy = text_of(l1_2("Pt", "Cu"))
            await resource.energy_above_hull(alloy, file, Ticket("t1"))
            await resource.energy_above_hull(alloy, file, Ticket("t2"))
            of_copper(3.7)
            with pytest.raises(ExecutionError, match="was changed while the campaign"):
                await resource.energy_above_hull(alloy, file, Ticket("t3"))

    asyncio.run(twice())
