"""Structures behind one capability: reference values, keys, and what is refused before it costs."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write
from structure_kinds import calculator

from orchestrator.capabilities.structures import StructureResult
from orchestrator.errors import CalculationFailed, ExecutionError, InputError
from orchestrator.plugins import capability, resource_kind
from orchestrator.ports.action import Ticket
from simulators.atomistic import structures
from simulators.atomistic.computing import SETTINGS, TASKS, run
from simulators.atomistic.contents import Contents
from simulators.atomistic.requests import Method, Request
from simulators.atomistic.structures import atoms_of, text_of

KINDS = ("emt-structures", "chgnet", "sevennet", "gfn", "pyscf", "espresso", "vasp")


def written(atoms: Any, form: str, folder: Path) -> str:
    path = folder / "structure"
    write(path, atoms, format=form)
    return path.read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_the_kinds_do_what_the_capability_says(kind: str) -> None:
    found = resource_kind(kind)
    assert found.implements == ("StructureCalculation",)
    for name, spec in capability("StructureCalculation").items():
        assert found.actions[name].results == spec.results
        assert found.actions[name].effect == spec.effect


def test_emt_has_the_copper_of_its_makers() -> None:
    found = run("equation_of_state", text_of(bulk("Cu")), "simulators.atomistic.methods:emt", {})
    assert (4 * found["volume"]) ** (1 / 3) == pytest.approx(3.590, abs=0.002)
    assert found["bulk_modulus"] == pytest.approx(134, abs=1)
    far = run(
        "equation_of_state", text_of(bulk("Cu", a=3.9)), "simulators.atomistic.methods:emt", {}
    )
    assert far["volume"] == pytest.approx(found["volume"], rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "kind", "measured"),
    [
        ("chgnet", "chgnet", {"Si": (5.471, 72), "Cu": (3.616, 143), "Al": (4.045, 56)}),
        ("sevenn", "sevennet", {"Si": (5.464, 94), "Cu": (3.612, 144), "Al": (4.037, 79)}),
    ],
)
def test_learned_potentials_have_the_elements_that_were_measured(
    tmp_path: Path, package: str, kind: str, measured: dict[str, tuple[float, float]]
) -> None:
    """Lattice constants in angstrom, to 0.01; bulk moduli in GPa, to 4."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"needs {package} (the extra 'potentials')")

    async def computed() -> dict[str, Any]:
        with calculator(tmp_path, kind) as resource:
            return {
                e: await resource.equation_of_state(structure=text_of(bulk(e)), ticket=Ticket(e))
                for e in measured
            }

    found = asyncio.run(computed())
    for element, (length, modulus) in measured.items():
        n = 8 if element == "Si" else 4
        assert (n * found[element].volume) ** (1 / 3) == pytest.approx(length, abs=0.01)
        assert found[element].bulk_modulus == pytest.approx(modulus, abs=4)


def test_a_molecule_relaxes_without_a_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where relaxations are logged
    stretched = Atoms("N2", [[0, 0, 0], [0, 0, 1.3]])
    found = run("relax", text_of(stretched), "simulators.atomistic.methods:emt", {})
    assert (found["volume"], found["pressure"], found["atoms"]) == (0.0, 0.0, 2)
    assert found["max_force"] < 0.01
    assert math.isfinite(found["seconds"])
    with pytest.raises(InputError, match="no crystal"):
        run("equation_of_state", text_of(stretched), "simulators.atomistic.methods:emt", {})


def method(**changes: Any) -> Method:
    return Method("emt", changes.get("settings", {}), changes.get("versions", {"ase": "3"}))


def test_the_key_is_of_the_atoms_and_not_of_the_text(tmp_path: Path) -> None:
    copper = bulk("Cu", cubic=True)
    key = Request("energy", text_of(copper), method(), {}).key()
    assert Request("energy", written(copper, "vasp", tmp_path), method(), {}).key() == key
    moved = copper.copy()
    moved.positions[0, 0] += 1e-7
    spun = copper.copy()
    spun.set_initial_magnetic_moments([1.0, 0.0, 0.0, 0.0])
    others = [
        Request("relax", text_of(copper), method(), {}),
        Request("energy", text_of(moved), method(), {}),
        Request("energy", text_of(spun), method(), {}),
        Request("energy", text_of(bulk("Cu")), method(), {}),
        Request("energy", text_of(copper), method(settings={"kpts": 4}), {}),
        Request("energy", text_of(copper), method(versions={"ase": "4"}), {}),
    ]
    assert len({key, *(other.key() for other in others)}) == len(others) + 1


CUBE = """data_cube
_cell_length_a 3.7
_cell_length_b 3.7
_cell_length_c 3.7
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_type_symbol
_atom_site_occupancy
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
{sites}
"""


SKEW = CUBE.replace("c 3.7", "c 4.7").replace("P 1", "{group}").replace("{sites}", "Cu 1 0 0 0")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ("not a structure", "cannot be read"),
        ("1\n\nXx 0 0 0\n", "cannot be read|does not exist"),
        ("2\n\nCu 0 0 0\nCu 0 0 0.5\n", "Cu and Cu only 0.50 angstrom apart"),
        ("0\n\n", "cannot be read|holds no atom"),
        (" \n", "the structure of an empty text cannot be read"),
        ("a title\n1\n0 2 2\n2 0 2\n2 2 0\n1\nDirect\n0 0 0\n", "it does not name its elements"),
        ('1\nLattice="3 0 0 0 3 0 0 0 3"\nCu nan 0 0\n', "a position that is not a number"),
        ('1\nLattice="3 0 0 0 3 0 0 0 inf"\nCu 0 0 0\n', "a position that is not a number"),
        (CUBE.format(sites="Cu 1 ? ? ?"), "cannot be read as cif: a position is no number"),
        (CUBE.format(sites="Cu 1 0 0 0\nAu 1 0 0 0"), "Cu and Au in one place"),
        (CUBE.format(sites="Cu 0.5 0 0 0\nAu 0.5 0 0 0"), r"not full \(Cu 0.5, Au 0.5\)"),
        (CUBE.format(sites="Cu 0.9 0 0 0"), r"a site that is not full \(Cu 0.9\)"),
        (
            '1\noccupancy="_JSON {\\"0\\": {\\"Cu\\": 0.5, \\"Au\\": 0.5}}"\nCu 0 0 0\n',
            r"not full \(Cu 0.5, Au 0.5\)",
        ),
        (SKEW.format(group="F m -3 m"), "a cell that its space group F m -3 m does not leave"),
        (CUBE.replace("P 1", "F d -3 m").format(sites="Cu 1 0 0 0"), "which origin or axes"),
        (2 * "1\n\nCu 0 0 0\n", "it holds 2 structures"),
        (2 * CUBE.format(sites="Cu 1 0 0 0"), "it holds 2 structures"),
        (CUBE.format(sites=100_000 * "Cu 1 0 0 0\n"), "lists 100000 sites, a CIF is .* 1000 at"),
    ],
)
def test_what_is_no_structure_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        atoms_of(text)
    assert "\n" not in str(caught.value)


def test_a_text_is_read_once_and_nobody_changes_what_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = CUBE.format(sites="Cu 1 0 0 0.125")
    first = atoms_of(text)
    monkeypatch.setattr(structures, "_read_by_ase", None)
    first.positions[:] = 1.0
    assert atoms_of(text).positions[0, 2] == pytest.approx(3.7 / 8)


def test_symmetry_operations_are_enough_without_the_name_of_a_group() -> None:
    symmetry = "loop_\n_space_group_symop_operation_xyz\nx,y,z\nx,y+1/2,z+1/2\nx+1/2,y,z+1/2"
    text = CUBE.replace("_symmetry_space_group_name_H-M 'P 1'", f"{symmetry}\nx+1/2,y+1/2,z")
    assert len(atoms_of(text.format(sites="Cu 1 0 0 0"))) == 4


async def asked(
    folder: Path, kind: str, action: str, text: str, name: str = "a", **options: Any
) -> Any:
    with calculator(folder, kind, name, **options) as resource:
        return await getattr(resource, action)(structure=text, ticket=Ticket("t1"))


def test_a_formation_energy_has_its_elements_computed_once(tmp_path: Path) -> None:
    alloy = Atoms(
        "CuPt3",
        scaled_positions=[(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)],
        cell=[3.8] * 3,
        pbc=True,
    )
    found = asyncio.run(asked(tmp_path, "emt-structures", "formation_energy", text_of(alloy)))
    assert found.reused == 0
    assert -0.3 < found.formation_energy < 0.0
    again = asyncio.run(asked(tmp_path, "emt-structures", "formation_energy", text_of(alloy), "b"))
    assert again.reused == 1
    assert again.formation_energy == found.formation_energy
    assert not list((tmp_path / "b").glob("*"))
    assert len(list((tmp_path / "results").glob("*/*.json"))) == 3
    pure = asyncio.run(asked(tmp_path, "emt-structures", "formation_energy", text_of(bulk("Cu"))))
    assert pure.formation_energy == pytest.approx(0.0, abs=1e-6)


def test_a_doubt_is_answered_by_the_whole_result_and_by_no_part(tmp_path: Path) -> None:
    async def doubted() -> None:
        with calculator(tmp_path, "emt-structures") as resource:
            copper = text_of(bulk("Cu"))
            found = await resource.relax(structure=copper, ticket=Ticket("t1"))
            verdict = await resource.ask(Ticket("t1"))
            assert verdict.outcome == "done"
            assert StructureResult(**verdict.results) == found
            await resource.formation_energy(structure=copper, ticket=Ticket("t2"))
            assert (await resource.ask(Ticket("t2"))).outcome == "not_done"

    asyncio.run(doubted())


def test_the_key_names_what_the_task_is_done_with() -> None:
    copper = text_of(bulk("Cu"))
    assert set(SETTINGS) == set(TASKS)
    loose = {**SETTINGS["relax"], "max_force": 0.05}
    keys = {Request("relax", copper, method(), s).key() for s in (SETTINGS["relax"], loose)}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "PBF"}, "'PBF' is no method and no functional"),
        ({"basis": "def2-svq"}, "'def2-svq' is no basis set"),
    ],
)
def test_a_method_that_does_not_exist_is_no_fault_of_the_structure(
    options: dict[str, str], said: str, tmp_path: Path
) -> None:
    pytest.importorskip("pyscf", reason="needs pyscf (the extra 'molecules')")
    with pytest.raises(ExecutionError, match=said) as caught:
        asyncio.run(asked(tmp_path, "pyscf", "energy", WATER, **options))
    assert not isinstance(caught.value, CalculationFailed)


def test_an_element_that_the_method_lacks_is_refused_before_it_costs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'Fe' is not an element of calc"):
        asyncio.run(asked(tmp_path, "emt-structures", "energy", text_of(bulk("Fe"))))
    assert not (tmp_path / "a").exists()


WATER = "3\n\nO 0 0 0.1173\nH 0 0.7572 -0.4692\nH 0 -0.7572 -0.4692\n"
HARTREE = 27.211386245988


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "basis", "energy"), [("HF", "cc-pvdz", -76.0268), ("CCSD(T)", "cc-pvdz", -76.2413)]
)
def test_water_has_the_energies_of_the_textbook(
    method: str, basis: str, energy: float, tmp_path: Path
) -> None:
    pytest.importorskip("pyscf", reason="needs pyscf (the extra 'molecules')")
    options = {"method": method, "basis": basis}
    found = asyncio.run(asked(tmp_path, "pyscf", "energy", WATER, **options))
    assert found.energy * 3 / HARTREE == pytest.approx(energy, abs=5e-4)
    assert (found.max_force == 0.0) == (method == "CCSD(T)")


def test_a_single_point_may_go_without_forces(tmp_path: Path) -> None:
    pytest.importorskip("pyscf", reason="needs pyscf (the extra 'molecules')")
    options: dict[str, Any] = {"basis": "sto-3g", "forces": False, "grid": 1}
    found = asyncio.run(asked(tmp_path, "pyscf", "energy", WATER, **options))
    assert found.max_force == 0.0
    with pytest.raises(InputError, match="computes no forces, relax needs them"):
        asyncio.run(asked(tmp_path, "pyscf", "relax", WATER, "b", **options))
    grid = resource_kind("pyscf").options["grid"]
    assert (grid.low, grid.high) == (0, 9)


def test_forces_after_an_energy_do_not_converge_the_electrons_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("pyscf", reason="needs pyscf (the extra 'molecules')")
    from simulators.atomistic.quantum import PySCF

    atoms = atoms_of(WATER)
    atoms.calc = PySCF("HF", "sto-3g")
    made: list[Any] = []
    converge = atoms.calc._wave

    def counted(molecule: Any) -> Any:
        made.append(molecule)
        return converge(molecule)

    monkeypatch.setattr(atoms.calc, "_wave", counted)
    atoms.get_potential_energy()
    before = atoms.get_forces().copy()
    assert len(made) == 1
    atoms.positions[0, 2] += 0.05
    assert abs(atoms.get_forces() - before).max() > 0.1
    assert len(made) == 2

    def failing(molecule: Any) -> Any:
        raise RuntimeError("HF did not converge")

    monkeypatch.setattr(atoms.calc, "_wave", failing)
    atoms.positions[0, 2] += 0.05
    for _ in range(2):  # the energy of the structure before it is not given for this one
        with pytest.raises(RuntimeError, match="did not converge"):
            atoms.get_potential_energy()


@pytest.mark.slow
def test_water_relaxes_by_tight_binding_and_by_a_functional(tmp_path: Path) -> None:
    pytest.importorskip("tblite", reason="needs tblite (the extra 'molecules')")
    pytest.importorskip("pyscf", reason="needs pyscf (the extra 'molecules')")
    for kind, options, length in (("gfn", {}, 0.959), ("pyscf", {"basis": "def2-svp"}, 0.975)):
        found = asyncio.run(asked(tmp_path, kind, "relax", WATER, kind, **options))
        assert atoms_of(found.structure).get_distance(0, 1) == pytest.approx(length, abs=0.01)
    energy = asyncio.run(asked(tmp_path, "gfn", "relax", WATER, "again"))
    assert energy.reused == 1
    assert energy.energy * 3 / HARTREE == pytest.approx(-5.0705, abs=2e-4)


def test_a_crystal_is_refused_where_only_molecules_are_computed(tmp_path: Path) -> None:
    pytest.importorskip("pyscf", reason="needs pyscf (the extra 'molecules')")
    with pytest.raises(InputError, match="computes molecules, Cu has a cell"):
        asyncio.run(asked(tmp_path, "pyscf", "energy", text_of(bulk("Cu"))))


COPPER = ("Cu", "1.0", "3.6 0 0", "0 3.6 0", "0 0 3.6", "Cu", "1", "Direct", "0 0 0")


def lines(*more: str, changed: Mapping[int, str] | None = None) -> str:
    """A POSCAR of copper, with other lines in places of its own."""
    said = [(changed or {}).get(k, line) for k, line in enumerate(COPPER)]
    return "".join(f"{line}\n" for line in (*said, *more))


@pytest.mark.parametrize("count", ["1", "1 ! of the cell"])
@pytest.mark.parametrize("second", ["0.5 0.5 0.0", "0.5 0.5 0.0 Cu"])
def test_a_poscar_with_more_places_than_atoms_is_refused(count: str, second: str) -> None:
    """ASE leaves them away, and a crystal of half the atoms was computed."""
    with pytest.raises(InputError, match="lists more places than the 1 of its line"):
        atoms_of(lines(second, changed={6: count}))
    selective = lines(f"{second} T T T", changed={7: "Selective dynamics\nDirect"})
    with pytest.raises(InputError, match="lists more places"):
        atoms_of(selective)
    assert len(atoms_of(lines("", "0.1 0.2 0.3"))) == 1, "velocities"
    assert len(atoms_of(lines("", second, changed={6: count}))) == 1
    assert len(atoms_of(lines(second, changed={6: "2"}))) == 2


def test_a_cell_without_a_volume_is_refused_in_words() -> None:
    flat = text_of(Atoms("Cu2", [[0, 0, 0], [0, 0, 2.5]], cell=[[2, 0, 0], [4, 0, 0], [0, 0, 5]]))
    for text in (
        flat.replace('"F F F"', '"T T T"'),
        flat.replace('"F F F"', '"T T F"'),
        lines(changed={1: "0.0"}),
        text_of(Atoms("Cu", pbc=True)),
        text_of(Atoms("Cu", cell=[3, 0, 3], pbc=[True, True, False])),
    ):
        with pytest.raises(InputError, match="a cell without a volume"):
            atoms_of(text)
    assert atoms_of(text_of(Atoms("Cu", cell=[3, 0, 0], pbc=[True, False, False]))).pbc.any()


def test_a_skew_cell_is_the_crystal_that_it_is() -> None:
    copper = bulk("Cu")
    skew = Atoms("Cu", cell=[[1, 0, 0], [40, 1, 0], [30, 0, 1]] @ copper.cell.array, pbc=True)
    assert len(atoms_of(text_of(skew))) == 1
    with pytest.raises(InputError, match=r"only 0\.0. angstrom apart"):
        atoms_of(text_of(Atoms("Cu", cell=[[3, 0, 0], [2.9999, 0.01, 0], [0, 0, 3]], pbc=True)))


def test_a_charge_of_the_whole_that_nobody_would_read_is_refused() -> None:
    water = Atoms("OH2", [[0, 0, 0.12], [0, 0.76, -0.48], [0, -0.76, -0.48]])
    water.info["charge"] = 2
    with pytest.raises(InputError, match="charge=2, and the charges of its atoms sum up to 0"):
        atoms_of(text_of(water))
    water.set_initial_charges([2, 0, 0])
    assert atoms_of(text_of(water)).get_initial_charges().sum() == 2
    water.info["charge"] = 0.0
    with pytest.raises(InputError, match="charge=0"):
        atoms_of(text_of(water))
    oxygen = Atoms("O2", [[0, 0, 0], [0, 0, 1.2]], info={"multiplicity": 3})
    with pytest.raises(
        InputError, match="multiplicity=3, and the moments of its atoms sum up to 0"
    ):
        atoms_of(text_of(oxygen))
    oxygen.set_initial_magnetic_moments([1, 1])
    assert atoms_of(text_of(oxygen)).get_initial_magnetic_moments().sum() == 2
    oxygen.info = {"charge": "unknown", "multiplicity": True}
    assert len(atoms_of(text_of(oxygen))) == 2


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ("total_charge=-1", "total_charge=-1, and the charges of its atoms sum up to 0"),
        ("charge=0 spin=3", "spin=3, and the moments of its atoms sum up to 0"),
        ("9 2", r"'9 2' \(charge and multiplicity\) in its second line, and the charges"),
        ("-2 1", r"'-2 1' \(charge and multiplicity\) in its second line, and the charges"),
        ("0 3", r"'0 3' \(charge and multiplicity\) in its second line, and the moments"),
        (
            "Properties=species:S:1:pos:R:3:spin:R:1",
            "a column 'spin', which no calculation starts from",
        ),
    ],
)
def test_a_charge_or_spin_in_other_peoples_words_is_not_passed_over(second: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        atoms_of(f"2\n{second}\nO 0 0 0 1\nO 0 0 1.2 1\n")


@pytest.mark.parametrize(
    "second", ["0 1", "0 0", "3 0", "charge=0 spin=1", "spin=0", "7 100", "12 3", "frame 3 of 4"]
)
def test_what_agrees_with_the_atoms_or_is_no_charge_is_accepted(second: str) -> None:
    assert len(atoms_of(f"2\n{second}\nN 0 0 0\nN 0 0 1.1\n")) == 2


@pytest.mark.parametrize("spin", [1, 2, 3])
def test_a_spin_may_be_its_quantum_number_the_unpaired_electrons_or_the_multiplicity(
    spin: int,
) -> None:
    columns = "Properties=species:S:1:pos:R:3:initial_magmoms:R:1"
    text = f"2\n{columns} spin={spin}\nO 0 0 0 1\nO 0 0 1.2 1\n"
    assert atoms_of(text).get_initial_magnetic_moments().sum() == 2.0


@pytest.mark.parametrize(
    "cell", [[[9, 0, 0], [9, 0, 0], [0, 0, 0]], [[9, 0, 0], [0, 9, 0], [9, 9, 0]]]
)
def test_vectors_that_span_nothing_are_no_cell_of_a_molecule(cell: list[list[float]]) -> None:
    nitrogen = Atoms("N2", [[0, 0, 0], [0, 0, 1.1]], cell=cell)
    text = text_of(nitrogen)
    assert atoms_of(text).cell.rank == 0
    assert Contents.of(atoms_of(text)).boxed == pytest.approx(12 * 12 * 13.1)
    nitrogen.pbc = True
    with pytest.raises(InputError, match="has a cell without a volume"):
        atoms_of(text_of(nitrogen))


def test_the_only_atom_of_a_cif_wants_a_loop() -> None:
    words = ("label Fe1", "fract_x 0", "fract_y 0", "fract_z 0")
    one = "\n".join(f"_atom_site_{word}" for word in words)
    cell = CUBE.partition("loop_")[0]
    with pytest.raises(InputError, match="as cif: it does not name its atoms in a `loop_`"):
        atoms_of(f"{cell}{one}\n")


def test_moments_with_a_direction_are_refused() -> None:
    iron = bulk("Fe")
    iron.set_initial_magnetic_moments(None)
    iron.set_initial_magnetic_moments([[0, 0, 2.2]])
    with pytest.raises(InputError, match="moments with a direction, which no method here computes"):
        atoms_of(text_of(iron))


def test_a_mark_of_the_order_of_bytes_is_no_part_of_a_structure(tmp_path: Path) -> None:
    for form in ("cif", "vasp", "extxyz"):
        text = written(bulk("Cu"), form, tmp_path)
        assert atoms_of("\ufeff" + text) == atoms_of(text)


def test_a_charge_that_a_method_knows_nothing_of_is_refused(tmp_path: Path) -> None:
    """It was computed as if it were neutral."""
    ion, dipole = bulk("NiAu", "rocksalt", 4.2), bulk("NiAu", "rocksalt", 4.2)
    ion.set_initial_charges([1, 0])
    dipole.set_initial_charges([1, -0.99])
    with calculator(tmp_path, "emt-structures") as emt:
        emt.check("energy", {"structure": text_of(dipole)})
        with pytest.raises(
            InputError, match=r"has a charge of \+1, 'calc' computes what is neutral"
        ):
            emt.check("energy", {"structure": text_of(ion)})
        with pytest.raises(InputError, match=r"has a charge of \+1"):
            asyncio.run(emt.relax(text_of(ion), Ticket("t")))
    with calculator(tmp_path, "gfn") as gfn:
        gfn.check("energy", {"structure": text_of(ion)})


def astray(atoms: Any) -> Any:
    """A calculator whose energies are no numbers, as a potential's far from all that it learned."""
    from ase.calculators.singlepoint import SinglePointCalculator

    none = [[0.0, 0.0, math.nan]] * len(atoms)
    return SinglePointCalculator(atoms, energy=math.nan, forces=none, stress=[math.nan] * 6)


def test_a_result_that_is_no_number_is_a_failure_and_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="energy and pressure came out as no finite"):
        run("energy", text_of(bulk("Cu")), f"{__name__}:astray", {})
    with calculator(tmp_path, "emt-structures") as emt:
        found = asyncio.run(emt.energy(text_of(bulk("Cu")), Ticket("a")))
    (kept,) = (tmp_path / "results").glob("*/*.json")
    said = json.loads(kept.read_text())  # as earlier versions have kept it
    said = {"request": said["request"], "result": {**said["result"], "energy": math.nan}}
    kept.write_text(json.dumps(said))
    with calculator(tmp_path, "emt-structures") as emt:
        again = asyncio.run(emt.energy(text_of(bulk("Cu")), Ticket("b")))
    assert (again.energy, again.reused) == (found.energy, 0)
    with calculator(tmp_path, "emt-structures") as emt:
        assert asyncio.run(emt.energy(text_of(bulk("Cu")), Ticket("c"))).reused == 1


@pytest.mark.parametrize(
    ("cell", "place"),
    [(("3 0 0", "0 3 0", "0 0 9"), "0.5 0.5"), (("3 0 0", "-1.5 2.598 0", "0 0 9"), "0.333 0.667")],
)
def test_what_a_poscar_holds_in_some_directions_is_held_in_the_next_step_too(
    cell: tuple[str, str, str], place: str, tmp_path: Path
) -> None:
    """An extended XYZ has no word for vectors of the cell, and all atoms could move."""
    places = ("Selective dynamics", "Direct", "0 0 0 F F F", f"{place} 0.27 F F T")
    text = "\n".join(("Cu", "1.0", *cell, "Cu", "2", *places)) + "\n"
    with calculator(tmp_path, "emt-structures") as emt:
        rested = asyncio.run(emt.relax(text, Ticket("a"))).structure
    first, then = atoms_of(text), atoms_of(rested)
    held = np.zeros((2, 3), bool)
    for each in then.constraints:
        held[each.index] |= np.asarray(getattr(each, "mask", True), bool)
    assert held.tolist() == [[True] * 3, [True, True, False]]
    moved = then.get_scaled_positions() - first.get_scaled_positions()
    assert np.allclose(moved[:, :2], 0, atol=1e-4)
