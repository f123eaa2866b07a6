"""Sources of a task as predictions at the features of its space.

A source is modelled once, by a process of its own, whatever the history. What it says of each
candidate of a pool is carried along as a column that the kernel does not see.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestrator.model.space import Pool
from orchestrator.model.transfer import Source as SourceValues
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.fitting import Data, default_priors, fit
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.kernel import Floats, Layout, Shape
from orchestrator.planner.transfer.campaign import ColumnSource, ProcessSource, Source
from orchestrator.ports.planner import PlanningTask

MAX_VALUES = 1500
"""Values of a source that are used; of more, as many are drawn."""
CHUNK = 2048


@dataclass(frozen=True)
class Informing:
    """The encoding with what sources say of candidates, and every source by the metric that it
    helps and by its name."""

    encoding: Encoding
    by_metric: dict[str, dict[str, Source]]


def informing(task: PlanningTask, encoding: Encoding, shape: Shape) -> Informing:
    """Models every source of a task.

    Raises:
        InputError: a point of a source does not belong to the space.
    """
    if not task.sources:
        return Informing(encoding, {})
    materials: dict[str, list[Pool]] = {}
    for source in task.sources:
        if source.materials is not None:
            materials.setdefault(source.parameter, []).append(source.materials)
    joint = Encoding(task.space, materials)
    beside = {name: iter(tables) for name, tables in joint.beside.items()}
    said: dict[str, list[Floats]] = {}
    placed: list[tuple[SourceValues, str, int]] = []
    found: dict[str, dict[str, Source]] = {}
    for source in task.sources:
        pool = source.parameter or (joint.sole_pool.name if joint.sole_pool else "")
        if pool:
            x = next(beside[pool]) if source.materials else joint.features(_codes(joint, source))
            columns = joint.columns[joint.place(pool)]
            process = _process(x, source, part_of(joint.layout, columns), shape, task.seed)
            said.setdefault(pool, []).append(_over(process, joint.table(pool)))
            placed.append((source, pool, len(said[pool]) - 1))
        else:
            x = joint.features(_codes(joint, source))
            process = _process(x, source, joint.layout, shape, task.seed)
            found.setdefault(source.helps, {})[_free(found, source)] = ProcessSource(process)
    carried = {name: np.stack(columns, axis=1) for name, columns in said.items()}
    informed = Encoding(task.space, materials, carried)
    for source, pool, place in placed:
        column = informed.columns[informed.place(pool)].stop - len(said[pool]) + place
        found.setdefault(source.helps, {})[_free(found, source)] = ColumnSource(column)
    return Informing(informed, found)


def _codes(encoding: Encoding, source: SourceValues) -> Floats:
    return encoding.encode(list(source.points))


def _free(found: dict[str, dict[str, Source]], source: SourceValues) -> str:
    """A name that no other source of the metric has."""
    taken, name, number = found.get(source.helps, {}), source.name, 2
    while name in taken:
        name, number = f"{source.name} {number}", number + 1
    return name


def part_of(layout: Layout, columns: slice) -> Layout:
    """The layout of some neighbouring columns alone."""
    groups = layout.groups[columns]
    first = int(groups.min())
    counted = tuple(g - first for g in layout.counted if g in groups)
    return Layout(groups - first, counted)


def _process(
    x: Floats, source: SourceValues, layout: Layout, shape: Shape, seed: int
) -> GaussianProcess:
    """A process of a source's standardised values (of their logarithms on a log scale)."""
    y = np.array(source.values)
    if source.scale == "log":
        y = np.log10(y)
    if len(y) > MAX_VALUES:
        drawn = np.random.default_rng([seed, 0x50C]).permutation(len(y))[:MAX_VALUES]
        x, y = x[np.sort(drawn)], y[np.sort(drawn)]
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
    return fit(data, shape, default_priors(layout.n_groups))


def _over(process: GaussianProcess, table: Floats) -> Floats:
    """What a process expects of every candidate (n)."""
    parts = [
        process.posterior(np.asarray(table[i : i + CHUNK], dtype=np.float64))[0]
        for i in range(0, len(table), CHUNK)
    ]
    return np.concatenate(parts)
