"""A peer in a process of its own: started, ready when it says so in a line of JSON, ended by us."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PEERS = Path(__file__).parents[1] / "conformance" / "peers"
OF_PEERS = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"
OF_MADSCI = Path(__file__).parents[2] / ".venv-madsci" / "bin" / "python"


@contextlib.contextmanager
def peer(
    script: str,
    *words: str,
    python: Path | str = sys.executable,
    environment: Mapping[str, str] | None = None,
) -> Iterator[dict[str, Any]]:
    """What a peer's script says when it is ready; it ends when it may, and is killed if it must."""
    process = subprocess.Popen(
        [str(python), str(PEERS / script), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=None if environment is None else dict(environment),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("{"):
                yield json.loads(line)
                break
        else:
            raise AssertionError(f"{script} ended before it was ready")
    finally:
        process.stdin.close()
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
