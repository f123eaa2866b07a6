"""Which values of a large source are learnt from: those of materials most like the candidates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from orchestrator.model.rows import Rows
from orchestrator.model.space import Pool, SearchSpace
from orchestrator.model.transfer import MOST_VALUES, Source
from orchestrator.planner.describing import described
from orchestrator.planner.kernel import Floats, unlikeness

CHUNK = 4096
N_COMPARED = 500
"""Candidates of a pool beside which materials are held; those that are one are found among all."""


def thinned(source: Source, seed: int, space: SearchSpace) -> Source:
    """The source with those of its values alone that are used: the features of 100,000 fingerprints
    would take a gigabyte. Of materials these are the nearest to candidates of the space, of points
    any.

    Raises:
        InputError: a number that describes a material is not finite.
    """
    n, most = len(source.values), MOST_VALUES[source.model]
    if n <= most:
        return source
    rng = np.random.default_rng([seed, 0x50C])
    order = rng.permutation(n)
    pools = [p for p in space.parameters if isinstance(p, Pool) and p.name == source.parameter]
    if source.materials is not None and pools:
        apart = _from_the_nearest(source.materials, pools[0], rng)
        order = order[np.argsort(apart[order], kind="stable")]
    rows = np.sort(order[:most]).tolist()
    kept: dict[str, object] = {
        "values": tuple(source.values[row] for row in rows),
        "points": tuple(source.points[row] for row in rows) if source.points else (),
    }
    if source.materials is not None:
        kept["materials"] = source.materials.only(rows)
    return source.model_copy(update=kept)


def _from_the_nearest(materials: Pool, pool: Pool, rng: np.random.Generator) -> Floats:
    """Squared distance (m) of each of the materials from the candidate that is nearest to it."""
    compared = pool.only(np.sort(rng.permutation(len(pool.names))[:N_COMPARED]).tolist())
    out = np.empty(len(materials.names))
    for start in range(0, len(out), CHUNK):
        some = range(start, min(start + CHUNK, len(out)))
        out[start : some.stop] = _apart(materials.only(some), compared).min(axis=1)
    known = set(_descriptions(pool))
    out[[one in known for one in _descriptions(materials)]] = 0.0
    return out


def _apart(materials: Pool, pool: Pool) -> Floats:
    """Squared distances (m x n) of materials from candidates, as what describes both has it."""
    total = np.zeros((len(materials.names), len(pool.names)))
    for candidates, others in zip(pool.described, materials.described, strict=True):
        part = described(candidates, others)
        assert part.table is not None
        b, a = np.split(part.table, [len(pool.names)])
        if part.counted:
            total += unlikeness(a, b)
        else:
            total += (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2.0 * (a @ b.T)
    return total


def _descriptions(pool: Pool) -> Iterator[bytes]:
    """What descriptors say of each candidate, as bytes: of equal ones the same."""
    said = [one.counts or one.rows or Rows.of([]) for one in pool.described]
    for row in range(len(pool.names)):
        yield b"".join(part.bytes_of(row) for part in said)
