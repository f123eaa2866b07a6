"""Pools that grow: materials that a generator makes, conditioned on what was measured.

At every refresh, and where every candidate is used up, the results known by then are modelled, and
the generator is given the logarithm of the probability that a material is better than the best of
them, within the limits. All of it is a function of the task and the history, so a proposal made
again is the same.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from orchestrator.errors import InputError, PlanningError
from orchestrator.model.counts import Counts
from orchestrator.model.rows import Rows
from orchestrator.model.space import Described, Generation, Parameter, Point, Pool, SearchSpace
from orchestrator.model.trial import named
from orchestrator.planner.kernel import Floats
from orchestrator.planner.naming import Naming
from orchestrator.ports.planner import History, PlanningTask

if TYPE_CHECKING:
    from pydantic.main import IncEx

    from orchestrator.planner.scoring import Scoring
    from orchestrator.ports.descriptor import Descriptor

MIN_RESULTS = 4
"""Of fewer, nothing is made yet, as long as the table has something left."""
N_STARTS = 60
"""Materials from which a generator starts: the best measured ones, and of the pool at random."""
N_TOLD = 600
"""Candidates known from sources with which generated ones are scored."""
N_COMPARED = 400
"""Candidates of the pool beside those measured with which generated ones are scored."""


def growing_pool(space: SearchSpace) -> Pool | None:
    """The pool of a space that grows, or None.

    Raises:
        InputError: there are two.
    """
    found = [p for p in space.parameters if isinstance(p, Pool) and p.generation is not None]
    if len(found) > 1:
        raise InputError("one pool of a space may grow, not two")
    return found[0] if found else None


@dataclass(frozen=True)
class Made:
    """What a refresh made; if it is nothing, why ('' while there is too little to go by)."""

    materials: tuple[str, ...]
    why_nothing: str = ""


@dataclass
class Growth:
    """Grows the pool of a task. It keeps the newest two refreshes, and what descriptors say of
    materials, so as not to make them again."""

    task: PlanningTask
    pool: Pool
    _newest: tuple[tuple[History, Made], ...] = ()
    _describers: list[Descriptor] = field(default_factory=list)
    _corpus: list[str] = field(default_factory=list)
    _naming: Naming | None = None
    _vectors: dict[str, tuple[Floats, ...]] = field(default_factory=dict)

    @property
    def generation(self) -> Generation:
        """How it grows."""
        assert self.pool.generation is not None
        return self.pool.generation

    def settled(self, history: History) -> tuple[History, str]:
        """The history with every material as the candidate that it is, and what was left out of it:
        trials and points in flight of materials that cannot be described ('' for none).

        Raises:
            InputError: a descriptor is not installed.
        """
        ended, pending, begun, withdrawn, why = [], [], [], [], list[str]()
        first = min((one.trial for one in history.evaluated), default=1)
        for one in history.evaluated:
            try:
                ended.append(one.model_copy(update={"point": self._settled(one.point)}))
            except InputError as error:
                why.append(f"{named(one.trial, first)} ({_read(error)})")
        for one in history.begun:
            with suppress(InputError):  # told of its point in flight
                begun.append(one.model_copy(update={"point": self._settled(one.point)}))
        for one in history.withdrawn:
            with suppress(InputError):  # told of while all of it counted
                withdrawn.append(one.model_copy(update={"point": self._settled(one.point)}))
        for point in history.pending:
            try:
                pending.append(self._settled(point))
            except InputError as error:
                why.append(f"one in flight ({_read(error)})")
        update = {
            "evaluated": tuple(ended),
            "pending": tuple(pending),
            "begun": tuple(begun),
            "withdrawn": tuple(withdrawn),
        }
        return history.model_copy(update=update), "; ".join(why)

    def _settled(self, point: Point) -> Point:
        word = point.get(self.pool.name)
        if not isinstance(word, str):
            return point
        return {**point, self.pool.name: self._names.candidate(word)}

    @property
    def _names(self) -> Naming:
        if self._naming is None:
            self._naming = Naming(self.pool, self._makers())
        return self._naming

    def known(self, history: History) -> PlanningTask:
        """The task with the materials of the history in its pool.

        Raises:
            InputError: one cannot be described.
        """
        return self._with(self._strangers(history))

    def grown(self, history: History, scoring: Scoring, *, at_once: bool = False) -> PlanningTask:
        """The task with those of the history, and with those of the newest refresh, or of one that
        is made at once of all results.

        Raises:
            InputError: a material cannot be described, or the generator's options are wrong.
        """
        strangers = self._strangers(history)
        made = self._generated(history, scoring, at_once=at_once).materials
        return self._with((*strangers, *(m for m in made if m not in strangers)))

    def _strangers(self, history: History) -> tuple[str, ...]:
        """The materials of a history that are not in the table, in the order of their trials."""
        name, own = self.pool.name, self._names.names
        ended = sorted(history.evaluated, key=lambda e: e.trial)
        points = [e.point for e in ended] + list(history.pending)
        words = dict.fromkeys(str(p[name]) for p in points if name in p)
        return tuple(word for word in words if word not in own)

    def _with(self, more: Sequence[str]) -> PlanningTask:
        if not more:
            return _replaced(self.task, self.pool)
        made = self._as_pool(more, self._kept(more))
        return _replaced(self.task, joined(self.pool, made))

    def _kept(self, materials: Sequence[str]) -> list[Floats]:
        """What each descriptor says of materials (n x d each), which are asked about once: those of
        the history and of the newest refresh are kept."""
        new = [m for m in materials if m not in self._vectors]
        if new:
            told = zip(*(maker.describe(new) for maker in self._makers()), strict=True)
            self._vectors |= dict(zip(new, told, strict=True))
        self._vectors = {m: self._vectors[m] for m in materials}
        return [np.stack(rows) for rows in zip(*(self._vectors[m] for m in materials), strict=True)]

    def described(self, materials: Sequence[str]) -> Pool:
        """Materials as a pool of their own, described as the growing one is. Raises InputError."""
        return self._as_pool(materials, [maker.describe(materials) for maker in self._makers()])

    def _as_pool(self, materials: Sequence[str], values: Sequence[Floats]) -> Pool:
        pairs = zip(self.pool.described, values, strict=True)
        parts = [_described(said, one) for said, one in pairs]
        column = self.generation.material
        texts = {
            c: tuple(materials if c == column else [""] * len(materials)) for c in self.pool.texts
        }
        return Pool(
            name=self.pool.name,
            names=tuple(materials),
            columns=(),
            units=(),
            rows=Rows.of(()),
            texts=texts,
            described=tuple(parts),
        )

    def _makers(self) -> list[Descriptor]:
        if not self._describers:
            pairs = zip(self.pool.described, self.generation.descriptors, strict=True)
            self._describers = [_loaded(target)(**said.options) for said, target in pairs]
        return self._describers

    def why_nothing(self, history: History, scoring: Scoring, *, at_once: bool = False) -> str:
        """Why the newest refresh of a history, or one at once, made nothing; '' where it did, or is
        still to come.

        Raises:
            InputError: as `grown`.
        """
        return self._generated(history, scoring, at_once=at_once).why_nothing

    def _generated(self, history: History, scoring: Scoring, *, at_once: bool = False) -> Made:
        """What the generator makes of the results at the newest refresh, or of all."""
        if self.task.objective.by_preference:
            return Made(
                (), "what people prefer does not say yet what a new material should be like"
            )
        ended = sorted(history.evaluated, key=lambda e: e.trial)
        n = len(ended) if at_once else len(ended) // self.generation.every * self.generation.every
        past = History(evaluated=tuple(ended[:n]), n_proposed=n)
        if not at_once and len([e for e in past.evaluated if e.outcomes]) < MIN_RESULTS:
            return Made(())
        found = next((made for known, made in self._newest if known == past), None)
        if found is None:
            found = self._make(past, scoring, _seed(past))
            self._newest = (*self._newest[-1:], (past, found))
        return found

    def _make(self, past: History, scoring: Scoring, seed: int) -> Made:
        known = self.known(past)
        here = growing_pool(known.space)
        assert here is not None
        rng = np.random.default_rng([self.task.seed, seed, 0x6E4])
        tried = {str(e.point[self.pool.name]) for e in past.evaluated}
        told = self._told_of(rng) - tried
        kept = [i for i, name in enumerate(here.names) if name in tried or name in told]
        rest = np.array(sorted(set(range(len(here.names))) - set(kept)), dtype=int)
        drawn = np.sort(rng.permutation(rest)[:N_COMPARED]).tolist()
        compared = here.only([*kept, *drawn])
        small = _heard(_replaced(known, compared), compared)
        score = scoring(small, past, self.described, seed)
        starts = self._starts(compared, score.best_first(), rng)
        generator = self._generator(self._strangers(past))
        try:
            found = generator.generate(starts, score, self.generation.n, seed)
        except PlanningError as error:
            return Made((), str(error))  # the pool stays as it is
        except InputError as error:
            return Made((), _read(error))  # a material it cannot start from
        materials = dict(zip(here.names, self._materials(here), strict=True)).values()
        own, reader = set(materials), self._makers()[0]
        made = dict.fromkeys(reader.canonical(one.material) for one in found)
        new = tuple(self._names.unknown([material for material in made if material not in own]))
        return Made(new, "" if new else "all that was made is in the table already")

    def _materials(self, pool: Pool) -> Sequence[str]:
        """The material of each candidate."""
        return pool.texts.get(self.generation.material, pool.names)

    def _told_of(self, rng: np.random.Generator) -> set[str]:
        """Candidates of which sources have values, `N_TOLD` of them at most."""
        points = [p for source in self.task.sources for p in source.points]
        names = list(dict.fromkeys(str(p[self.pool.name]) for p in points))
        if len(names) > N_TOLD:
            names = [names[i] for i in rng.permutation(len(names))[:N_TOLD]]
        return set(names)

    def _starts(self, pool: Pool, best: Sequence[str], rng: np.random.Generator) -> list[str]:
        material = dict(zip(pool.names, self._materials(pool), strict=True))
        others = [name for name in pool.names if name not in best]
        drawn = [others[i] for i in rng.permutation(len(others))]
        return [material[name] for name in [*best, *drawn][:N_STARTS]]

    def _generator(self, measured: Sequence[str]) -> Any:
        """The generator, which learns from its corpus and from what it made and was measured."""
        chosen = self.generation
        cls = _loaded(chosen.target)
        if not self._corpus:
            self._corpus = self._readable(chosen.corpus or cls.default_corpus())
        return cls([*self._corpus, *measured], **chosen.options)

    def _readable(self, corpus: Sequence[str]) -> list[str]:
        reader, found = self._makers()[0], []
        for material in corpus:
            try:
                found.append(reader.canonical(material))
            except InputError:
                continue
        return found


def joined(pool: Pool, more: Pool) -> Pool:
    """A pool with the candidates of another one after its own."""
    described = tuple(
        a.model_copy(
            update={
                "counts": None if a.counts is None or b.counts is None else a.counts + b.counts,
                "rows": None if a.rows is None or b.rows is None else a.rows + b.rows,
            }
        )
        for a, b in zip(pool.described, more.described, strict=True)
    )
    texts = {c: (*words, *more.texts[c]) for c, words in pool.texts.items()}
    names = (*pool.names, *more.names)
    return pool.model_copy(update={"names": names, "texts": texts, "described": described})


def _heard(task: PlanningTask, pool: Pool) -> PlanningTask:
    """The task with what its sources say of the candidates of a small pool, and of materials."""
    names, kept = set(pool.names), []
    for source in task.sources:
        if source.materials is not None:
            kept.append(source)
            continue
        both = zip(source.points, source.values, strict=True)
        pairs = [(p, v) for p, v in both if str(p[pool.name]) in names]
        if len(pairs) > 1:
            points, values = tuple(p for p, _ in pairs), tuple(v for _, v in pairs)
            kept.append(source.model_copy(update={"points": points, "values": values}))
    return task.model_copy(update={"sources": tuple(kept)})


def _seed(past: History) -> int:
    """What random numbers depend on: what results say, not when and in which block they came."""
    levels: IncEx = {"__all__": {"level"}}
    left_out: IncEx = {"trial": True, "at_s": True, "block": True, "outcomes": levels}
    said = [e.model_dump_json(exclude=left_out) for e in past.evaluated]
    return int(hashlib.sha256("\n".join(said).encode()).hexdigest()[:8], 16) % 2**31


def _replaced(task: PlanningTask, pool: Pool) -> PlanningTask:
    parameters: list[Parameter] = [
        pool if p.name == pool.name else p for p in task.space.parameters
    ]
    space = task.space.model_copy(update={"parameters": tuple(parameters)})
    return task.model_copy(update={"space": space})


def _described(said: Described, values: Floats) -> Described:
    if said.counts is None:
        return said.model_copy(update={"rows": Rows.of(values.copy(order="C"))})
    return said.model_copy(update={"counts": Counts.of(values)})


def _read(error: InputError) -> str:
    """Why a material cannot be read; raises the error where that is no fault of the material."""
    if error.hint.startswith("pip install"):
        raise error
    return str(error)


def _loaded(target: str) -> Any:
    """A class as "module:name". Raises InputError."""
    module, _, name = target.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"'{target}' cannot be loaded: {error}") from error
