"""Crystals: what does not depend on how they are written, and what is known of simple ones."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.io import write
from ase.spacegroup import crystal
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.errors import InputError
from orchestrator.materials.descriptors.composition import Composition
from orchestrator.materials.descriptors.crystal import Crystal
from orchestrator.model.quantity import check_unit
from orchestrator.ports.descriptor import Descriptor

QUARTZ = crystal(
    ["Si", "O"],
    [(0.4697, 0, 0), (0.4135, 0.2669, 0.1191)],
    spacegroup=152,
    cellpar=[4.916, 4.916, 5.405, 90, 90, 120],
)
RUTILE = crystal(
    ["Ti", "O"],
    [(0, 0, 0), (0.3048, 0.3048, 0)],
    spacegroup=136,
    cellpar=[4.594, 4.594, 2.959, 90, 90, 90],
)
TRICLINIC = crystal(
    ["Fe", "O", "O"],
    [(0.1, 0.2, 0.3), (0.6, 0.7, 0.1), (0.33, 0.9, 0.77)],
    spacegroup=2,
    cellpar=[5, 6.1, 7.3, 81, 97, 105],
)
CRYSTALS = {
    "copper": bulk("Cu"),
    "iron": bulk("Fe"),
    "magnesium": bulk("Mg"),
    "salt": bulk("NaCl", "rocksalt", 5.64),
    "gallium arsenide": bulk("GaAs", "zincblende", 5.65),
    "quartz": QUARTZ,
    "rutile": RUTILE,
    "triclinic": TRICLINIC,
}
CRYSTAL = Crystal()


def _text(atoms: Atoms, form: str) -> str:
    file: Any = io.BytesIO() if form == "cif" else io.StringIO()
    write(file, atoms, format=form)
    written = file.getvalue()
    return written.decode() if isinstance(written, bytes) else written


def _rewritten(atoms: Atoms, seed: int) -> Atoms:
    """The same crystal in another cell, orientation, origin and order."""
    rng = np.random.default_rng(seed)
    change = rng.integers(-2, 3, (3, 3))
    while not 0.5 < abs(np.linalg.det(change)) < 4.5:
        change = rng.integers(-2, 3, (3, 3))
    larger = make_supercell(atoms, change * np.sign(round(np.linalg.det(change))))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    places = larger.positions @ turn.T + rng.normal(size=3) * 3
    cell = larger.cell.array @ turn.T
    order = rng.permutation(len(larger))
    turned = Atoms(larger.numbers[order], places[order], cell=cell, pbc=True)
    turned.wrap()
    return turned


def _named(vector: Any) -> dict[str, float]:
    return dict(zip(CRYSTAL.names, vector.tolist(), strict=True))


@example("copper", 132051)  # an atom lies two cells away from another one
@given(st.sampled_from(sorted(CRYSTALS)), st.integers(0, 2**31 - 1))
@settings(deadline=None, max_examples=15)
def test_cell_orientation_origin_and_order_change_nothing(name: str, seed: int) -> None:
    atoms = CRYSTALS[name]
    other = _rewritten(atoms, seed)
    one, same = CRYSTAL.describe([atoms, other])
    np.testing.assert_allclose(same, one, rtol=1e-9, atol=1e-9)
    assert CRYSTAL.canonical(other) == CRYSTAL.canonical(atoms)


@pytest.mark.parametrize("name", CRYSTALS)
def test_a_canonical_structure_is_a_material_and_its_own_canonical_form(name: str) -> None:
    canonical = CRYSTAL.canonical(CRYSTALS[name])
    assert CRYSTAL.canonical(canonical) == canonical
    one, same = CRYSTAL.describe([CRYSTALS[name], canonical])
    np.testing.assert_allclose(same, one, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("form", ["cif", "vasp", "extxyz"])
@pytest.mark.parametrize("name", ["salt", "quartz", "triclinic"])
def test_all_formats_of_a_file_give_one_vector(name: str, form: str) -> None:
    one, same = CRYSTAL.describe([CRYSTALS[name], _text(CRYSTALS[name], form)])
    np.testing.assert_allclose(same, one, rtol=1e-5, atol=1e-5)


def test_copper_is_close_packed_and_iron_body_centred() -> None:
    copper, iron = (_named(row) for row in CRYSTAL.describe([bulk("Cu"), bulk("Fe")]))
    assert copper["density"] == pytest.approx(8.97, abs=0.02)
    assert copper["nearest neighbour:mean"] == pytest.approx(3.61 / np.sqrt(2), abs=1e-9)
    assert copper["coordination:mean"] == pytest.approx(12, abs=0.1)
    assert iron["coordination:mean"] == pytest.approx(14, abs=0.3)
    assert copper["coordination:sd"] == pytest.approx(0, abs=1e-9)
    assert copper["volume per atom"] == pytest.approx(3.61**3 / 4)


def test_titanium_has_six_neighbours_and_oxygen_three_in_rutile() -> None:
    rutile = _named(CRYSTAL.describe([RUTILE])[0])
    assert rutile["coordination:mean"] == pytest.approx((6 + 2 * 3) / 3, abs=0.2)
    assert rutile["electronegativity difference:mean"] == pytest.approx(3.44 - 1.54, abs=0.1)


def test_the_composition_is_that_of_the_reduced_formula() -> None:
    width = len(Composition().names)
    described = CRYSTAL.describe([RUTILE])[0, :width]
    np.testing.assert_allclose(described, Composition().describe(["TiO2"])[0], rtol=1e-12)


def test_polymorphs_of_one_formula_are_told_apart() -> None:
    blende, salt = (bulk("ZnS", kind, 5.4) for kind in ("zincblende", "rocksalt"))
    one, other = CRYSTAL.describe([blende, salt])
    assert CRYSTAL.canonical(blende) != CRYSTAL.canonical(salt)
    assert abs(one - other).max() > 1
    assert (one[:290] == other[:290]).all()


def test_left_and_right_quartz_are_two_materials_that_distances_cannot_tell_apart() -> None:
    mirrored = Atoms(
        QUARTZ.numbers, QUARTZ.positions * [1, 1, -1], cell=QUARTZ.cell.array * [1, 1, -1], pbc=True
    )
    assert CRYSTAL.canonical(mirrored) != CRYSTAL.canonical(QUARTZ)
    one, other = CRYSTAL.describe([QUARTZ, mirrored])
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def test_a_lone_atom_in_a_large_cell_still_has_numbers() -> None:
    lone = Atoms("Ar", cell=[15, 15, 15], pbc=True)
    vector = CRYSTAL.describe([lone])[0]
    assert np.isfinite(vector).all()
    assert _named(vector)["nearest neighbour:mean"] == pytest.approx(15)


def test_a_crystal_is_a_descriptor_whose_units_exist() -> None:
    assert isinstance(CRYSTAL, Descriptor)
    assert len(CRYSTAL.names) == len(CRYSTAL.units) == len(set(CRYSTAL.names)) == 299 + 48
    for unit in set(CRYSTAL.units):
        check_unit(unit)
    assert Crystal(shells=4).describe([bulk("Cu")]).shape == (1, 299 + 24)


DISORDERED = """data_alloy
_cell_length_a 4
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_occupancy
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Fe1 Fe 0.5 0 0 0
Ni1 Ni 0.5 0 0 0
"""


@pytest.mark.parametrize(
    ("material", "why"),
    [
        ("", "empty text cannot be read"),
        ("hello\nworld", "begins with 'hello' cannot be read as POSCAR"),
        ("data_x\n_cell_length_a 4\n", "cannot be read as CIF"),
        ("3\nnothing\nFe 0 0 0\n", "cannot be read as extended XYZ"),
        ("1\nwater\nFe 0 0 0\n", "not periodic in three dimensions"),
        ("a title\n1\n0 2 2\n2 0 2\n2 2 0\n1\nDirect\n0 0 0\n", "does not name its elements"),
        (2 * '1\nLattice="3 0 0 0 3 0 0 0 3"\nFe 0 0 0\n', "it holds 2"),
        (DISORDERED.replace(" 0.5 0 0 0\nNi1 Ni 0.5", " 1 0 0 0\nNi1 Ni 1 0.5") * 2, "it holds 2"),
        (DISORDERED, r"not full \(Fe 0.5, Ni 0.5\)"),
        (Atoms("Fe"), "Fe is not periodic"),
        (Atoms(cell=[3, 3, 3], pbc=True), "holds no atom"),
        (Atoms("Fe2", [(0, 0, 0), (0, 0, 0.1)], cell=[3, 3, 3], pbc=True), "within 0.1 angstrom"),
        (Atoms("Fe", [(np.nan, 0, 0)], cell=[3, 3, 3], pbc=True), "not a number"),
        (Atoms("Am", cell=[3, 3, 3], pbc=True), "'Am' holds Am"),
        (Atoms("Ar", cell=[99, 99, 99], pbc=True), "without a neighbour within 50 angstrom"),
    ],
)
def test_what_is_no_crystal_is_refused_with_its_reason(material: Any, why: str) -> None:
    with pytest.raises(InputError, match=why):
        CRYSTAL.describe([material])


@pytest.mark.parametrize("options", [{"cutoff": 1.0}, {"cutoff": 40.0}, {"shells": 1}])
def test_functions_out_of_reach_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="cut-off is 3 to 12 angstrom"):
        Crystal(**options)
