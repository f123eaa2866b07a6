"""What peers need that do not speak of log scales, pools, mixtures or words: codes and snapping."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.planner.problems import Point, Problem, Variable, point_at, sobol

N_POOL = 8192
"""How many points stand for a continuous space where a peer only knows pools."""


def on_line(variable: Variable, value: float) -> float:
    """A real value as a number that may be called linear: its decimal logarithm on a log scale."""
    return math.log10(value) if variable.log else value


def off_line(variable: Variable, number: float) -> float:
    """The inverse, kept within the bounds."""
    value = 10**number if variable.log else number
    return float(min(max(value, variable.low), variable.high))


def line_bounds(variable: Variable) -> tuple[float, float]:
    """The bounds of `on_line`."""
    return on_line(variable, variable.low), on_line(variable, variable.high)


def unit(variable: Variable, value: float) -> float:
    """A real value in [0, 1]."""
    low, high = line_bounds(variable)
    return (on_line(variable, value) - low) / (high - low)


def code(problem: Problem, point: Point) -> list[float]:
    """Reals in [0, 1], words one-hot, a candidate by its columns in [0, 1]."""
    if problem.candidates is not None:
        number = problem.candidates.names.index(str(point["candidate"]))
        return [float(v) for v in scaled_rows(problem)[number]]
    out: list[float] = []
    for variable in problem.variables:
        value = point[variable.name]
        if variable.kind == "real":
            out.append(unit(variable, float(value)))
        else:
            out += [float(value == level) for level in variable.levels]
    return out


def at_code(problem: Problem, numbers: list[float]) -> Point:
    """The point of reals at these numbers in [0, 1]; those of a mixture are made to sum to one."""
    inside = np.clip(np.asarray(numbers, dtype=float), 0.0, 1.0)
    if problem.is_mixture:
        return dict(zip(problem.names, map(float, inside / inside.sum()), strict=True))
    return {v.name: v.at(float(u)) for v, u in zip(problem.variables, inside, strict=True)}


def scaled_rows(problem: Problem) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The rows of a pool, each column in [0, 1]."""
    assert problem.candidates is not None
    rows = np.asarray(problem.candidates.rows, dtype=float)
    low, high = rows.min(axis=0), rows.max(axis=0)
    return np.asarray((rows - low) / (high - low))


def nearest_candidate(problem: Problem, numbers: list[float], tried: list[Point]) -> Point:
    """The untried candidate whose scaled row is nearest to these numbers in [0, 1]."""
    assert problem.candidates is not None
    distances = np.sum((scaled_rows(problem) - np.asarray(numbers)) ** 2, axis=1)
    for point in tried:
        distances[problem.candidates.names.index(str(point["candidate"]))] = np.inf
    return {"candidate": problem.candidates.names[int(np.argmin(distances))]}


def stand_ins(problem: Problem, seed: int) -> list[Point]:
    """A finite pool that stands for the space: all of it where it is finite."""
    if problem.candidates is not None:
        return [{"candidate": name} for name in problem.candidates.names]
    if all(v.kind == "choice" for v in problem.variables):
        return every_choice(problem)
    rows = sobol(len(problem.variables), N_POOL, seed)
    return [point_at(problem, row) for row in rows.tolist()]


def every_choice(problem: Problem) -> list[Point]:
    """All points of a space of words."""
    points: list[Point] = [{}]
    for variable in problem.variables:
        points = [{**point, variable.name: level} for point in points for level in variable.levels]
    return points


def is_words_only(problem: Problem) -> bool:
    """Whether all parameters are words."""
    return all(v.kind == "choice" for v in problem.variables)
