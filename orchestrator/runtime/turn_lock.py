"""One turn of a campaign at a time on a machine, told before anything is read."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from orchestrator.errors import TurnUnderWay


@contextlib.contextmanager
def only_turn(campaign: str | Path, store: str | Path | None) -> Iterator[None]:
    """Holds this user's lock of a campaign file and a store, which goes with the process.

    The lease of the store decides who acts; but reading a large pool takes longer than cron waits,
    and turns that all read it before they are refused would pile up. Where no lock can be had
    (another system, a full disk) there is only the lease.

    Raises:
        TurnUnderWay: another turn has it.
    """
    handle = _opened(campaign, store)
    try:
        if handle is not None and not _is_free(handle):
            raise TurnUnderWay(str(campaign))
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _opened(campaign: str | Path, store: str | Path | None) -> int | None:
    place = str(Path(campaign).resolve())
    data = os.environ.get("HAGANE_DATA", "")
    said = "\n".join((str(os.getuid()), place, str(store or ""), data, os.uname().nodename))
    name = f"hagane-turn-{hashlib.sha256(said.encode()).hexdigest()[:24]}.lock"
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(Path(tempfile.gettempdir()) / name, flags, 0o600)
    except OSError:
        return None


def _is_free(handle: int) -> bool:
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks
    return True
