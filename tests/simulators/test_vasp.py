"""VASP without VASP: what it would be told, and the texts of failures that are known."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from ase import Atoms
from ase.build import bulk
from dft_play import script

from orchestrator.clock import WallClock
from orchestrator.errors import CalculationFailed, InputError
from orchestrator.executor.local import LocalCompute
from orchestrator.ports.action import Ticket
from orchestrator.ports.resource import Bench
from simulators.atomistic.failures import Failure, classified
from simulators.atomistic.structures import text_of
from simulators.atomistic.vasp import VaspStructures
from simulators.atomistic.vasprun import VASP, VaspCalculator

TEXTS = {
    "ZBRENT: fatal error in bracketing\n     please rerun with smaller EDIFF": Failure.STEP,
    "BRIONS problems: POTIM should be increased": Failure.STEP,
    "Error EDDDAV: Call to ZHEGV failed. Returncode =  7 2  16": Failure.EIGENVALUES,
    "WARNING: Sub-Space-Matrix is not hermitian in DAV            5": Failure.EIGENVALUES,
    "BRMIX: very serious problems\n the old and the new charge density differ": Failure.OSCILLATING,
    "VERY BAD NEWS! internal error in subroutine IBZKPT:\n Reciprocal lattice": Failure.SYMMETRY,
    "VERY BAD NEWS! internal error in subroutine SGRCON:": Failure.SYMMETRY,
    "POSMAP internal error: symmetry equivalent atom not found": Failure.SYMMETRY,
    "internal error in RHOSYG: stars are not distinct": Failure.SYMMETRY,
    "VERY BAD NEWS! something else": Failure.UNKNOWN,
    "The distance between some ions is very small. Please check": Failure.STRUCTURE,
    "The electronic self-consistency was not achieved in the given number": Failure.NOT_CONVERGED,
    "ERROR: the type information on POSCAR and POTCAR are incompatible": Failure.PSEUDOPOTENTIAL,
    "DENTET: can't reach specified precision": Failure.OCCUPATIONS,
    "|     unoccupied bands, you have included TOO FEW BANDS!! Please increase |": Failure.BANDS,
    "|     number of bands is not sufficient to hold all electrons             |": Failure.BANDS,
    "|     The tetrahedron method fails (number of k-points < 4). Please       |": (
        Failure.OCCUPATIONS
    ),
    "ERROR EDDIAG: Call to routine ZHEEV failed! 17 1 0": Failure.EIGENVALUES,
    "ERROR in subspace rotation PSSYEVX: not enough eigenvalues found": Failure.EIGENVALUES,
    "PRICELV: current lattice and primitive lattice are incommensurate": Failure.SYMMETRY,
    "|     Inconsistent Bravais lattice types found for crystalline and        |": Failure.SYMMETRY,
    "inverse of rotation matrix was not found (increase SYMPREC)": Failure.SYMMETRY,
    "hard stop encountered!  aborting job ...": Failure.WALLTIME,
    "|     Error reading item MAGMOM from file INCAR.                          |": Failure.INPUT,
    "forrtl: severe (179): Cannot allocate array - overflow on array size": Failure.MEMORY,
    "forrtl: severe (38): error during write, unit 12, file /scratch/WAVECAR": Failure.DISK,
    "TERM_RUNLIMIT: job killed after reaching LSF run time limit.": Failure.WALLTIME,
    "=   KILLED BY SIGNAL: 9 (Killed)": Failure.KILLED,
    "\nsrun: error: node7: task 3: Killed": Failure.KILLED,
    "forrtl: severe (174): SIGSEGV, segmentation fault occurred": Failure.UNKNOWN,
    "forrtl: severe (41): insufficient virtual memory": Failure.MEMORY,
    "slurmstepd: error: *** STEP 1.0 CANCELLED AT 2026-11-26T10:00:00 DUE TO TIME LIMIT ***": (
        Failure.WALLTIME
    ),
    "slurmstepd: error: Detected 1 oom-kill event(s) in step 1.0": Failure.MEMORY,
    "forrtl: No space left on device": Failure.DISK,
    "Error reading item 'ENCUT' from file INCAR.": Failure.INPUT,
    "\nkilled by signal 9 (SIGKILL)\n": Failure.KILLED,
}


@pytest.mark.parametrize(("text", "failure"), TEXTS.items())
def test_known_texts_are_told_apart(text: str, failure: Failure) -> None:
    found = classified(VASP, f" running on   16 total cores\n {text}\n")
    assert found is not None
    assert found[0] is failure


def test_a_run_that_went_well_shows_no_failure() -> None:
    steps = "DAV:   1    -0.1E+02   -0.1E+02   -0.2E+03  1000   0.1E+02\n"
    assert classified(VASP, f"{steps}   1 F= -.1E+02 E0= -.1E+02  d E =-.3E-15\n") is None


def test_steps_that_go_up_and_down_are_an_oscillation() -> None:
    steps = "\n".join(
        f"DAV:  {n:2d}    -0.108E+02    {x:.4E}   -0.2E+03  1000   0.1E+02"
        for n, x in enumerate((5.0, -6.0, 5.0, -7.0, 5.0, -7.0, 5.0, -8.0))
    )
    text = f"{steps}\nself-consistency was not achieved\n"
    assert classified(VASP, text) == (Failure.OSCILLATING, "self-consistency was not achieved")


def told(folder: Path, atoms: Any, more: dict[str, Any] | None = None, **options: Any) -> str:
    """The INCAR of a structure, its words separated by one space each; the other files lie beside
    it, in the folder `run`."""
    calc = resource(folder, **options)
    text = text_of(atoms)
    settings = {
        **calc._method_of(calc._checked(text)).settings,
        **calc._running_with(atoms),
    }
    known = {k: v for k, v in settings.items() if k not in ("input", "k_density")}
    made = VaspCalculator(settings["input"], mesh=(3, 3, 3), **known)
    (folder / "run").mkdir()
    made.written(atoms, {**settings["input"], **(more or {})}, folder / "run")
    return " ".join((folder / "run" / "INCAR").read_text().split())


def test_what_vasp_would_be_told(tmp_path: Path) -> None:
    incar = told(tmp_path, bulk("Fe"))
    incar = incar.replace("4.300", "4.3").replace("520.000000", "520.0")
    for line in ("ENCUT = 520.0", "ISMEAR = 0", "NELM = 100", "LASPH = .TRUE.", "LDAUU = 4.3"):
        assert line in incar
    assert (tmp_path / "run" / "KPOINTS").read_text().splitlines()[2:4] == ["Gamma", "3 3 3"]
    assert "PAW_PBE Fe_pv" in (tmp_path / "run" / "POTCAR").read_text()
    assert (tmp_path / "run" / "POSCAR").exists()


def test_the_shell_that_u_acts_on_is_mixed(tmp_path: Path) -> None:
    assert "LMAXMIX = 4" in told(tmp_path / "d", bulk("Fe"))
    assert "LMAXMIX = 6" in told(tmp_path / "own", bulk("Fe"), incar="lmaxmix=6")
    assert "LMAXMIX" not in told(tmp_path / "without", bulk("Fe"), hubbard_u="")


def test_too_few_bands_are_cured_by_more(tmp_path: Path) -> None:
    [own, more] = [cure for cure in VASP.cures if Failure.BANDS in cure.treats]
    assert own.change({"nbands": 4}) == {"nbands": None}
    assert (own.change({}), more.change({})) == (None, {"bands": 1.5})
    incar = told(tmp_path, bulk("Fe"), {"nbands": None, "bands": 1.5})
    assert "NBANDS = 18" in incar  # half as many again as 0.6 of 14 electrons, and three


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"incar": "ldauu=4"}, "'ldauu' in 'incar' is for another option to say"),
        ({"incar": "setups=Fe"}, "'setups' in 'incar' is for another option to say"),
        ({"setups": "Fe=Ni_pv"}, "'Ni_pv' in 'setups' is no potential of Fe"),
        ({"xc": "PBEE"}, "'PBEE' is not a word for 'xc'|'pbee' is not a word for 'xc'"),
    ],
)
def test_words_that_vasp_would_not_be_told_are_refused(
    options: dict[str, str], why: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=why):
        resource(tmp_path, **options)


def test_a_tag_that_may_be_misspelt_is_remarked_upon(tmp_path: Path) -> None:
    assert resource(tmp_path, incar="lasph=.true., ldipol=.true., idipol=3").remarks() == []
    [said] = resource(tmp_path, incar="lasf=.true., prec=Accurate").remarks()
    assert said.startswith("'lasf' in 'incar' of 'vasp': ASE knows no such tag of VASP")


def test_what_is_missing_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calc = resource(tmp_path)
    with pytest.raises(InputError, match="has no POTCAR of Au, Cu"):
        calc._checked(text_of(Atoms("AuCu", [[0, 0, 0], [2, 2, 2]], cell=[4, 4, 4], pbc=True)))
    with pytest.raises(InputError, match="needs 'novasp', which is not installed"):
        resource(tmp_path, command="mpirun -np 4 novasp")
    monkeypatch.delenv("VASP_PP_PATH", raising=False)
    with pytest.raises(InputError, match="'vasp' has no POTCARs") as caught:
        resource(tmp_path, potcars="")
    assert "VASP_PP_PATH" in caught.value.hint


STAND_IN = """\
import sys
import time
from pathlib import Path
from ase.io import read

incar, atoms = Path("INCAR").read_text(), read("POSCAR")
print(" running on    1 total cores", flush=True)
assert Path("KPOINTS").exists() and Path("POTCAR").exists()
if "WARNED" in sys.argv:
    print(" WARNING: Sub-Space-Matrix is not hermitian in DAV            4")
    print(" WARNING in EDDRMM: call to ZHEGV failed, returncode =   6  3      8")
    print("|     The distance between some ions is very small. Please check the nearest- |")
while "SLOW" in sys.argv and not Path("WAVECAR").exists():
    time.sleep(0.05)
    if Path("STOPCAR").exists():
        assert "LABORT = .TRUE." in Path("STOPCAR").read_text()
        Path("WAVECAR").write_text("the waves")
        Path("OUTCAR").write_text(" aborting loop because hard stop was set\\n")
        sys.exit()
if "BAD_MIXING" in sys.argv and "AMIX = 0.1" not in incar:
    print(" BRMIX: very serious problems\\n the old and the new charge density differ")
    sys.exit(1)
energy = -atoms.get_volume()  # without smearing; the free energy is another
def rows(name, values):
    lines = "".join("<v> " + " ".join(f"{x:.8f}" for x in row) + " </v>" for row in values)
    return f"<varray name='{name}'>{lines}</varray>"
places = rows("positions", atoms.get_scaled_positions())
structure = f"<crystal>{rows('basis', atoms.cell)}</crystal>{places}"
said = {"e_fr_energy": energy - 0.2, "e_wo_entrp": energy + 0.2, "e_0_energy": energy}
energies = "".join(f"<i name='{name}'>{value}</i>" for name, value in said.items())
energies = f"<energy>{energies}</energy>"
Path("vasprun.xml").write_text(
    "<modeling><kpoints>" + rows("kpointlist", [[0, 0, 0]]) + rows("weights", [[1]])
    + "</kpoints><atominfo><array name='atoms'><set>"
    + "".join(f"<rc><c>{symbol}</c><c>1</c></rc>" for symbol in atoms.symbols)
    + "</set></array>"
    + f"</atominfo><structure name='initialpos'>{structure}</structure><calculation>"
    + f"<structure>{structure}</structure>" + rows("forces", [[0, 0, 0]] * len(atoms))
    + rows("stress", [[10, 0, 0], [0, 10, 0], [0, 0, 10]])  # kB
    + f"<scstep>{energies}</scstep>{energies}</calculation></modeling>"
)
Path("OUTCAR").write_text(
    " vasp.6.4.2 20Jul23\\n NKPTS = 1   NBANDS=   8\\n aborting loop because EDIFF is reached\\n"
    " number of electron       8.0000000 magnetization       2.2000000\\n"
    " Total CPU time used (sec):        7.250\\n"
)
"""


async def computed(folder: Path, *words: str, atoms: Any = None, **options: Any) -> Any:
    """What comes of bcc iron, or of other atoms, with a stand-in for VASP that writes what VASP
    would."""
    folder.mkdir(exist_ok=True)
    program = folder / "stand_in.py"
    program.write_text(STAND_IN)
    command = script(folder / "stand_in", f"exec {sys.executable} {program} {' '.join(words)}")
    clock = WallClock()
    compute = LocalCompute(folder / "a", clock)
    try:
        calc = resource(
            folder,
            command=command,
            bench=Bench(name="vasp", clock=clock, compute=compute),
            **options,
        )
        await calc.open()
        return await calc.energy(structure=text_of(atoms or bulk("Fe")), ticket=Ticket("t1"))
    finally:
        compute.close()


def test_what_a_stand_in_for_vasp_writes_is_read(tmp_path: Path) -> None:
    found = asyncio.run(computed(tmp_path))
    assert found.energy == pytest.approx(-bulk("Fe").get_volume(), abs=1e-6)
    assert found.pressure == pytest.approx(1.0)
    assert (found.cures, found.altered) == ("", 0)


def test_a_failure_of_a_stand_in_for_vasp_is_cured_by_what_its_incar_says_then(
    tmp_path: Path,
) -> None:
    found = asyncio.run(computed(tmp_path, "BAD_MIXING"))
    assert found.energy == pytest.approx(-bulk("Fe").get_volume(), abs=1e-6)
    changed = "amix default -> 0.1, bmix default -> 0.01"
    assert found.cures == f"VASP: SCF oscillation, less mixing ({changed})"
    with pytest.raises(CalculationFailed, match="BRMIX"):
        asyncio.run(computed(tmp_path / "b", "BAD_MIXING", cures="none"))


def test_what_vasp_warns_of_is_no_failure_of_a_run_that_converged(tmp_path: Path) -> None:
    assert asyncio.run(computed(tmp_path, "WARNED", cures="none")).cures == ""


def test_vasp_is_told_to_save_what_it_has_when_its_walltime_is_over(tmp_path: Path) -> None:
    found = asyncio.run(computed(tmp_path, "SLOW", walltime=1.0))
    assert found.cures == "VASP: walltime, on from what was saved"


def test_a_gas_is_computed_in_a_box_with_the_moments_that_it_brings(tmp_path: Path) -> None:
    oxygen = Atoms("O2", [[0, 0, 0], [0, 0, 1.2]], magmoms=[1.0, 1.0])
    found = asyncio.run(computed(tmp_path, atoms=oxygen))
    assert found.energy == pytest.approx(-12.0 * 12.0 * 13.2 / 2)  # of its volume, in the stand-in
    [incar] = tmp_path.rglob("attempt-001/INCAR")
    assert "MAGMOM = 2*1.0000" in incar.read_text()


def test_an_antiferromagnet_starts_with_moments_up_and_down(tmp_path: Path) -> None:
    pair = Atoms("Fe2", [[0, 0, 0], [1.43, 1.43, 1.43]], cell=[2.87] * 3, pbc=True)
    options = {"moments": "Fe=2.2", "magnetic_order": "antiferromagnetic"}
    asyncio.run(computed(tmp_path, atoms=pair, **options))
    [incar] = tmp_path.rglob("attempt-001/INCAR")
    assert "MAGMOM = 1*2.2000 1*-2.2000" in incar.read_text()
    with pytest.raises(InputError, match="no element has a moment to start from"):
        resource(tmp_path, magnetic_order="antiferromagnetic")


@pytest.mark.parametrize("incar", ["nelect=25", "nupdown=2"])
def test_a_charge_of_every_cell_is_none_of_a_difference(tmp_path: Path, incar: str) -> None:
    calc = resource(tmp_path, incar=incar)
    said = f"'vasp' gives every structure the same {incar.partition('=')[0]}, and so those"
    with pytest.raises(InputError, match=said):
        calc.check("formation_energy", {})
    calc.check("relax", {})


def resource(folder: Path, bench: Bench | None = None, **options: Any) -> VaspStructures:
    for name, valence in (("Fe_pv", 14.0), ("O", 6.0)):
        potcar = folder / "potpaw_PBE" / name / "POTCAR"
        potcar.parent.mkdir(parents=True, exist_ok=True)
        potcar.write_text(f"  PAW_PBE {name} 02Aug2007\n POMASS = 1.0; ZVAL   =   {valence}\n")
    known = {
        **{"encut": 520.0, "version": "6.4.2", "setups": "Fe=Fe_pv", "hubbard_u": "Fe=4.3 eV"},
        **{"potcars": str(folder / "potpaw_PBE"), "incar": "lasph=.true."},
        **{"command": script(folder / "vasp_std", "exit 1")},
    }
    bench = bench or Bench(name="vasp", clock=WallClock())
    return VaspStructures(bench, **{**known, **options})
