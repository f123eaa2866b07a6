"""The names that a space gives to expressions, with their units."""

from __future__ import annotations

from orchestrator.model.space import Point, Pool, SearchSpace, Value, words_of
from orchestrator.model.syntax import TEXT

PREVIOUS = "previous"
"""`previous.<name>` is the value of a parameter in the trial before, in the cost of a trial."""


def parameter_units(space: SearchSpace) -> dict[str, str]:
    """The unit of every name that an expression over parameters may use, as `compile_expression`
    takes them: '' of a plain number, `TEXT` of a word; a pool's columns as `<pool>.<column>`."""
    units: dict[str, str] = {}
    for parameter in space.parameters:
        if isinstance(parameter, Pool):
            pairs = zip(parameter.columns, parameter.units, strict=True)
            units |= {f"{parameter.name}.{column}": unit for column, unit in pairs}
            units |= dict.fromkeys((f"{parameter.name}.{c}" for c in parameter.texts), TEXT)
        is_word = words_of(parameter) is not None
        units[parameter.name] = TEXT if is_word else getattr(parameter, "unit", "")
    return units


def point_values(space: SearchSpace, point: Point) -> dict[str, Value]:
    """A point as names for expressions; a pool's columns as `<pool>.<column>`."""
    values: dict[str, Value] = dict(point)
    for parameter in space.parameters:
        if isinstance(parameter, Pool):
            row = parameter.names.index(str(point[parameter.name]))
            for column, value in zip(parameter.columns, parameter.rows[row], strict=True):
                values[f"{parameter.name}.{column}"] = value
            for column, words in parameter.texts.items():
                values[f"{parameter.name}.{column}"] = words[row]
    return values
