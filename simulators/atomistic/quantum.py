"""Molecules by quantum chemistry, as PySCF computes them; an ASE calculator.

[Sun et al. 2020, doi:10.1063/5.0006074.] Core electrons are not correlated; of
heavy atoms they are the potentials that belong to the basis set. Charge and spin are the
sums of the atoms' initial charges and magnetic moments, rounded.
"""

from __future__ import annotations

import contextlib
import warnings
from typing import Any

from ase.calculators.calculator import Calculator, all_changes
from ase.units import Bohr, Hartree

WAVE_FUNCTIONS = ("HF", "MP2", "CCSD", "CCSD(T)")
MAX_CYCLES = 200
GRID = 3


class PySCF(Calculator):
    """`method` is HF, MP2, CCSD or CCSD(T), or else a functional that PySCF knows (PBE, B3LYP).

    `grid` is the fineness of a functional's grid, 0 to 9. Energies in eV; forces (eV/angstrom) for
    all but CCSD(T), unless without `forces`.
    """

    implemented_properties = ["energy", "forces"]  # noqa: RUF012  as ASE has it

    def __init__(self, method: str, basis: str, grid: int = GRID, *, forces: bool = True) -> None:
        """Nothing is computed."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.method, self.basis, self.grid = method, basis, grid
        self._found: Any = None
        if method == "CCSD(T)" or not forces:
            self.implemented_properties = ["energy"]

    def calculate(
        self,
        atoms: Any = None,
        properties: Any = ("energy",),
        system_changes: Any = tuple(all_changes),
    ) -> None:
        """See ASE.

        Raises:
            RuntimeError: the electrons did not converge.
        """
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        if system_changes:  # what another structure had must not outlive a failure for this one
            self._found = None
        if self._found is None:
            self._found = self._wave(_molecule(self.atoms, self.basis))
        self.results = {"energy": float(self._found.e_tot) * Hartree}
        if "forces" in properties:
            gradient = self._found.nuc_grad_method().kernel()
            self.results["forces"] = -gradient * Hartree / Bohr

    def _wave(self, molecule: Any) -> Any:
        """A converged wave function, whose `e_tot` is the energy in hartree."""
        from pyscf import cc, dft, mp, scf

        if self.method not in WAVE_FUNCTIONS:
            field = (dft.UKS if molecule.spin else dft.RKS)(molecule, xc=self.method)
            field.grids.level = self.grid
            return _converged(field, self.method)
        field = _converged((scf.UHF if molecule.spin else scf.RHF)(molecule), "HF")
        if self.method == "HF":
            return field
        if self.method == "MP2":
            found = mp.MP2(field).set_frozen()
            found.kernel()
            return found
        found = _converged(cc.CCSD(field).set_frozen(), "CCSD")
        return found if self.method == "CCSD" else _WithTriples(found)


class _WithTriples:
    """CCSD and its perturbative triples."""

    def __init__(self, found: Any) -> None:
        self.e_tot = found.e_tot + found.ccsd_t()


def _molecule(atoms: Any, basis: str) -> Any:
    from pyscf import gto

    return gto.M(
        atom=[(atom.symbol, atom.position.tolist()) for atom in atoms],
        basis=basis,
        ecp=cores_of(basis, set(atoms.symbols)),
        charge=round(float(atoms.get_initial_charges().sum())),
        spin=round(abs(float(atoms.get_initial_magnetic_moments().sum()))),
        unit="Angstrom",
        verbose=0,
    )


def cores_of(basis: str, symbols: set[str]) -> dict[str, Any]:
    """The potentials that stand for the cores of heavy atoms, where a basis set is made for them:
    without them PySCF would put all electrons into the orbitals of the outer ones."""
    from pyscf import gto

    found = {}
    # a TypeError of sets in several files, which have none
    without = (gto.basis.BasisNotFoundError, OSError, RuntimeError, KeyError, TypeError)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where else there are basis sets
        for symbol in symbols:
            with contextlib.suppress(*without):
                found[symbol] = gto.basis.load_ecp(basis, symbol)
    return {symbol: core for symbol, core in found.items() if core}


def _converged(wave: Any, name: str) -> Any:
    wave.max_cycle = MAX_CYCLES
    wave.kernel()
    if not wave.converged:
        raise RuntimeError(f"{name} did not converge in {MAX_CYCLES} cycles")
    return wave
