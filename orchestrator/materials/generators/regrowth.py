"""A molecule loses its end and grows another one, as the language model writes (Ikebata 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from orchestrator.errors import InputError
from orchestrator.materials.generators.language import LanguageModel
from orchestrator.materials.generators.tokens import smiles_of, tokens_of
from orchestrator.materials.generators.writing import (
    as_told,
    as_written,
    n_open_ends,
    settled_smiles,
    smiles_from,
)

_KEPT = 16_384


class Regrowth:
    """With probability `reorder` a SMILES is written from a random atom, else as it stands;
    1 to `cut` tokens at its end are taken away, the first never, and written anew.

    What is written could be taken away again with probability 1 / min(cut, n' - 1), n' being its
    number of tokens, and not at all where it is longer than `cut`; by Metropolis's rule for these
    it is taken or not. Without it molecules grow step by step until nothing like them is in the
    corpus; with it, what no score drives stays as the language model has it.

    A polymer keeps as many open ends (`*`) as it has.
    """

    def __init__(
        self, model: LanguageModel, *, reorder: float = 0.5, cut: int = 20, tries: int = 4
    ) -> None:
        if not (0.0 <= reorder <= 1.0 and cut >= 1 and tries >= 1):
            raise InputError(
                f"a molecule cannot be reordered with probability {reorder:g} and cut by up to"
                f" {cut} tokens in {tries} tries",
                hint="reorder is 0 to 1, cut and tries at least 1",
            )
        self._model, self._reorder, self._cut = model, reorder, cut
        self._tries = tries
        self._settled: dict[tuple[str, int], str | None] = {}

    def propose(self, parents: Sequence[str], rng: Random) -> Sequence[str]:
        """One canonical SMILES for each; the parent where none of `tries` became another."""
        return [self._other(parent, rng) for parent in parents]

    def _other(self, parent: str, rng: Random) -> str:
        for _ in range(self._tries):
            child = self.grown(parent, rng)
            if child is not None and child != parent:
                return child
        return parent

    def grown(self, parent: str, rng: Random) -> str | None:
        """What a molecule grew into; None where that is no molecule, one with other ends, or one
        that is not taken.

        Raises:
            InputError: the parent is not a molecule.
        """
        text = parent
        if rng.random() < self._reorder:
            before = as_written(parent)
            text = smiles_from(before, rng.randrange(before.GetNumAtoms()))
        tokens = tokens_of(text)
        written = self.rewritten(tokens, rng)
        if written is None or written == tokens:
            return parent if written else None
        ends = n_open_ends(as_written(parent)) if "*" in parent else 0
        return self._child(smiles_of(written), ends)

    def _child(self, text: str, ends: int) -> str | None:
        """The settled SMILES of a text with so many open ends; a population that has come to its
        target writes many of them again and again."""
        key = (text, ends)
        if key not in self._settled:
            if len(self._settled) >= _KEPT:
                del self._settled[next(iter(self._settled))]
            self._settled[key] = _settled(text, ends)
        return self._settled[key]

    def rewritten(self, tokens: Sequence[str], rng: Random) -> list[str] | None:
        """A text with another end, which need not be a molecule's; None where it is not taken."""
        choices = self._choices(tokens)
        kept = len(tokens) - rng.randint(1, choices)
        written = self._model.grow(tokens[: max(1, kept)], rng)
        if written is None or len(written) - kept > self._cut:
            return None
        return written if rng.random() * self._choices(written) < choices else None

    def _choices(self, tokens: Sequence[str]) -> int:
        return max(1, min(self._cut, len(tokens) - 1))


def _settled(text: str, ends: int) -> str | None:
    if ends >= 0 and text.count("*") != ends:
        return None
    found = as_told(text)
    if found is None or (ends and n_open_ends(found) != ends):
        return None
    return settled_smiles(found)
