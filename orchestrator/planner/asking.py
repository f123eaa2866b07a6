"""Makes the worth of points out of the models, the question, and what is in flight."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from orchestrator.planner.encoding import Encoding
from orchestrator.planner.gain import (
    Boxes,
    CloserToBand,
    Gain,
    HypervolumeImprovement,
    Improvement,
    WithinLimits,
    open_boxes,
    undominated,
)
from orchestrator.planner.gaussian import Belief, GaussianProcess, belief, drawn_belief
from orchestrator.planner.kernel import Floats
from orchestrator.planner.likelihood import factor
from orchestrator.planner.question import Question
from orchestrator.planner.sobol import Sobol
from orchestrator.planner.worth import Weight, Worth

MAX_ANCHORS = 12
"""So many of the best measured points are looked at; `options.MAX_TOP` is no more."""
DRAWS_OF_SEVERAL = 4
NARROW = 4
LEAST_EXTENT = 3.0
"""Of what is of interest of each goal, in standardised outcomes, beside fronts of fewer points."""
N_SHIFTS = 16
N_GAIN = 64
MAX_TO_GAIN = 1000
SURE_SD = 1e-2
"""Below it, in standardised outcomes, what was measured is taken as the outcome itself."""


@dataclass(frozen=True)
class Asked:
    """The models' answers at the anchors: the best measured points, then those in flight."""

    beliefs: tuple[Belief, ...]
    outcomes: tuple[Floats, ...]


def worth(
    encoding: Encoding,
    question: Question,
    processes: tuple[GaussianProcess, ...],
    measured_at: Floats,
    in_flight: Floats,
    counts: NDArray[np.bool_],
    to_come: NDArray[np.bool_],
    weights: tuple[Weight, ...],
    *,
    draws: int,
    seed: int,
    top: int = 1,
) -> Worth:
    """The worth of points, given features measured (n x d) and in flight (f x d), of which only
    those at the fidelity that `counts` (f) may be the best; `to_come` (f x k) says of which an
    outcome of each process is not known yet. With one goal, what is gained is
    counted from the one that is `top` in the order of the best."""
    anchors = _anchors(question, processes, measured_at)
    draws = min(draws, DRAWS_OF_SEVERAL) if len(question.aims) > 1 else draws
    moved = shifts(encoding, seed)
    if moved is None:
        asked = _ask(processes, anchors, in_flight, draws, seed)
    else:
        asked = _ask_averaged(processes, anchors, in_flight, to_come, moved)
    is_asked = np.concatenate([np.ones(len(anchors), dtype=bool), counts])
    counted = tuple(v[is_asked[: len(v)]] for v in asked.outcomes)
    asked = Asked(asked.beliefs, counted)
    plain = Asked(
        tuple(belief(process) for process in processes),
        tuple(values.mean(axis=1, keepdims=True) for values in asked.outcomes),
    )
    rough = Worth(encoding, plain.beliefs, _gain(question, plain, top), weights)
    return Worth(encoding, asked.beliefs, _gain(question, asked, top), weights, rough)


def _anchors(
    question: Question, processes: tuple[GaussianProcess, ...], measured_at: Floats
) -> Floats:
    """The measured points (a x d) that may be the best ones: those of the largest merit with half
    a standard deviation's benefit of doubt, or of the first fronts for several goals."""
    distinct = np.unique(measured_at, axis=0)
    posteriors = [process.posterior(distinct) for process in processes]
    if len(question.aims) == 1:
        aim = question.aims[0]
        hopeful = [m for m, _ in posteriors]
        merit = question.merit(hopeful) + 0.5 * posteriors[aim.column][1]
        return distinct[np.argsort(-merit, kind="stable")[:MAX_ANCHORS]]
    likely = np.ones(len(distinct), dtype=bool)
    for limit in question.limits:
        mean, sd = posteriors[limit.column]
        likely &= limit.sign * (mean - limit.bound) + sd >= 0.0
    if likely.any():
        distinct = distinct[likely]
        posteriors = [(mean[likely], sd[likely]) for mean, sd in posteriors]
    signed = np.stack([aim.merit(posteriors[aim.column][0]) for aim in question.aims], axis=1)
    spread = np.stack([posteriors[aim.column][1] for aim in question.aims], axis=1)
    front = undominated(signed)
    beaten = np.all(front[None, :, :] >= (signed + spread)[:, None, :], axis=2)
    ahead = ~np.any(beaten, axis=1)
    in_front = np.any(np.all(signed[:, None, :] == front[None, :, :], axis=2), axis=1)
    order = np.argsort(~in_front, kind="stable")
    rows = [i for i in order if in_front[i] or ahead[i]]
    return distinct[rows[: 4 * MAX_ANCHORS]]


def _ask(
    processes: tuple[GaussianProcess, ...],
    anchors: Floats,
    in_flight: Floats,
    draws: int,
    seed: int,
) -> Asked:
    at = np.concatenate([anchors, in_flight])
    posteriors = [process.posterior(anchors) for process in processes]
    if not len(in_flight) and all(sd.max() < SURE_SD for _, sd in posteriors):
        return Asked(
            tuple(belief(process) for process in processes),
            tuple(mean[:, None] for mean, _ in posteriors),
        )
    normal = _antithetic(len(at) * len(processes), draws, seed)
    beliefs, outcomes = [], []
    for number, process in enumerate(processes):
        part = normal[number * len(at) : (number + 1) * len(at)]
        found, values = drawn_belief(process, at, part)
        beliefs.append(found)
        outcomes.append(values)
    return Asked(tuple(beliefs), tuple(outcomes))


def _antithetic(width: int, n: int, seed: int) -> Floats:
    """Standard normal numbers (width x n) in pairs of opposite sign."""
    half = np.random.default_rng([seed, 0xD2A]).normal(size=(width, (n + 1) // 2))
    return np.concatenate([half, -half], axis=1)[:, :n]


def _ask_averaged(
    processes: tuple[GaussianProcess, ...],
    anchors: Floats,
    in_flight: Floats,
    to_come: NDArray[np.bool_],
    shifts: Floats,
) -> Asked:
    """For settings that are not held exactly: the mean outcome over where a trial may end up.
    Points in flight are taken to give what is expected of them."""
    at = np.concatenate([anchors, in_flight])
    beliefs, outcomes = [], []
    for process, lacking in zip(processes, to_come.T, strict=True):
        beliefs.append(belief(process.expecting(in_flight[lacking]), shifts))
        outcomes.append(beliefs[-1].moments(at)[0])
    return Asked(tuple(beliefs), tuple(outcomes))


def shifts(encoding: Encoding, seed: int) -> Floats | None:
    """Deviations of features (s x d) that settings may have, in pairs of opposite ones; None where
    all settings are exact."""
    sds = encoding.setting_sds
    if not sds.any():
        return None
    uniform = Sobol(encoding.n_parameters, seed).points(0, N_SHIFTS // 2)
    half = ndtri(np.clip(uniform, 1e-6, 1 - 1e-6)) * sds
    moved = np.concatenate([half, -half])
    places, columns = encoding.movable
    out = np.zeros((len(moved), encoding.width))
    out[:, columns] = moved[:, places]
    return out


def _gain(question: Question, asked: Asked, top: int) -> Gain:
    holds = np.ones(asked.outcomes[0].shape, dtype=bool)
    for limit in question.limits:
        lead = limit.sign * (asked.outcomes[limit.column] - limit.bound)
        holds &= lead >= 0.0
    gain = (
        _several(question, asked, holds)
        if len(question.aims) > 1
        else _one(question, asked, holds, top)
    )
    limits = tuple((li.column, li.sign, li.bound) for li in question.limits)
    return WithinLimits(gain, limits) if limits else gain


def _one(question: Question, asked: Asked, holds: NDArray[np.bool_], top: int) -> Gain:
    """While no drawn outcome keeps the limits, what is gained is counted from below everything."""
    aim = question.aims[0]
    merit = aim.merit(asked.outcomes[aim.column])
    nothing = merit.min(axis=0) - 1.0
    kept = np.where(holds, merit, -np.inf)
    best = kept.max(axis=0) if top == 1 else np.sort(kept, axis=0)[-min(top, len(kept))]
    best = np.where(np.isfinite(best), best, nothing)
    if aim.is_band:
        return CloserToBand(aim.column, aim.low, aim.high, np.maximum(-best, 0.01))
    return Improvement(aim.column, aim.sign, best)


def _several(question: Question, asked: Asked, holds: NDArray[np.bool_]) -> Gain:
    columns = tuple(aim.column for aim in question.aims)
    signs = tuple(aim.sign for aim in question.aims)
    merits = np.stack([aim.merit(asked.outcomes[aim.column]) for aim in question.aims], axis=2)
    likely = holds.mean(axis=1) >= 0.5
    reference = reference_point(question, merits[likely if likely.any() else ...].mean(axis=1))
    boxes = []
    for draw in range(merits.shape[1]):
        kept = merits[holds[:, draw], draw]
        boxes.append(straightened(question, open_boxes(kept, reference)))
    bands = tuple((aim.low, aim.high) if aim.is_band else None for aim in question.aims)
    return HypervolumeImprovement(columns, signs, bands, tuple(boxes))


def straightened(question: Question, boxes: Boxes) -> Boxes:
    """Boxes of goals some of which are bent, cut where these grow twice as steep once they are
    straight, and with what they are larger then."""
    for place, aim in enumerate(question.aims):
        floors = boxes.lower[:, place]
        for level in aim.doublings(float(floors.min()), float(floors.max())):
            boxes = boxes.cut(place, level)
    grown = np.zeros(len(boxes.lower))
    for place, aim in enumerate(question.aims):
        low, high = boxes.lower[:, place], boxes.upper[:, place]
        ends = aim.log_steepness(low), aim.log_steepness(np.where(np.isinf(high), low, high))
        grown += np.logaddexp(*ends) - math.log(2.0)
    return replace(boxes, grown=grown)


def reference_point(question: Question, merits: Floats) -> Floats:
    """The corner (k) from which hypervolume is counted: what the goals say is of no interest, else
    below the front's worst by a share of its extent that is the larger, the fewer points it has
    [Ishibuchi et al. 2018], and at least a tenth. While it has next to none, the corner lies at
    least three standard deviations of all outcomes below the best: beside a front of one point,
    next to nothing could be gained by any trade."""
    aims = question.aims
    merits = np.stack([aim.straight(merits[:, j]) for j, aim in enumerate(aims)], axis=1)
    front = undominated(merits)
    ends = front if len(front) > 1 else merits
    extent = ends.max(axis=0) - ends.min(axis=0)
    n_points = len(np.unique(front, axis=0))
    share = max(0.1, 1.0 / _steps_of(n_points, front.shape[1]))
    found = ends.min(axis=0) - share * np.where(extent > 0, extent, 1.0)
    if n_points < NARROW:
        found = np.minimum(found, ends.max(axis=0) - LEAST_EXTENT)
    pairs = zip(aims, found.tolist(), strict=True)
    return np.array([aim.crooked(at) if aim.worst is None else aim.worst for aim, at in pairs])


def _steps_of(n_points: int, k: int) -> int:
    """Into how many steps each of k goals is cut by a simplex lattice of so many points, at most;
    at least one."""
    steps = 1
    while math.comb(steps + k, k - 1) <= n_points:
        steps += 1
    return steps


def gain_left(
    question: Question,
    processes: tuple[GaussianProcess, ...],
    measured_at: Floats,
    others: Floats,
    seed: int,
) -> tuple[float, float]:
    """What is expected of the measured point (features n x d) that is expected to be best, and that
    with as much more merit as the best of these and others (m x d) is expected to have,
    standardised. Limits count where they likely hold; of very many points, those count that may be
    best."""
    aim = question.aims[0]
    known = _likely(question, processes, measured_at)
    x = np.unique(_likely(question, processes, np.concatenate([measured_at, others])), axis=0)
    if len(x) > MAX_TO_GAIN:
        mean, sd = processes[aim.column].posterior(x)
        hoped = np.maximum(aim.merit(mean + 3.0 * sd), aim.merit(mean - 3.0 * sd))
        x = x[np.sort(np.argsort(-hoped, kind="stable")[:MAX_TO_GAIN])]
    mean, _ = processes[aim.column].posterior(known)
    x = np.concatenate([known[None, np.argmax(aim.merit(mean))], x])
    mean, covariance = processes[aim.column].joint(x)
    normal = _antithetic(len(x), N_GAIN, seed)
    merits = aim.merit(mean[:, None] + factor(covariance) @ normal)
    more = float((merits.max(axis=0) - merits[0]).mean())
    return float(mean[0]), float(mean[0]) + aim.sign * more


def _likely(question: Question, processes: tuple[GaussianProcess, ...], x: Floats) -> Floats:
    """Those of features x (m x d) where all limits likely hold; all where none is such."""
    likely = np.ones(len(x), dtype=bool)
    for limit in question.limits:
        mean, _ = processes[limit.column].posterior(x)
        likely &= limit.sign * (mean - limit.bound) >= 0.0
    return x[likely] if likely.any() else x
