"""GPAW: density functional theory with projector augmented waves, here in a basis of plane waves.

Its energies are those that GPAW extrapolates to no smearing. Every mesh is centred on Gamma and has
the same density, so that energies of different cells may be subtracted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from orchestrator.errors import InputError, UnknownName
from orchestrator.ports.action import Unit
from orchestrator.ports.resource import Bench
from simulators.atomistic import methods
from simulators.atomistic.calculators import REUSE, StructureCalculator
from simulators.atomistic.contents import Contents
from simulators.atomistic.curing import ALLOWED
from simulators.atomistic.dft_settings import dft_settings
from simulators.atomistic.options import of_elements, one_of
from simulators.atomistic.requests import Method
from simulators.atomistic.symmetric import CELLS
from simulators.atomistic.vacuum import refuse_empty
from simulators.calculator import Calculator

SETUPS: Mapping[str, str] = {"LDA": "LDA", "PBE": "PBE", "RPBE": "RPBE", "PBEsol": "PBE"}
"""The setups that GPAW takes for each functional."""


class Gpaw(StructureCalculator):
    """Density functional theory by GPAW, in plane waves up to `cutoff`; `xc` is LDA, PBE, RPBE or
    PBEsol; `max_iterations` of the electrons. `cures` are tried when they do not converge: none,
    safe (the energy is the same), all (a wider smearing too). For all else see
    `simulators.atomistic.dft_settings`."""

    packages = ("gpaw", "gpaw-data", "ase")
    extras = "gpaw"
    method = "GPAW, plane waves"
    maker = "simulators.atomistic.gpaw_scf:gpaw"
    largest: ClassVar[int] = 200

    def __init__(
        self,
        bench: Bench,
        cutoff: Annotated[float, Unit("eV", low=100.0, high=2000.0)] = 400.0,
        k_density: Annotated[float, Unit("angstrom", low=0.1, high=100.0)] = 3.5,
        xc: str = "PBE",
        smearing: str = "fermi-dirac",
        width: Annotated[float, Unit("eV", low=0.001, high=2.0)] = 0.1,
        moments: str = "",
        magnetic_order: str = "ferromagnetic",
        hubbard_u: str = "",
        max_iterations: int = 200,
        cures: str = "safe",
        reuse: str = REUSE[0],
        cell: str = CELLS[0],
    ) -> None:
        """Looks whether the setups are there.

        Raises:
            InputError: GPAW is not installed, or a setting is none.
        """
        Calculator.__init__(self, bench)
        if xc not in SETUPS:
            raise UnknownName("functional", xc, SETUPS)
        one_of("cures", cures, ALLOWED)
        if max_iterations < 1:
            raise InputError(f"'max_iterations' is 1 at least, not {max_iterations}")
        shared = dft_settings(k_density, smearing, width, moments, magnetic_order, hubbard_u)
        files = [
            file
            for file in methods.weights_of("gpaw_data", "setups")
            if file.name.endswith(f".{SETUPS[xc]}.gz") and file.name.count(".") == 2
        ]
        own = {"cutoff": cutoff, "xc": xc, "cures": cures}
        super().__init__(bench, {**own, **shared.plain()}, files, reuse, cell)
        self._running = {"max_iterations": max_iterations}
        self._known = frozenset(file.name.partition(".")[0] for file in files)

    def _method_of(self, atoms: Any) -> Method:
        names = ("moments", "hubbard_u")
        own = {name: of_elements(self._settings[name], atoms) for name in names}
        method = Method(self.maker, {**self._settings, **own}, self._method.versions)
        return of_layers(method, atoms)

    def _running_with(self, atoms: Any) -> dict[str, Any]:
        return self._running

    def _refuse(self, held: Contents) -> None:
        super()._refuse(held)
        refuse_empty(self._bench.name, held.formula, held.volume, self._settings["cutoff"])
        for element in dict.fromkeys(held.symbols):
            if element not in self._known:
                raise InputError(
                    f"GPAW has no {SETUPS[self._settings['xc']]} setup of {element}",
                    hint=f"'{self._bench.name}' knows {', '.join(sorted(self._known))}",
                )


def of_layers(method: Method, atoms: Any) -> Method:
    """The method, told from what it was where a layer or a wire brings no third vector: it once
    stood in a box in all directions, and such results are kept."""
    is_one = any(atoms.pbc) and atoms.cell.rank < 3
    return replace(method, versions={**method.versions, "layers": "repeat"}) if is_one else method
