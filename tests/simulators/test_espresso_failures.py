"""Failures of the real pw.x: each brought about, told from its text, and cured where it can be."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from ase.build import bulk
from dft_play import RYDBERG_EV, SAMPLE, asked, needs_pw, script

from orchestrator.errors import CalculationFailed, CalculationFault, ExecutionError
from simulators.atomistic import programs
from simulators.atomistic.failures import Failure, classified
from simulators.atomistic.pwscf import PW
from simulators.atomistic.structures import text_of

pytestmark = needs_pw
SILICON = text_of(bulk("Si"))
COPPER = text_of(bulk("Cu"))


def energy(folder: Path, text: str = SILICON, **options: Any) -> Any:
    return asyncio.run(asked(folder, "energy", text, **options))


def attempts(folder: Path) -> list[dict[str, Any]]:
    paths = sorted((folder / "a" / "t1" / "001").glob("attempt-*/attempt.json"))
    return [json.loads(path.read_text()) for path in paths]


def failed(folder: Path, kind: type[ExecutionError], text: str = SILICON, **options: Any) -> str:
    with pytest.raises(ExecutionError) as caught:
        energy(folder, text, **options)
    assert type(caught.value) is kind
    return str(caught.value)


def test_electrons_that_need_more_steps_get_them_from_the_saved_density(tmp_path: Path) -> None:
    found = energy(tmp_path, max_iterations=2)
    assert found.cures == (
        "pw.x: not converged, more steps from the saved density (electron_maxstep 2 -> 100)"
    )
    assert found.altered == 0
    first, second = attempts(tmp_path)
    assert "convergence NOT achieved" in first["said"]
    assert second["began_from"] == "attempt-001"
    here = tmp_path / "a" / "t1" / "001"
    assert "JOB DONE" in (here / "attempt-001" / "espresso.pwo").read_text()
    assert "read from file" in (here / "attempt-002" / "espresso.pwo").read_text().split("Init")[-1]
    assert {p.name for p in (here / "attempt-002").iterdir()} >= {"espresso.pwi", "espresso.pwo"}
    assert not list(here.glob("*/*.save"))
    straight = energy(tmp_path / "straight", max_iterations=100)
    assert straight.cures == ""
    assert found.energy == pytest.approx(straight.energy, abs=1e-5)


def test_an_oscillation_gets_less_mixing(tmp_path: Path) -> None:
    found = energy(tmp_path, mixing_beta=5.0, max_iterations=15, input="electrons.mixing_ndim=1")
    assert "SCF oscillation, less mixing (mixing_beta 5.0 -> 0.3" in found.cures
    assert found.altered == 0


def test_without_cures_the_sentence_names_the_failure(tmp_path: Path) -> None:
    said = failed(tmp_path, CalculationFailed, max_iterations=2, cures="none")
    assert "pw.x: not converged (convergence NOT achieved after" in said
    assert len(attempts(tmp_path)) == 1


def test_smearing_is_added_only_where_the_energy_may_change(tmp_path: Path) -> None:
    options = {"smearing": "none", "ecutwfc": 20 * RYDBERG_EV}
    said = failed(tmp_path, CalculationFailed, COPPER, **options)
    assert "pw.x: wrong occupations" in said
    assert "`cures: all` would also try: smearing" in said
    found = energy(tmp_path / "all", COPPER, cures="all", **options)
    assert found.altered == 1
    assert "occupations fixed -> smearing" in found.cures
    assert "which changes the energy" in found.cures


def test_too_few_bands_of_the_lab_file_are_as_many_as_pw_x_takes(tmp_path: Path) -> None:
    few = {"input": "system.nbnd=2"}
    said = failed(tmp_path, CalculationFailed, cures="none", **few)
    assert "pw.x: too few bands (" in said
    found = energy(tmp_path / "cured", **few)
    assert found.cures == "pw.x: too few bands, as many bands as pw.x takes (nbnd 2 -> default)"
    assert (found.altered, found.reused) == (0, 0)


def test_what_has_no_time_left_goes_on_from_what_it_saved(tmp_path: Path) -> None:
    quick = script(
        tmp_path / "pw",
        "test -e ../../../../slow || { touch ../../../../slow; sed -i "
        '"s/max_seconds.*/max_seconds = 0.01/" espresso.pwi; }; exec pw.x "$@"',
    )
    found = energy(tmp_path, command=quick, walltime=600.0)
    assert found.cures == "pw.x: walltime, on from what was saved"
    first, second = attempts(tmp_path)
    assert "Maximum CPU time exceeded" in first["said"]
    assert second["began_from"] == "attempt-001"


def test_a_killed_program_is_run_again_and_given_up_when_it_is_always_killed(
    tmp_path: Path,
) -> None:
    kill = 'pw.x "$@" & sleep 0.2; kill -9 $!; wait $!; kill -9 $$'
    often = script(tmp_path / "often", f"test $# = 0 && exec pw.x; {kill}")
    said = failed(tmp_path / "1", CalculationFailed, command=often)
    assert "pw.x: killed (killed by signal 9 (SIGKILL)); tried: again" in said
    mark = tmp_path / "once.txt"
    once = script(
        tmp_path / "once", f'test $# = 0 -o -e {mark} && exec pw.x "$@"; touch {mark}; {kill}'
    )
    found = energy(tmp_path / "2", command=once)
    assert found.cures == "pw.x: killed, again"


def test_too_little_memory_is_told_from_other_failures(tmp_path: Path) -> None:
    small = script(tmp_path / "pw", 'test $# = 0 || ulimit -v 600000; exec pw.x "$@"')
    said = failed(
        tmp_path, CalculationFailed, command=small, ecutwfc=350 * RYDBERG_EV, walltime=30.0
    )
    assert "pw.x: out of memory" in said
    assert "tried: less memory" in said


def test_a_spoilt_pseudopotential_is_no_fault_of_the_structure(tmp_path: Path) -> None:
    text = (SAMPLE / "Si.pbe-nl-rrkjus_psl.1.0.0.UPF").read_text()
    begin = text.index("<PP_MESH")
    spoilt = text[:begin] + "<PP_MESH>\n 0.1 0.2\n" + "</UPF>\n"
    (tmp_path / "Si.UPF").write_text(spoilt)
    said = failed(tmp_path, CalculationFault, pseudo_dir=str(tmp_path))
    assert "pw.x: missing or wrong pseudopotential" in said


LATTICES = {
    "&SYSTEM ibrav=8, celldm(1)=10.2": "wrong celldm(2)",
    "&SYSTEM ibrav=77": "invalid lattice parameters",
}


@pytest.mark.parametrize(("system", "why"), LATTICES.items())
def test_a_wrong_lattice_is_told_from_other_failures(tmp_path: Path, system: str, why: str) -> None:
    assert ran(tmp_path, system, "Si 0 0 0\nSi 0.25 0.25 0.25")[0] is Failure.SYMMETRY
    assert why in ran(tmp_path, system, "Si 0 0 0\nSi 0.25 0.25 0.25")[1]


def test_atoms_on_one_another_and_a_misspelt_key_are_told_too(tmp_path: Path) -> None:
    here = "Si 0 0 0\nSi 0 0 0"
    assert ran(tmp_path, "&SYSTEM ibrav=2, celldm(1)=10.2", here)[0] is Failure.STRUCTURE
    assert ran(tmp_path, "&SYSTEM ibrav=2, ecutrwc=3", here)[0] is Failure.INPUT


def ran(folder: Path, system: str, sites: str) -> tuple[Failure, str]:
    """What an input that no one of ours writes comes to."""
    (folder / "espresso.pwi").write_text(f"""&CONTROL pseudo_dir='{SAMPLE}' /
{system}, nat=2, ntyp=1, ecutwfc=12 /
&ELECTRONS /
ATOMIC_SPECIES
Si 28.085 Si.pbe-nl-rrkjus_psl.1.0.0.UPF
K_POINTS gamma
ATOMIC_POSITIONS crystal
{sites}
""")
    programs.run("pw.x -in espresso.pwi", folder, output="espresso.pwo", error="espresso.err")
    text = "\n".join((folder / name).read_text() for name in ("espresso.pwo", "espresso.err"))
    found = classified(PW, text)
    assert found is not None, text
    return found


def test_a_program_that_never_started_is_no_fault_of_the_structure(tmp_path: Path) -> None:
    says = "echo 'srun: error: Unable to create step for job 7: Invalid partition' >&2\n\nexit 1"
    launcher = script(tmp_path / "launch", f'case "$*" in *-in*) {says};; esac; exec pw.x "$@"')
    said = failed(tmp_path, CalculationFault, command=launcher)
    assert "pw.x: not started (srun: error: Unable to create step for job 7" in said


def test_an_output_that_is_cut_off_is_told_by_its_last_line(tmp_path: Path) -> None:
    says = "echo '     Program PWSCF v.6.7 starts'; echo '     a sentence that nobody knows'"
    program = script(tmp_path / "pw", f'case "$*" in *-in*) {says};; *) exec pw.x "$@";; esac')
    said = failed(tmp_path, CalculationFailed, command=program)
    assert "pw.x: unknown failure (a sentence that nobody knows)" in said
