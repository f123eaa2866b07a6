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
from orchestrator.materials.descriptors.cell import _first_origins, primitive
from orchestrator.materials.descriptors.composition import Composition
from orchestrator.materials.descriptors.crystal import Crystal
from orchestrator.materials.descriptors.structure_text import crystal_of
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


SHAPES = {
    "cubic": np.eye(3),
    "hexagonal": np.array([[1, 0, 0], [-0.5, 0.75**0.5, 0], [0, 0, 1]]),
    "face-centred": np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2**0.5,
    "body-centred": np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / 3**0.5,
}
OTHER_CELLS = ([[1, 1, 0], [0, 1, 0], [0, 1, 1]], [[0, 1, 0], [0, 0, 1], [1, 0, 0]])


@example("cubic", 43)  # vectors of nearly one length, of which either may be the first
@example("hexagonal", 73)
@given(st.sampled_from(sorted(SHAPES)), st.integers(0, 2**31 - 1))
@settings(deadline=None, max_examples=10)
def test_a_cell_that_is_nearly_symmetric_has_one_text_in_all_its_settings(
    shape: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    strained = 4 * SHAPES[shape] + rng.normal(size=(3, 3)) * 10 ** rng.uniform(-5, -2.2)
    n = int(rng.integers(1, 5))
    fractions = rng.random((n, 3))
    odd = Atoms(["Fe", "O", "Ti", "O"][:n], scaled_positions=fractions, cell=strained, pbc=True)
    text = CRYSTAL.canonical(odd)
    assert CRYSTAL.canonical(text) == text
    for change in OTHER_CELLS:
        assert CRYSTAL.canonical(make_supercell(crystal_of(text), change)) == text


def test_of_a_large_cell_few_origins_are_looked_at_one_by_one() -> None:
    large = bulk("Cu", cubic=True) * (4, 4, 4)
    large.rattle(0.05, seed=1)
    basis, places, numbers = primitive(large)
    assert len(_first_origins([places @ np.linalg.inv(basis)], numbers)) == 1
    moved = large[np.random.default_rng(1).permutation(len(large))]
    moved.translate([0.1, 0.2, 0.3])
    assert CRYSTAL.canonical(moved) == CRYSTAL.canonical(large)


def test_right_angles_and_those_of_a_hexagon_stay_exact() -> None:
    for atoms in (bulk("Cu", "fcc", 3.6151), bulk("Mg", "hcp", 3.2093, 5.2103), RUTILE):
        sides = crystal_of(CRYSTAL.canonical(atoms)).cell.cellpar()
        known = Atoms(atoms, cell=atoms.cell.minkowski_reduce()[0]).cell.cellpar()
        np.testing.assert_allclose(sorted(sides[:3]), sorted(known[:3]), atol=2e-5, rtol=0)
        np.testing.assert_allclose((sides[3:] + 15) % 30, 15, atol=1e-5)


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
        ("1\nwater\nFe 0 0 0\n", "without a neighbour within 50 angstrom"),
        ("a title\n1\n0 2 2\n2 0 2\n2 2 0\n1\nDirect\n0 0 0\n", "does not name its elements"),
        (2 * '1\nLattice="3 0 0 0 3 0 0 0 3"\nFe 0 0 0\n', "it holds 2"),
        (DISORDERED.replace(" 0.5 0 0 0\nNi1 Ni 0.5", " 1 0 0 0\nNi1 Ni 1 0.5") * 2, "it holds 2"),
        (DISORDERED, r"not full \(Fe 0.5, Ni 0.5\)"),
        (
            DISORDERED + 2000 * "Fe1 Fe 1 0 0 0\n",
            "lists 2002 sites, a CIF is read with 1000 at most",
        ),
        (Atoms("Fe"), "Fe has an atom without a neighbour within 50 angstrom"),
        (Atoms("Fe", cell=[0, 3, 3], pbc=True), "Fe is not periodic in three dimensions"),
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


def _cif(
    cell: str, symmetry: str, *sites: str, headings: str = "label fract_x fract_y fract_z"
) -> str:
    """A CIF of sites, one row each."""
    names = [f"length_{axis}" for axis in "abc"] + [
        f"angle_{a}" for a in ("alpha", "beta", "gamma")
    ]
    lines = [f"_cell_{name} {n}" for name, n in zip(names, cell.split(), strict=True)]
    columns = [f"_atom_site_{heading}" for heading in headings.split()]
    return "\n".join(["data_x", *lines, symmetry, "loop_", *columns, *sites, ""])


CUBIC = "5.43 5.43 5.43 90 90 90"
HEXAGONAL = "3.0 3.0 15.0 90 90 120"
NO_ORIGIN = "_symmetry_space_group_name_H-M 'F d -3 m'"
TRIGONAL = "_symmetry_space_group_name_H-M 'R -3 m'\n_symmetry_cell_setting trigonal"
OPERATIONS = (
    "loop_\n_symmetry_equiv_pos_site_id\n_symmetry_equiv_pos_as_xyz\n1 x, y, z\n2 -x, -y, -z"
)
CENTRED = (
    "loop_\n_space_group_symop_operation_xyz\nx,y,z\nx,y+1/2,z+1/2\nx+1/2,y,z+1/2\nx+1/2,y+1/2,z"
)
HALL = "_space_group_name_Hall '-F 4 2 3'"
ROCK_SALT = ("Na 0 0 0", "Cl 0.5 0.5 0.5")
MOMENTS = """
loop_
_atom_site_moment.label
_atom_site_moment.crystalaxis_x
_atom_site_moment.symmform
Na {} mx,my,0
"""
TURNED = "loop_\n_space_group_symop_magn_operation.xyz\nx,y,z,+1\n-x,y,z,-1"
FORMULA = "_chemical_formula_sum 'Na4 Cl4'"
ONE_ATOM = _cif(CUBIC, "", "Si 0 0 0")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            _cif(CUBIC, "", "Ti1 0 0 0", "O 1 0.5 0.5 0"),
            r"row of 5 words under 4 headings \('O 1 0",
        ),
        (_cif(CUBIC, OPERATIONS, "Si 0.1 0.1 0.1"), "row of 4 words under 2 headings"),
        (ONE_ATOM + ONE_ATOM.replace("Si", "Ge"), "it holds 2 structures"),
        (_cif(CUBIC, "", "Ba 0 0 0", "Sr 0 0 1.0", "O 0.5 0.5 0"), "has Ba and Sr in one place"),
        (_cif(CUBIC, HALL, "Na 0 0 0", "Cl 0.5 0.5 0.5"), "the Hall symbol '-F 4 2 3' alone"),
        (
            _cif(CUBIC, "_chemical_formula_sum 'Na4 Cl3'", *ROCK_SALT),
            "'Na4 Cl3', and its atoms are",
        ),
        (_cif(CUBIC, "_chemical_formula_sum 'C4 H2'", "C 0 0 0"), "'C4 H2', and its atoms are C"),
        (_cif(CUBIC, f"{FORMULA}\n_cell_formula_units_Z 4", *ROCK_SALT), "has 4 of 'Na4 Cl4'"),
        (_cif(CUBIC, "", "D1 0 0 0", "O1 0.5 0.5 0.5"), "has D, an isotope of hydrogen"),
        (
            _cif(CUBIC, "", "NA1+ 0 0 0", headings="type_symbol fract_x fract_y fract_z"),
            r"the type symbol 'NA1\+', which a reader takes for N",
        ),
        (
            _cif(CUBIC, "", "'NA' 0 0 0", headings="type_symbol fract_x fract_y fract_z"),
            r"the type symbol 'NA', which a reader takes for N",
        ),
        (_cif(CUBIC, CENTRED, "Na1 0 0 0", "O1 ? ? ?"), "as CIF: a position is no number"),
        (
            _cif(CUBIC, "", "CA1 0 0 0", "O1 0.5 0.5 0.5"),
            r"the label 'CA1', which a reader takes for C",
        ),
        (_cif(CUBIC, "", *ROCK_SALT) + MOMENTS.format("1.9(1)"), "is a magnetic one"),
        (_cif(CUBIC, TURNED, *ROCK_SALT), "is a magnetic one"),
        (
            _cif(CUBIC, "", *ROCK_SALT) + MOMENTS.format("1.9").replace("_x", "_x # along a"),
            "is a magnetic one",
        ),
        (ONE_ATOM + "_atom_site_moment.crystalaxis_z -2.2(1)\n", "is a magnetic one"),
        (ONE_ATOM + "_atom_site_moment_crystalaxis_z\n2.2\n", "is a magnetic one"),
        (_cif(CUBIC, NO_ORIGIN, "Si 0.125 0.125 0.125"), "which origin or axes"),
        (_cif(HEXAGONAL, TRIGONAL, "Li 0 0 0.5", "Co 0 0 0"), "does not leave as it is"),
        (
            _cif(CUBIC, CENTRED.replace("x,y+1/2,z+1/2", "foo"), "Cu 0 0 0"),
            "operation that is none",
        ),
        (_cif("4 5 6 90 90 90", CENTRED + "\ny,x,z", "Cu 0 0 0"), "its symmetry operations do not"),
        (
            _cif(CUBIC.replace("90", "80", 1), "_symmetry_Int_Tables_number 225", "Na 0 0 0"),
            "as it is",
        ),
    ],
)
def test_a_cif_that_a_reader_would_settle_by_itself_is_refused(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        CRYSTAL.canonical(text)


def test_a_cif_whose_moments_are_all_zero_is_read() -> None:
    salt = _cif(CUBIC, "", *ROCK_SALT)
    assert CRYSTAL.canonical(salt + MOMENTS.format("0.0")) == CRYSTAL.canonical(salt)
    single = "_atom_site_moment.label Na1\n_atom_site_moment.crystalaxis_z 0\n"
    assert CRYSTAL.canonical(ONE_ATOM + single) == CRYSTAL.canonical(ONE_ATOM)


def test_a_label_in_capitals_is_read_where_a_type_symbol_or_a_formula_tells() -> None:
    headings = "label type_symbol fract_x fract_y fract_z"
    lime = _cif(CUBIC, "", "CA1 Ca 0 0 0", "O1 O 0.5 0.5 0.5", headings=headings)
    assert "Ca" in CRYSTAL.canonical(lime)
    said = "_chemical_formula_sum 'C O'"
    assert "Ca" not in CRYSTAL.canonical(_cif(CUBIC, said, "CA1 0 0 0", "O1 0.5 0.5 0.5"))


@pytest.mark.parametrize(
    "name", ["", "_space_group_IT_number ?\n", "_space_group_name_H-M_alt 'odd'\n"]
)
def test_symmetry_operations_are_enough_without_the_name_of_a_group(name: str) -> None:
    copper = CRYSTAL.canonical(bulk("Cu", "fcc", 5.43))
    assert CRYSTAL.canonical(_cif(CUBIC, name + CENTRED, "Cu 0 0 0")) == copper


@pytest.mark.parametrize(
    "said",
    [
        "_chemical_formula_sum ?\n_symmetry_space_group_name_Hall 'P 1'",
        "_chemical_formula_sum 'Na1.01 Cl'\n_cell_formula_units_Z 1",
        "_chemical_formula_sum\n'Na Cl'\n_cell_formula_units_Z ?",
        "_chemical_formula_sum 'Na0.5 Cl0.5'\n_cell_formula_units_Z 2",
        FORMULA,
    ],
)
def test_a_cif_whose_formula_is_that_of_its_atoms_is_read(said: str) -> None:
    plain = CRYSTAL.canonical(_cif(CUBIC, "", *ROCK_SALT))
    assert CRYSTAL.canonical(_cif(CUBIC, said, *ROCK_SALT)) == plain
    whole = _cif(CUBIC, f"{HALL}\n_space_group_IT_number 225\n{FORMULA}", *ROCK_SALT)
    assert CRYSTAL.describe([whole]).shape[0] == 1
    of_cell = f"_space_group_IT_number 225\n{FORMULA}\n_cell_formula_units_Z 4"  # as pymatgen does
    assert CRYSTAL.canonical(_cif(CUBIC, of_cell, *ROCK_SALT)) == CRYSTAL.canonical(whole)


def test_a_cif_that_says_all_is_read_whatever_stands_beside() -> None:
    plain = CRYSTAL.canonical(bulk("Si", "diamond", 5.43))
    second = f"{NO_ORIGIN}\n_symmetry_space_group_setting 2"
    assert CRYSTAL.canonical(_cif(CUBIC, second, "Si 0.125 0.125 0.125")) == plain
    text = _text(bulk("Si", "diamond", 5.43), "cif")
    authors = "data_global\nloop_\n_publ_author_name\n'A. Smith'\n\n"
    bonds = "\nloop_\n_geom_bond_atom_site_label_1\n_geom_bond_distance\nSi1 2.35 2.35\n"
    assert CRYSTAL.canonical(authors + text + bonds) == plain
    headings = "label occupancy fract_x fract_y fract_z"
    full = _cif(CUBIC, "", "Si . 0 0 0", "C 1.0(1) 0.25 0.25", "0.25", headings=headings)
    assert "Si" in CRYSTAL.canonical(full)
    monoclinic = _cif("5.1 5.2 5.3 90 99 90", "_symmetry_Int_Tables_number 14", "Zr 0.2 0.1 0.3")
    assert CRYSTAL.canonical(monoclinic).startswith("4\n")


def test_a_comment_behind_a_heading_is_no_word() -> None:
    remarked = CENTRED.replace("xyz\n", "xyz #<--must include 'x,y,z'\n", 1)
    copper = CRYSTAL.canonical(bulk("Cu", "fcc", 5.43))
    assert CRYSTAL.canonical(_cif(CUBIC, remarked, "Cu 0 0 0")) == copper
    measured = _cif(CUBIC, CENTRED, "Cu 0 0 0").replace("length_a 5.43", "length_a 5.43 # measured")
    assert "measured" in measured
    assert CRYSTAL.canonical(measured) == copper


def test_a_cell_in_other_units_is_refused() -> None:
    with pytest.raises(InputError, match=r"repeats itself within 0.2 angstrom"):
        CRYSTAL.canonical(Atoms("Cu", cell=[0.2, 0.2, 0.2], pbc=True))


@pytest.mark.parametrize("options", [{"cutoff": 1.0}, {"cutoff": 40.0}, {"shells": 1}])
def test_functions_out_of_reach_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="cut-off is 3 to 12 angstrom"):
        Crystal(**options)


def test_a_very_skew_cell_is_described_as_the_crystal_that_it_is() -> None:
    """As it is written it has millions of images within the cutoff."""
    copper = bulk("Cu")
    skew = copper.copy()
    skew.set_cell([[1, 0, 0], [400, 1, 0], [300, 500, 1]] @ copper.cell.array)
    assert np.allclose(CRYSTAL.describe([skew]), CRYSTAL.describe([copper]), rtol=1e-6, atol=1e-6)
    assert CRYSTAL.canonical(skew) == CRYSTAL.canonical(copper)
    thin = Atoms("Cu", cell=[[3, 0, 0], [2.9999, 0.01, 0], [0, 0, 3]], pbc=True)
    with pytest.raises(InputError, match=r"two atoms within 0\.01 angstrom"):
        CRYSTAL.describe([thin])


def test_a_poscar_with_more_places_than_atoms_is_no_crystal() -> None:
    text = _text(bulk("Cu"), "vasp").rstrip("\n")
    assert len(crystal_of(f"{text}\n")) == 1
    with pytest.raises(InputError, match="lists more places than the 1 of its line"):
        crystal_of(f"{text}\n 0.5 0.5 0.5\n")


@pytest.mark.parametrize("scale", ["1", "1.0", " 1 "])
def test_a_poscar_without_a_comment_is_one(scale: str) -> None:
    vectors = "5.43 0 0\n0 5.43 0\n0 0 5.43\n"
    silicon = crystal_of(f"\n{scale}\n{vectors}Si\n1\nDirect\n0 0 0\n")
    assert silicon.get_chemical_formula() == "Si"
    assert silicon.get_volume() == pytest.approx(5.43**3)
    one = 'Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3'
    assert len(crystal_of(f"\n1\n{one}\nCu 0 0 0\n")) == 1


def test_molecules_wires_and_layers_are_described_by_what_their_atoms_see() -> None:
    water = Atoms("OH2", [(0, 0, 0.119), (0, 0.763, -0.477), (0, -0.763, -0.477)])
    chain = Atoms("Au2", [(0, 0, 0), (0, 0, 2.6)], cell=[0, 0, 5.2], pbc=(False, False, True))
    layer = Atoms("C2", cell=[2.46, 2.46, 9, 90, 90, 120], pbc=(True, True, False))
    layer.set_scaled_positions([[0, 0, 0], [1 / 3, 2 / 3, 0]])
    boxed = [each.copy() for each in (water, chain, layer)]
    for each in boxed:
        each.center(vacuum=12.0, axis=[int(i) for i in np.flatnonzero(~each.pbc)])
        each.pbc = True
    free, inside = (CRYSTAL.describe(each) for each in ([water, chain, layer], boxed))
    sizes = [CRYSTAL.names.index(name) for name in ("density", "volume per atom")]
    same = np.delete(np.arange(free.shape[1]), sizes)
    assert free[:, same] == pytest.approx(inside[:, same], nan_ok=True)
    nearest = CRYSTAL.names.index("nearest neighbour:least")
    assert free[:, nearest] == pytest.approx([0.969, 2.6, 1.42], abs=0.002)
    assert CRYSTAL.first_of_each([water, layer, layer.copy(), chain], free[[0, 2, 2, 1]]) == [
        *(0, 1, 1, 3)
    ]
    assert not any(water.pbc), "what was given stays as it is"
