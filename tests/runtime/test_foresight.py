"""What a lab's resources could not compute of a pool is told before anything is spent."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write

from orchestrator.errors import FileProblems, InputError
from orchestrator.runtime.load import campaign_path, load
from orchestrator.runtime.result_units import result_units
from simulators.atomistic import contents

needs_pw = pytest.mark.skipif(
    shutil.which("pw.x") is None or not Path("/usr/share/espresso/pseudo").is_dir(),
    reason="needs pw.x (Debian's packages quantum-espresso and quantum-espresso-data)",
)
CAMPAIGN = """\
name: metals
space: {crystal: {pool: metals.extxyz}}
roles: {calculator: StructureCalculation}
recipe: [{form: {do: calculator.formation_energy, structure: =crystal.structure}}]
metrics: {stability: {value: =form.formation_energy, unit: eV}}
objective: {minimise: stability}
budget: {trials: 3}
"""
LAB = "lab: here\nresources: {method: {kind: emt-structures}}\nroles: {calculator: method}\n"


def checked(folder: Path, *atoms: Atoms) -> tuple[str, ...]:
    write(folder / "metals.extxyz", list(atoms))
    (folder / "campaign.yaml").write_text(CAMPAIGN)
    (folder / "lab.yaml").write_text(LAB)
    pool = load(folder / "campaign.yaml").campaign.space["crystal"]
    return pool.names  # type: ignore[union-attr]


def test_a_pool_that_can_be_computed_is_accepted(tmp_path: Path) -> None:
    assert checked(tmp_path, bulk("Cu"), bulk("Pt")) == ("metals-1", "metals-2")


def test_unknown_elements_and_overlapping_atoms_are_told_together(tmp_path: Path) -> None:
    near = Atoms("Cu2", [[0, 0, 0], [0, 0, 0.5]], cell=[4] * 3, pbc=True)
    with pytest.raises(FileProblems) as caught:
        checked(tmp_path, bulk("Cu"), bulk("Fe"), near)
    said = [str(problem) for problem in caught.value.problems]
    assert len(said) == 2
    assert "candidate 'metals-2': 'Fe' is not an element of method" in said[0]
    assert "candidate 'metals-3': Cu2 has Cu and Cu only 0.50 angstrom apart" in said[1]


def test_a_method_without_forces_is_told_before_anything_relaxes(tmp_path: Path) -> None:
    pytest.importorskip("pyscf", reason="needs pyscf (the extra 'molecules')")
    write(tmp_path / "metals.extxyz", [bulk("Cu")])
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    bare = LAB.replace("kind: emt-structures", "kind: pyscf, forces: false")
    (tmp_path / "lab.yaml").write_text(bare)
    with pytest.raises(FileProblems) as caught:
        load(tmp_path / "campaign.yaml")
    (problem,) = caught.value.problems
    assert "'method' computes no forces, formation_energy needs them" in str(problem)
    assert problem.line == 4


@pytest.mark.parametrize("is_locked", [False, True])
def test_results_that_could_not_be_kept_are_told_at_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_locked: bool
) -> None:
    place = tmp_path / "place"
    if is_locked:
        place.mkdir(mode=0o500)
        if os.access(place, os.W_OK):
            pytest.skip("root may write anywhere")
    else:
        place.write_text("a file in its place")
    monkeypatch.setenv("HAGANE_DATA", str(place / "data"))
    why = "cannot be written to" if is_locked else "is no folder"
    with pytest.raises(InputError, match=rf"cannot be kept in the data directory .*{why}"):
        checked(tmp_path, bulk("Cu"))
    assert not (place / "data").exists()


def test_results_of_another_format_are_told_at_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path))
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "format").write_text("2\n")
    with pytest.raises(InputError, match="are kept in format 2, this version reads format 1"):
        checked(tmp_path, bulk("Cu"))


@needs_pw
def test_a_command_that_is_not_pw_x_is_told_by_the_check(tmp_path: Path) -> None:
    write(tmp_path / "metals.extxyz", [bulk("Cu")])
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    other = LAB.replace("kind: emt-structures", "kind: espresso, ecutwfc: 20 Ry, command: ls")
    (tmp_path / "lab.yaml").write_text(other)
    with pytest.raises(FileProblems) as caught:
        load(tmp_path / "campaign.yaml")
    (problem,) = caught.value.problems
    assert "ls is not pw.x: it says no version" in str(problem)


def test_a_pool_is_read_once_for_all_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copper = [bulk("Cu", a=3.2 + 0.02 * i) for i in range(contents.LEAST)]
    names = checked(tmp_path, *copper)
    monkeypatch.setattr(contents, "atoms_of", lambda text: pytest.fail(f"it reads {text}"))
    assert checked(tmp_path, *copper) == names


def test_of_many_that_cannot_be_computed_the_first_are_named(tmp_path: Path) -> None:
    iron = [bulk("Fe", a=2.6 + 0.1 * i) for i in range(30)]
    with pytest.raises(FileProblems, match="5 more candidates cannot be computed"):
        checked(tmp_path, *iron)


def test_a_candidate_is_named_once_whatever_many_rungs_cannot_compute_it(tmp_path: Path) -> None:
    ladder = (
        CAMPAIGN.replace(
            "space: {crystal: {pool: metals.extxyz}}",
            "space: {crystal: {pool: metals.extxyz}, rung: {fidelity: [rough, exact]}}",
        )
        .replace(
            "{calculator: StructureCalculation}",
            "{rough: StructureCalculation, exact: StructureCalculation}",
        )
        .replace("calculator.formation", "=rung.formation")
    )
    write(tmp_path / "metals.extxyz", [bulk("Cu"), bulk("Fe")])
    (tmp_path / "campaign.yaml").write_text(ladder)
    (tmp_path / "lab.yaml").write_text(
        "lab: here\nresources: {a: {kind: emt-structures}, b: {kind: emt-structures}}\n"
        "roles: {rough: a, exact: b}\n"
    )
    with pytest.raises(FileProblems) as caught:
        load(tmp_path / "campaign.yaml")
    said = [str(problem) for problem in caught.value.problems]
    assert len(said) == 1
    assert "candidate 'metals-2'" in said[0]


HULL = CAMPAIGN.replace(
    "calculator.formation_energy,", "calculator.energy_above_hull, entries: references.csv,"
).replace("form.formation_energy", "form.energy_above_hull")


def hull_checked(folder: Path, *rows: str) -> list[str]:
    """What is said of a campaign over Cu3Pt with these entries."""
    alloy = bulk("Cu", cubic=True)
    alloy.symbols[0] = "Pt"
    write(folder / "metals.extxyz", [alloy])
    (folder / "campaign.yaml").write_text(HULL)
    (folder / "lab.yaml").write_text(LAB)
    (folder / "references.csv").write_text("\n".join(("name,structure,energy,method", *rows)))
    try:
        load(folder / "campaign.yaml")
    except FileProblems as caught:
        return [str(problem) for problem in caught.problems]
    return []


def reference(symbol: str, more: str = ",") -> str:
    atoms = bulk(symbol)
    lattice = " ".join(f"{x:g}" for x in atoms.cell.array.ravel())
    return f'{symbol},"1\nLattice=""{lattice}"" pbc=""T T T""\n{symbol} 0 0 0",{more}'


def test_entries_of_a_hull_are_looked_at_before_anything_is_spent(tmp_path: Path) -> None:
    assert hull_checked(tmp_path, reference("Cu"), reference("Pt")) == []
    (said,) = hull_checked(tmp_path, reference("Cu"), reference("Pt", "nan,emt-1"))
    assert "the energy of row" in said
    assert "of 'references.csv' is nan" in said
    (said,) = hull_checked(tmp_path, reference("Cu"))
    assert "candidate 'metals-1'" in said
    assert "'references.csv' has no entry with Pt" in said
    (said,) = hull_checked(tmp_path, reference("Cu", "-0.1,another"), reference("Pt"))
    assert "is of the method 'another'" in said


def test_an_adsorbate_and_a_facet_that_are_none_are_told(tmp_path: Path) -> None:
    for word, said in (
        ("adsorbate: Unobtainium, facet: '111'", "Unobtainium"),
        ("adsorbate: CO, facet: '000'", "000"),
    ):
        write(tmp_path / "metals.extxyz", [bulk("Cu")])
        (tmp_path / "campaign.yaml").write_text(
            CAMPAIGN.replace(
                "calculator.formation_energy,", f"calculator.adsorption_energy, {word},"
            ).replace("form.formation_energy", "form.adsorption_energy")
        )
        (tmp_path / "lab.yaml").write_text(LAB)
        with pytest.raises(FileProblems, match=said):
            load(tmp_path / "campaign.yaml")


def test_more_workers_than_cores_are_remarked_upon(tmp_path: Path) -> None:
    write(tmp_path / "metals.extxyz", [bulk("Cu")])
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    (tmp_path / "lab.yaml").write_text(LAB + "site: {workers: 100000}\n")
    (said,) = load(tmp_path / "campaign.yaml").remarks
    assert said.startswith("100000 workers share the ")


@needs_pw
def test_options_of_elements_that_no_candidate_has_are_remarked_upon(tmp_path: Path) -> None:
    write(tmp_path / "metals.extxyz", [bulk("Fe")])
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    (tmp_path / "lab.yaml").write_text(
        "lab: here\nroles: {calculator: method}\nresources:\n  method: {kind: espresso, "
        "ecutwfc: 30 Ry, hubbard_u: 'F=4 eV, Fe=3 eV', moments: Fe=2.2}\n"
    )
    (said,) = load(tmp_path / "campaign.yaml").remarks
    assert said == "'hubbard_u' of 'method' is said of F, which no candidate has"


@needs_pw
@pytest.mark.parametrize(
    ("brought", "more", "told"),
    [
        ([None, None], "", "'method' computes Fe, Ni without spin, "),
        ([2.2, None], "", "'method' computes Ni without spin, "),
        ([None, None], "moments: Fe=2.2", "'method' computes Ni without spin, "),
        ([2.2, 0.6], "", ""),
        ([None, None], "moments: 'Fe=0, Ni=0'", ""),
        ([None, None], "input: system.nspin=2", ""),
    ],
)
def test_magnetic_elements_that_are_computed_without_spin_are_remarked_upon(
    tmp_path: Path, brought: list[float | None], more: str, told: str
) -> None:
    metals = [bulk("Fe"), bulk("Ni"), bulk("Cu")]
    for atoms, moment in zip(metals, [*brought, None], strict=True):
        atoms.set_initial_magnetic_moments(None if moment is None else [moment])
    write(tmp_path / "metals.extxyz", metals)
    energy = CAMPAIGN.replace("calculator.formation_energy", "calculator.energy")
    (tmp_path / "campaign.yaml").write_text(energy.replace("form.formation_energy", "form.energy"))
    (tmp_path / "lab.yaml").write_text(
        "lab: here\nroles: {calculator: method}\nresources:\n  method:\n    kind: espresso\n"
        f"    ecutwfc: 30 Ry\n    {more}\n"
    )
    said = load(tmp_path / "campaign.yaml").remarks
    assert [one[: len(told)] for one in said] == ([told] if told else [])


@needs_pw
def test_candidates_with_an_element_that_has_no_pseudopotential_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path / "data"))
    alloy = bulk("Cu", cubic=True)
    alloy.symbols[0] = "Au"
    write(tmp_path / "metals.extxyz", [bulk("Cu"), alloy, bulk("Si")])
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    (tmp_path / "lab.yaml").write_text(
        "lab: here\nroles: {calculator: method}\n"
        "resources: {method: {kind: espresso, ecutwfc: 30 Ry}}\n"
    )
    with pytest.raises(FileProblems) as caught:
        load(tmp_path / "campaign.yaml")
    (said,) = [str(problem) for problem in caught.value.problems]
    assert "candidate 'metals-2'" in said
    assert "'method' has no pseudopotential of Au" in said
    assert not (tmp_path / "data" / "calculations").exists()


@needs_pw
def test_a_walltime_of_nothing_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "metals.extxyz", [bulk("Fe")])
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    (tmp_path / "lab.yaml").write_text(
        "lab: here\nroles: {calculator: method}\n"
        "resources: {method: {kind: espresso, ecutwfc: 30 Ry, walltime: 0 s}}\n"
    )
    with pytest.raises(FileProblems, match="walltime"):
        load(tmp_path / "campaign.yaml")


def test_the_units_of_what_a_step_gives_are_known_without_the_journal(tmp_path: Path) -> None:
    write(tmp_path / "metals.extxyz", [bulk("Cu")])
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    (tmp_path / "lab.yaml").write_text(LAB)
    units = result_units(load(tmp_path / "campaign.yaml").campaign)
    assert units["form.formation_energy"] == "eV"
    assert units["form.volume"] == "angstrom**3"
    assert units["form.seconds"] == "s"


@pytest.mark.parametrize(
    ("argument", "pool"),
    [
        ("=polymer", "smiles\n*CC*\n0.5 *CC* | 0.5 *CO*\n"),
        ("=polymer.smiles", "name,smiles\none,*CC*\ntwo,0.5 *CC* | 0.5 *CO*\n"),
    ],
)
def test_a_copolymer_is_told_where_one_repeat_unit_is_computed(
    tmp_path: Path, argument: str, pool: str
) -> None:
    pytest.importorskip("rdkit")
    (tmp_path / "pool.csv").write_text(pool)
    (tmp_path / "lab.yaml").write_text(
        "lab: here\nresources: {model: {kind: polymers}}\nroles: {calculator: model}\n"
    )
    recipe = f"recipe: [{{c: {{do: calculator.thermal_conductivity, smiles: {argument}}}}}]\n"
    (tmp_path / "campaign.yaml").write_text(
        "name: polymers\n"
        "space: {polymer: {pool: pool.csv, smiles: smiles, descriptor: polymer-morgan}}\n"
        "roles: {calculator: PolymerCalculation}\n"
        f"{recipe}"
        "metrics: {heat: {value: =c.thermal_conductivity, unit: W/m/K}}\n"
        "objective: {maximise: heat}\n"
        "budget: {trials: 2}\n"
    )
    with pytest.raises(FileProblems, match="is a copolymer, and 'model' computes one repeat unit"):
        load(tmp_path / "campaign.yaml")


def test_a_salt_is_told_where_one_molecule_is_computed(tmp_path: Path) -> None:
    pytest.importorskip("tblite", reason="needs the extra 'molecules'")
    (tmp_path / "pool.csv").write_text("name,smiles\nsalt,[Na+].[Cl-]\nwater,O\nunit,*CC*\n")
    (tmp_path / "lab.yaml").write_text(
        "lab: here\nresources: {xtb: {kind: xtb}}\nroles: {calculator: xtb}\n"
    )
    (tmp_path / "campaign.yaml").write_text(
        "name: gaps\n"
        "space: {molecule: {pool: pool.csv, smiles: smiles, descriptor: morgan}}\n"
        "roles: {calculator: MoleculeCalculation}\n"
        "recipe: [{c: {do: calculator.compute, smiles: =molecule.smiles}}]\n"
        "metrics: {gap: {value: =c.gap, unit: eV}}\n"
        "objective: {maximise: gap}\n"
        "budget: {trials: 2}\n"
    )
    with pytest.raises(FileProblems) as caught:
        load(tmp_path / "campaign.yaml")
    said = [str(problem) for problem in caught.value.problems]
    assert len(said) == 2
    assert "candidate 'salt': '[Na+].[Cl-]' is not one whole molecule" in said[0]
    assert "candidate 'unit'" in said[1]


def test_a_parameter_that_reaches_nothing_is_remarked_upon(tmp_path: Path) -> None:
    folder = campaign_path("niobium_titania").parent
    for name in ("campaign.yaml", "twins.yaml"):
        text = (folder / name).read_text()
        (tmp_path / name).write_text(
            text.replace("temperature: =temperature", "temperature: 25 degC")
        )
    assert load(folder).remarks == ()
    assert load(tmp_path).remarks == (
        "'temperature' is varied, but no step, metric or cost names it",
    )
