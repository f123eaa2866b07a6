"""A process that has loaded what calculations need, and forks one child for each of them.

A learned potential takes seconds to import and a fraction of one to use. The keeper imports once;
each calculation still has a process, a session and a directory of its own, and dies with the
keeper, as the keeper dies with whoever started it. Linux only (pidfd); elsewhere each calculation
imports for itself.

Lines of JSON: in come `{"function": ..., "arguments": ...}`, once, to be called before all else,
and then `{"directory": ...}`; out come `{"ready": true}` or `{"fault": ...}`, then `{"directory":
..., "pid": ...}` and, in the end, `{"directory": ..., "code": ...}`.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import selectors
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from orchestrator.executor.child import answer_into, die_with
from orchestrator.executor.guard import Guard, end_session


def main(parent: int) -> None:
    """Serves the process `parent` until it closes the line."""
    die_with(parent)
    guard = Guard()
    line = os.fdopen(os.dup(0), "rb", buffering=0)
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print is no answer
    try:
        _call(json.loads(_next_line(line)))
    except Exception as error:  # noqa: BLE001 - whatever it was, the parent is told
        traceback.print_exc()
        _say(out, {"fault": f"{type(error).__name__}: {error}"})
        return
    gc.freeze()
    _say(out, {"ready": True})
    with selectors.DefaultSelector() as waiting:
        waiting.register(line, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fileobj is line:
                    text = _next_line(line)
                    if not text:
                        return
                    directory = json.loads(text)["directory"]
                    pid = _forked(Path(directory))
                    guard.watch(pid)
                    waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, (directory, pid))
                    _say(out, {"directory": directory, "pid": pid})
                else:
                    directory, pid = key.data
                    waiting.unregister(key.fileobj)
                    os.close(key.fd)
                    _, status = os.waitpid(pid, 0)
                    code = os.waitstatus_to_exitcode(status)
                    if code:  # what it had started may go on
                        end_session(pid)
                    guard.release(pid)
                    _say(out, {"directory": directory, "code": code})


def _next_line(line: Any) -> bytes:
    """Up to a line's end, byte by byte, so that nothing of the next one is taken."""
    found = b""
    while not found.endswith(b"\n"):
        byte = line.read(1)
        if not byte:
            return b""
        found += byte
    return found


def _call(before: dict[str, Any]) -> None:
    module, _, name = before["function"].partition(":")
    getattr(importlib.import_module(module), name)(**before["arguments"])


def _say(out: Any, what: dict[str, Any]) -> None:
    out.write(json.dumps(what).encode() + b"\n")


def _forked(directory: Path) -> int:
    """The child that makes the result of a directory."""
    keeper = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        die_with(keeper)
        output = os.open(directory / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for end, number in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(end, number)
        os.closerange(3, 4096)
        os.chdir(directory)
        answer_into(directory)
        sys.stdout.flush()
        code = 0
    except BaseException:  # noqa: BLE001 - it must not go on as a second keeper
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]))
