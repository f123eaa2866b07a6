"""Sources of a task as predictions at the features of its space.

A source is modelled once, by a process of its own or by networks, whatever the history. What it
says of each candidate of a pool is carried along as columns that the kernel does not see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from orchestrator.errors import InputError
from orchestrator.model.space import Pool
from orchestrator.model.transfer import Source as SourceValues
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.fitting import Data, default_priors, fit, representative, with_mains
from orchestrator.planner.gaussian import GaussianProcess, Trend
from orchestrator.planner.kernel import Floats, Kernel, Layout, Shape
from orchestrator.planner.thinning import thinned
from orchestrator.planner.transfer.campaign import (
    Columns,
    ColumnSource,
    FunctionSource,
    LinearTrend,
    ProcessSource,
    Source,
)
from orchestrator.planner.transfer.library import SourceModel, SourceSet, train
from orchestrator.planner.transfer.two_outputs import MAX_BESIDE, Observed
from orchestrator.ports.planner import PlanningTask

CHUNK = 2048


@dataclass(frozen=True)
class Informant:
    """A source as it was modelled, of the pool `pool` ('' for the whole space), and as what it can
    be asked."""

    values: SourceValues
    pool: str
    process: GaussianProcess
    source: Source


@dataclass(frozen=True)
class Beside:
    """Further materials (m) of a pool: their features in all of its columns, and every informant's
    source as it can be asked at features of this encoding, by the source that it was before."""

    encoding: Encoding
    features: Floats
    anew: tuple[tuple[Source, Source], ...]

    def trend(self, trend: Trend | None) -> Trend | None:
        """A trend of the sources that were, at features of this encoding."""
        if not isinstance(trend, LinearTrend):
            return trend
        found = tuple(next(new for old, new in self.anew if old is one) for one in trend.sources)
        return replace(trend, sources=found)


@dataclass(frozen=True)
class Informing:
    """The encoding with what sources say of candidates, and every source by the metric that it
    helps and by its name.

    `materials` are those of sources by pool, `carried` what sources say of a pool's candidates.
    """

    encoding: Encoding
    by_metric: dict[str, dict[str, Source | Columns | Observed]]
    informants: tuple[Informant, ...] = ()
    materials: dict[str, list[Pool]] = field(default_factory=dict)
    carried: dict[str, Floats] = field(default_factory=dict)

    def beside(self, name: str, more: Pool) -> Beside:
        """Further materials, described as the pool `name` is, with what sources say of them.

        Nothing is fitted again: the values of a source are encoded anew, since the columns of
        counts depend on what is counted.
        """
        materials = {**self.materials, name: [*self.materials.get(name, ()), more]}
        encoding = Encoding(self.encoding.space, materials, self.carried)
        features = encoding.beside[name][-1]
        tables = {pool: iter(found) for pool, found in encoding.beside.items()}
        said, anew = list[Floats](), list[tuple[Source, Source]]()
        for one in self.informants:
            place = encoding.columns[encoding.place(one.pool)] if one.pool else slice(None)
            n_carried = self.carried[one.pool].shape[1] if one.pool else 0
            if one.values.materials is not None:
                x = next(tables[one.pool])
            else:
                x = encoding.features(_codes(encoding, one.values))[:, place]
                x = x[:, : x.shape[1] - n_carried]
            x = np.asarray(x, dtype=np.float64)
            if not one.pool:
                anew.append((one.source, _Reencoded(one.process, x, encoding.layout)))
                continue
            own = slice(place.start, place.stop - n_carried)
            there = _Reencoded(one.process, x, part_of(encoding.layout, own))
            if one.pool == name:
                said.append(there(np.asarray(features, dtype=np.float64)))
            assert isinstance(one.source, ColumnSource)
            before = self.encoding.columns[self.encoding.place(one.pool)].stop - one.source.column
            anew.append((one.source, ColumnSource(place.stop - before)))
        if said:
            features = np.hstack([features, np.stack(said, axis=1)])
        return Beside(encoding, features, tuple(anew))


@dataclass(frozen=True)
class _Reencoded:
    """What a process expects at features of another encoding, in which its own are `x` (n x d)."""

    process: GaussianProcess
    x: Floats
    layout: Layout

    def __call__(self, x: Floats) -> Floats:
        """As `Source`."""
        hyper = self.process.hyper
        widths = hyper.scales[self.layout.groups]
        kernel = Kernel(widths, hyper.variance, self.process.shape, self.layout, hyper.mains)
        return np.asarray(
            hyper.mean + kernel(x, self.process.anchored(self.x)) @ self.process.solved
        )

    def pull(self, x: Floats, by_mean: Floats) -> Floats:
        """As `Source`, by differences."""
        return FunctionSource(self).pull(x, by_mean)


def informing(task: PlanningTask, encoding: Encoding, shape: Shape) -> Informing:
    """Models every source of a task.

    Raises:
        InputError: a point of a source does not belong to the space, or its materials are to stand
            beside the metric and are not all of it.
    """
    if not task.sources:
        return Informing(encoding, {})
    sources = [thinned(source, task.seed, task.space) for source in task.sources]
    materials: dict[str, list[Pool]] = {}
    for source in sources:
        if source.materials is not None:
            materials.setdefault(source.parameter, []).append(source.materials)
    joint = Encoding(task.space, materials)
    beside = {name: iter(tables) for name, tables in joint.beside.items()}
    fitted = [_fitted(joint, beside, source, task.seed, shape) for source in sources]
    pools = list(dict.fromkeys(one.pool for one in fitted if one.pool))
    carried = {p: np.hstack([one.columns for one in fitted if one.pool == p]) for p in pools}
    informed = Encoding(task.space, materials, carried)
    found: dict[str, dict[str, Source | Columns | Observed]] = {}
    informants = []
    described = {name: iter(tables) for name, tables in informed.beside.items()}
    free = {p: informed.columns[informed.place(p)].stop - carried[p].shape[1] for p in pools}
    for one in fitted:
        named = found.setdefault(one.values.helps, {})
        of_it = next(described[one.pool]) if one.values.materials is not None else None
        name, first = _free(named, one.values), free.get(one.pool, 0)
        if one.pool:
            free[one.pool] += one.columns.shape[1]
        if one.process is None:
            named[name] = ColumnSource(first)
            named[f"{name}, last layer"] = Columns(first + 1, one.columns.shape[1] - 1)
            continue
        asked: Source = ColumnSource(first) if one.pool else ProcessSource(one.process)
        named[name] = asked
        if one.values.model == "multitask":
            named[f"{name}, multi-task"] = _observed(informed, one, of_it)
        informants.append(Informant(one.values, one.pool, one.process, asked))
    return Informing(informed, found, tuple(informants), materials, carried)


@dataclass(frozen=True)
class _Fitted:
    """A source that was modelled, by a process or by networks, and what it says of the candidates
    of its pool (n x k)."""

    values: SourceValues
    pool: str
    columns: Floats
    process: GaussianProcess | None = None


def _fitted(
    joint: Encoding,
    beside: dict[str, Iterator[Floats]],
    source: SourceValues,
    seed: int,
    shape: Shape,
) -> _Fitted:
    pool = source.parameter or (joint.sole_pool.name if joint.sole_pool else "")
    x = next(beside[pool]) if source.materials else joint.features(_codes(joint, source))
    if source.model == "networks":
        networks = _networks(x, source, seed)
        return _Fitted(source, pool, _over(networks, joint.table(pool)))
    layout = part_of(joint.layout, joint.columns[joint.place(pool)]) if pool else joint.layout
    process = _process(x, source, layout, shape)
    columns = _over(process, joint.table(pool)) if pool else np.zeros((0, 0))
    return _Fitted(source, pool, columns, process)


def _observed(informed: Encoding, one: _Fitted, described: Floats | None) -> Observed:
    """The values of a source at features of the whole space, as which its materials, if it has
    any, are `described`.

    Raises:
        InputError: the space is more than its materials.
    """
    if described is None:
        x = informed.features(_codes(informed, one.values))
    elif informed.sole_pool is None:
        raise InputError(f"the source '{one.values.name}' is of materials, not of the whole space")
    else:  # what sources say of candidates is carried along, and makes no difference
        x = np.zeros((len(described), informed.width))
        x[:, : described.shape[1]] = described
    y = _outcomes(one.values)
    some = representative(y, MAX_BESIDE)
    spread = float(y.std()) or 1.0
    return Observed(np.asarray(x[some], dtype=np.float64), (y[some] - y.mean()) / spread)


def _codes(encoding: Encoding, source: SourceValues) -> Floats:
    return encoding.encode(list(source.points))


def _free(taken: Mapping[str, object], source: SourceValues) -> str:
    """A name that no other source of the metric has."""
    name, number = source.name, 2
    while name in taken:
        name, number = f"{source.name} {number}", number + 1
    return name


def part_of(layout: Layout, columns: slice) -> Layout:
    """The layout of some neighbouring columns alone."""
    groups = layout.groups[columns]
    first = int(groups.min())
    counted = tuple(g - first for g in layout.counted if g in groups)
    return Layout(groups - first, counted)


def _process(x: Floats, source: SourceValues, layout: Layout, shape: Shape) -> GaussianProcess:
    """A process of a source's standardised values (of their logarithms on a log scale), at features
    x."""
    y = _outcomes(source)
    spread = float(y.std()) or 1.0
    n = len(y)
    data = Data(
        np.asarray(x, dtype=np.float64),
        (y - y.mean()) / spread,
        layout,
        np.ones(n),
        np.zeros(n),
        np.zeros((0, n, n)),
    )
    return fit(data, shape, with_mains(default_priors(layout.n_groups, layout.counted), layout))


def _networks(x: Floats, source: SourceValues, seed: int) -> SourceModel:
    """Networks of a source's values, at features x. Raises MissingExtra."""
    outcomes = SourceSet(source.name, np.asarray(x, dtype=np.float64), _outcomes(source))
    return train([outcomes], seed=seed).models[0]


def _outcomes(source: SourceValues) -> Floats:
    y = np.array(source.values)
    return np.log10(y) if source.scale == "log" else y


def _over(model: GaussianProcess | SourceModel, table: Floats) -> Floats:
    """What a source's model says of every candidate (n x k): what it expects, and of networks the
    last hidden layer of the best."""
    parts = []
    for i in range(0, len(table), CHUNK):
        x = np.asarray(table[i : i + CHUNK], dtype=np.float64)
        if isinstance(model, SourceModel):
            parts.append(np.column_stack([model.predict(x), model.best.hidden(x)]))
        else:
            parts.append(model.posterior(x)[0][:, None])
    return np.concatenate(parts)
