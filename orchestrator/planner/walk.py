"""In which order the points of a start are cheap, where a trial's cost depends on the one before.

numpy only, as the start needs it.
"""

from __future__ import annotations

import numpy as np

from orchestrator.model.expression import Expression, compile_expression
from orchestrator.model.objective import Objective
from orchestrator.model.space import PREVIOUS, SearchSpace, parameter_units
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.kernel import Floats


def cost_after(objective: Objective, space: SearchSpace) -> Expression:
    """The cost of a trial, also by the values of the trial before (`previous.NAME`)."""
    units = parameter_units(space)
    units |= {f"{PREVIOUS}.{name}": unit for name, unit in units.items()}
    return compile_expression(objective.cost, units, objective.cost_unit)


def depends_on_previous(objective: Objective) -> bool:
    """Whether the cost of a trial names a value of the trial before."""
    return f"{PREVIOUS}." in objective.cost


def cheap_order(objective: Objective, encoding: Encoding, codes: Floats) -> list[int]:
    """The rows of `codes` (n x p) in an order in which trials cost little: from the point that
    makes the whole way cheapest, always on to the cheapest of those left [nearest neighbour]."""
    steps = _steps(objective, encoding, codes)
    ways = [_way(steps, first) for first in range(len(codes))]
    costs = [float(steps[way[:-1], way[1:]].sum()) for way in ways]
    return ways[int(np.argmin(costs))]


def _way(steps: Floats, first: int) -> list[int]:
    way, left = [first], [i for i in range(len(steps)) if i != first]
    while left:
        way.append(left.pop(int(np.argmin(steps[way[-1], left]))))
    return way


def _steps(objective: Objective, encoding: Encoding, codes: Floats) -> Floats:
    """What each point costs after each other (n x n, from row to column); where the expression has
    no value, more than all others."""
    n = len(codes)
    expression = cost_after(objective, encoding.space)
    columns = encoding.columns_of(codes)
    here = {name: np.tile(values, n) for name, values in columns.items()}
    before = {f"{PREVIOUS}.{name}": np.repeat(values, n) for name, values in columns.items()}
    found = np.broadcast_to(expression.over(here | before), n * n).reshape(n, n)
    usable = np.isfinite(found)
    most = float(np.abs(found[usable]).max()) if usable.any() else 0.0
    return np.where(usable, found, 2.0 * most + 1.0)
