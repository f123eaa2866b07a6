"""VASP through ASE, in the child process of a calculation: what it is told, what its failures look
like and what is tried against them. It was never run by us: tested are inputs, and
the messages by which failures are known, typed off.

Messages are those of VASP 5 and 6 [Kresse 1996, doi:10.1103/PhysRevB.54.11169;
https://vasp.at/wiki]; cures are of the kind of custodian's handlers [Ong 2013,
doi:10.1016/j.commatsci.2012.10.028], less those of relaxations, which are ASE's here.
"""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.vasp import Vasp

from simulators.atomistic import programs
from simulators.atomistic.curing import cured
from simulators.atomistic.dft_settings import shell_of, start_moments
from simulators.atomistic.failures import (
    CRASHED,
    SURROUNDINGS,
    Code,
    Cure,
    Failure,
    Pattern,
    Settings,
    again,
    put,
    scaled,
)
from simulators.atomistic.symmetric import on_its_symmetry
from simulators.atomistic.vacuum import boxed

SAVED = ("WAVECAR", "CHGCAR", "CHG", "TMPCAR", "vasprun.xml", "PROCAR", "POTCAR")
OUTPUT, ERROR = "vasp.out", "vasp.err"
_UNSETTLED = (Failure.NOT_CONVERGED, Failure.OSCILLATING)


def _more_steps(settings: Settings) -> Settings | None:
    steps = int(settings.get("nelm", 60))
    return {"nelm": max(100, 2 * steps)} if steps < 400 else None


def _own_bands(settings: Settings) -> Settings | None:
    """As many as VASP takes by itself; those of the lab file are too few for this structure."""
    return {"nbands": None} if settings.get("nbands") else None


VASP = Code(
    name="VASP",
    patterns=(
        Pattern(Failure.WALLTIME, r"hard stop (encountered|was set)", is_warning=True),
        *SURROUNDINGS,
        Pattern(
            Failure.PSEUDOPOTENTIAL,
            r"No pseudopotential for|PSMAXN for non-local|number of potentials on File POTCAR|"
            r"POTCAR.*(not found|incompatible|missing)|ERROR: the type information on POSCAR",
        ),
        Pattern(
            Failure.SYMMETRY,
            r"RHOSYG|(POSMAP|PRICELV?|IBZKPT|SGRCON|GROUPOP|SYMPREC).*(error|ERROR|internal)|"
            r"(internal error|ERROR) in.*(SYMMETRY|POSMAP|PRICEL|INVGRP|GROUP|SGRCON|IBZKPT)|"
            r"primitive lattice are incommensurate|group operation missing|"
            r"inverse of rotation matrix was not found|"
            r"[Ii]nconsistent Bravais lattice|Found some non-integer element in rotation matrix",
        ),
        Pattern(Failure.BANDS, r"TOO FEW BANDS|[Nn]umber of bands is not sufficient"),
        Pattern(
            Failure.OCCUPATIONS,
            r"[Tt]etrahedron method (fails|does not)|Fatal error detecting k-mesh|"
            r"Fatal error: unable to match k-point",
        ),
        Pattern(Failure.STEP, r"ZBRENT: fatal|BRIONS problems: POTIM should be"),
        Pattern(
            Failure.EIGENVALUES,
            r"EDDDAV.*(ZHEGV|failed)|ZPOTRF failed|LAPACK: Routine ZPOTRF|EDWAV: internal error|"
            r"EDDIAG: Call to routine|subspace rotation PSSYEVX",
        ),
        Pattern(Failure.OSCILLATING, r"BRMIX: very serious problems"),
        Pattern(
            Failure.NOT_CONVERGED,
            r"self-consistency was not achieved|electronic self-consistency.*not|"
            r"NELM reached|The electronic minimi[sz]ation did not converge",
        ),
        Pattern(
            Failure.INPUT,
            r"Error reading item '?\w+'? from file INCAR|reading (the )?INCAR|"
            r"there must be 1 or 3 items",
        ),
        Pattern(
            Failure.EIGENVALUES,
            r"Sub-Space-Matrix is not hermitian|EDDRMM.*failed|ZHEGV failed",
            is_warning=True,
        ),
        Pattern(Failure.OCCUPATIONS, r"DENTET", is_warning=True),
        Pattern(Failure.STRUCTURE, r"distance between some ions is very small", is_warning=True),
        Pattern(
            Failure.UNKNOWN,
            rf"VERY BAD NEWS.*|I REFUSE TO CONTINUE WITH THIS SICK JOB|{CRASHED}",
        ),
    ),
    cures=(
        Cure("less mixing", (Failure.OSCILLATING,), put({"amix": 0.1, "bmix": 0.01})),
        Cure(
            "more steps from the saved density",
            (Failure.NOT_CONVERGED,),
            _more_steps,
            restarts=True,
            times=2,
        ),
        Cure("another algorithm", (*_UNSETTLED, Failure.EIGENVALUES), put({"algo": "All"})),
        Cure("blocked Davidson", (Failure.EIGENVALUES, *_UNSETTLED), put({"algo": "Normal"})),
        Cure("no symmetry", (Failure.SYMMETRY,), put({"isym": 0})),
        Cure("as many bands as VASP takes", (Failure.BANDS,), _own_bands),
        Cure("more bands", (Failure.BANDS,), scaled("bands", 1.5, 1.0, most=3.0), times=2),
        Cure(
            "less memory", (Failure.MEMORY,), put({"lreal": "Auto", "kpar": 1}), changes_energy=True
        ),
        Cure("on from what was saved", (Failure.WALLTIME,), again, restarts=True, times=3),
        Cure("again", (Failure.KILLED, Failure.NOT_STARTED), again),
        Cure(
            "wider smearing",
            _UNSETTLED,
            scaled("sigma", 2.0, 0.2, most=0.5),
            changes_energy=True,
        ),
        Cure(
            "gaussian smearing",
            (Failure.OCCUPATIONS,),
            put({"ismear": 0, "sigma": 0.05}),
            changes_energy=True,
        ),
    ),
    outputs=(OUTPUT, "OUTCAR", ERROR),
    residual=r"^(?:DAV|RMM|CGA|SDA): +\d+ +\S+ +(\S+) ",
    began=r"running on +\d+|vasp\.\d|executed on",
    ranks=r"running on +(\d+) total cores",
    spent=r"Total CPU time used \(sec\): +([\d.]+)",
    bulky=SAVED,
)


class VaspCalculator(Calculator):
    """Energies (eV; extrapolated to no smearing, as ASE has it), forces (eV/angstrom; of the free
    energy), stress (eV/angstrom^3).

    Args:
        settings: of the INCAR, in ASE's spelling: `{"encut": 520.0}`.
        potentials: the folder of each element's POTCAR, all in one folder.
        mesh: k-points along the reciprocal vectors, around the centre of the zone.
        moments, hubbard: per element, in Bohr magnetons (unless the structure has its own) and eV.
        command: runs VASP.
        walltime_s: of one run; 0 is none.
        cures: one of `curing.ALLOWED`.
        magnetic_order: how moments start, see `dft_settings`.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012  as ASE

    def __init__(
        self,
        settings: Mapping[str, Any],
        potentials: Mapping[str, str],
        mesh: tuple[int, int, int],
        *,
        moments: Mapping[str, float],
        hubbard: Mapping[str, float],
        command: str,
        walltime_s: float = 0.0,
        cures: str = "safe",
        magnetic_order: str = "ferromagnetic",
    ) -> None:
        """Nothing is run."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._settings, self._mesh = dict(settings), tuple(mesh)
        self._potentials = {element: Path(path) for element, path in potentials.items()}
        self._moments, self._hubbard = moments, hubbard
        self._command, self._walltime_s, self._cures = command, walltime_s, cures
        self._order = magnetic_order

    def calculate(
        self,
        atoms: Any = None,
        properties: Any = ("energy",),
        system_changes: Any = tuple(all_changes),
    ) -> None:
        """See ASE; all properties are computed at once. Raises as `curing.cured`."""
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        given: Any = self.atoms
        told = boxed(on_its_symmetry(given))
        told.pbc = True
        start_moments(told, self._moments, self._order)
        self.results = cured(
            VASP,
            self._settings,
            lambda settings, directory, source: self._run(told, settings, directory, source),
            allowed=self._cures,
            keep={
                "command": self._command,
                "mesh": self._mesh,
                "potentials": {e: str(p) for e, p in self._potentials.items()},
            },
        )

    def written(self, atoms: Any, settings: Settings, directory: Path) -> Any:
        """ASE's calculator, with its INCAR, KPOINTS, POSCAR and POTCAR in the directory."""
        told = {name: value for name, value in settings.items() if value is not None}
        more_bands = told.pop("bands", 1.0)
        values = {e: u for e, u in self._hubbard.items() if e in atoms.symbols}
        if values:
            shells = {e: "spdf".index(shell_of(e)) for e in values}
            told["ldau_luj"] = {e: {"L": shells[e], "U": u, "J": 0.0} for e, u in values.items()}
            told.setdefault("lmaxmix", max(2, 2 * max(shells.values())))  # of what U acts on
        folder = next(iter(self._potentials.values())).parent
        calculator: Any = Vasp(
            directory=str(directory),
            command=self._command,
            pp=str(folder),
            setups={e: p.name.removeprefix(e) for e, p in self._potentials.items()},
            kpts=self._mesh,
            gamma=True,
            **told,
        )
        calculator.initialize(atoms)
        if more_bands > 1.0:
            calculator.set(nbands=math.ceil(more_bands * self._bands(atoms)))
        calculator.write_input(atoms)
        return calculator

    def _bands(self, atoms: Any) -> float:
        """As many as VASP takes by itself, where there is a spin [https://vasp.at/wiki/NBANDS]."""
        valence = {}
        for element, folder in self._potentials.items():
            said = re.search(r"ZVAL *= *([\d.]+)", (folder / "POTCAR").read_text(errors="replace"))
            valence[element] = float(said[1]) if said else 0.0
        electrons = sum(valence[symbol] for symbol in atoms.symbols)
        moment = float(abs(atoms.get_initial_magnetic_moments()).sum())
        return max(0.5 * (electrons + moment), 0.6 * electrons) + max(0.5 * len(atoms), 3.0)

    def _run(
        self, atoms: Any, settings: Settings, directory: Path, source: Path | None
    ) -> dict[str, Any]:
        told = dict(settings)
        if source is not None:
            for name in ("WAVECAR", "CHGCAR"):
                if (source / name).exists():
                    shutil.move(source / name, directory / name)
            told["istart"] = 1
        calculator = self.written(atoms, told, directory)
        stop = directory / "STOPCAR"
        programs.run(
            self._command,
            directory,
            output=OUTPUT,
            error=ERROR,
            walltime_s=self._walltime_s,
            tell=lambda: stop.write_text("LABORT = .TRUE.\n"),
        )
        calculator.atoms = atoms
        calculator.update_atoms(atoms)
        calculator.read_results()
        if not calculator.converged:
            raise RuntimeError("NELM reached: the electrons did not converge")
        return {k: v for k, v in calculator.results.items() if k in self.implemented_properties}


def vasp(atoms: Any, **settings: Any) -> VaspCalculator:
    """The calculator of a method, made of its settings."""
    known = {name: value for name, value in settings.items() if name != "input"}
    return VaspCalculator(settings["input"], **known)
