"""A language model of molecules: n-grams of extended SMILES (Ikebata et al. 2017).

p(S) is the product over the tokens s_i of p(s_i | s_{i-n+1} ... s_{i-1}, B_i, R_i): B_i says
whether a branch is open and R_i how many rings are, 9 standing for more. So only what may follow
can follow: no branch is closed that is not open, and no text ends with an open ring. In what goes
before, a branch that is closed again counts as one token with its first: `CC(=O)N` reads
`C C (=O) N`.

Every token is kept as one character, and all that was ever seen as sorted texts: the table's
character, what went before from the last to the first, and what followed. What is known of a
context of any length is then one stretch of that list.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from random import Random
from typing import Literal

from orchestrator.errors import InputError
from orchestrator.materials.generators.tokens import OPENING, tokens_of

Smoothing = Literal["backoff", "kneser-ney"]
START, END, LAST = "\x20", "!", "\U0010ffff"
_UNKNOWN = "\x7f"
_FIRST_TOKEN = 0x100
_FIRST_TABLE = 0x40
_MOST_RINGS = 9
_MOST_SPANS = 500_000
_TABLES = [chr(_FIRST_TABLE + number) for number in range(2 * _MOST_RINGS + 2)]
_RINGS = frozenset((OPENING, *"0123456789"))


class _Vocabulary:
    """Which character stands for which token, in the order in which they were first seen; one for
    all that were not, once it is `is_complete`."""

    def __init__(self, tokens: Iterable[str] = ()) -> None:
        self.character: dict[str, str] = {}
        self.token: dict[str, str] = {_UNKNOWN: "?"}
        self.closed: dict[str, str] = {}
        self.is_complete = False
        for token in (END, *tokens):
            self.add(token)

    def add(self, token: str) -> str:
        known = self.character.get(token)
        if known is not None:
            return known
        if self.is_complete:
            return _UNKNOWN
        new = chr(_FIRST_TOKEN + len(self.character))
        self.character[token], self.token[new] = new, token
        return new

    def branch(self, first: str) -> str:
        """The character of a closed branch, by that of its first token ('' where it has none)."""
        if first not in self.closed:
            character = self.add(f"({self.token[first] if first else ''})")
            if not self.is_complete:
                return character
            self.closed[first] = character
        return self.closed[first]


@dataclass
class _Walk:
    """Where one is within a text: what went before, with closed branches in one."""

    vocabulary: _Vocabulary
    before: list[str] = field(default_factory=lambda: [START])
    branches: list[int] = field(default_factory=list)
    rings: int = 0

    def key(self, length: int) -> str:
        """The table, then up to `length` characters of what went before, the last first."""
        table = min(self.rings, _MOST_RINGS) + (10 if self.branches else 0)
        return _TABLES[table] + "".join(self.before[: -length - 1 : -1])

    def step(self, token: str) -> None:
        """Goes on by a token."""
        if token == ")":
            opened = self.branches.pop()
            first = "".join(self.before[opened + 1 : opened + 2])
            self.before[opened:] = [self.vocabulary.branch(first)]
            return
        if token == "(":
            self.branches.append(len(self.before))
        elif token[-1] in _RINGS:
            self.rings += 1 if token[-1] == OPENING else -1
        self.before.append(self.vocabulary.character.get(token) or self.vocabulary.add(token))


class LanguageModel:
    """How likely a token is to follow others. Made by `fit` or `merged`.

    `backoff` takes the longest context that was ever seen, as it was seen. `kneser-ney` mixes all
    lengths, with the discount of each length and with counts of continuations (Kneser & Ney 1995,
    doi:10.1109/ICASSP.1995.479394), so that nothing that was seen in a table is impossible in it.
    """

    def __init__(
        self,
        order: int,
        smoothing: Smoothing,
        vocabulary: _Vocabulary,
        seen: Counter[str],
    ) -> None:
        self.order, self.smoothing = order, smoothing
        self._vocabulary, self._seen = vocabulary, seen
        vocabulary.is_complete = True
        self._spans: dict[str, tuple[int, int]] = {}
        self._running: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {}
        self._mixed: dict[str, dict[str, float]] = {}

    @classmethod
    def fit(
        cls, corpus: Iterable[str], *, order: int = 10, smoothing: Smoothing = "backoff"
    ) -> LanguageModel:
        """Learns from SMILES, as they are written: a token is told by up to `order` - 1 others.

        Raises:
            InputError: the order is below 2, the smoothing is unknown, nothing is there to learn
                from, or a text is not a SMILES.
        """
        if order < 2:
            raise InputError(f"a language model of order {order} knows no context", hint="say 10")
        if smoothing not in ("backoff", "kneser-ney"):
            raise InputError(f"'{smoothing}' is no smoothing", hint="backoff or kneser-ney")
        vocabulary, seen = _Vocabulary(), Counter[str]()
        for smiles in corpus:
            seen.update(_events(tokens_of(smiles), order, vocabulary))
        if not seen:
            raise InputError("a language model needs at least one SMILES to learn from")
        return cls(order, smoothing, vocabulary, seen)

    def merged(self, other: LanguageModel) -> LanguageModel:
        """What fitting to both corpora, this one's first, would give.

        Raises:
            InputError: the other is of another order or smoothing.
        """
        if (self.order, self.smoothing) != (other.order, other.smoothing):
            raise InputError(
                f"a model of order {self.order} ({self.smoothing}) cannot be merged with one of"
                f" order {other.order} ({other.smoothing})"
            )
        vocabulary = _Vocabulary((*self._vocabulary.character, *other._vocabulary.character))
        moved = {
            ord(character): vocabulary.character[token]
            for token, character in other._vocabulary.character.items()
        }
        seen = self._seen.copy()
        for event, times in other._seen.items():
            seen[event.translate(moved)] += times
        return LanguageModel(self.order, self.smoothing, vocabulary, seen)

    def counts(self) -> dict[tuple[str, ...], int]:
        """How often which token followed which context: (token, last before, ..., table) -> n."""
        name = {**self._vocabulary.token, START: "^"}
        return {
            (name[event[-1]], *(name[c] for c in event[1:-1]), str(ord(event[0]) - _FIRST_TABLE)): n
            for event, n in self._seen.items()
        }

    def following(self, tokens: Sequence[str]) -> dict[str, float]:
        """Which tokens may come after these, and how likely each is; `!` is the end."""
        shares = self._shares(self._walked(tokens).key(self.order - 1))
        return {self._vocabulary.token[c]: p for c, p in shares.items()}

    def log_probability(self, tokens: Sequence[str]) -> float:
        """log p(S), with its end; minus infinity where the model could not have written it."""
        walk, total = _Walk(self._vocabulary), 0.0
        for token in (*tokens, END):
            character = self._vocabulary.character.get(token, "")
            share = self._shares(walk.key(self.order - 1)).get(character, 0.0)
            if share <= 0.0:
                return -math.inf
            total += math.log(share)
            if token != END:
                walk.step(token)
        return total

    def grow(self, tokens: Sequence[str], rng: Random, *, longest: int = 200) -> list[str] | None:
        """These tokens and what the model writes after them, up to its end.

        None where that would be longer than `longest`, or where nothing is known to follow.
        """
        walk, grown = self._walked(tokens), list(tokens)
        draw = self._drawn if self.smoothing == "backoff" else self._drawn_smoothly
        names, length = self._vocabulary.token, self.order - 1
        while len(grown) <= longest:
            character = draw(walk.key(length), rng.random())
            token = names.get(character, END)
            if token == END:
                return grown if character else None
            grown.append(token)
            walk.step(token)
        return None

    def _walked(self, tokens: Sequence[str]) -> _Walk:
        walk = _Walk(self._vocabulary)
        for token in tokens:
            walk.step(token)
        return walk

    def _drawn(self, key: str, chance: float) -> str:
        """One of what was seen to follow the longest known part of a context; '' if nothing."""
        first, last = self._span(key)
        if first == last:
            return ""
        if last == first + 1:
            return self._sorted[first][-1]
        low, high = self._sums[first], self._sums[last]
        place = bisect_right(self._sums, low + int(chance * (high - low)), first, last)
        return self._sorted[place - 1][-1]

    def _drawn_smoothly(self, key: str, chance: float) -> str:
        if key not in self._running:
            shares = self._shares(key)
            self._running[key] = tuple(shares), tuple(accumulate(shares.values()))
        characters, sums = self._running[key]
        last = len(sums) - 1
        return characters[bisect_right(sums, chance * sums[-1], 0, last)] if characters else ""

    def _shares(self, key: str) -> dict[str, float]:
        """How likely each character is after a context; none if not even its table was seen."""
        first, last = self._span(key)
        if first == last:
            return {}
        if self.smoothing == "kneser-ney":
            return self._kneser_ney(self._known(key))
        times = self._counted(self._sorted[first:last])
        return {c: n / (self._sums[last] - self._sums[first]) for c, n in times.items()}

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._seen)

    @cached_property
    def _sums(self) -> list[int]:
        return [0, *accumulate(self._seen[event] for event in self._sorted)]

    def _known(self, key: str) -> str:
        """The part of a context that was seen, at its longest; '' if not even its table was."""
        place = bisect_left(self._sorted, key)
        neighbours = self._sorted[max(0, place - 1) : place + 1]
        return key[: max((_shared(key, event) for event in neighbours), default=0)]

    def _span(self, key: str) -> tuple[int, int]:
        """From where to where the list begins with the longest known part of a context."""
        found = self._spans.get(key)
        if found is None:
            if len(self._spans) >= _MOST_SPANS:
                self._spans.clear()
            found = self._spans[key] = self._found(key)
        return found

    def _found(self, key: str) -> tuple[int, int]:
        events = self._sorted
        first, most = bisect_left(events, key), len(events)
        if key and first < most and events[first].startswith(key):
            if len(key) == self.order:  # what followed is one character more, each once
                most = min(most, first + len(self._vocabulary.character))
            return first, bisect_left(events, key + LAST, first, most)
        known = self._known(key)
        first = bisect_left(events, known)
        return first, bisect_left(events, known + LAST, first) if known else first

    def _counted(self, events: Sequence[str]) -> dict[str, int]:
        times: dict[str, int] = {}
        for event in events:
            times[event[-1]] = times.get(event[-1], 0) + self._seen[event]
        return times

    def _kneser_ney(self, key: str) -> dict[str, float]:
        """What may follow, mixed over the lengths of a context that was seen."""
        if key not in self._mixed:
            times = self._times(key)
            total = sum(times.values())
            off = self._discount if len(key) > 1 else 0.0
            lower = self._kneser_ney(key[:-1]) if off else {}
            rest = off * len(times)
            self._mixed[key] = {
                c: (max(times.get(c, 0.0) - off, 0.0) + rest * lower.get(c, 0.0)) / total
                for c in (lower or times)
            }
        return self._mixed[key]

    def _times(self, key: str) -> dict[str, int]:
        """How often each followed: in its longest context as counted, in a shorter one after how
        many different tokens."""
        first, last = self._span(key)
        events = self._sorted[first:last]
        if len(key) == self.order or key.endswith(START):
            return self._counted(events)
        follows = sorted({(event[-1], event[len(key)]) for event in events})
        return dict(Counter(c for c, _ in follows))

    @cached_property
    def _discount(self) -> float:
        """Ney, Essen & Kneser 1994, from what was seen once and twice."""
        once = sum(n == 1 for n in self._seen.values())
        twice = sum(n == 2 for n in self._seen.values())
        return once / (once + 2 * twice) if once else 0.5


def _events(tokens: Sequence[str], order: int, vocabulary: _Vocabulary) -> list[str]:
    """What a text shows: what followed what."""
    walk, found = _Walk(vocabulary), []
    for token in tokens:
        found.append(walk.key(order - 1) + vocabulary.add(token))
        walk.step(token)
    found.append(walk.key(order - 1) + vocabulary.character[END])
    return found


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other))
