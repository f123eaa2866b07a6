"""Where things are kept when nobody says otherwise."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def data_directory() -> Path:
    """Per-user data directory (`HAGANE_DATA` overrides it)."""
    override = os.environ.get("HAGANE_DATA")
    if override:
        return Path(override)
    import platformdirs

    return Path(platformdirs.user_data_dir("hagane"))


def runtime_directory() -> Path:
    """Per-user directory for sockets and locks, short enough for a socket's path."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    path = Path(base) / f"hagane-{os.getuid()}"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def twin_identity() -> str:
    """What stands for the campaign's id in tickets on twins (`HAGANE_TWIN_IDENTITY`), or ''.

    The scatter of twins follows the tickets, so a night on twins can be played again with it. It
    has no effect on a lab without twins, where two campaigns must never share a ticket.
    """
    return os.environ.get("HAGANE_TWIN_IDENTITY", "")
