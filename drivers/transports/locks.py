"""One process per port: a lock file, since the operating system lets two open the same tty."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path

from drivers.transports.wires import Taken
from orchestrator.ports.addresses import port_itself


class PortLock:
    """Held until `release` or the end of the process, even by kill -9."""

    def __init__(self, port: str) -> None:
        """Takes the lock of a port, however it is spelled. Raises Taken, naming the holder's
        process id."""
        self.port = port = port_itself(port)
        name = re.sub(r"[^A-Za-z0-9]+", "-", port).strip("-") + ".lock"
        self._path = _directory() / name
        self._file = self._locked()
        while not self._is_in_place():
            # its last holder deleted it between our opening and locking it
            os.close(self._file)
            self._file = self._locked()
        os.ftruncate(self._file, 0)
        os.write(self._file, str(os.getpid()).encode("ascii"))

    def _locked(self) -> int:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, 0o666)
        try:
            _lock(file)
        except OSError as error:
            holder = os.read(file, 32).decode("ascii", "replace").strip()
            os.close(file)
            raise Taken(f"process {holder or '(unknown)'} holds {self.port}") from error
        return file

    def _is_in_place(self) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._file))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Lets go; may be repeated."""
        if self._file >= 0:
            with contextlib.suppress(OSError):
                self._path.unlink()
            os.close(self._file)
            self._file = -1


_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


def _directory() -> Path:
    directory = Path(tempfile.gettempdir()) / "hagane-ports"
    directory.mkdir(exist_ok=True)
    with contextlib.suppress(PermissionError):
        # every user of the machine shares the ports; the first one's directory serves them all
        directory.chmod(0o1777)
    return directory


def _lock(file: int) -> None:
    try:
        import fcntl
    except ImportError:
        # Windows opens serial ports exclusively by itself
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
