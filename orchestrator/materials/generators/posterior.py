"""The exact posterior p(S) exp(log likelihood), by sequential Monte Carlo with Metropolis moves.

p(S) is the language model's, over texts of valid and permitted molecules of up to `longest` tokens;
a molecule's probability is the sum over the texts that write it.

A move takes the end of a text away and lets the model write another: what was taken away and what
was written have the model's own probabilities, which cancel against p. Between S with n tokens, cut
back to m, and S' with n' there remains (1 + min(cut, n)) / (1 + min(cut, n')) for the choice of m,
and nothing comes back that has grown by more than `cut`. At times a text is written from its
beginning, so that every text can be reached from every other. There is no writing from another
atom: how likely the way back is cannot be told for a text that RDKit would write otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError, PlanningError
from orchestrator.materials.chemistry import rdkit
from orchestrator.materials.generators.archive import Archive
from orchestrator.materials.generators.language import LanguageModel
from orchestrator.materials.generators.sampler import resampled
from orchestrator.materials.generators.tokens import smiles_of
from orchestrator.materials.generators.writing import settled_smiles

Floats = NDArray[np.float64]
Text = tuple[str, ...]
_TRIES = 200


class PosteriorSampler:
    """Texts drawn from the model, then step by step weighted by exp((beta_t - beta_{t-1}) * log
    likelihood), drawn anew when the effective number is below half, and moved `sweeps` times.

    After the last step, whose beta must be 1, `population` follows the posterior as their number
    grows. Resumes as `sampler.Sampler` does.
    """

    def __init__(
        self,
        model: LanguageModel,
        archive: Archive,
        betas: Floats,
        seed: int,
        *,
        cut: int = 20,
        rewrite: float = 0.05,
        sweeps: int = 1,
        longest: int = 200,
    ) -> None:
        if betas.ndim != 1 or not len(betas) or betas[-1] != 1.0 or (np.diff(betas) < 0.0).any():
            raise InputError("the exact posterior needs inverse temperatures that rise to 1")
        if not (cut >= 1 and 0.0 < rewrite <= 1.0 and sweeps >= 1 and longest >= 1):
            raise InputError("cut, sweeps and longest are at least 1, rewrite is above 0 up to 1")
        self._model, self._betas, self._seed = model, betas, seed
        self._cut, self._rewrite, self._sweeps, self._longest = cut, rewrite, sweeps, longest
        self.archive = archive
        self._texts: list[Text] = []
        self._log_weights: list[float] = []
        self._written: dict[Text, str] = {}
        self.step = 0

    @property
    def population(self) -> tuple[str, ...]:
        """The canonical molecules of the texts, as many as there are particles."""
        return tuple(self._molecule(text) for text in self._texts)

    def begin(self, particles: int) -> None:
        """Draws from p(S).

        Raises:
            PlanningError: hardly anything that the model writes may be made.
        """
        rng, texts = Random(f"{self._seed}/start"), list[Text]()
        for _ in range(_TRIES):
            written = (self._model.grow((), rng, longest=self._longest) for _ in range(particles))
            drawn = [tuple(text) for text in written if text]
            names = [self._molecule(text) for text in drawn]
            self._add([name for name in names if name])
            texts += [t for t, name in zip(drawn, names, strict=True) if name in self.archive]
            if len(texts) >= particles:
                self._texts, self._log_weights = texts[:particles], [0.0] * particles
                return
        raise PlanningError(
            f"of {_TRIES * particles} texts of the language model {len(texts)} may be made:"
            f" {self.archive.account() or 'most are no molecules'}",
            hint="loosen the constraints",
        )

    @property
    def is_finished(self) -> bool:
        """Whether all steps have been done."""
        return self.step >= len(self._betas)

    def advance(self) -> None:
        """One step: weigh, draw anew, move. Raises PlanningError as the score does."""
        rng = Random(f"{self._seed}/{self.step}")
        beta = float(self._betas[self.step])
        before = float(self._betas[self.step - 1]) if self.step else 0.0
        weights = np.array(self._log_weights) + (beta - before) * self._log_likelihoods(self._texts)
        shares = np.exp(weights - weights.max())
        is_last = self.step == len(self._betas) - 1
        if is_last or shares.sum() ** 2 < 0.5 * len(shares) * (shares**2).sum():
            self._texts = [self._texts[i] for i in resampled(weights, rng)]
            weights = np.zeros(len(weights))
        self._log_weights = weights.tolist()
        for _ in range(self._sweeps):
            self._move(beta, rng)
        self.step += 1

    def run(self) -> None:
        """All steps that are left. Raises PlanningError."""
        while not self.is_finished:
            self.advance()

    def _move(self, beta: float, rng: Random) -> None:
        """Each text once, in the manner of Metropolis and Hastings."""
        proposed = [self._proposed(text, rng) for text in self._texts]
        texts = [new or old for (new, _), old in zip(proposed, self._texts, strict=True)]
        self._add([name for name in map(self._molecule, texts) if name])
        old = self._log_likelihoods(self._texts).tolist()
        new = self._log_likelihoods(texts).tolist()
        for i, (text, log_ratio) in enumerate(proposed):
            accepted = math.log1p(-rng.random()) < beta * (new[i] - old[i]) + log_ratio
            if text is not None and accepted:
                self._texts[i] = text

    def _proposed(self, text: Text, rng: Random) -> tuple[Text | None, float]:
        """Another text, and the log ratio of choosing its beginning and choosing the old one's."""
        if rng.random() < self._rewrite:
            whole = self._model.grow((), rng, longest=self._longest)
            return (tuple(whole) if whole else None), 0.0
        choices = 1 + min(self._cut, len(text))
        kept = len(text) - rng.randrange(choices)
        grown = self._model.grow(text[:kept], rng, longest=self._longest)
        if not grown or len(grown) - kept > self._cut:
            return None, 0.0
        return tuple(grown), math.log(choices / (1 + min(self._cut, len(grown))))

    def _molecule(self, text: Text) -> str:
        """What a text writes; '' where that is no molecule."""
        if text not in self._written:
            found = rdkit().MolFromSmiles(smiles_of(text))
            self._written[text] = "" if found is None else settled_smiles(found) or ""
        return self._written[text]

    def _add(self, materials: Sequence[str]) -> None:
        self.archive.add(materials, [""] * len(materials))

    def _log_likelihoods(self, texts: Sequence[Text]) -> Floats:
        return self.archive.heated([self._molecule(text) for text in texts], np.ones(1))

    def state(self) -> dict[str, Any]:
        """Where it is, as JSON can hold it."""
        return {
            "seed": self._seed,
            "step": self.step,
            "texts": [list(text) for text in self._texts],
            "log_weights": self._log_weights,
            "archive": self.archive.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from where `state` was taken.

        Raises:
            InputError: it is of a run with another seed.
        """
        if state["seed"] != self._seed:
            raise InputError(f"a run of seed {state['seed']} cannot go on with seed {self._seed}")
        self.step, self._texts = int(state["step"]), [tuple(text) for text in state["texts"]]
        self._log_weights = [float(weight) for weight in state["log_weights"]]
        self.archive.restore(state["archive"])
