"""Ask and tell from Python: a space and an objective, results in, points out."""

from __future__ import annotations

import json
import re
import threading
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator import plugins
from orchestrator.engine.history import evaluated_of, in_context, task_of
from orchestrator.errors import InputError, PoolExhausted
from orchestrator.files.campaign import campaign_from_text
from orchestrator.files.rows import Row, rows_of
from orchestrator.model.objective import Metric
from orchestrator.model.points import context_words, outside_words
from orchestrator.model.space import Point
from orchestrator.model.start import KnownTrial
from orchestrator.model.trial import Proposal
from orchestrator.ports.planner import Evaluated, History
from orchestrator.runtime.ask_tell import (
    context_now,
    count_from,
    is_partial,
    is_whole,
    seed_from,
)
from orchestrator.runtime.in_flight import answered
from orchestrator.runtime.load import KINDS
from orchestrator.runtime.settling import settled_trials
from orchestrator.runtime.tables import Data, is_single, table_of

_LIMITED = re.compile(r"\s*(\w+)")


class Advisor:
    """Proposes points for somebody who carries them out.

    Everything is said as in a campaign file: `space={"width": {"real": [1, 10], "unit": "mm"}}`,
    `objective={"maximise": "strength"}`. The same calls in the same order give the same points.
    Threads may share one: their calls come one after the other. It may be pickled.

    Args:
        space: the parameters by name.
        objective: what is wanted.
        metrics: units and scales of what is measured; without it the metrics of the objective,
            without units.
        constraints: what is known not to be possible.
        planner: the kind of planner and its options.
        seed: another one makes other choices.

    Raises:
        FileProblems: with everything that is wrong.
        InputError: the seed is no whole number, or below zero.
    """

    def __init__(
        self,
        space: Mapping[str, Any],
        objective: Mapping[str, Any],
        *,
        metrics: Mapping[str, Any] | None = None,
        constraints: Sequence[str] | str = (),
        planner: Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        objective = dict(objective)
        if "subject_to" in objective:
            objective["subject_to"] = _listed(objective["subject_to"])
        if metrics is None:
            metrics = {name: {} for name in _spoken_of(objective)}
        said: dict[str, Any] = {"name": "advice", "space": space}
        said["constraints"] = _listed(constraints)
        said |= {"metrics": metrics, "objective": objective, "seed": seed_from(seed)}
        said["planner"] = planner or {}
        text = json.dumps(said, indent=1, ensure_ascii=False, default=_plain)
        self._campaign = campaign_from_text(
            text,
            "the advisor",
            plugins.installed("planners"),
            KINDS,
        )
        task = task_of(self._campaign)
        self._planner = plugins.load("planners", task.planner.kind)(task)
        self._evaluated: list[Evaluated] = []
        self._pending: list[Point] = []
        self._preferences: list[tuple[int, int]] = []
        self._n_proposed = 0
        self._turn = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_turn"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _turn=threading.Lock())

    def ask(
        self, n: int = 1, *, context: Mapping[str, float | str] | None = None
    ) -> tuple[Proposal, ...]:
        """The next `n` points, each with why it was chosen. They count as in flight until told.

        `context` says how what cannot be chosen is now; else it is as in the newest trial.

        Warns:
            UserWarning: `context` lies outside of what is expected.

        Raises:
            InputError: `n` is no whole number, or less than one.
            PlanningError: no proposal can be made.
        """
        n = count_from(n)
        with self._turn:
            history = History(
                evaluated=tuple(self._evaluated),
                pending=tuple(self._pending),
                n_proposed=self._n_proposed,
                preferences=tuple(self._preferences),
            )
            now = context_now(self._campaign.space, context or {}, history)
            _say(context_words(self._campaign.space, {name: now[name] for name in context or {}}))
            history = history.model_copy(update={"context": now})
            try:
                made = self._planner.propose(history, n)
            except PoolExhausted as error:
                if n_waiting := len(self._pending):
                    error.hint = (
                        f"{n_waiting} of them are in flight: tell their results, or `forget` them"
                    )
                raise
            proposals = [in_context(self._campaign.space, proposal, history) for proposal in made]
            self._pending += [proposal.point for proposal in proposals]
            self._n_proposed += len(proposals)
            return tuple(proposals)

    def tell(self, data: Data) -> tuple[int, ...]:
        """Takes results, and gives each row its number, from 1.

        `data` is a row by name (also a Series), rows, columns, a DataFrame or a CSV file, with a
        value for every parameter and metric. A row without a result is a point in flight, the word
        `failed` a trial that failed because of its parameters. A row answers the nearest point in
        flight, if its words are the same and its numbers almost; any other counts as proposed.
        A row with some of its results may be told again with the others: it keeps its number.

        Warns:
            UserWarning: points lie outside of the space; they count as what they are.

        Raises:
            InputError: with everything that is wrong; nothing of it was taken then.
        """
        wanted = [m for m in self._campaign.metrics if m.name in self._campaign.objective.metrics]
        pairs = self._read(data, wanted)
        _say(outside_words(self._campaign.space, [trial.point for _, trial in pairs]))
        with self._turn:
            return self._take(pairs, len(wanted))

    def _take(self, pairs: Sequence[tuple[Row, KnownTrial]], n_wanted: int) -> tuple[int, ...]:
        numbers: list[int] = []
        asked, in_flight = list(self._pending), list[Point]()
        for row, trial in pairs:
            told = evaluated_of(trial, len(self._evaluated) + 1)
            begun = self._begun(told, n_wanted)
            if begun is not None:
                numbers.append(self._complete(begun, told))
                continue
            place = answered(self._campaign.space, trial.point, asked)
            if place is None:
                self._n_proposed += 1
            else:
                del asked[place]
            if row.is_pending:
                in_flight.append(trial.point)
            else:
                numbers.append(told.trial)
                self._evaluated.append(told)
        self._pending = asked + in_flight
        return tuple(numbers)

    @property
    def in_flight(self) -> tuple[Point, ...]:
        """The points without a result so far: what was asked for, and rows told without one."""
        return tuple(dict(point) for point in self._pending)

    def forget(self, data: Data) -> None:
        """Withdraws points in flight that will not be tried: a point by name, or several, as `tell`
        takes them.

        Raises:
            InputError: one of them is not in flight; none is withdrawn then.
        """
        pairs = self._read(data, [])
        with self._turn:
            pending = list(self._pending)
            for _, trial in pairs:
                place = answered(self._campaign.space, trial.point, pending)
                if place is None:
                    raise InputError(
                        f"{trial.source}: the point is not in flight",
                        hint="advisor.in_flight has those that are",
                    )
                del pending[place]
            self._pending = pending

    def _read(self, data: Data, metrics: Sequence[Metric]) -> list[tuple[Row, KnownTrial]]:
        single = _row(data)
        if isinstance(data, list | tuple) and not data:
            return []
        table, space = table_of(data if single is None else [single]), self._campaign.space
        rows = rows_of(table, space, metrics, reads_materials=True)
        trials = settled_trials(space, [(row.trial, row.line) for row in rows], table.source)
        return list(zip(rows, trials, strict=True))

    def _begun(self, told: Evaluated, n_metrics: int) -> int | None:
        """The place of an earlier trial of which this is what was still to come."""
        for place, begun in enumerate(self._evaluated):
            is_open = is_partial(begun, n_metrics) and _completes(told, begun)
            if is_open and answered(self._campaign.space, told.point, [begun.point]) is not None:
                return place
        return None

    def _complete(self, place: int, told: Evaluated) -> int:
        begun = self._evaluated[place]
        update = {"trial": begun.trial, "outcomes": begun.outcomes | told.outcomes}
        self._evaluated[place] = told.model_copy(update=update)
        return begun.trial

    def prefer(self, better: int, worse: int) -> None:
        """Says which of two rows is the better one, by the numbers that `tell` gave.

        Raises:
            InputError: there is no such row, or they are the same.
        """
        for number in (better, worse):
            if not is_whole(number) or not 1 <= number <= len(self._evaluated):
                raise InputError(
                    f"there is no row {number!r}: {len(self._evaluated)} were told",
                    hint="rows are named by the numbers that `tell` gave, from 1",
                )
        if better == worse:
            raise InputError(f"row {better} is not better than itself")
        self._preferences.append((int(better), int(worse)))


def _say(words: str) -> None:
    if words:
        warnings.warn(words, stacklevel=3)


def _spoken_of(objective: Mapping[str, Any]) -> list[str]:
    """The metrics that an objective names; of limits the names before the comparison."""
    names: list[str] = []
    for direction in ("minimise", "maximise", "match"):
        for part in (objective, *(objective.get("goals") or ())):
            given = part.get(direction) if isinstance(part, Mapping) else None
            names += [given] if isinstance(given, str) else list(given or ())
    limited = [_LIMITED.match(str(rule)) for rule in objective.get("subject_to") or ()]
    names += [found[1] for found in limited if found]
    return list(dict.fromkeys(names))


def _listed(rules: Any) -> Any:
    """One rule as a list of it; what is no list stays, so that its mistake is told."""
    if isinstance(rules, str):
        return [rules]
    return list(rules) if isinstance(rules, tuple) else rules


def _plain(value: Any) -> Any:
    """A number or an array of numpy as JSON has it; whatever else, as the text that it prints."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _row(data: Any) -> Mapping[str, Any] | None:
    """The one row that a mapping, or a Series of pandas (which has keys and one axis), holds."""
    if not isinstance(data, Mapping) and getattr(data, "ndim", 2) == 1 and hasattr(data, "keys"):
        data = dict(zip(data.keys(), data, strict=True))
    is_one = isinstance(data, Mapping) and all(map(is_single, data.values()))
    return data if is_one else None


def _completes(told: Evaluated, begun: Evaluated) -> bool:
    """Whether a trial says more than the one begun, and nothing else of what both say."""
    both = told.outcomes.keys() & begun.outcomes.keys()
    is_same = all(told.outcomes[name].value == begun.outcomes[name].value for name in both)
    return is_same and (told.failed or len(told.outcomes) > len(both))
