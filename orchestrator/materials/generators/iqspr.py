"""iQSPR: molecules with wanted properties, by a language model and sequential Monte Carlo."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from orchestrator.errors import InputError
from orchestrator.materials.chemistry import canonical_smiles, molecule
from orchestrator.materials.generators.archive import Archive, Floats
from orchestrator.materials.generators.constraints import Constraints
from orchestrator.materials.generators.graph_moves import GraphMoves, require_moves
from orchestrator.materials.generators.language import LanguageModel, Smoothing
from orchestrator.materials.generators.posterior import PosteriorSampler
from orchestrator.materials.generators.preference import Preference
from orchestrator.materials.generators.proposals import Mixed, Proposal
from orchestrator.materials.generators.reading import readable
from orchestrator.materials.generators.regrowth import Regrowth
from orchestrator.materials.generators.sampler import Sampler, schedule
from orchestrator.materials.generators.tokens import tokens_of
from orchestrator.materials.generators.writing import is_radical, n_open_ends, net_charge
from orchestrator.materials.generators.zinc import require_zinc, zinc250k
from orchestrator.ports.generator import Candidate, Score

_NUMBERED_END = re.compile(r"\[\d*\*(?::\d+)?\]")


class Iqspr:
    """Generator `iqspr` (Ikebata et al. 2017, doi:10.1007/s10822-016-0008-z; Wu et al. 2020,
    doi:10.1002/minf.201900107): molecules, and polymers as repeat units with two `*`. A radical, or
    a charge of the whole, is made only where the corpus or the start has the like.

    The options:
        order, smoothing: of the language model; see `LanguageModel`.
        language: a table of n-grams, or the file of one, to which that of the corpus is added; the
            corpus may then be empty. From Python only.
        particles, steps: size of the population, and how often it is changed.
        reorder, cut: how probably a SMILES is written from a random atom, and how many tokens are
            then cut from its end at most; see `Regrowth`.
        graph_share: which share of the particles is changed in its graph instead.
        exact: whether the exact posterior is sampled; see `PosteriorSampler`. It begins with what
            the language model writes, and knows neither `reorder` nor graph moves.
        include, exclude, elements, weight, ring_sizes, most_sa, polymerisable: see `Constraints`.
        prefer, preference: SMARTS, and the bonus in log likelihood for a material that has one of
            them; see `Preference`. The scores of what is made hold it.
    """

    def __init__(
        self,
        corpus: Sequence[str],
        *,
        order: int = 10,
        smoothing: Smoothing = "backoff",
        language: LanguageModel | Path | None = None,
        particles: int = 300,
        steps: int = 50,
        reorder: float = 0.5,
        cut: int = 20,
        graph_share: float = 0.0,
        exact: bool = False,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        elements: Sequence[str] = (),
        weight: Sequence[float] | None = None,
        ring_sizes: Sequence[float] | None = None,
        most_sa: float | None = None,
        polymerisable: bool = False,
        prefer: Sequence[str] = (),
        preference: float = 10.0,
    ) -> None:
        """Learns from the corpus; what cannot be read of it is left out.

        Raises:
            InputError: no SMILES of the corpus, or a SMARTS, can be read, an option cannot be
                meant, or `language` is of another order or smoothing.
            MissingExtra: what an option needs is not installed.
        """
        _check(particles, steps, graph_share, exact)
        self._particles, self._exact = particles, exact
        self._betas = schedule(steps, 1.0) if exact else schedule(steps)
        self._cut = cut
        self._constraints = Constraints(
            tuple(include),
            tuple(exclude),
            tuple(elements),
            weight=weight,
            ring_sizes=ring_sizes,
            most_sa=most_sa,
            polymerisable=polymerisable,
        )
        self._constraints.check()
        self._preference = Preference.of(prefer, preference)
        texts = [] if language and not corpus else readable(corpus, _learnable)
        self._model = _learnt(texts, order, smoothing, language)
        self._charges = {0, *map(net_charge, texts)}
        self._radicals = any(map(is_radical, texts))
        if graph_share:
            require_moves()
        regrowth = Regrowth(self._model, reorder=reorder, cut=cut)
        shares = (1.0 - graph_share, graph_share)
        self._proposal: Proposal = Mixed((regrowth, GraphMoves()), shares)

    @staticmethod
    def default_corpus() -> Sequence[str]:
        """Ten thousand molecules of ZINC250k. Raises MissingExtra."""
        return zinc250k(10_000, seed=0)

    @staticmethod
    def require_corpus() -> None:
        """Raises MissingExtra where there is no `default_corpus`."""
        require_zinc()

    def refuse_start(self, start: Sequence[str]) -> None:
        """Raises InputError where nothing can be made of any of these."""
        if self._constraints.polymerisable and not any("*" in smiles for smiles in start):
            raise InputError(
                "'polymerisable' is of repeat units, and no material of the pool is one",
                hint="write polymers as '*CC(C)*', or leave 'polymerisable' out",
            )

    def generate(
        self, start: Sequence[str], score: Score, n: int, seed: int
    ) -> Sequence[Candidate]:
        """Up to `n` different molecules, the best first, none of them in `start`.

        Raises:
            InputError: no molecule of `start` can be read, or is without open ends or with two.
            PlanningError: none can be made within the constraints.
        """
        known = starting(start)
        sampler = self.sampler(known, score, seed)
        sampler.run()
        return sampler.archive.best(n, without=known)

    def sampler(
        self, start: Sequence[str], score: Score, seed: int, betas: Floats | None = None
    ) -> Sampler | PosteriorSampler:
        """What `generate` runs, before its first step, for who wants to see the population, to stop
        and resume, or to say the inverse temperatures (t, or t x p for each term of a score).

        Raises:
            InputError: as `generate` does, or the inverse temperatures cannot be meant.
            PlanningError: as `generate` does.
        """
        known = starting(start)
        betas = self._betas if betas is None else betas
        score = self._preference.added(score)
        charges = self._charges | set(map(net_charge, known))
        has_radicals = self._radicals or any(map(is_radical, known))
        ends = {n_open_ends(molecule(smiles)) for smiles in known} if self._exact else set()

        def refusal(smiles: str) -> str:
            if ends and n_open_ends(molecule(smiles)) not in ends:
                return "having other open ends than the start"
            if net_charge(smiles) not in charges:
                return "having a charge that nothing in the corpus has"
            if not has_radicals and is_radical(smiles):
                return "being a radical, which nothing in the corpus is"
            return self._constraints.refusal(smiles)

        archive = Archive(score, refusal)
        if self._exact:
            exact = PosteriorSampler(self._model, archive, betas, seed, cut=self._cut)
            exact.begin(self._particles)
            return exact
        sampler = Sampler(self._proposal, archive, betas, seed)
        sampler.begin(known, self._particles)
        return sampler


def _learnt(
    texts: Sequence[str], order: int, smoothing: Smoothing, language: LanguageModel | Path | None
) -> LanguageModel:
    """The table of the corpus, added to the one that is there already."""
    known = LanguageModel.read(language) if isinstance(language, Path) else language
    if known is None:
        return LanguageModel.fit(texts, order=order, smoothing=smoothing)
    if (known.order, known.smoothing) != (order, smoothing):
        raise InputError(
            f"the table of n-grams is of order {known.order} ({known.smoothing}), not of"
            f" {order} ({smoothing})",
            hint=f"say order {known.order} and smoothing {known.smoothing}",
        )
    if not texts:
        return known
    return known.merged(LanguageModel.fit(texts, order=order, smoothing=smoothing))


def _check(particles: int, steps: int, graph_share: float, exact: bool) -> None:
    if particles < 2 or steps < 2:
        raise InputError("a population needs two particles and two steps at least")
    if not 0.0 <= graph_share <= 1.0:
        raise InputError(f"{graph_share:g} is no share of graph moves", hint="0 to 1")
    if exact and graph_share:
        raise InputError("graph moves cannot sample the exact posterior", hint="leave one away")


def _learnable(smiles: str) -> str:
    """A canonical SMILES that has tokens. Raises InputError."""
    canonical = _canonical(smiles)
    tokens_of(canonical)
    return canonical


def starting(start: Sequence[str]) -> list[str]:
    """The canonical SMILES that a search can begin with, each once; others are left out.

    Raises:
        InputError: there is none, or none of them can be read and has no open end or two.
    """
    known = list(dict.fromkeys(readable(start, _start)))
    if not known:
        raise InputError("there is no molecule to start from")
    return known


def _start(text: str) -> str:
    smiles = _canonical(text)
    if n_open_ends(molecule(smiles)) not in (0, 2):
        raise InputError(
            f"'{smiles}' is neither a molecule nor the repeat unit of a polymer",
            hint="a repeat unit has two *, each at the end of one bond: *CC*",
        )
    return smiles


def _canonical(text: str) -> str:
    """The canonical SMILES without numbers at its open ends, which tell no other material."""
    return canonical_smiles(_NUMBERED_END.sub("*", text))
