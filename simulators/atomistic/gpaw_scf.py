"""GPAW in the child process of a calculation: what it is told, what its failures look like and what
is tried against them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ase.calculators.calculator import Calculator, all_changes

from simulators.atomistic.curing import cured
from simulators.atomistic.dft_settings import shell_of, start_moments
from simulators.atomistic.failures import Code, Cure, Failure, Pattern, Settings, scaled
from simulators.atomistic.symmetric import on_its_symmetry
from simulators.atomistic.vacuum import boxed

_OUTPUT = "gpaw.txt"
_PROPERTIES = ("energy", "free_energy", "forces", "stress", "magmom", "magmoms")


def _gentler(settings: Settings) -> Settings | None:
    """Pulay's mixing with less of the new density and a longer memory."""
    beta = float(settings.get("mixer.beta", 0.05))
    return {"mixer.beta": 0.4 * beta, "mixer.nmaxold": 16} if beta > 0.01 else None


def _more_steps(settings: Settings) -> Settings | None:
    steps = int(settings["maxiter"])
    return {"maxiter": max(200, 2 * steps)} if steps < 800 else None


GPAW_CODE = Code(
    name="GPAW",
    patterns=(
        Pattern(Failure.MEMORY, r"MemoryError|[Cc]annot allocate|[Uu]nable to allocate"),
        Pattern(Failure.DISK, r"No space left on device|[Dd]isk quota exceeded"),
        Pattern(
            Failure.PSEUDOPOTENTIAL, r"Could not find required PAW dataset.*|FileNotFoundError.*"
        ),
        Pattern(
            Failure.INPUT,
            r"Setup has \d+ radial partial waves .*|Must be 1 or 2 for DFT\+U|"
            r"DFT\+U correction cannot be scaled.*",
        ),
        Pattern(Failure.STRUCTURE, r"Atoms too close.*"),
        Pattern(Failure.BANDS, r"TooFewBandsError.*|[Tt]oo few bands.*"),
        Pattern(Failure.NOT_CONVERGED, r"KohnShamConvergenceError.*|Did not converge!.*"),
        Pattern(Failure.EIGENVALUES, r"LinAlgError.*|leading minor .* not positive"),
    ),
    cures=(
        Cure("more steps", (Failure.NOT_CONVERGED,), _more_steps, times=2),
        Cure("less mixing", (Failure.NOT_CONVERGED, Failure.EIGENVALUES), _gentler, times=2),
        Cure(
            "more bands",
            (Failure.BANDS,),
            scaled("empty_bands", 2.0, 1.0, most=16.0),
            times=2,
        ),
        Cure(
            "wider smearing",
            (Failure.NOT_CONVERGED,),
            scaled("width_ev", 2.0, 0.1, most=0.8),
            changes_energy=True,
            times=2,
        ),
    ),
    outputs=(_OUTPUT,),
)


def gpaw(atoms: Any, **settings: Any) -> Any:
    """An ASE calculator [Mortensen et al. 2024, doi:10.1063/5.0182685]; see `Gpaw`."""
    return Gpaw(**settings)


class Gpaw(Calculator):
    """Energies (eV; extrapolated to no smearing), forces (eV/angstrom), stress (eV/angstrom^3),
    moments (Bohr magnetons).

    Args:
        cutoff: of the plane waves, in eV.
        xc: the functional.
        mesh: k-points along the reciprocal vectors, around Gamma.
        smearing, width_ev, moments, magnetic_order, hubbard_u: see `dft_settings`.
        max_iterations: of the electrons.
        cures: one of `curing.ALLOWED`.
    """

    implemented_properties = [*_PROPERTIES]  # noqa: RUF012  as ASE has it

    def __init__(
        self,
        *,
        cutoff: float,
        xc: str,
        mesh: tuple[int, int, int],
        smearing: str,
        width_ev: float,
        moments: Mapping[str, float],
        magnetic_order: str,
        hubbard_u: Mapping[str, float],
        max_iterations: int,
        cures: str,
    ) -> None:
        """Nothing is computed."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._cutoff, self._xc, self._mesh, self._smearing = cutoff, xc, tuple(mesh), smearing
        self._moments, self._order, self._u = moments, magnetic_order, hubbard_u
        self._cures = cures
        self._told = {"maxiter": max_iterations, "width_ev": width_ev}

    def calculate(
        self,
        atoms: Any = None,
        properties: Any = ("energy",),
        system_changes: Any = tuple(all_changes),
    ) -> None:
        """See ASE. Raises as `curing.cured`."""
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        given: Any = self.atoms
        told = on_its_symmetry(given) if given.cell.rank == 3 else boxed(given)
        start_moments(told, self._moments, self._order)
        wanted = set(properties) | {"energy", "forces"}
        if all(told.pbc):
            wanted.add("stress")
        self.results = cured(
            GPAW_CODE,
            self._told,
            lambda settings, directory, source: self._run(told, wanted, settings, directory),
            allowed=self._cures,
        )

    def _run(
        self, atoms: Any, wanted: set[str], settings: Settings, directory: Path
    ) -> dict[str, Any]:
        """All that is wanted, of one attempt."""
        from gpaw import GPAW

        computed = atoms.copy()
        more: dict[str, Any] = {}
        if "mixer.beta" in settings:
            more["mixer"] = {
                "name": "pulay",
                "beta": settings["mixer.beta"],
                "nmaxold": settings["mixer.nmaxold"],
            }
        if "empty_bands" in settings:
            more["nbands"] = f"{100 * (1 + settings['empty_bands']):.0f}%"
        computed.calc = GPAW(
            mode={"name": "pw", "ecut": self._cutoff},
            xc=self._xc,
            kpts={"size": self._mesh, "gamma": True},
            occupations=occupations_of(self._smearing, settings["width_ev"]),
            setups={
                element: f":{shell_of(element)},{u:g}"
                for element, u in self._u.items()
                if element in set(atoms.symbols)
            },
            maxiter=settings["maxiter"],
            txt=str(directory / _OUTPUT),
            **more,
        )
        computed.get_potential_energy()
        for name in sorted(wanted - {"energy"}):
            computed.calc.get_property(name, computed)
        results = computed.calc.results
        return {name: results[name] for name in _PROPERTIES if name in results}


def occupations_of(smearing: str, width_ev: float) -> dict[str, Any]:
    """How GPAW says a smearing."""
    match smearing:
        case "none":
            return {"name": "fermi-dirac", "width": 0.0}
        case "cold":
            return {"name": "marzari-vanderbilt", "width": width_ev}
        case "gaussian":
            return {"name": "methfessel-paxton", "order": 0, "width": width_ev}
        case "methfessel-paxton":
            return {"name": "methfessel-paxton", "order": 1, "width": width_ev}
        case _:
            return {"name": smearing, "width": width_ev}
