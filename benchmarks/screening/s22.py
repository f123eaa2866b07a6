"""Interaction energies of the S22 set [Jurecka et al. 2006, doi:10.1039/B600027D] beside CCSD(T) at
the limit of the basis, as ASE has them.

    python -m benchmarks.screening.s22

GFN2-xTB on all 22; by PySCF, the dimers of at most `LARGEST` atoms, plain and with counterpoise
correction [Boys and Bernardi 1970, doi:10.1080/00268977000101561]: monomers in the dimer's basis.
"""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Iterator
from typing import Any

from ase.data import s22
from ase.units import Hartree

from benchmarks.record import describe, keep, machine
from simulators.atomistic import methods

LARGEST = 10
LEVELS = (("PBE", "def2-svp"), ("MP2", "def2-svp"))


def parts_of(name: str) -> tuple[Any, Any, Any]:
    """The dimer, and its monomers as they are in it."""
    dimer = s22.create_s22_system(name)
    first = s22.get_number_of_dimer_atoms(name)[0]
    return dimer, dimer[:first], dimer[first:]


def interaction(energy: Callable[[Any], float], name: str) -> float:
    """In eV."""
    dimer, *monomers = parts_of(name)
    return energy(dimer) - sum(energy(one) for one in monomers)


def by(make: Callable[[Any], Any]) -> Callable[[Any], float]:
    """Energies by a maker of ASE calculators."""

    def energy(atoms: Any) -> float:
        atoms = atoms.copy()
        atoms.calc = make(atoms)
        return float(atoms.get_potential_energy())

    return energy


def counterpoise(method: str, basis: str, name: str) -> float:
    """In eV; each monomer with the functions of the other, where no atoms are."""
    from pyscf import dft, gto, mp, scf

    dimer, first, _ = parts_of(name)
    energies = []
    for real in ({*range(len(dimer))}, {*range(len(first))}, {*range(len(first), len(dimer))}):
        atoms = [
            (a.symbol if a.index in real else f"ghost-{a.symbol}", a.position.tolist())
            for a in dimer
        ]
        molecule = gto.M(atom=atoms, basis=basis, unit="Angstrom", verbose=0)
        if method == "MP2":
            found = mp.MP2(scf.RHF(molecule).run()).set_frozen().run()
        else:
            found = dft.RKS(molecule, xc=method).run()
        energies.append(float(found.e_tot) * Hartree)
    return energies[0] - energies[1] - energies[2]


def levels() -> Iterator[tuple[str, dict[str, float]]]:
    """Each level with its interaction energies, in eV."""
    small = [name for name in s22.s22 if len(parts_of(name)[0]) <= LARGEST]
    tight = by(lambda atoms: methods.xtb(atoms, "GFN2-xTB"))
    yield "GFN2-xTB", {name: interaction(tight, name) for name in s22.s22}
    for method, basis in LEVELS:
        plain = by(functools.partial(methods.pyscf, method=method, basis=basis))
        yield f"{method}/{basis}", {name: interaction(plain, name) for name in small}
        corrected = {name: counterpoise(method, basis, name) for name in small}
        yield f"{method}/{basis}, counterpoise", corrected


def main() -> None:
    """Prints the mean absolute errors in meV as they come, and keeps every energy."""
    where = machine("tblite", "pyscf", "ase")
    print(describe(where))
    for level, energies in levels():
        errors = {n: 1e3 * (e - s22.get_interaction_energy_cc(n)) for n, e in energies.items()}
        mae, mean = statistics.mean(map(abs, errors.values())), statistics.mean(errors.values())
        print(
            f"{level:28} {len(errors):2} dimers: MAE {mae:5.1f} meV, mean {mean:+6.1f}", flush=True
        )
        keep("screening/s22", {**where, "level": level, "errors_mev": errors, "mae_mev": mae})


if __name__ == "__main__":
    main()
