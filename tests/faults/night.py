"""A child process that runs a campaign and may end itself with SIGKILL at a journal write.

python tests/faults/night.py FOLDER STORE [WRITE before|after]

Prints one JSON line per acknowledged write, before anything else happens. With NIGHT_WAITS in its
environment it stops (SIGSTOP) when its twins are coming up, before it sends them anything.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from orchestrator.errors import HaganeError
from orchestrator.model.events import Event, Recorded
from orchestrator.ports.journal import Journal
from orchestrator.runtime.run import Setting, run_campaign


class Fatal:
    """A journal at whose n-th write the process is killed."""

    def __init__(self, journal: Journal, write: int, when: str) -> None:
        self._journal, self._write, self._when = journal, write, when
        self._n = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def append(self, events: Sequence[Event], *, at: float) -> Sequence[Recorded]:
        self._n += 1
        if (self._n, self._when) == (self._write, "before"):
            os.kill(os.getpid(), signal.SIGKILL)
        recorded = await self._journal.append(events, at=at)
        if (self._n, self._when) == (self._write, "after"):
            os.kill(os.getpid(), signal.SIGKILL)
        for entry in recorded:
            print(entry.model_dump_json(), flush=True)
        return recorded


def _wait(*_of_campaign: object) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def main(folder: str, store: str, write: str = "0", when: str = "") -> int:
    """Runs the campaign of a folder; the exit code of its ending."""
    setting = Setting(
        identity="night",
        keep_twins=True,
        on_campaign=_wait if os.environ.get("NIGHT_WAITS") else None,
        wrap=lambda journal: Fatal(journal, int(write), when),  # type: ignore[arg-type,return-value]
    )
    try:
        finish = run_campaign(folder, store=store, setting=setting)
    except HaganeError as error:
        print(error, error.hint, file=sys.stderr)
        return int(error.exit_code)
    return int(finish.ending.exit_code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
