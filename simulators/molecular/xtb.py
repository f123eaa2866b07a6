"""Molecules by GFN2-xTB, a tight-binding method, as tblite computes it.

[Bannwarth et al. 2019, doi:10.1021/acs.jctc.8b01176]. The shape is the best of a few conformers by
MMFF94 (or UFF where that has no parameters), from rdkit's distance geometry with a fixed seed. The
gap is that of the orbitals: those of GFN2 are some eV smaller than those of hybrid functionals, and
follow them only by rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.capabilities.molecules import MoleculeEnergies
from orchestrator.errors import InputError
from orchestrator.ports.action import Cancel, Effect, Ticket, action
from simulators.calculator import Calculator

FUNCTION = "simulators.molecular.xtb:energies"
HARTREE_EV = 27.211386245988
BOHR_ANGSTROM = 0.529177210903
DEBYE_AU = 2.541746473
N_CONFORMERS = 4
SEED = 7


class XtbCalculator(Calculator):
    """Computes molecules by GFN2-xTB."""

    implements = ("MoleculeCalculation",)
    packages = ("tblite", "rdkit")
    method = "GFN2-xTB"

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def compute(self, smiles: str, ticket: Ticket) -> MoleculeEnergies:
        """Finds the molecule's shape, and computes its electrons.

        Raises:
            ExecutionError: the SMILES is no closed-shell molecule, or no shape was found.
        """
        return MoleculeEnergies(**await self._run(FUNCTION, {"smiles": smiles}, ticket))

    def check(self, action: str, arguments: Mapping[str, Any]) -> None:
        """See `ports.resource.Foresighted`; what is seen without rdkit. Raises InputError."""
        smiles = arguments.get("smiles")
        if isinstance(smiles, str):
            _refuse_parts(smiles)


def energies(smiles: str) -> dict[str, float]:
    """Runs in the child: the fields of `MoleculeEnergies`.

    Raises:
        InputError: the SMILES cannot be read, is no closed shell, or no shape was found.
    """
    import numpy as np

    numbers, positions, charge = shape_of(smiles)
    n_electrons = int(numbers.sum()) - charge
    if n_electrons % 2:
        raise InputError(f"'{smiles}' has an odd number of electrons")
    found = _singlepoint(numbers, positions, charge, 0)
    orbitals, occupied = found.get("orbital-energies"), found.get("orbital-occupations")
    homo = float(orbitals[occupied > 1.0].max()) * HARTREE_EV
    lumo = float(orbitals[occupied < 1.0].min()) * HARTREE_EV
    atoms = sum(_atom(int(z)) for z in numbers)
    return {
        "gap": lumo - homo,
        "homo": homo,
        "lumo": lumo,
        "atomisation_energy": (atoms - float(found.get("energy"))) * HARTREE_EV / len(numbers),
        "dipole": float(np.linalg.norm(found.get("dipole"))) * DEBYE_AU,
    }


def _refuse_parts(smiles: str) -> None:
    """Accepts one molecule without open ends. Raises InputError."""
    if "*" in smiles or "." in smiles:
        raise InputError(
            f"'{smiles}' is not one whole molecule",
            hint="leave salts, mixtures and repeat units out of the pool",
        )


def shape_of(smiles: str) -> tuple[Any, Any, int]:
    """Atomic numbers (n), positions (n x 3) in bohr, and the charge of a molecule.

    Raises:
        InputError: the SMILES cannot be read, or no shape was found.
    """
    import numpy as np
    from rdkit import Chem
    from rdkit.Chem import AllChem

    read: Any = Chem.MolFromSmiles(smiles)
    if read is None:
        raise InputError(f"'{smiles}' is not a molecule")
    _refuse_parts(smiles)
    molecule: Any = Chem.AddHs(read)
    embed: Any = AllChem.EmbedMultipleConfs  # type: ignore[attr-defined]
    places = list(embed(molecule, N_CONFORMERS, randomSeed=SEED))
    if not places:
        raise InputError(f"no shape of '{smiles}' was found")
    optimise: Any = AllChem.MMFFOptimizeMoleculeConfs  # type: ignore[attr-defined]
    has_mmff: Any = AllChem.MMFFHasAllMoleculeParams  # type: ignore[attr-defined]
    if not has_mmff(molecule):
        optimise = AllChem.UFFOptimizeMoleculeConfs  # type: ignore[attr-defined]
    energies_ = [energy for _, energy in optimise(molecule, maxIters=500)]
    best = molecule.GetConformer(int(places[int(np.argmin(energies_))]))
    numbers = np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()])
    return numbers, best.GetPositions() / BOHR_ANGSTROM, int(Chem.GetFormalCharge(molecule))


def _singlepoint(numbers: Any, positions: Any, charge: int, uhf: int) -> Any:
    from tblite.interface import Calculator as Tblite

    engine = Tblite("GFN2-xTB", numbers, positions, charge=charge, uhf=uhf)
    engine.set("verbosity", 0)
    return engine.singlepoint()


_UNPAIRED = {1: 1, 3: 1, 5: 1, 6: 2, 7: 3, 8: 2, 9: 1, 14: 2, 15: 3, 16: 2, 17: 1, 35: 1, 53: 1}
"""Of the ground states of free atoms (Hund's rules); of others none."""


def _atom(number: int) -> float:
    """The energy of a free atom, in hartree."""
    import numpy as np

    found = _singlepoint(np.array([number]), np.zeros((1, 3)), 0, _UNPAIRED.get(number, 0))
    return float(found.get("energy"))
