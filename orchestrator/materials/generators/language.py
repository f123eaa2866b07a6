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

import json
import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Literal, TypeAlias, get_args

from orchestrator.errors import InputError
from orchestrator.materials.generators.tokens import OPENING, tokens_of

Smoothing = Literal["backoff", "kneser-ney"]
SMOOTHINGS = get_args(Smoothing)
_FORMAT = 1
START, END, LAST = "\x20", "!", "\U0010ffff"
_UNKNOWN = "\x7f"
_FIRST_TOKEN = 0x100
_FIRST_TABLE = 0x40
_MOST_RINGS = 9
_MOST_SPANS = 500_000
_TABLES = [chr(_FIRST_TABLE + number) for number in range(2 * _MOST_RINGS + 2)]
_RINGS = frozenset((OPENING, *"0123456789"))
_Span: TypeAlias = tuple[int, int, str | None]
"""From where to where in the sorted texts, and the token there if it is but one ('' if none)."""


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


class _Walk:
    """Where one is within a text. `before` is what went before, the last first, with closed
    branches in one."""

    __slots__ = ("_branches", "_rings", "_vocabulary", "before")

    def __init__(self, vocabulary: _Vocabulary) -> None:
        self._vocabulary, self.before = vocabulary, START
        self._branches: list[int] = []
        self._rings = 0

    def key(self, length: int) -> str:
        """The table, then up to `length` characters of what went before, the last first."""
        rings = self._rings if self._rings < _MOST_RINGS else _MOST_RINGS
        return _TABLES[rings + 10 if self._branches else rings] + self.before[:length]

    def step(self, token: str) -> None:
        """Goes on by a token."""
        before = self.before
        if token == ")":
            depth = len(before) - self._branches.pop()
            first = before[depth - 2] if depth > 1 else ""
            self.before = self._vocabulary.branch(first) + before[depth:]
            return
        if token == "(":
            self._branches.append(len(before))
        elif token[-1] in _RINGS:
            self._rings += 1 if token[-1] == OPENING else -1
        character = self._vocabulary.character.get(token) or self._vocabulary.add(token)
        self.before = character + before


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
        self._spans: dict[str, _Span] = {}
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
        if smoothing not in SMOOTHINGS:
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

    def write(self, path: Path) -> None:
        """Keeps the table in a file that `read` reads: its tokens, and how often what was seen."""
        held = {
            "n-grams": _FORMAT,
            "order": self.order,
            "smoothing": self.smoothing,
            "tokens": list(self._vocabulary.character),
            "seen": self._seen,
        }
        path.write_text(json.dumps(held), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> LanguageModel:
        """The table of a file that `write` made.

        Raises:
            InputError: there is no file, or it holds no table.
        """
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            if held["n-grams"] != _FORMAT or held["smoothing"] not in SMOOTHINGS:
                raise ValueError
            seen = Counter({str(event): int(times) for event, times in held["seen"].items()})
            return cls(int(held["order"]), held["smoothing"], _Vocabulary(held["tokens"]), seen)
        except OSError as error:
            raise InputError(
                f"the table of n-grams '{path}' cannot be read: {error.strerror}"
            ) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                f"'{path}' is no table of n-grams", hint="LanguageModel.write makes one"
            ) from error

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
        length = self.order - 1
        while len(grown) <= longest:
            token = draw(walk.key(length), rng.random())
            if token == END:
                return grown
            if not token:
                return None
            grown.append(token)
            walk.step(token)
        return None

    def _walked(self, tokens: Sequence[str]) -> _Walk:
        walk = _Walk(self._vocabulary)
        for token in tokens:
            walk.step(token)
        return walk

    def _drawn(self, key: str, chance: float) -> str:
        """One of the tokens that were seen to follow the longest known part of a context; '' if
        there is none."""
        first, last, only = self._spans.get(key) or self._span(key)
        if only is not None:
            return only
        sums = self._sums
        low = sums[first]
        place = bisect_right(sums, low + int(chance * (sums[last] - low)), first, last)
        return self._vocabulary.token[self._sorted[place - 1][-1]]

    def _drawn_smoothly(self, key: str, chance: float) -> str:
        if key not in self._running:
            shares = self._shares(key)
            tokens = tuple(self._vocabulary.token[character] for character in shares)
            self._running[key] = tokens, tuple(accumulate(shares.values()))
        tokens, sums = self._running[key]
        last = len(sums) - 1
        return tokens[bisect_right(sums, chance * sums[-1], 0, last)] if tokens else ""

    def _shares(self, key: str) -> dict[str, float]:
        """How likely each character is after a context; none if not even its table was seen."""
        first, last, _ = self._span(key)
        if first == last:
            return {}
        if self.smoothing == "kneser-ney":
            return self._kneser_ney(self._known(key, bisect_left(self._sorted, key)))
        times = self._counted(self._sorted[first:last])
        return {c: n / (self._sums[last] - self._sums[first]) for c, n in times.items()}

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._seen)

    @cached_property
    def _sums(self) -> list[int]:
        return [0, *accumulate(self._seen[event] for event in self._sorted)]

    def _span(self, key: str) -> _Span:
        """From where to where the list begins with the longest known part of a context."""
        found = self._spans.get(key)
        if found is None:
            if len(self._spans) >= _MOST_SPANS:
                self._spans.clear()
            found = self._spans[key] = self._found(key)
        return found

    def _found(self, key: str) -> _Span:
        events = self._sorted
        first, most = bisect_left(events, key), len(events)
        if not (key and first < most and events[first].startswith(key)):
            known = self._known(key, first)
            return self._span(known) if known else (first, first, "")
        if first + 1 == most or not events[first + 1].startswith(key):
            return first, first + 1, self._vocabulary.token[events[first][-1]]
        if len(key) == self.order:  # what followed is one character more, each once
            most = min(most, first + len(self._vocabulary.character))
        return first, bisect_left(events, key + LAST, first, most), None

    def _known(self, key: str, place: int) -> str:
        """The part of a context that was seen, at its longest, by where it would stand in the
        list; '' if not even its table was."""
        one, *others = self._sorted[max(0, place - 1) : place + 1]
        other = others[0] if others else one
        for length in range(len(key), 0, -1):
            part = key[:length]
            if one.startswith(part) or other.startswith(part):
                return part
        return ""

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
        first, last, _ = self._span(key)
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
