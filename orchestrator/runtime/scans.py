"""Files of instruments: kept in the store, and read by the parsers that are installed."""

from __future__ import annotations

import asyncio
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from orchestrator import plugins
from orchestrator.errors import HaganeError, InputError, MissingExtra, UnknownName
from orchestrator.model.scan import Scan
from orchestrator.ports.clock import Clock
from orchestrator.ports.scans import Parse

if TYPE_CHECKING:
    from orchestrator.journal.store import Store


CAMPAIGN = "campaign.json"
"""The name of the artifact that is the campaign itself."""


class StoredFiles:
    """The raw files of a campaign (`ports.scans.Archive`, `ports.scans.Scans`)."""

    def __init__(self, store: Store, campaign_id: str, clock: Clock) -> None:
        self._store, self._campaign_id, self._clock = store, campaign_id, clock

    async def keep(self, name: str, data: bytes) -> str:
        """See `ports.scans`."""
        with self._clock.work():
            put = self._store.put_artifact
            return await asyncio.to_thread(put, self._campaign_id, data, name)

    async def scan(self, name: str, sha256: str, kind: str) -> Scan:
        """See `ports.scans`."""
        with self._clock.work():
            return await asyncio.to_thread(self._read, name, sha256, kind)

    def _read(self, name: str, sha256: str, kind: str) -> Scan:
        return read_scan(name, self._store.get_artifact(sha256), kind)


def export_files(store: Store, campaign_id: str, folder: Path) -> None:
    """Writes every raw file of a campaign into a folder; of two with one name both, the later with
    the beginning of its hash before it.

    Raises:
        InputError: one is there already, or cannot be written.
    """
    kept = [(sha256, PurePath(name).name) for sha256, name in store.artifacts(campaign_id)]
    raw = [(sha256, name) for sha256, name in kept if name != CAMPAIGN]
    if not raw:
        raise InputError("the campaign keeps no file of an instrument")
    written: set[str] = set()
    for sha256, name in raw:
        as_named = f"{sha256[:8]}-{name}" if name in written else name
        written.add(as_named)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / as_named).open("xb") as file:
                file.write(store.get_artifact(sha256))
        except OSError as error:
            raise InputError(f"{folder / as_named} cannot be written: {error.strerror}") from error


def read_scan(name: str, data: bytes, kind: str = "") -> Scan:
    """What a file says, by the parser of its ending, or of the `kind` that is said.

    Raises:
        InputError: there is no such parser, or it cannot read the file.
    """
    ending = kind or PurePath(name).suffix.removeprefix(".").lower()
    try:
        parse: Parse = plugins.load("parsers", ending)
    except UnknownName as error:
        known = ", ".join(sorted(plugins.installed("parsers")))
        raise InputError(
            f"no parser for '{name}' is installed", hint=f"say `format:`, one of {known}"
        ) from error
    try:
        return parse(data)
    except (InputError, MissingExtra) as error:
        raise InputError(
            f"the file '{name}' cannot be read as {ending}: {error}", hint=error.hint
        ) from error
    except HaganeError:
        raise
    except Exception as error:  # whatever a stranger's parser raises
        raise InputError(
            f"the file '{name}' cannot be read as {ending}: {type(error).__name__}: {error}",
            hint="this is a fault of the parser",
        ) from error
