"""What is done with a method, in the child process of a calculation."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from simulators.atomistic import elasticity, programs
from simulators.atomistic.curing import Adrift, Incurable, mended, stepped
from simulators.atomistic.failures import Failure
from simulators.atomistic.meshes import mesh_of
from simulators.atomistic.requests import is_finite
from simulators.atomistic.structures import atoms_of, text_of
from simulators.atomistic.vacuum import cell_at_rest, gaps_of, refuse_no_crystal

MAX_FORCE = 0.01
"""eV/angstrom; below it a structure is at rest."""
MAX_STEPS = 300
RISEN_EV, RISEN_STEPS = 0.005, 30
"""A relaxation that is so far above its begin (eV per atom), so many steps on end, climbs."""
STRAINS = (-0.03, -0.02, -0.01, 0.0, 0.01, 0.02, 0.03)
"""Of lengths; the volumes of an equation of state."""
MAX_MOVES = 8
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "energy": {},
    "relax": {"max_force": MAX_FORCE, "max_steps": MAX_STEPS},
    "equation_of_state": {"strains": STRAINS, "max_moves": MAX_MOVES},
    "elastic_constants": {
        "strain": elasticity.STRAIN,
        "max_force": MAX_FORCE,
        "max_force_strained": elasticity.MAX_FORCE,
        "max_steps": MAX_STEPS,
    },
}
"""What the result of a task depends on beside the method; a part of its key."""


def run(task: str, structure: str, calculator: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Runs in the child: the fields of the task's result, less `reused`.

    `calculator` is "module:function", which makes an ASE calculator of the structure and settings.
    A `k_density` among them is given on as the `mesh` of the structure, which stays while the cell
    moves.

    Raises:
        RuntimeError: a calculation did not converge.
        InputError: the structure is none that the task can be done with.
    """
    module, _, name = calculator.partition(":")
    make = getattr(importlib.import_module(module), name)
    begun = programs.cpu_seconds()
    atoms = atoms_of(structure)
    refuse_no_crystal(task, atoms.get_chemical_formula(), atoms.pbc, max(gaps_of(atoms)))
    told = dict(settings)
    if "k_density" in told:
        told["mesh"] = mesh_of(atoms, told.pop("k_density"))
    allowed = str(settings.get("cures", "safe"))
    found, record = mended(lambda: TASKS[task](atoms.copy(), lambda a: make(a, **told)), allowed)
    spoilt = [name for name, one in found.items() if not (isinstance(one, str) or is_finite(one))]
    if spoilt:
        raise RuntimeError(f"{' and '.join(spoilt)} came out as no finite number")
    done = {"cures": record.text, "altered": int(record.is_altered)}
    return {**found, **done, "seconds": programs.cpu_seconds() - begun + record.elsewhere_s}


def energy(atoms: Any, make: Callable[[Any], Any]) -> dict[str, Any]:
    """The fields of `StructureResult`."""
    atoms.calc = make(atoms)
    return _state(atoms)


def relax(atoms: Any, make: Callable[[Any], Any]) -> dict[str, Any]:
    """The fields of `StructureResult`, at rest."""
    _to_rest(atoms, make)
    return _state(atoms)


def equation_of_state(atoms: Any, make: Callable[[Any], Any]) -> dict[str, Any]:
    """The fields of `EquationOfState` [Birch 1947], from seven volumes around the given one, which
    is moved until the least energy lies among them."""
    from ase.eos import EquationOfState
    from ase.units import GPa

    for _ in range(MAX_MOVES):
        volumes, energies = zip(*(_strained(atoms, s, make) for s in STRAINS), strict=True)
        least = energies.index(min(energies))
        if 0 < least < len(STRAINS) - 1:
            break
        atoms.set_cell(atoms.cell * (1.0 + STRAINS[least]), scale_atoms=True)
    else:
        raise RuntimeError(f"{atoms.get_chemical_formula()} has no volume of least energy nearby")
    fitted = EquationOfState(volumes, energies, eos="birchmurnaghan")
    try:
        volume, lowest, modulus = fitted.fit(warn=False)
    except (RuntimeError, ValueError) as error:
        raise RuntimeError("no equation of state fits the energies") from error
    atoms.set_cell(atoms.cell * (volume / atoms.get_volume()) ** (1 / 3), scale_atoms=True)
    n = len(atoms)
    return {
        "energy": float(lowest) / n,
        "volume": float(volume) / n,
        "bulk_modulus": float(modulus / GPa),
        "derivative": float(fitted.eos_parameters[2]),
        "structure": text_of(atoms),
    }


def elastic_constants(atoms: Any, make: Callable[[Any], Any]) -> dict[str, Any]:
    """The fields of `ElasticConstants`."""
    _to_rest(atoms, make)
    stiffness = elasticity.stiffness_of(atoms, make, MAX_STEPS)
    return {**elasticity.moduli_of(stiffness), "structure": text_of(atoms)}


TASKS: Mapping[str, Callable[[Any, Callable[[Any], Any]], dict[str, Any]]] = {
    "energy": energy,
    "relax": relax,
    "equation_of_state": equation_of_state,
    "elastic_constants": elastic_constants,
}


def _strained(atoms: Any, strain: float, make: Callable[[Any], Any]) -> tuple[float, float]:
    moved = atoms.copy()
    moved.set_cell(atoms.cell * (1.0 + strain), scale_atoms=True)
    moved.calc = make(moved)
    return float(moved.get_volume()), float(moved.get_potential_energy())


def _to_rest(atoms: Any, make: Callable[[Any], Any]) -> None:
    begun = atoms.copy()
    stepped(lambda longest: _moved_to_rest(atoms, begun, make, longest))


def _moved_to_rest(atoms: Any, begun: Any, make: Callable[[Any], Any], longest: float) -> None:
    """Moves atoms (and cell) from where they begun, so far at most in one step, in angstrom."""
    from ase.optimize import BFGS

    atoms.set_cell(begun.cell)
    atoms.set_positions(begun.positions, apply_constraint=False)
    atoms.calc = make(atoms)
    with BFGS(
        cell_at_rest(atoms), logfile="relax.log", trajectory="relax.traj", maxstep=longest
    ) as search:
        try:
            is_at_rest = _ends_at_rest(search, atoms)
        except Incurable as error:
            if search.nsteps:
                raise Adrift(str(error), error.failure) from error
            raise
    if not is_at_rest:
        raise Adrift(f"{atoms.get_chemical_formula()} did not come to rest in {MAX_STEPS} steps")


def _ends_at_rest(search: Any, atoms: Any) -> bool:
    """Whether the search comes to rest. Raises Adrift: the energy stays above where it began."""
    most, n_above, found = 0.0, 0, False
    for step, ended in enumerate(search.irun(fmax=MAX_FORCE, steps=MAX_STEPS)):
        found = bool(ended)
        energy = float(atoms.get_potential_energy())
        if step == 0:
            most = energy + RISEN_EV * len(atoms)
        n_above = n_above + 1 if energy > most else 0
        if n_above >= RISEN_STEPS:
            raise Adrift(
                f"relaxation: {Failure.RISING} ({n_above} steps on end): the "
                "method's forces are not the slope of its energy; raise its cutoff (`ecutwfc`, "
                "`cutoff`, `encut`)",
                Failure.RISING,
            )
    return found


def _state(atoms: Any) -> dict[str, Any]:
    import numpy as np
    from ase.units import GPa

    n = len(atoms)
    energy = float(atoms.get_potential_energy())
    has_forces = "forces" in atoms.calc.implemented_properties
    forces = atoms.get_forces() if has_forces else np.zeros((n, 3))
    has_cell = all(atoms.pbc)
    pressure = -float(np.trace(atoms.get_stress(voigt=False))) / 3 / GPa if has_cell else 0.0
    return {
        "energy": energy / n,
        "volume": float(atoms.get_volume()) / n if has_cell else 0.0,
        "pressure": pressure,
        "max_force": float(np.linalg.norm(forces, axis=1).max()),
        "atoms": n,
        "structure": text_of(atoms),
    }
