"""How materials are changed: one shape for all proposals, and several of them mixed."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol

from orchestrator.errors import InputError


class Proposal(Protocol):
    """Changes materials."""

    def propose(self, parents: Sequence[str], rng: Random) -> Sequence[str]:
        """One canonical material for each parent, all of them canonical: the parent itself where
        no other became of it. The same for the same parents and state of `rng`."""
        ...


class Mixed:
    """Each parent is changed by one of several proposals, drawn with given shares."""

    def __init__(self, proposals: Sequence[Proposal], shares: Sequence[float]) -> None:
        if len(proposals) != len(shares) or min(shares) < 0.0 or sum(shares) <= 0.0:
            raise InputError(f"{len(proposals)} proposals cannot be mixed by the shares {shares}")
        self._proposals, self._shares = tuple(proposals), tuple(shares)

    def propose(self, parents: Sequence[str], rng: Random) -> Sequence[str]:
        """One material for each parent."""
        numbers = range(len(self._proposals))
        drawn = rng.choices(numbers, self._shares, k=len(parents))
        children = list(parents)
        for number in numbers:
            places = [place for place, which in enumerate(drawn) if which == number]
            if not places:
                continue  # and what it needs need not be installed
            made = self._proposals[number].propose([parents[place] for place in places], rng)
            for place, child in zip(places, made, strict=True):
                children[place] = child
        return children
