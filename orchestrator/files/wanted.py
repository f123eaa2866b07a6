"""Reads the `objective:` and `stop:` of a campaign file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Literal, TypeAlias

from orchestrator.errors import InputError, ResultRefused, UnknownName
from orchestrator.files.conditions import difference_unit
from orchestrator.files.findings import Findings
from orchestrator.files.outcome import in_unit
from orchestrator.files.scope import Scope
from orchestrator.files.shapes import GoalShape, ObjectiveShape, StopShape, TargetShape
from orchestrator.model.campaign import StopRules
from orchestrator.model.expression import TEXT, Expression, compile_expression, kind_of
from orchestrator.model.objective import PREFERENCE, Goal, Metric, Objective, OutcomeConstraint
from orchestrator.model.quantity import difference_in, parse_quantity, quantity_in, same_dimension
from orchestrator.model.space import PREVIOUS, SearchSpace, parameter_units

Metrics: TypeAlias = Mapping[str, Metric | None]
"""By name; None for one that could not be read."""
Direction: TypeAlias = Literal["minimise", "maximise", "match"]

MAX_CORNERS = 1024
DIRECTIONS: tuple[Direction, ...] = ("minimise", "maximise", "match")
_CONSTRAINT = re.compile(r"\s*(\w+)\s*([<>=]=?)\s*(\S.*?)(?:\s+with\s+([\d.]+)\s*%\s*)?")
_PERCENT = ("%", "percent")


def read_objective(
    findings: Findings, scope: Scope, metrics: Metrics, space: SearchSpace
) -> Objective | None:
    """The objective; None (and mistakes) where it could not be read."""
    path = ["objective"]
    if findings.plain(path) is None:
        return None  # its absence is a finding already
    shape = findings.shaped(path, ObjectiveShape, "a key of the objective")
    if shape is None:
        return None
    goals = _preference(findings, shape, metrics) if shape.prefer else [
        *_goals(findings, shape, metrics)
    ]  # fmt: skip
    constraints: list[OutcomeConstraint] = []
    for index, text in enumerate(shape.subject_to):
        with findings.at([*path, "subject_to", index]):
            constraint = _constraint(text, metrics)
            if constraint is not None:
                _refuse_contrary(constraint, constraints, metrics[constraint.metric])
                constraints.append(constraint)
    cost = ("", "")
    if shape.cost is not None:
        with findings.at([*path, "cost"]):
            cost = _cost(scope, shape.cost, space)
    if not goals:
        return None
    return Objective(
        goals=tuple(goals), constraints=tuple(constraints), cost=cost[0], cost_unit=cost[1]
    )


def _preference(findings: Findings, shape: ObjectiveShape, metrics: Metrics) -> list[Goal]:
    others = [key for key in (*DIRECTIONS, "goals") if getattr(shape, key) is not None]
    if others:
        message = f"'prefer' and '{others[0]}' cannot both say what is wanted"
        findings.add(["objective", others[0]], message, key=True)
    if PREFERENCE in metrics:
        message = f"'{PREFERENCE}' is what people say of trials, not a metric of its own"
        findings.add(["metrics", PREFERENCE], message, "give it another name", key=True)
    return [Goal(metric=PREFERENCE, direction="maximise")]


def _goals(findings: Findings, shape: ObjectiveShape, metrics: Metrics) -> Iterator[Goal]:
    """The goals in the order of the file, each with a metric of its own."""
    seen: set[str] = set()
    wanted = list(_written(findings, shape))
    if not wanted and not shape.goals:
        known = ", ".join((*DIRECTIONS, "goals", "prefer"))
        findings.add(["objective"], "the objective does not say what is wanted", f"one of {known}")
    for path, direction, metric, target in wanted:
        with findings.at(path):
            if metric not in metrics:
                raise UnknownName("metric of this campaign", metric, metrics)
            if metric in seen:
                raise InputError(f"there are two goals for '{metric}'")
            seen.add(metric)
            yield _goal(direction, metrics[metric], metric, target)


def _written(
    findings: Findings, shape: ObjectiveShape
) -> Iterator[tuple[list[str | int], Direction, str, TargetShape]]:
    """Where a goal stands, its direction and metric, and what says more of it."""
    if shape.match is None and (shape.to is not None or shape.between is not None):
        findings.add(["objective"], "'to' and 'between' say nothing without 'match'")
    for key in findings.entries(["objective"]):
        if key in DIRECTIONS:
            given = getattr(shape, key)
            names = [given] if isinstance(given, str) else given or []
            for index, name in enumerate(names):
                place = ["objective", key, *([] if isinstance(given, str) else [index])]
                yield place, key, name, shape
    for index, goal in enumerate(shape.goals or ()):
        directions = [d for d in DIRECTIONS if getattr(goal, d) is not None]
        if len(directions) == 1:
            name = str(getattr(goal, directions[0]))
            yield ["objective", "goals", index, directions[0]], directions[0], name, goal
        else:
            message = f"a goal needs exactly one of {', '.join(DIRECTIONS)}"
            findings.add(["objective", "goals", index], message)


def _goal(direction: Direction, metric: Metric | None, name: str, target: TargetShape) -> Goal:
    low = high = worst = None
    if direction == "match":
        low, high = _band(target, metric)
    elif isinstance(target, GoalShape) and (target.to is not None or target.between is not None):
        raise InputError("'to' and 'between' say nothing without 'match'")
    if isinstance(target, GoalShape) and target.worst is not None:
        worst = _value(target.worst, metric, "the worst value")
    return Goal(metric=name, direction=direction, low=low, high=high, worst=worst)


def _band(target: TargetShape, metric: Metric | None) -> tuple[float, float]:
    if (target.to is None) == (target.between is None):
        raise InputError(
            "a match needs either 'to' or 'between'",
            hint="such as 'to: 1.5 eV' or 'between: [1.4 eV, 1.6 eV]'",
        )
    if target.between is None:
        value = _value(target.to or 0.0, metric, "the value to match")
        return value, value
    low, high = (_value(given, metric, "the range to match") for given in target.between)
    if not low < high:
        raise InputError(f"the lower bound {low:g} is not below the upper bound {high:g}")
    return low, high


def _value(given: float | str, metric: Metric | None, what: str) -> float:
    """A value of a metric, with a unit where the metric has one; 1 of a metric that is broken."""
    if metric is None:
        return 1.0
    if metric.unit and not isinstance(given, str):
        raise InputError(
            f"{what} needs a unit: '{metric.name}' is in '{metric.unit}'",
            hint=f"write '{given:g} {metric.unit}'",
        )
    value = in_unit(given, metric.unit)
    if metric.scale == "log" and value <= 0:
        raise InputError(f"'{metric.name}' is on a log scale, where {value:g} has no place")
    return value


def _constraint(text: str, metrics: Metrics) -> OutcomeConstraint | None:
    match = _CONSTRAINT.fullmatch(text)
    if match is None or match[2] not in (">=", "<="):
        raise InputError(
            f"'{text}' is not a constraint",
            hint="write 'METRIC >= QUANTITY' or 'METRIC <= QUANTITY', perhaps 'with 95 %' after it",
        )
    name, sense, bound = match[1], match[2], match[3].strip()
    if name not in metrics:
        raise UnknownName("metric of this campaign", name, metrics)
    metric = metrics[name]
    if metric is None:
        return None
    confidence = None
    if match[4] is not None:
        confidence = float(match[4]) / 100.0
        if not 0.5 < confidence < 1.0:
            raise InputError(f"'{match[4]} %' is not a confidence between 50 % and 100 %")
    return OutcomeConstraint(
        metric=name,
        sense=">=" if sense == ">=" else "<=",
        bound=quantity_in(bound, metric.unit),
        confidence=confidence,
    )


def _refuse_contrary(
    one: OutcomeConstraint, others: Sequence[OutcomeConstraint], metric: Metric | None
) -> None:
    """Accepts a limit that can be kept with the others. Raises InputError."""
    for other in others:
        if other.metric != one.metric or other.sense == one.sense:
            continue
        least, most = (one, other) if one.sense == ">=" else (other, one)
        if least.bound > most.bound:
            unit = f" {metric.unit}" if metric is not None and metric.unit else ""
            raise InputError(
                f"no '{one.metric}' is both >= {least.bound:g}{unit} and <= {most.bound:g}{unit}"
            )


def _cost(scope: Scope, text: str, space: SearchSpace) -> tuple[str, str]:
    """The expression and its unit. Raises InputError: it cannot be a cost."""
    known = parameter_units(space)
    units = known | {f"{PREVIOUS}.{name}": unit for name, unit in known.items() if unit != TEXT}
    expression = text.lstrip()[1:].strip()
    try:
        kind = kind_of(expression, units)
    except UnknownName as error:
        if scope.excuses(error):
            return "", ""
        raise
    if kind.zeros:
        raise InputError("a temperature is no cost", hint="a difference of temperatures may be")
    unit = difference_unit(kind.unit) if kind.powers else ""
    unit = "min" if same_dimension(unit, "min") else unit
    compiled = compile_expression(expression, units, unit)
    _refuse_free(compiled, scope.ranges, space)
    return expression, unit


def _refuse_free(
    cost: Expression, ranges: Mapping[str, tuple[float, float]], space: SearchSpace
) -> None:
    """Accepts a cost above zero of a trial like the one before it, in the middle of the space and
    in its corners. Raises InputError."""
    names = sorted({name.removeprefix(f"{PREVIOUS}.") for name in cost.names})
    mixed = {component for mixture in space.mixtures for component in mixture.components}
    ends = [name for name in names if name in space.names and name not in mixed]
    middle = {name: sum(ranges[name]) / 2 for name in names}
    corners = islice(product(*(ranges[name] for name in ends)), MAX_CORNERS)
    places = (dict(zip(ends, corner, strict=True)) for corner in corners)
    for place in ({}, *places):
        values = middle | place
        if _is_possible(space, values) and not _cost_of(cost, values) > 0:
            there = ", ".join(f"{name} = {value:g}" for name, value in place.items())
            at = f" at {there}" if there and _cost_of(cost, middle) > 0 else ""
            raise InputError(
                f"a trial like the one before it would cost nothing{at}",
                hint="add what every trial takes, as in '=20 min + ...'",
            )


def _cost_of(cost: Expression, values: Mapping[str, float]) -> float:
    """What a trial costs after one like it; infinity where the expression has no value."""
    before = {f"{PREVIOUS}.{name}": value for name, value in values.items()}
    try:
        return float(cost.evaluate({**values, **before}))  # type: ignore[arg-type]
    except ResultRefused:
        return math.inf


def _is_possible(space: SearchSpace, values: Mapping[str, float]) -> bool:
    """Whether no known constraint on some of the values rules them out, as far as they tell."""
    units = parameter_units(space)
    for known in space.constraints:
        limit = compile_expression(known.expression, units, known.unit)
        told = [name in values for name in limit.names]
        try:
            if any(told) and not (all(told) and float(limit.evaluate(values)) <= 0):  # type: ignore[arg-type]
                return False
        except ResultRefused:
            return False
    return True


def read_stop(findings: Findings, metrics: Metrics, objective: Objective | None) -> StopRules:
    """The stop rules; a target and a gain are in the unit of the objective's first metric."""
    shape = findings.shaped(["stop"], StopShape, "a stop rule")
    if shape is None:
        return StopRules()
    metric = metrics.get(objective.metric) if objective else None
    target = gain = None
    if objective is not None:
        _refuse_senseless(findings, shape, objective)
    if shape.target is not None and metric is not None:
        with findings.at(["stop", "target"]):
            target = _value(shape.target, metric, "the target")
    if shape.little_to_gain is not None and metric is not None:
        with findings.at(["stop", "little_to_gain"]):
            gain = _gain(shape.little_to_gain, metric)
    return StopRules(
        target=target,
        no_progress=shape.no_progress,
        failures_in_a_row=shape.failures_in_a_row,
        little_to_gain=gain,
    )


def _refuse_senseless(findings: Findings, shape: StopShape, objective: Objective) -> None:
    """A rule that could never hold."""
    rules = ["target", "little_to_gain"] if len(objective.goals) > 1 else []
    why = "is for one goal, and there are several"
    if objective.by_preference:
        rules, why = ["target", "little_to_gain", "no_progress"], "needs a metric to go by"
    for rule in rules:
        if getattr(shape, rule) is not None:
            findings.add(["stop", rule], f"'{rule}' {why}", key=True)


def _gain(given: float | str, metric: Metric) -> float:
    """A difference in the metric's unit, on a log scale in decades."""
    if metric.scale == "log":
        share, unit = parse_quantity(given) if isinstance(given, str) else (float(given), "")
        if unit not in _PERCENT:
            raise InputError(
                f"'{metric.name}' is on a log scale, where a gain is a share", hint="write '2 %'"
            )
        gain = math.log10(1.0 + share / 100.0) if share > 0 else share
    elif isinstance(given, str):
        gain = difference_in(given, metric.unit)
    else:
        gain = _value(given, metric, "the gain")
    if gain <= 0:
        raise InputError("a gain is above zero")
    return gain
