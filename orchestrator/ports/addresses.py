"""One spelling for each port, however a lab file spells it."""

from __future__ import annotations

import os
import re

_COM = re.compile(r"(?:\\\\\.\\)?(com\d+)", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)
_NAMED = ("twin:", "memory:")
_REPLAY = "replay:"


def port_itself(port: str) -> str:
    """The port that a text means: two texts mean one port when this is the same of both.

    Of a device or a file it is the path behind symbolic links (`/dev/serial/by-id/...`, `./port`),
    of an address (`socket://host:port`, `visa:...`) the same in lower case and without a slash at
    its end, of `com3` or `\\\\.\\COM3` it is `COM3`. What names a twin is taken as it is.
    """
    if port.startswith(_NAMED):
        return port
    if port.startswith(_REPLAY):
        return _REPLAY + os.path.realpath(port.removeprefix(_REPLAY))
    if com := _COM.fullmatch(port):
        return com[1].upper()
    if is_address(port):
        return port.lower().rstrip("/")
    return os.path.realpath(port)


def is_address(port: str) -> bool:
    """Whether a text names a port by an address, and not by its device or a file."""
    return _ADDRESS.match(port) is not None


def is_port(text: str) -> bool:
    """Whether a text can mean nothing but a port, whichever option it is given for."""
    if text.startswith((*_NAMED, "visa:", "/dev/")) or "://" in text:
        return True
    return _COM.fullmatch(text) is not None
