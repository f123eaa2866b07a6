"""The names that an expression of a campaign file may use, as the file is read from the top."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, field

from orchestrator.errors import InputError, UnknownName, did_you_mean
from orchestrator.files.shape import NAME
from orchestrator.model.expression import FUNCTIONS, TEXT, Expression, compile_expression
from orchestrator.model.space import (
    PREVIOUS,
    Context,
    Integer,
    Ordinal,
    Parameter,
    Pool,
    Real,
    Value,
    words_of,
)


@dataclass
class Scope:
    """Names with their units; for parameters also what they may become.

    `ranges` are in the name's unit; `words` are the values of names that stand for texts; `whole`
    are names of whole numbers; `steps` are those so far, with results or without. A name in
    `broken` was declared, but not so that it could be read: to use it is no second mistake. `taken`
    are names that stand for nothing in an expression; `sample_from` is the step that takes the
    trial's sample.
    """

    units: dict[str, str] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    steps: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    sample_from: str = ""

    def declare(self, parameter: Parameter) -> None:
        """Adds a parameter, and the columns of a pool as `pool.column`."""
        name, words = parameter.name, words_of(parameter)
        match parameter:
            case Pool():
                self._declare_pool(parameter)
            case Real() | Integer() | Context():
                self.units[name] = parameter.unit
                self.ranges[name] = (float(parameter.low), float(parameter.high))
            case _ if words is not None:
                self.units[name], self.words[name] = TEXT, words
            case Ordinal(levels=levels, unit=unit):
                numbers = [float(level) for level in levels]
                self.units[name], self.ranges[name] = unit, (min(numbers), max(numbers))
        if isinstance(parameter, Integer):
            self.whole.add(name)

    def _declare_pool(self, pool: Pool) -> None:
        self.units[pool.name], self.words[pool.name] = TEXT, pool.names
        for index, (column, unit) in enumerate(zip(pool.columns, pool.units, strict=True)):
            values = pool.rows.column(index)
            self.units[f"{pool.name}.{column}"] = unit
            self.ranges[f"{pool.name}.{column}"] = (min(values), max(values))
        for column, texts in pool.texts.items():
            self.units[f"{pool.name}.{column}"] = TEXT
            self.words[f"{pool.name}.{column}"] = tuple(dict.fromkeys(texts))

    def compile(self, text: str, target: str) -> Expression | None:
        """The expression behind a leading `=`; None where it uses a broken name.

        Raises:
            InputError: as `compile_expression`; or there is no leading `=`.
        """
        if not text.lstrip().startswith("="):
            raise InputError(f"'{text}' is not an expression", hint=f"write '={text}'")
        try:
            return compile_expression(text.lstrip()[1:].strip(), self.units, target)
        except UnknownName as error:
            if self.excuses(error):
                return None
            raise

    def excuses(self, error: UnknownName) -> bool:
        """Whether the unknown name is a broken one; else the error's hint is made better."""
        if error.name.split(".")[0] in self.broken:
            return True
        near = did_you_mean(error.name, {*self.units, *self.broken})
        if near.startswith("did") and not error.hint.startswith("did"):
            error.hint = near
        return False

    def widen(self, name: str, value: Value) -> None:
        """Takes into account that a parameter may have this value too."""
        if name in self.ranges and not isinstance(value, str):
            low, high = self.ranges[name]
            self.ranges[name] = (min(low, value), max(high, value))

    def check_new(self, name: str) -> None:
        """Accepts a new name for a parameter or a step. Raises InputError."""
        if not re.fullmatch(NAME, name) or keyword.iskeyword(name):
            raise InputError(
                f"'{name}' cannot be a name", hint="letters, digits and '_', a letter first"
            )
        if name == PREVIOUS:
            raise InputError(f"'{name}' cannot be a name", hint="it stands for the trial before")
        if name in FUNCTIONS:
            raise InputError(f"'{name}' cannot be a name", hint=f"{name}() is a function")
        others = self.steps | self.broken | self.taken
        if name in others or any(n.split(".")[0] == name for n in self.units):
            raise InputError(f"the name '{name}' is used twice", hint="give it another name")
