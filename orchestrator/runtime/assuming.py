"""The question that a table alone says: its columns as a space, some of them as goals."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import combinations, islice, pairwise
from typing import Any, Literal, TypeAlias, get_args

from orchestrator.errors import InputError, UnknownName
from orchestrator.files.columns import column_of, split_header
from orchestrator.files.rows import beside_of
from orchestrator.files.table import NO_INDEX, Table, is_quantity, no_number_hint, number
from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective
from orchestrator.model.space import MOST_WHOLE, Choice, Integer, Parameter, Real, SearchSpace
from orchestrator.ports.planner import MetricScale, PlanningTask

Direction: TypeAlias = Literal["minimise", "maximise"]
Wanted: TypeAlias = tuple[Direction, str]
NUMBERED = re.compile(r"[+-]?[.,]?\d")
"""How a number begins."""
UNNAMED = re.compile(r"Unnamed: \d+")
"""What pandas calls a column without a name, as it writes the numbers of rows."""
FEWEST_COUNTED = 5
"""Rows from which on it shows that a column numbers them, or names them."""
MOST_SKIPPED = 1.25
"""So many numbers for each row: some rows may have been left out."""


def assumed_task(
    table: Table, goal: Wanted | Sequence[Wanted] | None, seed: int
) -> tuple[PlanningTask, list[str]]:
    """The question that a table and a goal say, and what is to be said of its columns.

    Raises:
        InputError: no goal is named, or a column does not say what may be varied.
    """
    wanted = _goals(table, goal)
    if not table.rows:
        raise InputError(
            f"{table.source} has no rows, which say what may be varied",
            hint="a campaign file says it without them",
        )
    metrics = [split_header(column) for column in wanted]
    names = [name for name, _ in metrics]
    aside = {*wanted, *(c for name in names for c in beside_of(table, name, names).values())}
    free = [column for column in table.columns if column not in aside]
    if unnamed := next(filter(UNNAMED.fullmatch, free), ""):
        raise InputError(f"'{unnamed}' has no name in the file that it comes from", hint=NO_INDEX)
    parameters = tuple(_assumed(table, column) for column in free)
    if not parameters:
        raise InputError(f"{table.source} has no column beside '{', '.join(wanted)}' to vary")
    directions = zip(metrics, wanted.values(), strict=True)
    task = PlanningTask(
        space=SearchSpace(parameters=parameters),
        metrics=tuple(MetricScale(name=name, unit=unit) for name, unit in metrics),
        objective=Objective(goals=tuple(Goal(metric=m, direction=d) for (m, _), d in directions)),
        planner=PlannerChoice(kind="bayesian", initial=0),
        seed=seed,
    )
    return task, _remarks(table, free, names)


def _goals(table: Table, goal: Wanted | Sequence[Wanted] | None) -> dict[str, Direction]:
    """Which way the columns are to go that are goals."""
    if not goal:
        raise InputError(
            "the table does not say what is wanted",
            hint="--minimise COLUMN or --maximise COLUMN, one of: " + ", ".join(table.columns),
        )
    goals: Any = [goal] if _is_pair(goal) else goal
    if not isinstance(goals, list | tuple) or not all(map(_is_pair, goals)):
        hint = "write ('maximise', 'COLUMN'), or a list of such pairs"
        raise InputError(f"{goal!r} is not a goal", hint=hint)
    for direction, _ in goals:
        if direction not in get_args(Direction):
            raise UnknownName("direction of a goal", direction, get_args(Direction))
    wanted: dict[str, Direction] = {column_of(table, name): way for way, name in goals}
    if len(wanted) < len(goals):
        raise InputError("a column has one goal: it is made small, or large, not both")
    for column in table.columns:
        column_of(table, split_header(column)[0])  # refuses a name that stands twice
    return wanted


def _is_pair(one: object) -> bool:
    """Whether it is two words: which way, and what."""
    return isinstance(one, list | tuple) and len(one) == 2 and all(isinstance(w, str) for w in one)


def _remarks(table: Table, columns: Sequence[str], goals: Sequence[str]) -> list[str]:
    """What is to be said of columns that are taken as parameters."""
    words = {c: dict.fromkeys(table.texts(c)) for c in columns if not table.is_numeric(c)}
    said = [_words_said(column, cells) for column, cells in words.items()]
    naming = [
        f"{column} has another word in each row: leave it out if it only names them"
        for (column, cells), one in zip(words.items(), said, strict=True)
        if len(cells) == len(table.rows) >= FEWEST_COUNTED and len(columns) > 1 and not one
    ]
    beside = [
        f"{column} is taken as a parameter: the noise of {name} would be '{name} sd'"
        for name in goals
        for column in columns
        if re.match(rf"{re.escape(name)}[\s_-]", column)
    ]
    counted = [c for c in columns if len(columns) > 1 and _numbers_rows(table, c)]
    counting = [
        f"{column} numbers the rows and is taken as a parameter: leave it out if it is none"
        for column in counted
    ]
    together = [
        f"{second} goes with {first} in every row: leave one of them out, or a point may have both "
        "as no row has"
        for first, second in combinations(words, 2)
        if _goes_with(table.texts(first), table.texts(second))
    ]
    return [one for one in (*said, *naming, *beside, *counting, *together) if one]


def _goes_with(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether two columns of words, some of which come again, say the same."""
    n_pairs = len({*zip(first, second, strict=True)})
    return 1 < len({*first}) == len({*second}) == n_pairs < len(first)


def _numbers_rows(table: Table, column: str) -> bool:
    """Whether whole numbers go up from row to row, few of them left out."""
    if len(table.rows) < FEWEST_COUNTED or not table.is_numeric(column):
        return False
    values = table.numbers(column)
    goes_up = all(before < after for before, after in pairwise(values))
    is_dense = values[-1] - values[0] < len(values) * MOST_SKIPPED
    return goes_up and is_dense and all(value.is_integer() for value in values)


def _words_said(column: str, words: Collection[str]) -> str:
    """That words are taken for such, where most begin as numbers do."""
    if 2 * sum(bool(NUMBERED.match(word)) for word in words) <= len(words):
        return ""
    shown = ", ".join(f"'{word}'" for word in islice(words, 3))
    return f"{column} is taken as words: {shown}" + (", ..." if len(words) > 3 else "")


def _assumed(table: Table, column: str) -> Parameter:
    name, unit = split_header(column)
    texts = table.texts(column)
    if all(number(cell) is None for cell in texts):
        if "" in texts:
            raise InputError(
                f"column '{column}' of {table.source} has an empty cell where a word is expected, "
                f"{table.where(texts.index(''))}",
                hint="write what it stands for, such as 'none'",
            )
        _refuse_quantities(column, texts)
        # in the order of the alphabet, so that the order of the rows changes nothing
        return Choice(name=name, options=tuple(sorted(set(texts))))
    values = table.numbers(column)
    low, high = min(values), max(values)
    if low == high:
        raise InputError(
            f"column '{column}' has one value only, so its range is not known",
            hint="describe the space in a campaign file: --campaign FILE",
        )
    is_whole = all(v == int(v) for v in values) and "." not in "".join(texts)
    if is_whole and max(-low, high) <= MOST_WHOLE:
        return Integer(name=name, low=int(low), high=int(high), unit=unit)
    return Real(name=name, low=low, high=high, unit=unit)


def _refuse_quantities(column: str, texts: Sequence[str]) -> None:
    meant = [text for text in texts if is_quantity(text)]
    if 2 * len(meant) > len(texts):
        raise InputError(
            f"column '{column}' has '{meant[0]}' where a number is expected",
            hint=f"{no_number_hint(meant[0])}; for words, list them: --campaign FILE",
        )
