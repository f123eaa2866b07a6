"""A folder in which an instrument, or a person, leaves the file of each sample.

An X-ray diffractometer, an electron microscope or a spectrometer with a program of its own writes
its results where this driver looks: a folder of this machine or a share. Nothing of the instrument
is driven, unless its program takes jobs from the same folder (`request`).

A file counts when its name fits the `pattern` of the sample and it was not there, of the same size
and time, when the wait began. It is complete when for `settle` seconds no file of the pattern has
come, gone or changed, it is not empty, no lock file stands beside it, and nobody has it open for
writing, as far as the system can tell. Times of files are compared with each other only, so that
the clock of a share does not matter. What was waited for, and what was there before, is kept in a
note beside the files under the ticket: after a restart the same wait goes on, and a file that came
meanwhile counts. The bytes are kept with the campaign before anybody reads them.

Tried on hardware: no; never with the program of a real instrument.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar, TypeVar

from drivers.files import folder as files
from drivers.files.folder import Note
from drivers.files.patterns import check_pattern, filled, matcher
from orchestrator.capabilities.files import CollectedFile
from orchestrator.errors import (
    DeviceAbsent,
    DeviceRefused,
    InputError,
    NoReading,
    StillRunning,
)
from orchestrator.ports.action import Cancel, Effect, SampleArg, Ticket, Unit, action
from orchestrator.ports.resource import Bench, Folder, Health, Identity, Verdict

T = TypeVar("T")
LOOK_EVERY_S, LOOK_SELDOM_S = 1.0, 30.0
_LEAST_WALL_S = 0.02
LARGEST = 10**9
"""Bytes of a file that is kept: it is held in memory, and more than once."""


class FileDrop:
    """Waits for the file of a sample in `folder` and keeps it.

    `pattern` is of its name: `*`, `?`, `{sample}` and `{ticket}`. `request` is the name of a file
    that is written to ask the instrument's program for the measurement, `request_text` what it
    says. `notes` is a folder to be written to where `folder` must not be. After `patience` a file
    is not waited for any more; it is counted anew by each engine, and not by one of a single turn.
    """

    implements: tuple[str, ...] = ("FileMeasurement",)
    concurrent: ClassVar[int] = 16
    keeps_files: ClassVar[bool] = True
    waits_alone: ClassVar[bool] = True

    def __init__(
        self,
        bench: Bench,
        folder: str,
        pattern: str,
        settle: Annotated[float, Unit("s", low=0.5)] = 5.0,
        patience: Annotated[float, Unit("s", low=1.0)] = 7 * 86400.0,
        request: str = "",
        request_text: str = "{ticket}",
        notes: str = "",
    ) -> None:
        check_pattern("the pattern", pattern)
        if request:
            check_pattern("the request", request)
        if request and "*" in request:
            raise InputError(f"the request '{request}' is no file name", hint="{ticket}.request")
        for place in filter(None, (folder, notes)):
            if not (place.startswith("memory:") or Path(place).expanduser().is_absolute()):
                hint = "another start of the engine would look elsewhere"
                raise InputError(f"{bench.name}: '{place}' is no whole path", hint=hint)
        self.bench = bench
        self._pattern, self._settle_s, self._patience_s = pattern, settle, patience
        self._request, self._request_text = request, request_text
        self._twin: Folder | None = None
        self._place, self._notes = folder, notes

    @property
    def folder(self) -> Path:
        """Where files are looked for."""
        return self._twin.folder if self._twin else Path(self._place).expanduser()

    @property
    def _note_folder(self) -> Path:
        return Path(self._notes).expanduser() if self._notes else self.folder

    async def open(self) -> None:
        """Looks whether the folder is there. Raises DeviceAbsent."""
        name = self._place.removeprefix("memory:")
        if name != self._place:
            twin = self.bench.wires.get(name)
            if not isinstance(twin, Folder):
                raise DeviceAbsent(self.bench.name, f"there is no folder at '{self._place}'")
            self._twin = twin
        for place in (self.folder, self._note_folder):
            if not await self._off_loop(place.is_dir):
                hint = "mount the share, or name another folder"
                raise DeviceAbsent(self.bench.name, f"there is no folder {place}", hint=hint)

    async def close(self) -> None:
        """Nothing is held."""

    async def identify(self) -> Identity:
        """The folder; whose files come there is not known."""
        return Identity(maker="file drop", model="folder")

    async def health(self) -> Health:
        """Fit when files can be read, and notes written, there."""
        if not await self._off_loop(lambda: os.access(self.folder, os.R_OK | os.X_OK)):
            return Health(False, f"{self.folder} cannot be read")
        if not await self._off_loop(lambda: os.access(self._note_folder, os.W_OK)):
            return Health(
                False, f"{self._note_folder} cannot be written to; see the option 'notes'"
            )
        return Health(True)

    async def make_safe(self) -> None:
        """Nothing is driven."""

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def collect(
        self, ticket: Ticket, sample: Annotated[str, SampleArg()] = ""
    ) -> CollectedFile:
        """Waits until the file of the sample is there and complete, and keeps it.

        Raises:
            DeviceRefused: two files fit, or a note or a request cannot be written.
            NoReading: none came within the patience, or it is too large.
            StillRunning: none is there yet, and the engine stays for one turn only.
        """
        if "{sample}" in f"{self._pattern}{self._request}{self._request_text}" and not sample:
            sentence = f"the pattern '{self._pattern}' needs a sample, and the trial has none"
            raise DeviceRefused(self.bench.name, sentence, hint="{ticket}, or `sample: new`")
        note = await self._begin(ticket, sample)
        taken = note.tickets.get(ticket)
        if taken is None:
            taken = await self._take(note, ticket, sample)
        return CollectedFile(*taken)

    async def ask(self, ticket: Ticket) -> Verdict:
        """What the notes in the folder say of a ticket. Raises DeviceAbsent."""
        try:
            found = await self._off_loop(lambda: files.notes(self._note_folder))
        except OSError as error:
            raise DeviceAbsent(self.bench.name, f"its notes cannot be read: {error}") from error
        note = next((n for n in found if ticket in n.tickets), None)
        if note is None:
            return Verdict("not_done", "no note says that a file is waited for")
        taken = note.tickets[ticket]
        if taken is None:
            return Verdict("resumable", f"a file '{note.what}' is waited for")
        return Verdict("done", f"the file {taken[0]} was taken", CollectedFile(*taken).__dict__)

    async def _begin(self, ticket: Ticket, sample: str) -> Note:
        """The note of this wait: as it was left, or a new one with what is there already."""
        key = hashlib.sha256(f"{self._pattern}|{sample or ticket}".encode()).hexdigest()[:16]
        names = matcher(self._pattern, sample=sample, ticket=ticket)

        def begin() -> Note:
            note = files.note_of(self._note_folder, key)
            if note is not None and ticket in note.tickets:
                return note
            if note is None or note.is_over:
                # whoever took the last file of this sample may be asked about it still
                old = {} if note is None else note.tickets
                what = filled(self._pattern, sample=sample, ticket=ticket)
                note = Note(key, what, files.look(self.folder, names), old)
            note.tickets[ticket] = None
            note.is_requested = False
            files.write_note(self._note_folder, note)
            return note

        try:
            note = await self._off_loop(begin)
            if self._request and not note.is_requested:
                await self._off_loop(lambda: self._ask_for_it(note, ticket, sample))
        except OSError as error:
            hint = "let it be written to, or name another folder for 'notes'"
            raise DeviceRefused(
                self.bench.name, f"cannot be written: {error}", hint=hint
            ) from error
        return note

    def _ask_for_it(self, note: Note, ticket: str, sample: str) -> None:
        name, text = (
            filled(t, sample=sample, ticket=ticket) for t in (self._request, self._request_text)
        )
        files.write_whole(self.folder / name, f"{text}\n".encode())
        note.is_requested = True
        files.write_note(self._note_folder, note)

    async def _take(self, note: Note, ticket: Ticket, sample: str) -> tuple[str, str]:
        names = matcher(self._pattern, sample=sample, ticket=ticket)
        clock = self.bench.clock
        start = since = clock.now()
        last: files.Seen = {}
        while True:
            if self._twin is not None:
                await self._twin.receive(b"")
            now = clock.now()
            seen = await self._off_loop(lambda: self._fresh(note, names))
            if seen != last or not seen:
                last, since = seen, now
            elif now - since >= self._settle_s:
                taken = await self._read(note, ticket, seen)
                if taken is not None:
                    return taken
                since = now
            if self.bench.one_turn and not seen:
                raise StillRunning(f"a file '{note.what}' is waited for", hint="look again later")
            if now - start > self._patience_s:
                raise NoReading(self.bench.name, self._silence(note, seen))
            await clock.sleep(self._pause_s(bool(seen), now - start))

    def _pause_s(self, has_any: bool, waited_s: float) -> float:
        """Seldom when a file takes days to come; never more often than a fast clock can bear."""
        pause_s = LOOK_EVERY_S if has_any else min(LOOK_SELDOM_S, LOOK_EVERY_S + waited_s / 20)
        speed = getattr(self.bench.clock, "speed", 1.0)
        return pause_s if speed == float("inf") else max(pause_s, _LEAST_WALL_S * speed)

    def _fresh(self, note: Note, names: re.Pattern[str]) -> dict[str, tuple[int, int]]:
        """What has come since; nothing while the folder cannot be read (a share that is away)."""
        try:
            found = files.look(self.folder, names)
        except OSError:
            return {}
        return {name: seen for name, seen in found.items() if note.before.get(name) != seen}

    async def _read(self, note: Note, ticket: Ticket, seen: files.Seen) -> tuple[str, str] | None:
        """Keeps the only new file; None where it is not complete after all."""
        if await self._off_loop(lambda: any(files.is_in_use(self.folder, n) for n in seen)):
            return None
        if len(seen) > 1:
            raise DeviceRefused(
                self.bench.name,
                f"several files fit '{note.what}': {files.shown(*seen)}",
                hint="move away all but one, or make the pattern narrower, then `hagane resume`",
            )
        (name,) = seen
        if seen[name][0] > LARGEST:
            size = f"{files.shown(name)} has {seen[name][0] / 1e9:.3g} GB"
            raise NoReading(
                self.bench.name,
                f"{size}, more than the {LARGEST / 1e9:g} GB that are kept",
                hint="have the instrument's program export less",
            )
        try:
            data = await self._off_loop((self.folder / name).read_bytes)
            status = await self._off_loop((self.folder / name).stat)
        except OSError:
            return None
        if (status.st_size, status.st_mtime_ns) != seen[name] or len(data) != status.st_size:
            return None
        shown = files.shown(name)
        sha256 = hashlib.sha256(data).hexdigest()
        if self.bench.archive is not None:
            sha256 = await self.bench.archive.keep(shown, data)
        note.tickets[ticket], note.is_over = (shown, sha256), True
        await self._off_loop(lambda: files.write_note(self._note_folder, note))
        return shown, sha256

    def _silence(self, note: Note, seen: files.Seen) -> str:
        if seen:
            return f"{files.shown(*seen)} came, but is empty, locked or still open"
        old = files.shown(*note.before)
        sentence = f"no file '{note.what}' came within {self._patience_s:g} s"
        return f"{sentence}; what was there before does not count ({old})" if old else sentence

    async def _off_loop(self, work: Callable[[], T]) -> T:
        """A share that hangs must hold up nobody else."""
        with self.bench.clock.work():
            return await asyncio.to_thread(work)
