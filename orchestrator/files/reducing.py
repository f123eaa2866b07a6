"""Reads what a metric takes of an instrument's file (`reduce:`)."""

from __future__ import annotations

from pathlib import Path

from orchestrator.errors import InputError, UnitMismatch, did_you_mean
from orchestrator.files.columns import column_of, numbers_in, split_header
from orchestrator.files.document import KeyPath
from orchestrator.files.findings import Findings
from orchestrator.files.scope import Scope
from orchestrator.files.shapes import MetricShape, ReduceShape
from orchestrator.files.table import read_table
from orchestrator.model.expression import TEXT
from orchestrator.model.quantity import check_unit, parse_quantity, quantity_in, same_dimension
from orchestrator.model.reduction import FILE_HASH, Reduction

_OF_A_PEAK = ("position", "width", "area")
_ACROSS = (*_OF_A_PEAK, "at", "distance")


def read_reduction(
    findings: Findings, scope: Scope, path: KeyPath, shape: MetricShape
) -> Reduction | None:
    """What is taken of a file; None where nothing is, or where it could not be read."""
    given = shape.reduce
    if given is None:
        return None
    path = [*path, "reduce"]
    before = findings.count
    if shape.value is not None:
        findings.add(path, "a metric has either a 'value' or what it is reduced of", key=True)
    _check_keys(findings, path, given)
    step = _step(findings, scope, path, given)
    for column, unit in given.units.items():
        with findings.at([*path, "units", column]):
            check_unit(unit)
    if findings.count > before:
        return None
    with findings.at(path):
        return _reduction(findings, path, given, shape.unit, step)
    return None


def _check_keys(findings: Findings, path: KeyPath, given: ReduceShape) -> None:
    take = given.take
    has_place = given.between is not None or given.at is not None
    if given.over is None and (take in _ACROSS or has_place):
        findings.add(path, f"'{take}' needs 'over', the column that it goes along", key=True)
    for key, word in (("at", "at"), ("to", "distance")):
        is_given = getattr(given, key) is not None
        if is_given and take != word:
            findings.add([*path, key], f"'{key}' is for 'take: {word}' only", key=True)
        if not is_given and take == word:
            findings.add(path, f"'take: {word}' needs '{key}'", key=True)


def _step(findings: Findings, scope: Scope, path: KeyPath, given: ReduceShape) -> str:
    step = given.file
    if step is None or step in scope.broken:
        return ""
    brings = [s for s in sorted(scope.steps) if scope.units.get(f"{s}.{FILE_HASH}") == TEXT]
    if step not in brings:
        why = "brings no file" if step in scope.steps else "does not exist"
        hint = did_you_mean(step, brings) if brings else "such as `do: ROLE.collect`"
        findings.add([*path, "file"], f"the step '{step}' {why}", hint)
    return step


def _reduction(
    findings: Findings, path: KeyPath, given: ReduceShape, unit: str, step: str
) -> Reduction:
    target: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())
    over_unit = _over_unit(given, unit)
    if given.to is not None:
        over_unit, target = _target(findings, given, over_unit, unit)
    low, high = None, None
    if given.between is not None:
        low, high = (_number(v, over_unit) for v in given.between)
        if low >= high:
            raise InputError("the window of 'between' is empty", hint="the lower bound first")
    inside = [
        (x, y)
        for x, y in zip(*target, strict=True)
        if (low is None or x >= low) and (high is None or x <= high)
    ]
    if given.to is not None and not inside:
        raise InputError(f"no point of '{given.to}' lies within 'between'")
    check_unit(over_unit)
    return Reduction(
        take=given.take,
        of=given.of,
        over="" if given.over is None else given.over,
        over_unit=over_unit,
        low=low,
        high=high,
        place=None if given.at is None else _number(given.at, over_unit),
        step=step,
        format=given.format or "",
        units=dict(given.units),
        target=(tuple(x for x, _ in inside), tuple(y for _, y in inside)),
    )


def _over_unit(given: ReduceShape, unit: str) -> str:
    """In which unit places along `over` are said; that of the metric where it is such a place."""
    said = [*(given.between or []), *([] if given.at is None else [given.at])]
    units = [parse_quantity(v)[1] for v in said if isinstance(v, str)]
    if units:
        return units[0]
    if said:
        return ""
    if given.over is not None and given.over in given.units:
        return given.units[given.over]
    return unit if given.take in ("position", "width") else ""


def _number(given: float | str, unit: str) -> float:
    number, said = parse_quantity(given) if isinstance(given, str) else (float(given), "")
    if bool(said) != bool(unit) or not same_dimension(said, unit):
        raise UnitMismatch(f"'{given}'", said, unit)
    return quantity_in(given, unit) if isinstance(given, str) else number


def _target(
    findings: Findings, given: ReduceShape, over_unit: str, unit: str
) -> tuple[str, tuple[tuple[float, ...], tuple[float, ...]]]:
    """The curve of a table beside the campaign file, and the unit of its places."""
    assert given.to is not None, "it is asked for"
    assert given.over is not None, "it was checked"
    file = Path(findings.document.source).parent / given.to
    if not file.is_file():
        raise InputError(
            f"there is no file '{given.to}'", hint="its path is relative to the campaign file"
        )
    table = read_table(file)
    across, along = column_of(table, given.over), column_of(table, given.of)
    over_unit = over_unit or split_header(across)[1]
    return over_unit, (numbers_in(table, across, over_unit), numbers_in(table, along, unit))
