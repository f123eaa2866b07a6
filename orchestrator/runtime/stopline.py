"""The stop line: a local socket that reaches the engine past every queue and a full disk."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from orchestrator.errors import HaganeError
from orchestrator.settings import runtime_directory

STOPS_WITHIN_S = 60.0
LONGEST_SOCKET_PATH = 107
"""Bytes; Linux keeps 108 with the final zero (unix(7))."""


def stop_socket_path(campaign_id: str) -> Path:
    """Where the engine of a campaign listens.

    Raises:
        HaganeError: the path is longer than a socket's may be.
    """
    path = runtime_directory() / f"{campaign_id[-40:]}.stop"
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise HaganeError(
            f"the stop line cannot be made: {path} is too long for a socket",
            hint="set XDG_RUNTIME_DIR to a folder with a shorter path",
        )
    return path


class StopLine:
    """Listens while the engine runs: `async with StopLine(path, engine.stop): ...`."""

    def __init__(self, path: Path, stop: Callable[[str], Awaitable[bool]]) -> None:
        self._path = path
        self._stop = stop
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> StopLine:
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._answer, path=str(self._path))
        self._path.chmod(0o600)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                by = (await reader.readline()).decode(errors="replace").strip() or "somebody"
                is_safe = await self._stop(by)
                writer.write(b"safe\n" if is_safe else b"not all resources answered\n")
                await writer.drain()
        finally:
            writer.close()


def ask_to_stop(path: str, by: str, within_s: float = STOPS_WITHIN_S) -> str | None:
    """Asks a running engine to stop, and waits for its answer; None when nobody listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(within_s)
        try:
            line.connect(path)
        except OSError:
            return None
        try:
            line.sendall(by.encode() + b"\n")
            said = line.recv(200).decode().strip()
        except OSError:
            said = ""
    return said or "the engine was asked and does not answer: use the devices' own controls"
