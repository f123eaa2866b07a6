"""Where things are kept when nobody says otherwise."""

from __future__ import annotations

import getpass
import os
import tempfile
from pathlib import Path

from orchestrator.errors import HaganeError, InputError


def data_directory() -> Path:
    """Per-user data directory (`HAGANE_DATA` overrides it)."""
    override = os.environ.get("HAGANE_DATA")
    if override:
        return Path(override)
    import platformdirs

    return Path(platformdirs.user_data_dir("hagane"))


def refuse_no_data_directory() -> None:
    """Accepts a data directory that is there, or can be made, and written to; nothing is made.

    Raises:
        InputError: calculations could not leave their results there.
    """
    root = data_directory().expanduser().absolute()
    there = next(path for path in (root, *root.parents) if os.path.lexists(path))
    if not there.is_dir():
        why = f"{there} is no folder"
    elif not os.access(there, os.W_OK | os.X_OK):
        why = f"{there} cannot be written to"
    else:
        return
    raise InputError(
        f"results cannot be kept in the data directory {root}: {why}",
        hint="set HAGANE_DATA to a folder of yours",
    )


def runtime_directory() -> Path:
    """Per-user directory for sockets and locks, short enough for a socket's path.

    Raises:
        HaganeError: it cannot be made.
    """
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    path = Path(base) / f"hagane-{os.getuid()}"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise HaganeError(
            f"the folder for sockets and locks, {path}, cannot be made: {reason}",
            hint="set XDG_RUNTIME_DIR to a folder of yours that can be written",
        ) from error
    return path


def user_name() -> str:
    """Who asks, for the journal: the login name, or the number of a user without one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not be in any list
        return f"user {os.getuid()}"


def twin_identity() -> str:
    """What stands for the campaign's id in tickets on twins (`HAGANE_TWIN_IDENTITY`), or ''.

    The scatter of twins follows the tickets, so a night on twins can be played again with it. It
    has no effect on a lab without twins, where two campaigns must never share a ticket.
    """
    return os.environ.get("HAGANE_TWIN_IDENTITY", "")
