"""Why this point: what the model expects there, and whether the model is to be believed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from orchestrator.model.trial import Neighbour, Prediction, Proposal
from orchestrator.planner.acquisition import Goal, Limit
from orchestrator.planner.encoding import Encoding, Floats, distances
from orchestrator.planner.measured import Evidence
from orchestrator.planner.search import Found
from orchestrator.planner.surrogate import Surrogate
from orchestrator.ports.planner import MetricScale

SMALL_SD = 0.15
"""Below this share of the outcomes' spread a prediction is sure enough to call it exploiting."""


@dataclass(frozen=True)
class Diagnosis:
    """Explains proposals of one history."""

    encoding: Encoding
    evidence: Evidence
    question: Goal
    surrogates: dict[str, Surrogate]

    def proposal(self, found: Found) -> Proposal:
        """A found point with all that can be said about it."""
        codes = found.codes[None, :]
        features = self.encoding.features(codes)
        predicted = {n: s.predict(features) for n, s in self.surrogates.items()}
        chances = [self._chance(limit, features) for limit in self.question.limits]
        nearest = self._nearest(features)
        intent = self._intent(features)
        return Proposal(
            point=self.encoding.decode(codes)[0],
            source="model" if self.encoding.sole_pool is None else "pool",
            why=self._why(predicted, chances, nearest, intent),
            intent=intent,
            predicted=predicted,
            acquisition=found.value,
            probability_feasible=math.prod(chances) if chances else None,
            nearest=nearest,
            leave_one_out=self._leave_one_out(),
            notes=self._notes(),
        )

    def incumbents(self, k: int) -> Floats:
        """Codes (k x p) of the measured points that the model thinks best, within the limits."""
        rows = list(self.evidence.measured[self.question.names[0]].rows)
        features = self.evidence.features[rows]
        mean, _ = self.surrogates[self.question.names[0]].posterior(features)
        merit = self.question.sign * mean
        for limit in self.question.limits:
            expected, _ = self.surrogates[self.question.names[limit.column]].posterior(features)
            merit = merit - 2.0 * np.maximum(0.0, limit.sign * (limit.bound - expected))
        return self.evidence.codes[rows][np.argsort(-merit, kind="stable")[:k]]

    def _chance(self, limit: Limit, features: Floats) -> float:
        mean, sd = self.surrogates[self.question.names[limit.column]].posterior(features)
        z = limit.sign * (float(mean[0]) - limit.bound) / max(float(sd[0]), 1e-12)
        return _normal_cdf(z)

    def _intent(self, features: Floats) -> Literal["explore", "exploit"]:
        """Exploits when more of the expected improvement comes from the predicted mean than from
        its uncertainty, or when little is uncertain: EI = m cdf(m/s) + s pdf(m/s), where m is the
        mean's lead over the best predicted measured point."""
        name = self.question.names[0]
        best = self.encoding.features(self.incumbents(1))
        mean, sd = self.surrogates[name].posterior(np.concatenate([features, best]))
        lead, s = self.question.sign * float(mean[0] - mean[1]), max(float(sd[0]), 1e-12)
        by_mean = max(0.0, lead) * _normal_cdf(lead / s)
        by_sd = s * math.exp(-0.5 * (lead / s) ** 2) / math.sqrt(2 * math.pi)
        return "exploit" if by_mean >= by_sd or s <= SMALL_SD else "explore"

    def _nearest(self, features: Floats) -> Neighbour | None:
        rows = sorted({r for m in self.evidence.measured.values() for r in m.rows})
        others = self.evidence.features[rows]
        apart = distances(features, others, self.encoding.unordered)[0]
        place = int(np.argmin(apart))
        return Neighbour(trial=self.evidence.trials[rows[place]], distance=float(apart[place]))

    def _leave_one_out(self) -> dict[str, float]:
        """Root-mean-square error per metric, in its unit or in decades."""
        out = {}
        for name, surrogate in self.surrogates.items():
            if len(surrogate.measured.y) > 2:
                rms = float(np.sqrt(np.mean(surrogate.leave_one_out() ** 2)))
                out[name] = rms * surrogate.measured.spread
        return out

    def _notes(self) -> dict[str, float | int | str]:
        notes: dict[str, float | int | str] = {}
        n_censored = sum(m.n_censored for m in self.evidence.measured.values())
        if n_censored:
            notes["censored_at_bound"] = n_censored
        if len(self.evidence.blamed):
            notes["failures_weighed"] = len(self.evidence.blamed)
        if self.question.unmodelled:
            notes["not_yet_measured"] = ", ".join(self.question.unmodelled)
        fits = "; ".join(s.note for s in self.surrogates.values() if s.note)
        if fits:
            notes["fit"] = fits
        return notes

    def _why(
        self,
        predicted: dict[str, Prediction],
        chances: list[float],
        nearest: Neighbour | None,
        intent: str,
    ) -> str:
        name = self.question.names[0]
        parts = [_expectation(self.surrogates[name].measured.metric, predicted[name])]
        for limit, chance in zip(self.question.limits, chances, strict=True):
            metric = self.surrogates[limit.constraint.metric].measured.metric
            bound = f"{limit.constraint.sense} {limit.constraint.bound:g} {metric.unit}".rstrip()
            parts.append(f"{_percent(chance)} likely {metric.name} {bound}")
        sentence = ", ".join(parts)
        if nearest is not None:
            sentence += f"; nearest is trial {nearest.trial} ({nearest.distance:.2f})"
        return f"{sentence}; {intent}s"


def _expectation(metric: MetricScale, prediction: Prediction) -> str:
    unit = f" {metric.unit}" if metric.unit else ""
    if prediction.on_log10:
        factor = 10.0 ** min(prediction.sd, 300.0)
        size = f"{factor:.2f}" if factor < 1.5 else f"{factor:.2g}"
        return f"expected {metric.name} {prediction.mean:.2g}{unit} (a factor {size} either way)"
    return f"expected {metric.name} {prediction.mean:.4g} +- {prediction.sd:.2g}{unit}"


def _percent(chance: float) -> str:
    if chance > 0.99:
        return "over 99 %"
    if chance < 0.01:
        return "under 1 %"
    return f"{100 * chance:.0f} %"


def _normal_cdf(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))
