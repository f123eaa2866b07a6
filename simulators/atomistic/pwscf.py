"""pw.x of Quantum ESPRESSO through ASE, in the child process of a calculation: what it is told,
what its failures look like and what is tried against them.

[Giannozzi et al. 2017, doi:10.1088/1361-648X/aa8f79]; names as in INPUT_PW of version 6.7.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.espresso import Espresso, EspressoProfile
from ase.units import Ry

from orchestrator.errors import ExecutionError
from simulators.atomistic import programs
from simulators.atomistic.curing import cured
from simulators.atomistic.dft_settings import manifold_of, start_moments
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
from simulators.atomistic.options import SPIN_WORDS
from simulators.atomistic.pseudopotentials import read
from simulators.atomistic.symmetric import on_its_symmetry
from simulators.atomistic.vacuum import boxed

PREFIX = "pwscf"
SAVED = (
    f"{PREFIX}.save",
    f"{PREFIX}.wfc*",
    f"{PREFIX}.mix*",
    f"{PREFIX}.hub*",
    f"{PREFIX}.restart_*",
    f"{PREFIX}.xml",
)
_UNSETTLED = (Failure.NOT_CONVERGED, Failure.OSCILLATING)


def _gentler(settings: Settings) -> Settings | None:
    """Mixes less of the new density, and remembers at least eight."""
    beta = float(settings.get("electrons.mixing_beta", 0.7))
    new = 0.3 if beta > 0.3 else round(0.4 * beta, 4)
    if new < 0.01:
        return None
    known = {"electrons.mixing_beta": new}
    if settings.get("electrons.mixing_ndim", 8) < 8:
        known["electrons.mixing_ndim"] = 8
    return known


def _more_steps(settings: Settings) -> Settings | None:
    steps = int(settings.get("electrons.electron_maxstep", 100))
    return {"electrons.electron_maxstep": max(100, 2 * steps)} if steps < 400 else None


def _wider(settings: Settings) -> Settings | None:
    if settings.get("system.occupations") != "smearing":
        return None
    return scaled("system.degauss", 2.0, 0.01, most=0.05)(settings)


def _own_bands(settings: Settings) -> Settings | None:
    """As many as pw.x takes by itself; those of the lab file are too few for this structure."""
    return {"system.nbnd": None} if settings.get("system.nbnd") else None


def _error_in(*routines: str) -> str:
    """What pw.x prints when it stops in one of these, with the line that says why."""
    return rf"Error in routine +({'|'.join(routines)}) \(.*\n.*"


PW = Code(
    name="pw.x",
    patterns=(
        Pattern(Failure.WALLTIME, r"Maximum CPU time exceeded"),
        *SURROUNDINGS,
        Pattern(
            Failure.PSEUDOPOTENTIAL,
            r"xmltools\.f90|tag PP_\w+ not found|"
            + _error_in("readpp", r"read_upf\w*", "read_ncpp", "set_dft_from_name", "scan_begin"),
        ),
        Pattern(
            Failure.SYMMETRY,
            _error_in(
                "cell_base_init", "latgen", r"sgam\w*", r"symm\w*", r"divide\w*", "checkallsym"
            )
            + r"|invalid lattice parameters|wrong ibrav|not a group",
        ),
        Pattern(Failure.STRUCTURE, _error_in("check_atoms")),
        Pattern(Failure.BANDS, r"too few bands"),
        Pattern(
            Failure.OCCUPATIONS,
            r"smearing is needed|system is metallic|fixed occupations and|"
            + _error_in("iweights", r"efermi\w*"),
        ),
        Pattern(
            Failure.EIGENVALUES,
            r"too many bands are not converged|S matrix not positive|eigenvectors failed|"
            + _error_in("c_bands", "[cr]diaghg", r"\w*egterg", "zpotrf"),
        ),
        Pattern(Failure.NOT_CONVERGED, r"convergence NOT achieved"),
        Pattern(Failure.INPUT, _error_in("read_namelists", "read_cards", r"card_\w+", "iosys")),
        Pattern(Failure.UNKNOWN, _error_in(r"\w+") + rf"|Fortran runtime error.*|{CRASHED}"),
    ),
    cures=(
        Cure("less mixing", (Failure.OSCILLATING,), _gentler, times=3),
        Cure(
            "more steps from the saved density",
            (Failure.NOT_CONVERGED,),
            _more_steps,
            restarts=True,
            times=2,
        ),
        Cure("mixing by local density", _UNSETTLED, put({"electrons.mixing_mode": "local-TF"})),
        Cure(
            "diagonalisation by conjugate gradients",
            (Failure.EIGENVALUES, *_UNSETTLED),
            put({"electrons.diagonalization": "cg"}),
        ),
        Cure(
            "less memory",
            (Failure.MEMORY,),
            put({"electrons.diagonalization": "cg", "electrons.mixing_ndim": 4}),
        ),
        Cure("as many bands as pw.x takes", (Failure.BANDS,), _own_bands),
        Cure("no symmetry", (Failure.SYMMETRY,), put({"system.nosym": True})),
        Cure("on from what was saved", (Failure.WALLTIME,), again, restarts=True, times=3),
        Cure("again", (Failure.KILLED, Failure.NOT_STARTED), again),
        Cure("wider smearing", _UNSETTLED, _wider, changes_energy=True, times=2),
        Cure(
            "smearing",
            (Failure.OCCUPATIONS,),
            put(
                {"system.occupations": "smearing", "system.smearing": "mv", "system.degauss": 0.01}
            ),
            changes_energy=True,
        ),
    ),
    outputs=("espresso.pwo", "espresso.err", "CRASH"),
    residual=r"estimated scf accuracy +< +(\S+) Ry",
    bulky=SAVED,
    began=r"Program PWSCF",
    ranks=r"(?:Number of MPI processes: +|Parallel version \(MPI\), running on +)(\d+)",
    spent=r"^ +PWSCF +:((?: *[\d.]+ *[dhms])+) CPU",
)


class Pwscf(Calculator):
    """Energies (eV; with smearing the free energy, which the forces belong to), forces
    (eV/angstrom), stress (eV/angstrom^3), moments (Bohr magnetons).

    Args:
        settings: of the namelists, flat, in pw.x's units: `{"system.ecutwfc": 45.0}`.
        pseudopotentials: the file of each element.
        mesh: k-points along the reciprocal vectors.
        convergence: of the energy, in eV per atom.
        moments, hubbard: per element, in Bohr magnetons (unless the structure has its own) and eV.
        magnetic_order: how moments start, see `dft_settings`.
        command: runs pw.x.
        walltime_s: of one run; 0 is none.
        cures: one of `curing.ALLOWED`.
        version: which pw.x it must be; '' for any.
        has_card: whether U is said in the card HUBBARD, which is so from pw.x 7.1 on.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress", "magmoms"]  # noqa: RUF012

    def __init__(
        self,
        settings: Mapping[str, Any],
        pseudopotentials: Mapping[str, str],
        mesh: tuple[int, int, int],
        *,
        convergence: float,
        moments: Mapping[str, float],
        hubbard: Mapping[str, float],
        command: str = "pw.x",
        walltime_s: float = 0.0,
        cures: str = "safe",
        magnetic_order: str = "ferromagnetic",
        version: str = "",
        has_card: bool = False,
    ) -> None:
        """Nothing is run."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._settings, self._mesh = dict(settings), tuple(mesh)
        self._files = {element: Path(path) for element, path in pseudopotentials.items()}
        self._convergence, self._moments, self._hubbard = convergence, moments, hubbard
        self._command, self._walltime_s, self._cures = command, walltime_s, cures
        self._order, self._version, self._has_card = magnetic_order, version, has_card

    def calculate(
        self,
        atoms: Any = None,
        properties: Any = ("energy",),
        system_changes: Any = tuple(all_changes),
    ) -> None:
        """See ASE; all properties are computed at once. Raises as `curing.cured`."""
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        told = self._prepared(self.atoms)
        keep = {
            "command": self._command,
            "pseudopotentials": {e: [str(p), read(p).digest] for e, p in self._files.items()},
        }
        self.results = cured(
            PW,
            self._told(told),
            lambda settings, directory, source: self._run(told, settings, directory, source),
            allowed=self._cures,
            keep=keep,
            density_of=self._density_of(told),
        )

    def _density_of(self, atoms: Any) -> str:
        """What the next step may begin from. None with a spin, which would stay what it was at the
        volume before, nor with a U, whose occupations are found anew."""
        words = self._settings.keys() & SPIN_WORDS
        has_spin = words or atoms.get_initial_magnetic_moments().any()
        return "" if has_spin or self._hubbard else " ".join(atoms.symbols)

    def _prepared(self, atoms: Any) -> Any:
        """With the moments as pw.x wants them, in parts of the valence; a molecule in a box."""
        told = boxed(on_its_symmetry(atoms))
        told.pbc = True
        start_moments(told, self._moments, self._order)
        moments = told.get_initial_magnetic_moments()
        told.set_initial_magnetic_moments(
            [m / read(self._files[s]).valence for m, s in zip(moments, told.symbols, strict=True)]
        )
        return told

    def _told(self, atoms: Any) -> dict[str, Any]:
        told = {
            "control.calculation": "scf",
            "control.prefix": PREFIX,
            "control.outdir": ".",
            "control.tprnfor": True,
            "control.tstress": True,
            "electrons.conv_thr": self._convergence / Ry * len(atoms),
            **self._settings,
        }
        if self._walltime_s:
            told["control.max_seconds"] = self._walltime_s
        values = {e: u for e, u in self._hubbard.items() if e in atoms.symbols}
        if values and not self._has_card:
            told["system.lda_plus_u"] = True
            for number, element in enumerate(_species(atoms), start=1):
                if element in values:
                    told[f"system.Hubbard_U({number})"] = values[element]
        return told

    def _cards(self, atoms: Any) -> list[str]:
        """U of each species, by the label that ASE gives it; on the projectors that the namelist
        took by itself, so that it is the same U."""
        species = _species(atoms)
        counts = [species[:number].count(element) for number, element in enumerate(species)]
        lines = [
            f"U {element}{count or ''}-{manifold_of(element)} {self._hubbard[element]:g}"
            for element, count in zip(species, counts, strict=True)
            if element in self._hubbard
        ]
        return ["HUBBARD {atomic}", *lines] if lines and self._has_card else []

    def _run(
        self, atoms: Any, settings: Settings, directory: Path, source: Path | None
    ) -> dict[str, Any]:
        told = {name: value for name, value in settings.items() if value is not None}
        if source is not None and _moved(source, directory):
            told["electrons.startingpot"] = "file"
        nested: dict[str, dict[str, Any]] = {"control": {}, "system": {}, "electrons": {}}
        for key, value in told.items():
            section, _, name = key.partition(".")
            nested.setdefault(section, {})[name] = value
        folder = _common_folder(self._files)
        calculator: Any = Espresso(
            profile=_Profile(self._command, folder, walltime_s=self._walltime_s),
            directory=directory,
            input_data=nested,
            pseudopotentials={e: str(p.relative_to(folder)) for e, p in self._files.items()},
            kpts=self._mesh,
            additional_cards=self._cards(atoms),
        )
        calculator.calculate(atoms, ["energy", "forces", "stress"], all_changes)
        said = (directory / "espresso.pwo").read_text()
        self._refuse_other_versions(said)
        if "convergence has been achieved" not in said:
            raise RuntimeError("pw.x ended before the electrons converged")
        return {**calculator.results, **_site_moments(said, len(atoms))}

    def _refuse_other_versions(self, said: str) -> None:
        """Raises ExecutionError: the result would be kept as that of another version."""
        found = re.search(r"Program PWSCF\s+v\.(\S+)", said)
        if self._version and found is not None and found[1] != self._version:
            raise ExecutionError(
                f"this is pw.x {found[1]}, and the lab file says `version: {self._version}`"
            )


class _Profile(EspressoProfile):
    """Runs pw.x so that it dies with this process; how it ended is read from what it wrote."""

    def __init__(self, command: str, pseudo_dir: Path, *, walltime_s: float) -> None:
        super().__init__(command, pseudo_dir)  # type: ignore[no-untyped-call]
        self._walltime_s = walltime_s

    def run(
        self,
        directory: Path,
        inputfile: str | None,
        outputfile: str,
        errorfile: str | None = None,
        append: bool = False,
    ) -> None:
        """See ASE; raises nothing for an exit code."""
        programs.run(
            f"{self.command} -in {inputfile}",
            Path(directory),
            output=outputfile,
            error=errorfile or "espresso.err",
            walltime_s=self._walltime_s,
        )


def espresso(atoms: Any, **settings: Any) -> Pwscf:
    """The calculator of a method, made of its settings."""
    known = {name: value for name, value in settings.items() if name not in ("input", "xc")}
    return Pwscf(settings["input"], **known)


def _site_moments(said: str, n: int) -> dict[str, Any]:
    """Bohr magnetons within a sphere around each of n atoms, as pw.x says them last: ASE takes the
    last number of a line, which in version 6 is that of a constraint."""
    import numpy as np

    found = re.findall(r"^ +atom:? +\d+ .*?magn[:=] +(\S+)", said, re.MULTILINE)
    return {"magmoms": np.array(found[-n:], float)} if found else {}


def _species(atoms: Any) -> list[str]:
    """The element of each species, in the order in which ASE writes them."""
    moments = atoms.get_initial_magnetic_moments()
    pairs = zip(atoms.symbols, moments, strict=True)
    return [symbol for symbol, _ in dict.fromkeys(pairs)]


def _common_folder(files: Mapping[str, Path]) -> Path:
    """One folder from which all files can be named, for pw.x knows but one."""
    folders = {path.parent for path in files.values()}
    return folders.pop() if len(folders) == 1 else Path("/")


def _moved(source: Path, directory: Path) -> bool:
    """Moves what an attempt saved into the next one's directory; whether a density is there."""
    for name in SAVED:
        for path in source.glob(name):
            shutil.move(path, directory / path.name)
    return any((directory / f"{PREFIX}.save").glob("charge-density.*"))
