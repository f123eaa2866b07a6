"""The convex hull of energies over compositions, at one composition: a small linear program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEAST_SHARE = 1e-6


@dataclass(frozen=True)
class Mixture:
    """What is most stable at a composition: `energy` in eV per atom, and the share of the atoms
    that each of the phases takes, by their index."""

    energy: float
    shares: Mapping[int, float]


def best_mixture(
    shares: Mapping[str, float],
    phases: Sequence[Mapping[str, float]],
    energies: Sequence[float],
) -> Mixture | None:
    """The mixture of least energy of the phases that has a composition.

    Args:
        shares: each element's share of the atoms; they add up to one.
        phases: the same of each phase.
        energies: of the phases, in eV per atom.

    Gives None if no mixture of the phases has that composition. The shares of a vertex: as many
    phases as elements at most.

    Raises:
        RuntimeError: the program could not be solved.
    """
    import numpy as np
    from scipy.optimize import linprog

    usable = [i for i, phase in enumerate(phases) if set(phase) <= set(shares)]
    if not usable:
        return None
    elements = sorted(shares)
    balance = np.array([[phases[i].get(e, 0.0) for i in usable] for e in elements])
    wanted = np.array([shares[e] for e in elements])
    costs = np.array([energies[i] for i in usable])
    level = float(costs.mean())  # energies lie close to each other, and far from zero
    solved = linprog(
        costs - level, A_eq=balance, b_eq=wanted, bounds=(0.0, None), method="highs-ds"
    )
    if solved.status == 2:
        return None
    if not solved.success:
        raise RuntimeError(f"the convex hull could not be solved: {solved.message}")
    taken = {usable[k]: float(x) for k, x in enumerate(solved.x) if x > LEAST_SHARE}
    return Mixture(float(solved.fun) + level, taken)
