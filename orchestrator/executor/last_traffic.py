"""What passes on the wires of isolated devices when no engine is there to keep it.

Beside the engine's record of a device, `argon.jsonl`, it is `argon.guardian.jsonl` (and
`arm.guardian-2.jsonl` of a second port), made when the first byte passes. A disk that is slow or
full holds up nobody: lines are written by a thread of their own, and lost where they cannot be.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from pathlib import Path

from orchestrator.ports.traffic import Passage

END_WITHIN_S = 1.0


class LastTraffic:
    """Takes passages until it is closed; never raises, and never waits for the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: queue.SimpleQueue[tuple[str, Passage] | None] = queue.SimpleQueue()
        self._ports: dict[str, list[str]] = {}
        self._thread = threading.Thread(target=self._work, name="last traffic", daemon=True)
        self._thread.start()

    def take(self, device: str, passage: Passage) -> None:
        """Something passed on a wire of that device."""
        self._waiting.put((device, passage))

    def close(self) -> None:
        """Writes what waits, for a second at most; may be repeated."""
        self._waiting.put(None)
        self._thread.join(END_WITHIN_S)

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            device, passage = item
            with contextlib.suppress(OSError), self._path(device, passage.port).open("a") as file:
                file.write(f"{passage.line(device)}\n")

    def _path(self, device: str, port: str) -> Path:
        ports = self._ports.setdefault(device, [])
        if port not in ports:
            ports.append(port)
        number = ports.index(port) + 1
        ending = "guardian" if number == 1 else f"guardian-{number}"
        return self._folder / f"{device}.{ending}.jsonl"
