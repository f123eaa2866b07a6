"""Reads `metrics:`, `objective:` and `stop:` of a campaign file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from orchestrator.errors import InputError, UnknownName
from orchestrator.files.findings import Findings
from orchestrator.files.scope import Scope
from orchestrator.files.shapes import MetricShape, ObjectiveShape, StopShape
from orchestrator.model.campaign import StopRules
from orchestrator.model.objective import Metric, Objective, OutcomeConstraint
from orchestrator.model.quantity import check_unit, quantity_in

_CONSTRAINT = re.compile(r"\s*(\w+)\s*([<>=]=?)\s*(\S.*)")


def read_metrics(findings: Findings, scope: Scope) -> dict[str, Metric | None]:
    """The metrics by name; None for one that could not be read."""
    metrics: dict[str, Metric | None] = {}
    for name in findings.entries(["metrics"], named=True):
        metrics[name] = None
        path = ["metrics", name]
        shape = findings.shaped(path, MetricShape, "a key of a metric")
        if shape is None:
            continue
        with findings.at([*path, "unit"]):
            check_unit(shape.unit)
            metrics[name] = _metric(findings, scope, name, shape)
    return metrics


def _metric(findings: Findings, scope: Scope, name: str, shape: MetricShape) -> Metric:
    path, text = ["metrics", name], ""
    if shape.value is not None:
        with findings.at([*path, "value"]):
            expression = scope.compile(shape.value, shape.unit)
            text = expression.text if expression else ""
    bounds: dict[str, float | None] = {}
    for key, given in (("min", shape.min), ("max", shape.max)):
        bounds[key] = None
        if given is not None:
            with findings.at([*path, key]):
                bounds[key] = in_unit(given, shape.unit)
    low, high = bounds["min"], bounds["max"]
    if low is not None and high is not None and low > high:
        findings.add([*path, "min"], f"the least {name} is above the greatest, 'max'")
    return Metric(
        name=name,
        expression=text,
        unit=shape.unit,
        scale=shape.scale,
        low=low,
        high=high,
    )


def in_unit(given: float | str, unit: str) -> float:
    """A quantity, or a plain number in the unit that stands beside it. Raises InputError."""
    return quantity_in(given, unit) if isinstance(given, str) else float(given)


def read_objective(findings: Findings, metrics: Mapping[str, Metric | None]) -> Objective | None:
    """The objective; None (and mistakes) where it could not be read."""
    path = ["objective"]
    if findings.plain(path) is None:
        return None  # its absence is a finding already
    shape = findings.shaped(path, ObjectiveShape, "a key of the objective")
    if shape is None:
        return None
    directions: tuple[Literal["minimise", "maximise"], ...] = ("minimise", "maximise")
    wanted = [d for d in directions if getattr(shape, d) is not None]
    if len(wanted) != 1:
        findings.add(path, "the objective needs exactly one of minimise, maximise")
        return None
    metric = getattr(shape, wanted[0])
    if metric not in metrics:
        with findings.at([*path, wanted[0]]):
            raise UnknownName("metric of this campaign", metric, metrics)
    constraints = []
    for index, text in enumerate(shape.subject_to):
        with findings.at([*path, "subject_to", index]):
            constraint = _constraint(text, metrics)
            if constraint is not None:
                constraints.append(constraint)
    return Objective(metric=metric, direction=wanted[0], constraints=tuple(constraints))


def _constraint(text: str, metrics: Mapping[str, Metric | None]) -> OutcomeConstraint | None:
    match = _CONSTRAINT.fullmatch(text)
    if match is None or match[2] not in (">=", "<="):
        raise InputError(
            f"'{text}' is not a constraint", hint="write 'METRIC >= QUANTITY' or 'METRIC <= ...'"
        )
    name, sense, bound = match[1], match[2], match[3].strip()
    if name not in metrics:
        raise UnknownName("metric of this campaign", name, metrics)
    metric = metrics[name]
    if metric is None:
        return None
    return OutcomeConstraint(
        metric=name, sense=">=" if sense == ">=" else "<=", bound=quantity_in(bound, metric.unit)
    )


def read_stop(findings: Findings, metric: Metric | None) -> StopRules:
    """The stop rules; `metric` is the objective's, in whose unit a target is given."""
    shape = findings.shaped(["stop"], StopShape, "a stop rule")
    if shape is None:
        return StopRules()
    target = None
    if shape.target is not None and metric is not None:
        with findings.at(["stop", "target"]):
            if metric.unit and not isinstance(shape.target, str):
                raise InputError(
                    f"the target needs a unit: '{metric.name}' is in '{metric.unit}'",
                    hint=f"write '{shape.target:g} {metric.unit}'",
                )
            target = in_unit(shape.target, metric.unit)
    return StopRules(
        target=target,
        no_progress=shape.no_progress,
        failures_in_a_row=shape.failures_in_a_row,
    )
