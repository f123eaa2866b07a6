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
    "TOO FEW BANDS!!": Failure.OCCUPATIONS,
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


def test_what_vasp_would_be_told(tmp_path: Path) -> None:
    calc, text = resource(tmp_path), text_of(bulk("Fe"))
    atoms = calc._checked(text)
    settings = {**calc._method_of(atoms).settings, **calc._running_with(atoms)}
    told = {k: v for k, v in settings.items() if k not in ("input", "k_density")}
    made = VaspCalculator(settings["input"], mesh=(3, 3, 3), **told)
    (tmp_path / "run").mkdir()
    made.written(atoms, settings["input"], tmp_path / "run")
    incar = (tmp_path / "run" / "INCAR").read_text()
    for line in ("ENCUT = 520.0", "ISMEAR = 0", "NELM = 100", "LASPH = .TRUE.", "LDAUU = 4.3"):
        assert line in " ".join(incar.split()).replace("4.300", "4.3").replace(
            "520.000000", "520.0"
        )
    assert (tmp_path / "run" / "KPOINTS").read_text().splitlines()[2:4] == ["Gamma", "3 3 3"]
    assert "the potential of Fe_pv" in (tmp_path / "run" / "POTCAR").read_text()
    assert (tmp_path / "run" / "POSCAR").exists()


def test_what_is_missing_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calc = resource(tmp_path)
    with pytest.raises(InputError, match="has no POTCAR of Au, Cu"):
        calc._checked(text_of(Atoms("AuCu", [[0, 0, 0], [2, 2, 2]], cell=[4, 4, 4], pbc=True)))
    with pytest.raises(InputError, match="computes crystals, N2 has no cell"):
        calc._checked(text_of(Atoms("N2", [[0, 0, 0], [0, 0, 1.1]])))
    with pytest.raises(InputError, match="needs 'novasp', which is not installed"):
        resource(tmp_path, command="mpirun -np 4 novasp")
    monkeypatch.delenv("VASP_PP_PATH", raising=False)
    with pytest.raises(InputError, match="'vasp' has no POTCARs") as caught:
        resource(tmp_path, potcars="")
    assert "VASP_PP_PATH" in caught.value.hint


STAND_IN = """\
import sys
from pathlib import Path
from ase.io import read

incar, atoms = Path("INCAR").read_text(), read("POSCAR")
print(" running on    1 total cores", flush=True)
assert len(atoms) == 1 and Path("KPOINTS").exists() and Path("POTCAR").exists()
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
    + "</kpoints><atominfo><array name='atoms'><set><rc><c>Fe</c><c>1</c></rc></set></array>"
    + f"</atominfo><structure name='initialpos'>{structure}</structure><calculation>"
    + f"<structure>{structure}</structure>" + rows("forces", [[0, 0, 0]])
    + rows("stress", [[10, 0, 0], [0, 10, 0], [0, 0, 10]])  # kB
    + f"<scstep>{energies}</scstep>{energies}</calculation></modeling>"
)
Path("OUTCAR").write_text(
    " vasp.6.4.2 20Jul23\\n NKPTS = 1   NBANDS=   8\\n aborting loop because EDIFF is reached\\n"
    " number of electron       8.0000000 magnetization       2.2000000\\n"
    " Total CPU time used (sec):        7.250\\n"
)
"""


async def computed(folder: Path, *words: str, cures: str = "safe") -> Any:
    """What comes of bcc iron, with a stand-in for VASP that writes what VASP would."""
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
            cures=cures,
            bench=Bench(name="vasp", clock=clock, compute=compute),
        )
        await calc.open()
        return await calc.energy(structure=text_of(bulk("Fe")), ticket=Ticket("t1"))
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


def resource(folder: Path, bench: Bench | None = None, **options: Any) -> VaspStructures:
    potcar = folder / "potpaw_PBE" / "Fe_pv" / "POTCAR"
    potcar.parent.mkdir(parents=True, exist_ok=True)
    potcar.write_text("the potential of Fe_pv\n")
    known = {
        **{"encut": 520.0, "version": "6.4.2", "setups": "Fe=Fe_pv", "hubbard_u": "Fe=4.3 eV"},
        **{"potcars": str(folder / "potpaw_PBE"), "incar": "lasph=.true."},
        **{"command": script(folder / "vasp_std", "exit 1")},
    }
    bench = bench or Bench(name="vasp", clock=WallClock())
    return VaspStructures(bench, **{**known, **options})
