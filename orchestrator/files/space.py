"""Reads the `space:` of a campaign file: parameters, and what binds them together."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path

from orchestrator.errors import InputError, did_you_mean
from orchestrator.files.columns import split_header
from orchestrator.files.conditions import read_condition
from orchestrator.files.describing import Kinds
from orchestrator.files.findings import Findings
from orchestrator.files.mixture import read_mixture
from orchestrator.files.pools import described_choice, read_pool
from orchestrator.files.scope import Scope
from orchestrator.files.shape import Shape
from orchestrator.files.space_shapes import (
    PARAMETER_SHAPES,
    ChoiceShape,
    ConditionalShape,
    ContextShape,
    DescribedChoiceShape,
    FidelityShape,
    IntegerShape,
    MixtureShape,
    OrderedWordsShape,
    OrdinalShape,
    PoolShape,
    RealShape,
    RungsShape,
    parameter_shape,
)
from orchestrator.model.quantity import check_unit, difference_in, parse_quantity, quantity_in
from orchestrator.model.space import (
    MOST_WHOLE,
    Choice,
    Condition,
    Context,
    Fidelity,
    Integer,
    Mixture,
    Ordinal,
    Parameter,
    Real,
    SearchSpace,
    fidelity_of,
)

_PERCENT = ("%", "percent")


def read_space(findings: Findings, scope: Scope, folder: Path, kinds: Kinds) -> SearchSpace:
    """What could be read, without the known constraints; each parameter is declared in `scope`.

    Tables of pools are looked for in `folder`.
    """
    reading = _Reading(findings, scope, folder, kinds)
    for name in findings.entries(["space"]):
        reading.entry(name)
    conditions = reading.conditions()
    return SearchSpace(
        parameters=tuple(reading.parameters),
        mixtures=tuple(reading.mixtures),
        conditions=conditions,
    )


class _Reading:
    def __init__(self, findings: Findings, scope: Scope, folder: Path, kinds: Kinds) -> None:
        self._findings, self._scope = findings, scope
        self._folder, self._kinds = folder, kinds
        self._conditional: dict[str, ConditionalShape] = {}
        self.parameters: list[Parameter] = []
        self.mixtures: list[Mixture] = []

    def entry(self, name: str) -> None:
        """Reads one entry of the space, and declares what it brings."""
        findings, scope, path = self._findings, self._scope, ["space", name]
        with findings.at(path, key=True):
            scope.check_new(name)
        shape = _shape(findings, name)
        if isinstance(shape, MixtureShape):
            self._mixture(name, shape)
            return
        parameter = None if shape is None else self._parameter(name, shape)
        if parameter is None or shape is None:
            scope.broken.add(name)
            return
        self.parameters.append(parameter)
        scope.declare(parameter)
        if isinstance(shape, ConditionalShape) and {"when", "otherwise"} & shape.model_fields_set:
            self._conditional[name] = shape

    def conditions(self) -> tuple[Condition, ...]:
        """The conditions, once every parameter is known."""
        space = SearchSpace(parameters=tuple(self.parameters))
        bound, found = set(self._conditional), []
        for name, shape in self._conditional.items():
            condition = read_condition(self._findings, space, name, shape, bound)
            if condition is not None:
                found.append(condition)
                self._scope.widen(name, condition.otherwise)
        return tuple(found)

    def _mixture(self, name: str, shape: MixtureShape) -> None:
        self._scope.taken.add(name)
        read = read_mixture(self._findings, self._scope, name, shape)
        if read is None:
            self._scope.broken |= set(shape.mixture)
            return
        components, mixture = read
        self.mixtures.append(mixture)
        self.parameters += components
        for component in components:
            self._scope.declare(component)

    def _parameter(self, name: str, shape: Shape) -> Parameter | None:
        path = ["space", name]
        kind = next(kind for kind in PARAMETER_SHAPES if kind in type(shape).model_fields)
        parameter: Parameter | None = None
        with self._findings.at([*path, kind]):
            if isinstance(shape, PoolShape):
                outcomes = self._outcomes(name)
                parameter = read_pool(name, shape, self._folder, self._kinds, outcomes)
            else:
                parameter = _parameter(name, shape)
            self._refuse_second_fidelity(parameter)
        if parameter is None:
            return None
        with self._findings.at([*path, "unit"]):
            check_unit(getattr(parameter, "unit", ""))
            return self._completed(parameter, shape)
        return None

    def _outcomes(self, pool: str) -> list[str]:
        """The metrics, but those of which the file reads a column of the pool: it is known."""
        metrics, text = self._findings.plain(["metrics"]), str(self._findings.plain([]))
        names = [str(name) for name in metrics] if isinstance(metrics, dict) else []
        renamed = self._findings.plain(["start", "columns"])
        called = renamed if isinstance(renamed, dict) else {}
        names += [split_header(str(called[name]))[0] for name in names if name in called]
        return [m for m in names if not re.search(rf"\b{re.escape(f'{pool}.{m}')}\b", text)]

    def _refuse_second_fidelity(self, parameter: Parameter) -> None:
        first = fidelity_of(SearchSpace(parameters=tuple(self.parameters)))
        if isinstance(parameter, Fidelity) and first is not None:
            raise InputError(f"there is one fidelity at most, and '{first.name}' is one already")

    def _completed(self, parameter: Parameter, shape: Shape) -> Parameter | None:
        """With what is given in the parameter's unit, which is known to exist."""
        path = ["space", parameter.name]
        if isinstance(parameter, Real) and isinstance(shape, RealShape) and shape.noise is not None:
            with self._findings.at([*path, "noise"]):
                return parameter.model_copy(update={"setting_sd": _setting_sd(parameter, shape)})
            return None
        if isinstance(parameter, Context) and isinstance(shape, ContextShape):
            with self._findings.at([*path, "assumed"]):
                return _assumed(parameter, shape)
            return None
        return parameter


def _shape(findings: Findings, name: str) -> Shape | None:
    path = ["space", name]
    entries = findings.entries(path)
    kinds = [kind for kind in PARAMETER_SHAPES if kind in entries]
    if len(kinds) != 1:
        kinds_known = ", ".join(PARAMETER_SHAPES)
        near = (did_you_mean(key, PARAMETER_SHAPES) for key in entries)
        hint = next((h for h in near if h.startswith("did")), f"say {name}: {{real: [0, 10]}}")
        findings.add(path, f"'{name}' needs exactly one of {kinds_known}", hint)
        return None
    if kinds == ["integer"] and "scale" in entries:
        hint = "a whole number on a log scale is an `ordinal: [1, 10, 100]`, or a `real`"
        findings.add([*path, "scale"], f"the integer '{name}' has no scale", hint, key=True)
        return None
    shape = parameter_shape(kinds[0], findings.plain([*path, kinds[0]]))
    return findings.shaped(path, shape, f"a key of a parameter that is '{kinds[0]}'")


def _parameter(name: str, shape: Shape) -> Parameter:
    match shape:
        case RealShape() | IntegerShape() | ContextShape():
            return _between(name, shape)
        case OrdinalShape() | OrderedWordsShape():
            return _ordinal(name, shape)
        case ChoiceShape(choice=options):
            _refuse_twice(options, "choice")
            return Choice(name=name, options=tuple(options))
        case DescribedChoiceShape():
            return described_choice(name, shape)
        case FidelityShape(fidelity=levels):
            return Fidelity(name=name, levels=tuple(levels), costs=tuple(levels.values()))
        case RungsShape(fidelity=rungs):
            _refuse_twice(rungs, "fidelity")
            return Fidelity(name=name, levels=tuple(rungs))
    raise TypeError(f"not the shape of a parameter: {shape!r}")


def _between(name: str, shape: RealShape | IntegerShape | ContextShape) -> Parameter:
    match shape:
        case RealShape():
            low, high = shape.real
        case IntegerShape():
            low, high = map(_whole, shape.integer)
        case ContextShape():
            low, high = shape.context
    if not low < high:
        hint = "what is always the same is no parameter: write it in the recipe"
        message = f"the lower bound {low:g} is not below the upper bound {high:g}"
        raise InputError(message, hint=hint if low == high else "")
    unit = shape.unit
    if isinstance(shape, IntegerShape):
        return Integer(name=name, low=int(low), high=int(high), unit=unit)
    if isinstance(shape, ContextShape):
        return Context(name=name, low=low, high=high, assumed=(low + high) / 2, unit=unit)
    if shape.scale == "log" and low <= 0:
        raise InputError("on a log scale both bounds must be above zero")
    return Real(name=name, low=low, high=high, unit=unit, scale=shape.scale)


def _whole(bound: int) -> int:
    """The bound of an integer. Raises InputError: floating-point numbers may not tell it apart."""
    if abs(bound) > MOST_WHOLE:
        message = f"a whole number is between -{MOST_WHOLE:g} and {MOST_WHOLE:g}"
        raise InputError(message, hint="so large a number is a `real`")
    return bound


def _refuse_twice(words: list[str], where: str) -> None:
    if len(set(words)) < len(words):
        raise InputError(f"a word stands twice in the {where}")


def _ordinal(name: str, shape: OrdinalShape | OrderedWordsShape) -> Ordinal:
    if isinstance(shape, OrderedWordsShape):
        _refuse_twice(shape.ordinal, "order")
        return Ordinal(name=name, levels=tuple(shape.ordinal))
    levels = tuple(map(float, shape.ordinal))
    if any(not a < b for a, b in pairwise(levels)):
        raise InputError("the levels are not in ascending order", hint="least first, each once")
    if shape.scale == "log" and levels[0] <= 0:
        raise InputError("on a log scale every level must be above zero")
    return Ordinal(name=name, levels=levels, unit=shape.unit, scale=shape.scale)


def _setting_sd(parameter: Real, shape: RealShape) -> float:
    """The standard deviation of a setting in its unit, on a log scale in decades."""
    given = shape.noise
    if not isinstance(given, str):
        if parameter.unit or parameter.scale == "log":
            example = "5 %" if parameter.scale == "log" else f"{given or 0.0:g} {parameter.unit}"
            hint = f"write '{example}'"
            raise InputError(f"the noise of '{parameter.name}' needs a unit", hint=hint)
        sd = float(given or 0.0)
    elif parameter.scale == "log":
        value, written = parse_quantity(given)
        if written not in _PERCENT:
            raise InputError("on a log scale the noise is a share", hint="write it as '5 %'")
        sd = math.log10(1.0 + value / 100.0) if value > 0 else value
    else:
        sd = difference_in(given, parameter.unit)
    if sd < 0:
        raise InputError("a standard deviation is not below zero")
    return sd


def _assumed(parameter: Context, shape: ContextShape) -> Context:
    if shape.assumed is None:
        return parameter
    given = shape.assumed
    value = quantity_in(given, parameter.unit) if isinstance(given, str) else float(given)
    return parameter.model_copy(update={"assumed": value})
