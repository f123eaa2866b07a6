"""Reads the `metrics:` of a campaign file, and how its contexts are measured."""

from __future__ import annotations

from orchestrator.files.findings import Findings
from orchestrator.files.reducing import read_reduction
from orchestrator.files.scope import Scope
from orchestrator.files.shapes import MetricShape
from orchestrator.model.objective import Metric
from orchestrator.model.quantity import check_unit, quantity_in
from orchestrator.model.reduction import FILE_HASH
from orchestrator.model.space import Context, SearchSpace


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


def refuse_parameters(findings: Findings, space: SearchSpace) -> None:
    """Notes metrics that have the name of a parameter: in a table they would be one column."""
    for name in findings.entries(["metrics"]):
        if name in space.names and not isinstance(space[name], Context):
            message = f"'{name}' is a parameter already, so that it cannot be a metric too"
            findings.add(["metrics", name], message, "give what is measured another name", key=True)


def read_contexts(findings: Findings, scope: Scope, space: SearchSpace) -> dict[str, Metric]:
    """How each context is measured: a metric of its name, without an expression if a person may
    observe it."""
    metrics = {}
    for context in space.parameters:
        if not isinstance(context, Context):
            continue
        path = ["space", context.name, "value"]
        given, text = findings.plain(path), ""
        with findings.at(path):
            expression = scope.compile(str(given), context.unit) if given is not None else None
            text = expression.text if expression else ""
        metrics[context.name] = Metric(name=context.name, expression=text, unit=context.unit)
        if context.name in findings.entries(["metrics"]):
            message = f"the context '{context.name}' is a metric of that name already"
            findings.add(["metrics", context.name], message, "say its 'value' there", key=True)
    return metrics


def _metric(findings: Findings, scope: Scope, name: str, shape: MetricShape) -> Metric:
    path, text = ["metrics", name], ""
    if shape.value is not None:
        with findings.at([*path, "value"]):
            expression = scope.compile(shape.value, shape.unit)
            text = expression.text if expression else ""
    reduction = read_reduction(findings, scope, path, shape)
    if reduction is not None and reduction.step:
        text = f"{reduction.step}.{FILE_HASH}"
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
        reduction=reduction,
    )


def in_unit(given: float | str, unit: str) -> float:
    """A quantity, or a plain number in the unit that stands beside it. Raises InputError."""
    return quantity_in(given, unit) if isinstance(given, str) else float(given)
