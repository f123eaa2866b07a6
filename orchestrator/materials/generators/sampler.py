"""Annealed sequential Monte Carlo over materials (Ikebata et al. 2017, Wu et al. 2020)."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError
from orchestrator.materials.generators.archive import Archive
from orchestrator.materials.generators.proposals import Proposal

Floats = NDArray[np.float64]
LAST = 2.0
"""The last inverse temperature: as if each property were wanted twice. At 1 fewer hits are found,
and fewer of them confirmed; above 2 the population gathers around few (see
`benchmarks/results/materials/REPORT.md`)."""


def schedule(steps: int, last: float = LAST) -> Floats:
    """So many inverse temperatures: from 0.01 to 0.2 in two fifths of them, to `last` in the next
    fifth, where they stay. XenonPy's tutorial comes to 1 in the last fifth.

    Raises:
        InputError: there are no steps.
    """
    if steps < 1:
        raise InputError(f"{steps} steps make nothing", hint="say 50")
    at = np.linspace(0.0, 1.0, steps) if steps > 1 else np.ones(1)
    return np.asarray(np.interp(at, [0.0, 0.4, 0.6], [0.01, 0.2, last]))


class Sampler:
    """A population that is drawn anew, ever more by its likelihood, and then changed.

    At step t the particles are drawn in proportion to exp(beta_t * log likelihood), always and not
    only when few carry all the weight, and each becomes what is proposed for it, whatever its
    likelihood. So the population leans to what the likelihood likes at every step anew, far from
    the exact posterior, and gets into a target much faster. `posterior.PosteriorSampler` is the
    one that keeps to the posterior. After the last step it is drawn once more, so that what was
    proposed last has been judged too.

    Chance comes from the seed and the number of the step alone, so a run that is resumed from its
    state goes on as if it had never been interrupted.
    """

    def __init__(self, proposal: Proposal, archive: Archive, betas: Floats, seed: int) -> None:
        """`betas`: t inverse temperatures, or t x p where each term of the score has its own."""
        if betas.ndim not in (1, 2) or not len(betas) or not (betas >= 0.0).all():
            raise InputError("inverse temperatures are at least one, and none is negative")
        self._proposal, self._betas, self._seed = proposal, betas, seed
        self.archive = archive
        self.population: tuple[str, ...] = ()
        self.step = 0

    def begin(self, start: Sequence[str], particles: int) -> None:
        """A population of canonical materials, each as often as the others but for one."""
        self.archive.begin(start)
        self.population = tuple(start[i % len(start)] for i in range(particles))
        self.step = 0

    @property
    def is_finished(self) -> bool:
        """Whether all steps have been done."""
        return self.step >= len(self._betas)

    def advance(self) -> None:
        """One step.

        Raises:
            PlanningError: a score is not finite.
        """
        rng = Random(f"{self._seed}/{self.step}")
        heated = self.archive.heated(self.population, self._betas[self.step])
        parents = [self.population[i] for i in resampled(heated, rng)]
        children = self._proposal.propose(parents, rng)
        self.archive.add(children, parents)
        self.population = tuple(
            child if child in self.archive else parent
            for child, parent in zip(children, parents, strict=True)
        )
        self.step += 1
        if self.is_finished:
            heated = self.archive.heated(self.population, self._betas[-1])
            self.population = tuple(self.population[i] for i in resampled(heated, rng))

    def run(self) -> None:
        """All steps that are left. Raises PlanningError."""
        while not self.is_finished:
            self.advance()

    def state(self) -> dict[str, Any]:
        """Where it is, as JSON can hold it: the step, the population, and all that was scored."""
        return {
            "seed": self._seed,
            "step": self.step,
            "population": list(self.population),
            "archive": self.archive.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from where `state` was taken.

        Raises:
            InputError: it is of a run with another seed.
        """
        if state["seed"] != self._seed:
            raise InputError(f"a run of seed {state['seed']} cannot go on with seed {self._seed}")
        self.step, self.population = int(state["step"]), tuple(state["population"])
        self.archive.restore(state["archive"])


def resampled(log_weights: Floats, rng: Random) -> list[int]:
    """n log weights -> n places, each about as often as its weight says, by one draw for all
    (systematic). Where all weights are 0, each once."""
    top = float(log_weights.max())
    if math.isinf(top):
        return list(range(len(log_weights)))
    sums = list(accumulate(math.exp(float(weight) - top) for weight in log_weights))
    shift, n = rng.random(), len(sums)
    places = (bisect_right(sums, (i + shift) / n * sums[-1]) for i in range(n))
    return [min(place, n - 1) for place in places]
