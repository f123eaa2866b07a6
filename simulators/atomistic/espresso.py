"""Quantum ESPRESSO as a resource of a lab."""

from __future__ import annotations

import asyncio
import functools
import importlib.metadata
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from orchestrator.errors import DeviceAbsent, InputError
from orchestrator.ports.action import FileArg, Unit
from orchestrator.ports.resource import Bench, Identity
from simulators.atomistic import programs
from simulators.atomistic import pseudopotentials as pseudopotentials_of
from simulators.atomistic.calculators import REUSE, StructureCalculator
from simulators.atomistic.contents import Contents
from simulators.atomistic.curing import ALLOWED
from simulators.atomistic.dft_settings import ORDERS, dft_settings
from simulators.atomistic.options import (
    by_element,
    of_elements,
    one_of,
    pairs,
    value,
)
from simulators.atomistic.requests import Method
from simulators.atomistic.symmetric import CELLS
from simulators.atomistic.vacuum import refuse_empty

RYDBERG_EV = 13.605693122994  # CODATA 2018
SMEARINGS = {"cold": "mv", "gaussian": "gauss", "fermi-dirac": "fd", "methfessel-paxton": "mp"}
SECTIONS = ("control", "system", "electrons")
OURS = (
    *("calculation", "prefix", "outdir", "pseudo_dir", "tprnfor", "tstress", "max_seconds"),
    *("ibrav", "nat", "ntyp", "ecutwfc", "ecutrho", "degauss", "smearing", "occupations"),
    *("input_dft", "conv_thr", "mixing_beta", "electron_maxstep", "lda_plus_u"),
)
"""What other options say, or hagane."""
SOLVING = (
    *("electrons.mixing_beta", "electrons.mixing_mode", "electrons.mixing_ndim"),
    *("electrons.electron_maxstep", "electrons.diagonalization", "electrons.diago_david_ndim"),
)
"""How the electrons are brought to converge; what they converge to does not depend on it."""
CARD_SINCE = (7, 1)
"""The pw.x that reads U from its card HUBBARD, and no longer from the namelist."""
CONVERGENCE_EV = 1e-7
"""Of the energy, per atom."""
_VERSION_TIMEOUT_S = 120.0
_INSTALL = (
    "apt-get install --no-install-recommends quantum-espresso quantum-espresso-data, "
    "or give its path as `command`"
)


class EspressoCalculator(StructureCalculator):
    """Density functional theory with plane waves, by pw.x of Quantum ESPRESSO."""

    packages = ("ase",)
    vendor = "Quantum ESPRESSO"
    method = "pw.x"
    maker = "simulators.atomistic.pwscf:espresso"
    largest: ClassVar[int] = 200

    def __init__(
        self,
        bench: Bench,
        ecutwfc: Annotated[float, Unit("eV", low=50.0, high=5000.0)],
        ecutrho: Annotated[float, Unit("eV", low=0.0)] = 0.0,
        k_density: Annotated[float, Unit("angstrom", low=0.1, high=100.0)] = 3.5,
        smearing: str = "cold",
        width: Annotated[float, Unit("eV", low=0.001, high=2.0)] = 0.1,
        xc: str = "PBE",
        pseudo_dir: Annotated[str, FileArg()] = "",
        pseudopotentials: str = "",
        moments: str = "",
        magnetic_order: str = ORDERS[0],
        hubbard_u: str = "",
        mixing_beta: Annotated[float, Unit("", low=0.001, high=1.0)] = 0.7,
        max_iterations: Annotated[int, Unit("", low=1)] = 100,
        input: str = "",  # noqa: A002  the name that users of pw.x know
        command: str = "pw.x",
        walltime: Annotated[float, Unit("s", low=1.0)] = 0.0,
        cures: str = "safe",
        version: str = "",
        reuse: str = REUSE[0],
        cell: str = CELLS[0],
    ) -> None:
        """Looks for pw.x, unless its version is given, and reads the pseudopotentials' headers.

        Args:
            bench: where it stands.
            ecutwfc: cutoff of the plane waves.
            ecutrho: of the density; else 8 ecutwfc, or 4 where all are norm-conserving.
            k_density: points per 1/angstrom of reciprocal space, 2 pi included.
            smearing: cold [Marzari 1999], gaussian, fermi-dirac, methfessel-paxton, or none.
            width: of the smearing.
            xc: PBE, PBEsol, LDA or BLYP: what the pseudopotentials were made for.
            pseudo_dir: their folder; else Debian's sample.
            pseudopotentials: `Si=Si.pbe.UPF, O=O.pbe.UPF`, where the folder does not tell.
            moments: at first, in Bohr magnetons: `Fe=2.2, O=0`; the calculation is spin-polarised.
            magnetic_order: how they start, ferromagnetic or antiferromagnetic.
            hubbard_u: `Fe=4.3 eV, Ni=6 eV`.
            mixing_beta: of new and old density.
            max_iterations: of the electrons.
            input: whatever else pw.x knows: `system.nosym=.true., electrons.diagonalization=cg`.
            command: `pw.x`, a path, or `mpirun -np 4 pw.x`.
            walltime: of one run of pw.x, which then goes on from what it saved.
            cures: what is tried against failures: none, safe (the energy is the same), all.
            version: of pw.x, where it is only there once a site's prelude has run; each
                calculation looks whether it is that one.
            reuse, cell: see `StructureCalculator`.

        Raises:
            InputError: pw.x or a pseudopotential is missing, or an option is wrong.
        """
        self._said_version = version
        is_here = not version
        self._program = programs.program_of(bench.name, command, _INSTALL, is_here=is_here)
        one_of("smearing", smearing, (*SMEARINGS, "none"))
        one_of("xc", xc, tuple(pseudopotentials_of.FUNCTIONALS))
        one_of("cures", cures, ALLOWED)
        if 0.0 < ecutrho <= ecutwfc:
            raise InputError(
                "'ecutrho' is not above 'ecutwfc': the density has waves twice as short",
                hint="leave it away: it is 8 'ecutwfc', or 4 where all are norm-conserving",
            )
        files = by_element("pseudopotentials", pseudopotentials)
        paths = pseudopotentials_of.chosen(bench.name, pseudo_dir, files, xc)
        self._pseudo = pseudopotentials_of.checked(paths, xc)
        is_soft = any(one.kind != "NC" for one in self._pseudo.values())
        told: dict[str, Any] = {
            "system.ecutwfc": _in_rydberg(ecutwfc),
            "system.ecutrho": _in_rydberg(ecutrho or (8.0 if is_soft else 4.0) * ecutwfc),
            "electrons.mixing_beta": mixing_beta,
            "electrons.electron_maxstep": max_iterations,
            **_smeared(smearing, width),
            **_more(input),
        }
        shared = dft_settings(k_density, "none", 0.0, moments, magnetic_order, hubbard_u)
        settings = {
            "input": {name: told[name] for name in told if name not in SOLVING},
            "k_density": k_density,
            "convergence": CONVERGENCE_EV,
            "moments": shared.moments,
            "hubbard": shared.hubbard_u,
            "xc": xc,
            "cures": cures,
            **({} if magnetic_order == ORDERS[0] else {"magnetic_order": magnetic_order}),
        }
        super().__init__(bench, settings, [], reuse, cell)
        self.has_charge = "system.tot_charge" in told
        self._running = {"input": told, "command": command, "walltime_s": walltime}
        self._running |= {"version": version}

    async def open(self) -> None:
        """Asks pw.x for its version. Raises DeviceAbsent: it does not say."""
        await asyncio.to_thread(self._version)

    async def identify(self) -> Identity:
        """pw.x, and the version that it says."""
        version = await asyncio.to_thread(self._version)
        return Identity(self.vendor, self.method, firmware=version)

    def check(self, action: str, arguments: Mapping[str, Any]) -> None:
        """See `ports.resource.Foresighted`. Raises InputError: the command is not pw.x, too."""
        try:
            self._version()
        except DeviceAbsent as error:
            raise InputError(str(error), hint=_INSTALL) from error
        super().check(action, arguments)

    def _version(self) -> str:
        if self._said_version:
            return self._said_version
        return _version_of(self._bench.name, self._program, Path(self._program).stat().st_mtime_ns)

    def _refuse(self, held: Contents) -> None:
        super()._refuse(held)
        cutoff = float(self._settings["input"]["system.ecutwfc"]) * RYDBERG_EV
        refuse_empty(self._bench.name, held.formula, held.boxed, cutoff)
        told, said = self._settings["input"], self._settings["moments"]
        has_spin = held.is_magnetic or any(said.get(each) for each in held.symbols)
        is_fixed = told["system.occupations"] == "fixed" and self._settings["cures"] != "all"
        if has_spin and is_fixed and "system.tot_magnetization" not in told:
            raise InputError(
                f"{held.formula} has a spin, which pw.x computes without smearing only where the "
                "whole moment is said",
                hint="take a `smearing`, or say `input: system.tot_magnetization=...`",
            )
        lacking = pseudopotentials_of.missing(self._bench.name, held.symbols, self._pseudo)
        if lacking is not None:
            raise lacking

    def _method_of(self, atoms: Any) -> Method:
        """With what concerns the elements of a structure, and nothing else."""
        present = sorted(set(atoms.symbols))
        settings = {
            **self._settings,
            "moments": of_elements(self._settings["moments"], atoms),
            "hubbard": of_elements(self._settings["hubbard"], atoms),
        }
        versions = {
            "pw.x": self._version(),
            "ase": importlib.metadata.version("ase"),
            **{element: self._pseudo[element].digest for element in present},
        }
        return Method(self.maker, settings, versions)

    def _running_with(self, atoms: Any) -> dict[str, Any]:
        files = {e: str(self._pseudo[e].path) for e in sorted(set(atoms.symbols))}
        has_card = _numbers_of(self._version()) >= CARD_SINCE
        return {**self._running, "pseudopotentials": files, "has_card": has_card}


@functools.cache
def _version_of(resource: str, program: str, changed_ns: int) -> str:
    """What pw.x says at its start; it ends because it is given no input."""
    try:
        with tempfile.TemporaryDirectory() as folder:  # it leaves its input behind
            said = subprocess.run(
                [program],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_VERSION_TIMEOUT_S,
                check=False,
                cwd=folder,
            ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeviceAbsent(resource, f"{program} does not run: {error}") from error
    version = re.search(r"Program PWSCF\s+v\.(\S+)", said)
    if version is None:
        raise DeviceAbsent(resource, f"{program} is not pw.x: it says no version")
    return version[1]


def _numbers_of(version: str) -> tuple[int, ...]:
    """(6, 7) of `6.7MaX`."""
    return tuple(int(each) for each in re.findall(r"\d+", version)[:2])


def _in_rydberg(value_ev: float) -> float:
    return round(value_ev / RYDBERG_EV, 6)


def _smeared(smearing: str, width_ev: float) -> dict[str, Any]:
    if smearing == "none":
        return {"system.occupations": "fixed"}
    return {
        "system.occupations": "smearing",
        "system.smearing": SMEARINGS[smearing],
        "system.degauss": _in_rydberg(width_ev),
    }


def _more(text: str) -> dict[str, Any]:
    """What stands in the option `input`. Raises InputError: it is for another option to say."""
    found = {}
    for name, said in pairs("input", text).items():
        section, _, key = name.lower().partition(".")
        if section not in SECTIONS or not key:
            raise InputError(
                f"'{name}' in 'input' is in none of pw.x's namelists",
                hint="write `system.nosym=.true., electrons.diagonalization=cg`",
            )
        if key in OURS:
            raise InputError(f"'{name}' in 'input' is for another option to say, or for hagane")
        found[f"{section}.{key}"] = value(said)
    return found
