"""Crystals with their cells: elements on other sites, in other orders, in larger cells."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from orchestrator.errors import InputError, PlanningError
from orchestrator.materials.descriptors.crystal import Crystal
from orchestrator.materials.descriptors.sameness import Primitive
from orchestrator.materials.descriptors.structure_text import crystal_of
from orchestrator.materials.generators.archive import Floats
from orchestrator.materials.generators.decoration import AtomicVolumes, Decoration
from orchestrator.materials.generators.formulas import is_neutral
from orchestrator.model.candidates import in_a_line
from orchestrator.model.space import Pool
from orchestrator.ports.generator import Generator

if TYPE_CHECKING:
    from ase import Atoms

pytest.importorskip("ase", reason="needs ase")


def _text(atoms: Atoms) -> str:
    from ase.io import write

    out = io.StringIO()
    write(out, atoms, "extxyz")
    return out.getvalue()


def _fcc(element: str, a: float) -> str:
    from ase.build import bulk

    return _text(bulk(element, "fcc", a))


def _salt(symbols: str, a: float) -> str:
    from ase.build import bulk

    return _text(bulk(symbols, "rocksalt", a))


CAMPAIGN = """\
name: alloys
space:
  crystal:
    pool: pool.csv
    name: name
    structure: structure
    descriptor: crystal
    generate: {kind: decoration, every: 2, ionic: false, most_atoms: 4, particles: 16, steps: 4}
metrics: {energy: {unit: eV}}
objective: {minimise: energy}
planner: {initial: 2}
budget: {trials: 9}
"""
ALLOYS = [_fcc("Cu", 3.61), _fcc("Au", 4.08)]
SALTS = [_salt("MgO", 4.21), _salt("CaO", 4.81), _salt("LiF", 4.03), _salt("NaCl", 5.64)]


def _all_alike(crystals: Sequence[str]) -> Floats:
    return np.zeros(len(crystals))


def _share(symbol: str, crystals: Sequence[str]) -> Floats:
    counts = [Counter(crystal_of(text).get_chemical_symbols()) for text in crystals]
    return np.array([10.0 * count[symbol] / sum(count.values()) for count in counts])


def _per_atom(text: str) -> float:
    atoms = crystal_of(text)
    return float(atoms.cell.volume / len(atoms))


def test_decoration_is_a_generator_whose_crystals_are_canonical_and_the_same_for_a_seed() -> None:
    once, again = (
        Decoration(ALLOYS, ionic=False, most_atoms=4, particles=20, steps=6).generate(
            ALLOYS, _all_alike, 8, 3
        )
        for _ in range(2)
    )
    assert isinstance(Decoration(ALLOYS), Generator)
    assert once == again
    names = [candidate.material for candidate in once]
    assert len(set(names)) == len(names) == 8
    assert names == list(map(Crystal().canonical, names))


def test_every_ordering_of_two_elements_in_a_small_cell_is_reached_and_none_twice() -> None:
    from orchestrator.materials.enumeration.decorations import decorated

    made = Decoration(ALLOYS, ionic=False, most_atoms=3, particles=40, steps=10).generate(
        ALLOYS, _all_alike, 100, 0
    )
    rows = decorated("fcc", ["Au", "Cu"], 3, 2)
    wanted = [_at_one_size(row["structure"]) for row in rows]
    found = [_at_one_size(candidate.material) for candidate in made]
    assert all(any(one.is_same(other) for other in wanted) for one in found)
    assert len(found) == len(wanted) == 8


def _at_one_size(text: str) -> Primitive:
    atoms = crystal_of(text)
    atoms.set_cell(atoms.cell * (10.0 / _per_atom(text)) ** (1 / 3), scale_atoms=True)
    return Primitive.of(atoms)


def test_crystals_are_as_large_as_their_elements_are_in_the_corpus() -> None:
    volumes = AtomicVolumes([crystal_of(text) for text in ALLOYS])
    for text in ALLOYS:
        assert volumes.of(crystal_of(text)) == pytest.approx(_per_atom(text), rel=0.02)
    made = Decoration(ALLOYS, ionic=False, most_atoms=4, particles=24, steps=6).generate(
        ALLOYS, _all_alike, 20, 1
    )
    copper, gold = map(_per_atom, ALLOYS)
    for candidate in made:
        share = _share("Au", [candidate.material])[0] / 10.0
        wanted = copper + share * (gold - copper)
        assert _per_atom(candidate.material) == pytest.approx(wanted, rel=0.03)


def test_ionic_crystals_are_neutral_and_no_cation_is_put_on_an_anion_s_site() -> None:
    from ase.neighborlist import neighbor_list

    made = Decoration(SALTS, most_atoms=4, particles=40, steps=8).generate(
        SALTS, lambda t: _share("Mg", t), 30, 2
    )
    assert any(_share("Mg", [c.material])[0] not in (0.0, 5.0) for c in made)
    for candidate in made:
        atoms = crystal_of(candidate.material)
        amounts = Counter(atoms.get_chemical_symbols())
        assert is_neutral(amounts), amounts
        edge = (8 * atoms.cell.volume / len(atoms)) ** (1 / 3)
        for i, j in zip(*neighbor_list("ij", atoms, 0.55 * edge), strict=True):
            pair = {atoms.symbols[i], atoms.symbols[j]}
            assert len(pair & {"O", "F", "Cl"}) == 1, (candidate.material, pair)


def test_with_replace_no_atoms_are_ordered_anew_and_the_formula_stays() -> None:
    from ase.build import bulk

    atoms = bulk("Cu", "fcc", 3.85, cubic=True)
    atoms.set_chemical_symbols(["Cu", "Cu", "Au", "Au"])
    start = [_text(atoms)]
    made = Decoration(
        start, ionic=False, replace=False, most_atoms=4, particles=20, steps=6
    ).generate(start, _all_alike, 20, 0)
    assert len(made) >= 2
    assert {_share("Au", [candidate.material])[0] for candidate in made} == {5.0}
    alone = Decoration(start, ionic=False, replace=False, most_atoms=2, steps=4)
    with pytest.raises(PlanningError, match="no new"):  # two sites have one order
        alone.generate(start, _all_alike, 20, 0)


def test_only_permitted_elements_are_put_in() -> None:
    made = Decoration(
        ALLOYS, elements=["Ni", "Pd"], ionic=False, most_elements=2, particles=30, steps=6
    ).generate(ALLOYS, _all_alike, 40, 0)
    kinds = [set(crystal_of(c.material).get_chemical_symbols()) for c in made]
    assert all(len(kind) <= 2 for kind in kinds)
    assert {"Ni", "Pd"} <= set().union(*kinds) <= {"Ni", "Pd", "Cu", "Au"}


def test_a_crystal_has_no_element_but_those_that_it_may_have_at_all() -> None:
    made = Decoration(
        ALLOYS, only_elements=["Ni", "Cu"], ionic=False, particles=30, steps=6
    ).generate(ALLOYS, _all_alike, 40, 0)
    kinds = [set(crystal_of(c.material).get_chemical_symbols()) for c in made]
    assert all(kind <= {"Ni", "Cu"} for kind in kinds)


def test_another_process_makes_the_same_crystals_of_the_same_seed() -> None:
    text = (
        "import sys, numpy as np\n"
        "from orchestrator.materials.generators.decoration import Decoration\n"
        "start = sys.stdin.read().split('---')\n"
        "made = Decoration(start, ionic=False, particles=8, steps=3, most_atoms=4).generate(\n"
        "    start, lambda texts: np.zeros(len(texts)), 5, 1)\n"
        "print(made)\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", text],
            input="---".join([*ALLOYS, _fcc("Ag", 4.09), _fcc("Pd", 3.89), _salt("NiPt", 5.3)]),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1


def test_what_cannot_be_read_is_left_out_and_named_where_nothing_can() -> None:
    generator = Decoration([*ALLOYS, "no crystal"], ionic=False, particles=10, steps=4)
    assert generator.generate([*ALLOYS, "1\n\nHe 0 0 0\n"], _all_alike, 3, 0)
    with pytest.raises(InputError, match="not periodic"):
        generator.generate(["1\n\nHe 0 0 0\n"], _all_alike, 3, 0)
    with pytest.raises(InputError, match="'Xe'"):
        Decoration([_fcc("Xe", 6.2)])
    with pytest.raises(InputError, match="learn from"):
        Decoration([])


def test_a_pool_of_crystals_grows_and_its_new_structures_reach_the_recipe(tmp_path: Path) -> None:
    from orchestrator.runtime.ask_tell import propose
    from orchestrator.runtime.load import read_campaign

    structures = [*ALLOYS, _fcc("Ag", 4.09), _fcc("Pd", 3.89)]
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    with (tmp_path / "pool.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["name", "structure"], *zip("abcd", structures, strict=True)])
    (tmp_path / "results.csv").write_text("crystal,energy\na,0.4\nb,0.3\nc,0.5\nd,0.1\n")
    advice = propose(tmp_path / "results.csv", 1, campaign=tmp_path / "campaign.yaml")
    made = str(advice.proposals[0].point["crystal"])
    kinds = set(crystal_of(made).get_chemical_symbols())
    assert len(kinds) > 1
    assert kinds <= {"Cu", "Au", "Ag", "Pd"}
    pool = read_campaign(tmp_path / "campaign.yaml").space["crystal"]
    assert isinstance(pool, Pool)
    assert pool.words(made)["structure"] == made
    assert in_a_line(made).startswith(min(kinds))
