"""A runtime directory of one's own, whose twins end with it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def private_runtime() -> Iterator[Path]:
    """A short path (a socket's has 108 bytes at most) for `XDG_RUNTIME_DIR`."""
    with tempfile.TemporaryDirectory(prefix="hgn-") as name:
        try:
            yield Path(name)
        finally:
            for ports in Path(name).glob("hagane-*/twins/*/ports.json"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(json.loads(ports.read_text())["pid"], signal.SIGTERM)
