"""A folder into which an instrument's program saves: the wire of a twin that answers in files."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path

from simulators.twins.faults import Fault
from simulators.twins.wire import FramedWire

LOOK_EVERY_S = 0.02
"""Wall time between two looks of a program whose lab is served."""


class FolderWire(FramedWire):
    """A folder. `act` does what is due there by now; it is called before anybody looks.

    In memory the folder is a temporary one; a server puts it among its own.
    """

    def __init__(self, act: Callable[[Path], None]) -> None:
        super().__init__(lambda data: (None, b""), lambda frame: b"")
        self._act = act
        self._folder: Path | None = None

    @property
    def folder(self) -> Path:
        """Where it is."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="hagane-folder-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    def settle_in(self, folder: Path) -> None:
        """Takes a folder that is there already."""
        self._folder = folder

    async def receive(self, data: bytes) -> bytes:
        """Lets happen what is due by now; takes and gives nothing."""
        self._act(self.folder)
        return b""


class FolderOutlet:
    """A folder wire in a lab that is served: a folder beside the links of the serial ports."""

    def __init__(self, wire: FolderWire, path: Path) -> None:
        self._wire, self._path = wire, path
        self._looking: asyncio.Task[None] | None = None
        self._is_hung = False

    @property
    def address(self) -> str:
        """What a client opens."""
        return str(self._path)

    async def open(self) -> None:
        """Makes the folder, and has the program look into it."""
        self._path.mkdir(exist_ok=True)
        self._wire.settle_in(self._path)
        self._looking = asyncio.create_task(self._look())

    async def close(self) -> None:
        """The program ends; the files stay."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def fail(self, fault: Fault) -> None:
        """The program hangs until healed; no other fault can be played.

        Raises:
            ValueError: another one is asked for.
        """
        if fault.how != "hang":
            raise ValueError(f"a folder cannot '{fault.how}'")
        self._is_hung = True

    async def heal(self) -> None:
        """The program goes on."""
        self._is_hung = False

    def speak(self) -> None:
        """A folder says nothing."""

    async def _look(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                if not self._is_hung:
                    await self._wire.receive(b"")
            await asyncio.sleep(LOOK_EVERY_S)
