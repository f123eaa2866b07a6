"""What passes on a wire: one line of a record, and the figures of a device's wire."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, get_args

Way = Literal["sent", "ahead", "came", "stray", "mark"]
"""sent: a request. ahead: the first bytes of a stop on a line that is not quiet, sent again with
it. came: (a piece of) its reply. stray: what came unasked and was thrown away. mark: no bytes."""

Mark = Literal[
    "connected",
    "absent",
    "taken",
    "silent",
    "garbled",
    "refused",
    "gone",
    "unsent",
    "found_gone",
]
"""How a connection or an exchange ended. unsent: a stop went ahead of it, and not a byte left.
found_gone: the connection was found broken before a byte left."""

_TEXT = frozenset(b"\t\r\n\x02\x03\x05\x06\x15") | frozenset(range(0x20, 0x7F))
"""Bytes that people can read in JSON: printable ASCII, line ends, and what protocols handshake by
(STX, ETX, ENQ, ACK, NAK)."""
_N_LATENCIES = 2000


@dataclass(frozen=True)
class Passage:
    """Some bytes that passed, or a mark. `at` is wall time since 1970 in s, `connection` counts
    from 1. `said` is a mark's kind, `why` the sentence that goes with it."""

    way: Way
    data: bytes = b""
    at: float = 0.0
    connection: int = 0
    port: str = ""
    said: str = ""
    why: str = ""

    def line(self, device: str) -> str:
        """One JSON object without a line end."""
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(self.at, UTC).isoformat(timespec="microseconds"),
            "device": device,
            "port": self.port,
            "connection": self.connection,
            "way": self.way,
        }
        if self.way == "mark":
            entry["said"] = self.said
        elif set(self.data) <= _TEXT:
            entry["text"] = self.data.decode("ascii")
        else:
            entry["hex"] = self.data.hex(" ")
        if self.why:
            entry["why"] = self.why
        return json.dumps(entry, ensure_ascii=False)


def read_passage(line: str) -> Passage:
    """The passage of a line that `Passage.line` gave.

    Raises:
        ValueError: it is none.
    """
    entry = json.loads(line)
    if not isinstance(entry, dict) or entry.get("way") not in get_args(Way):
        raise ValueError("no line of a traffic record")
    text, code = entry.get("text"), entry.get("hex")
    return Passage(
        way=entry["way"],
        data=text.encode("ascii") if isinstance(text, str) else bytes.fromhex(code or ""),
        at=datetime.fromisoformat(entry["at"]).timestamp(),
        connection=int(entry["connection"]),
        port=str(entry.get("port", "")),
        said=str(entry.get("said", "")),
        why=str(entry.get("why", "")),
    )


Record: TypeAlias = Callable[[Passage], None]
"""Takes what passes, from any thread; must be quick, and never raises."""


@dataclass(eq=False)
class Figures:
    """How the wires of one device behaved so far; times are wall time in s.

    An exchange is a dialogue from its first to its last byte. `latencies_s` are those of the last
    2,000 that came to their end.
    """

    n_exchanges: int = 0
    n_retries: int = 0
    n_silences: int = 0
    n_garbled: int = 0
    n_reconnects: int = 0
    latencies_s: deque[float] = field(default_factory=lambda: deque(maxlen=_N_LATENCIES))

    @property
    def is_troubled(self) -> bool:
        """Whether anything went wrong on the way."""
        return bool(self.n_silences or self.n_garbled or self.n_reconnects or self.n_retries)

    def latency_s(self, share: float) -> float:
        """The time below which that share of the last exchanges took; not-a-number without any."""
        ordered = sorted(self.latencies_s)
        if not ordered:
            return math.nan
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def plain(self) -> dict[str, float | int | None]:
        """As plain data, latencies in ms, None where there are none."""
        median, late = (self.latency_s(share) * 1e3 for share in (0.5, 0.99))
        return {
            "exchanges": self.n_exchanges,
            "retries": self.n_retries,
            "silences": self.n_silences,
            "garbled": self.n_garbled,
            "reconnects": self.n_reconnects,
            "median_ms": None if math.isnan(median) else round(median, 3),
            "p99_ms": None if math.isnan(late) else round(late, 3),
        }
