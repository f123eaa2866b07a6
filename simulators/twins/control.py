"""The client of a twin server's control port, and how to start such a server."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from simulators.twins.faults import How


class Control:
    """A connection to the control port `address` ("127.0.0.1:PORT" of ports.json), blocking.

    Each method raises ValueError when the server refuses, OSError when it does not answer.
    """

    def __init__(self, address: str, timeout_s: float = 10.0) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=timeout_s)
        self._lines = self._socket.makefile("r", encoding="utf-8")

    def __enter__(self) -> Control:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def ask(self, do: str, **facts: Any) -> dict[str, Any]:
        """Sends one order and gives its reply."""
        self._socket.sendall(json.dumps({"do": do, **facts}).encode() + b"\n")
        line = self._lines.readline()
        if not line:
            raise ConnectionError("the twin server closed the connection")
        reply: dict[str, Any] = json.loads(line)
        if not reply.pop("ok"):
            raise ValueError(reply["error"])
        return reply

    def counts(self) -> dict[str, int]:
        """How often each physical effect has happened."""
        counts: dict[str, int] = self.ask("counts")["counts"]
        return counts

    def state(self) -> dict[str, Any]:
        """The world's snapshot; `killed` lists what `kill` has ended."""
        state: dict[str, Any] = self.ask("state")["state"]
        return state

    def fail(
        self,
        wire: str,
        how: How,
        *,
        after: int = 0,
        times: int = 1,
        seconds: float = 0.0,
        seed: int = 0,
    ) -> None:
        """Lets a wire fail; see `faults.Fault`."""
        facts = {"after": after, "times": times, "seconds": seconds, "seed": seed}
        self.ask("fail", wire=wire, how=how, **facts)

    def plan(self, *faults: Mapping[str, Any]) -> None:
        """Plans faults by the number of the reply, or by chance; see `plans`."""
        self.ask("plan", faults=faults)

    def heal(self) -> None:
        """Ends all faults."""
        self.ask("heal")

    def kill(self, pid: int, effect: int, when: Literal["before", "after"]) -> None:
        """SIGKILL for `pid` just before or after the physical effect number `effect` (from 1, all
        effects since the server started)."""
        self.ask("kill", pid=pid, effect=effect, when=when)

    def speed(self, speed: float) -> None:
        """Campaign time runs so much faster than wall time from now on."""
        self.ask("speed", speed=speed)

    def hand(self, sample: int, to: str) -> None:
        """A person puts a sample somewhere."""
        self.ask("hand", sample=sample, to=to)

    def shutdown(self) -> None:
        """Ends the server."""
        self.ask("shutdown")

    def close(self) -> None:
        """Closes the connection."""
        self._lines.close()
        self._socket.close()


class Served:
    """A twin server started here: its `ports`, its `control`, and its end. For tests."""

    def __init__(
        self, directory: Path, *, seed: int, speed: float, world: str = "sputter-lab"
    ) -> None:
        words = ["--world", world, "--seed", str(seed), "--speed", str(speed)]
        command = [sys.executable, "-m", "simulators.twins.server", *words, "--dir", str(directory)]
        self._process = subprocess.Popen(command, start_new_session=True)
        self.facts = self._wait(directory / "ports.json")
        self.ports: dict[str, str] = self.facts["ports"]
        self.control = Control(self.facts["control"])

    def _wait(self, file: Path) -> dict[str, Any]:
        end = time.monotonic() + 60.0
        while not file.exists():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the twin server did not start; see {file.parent}/server.log")
            time.sleep(0.01)
        facts: dict[str, Any] = json.loads(file.read_text())
        return facts

    def __enter__(self) -> Served:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self.control.shutdown()
        self.control.close()
        self._process.wait(10)
