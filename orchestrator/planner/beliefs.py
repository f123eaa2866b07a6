"""What the model holds for true, for people to look at: how well it predicts, what matters, slices.

Everything is in the units of parameters and metrics (on a log scale in decades, where said).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestrator.model.objective import PREFERENCE
from orchestrator.model.space import Context
from orchestrator.model.trial import RUNGS
from orchestrator.planner.decades import gain_by_decades
from orchestrator.planner.diagnosis import Diagnosis
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.generalising import generalisation
from orchestrator.planner.kernel import Floats
from orchestrator.planner.measured import Measured
from orchestrator.planner.possible import Possible
from orchestrator.ports.planner import (
    Belief,
    FieldMap,
    Generalisation,
    LeaveOneOut,
    MetricBelief,
    Slice,
    Transferred,
)

N_IMPORTANCE = 256
N_SLICE = 41
N_MAP = 25
MAX_WORDS = 30
Z_90 = 1.6448536269514722


@dataclass(frozen=True)
class Beliefs:
    """Makes a `Belief` from a diagnosis. `at` are codes (p) of the point that slices go through."""

    encoding: Encoding
    possible: Possible
    diagnosis: Diagnosis
    seed: int

    def all(self) -> Belief:
        """Everything, for every modelled metric."""
        at = self.diagnosis.incumbents(1)[0]
        names, rungs = self.diagnosis.question.names, self.diagnosis.models.rungs
        return Belief(
            at=self.encoding.decode(at[None, :])[0],
            recommended=self.diagnosis.recommended(),
            metrics=tuple(self._metric(i, at) for i in range(len(names))),
            notes={RUNGS: self.diagnosis.of_rungs(rungs)} if rungs else {},
        )

    def _metric(self, column: int, at: Floats) -> MetricBelief:
        measured = self.diagnosis.evidence.measured[self.diagnosis.question.names[column]]
        importance = self._importance(column)
        ranked = sorted(importance, key=lambda n: -importance[n])
        numbers = [n for n in ranked if self.encoding.cells[self.encoding.place(n)] == 0]
        return MetricBelief(
            metric=measured.metric.name,
            unit=measured.metric.unit,
            on_log10=measured.metric.scale == "log",
            importance=importance,
            leave_one_out=self.leave_one_out(column),
            generalisation=self._generalisation(column),
            transfer=self._transferred(measured),
            slices=tuple(self._slice(column, name, at) for name in importance),
            maps=(self._map(column, numbers[0], numbers[1], at),) if len(numbers) > 1 else (),
        )

    def leave_one_out(self, column: int) -> LeaveOneOut | None:
        """Predictions of each outcome from the others; None of fewer than three."""
        measured = self.diagnosis.evidence.measured[self.diagnosis.question.names[column]]
        counting = self.diagnosis.counting(column)
        if counting.sum() < 3 or measured.metric.name == PREFERENCE:
            return None
        found, y = self.diagnosis.left_out(column), measured.y[counting]
        mean, sd = found.mean, np.sqrt(found.variance)
        within = np.abs(y - mean) <= Z_90 * sd
        kept = measured.sides[counting] == 0
        rows = np.array(measured.rows)[counting]
        trials = np.array(self.diagnosis.evidence.trials)[rows]
        by_trial = np.argsort(trials)
        return LeaveOneOut(
            trials=tuple(trials[by_trial].tolist()),
            measured=tuple(measured.on_scale(y)[by_trial].tolist()),
            as_measured=tuple(measured.raw[counting][by_trial].tolist()),
            predicted=tuple(measured.on_scale(mean)[by_trial].tolist()),
            sd=tuple(measured.deviation(mean, sd)[by_trial].tolist()),
            coverage_90=float(within[kept].mean()) if kept.any() else None,
            log_score_gain=self.diagnosis.log_score_gain(column),
            is_doubtful=self.diagnosis.is_doubtful(column),
            decades_gain=gain_by_decades(self.diagnosis.models.processes[column], measured),
        )

    def _generalisation(self, column: int) -> Generalisation | None:
        measured = self.diagnosis.evidence.measured[self.diagnosis.question.names[column]]
        if measured.metric.name == PREFERENCE or self.encoding.rungs is not None:
            return None
        process = self.diagnosis.models.processes[column]
        return generalisation(process, measured.apart, self.seed)

    def _transferred(self, measured: Measured) -> tuple[Transferred, ...]:
        entries = self.diagnosis.models.transferred.get(measured.metric.name, ())
        return tuple(
            Transferred(
                name=entry.name,
                rmse=entry.rmse * measured.spread,
                log_score=entry.score,
                weight=entry.weight,
            )
            for entry in entries
        )

    def _importance(self, column: int) -> dict[str, float]:
        """Total effects: the share of the predicted variance that is lost when a parameter is drawn
        anew [Jansen 1999], over what is possible. They add up to more than one where parameters
        act together."""
        encoding, process = self.encoding, self.diagnosis.models.processes[column]
        parameters = encoding.space.parameters
        codes = self.possible.spread(N_IMPORTANCE, self.seed)
        # shuffled: two Sobol sequences are not independent of each other, point by point
        drawn = codes[np.random.default_rng([self.seed, 0x1A4]).permutation(len(codes))]
        here, _ = process.outcome(encoding.features(codes))
        total = float(here.var())
        if len(parameters) == 1:
            return {parameters[0].name: float(total > 0.0)}
        out: dict[str, float] = {}
        for place, parameter in enumerate(parameters):
            moved = codes.copy()
            moved[:, place] = drawn[:, place]
            there, _ = process.outcome(encoding.features(encoding.snap(moved)))
            lost = float(((here - there) ** 2).mean() / (2.0 * total)) if total else 0.0
            out[parameter.name] = min(1.0, lost)
        return out

    def _slice(self, column: int, name: str, at: Floats) -> Slice:
        place = self.encoding.place(name)
        codes = np.repeat(at[None, :], len(grid := self._grid(place)), axis=0)
        codes[:, place] = grid
        mean, sd = self._predicted(column, codes)
        values = [p[name] for p in self.encoding.decode(codes)]
        return Slice(parameter=name, values=tuple(values), mean=mean, sd=sd)

    def _map(self, column: int, first: str, second: str, at: Floats) -> FieldMap:
        a, b = self.encoding.place(first), self.encoding.place(second)
        grid = np.linspace(0.0, 1.0, N_MAP)
        codes = np.repeat(at[None, :], N_MAP * N_MAP, axis=0)
        codes[:, a], codes[:, b] = np.repeat(grid, N_MAP), np.tile(grid, N_MAP)
        mean, sd = self._predicted(column, codes)
        points = self.encoding.decode(codes)
        return FieldMap(
            parameters=(first, second),
            first=tuple(float(points[i * N_MAP][first]) for i in range(N_MAP)),
            second=tuple(float(points[i][second]) for i in range(N_MAP)),
            mean=mean,
            sd=sd,
        )

    def _predicted(self, column: int, codes: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
        measured = self.diagnosis.evidence.measured[self.diagnosis.question.names[column]]
        features = self.encoding.features(self.encoding.snap(codes))
        rung = None if self.encoding.rungs is None else self.encoding.rungs.of(features)
        found = self.diagnosis.models.processes[column].outcome(features)
        mean, sd = (measured.unstretched(part, rung) for part in found)
        in_unit, sd = measured.on_scale(mean), measured.deviation(mean, sd)
        return tuple(in_unit.tolist()), tuple(sd.tolist())

    def _grid(self, place: int) -> Floats:
        n = self.encoding.cells[place]
        if isinstance(self.encoding.space.parameters[place], Context) or n == 0:
            return np.linspace(0.0, 1.0, N_SLICE)
        cells = np.unique(np.linspace(0, n - 1, min(n, MAX_WORDS)).astype(int))
        return np.asarray((cells + 0.5) / n)
