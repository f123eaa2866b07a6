"""VASP as a resource of a lab. It was never run by us."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import itertools
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from orchestrator.errors import InputError
from orchestrator.ports.action import FileArg, Unit
from orchestrator.ports.resource import Bench, Identity
from simulators.atomistic import programs
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

SMEARINGS = {"gaussian": 0, "methfessel-paxton": 1, "fermi-dirac": -1, "tetrahedron": -5}
OURS = (
    *("encut", "ismear", "sigma", "nsw", "ibrion", "isif", "kspacing", "nelm", "magmom", "ispin"),
    *("ldau", "ldaul", "ldauu", "ldauj", "ldau_luj", "xc", "pp", "pp_version", "setups", "kpts"),
    *("gamma", "reciprocal", "charge", "net_charge", "custom", "txt", "ignore_constraints"),
)
"""What other options say, or hagane; and words that ASE would take for its own."""
SOLVING = (
    *("nelm", "algo", "amix", "bmix", "amix_mag", "bmix_mag", "ncore", "npar", "kpar", "nsim"),
    *("lwave", "lcharg"),
)
"""How the electrons are brought to converge, and where; what to does not depend on it."""


class VaspStructures(StructureCalculator):
    """Density functional theory by VASP, through ASE. Never run by us: inputs are tested, and the
    texts of failures that are known."""

    packages = ("ase",)
    vendor = "VASP"
    method = "VASP"
    maker = "simulators.atomistic.vasprun:vasp"
    largest: ClassVar[int] = 200

    def __init__(
        self,
        bench: Bench,
        encut: Annotated[float, Unit("eV", low=50.0, high=5000.0)],
        version: str,
        k_density: Annotated[float, Unit("angstrom", low=0.1, high=100.0)] = 3.5,
        smearing: str = "gaussian",
        width: Annotated[float, Unit("eV", low=0.001, high=2.0)] = 0.05,
        xc: str = "PBE",
        potcars: Annotated[str, FileArg()] = "",
        setups: str = "",
        moments: str = "",
        magnetic_order: str = ORDERS[0],
        hubbard_u: str = "",
        max_iterations: Annotated[int, Unit("", low=1)] = 100,
        incar: str = "",
        command: str = "vasp_std",
        walltime: Annotated[float, Unit("s", low=1.0)] = 0.0,
        cures: str = "safe",
        reuse: str = REUSE[0],
        cell: str = CELLS[0],
    ) -> None:
        """Looks for VASP and its potentials.

        Args:
            bench: where it stands.
            encut: cutoff of the plane waves.
            version: of VASP, which it says only when it computes; a part of each result's key.
            k_density: points per 1/angstrom of reciprocal space, 2 pi included.
            smearing: gaussian, methfessel-paxton, fermi-dirac, or tetrahedron.
            width: of the smearing.
            xc: a functional as ASE calls it (PBE, PBEsol, SCAN), with the potentials of PBE.
            potcars: the folder of the elements' folders; else potpaw_PBE below VASP_PP_PATH.
            setups: `Fe=Fe_pv, O=O_s`; else the element's own name.
            moments: at first, in Bohr magnetons: `Fe=2.2, O=0`.
            magnetic_order: how they start, ferromagnetic or antiferromagnetic.
            hubbard_u: `Fe=4.3 eV`, after Dudarev.
            max_iterations: of the electrons.
            incar: whatever else VASP knows: `lasph=.true., prec=Accurate`.
            command: `vasp_std`, a path, or `mpirun -np 16 vasp_std`.
            walltime: of one run.
            cures: what is tried against failures: none, safe (the energy is the same), all.
            reuse, cell: see `StructureCalculator`.

        Raises:
            InputError: VASP or its potentials are missing, or an option is wrong.
        """
        hint = "VASP has a licence of its own; give its path as `command`"
        programs.program_of(bench.name, command, hint)
        one_of("smearing", smearing, tuple(SMEARINGS))
        one_of("cures", cures, ALLOWED)
        one_of("xc", xc.lower(), _functionals())
        self._folder = _folder(bench.name, potcars)
        self._setups = _setups(setups)
        more = {name.lower(): value(said) for name, said in pairs("incar", incar).items()}
        for name in more:
            if name in OURS:
                raise InputError(f"'{name}' in 'incar' is for another option to say, or for hagane")
        told: dict[str, Any] = {
            **{"xc": xc, "encut": encut, "ismear": SMEARINGS[smearing], "sigma": width},
            **{"nelm": max_iterations, "ediff": 1e-6, "nsw": 0, "lwave": True, "lcharg": True},
            **more,
        }
        shared = dft_settings(k_density, "none", 0.0, moments, magnetic_order, hubbard_u)
        settings = {
            "input": {name: told[name] for name in told if name not in SOLVING},
            "k_density": k_density,
            "moments": shared.moments,
            "hubbard": shared.hubbard_u,
            "cures": cures,
            **({} if magnetic_order == ORDERS[0] else {"magnetic_order": magnetic_order}),
        }
        super().__init__(bench, settings, [], reuse, cell)
        self.has_charge = "nelect" in told
        self._said_version = version
        self._told = told
        self._running = {"input": told, "command": command, "walltime_s": walltime}

    async def identify(self) -> Identity:
        """VASP, and the version that the lab file says."""
        return Identity(self.vendor, self.method, firmware=self._said_version)

    def remarks(self) -> Sequence[str]:
        """As all calculators; and words of the INCAR that may be misspelt."""
        unknown = sorted(set(self._told) - _tags())
        words = ", ".join(f"'{name}'" for name in unknown)
        said = f"{words} in 'incar' of '{self._bench.name}': ASE knows no such tag of VASP, and"
        more = [f"{said} VASP passes over what it does not know"] if unknown else []
        return [*super().remarks(), *more]

    def _refuse(self, held: Contents) -> None:
        super()._refuse(held)
        encut = self._settings["input"]["encut"]
        refuse_empty(self._bench.name, held.formula, held.boxed, encut)
        elements = sorted(set(held.symbols))
        lacking = [e for e in elements if not self._potcar(e).is_file()]
        if lacking:
            raise InputError(
                f"'{self._bench.name}' has no POTCAR of {', '.join(lacking)}",
                hint=f"looked for {self._potcar(lacking[0])}; see `setups` and `potcars`",
            )

    def _method_of(self, atoms: Any) -> Method:
        """With what concerns the elements of a structure, and nothing else."""
        elements = sorted(set(atoms.symbols))
        settings = {
            **self._settings,
            "moments": of_elements(self._settings["moments"], atoms),
            "hubbard": of_elements(self._settings["hubbard"], atoms),
        }
        versions = {"vasp": self._said_version, "ase": importlib.metadata.version("ase")}
        for element in elements:
            digest = hashlib.sha256(self._potcar(element).read_bytes()).hexdigest()
            versions[element] = digest[:16]
        return Method(self.maker, settings, versions)

    def _running_with(self, atoms: Any) -> dict[str, Any]:
        folders = {e: str(self._potcar(e).parent) for e in sorted(set(atoms.symbols))}
        return {**self._running, "potentials": folders}

    def _potcar(self, element: str) -> Path:
        return self._folder / self._setups.get(element, element) / "POTCAR"


def _functionals() -> tuple[str, ...]:
    """As ASE calls them, in small letters."""
    from ase.calculators.vasp import Vasp

    return tuple(Vasp.xc_defaults)


@functools.cache
def _tags() -> frozenset[str]:
    """Of an INCAR, as far as ASE knows them."""
    from ase.calculators.vasp import create_input

    lists = [words for name, words in vars(create_input).items() if name.endswith("_keys")]
    return frozenset(itertools.chain(("xc",), *lists))


def _setups(text: str) -> dict[str, str]:
    """The folder of each element that is not called as the element is: `Fe_pv`, `H1.25`. Raises
    InputError."""
    found = by_element("setups", text)
    for element, name in found.items():
        if not re.fullmatch(rf"{element}([_.\d].*)?", name):
            raise InputError(
                f"'{name}' in 'setups' is no potential of {element}",
                hint=f"name a folder such as {element}_pv",
            )
    return found


def _folder(resource: str, folder: str) -> Path:
    """Of the elements' folders. Raises InputError."""
    if folder:
        found = Path(folder).expanduser()
        if found.is_dir():
            return found.resolve()
        raise InputError(f"there is no folder {found}", hint="see `potcars`")
    root = os.environ.get("VASP_PP_PATH", "")
    names = ("potpaw_PBE", "potpaw_PBE.64", "potpaw_PBE.54", "potpaw_PBE.52")
    for name in names if root else ():
        if (Path(root) / name).is_dir():
            return (Path(root) / name).resolve()
    raise InputError(
        f"'{resource}' has no POTCARs",
        hint="set VASP_PP_PATH to the folder that holds potpaw_PBE, or name it as `potcars`",
    )
