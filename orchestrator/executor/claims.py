"""Who computes a result that is not known yet: a file beside its place, `<root>/ab/<key>.claim`.

Whoever is about to compute links a file of its own to that name, which only one can; it appears
whole, and goes when the result is there or the calculation has failed. A claim counts no more when
its process is known to be dead, or nothing was heard of it for as long as it says: the time is that
of the file system, so that no two clocks need agree.

A claim saves work, and no more. Where none can be made (no room, no right to write, no links), or
one is lost, a calculation is made twice, and the second result takes the place of the first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestrator.executor.known import part_in
from orchestrator.holders import Holder, this_process

BEAT_S = 20.0
SILENT_S = 300.0
"""Longer than a client of NFS may hold a file's times to be the same (60 s), with some beats."""
TURNS_SILENT_S = 3600.0
"""Of turns, between which no process is there; cron comes more often."""
REPLACED_WITHIN_S = 10.0
TRIES = 20


@dataclass(frozen=True)
class Claim:
    """Who computes, for which campaign; `holder` is None where turns do, of which none may be under
    way. After `silent_s` seconds without a sign of life it counts no more."""

    campaign: str
    token: str
    silent_s: float
    holder: Holder | None = None

    def __str__(self) -> str:
        by = f" (pid {self.holder.pid} on {self.holder.host})" if self.holder else ""
        return f"{self.campaign}{by}"


class Claims:
    """The claims of one engine, or of one campaign's turns, on the results below `root`."""

    def __init__(self, root: Path, campaign: str, *, is_in_turns: bool = False) -> None:
        """A `campaign` has one engine at a time, so that an older claim of it is its own."""
        self._root = root
        holder = None if is_in_turns else this_process(campaign)
        silent_s = TURNS_SILENT_S if is_in_turns else SILENT_S
        self._own = Claim(campaign, secrets.token_hex(8), silent_s, holder)

    def take(self, key: str) -> Claim | None:
        """Claims a key, or gives the claim of another engine that computes it."""
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part_in(path.parent) as (own, out):
                out.write(json.dumps(asdict(self._own)))
                out.flush()
                return self._linked(own, path)
        except OSError:
            return None

    def _linked(self, own: Path, path: Path) -> Claim | None:
        for _ in range(TRIES):
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(own)
                return None
            if own.stat().st_nlink > 1:  # it was made, and the answer was lost on the way
                return None
            with contextlib.suppress(FileNotFoundError):
                other, silent_for_s = _read(path), own.stat().st_mtime - path.stat().st_mtime
                if other is not None and self._counts(other, silent_for_s):
                    return other
                if other == self._own or _has_replaced(own, path, other):
                    return None
            time.sleep(0.001)  # somebody else was there first
        return None

    def _counts(self, other: Claim, silent_for_s: float) -> bool:
        # far in the future it would count for ever: the clock was put back
        if other.campaign == self._own.campaign or abs(silent_for_s) >= other.silent_s:
            return False
        return other.holder is None or not other.holder.is_known_dead()

    def beat(self, key: str) -> None:
        """Shows that its own claim still counts."""
        with contextlib.suppress(OSError):
            os.utime(self._path(key))

    @contextlib.asynccontextmanager
    async def held(self, key: str) -> AsyncIterator[None]:
        """Keeps a claim that was taken alive, and gives it back."""
        beating = asyncio.ensure_future(self._beat(key))
        try:
            yield
        finally:
            beating.cancel()
            self.release(key)

    async def _beat(self, key: str) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            self.beat(key)

    def release(self, key: str) -> None:
        """Gives a claim back, if it is its own still."""
        with contextlib.suppress(OSError):
            found = _read(self._path(key))
            if found is not None and found.campaign == self._own.campaign:
                self._path(key).unlink()

    def _path(self, key: str) -> Path:
        return self._root / key[:2] / f"{key}.claim"


def _read(path: Path) -> Claim | None:
    """None for what is no claim. Raises OSError."""
    try:
        said = json.loads(path.read_text())
        holder = None if said["holder"] is None else Holder(**said["holder"])
        claim = Claim(str(said["campaign"]), str(said["token"]), float(said["silent_s"]), holder)
        return claim if claim.token.isalnum() else None
    except (ValueError, KeyError, TypeError):
        return None


def _has_replaced(own: Path, path: Path, seen: Claim | None) -> bool:
    """Puts its own claim in the place of one that counts no more, unless another one stands there
    by now: only who has linked a name for just that one may."""
    right = path.with_name(f".part-{path.stem}-{seen.token if seen else ''}")
    try:
        right.hardlink_to(own)
    except FileExistsError:
        if own.stat().st_mtime - right.stat().st_mtime > REPLACED_WITHIN_S:
            right.unlink(missing_ok=True)  # whoever had it was killed
        return False
    try:
        if _read(path) != seen:
            return False
        own.replace(path)
        return True
    finally:
        right.unlink(missing_ok=True)
