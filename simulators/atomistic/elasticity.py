"""Stiffness of a crystal from the stresses of strained cells, and the moduli of a polycrystal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

STRAIN = 0.005
"""Of each of the six strains, to either side."""
MAX_FORCE = 0.005
"""eV/angstrom; below it the atoms of a strained cell are at rest."""
_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def stiffness_of(atoms: Any, make: Callable[[Any], Any], max_steps: int) -> Any:
    """The 6 x 6 matrix in GPa, made symmetric: central differences of the stress (xx, yy, zz, yz,
    xz, xy) by engineering strains of a crystal at rest, whose atoms come to rest in each cell.

    Raises:
        ValueError: the method gives no stress.
        RuntimeError: the atoms of a strained cell did not come to rest.
    """
    import numpy as np
    from ase.units import GPa

    columns = []
    for a, b in _VOIGT:
        stresses = []
        for sign in (1.0, -1.0):
            strain = np.zeros((3, 3))
            strain[a, b] += 0.5 * sign * STRAIN
            strain[b, a] += 0.5 * sign * STRAIN
            stresses.append(_stress(atoms, np.eye(3) + strain, make, max_steps))
        columns.append((stresses[0] - stresses[1]) / (2.0 * STRAIN) / GPa)
    matrix = np.array(columns)
    return (matrix + matrix.T) / 2.0


def moduli_of(stiffness: Any) -> dict[str, Any]:
    """The fields of `ElasticConstants` that follow from a symmetric 6 x 6 matrix in GPa.

    Raises:
        ValueError: a strain meets no resistance at all, so that there is no compliance.
    """
    import numpy as np

    c = np.asarray(stiffness)
    try:
        s = np.linalg.inv(c)
    except np.linalg.LinAlgError as error:
        raise ValueError("the stiffness cannot be inverted") from error
    diagonal, beside = c[0, 0] + c[1, 1] + c[2, 2], c[0, 1] + c[0, 2] + c[1, 2]
    bulk_voigt = (diagonal + 2.0 * beside) / 9.0
    shear_voigt = (diagonal - beside + 3.0 * (c[3, 3] + c[4, 4] + c[5, 5])) / 15.0
    diagonal, beside = s[0, 0] + s[1, 1] + s[2, 2], s[0, 1] + s[0, 2] + s[1, 2]
    bulk_reuss = 1.0 / (diagonal + 2.0 * beside)
    shears = s[3, 3] + s[4, 4] + s[5, 5]
    shear_reuss = 15.0 / (4.0 * diagonal - 4.0 * beside + 3.0 * shears)
    bulk, shear = (bulk_voigt + bulk_reuss) / 2.0, (shear_voigt + shear_reuss) / 2.0
    least = float(np.linalg.eigvalsh(c).min())
    numbers = {
        "bulk_modulus": bulk,
        "shear_modulus": shear,
        "young_modulus": 9.0 * bulk * shear / (3.0 * bulk + shear),
        "poisson_ratio": (3.0 * bulk - 2.0 * shear) / (2.0 * (3.0 * bulk + shear)),
        "bulk_voigt": bulk_voigt,
        "bulk_reuss": bulk_reuss,
        "shear_voigt": shear_voigt,
        "shear_reuss": shear_reuss,
        "c11": c[0, 0],
        "c12": c[0, 1],
        "c44": c[3, 3],
        "least_eigenvalue": least,
    }
    plain = {name: float(value) for name, value in numbers.items()}
    return {**plain, "stiffness": c.ravel().tolist(), "is_stable": int(least > 0.0)}


def _stress(atoms: Any, deformation: Any, make: Callable[[Any], Any], max_steps: int) -> Any:
    """In eV/angstrom**3, in Voigt's order; positive where the cell pulls."""
    from ase.optimize import BFGS

    strained = atoms.copy()
    strained.set_cell(atoms.cell.array @ deformation, scale_atoms=True)
    strained.calc = make(strained)
    if "stress" not in strained.calc.implemented_properties:
        raise ValueError("this method gives no stress, from which elastic constants are computed")
    with BFGS(strained, logfile="strained.log") as search:
        if not search.run(fmax=MAX_FORCE, steps=max_steps):
            raise RuntimeError(f"the atoms of a strained cell did not come to rest in {max_steps}")
    return strained.get_stress()
