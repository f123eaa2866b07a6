"""Reads what binds parameters together: `when:`, and the `constraints:` that are known."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from orchestrator.errors import InputError, UnknownName
from orchestrator.files.findings import Findings
from orchestrator.files.scope import Scope
from orchestrator.files.space_shapes import ConditionalShape
from orchestrator.model.expression import compile_expression, kind_of
from orchestrator.model.quantity import check_unit, parse_quantity, quantity_in
from orchestrator.model.space import (
    Choice,
    Condition,
    Integer,
    KnownConstraint,
    Ordinal,
    Parameter,
    Real,
    SearchSpace,
    Value,
    words_of,
)

_COMPARISON = re.compile(r"(<=|>=|==|=|<|>)")
_OFFSETS = re.compile(r"\b(?:degC|degF)\b|°[CF]")


def read_condition(
    findings: Findings,
    space: SearchSpace,
    name: str,
    shape: ConditionalShape,
    conditional: Collection[str],
) -> Condition | None:
    """The condition under which a parameter exists; None (and a mistake) where it is wrong.

    `conditional` are the names of all parameters that have one.
    """
    path = ["space", name]
    if shape.when is None:
        findings.add([*path, "otherwise"], "'otherwise' says nothing without 'when'", key=True)
        return None
    if len(shape.when) != 1:
        findings.add([*path, "when"], "'when' names exactly one choice and its words")
        return None
    parent, given = next(iter(shape.when.items()))
    values = (given,) if isinstance(given, str) else tuple(given)
    with findings.at([*path, "when", parent], key=True):
        _check_parent(space, name, parent, values, conditional)
    otherwise = None
    with findings.at([*path, "otherwise"]):
        otherwise = _otherwise(space[name], shape.otherwise)
    if otherwise is None:
        return None
    return Condition(name=name, parent=parent, values=values, otherwise=otherwise)


def _check_parent(
    space: SearchSpace,
    name: str,
    parent: str,
    values: Collection[str],
    conditional: Collection[str],
) -> None:
    choices = {p.name: p.options for p in space.parameters if isinstance(p, Choice)}
    if parent not in choices or parent == name:
        kind = "choice of plain words in this space"
        raise UnknownName(kind, parent, [c for c in choices if c != name])
    if parent in conditional:
        raise InputError(f"'{parent}' exists only sometimes itself", hint="name a choice that is")
    if not values:
        raise InputError(f"'{name}' exists for no word of '{parent}'")
    for value in values:
        if value not in choices[parent]:
            raise UnknownName(f"word of '{parent}'", value, choices[parent])


def _otherwise(parameter: Parameter, given: float | str | None) -> Value:
    """The value where a parameter does not exist; it may lie outside of the bounds."""
    words = words_of(parameter)
    if words is not None:
        value = words[0] if given is None else given
        if not isinstance(value, str) or value not in words:
            raise UnknownName(f"value of '{parameter.name}'", str(value), words)
        return value
    assert isinstance(parameter, Real | Integer | Ordinal), "or it has no condition"
    least = parameter.levels[0] if isinstance(parameter, Ordinal) else parameter.low
    number = quantity_in(given, parameter.unit) if isinstance(given, str) else given
    value = float(least if number is None else number)
    if isinstance(parameter, Ordinal) and value not in parameter.levels:
        raise InputError(f"{value:g} is not a level of '{parameter.name}'")
    if isinstance(parameter, Integer) and not value.is_integer():
        raise InputError(f"'{parameter.name}' is a whole number, not {value:g}")
    if isinstance(parameter, Real) and parameter.scale == "log" and value <= 0:
        raise InputError(f"'{parameter.name}' is on a log scale, where {value:g} has no place")
    return int(value) if isinstance(parameter, Integer) else value


def read_constraints(
    findings: Findings, scope: Scope, space: SearchSpace
) -> tuple[KnownConstraint, ...]:
    """The `constraints:` of a campaign, on the parameters of its space, which `scope` knows."""
    found: list[KnownConstraint] = []
    for index, node in enumerate(findings.items(["constraints"])):
        with findings.at(["constraints", index]):
            text = node.plain()
            if not isinstance(text, str):
                raise InputError("a constraint is a text", hint="such as 'x + y <= 3 Pa'")
            constraint = _known(scope, text)
            if constraint is not None:
                _refuse_equation(constraint, found, scope, space)
                found.append(constraint)
    return tuple(found)


def _refuse_equation(
    one: KnownConstraint, others: Sequence[KnownConstraint], scope: Scope, space: SearchSpace
) -> None:
    """Accepts a constraint that leaves room beside its opposite: next to none of the points that
    are drawn fulfil an equation of real parameters. Raises InputError."""
    less, more = _sides(one.text.replace(" ", ""))
    other = next((o for o in others if _sides(o.text.replace(" ", "")) == (more, less)), None)
    names = compile_expression(one.expression, scope.units, one.unit).names
    if other is not None and any(isinstance(space[n], Real) for n in names if n in space.names):
        raise InputError(
            f"'{other.text}' and '{one.text}' are one equation",
            hint="parts that sum to a total are a 'mixture'; else leave out a parameter, and "
            "compute it in the recipe",
        )


def _known(scope: Scope, text: str) -> KnownConstraint | None:
    parts = _COMPARISON.split(text)
    if len(parts) != 3 or parts[1] not in ("<=", ">="):
        raise InputError(f"'{text}' is not a constraint", hint=_hint(parts[1::2]))
    left, right = _sides(text)
    expression = f"{left} - {right}"
    try:
        sides = (side.removeprefix("(").removesuffix(")") for side in (left, right))
        kind_of(" <= ".join(sides), scope.units)
        kind = kind_of(expression, scope.units)
    except UnknownName as error:
        if scope.excuses(error):
            return None
        raise
    unit = difference_unit(kind.unit)
    if kind.zeros:
        raise InputError(
            f"'{text}' does not compare temperatures with each other",
            hint="compare a temperature with a temperature, a difference with one in K",
        )
    if not compile_expression(expression, scope.units, unit).names:
        raise InputError(f"'{text}' names no parameter")
    return KnownConstraint(text=text, expression=expression, unit=unit)


def _sides(text: str) -> tuple[str, str]:
    """What is to be at most what, of a text with one `<=` or `>=`."""
    first, sign, second = _COMPARISON.split(text)
    left, right = (first, second) if sign == "<=" else (second, first)
    return _side(left), _side(right)


def difference_unit(unit: str) -> str:
    """The unit without zero points: of a difference of temperatures."""
    return _OFFSETS.sub("K", unit)


def _side(text: str) -> str:
    """One side of a comparison: arithmetic, or a quantity in quotes."""
    text = text.strip()
    try:
        _, unit = parse_quantity(text)
        check_unit(unit)
    except InputError:
        return f"({text})"
    return f"'{text}'" if unit else f"({text})"


def _hint(signs: Collection[str]) -> str:
    if set(signs) & {"=", "=="}:
        return "parts that sum to a total are a 'mixture'; anything else is '<=' or '>='"
    if len(signs) > 1:
        return "write two constraints"
    return "write 'ARITHMETIC <= QUANTITY' or 'ARITHMETIC >= QUANTITY'"
