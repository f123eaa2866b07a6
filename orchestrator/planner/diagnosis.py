"""Why this point: what the model expects there, and whether the model is to be believed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from orchestrator.model.objective import PREFERENCE
from orchestrator.model.space import fidelity_of
from orchestrator.model.trial import RUNGS, Neighbour, Prediction, Proposal, named
from orchestrator.planner.asking import SURE_SD, shifts
from orchestrator.planner.buying import Judged, sentence
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.gain import undominated
from orchestrator.planner.gaussian import belief
from orchestrator.planner.generalising import Predicted, is_outside, left_out
from orchestrator.planner.kernel import Floats
from orchestrator.planner.measured import Evidence, on_scale
from orchestrator.planner.models import Models
from orchestrator.planner.question import Aim, Limit, Question
from orchestrator.planner.scalarised import TRADE
from orchestrator.planner.search import Found
from orchestrator.planner.weighing import degrees, room
from orchestrator.ports.planner import MetricScale, unlike_the_others

SMALL_SD = 0.15
"""Below this share of the outcomes' spread a prediction is sure enough to call it exploiting."""
MIN_TO_DOUBT = 10
"""Of fewer outcomes, leave-one-out would cast doubt by chance."""
N_INCUMBENTS = 4
N_ON_FRONT = 12


@dataclass(frozen=True)
class Diagnosis:
    """Explains proposals of one history. Trials are compared as they would be in the `context`
    (codes, p) of today."""

    encoding: Encoding
    evidence: Evidence
    question: Question
    models: Models
    context: Floats

    def proposal(self, found: Found, still_to_gain: float | None) -> Proposal:
        """A found point with all that can be said about it; `still_to_gain` is in the unit of the
        first goal, or in decades."""
        codes = found.codes[None, :]
        features = self.encoding.features(codes)
        predicted = {
            name: self._predict(column, features)
            for column, name in enumerate(self.question.names)
            if not self.evidence.measured[name].is_trade
        }
        lifted = self.encoding.features(self.encoding.at_highest_fidelity(codes))
        chances = [self._chance(limit, lifted) for limit in self.question.limits]
        survives = self._survives(features)
        nearest = self._nearest(features)
        intent = self._intent(lifted)
        outside = is_outside(self.models.processes[self.question.aims[0].column], features)
        return Proposal(
            point=self.encoding.decode(codes)[0],
            source="model" if self.encoding.sole_pool is None else "pool",
            why=self._why(predicted, chances, nearest, intent, outside=bool(outside)),
            intent=intent,
            predicted=predicted,
            acquisition=found.value,
            probability_feasible=math.prod(chances + survives) if chances + survives else None,
            nearest=nearest,
            leave_one_out=self._leave_one_out(),
            notes=self._notes(still_to_gain) | ({"domain": "outside"} if outside else {}),
        )

    def recommended(self) -> int | None:
        """The trial that the model thinks best of those that were measured at the fidelity that
        counts and keep the limits, as measured and, where measurements scatter, as the model thinks
        if there are any such; of several at one point the first; None where there is none."""
        rows = [r for r in self._counting() if self.keeps_limits(r)]
        if not rows or len(self.question.aims) > 1 or self.question.names[0] == TRADE:
            return None
        now = self.encoding.with_context(self.evidence.codes[rows], self.context)
        means = self._expected(self.encoding.features(now))
        merit = self.question.merit(means)
        likely = self._keep_limits_that_scatter(means)
        merit = np.where(likely, merit, -np.inf) if likely.any() else merit
        # replicates differ by rounding alone: the first is named, of this campaign if there is one
        alike = (now == now[int(np.argmax(merit))]).all(axis=1)
        found = [self.evidence.trials[r] for r, same in zip(rows, alike, strict=True) if same]
        return min(found, key=lambda trial: (trial <= 0, trial))

    def _keep_limits_that_scatter(self, means: list[Floats]) -> NDArray[np.bool_]:
        """Where means (n) per metric keep the limits on what is not measured exactly."""
        keep = np.ones(len(means[0]), dtype=bool)
        for limit in self.question.limits:
            if self.models.processes[limit.column].scatter >= SURE_SD:
                keep &= limit.sign * (means[limit.column] - limit.bound) >= 0.0
        return keep

    def _expected(self, features: Floats) -> list[Floats]:
        """Means (n) per metric; of settings that are held inexactly, over where they may end up."""
        moved = shifts(self.encoding, 0)
        return [belief(p, moved).moments(features)[0][:, 0] for p in self.models.processes]

    def _counting(self) -> list[int]:
        rows = self.evidence.judged(self.question.names[0])
        codes = self.evidence.codes
        return [
            r
            for r in rows
            if (codes[r] == self.encoding.at_highest_fidelity(codes[r : r + 1])[0]).all()
        ]

    def keeps_limits(self, row: int) -> bool:
        """Whether a trial keeps the limits, as measured."""
        for limit in self.question.limits:
            measured = self.evidence.measured[limit.constraint.metric]
            if row not in measured.rows:
                return False
            # standardised, the bound itself may differ
            value = measured.raw[measured.rows.index(row)]
            if limit.sign * (value - on_scale(measured.metric, limit.constraint.bound)) < 0:
                return False
        return True

    def log_score_gain(self, column: int) -> float:
        """Mean log probability of an outcome predicted from the others, more than that under the
        others' mean and the spread of all."""
        found, kept = self.left_out(column), self.counting(column)
        y, n = self.models.processes[column].y[kept], int(kept.sum())
        spread = max(float(y.var(ddof=1)), 1e-12)

        def score(centre: Floats, wide: Floats | float) -> float:
            return float((-0.5 * (y - centre) ** 2 / wide - 0.5 * np.log(wide)).mean())

        plain = score(found.constant, spread * (1 + 1 / (n - 1)))
        return score(found.mean, found.variance) - plain

    def counting(self, column: int) -> NDArray[np.bool_]:
        """Which outcomes of a metric (n) are those of the fidelity that counts."""
        process = self.models.processes[column]
        rungs = self.encoding.rungs
        return np.ones(len(process.y), bool) if rungs is None else rungs.counting(process.x)

    def left_out(self, column: int) -> Predicted:
        """Each outcome that counts predicted from all the others, whose level it does not know
        either."""
        process, kept = self.models.processes[column], self.counting(column)
        found = left_out(process, np.arange(len(process.y)))
        return Predicted(found.mean[kept], found.variance[kept], found.constant[kept])

    def is_doubtful(self, column: int) -> bool:
        """Whether the model explains less than its length scales would by chance [Akaike 1974]."""
        process = self.models.processes[column]
        n, n_fitted = int(self.counting(column).sum()), len(process.hyper.scales) + 1
        return n >= MIN_TO_DOUBT and n * self.log_score_gain(column) < n_fitted

    def incumbents(self, k: int) -> Floats:
        """Codes (k x p) of the measured points that the model thinks best in today's context,
        within the limits."""
        rows = self.evidence.judged(self.question.names[0])
        codes = self.encoding.at_highest_fidelity(self.evidence.codes[rows])
        codes = self.encoding.with_context(codes, self.context)
        merit = self.question.merit(self._expected(self.encoding.features(codes)))
        return codes[np.argsort(-merit, kind="stable")[:k]]

    def centres(self) -> Floats:
        """Codes (k x p) of measured points around which the next one is looked for: of one goal
        those thought best, of several some that are thought to be on the front, far apart on it."""
        if len(self.question.aims) == 1:
            return self.incumbents(N_INCUMBENTS)
        codes = self.incumbents(len(self.evidence.codes))
        means = self._expected(self.encoding.features(codes))
        keeps = np.ones(len(codes), dtype=bool)
        for limit in self.question.limits:
            keeps &= limit.sign * (means[limit.column] - limit.bound) >= 0.0
        if not keeps.any():
            return codes[:N_INCUMBENTS]
        merits = np.stack([aim.merit(means[aim.column]) for aim in self.question.aims], axis=1)
        codes, merits = codes[keeps], merits[keeps]
        front = undominated(merits)
        chosen, apart = [int(np.argmax(front[:, 0]))], np.full(len(front), np.inf)
        while len(chosen) < min(N_ON_FRONT, len(front)):
            apart = np.minimum(apart, ((front - front[chosen[-1]]) ** 2).sum(axis=1))
            chosen.append(int(np.argmax(apart)))
        return codes[[int(np.argmax((merits == front[i]).all(axis=1))) for i in chosen]]

    def _predict(self, column: int, features: Floats) -> Prediction:
        """The noise-free outcome at one point (1 x d), in the metric's unit."""
        measured = self.evidence.measured[self.question.names[column]]
        rung = None if self.encoding.rungs is None else self.encoding.rungs.of(features)
        process = self.models.processes[column]
        found = (*process.outcome(features), np.array([process.scatter]))
        mean, sd, scatter = (measured.unstretched(part, rung) for part in found)
        return Prediction(
            mean=measured.in_unit(float(mean[0])),
            sd=float(measured.deviation(mean, sd)[0]),
            scatter=float(measured.deviation(mean, scatter)[0]),
            on_log10=measured.metric.scale == "log",
        )

    def _chance(self, limit: Limit, features: Floats) -> float:
        process = self.models.processes[limit.column]
        if limit.constraint.confidence is not None:
            return float(stdtr(degrees(process), room(limit, process, features)[0]))
        mean, sd = process.posterior(features)
        z = limit.sign * (float(mean[0]) - limit.bound) / max(float(sd[0]), 1e-12)
        return _normal_cdf(z)

    def _survives(self, features: Floats) -> list[float]:
        found = self.models.survival
        return [] if found is None else [float(found.probability(features)[0])]

    def _intent(self, features: Floats) -> Literal["explore", "exploit"]:
        """Exploits when more of the expected improvement comes from the predicted mean than from
        its uncertainty, or when little is uncertain: EI = m cdf(m/s) + s pdf(m/s), where m is the
        mean's lead over the best predicted measured point."""
        aim = self.question.aims[0]
        best = self.encoding.features(self.incumbents(1))
        process = self.models.processes[aim.column]
        mean, sd = process.posterior(np.concatenate([features, best]))
        merit = aim.merit(mean)
        lead, s = float(merit[0] - merit[1]), max(float(sd[0]), 1e-12)
        by_mean = max(0.0, lead) * _normal_cdf(lead / s)
        by_sd = s * math.exp(-0.5 * (lead / s) ** 2) / math.sqrt(2 * math.pi)
        return "exploit" if by_mean >= by_sd or s <= SMALL_SD else "explore"

    def _nearest(self, features: Floats) -> Neighbour | None:
        rows = sorted({r for m in self.evidence.measured.values() for r in m.rows})
        others = self.evidence.features[rows]
        apart = self.encoding.layout.distances(features, others)[0]
        place = int(np.argmin(apart))
        return Neighbour(trial=self.evidence.trials[rows[place]], distance=float(apart[place]))

    def _leave_one_out(self) -> dict[str, float]:
        """Root-mean-square error per metric, in its unit or in decades."""
        out = {}
        for column, name in enumerate(self.question.names):
            process, kept = self.models.processes[column], self.counting(column)
            if kept.sum() > 2:
                mean = self.left_out(column).mean
                out[name] = self.evidence.measured[name].apart(process.y[kept], mean)
        return out

    def _notes(self, still_to_gain: float | None) -> dict[str, float | int | str]:
        notes: dict[str, float | int | str] = {}
        first = self.question.names[0]
        if still_to_gain is not None:
            notes["still_to_gain"] = still_to_gain
        if self.is_doubtful(0):
            notes["doubt"] = f"the model predicts {first} no better than its mean does"
        notes |= self._of_bounds()
        entries = self.models.transferred.get(first, ())
        said = {
            "target": "; ".join(self._beyond_all()),
            "transfer": "; ".join(f"{e.name}: {e.weight:.2f}" for e in entries),
            "unlike": "; ".join(self._unlike()),
        }
        notes |= {name: text for name, text in said.items() if text}
        if len(self.evidence.blamed):
            notes["failures_weighed"] = len(self.evidence.blamed)
        dropped = [one for one in self.models.rungs if not one.buys]
        if dropped:
            notes[RUNGS] = self.of_rungs(dropped)
        if self.question.unmodelled:
            notes["not_yet_measured"] = ", ".join(self.question.unmodelled)
        pairs = zip(self.question.names, self.models.processes, strict=True)
        fits = "; ".join(f"{name}: {p.note}" for name, p in pairs if p.note)
        if fits:
            notes["fit"] = fits
        return notes

    def _unlike(self) -> Iterator[str]:
        """Which outcomes no other one explains, and what these say."""
        for column, name in enumerate(self.question.names):
            measured, kept = self.evidence.measured[name], self.counting(column)
            if measured.is_trade or name == PREFERENCE:
                continue
            found, y = self.left_out(column), measured.y[kept]
            sd, off = np.sqrt(found.variance), measured.sides[kept] * (found.mean - y)
            rows, raw = np.array(measured.rows)[kept], measured.raw[kept]
            for i in unlike_the_others(y.tolist(), found.mean.tolist(), sd.tolist()):
                if off[i] > 0.0:  # a bound, and what is expected keeps to it
                    continue
                said = Prediction(
                    mean=measured.in_unit(float(found.mean[i])),
                    sd=float(measured.deviation(found.mean, sd)[i]),
                    on_log10=measured.metric.scale == "log",
                )
                trial = named(self.evidence.trials[rows[i]], min(self.evidence.trials))
                got = 10.0 ** raw[i] if said.on_log10 else raw[i]
                yield f"{trial} has {got:.4g}, expected {_expectation(measured.metric, said)}"

    def _of_bounds(self) -> dict[str, int | str]:
        found: dict[str, int | str] = {}
        if n_censored := sum(m.n_censored for m in self.evidence.measured.values()):
            found["censored"] = n_censored
        if decades := "; ".join(m.decades for m in self.evidence.measured.values() if m.decades):
            found["decades"] = decades
        for name, measured in self.evidence.measured.items():
            if measured.n_far:
                found["far_worse"] = (
                    f"{measured.n_far} of {name}: how far they are off counts no more"
                )
            if measured.n_not_found:
                found["not_found_again"] = (
                    f"the best {name}: what was measured there later is far worse"
                )
        return found

    def of_rungs(self, rungs: Sequence[Judged]) -> str:
        """What is to be said of some rungs."""
        fidelity, costs = fidelity_of(self.encoding.space), self.models.costs
        assert fidelity is not None, "only a space with a fidelity has rungs"
        in_seconds = costs is not None and costs.is_learnt
        said = [sentence(one, fidelity.target, in_seconds=in_seconds) for one in rungs]
        return "; ".join(said)

    def _beyond_all(self) -> list[str]:
        return [said for aim in self.question.aims if (said := self._beyond(aim))]

    def _beyond(self, aim: Aim) -> str:
        """That a value to be met lies outside of everything measured; '' where it does not."""
        name = self.question.names[aim.column]
        measured = self.evidence.measured[name]
        if aim.goal.direction != "match":
            return ""
        of_all = measured.y[self.counting(aim.column)]
        low, high = float(of_all.min()), float(of_all.max())
        if aim.low <= high and aim.high >= low:
            return ""
        ends = f"{measured.in_unit(low):.4g} to {measured.in_unit(high):.4g} {measured.metric.unit}"
        return f"the wanted {name} lies outside of all that was measured ({ends.rstrip()})"

    def _why(
        self,
        predicted: dict[str, Prediction],
        chances: list[float],
        nearest: Neighbour | None,
        intent: str,
        *,
        outside: bool,
    ) -> str:
        aimed = dict.fromkeys(self.question.names[aim.column] for aim in self.question.aims)
        expected = [
            _expectation(self.evidence.measured[name].metric, predicted[name])
            for name in aimed
            if name in predicted
        ]
        parts = [f"expected {', '.join(expected)}" if expected else "trades one goal for another"]
        for limit, chance in zip(self.question.limits, chances, strict=True):
            metric = self.evidence.measured[limit.constraint.metric].metric
            bound = f"{limit.constraint.sense} {limit.constraint.bound:g} {metric.unit}".rstrip()
            parts.append(f"{_percent(chance)} likely {metric.name} {bound}")
            wanted = limit.constraint.confidence or 0.0
            if chance < wanted - 1e-6:
                parts.append(f"though {100 * wanted:g} % was asked for")
        sentence = ", ".join(parts)
        if nearest is not None:
            near = named(nearest.trial, min(self.evidence.trials))
            sentence += f"; nearest is {near} ({nearest.distance:.2f})"
        if outside:
            sentence += ", farther than those measured are from each other"
        return "; ".join([sentence, *self._beyond_all(), f"{intent}s"])


def _expectation(metric: MetricScale, prediction: Prediction) -> str:
    unit = f" {metric.unit}" if metric.unit else ""
    if prediction.on_log10:
        factor = 10.0 ** min(prediction.sd, 300.0)
        size = f"{factor:.2f}" if factor < 1.5 else f"{factor:.2g}"
        return f"{metric.name} {prediction.mean:.2g}{unit} (a factor {size} either way)"
    digits = _digits(prediction.mean, prediction.sd)
    return f"{metric.name} {prediction.mean:.{digits}g} +- {prediction.sd:.2g}{unit}"


def _digits(value: float, sd: float) -> int:
    """How many digits a value has as far as it is sure, to the second of its deviation; at least
    four, and no more than a float holds."""
    if not (value and sd):
        return 4
    sure = math.floor(math.log10(abs(value))) - math.floor(math.log10(sd)) + 2
    return min(max(sure, 4), 15)


def _percent(chance: float) -> str:
    if chance > 0.99:
        return "over 99 %"
    if chance < 0.01:
        return "under 1 %"
    return f"{100 * chance:.0f} %"


def _normal_cdf(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))
