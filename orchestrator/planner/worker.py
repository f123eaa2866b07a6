"""The planner's process, from both sides.

A fit takes seconds of CPU and must never delay a stop or an interlock, so a planner with a model
lives in a process of its own: this module started with `-m`. It reads one JSON object per line
from its standard input and answers each with one line; whatever a library prints goes to its
standard error. It ends when its input does, and on Linux the kernel kills it when the engine dies
in the middle of a fit.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import importlib
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from orchestrator.errors import HaganeError, InputError, PlanningError, PoolExhausted
from orchestrator.model.trial import Proposal
from orchestrator.planner.bayesian import BayesianPlanner, history_after
from orchestrator.planner.initial import RandomPlanner, SobolPlanner
from orchestrator.ports.clock import Clock
from orchestrator.ports.planner import History, ModellingPlanner, Planner, PlanningTask

N_STARTS = 2
CLOSING_S = 2.0
LINE_LIMIT = 2**28
_PR_SET_PDEATHSIG = 1
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# planners that need no process at all, and the one whose first proposals do not
_LIGHT: Mapping[str, Callable[[PlanningTask], Planner]] = {
    "orchestrator.planner.initial:SobolPlanner": SobolPlanner,
    "orchestrator.planner.initial:RandomPlanner": RandomPlanner,
}
_BAYESIAN = "orchestrator.planner.bayesian:BayesianPlanner"


class PlannerProcess:
    """A planner behind a process boundary (`ports.planner.AskingPlanner`).

    `target` is the planner's class as "module:name". The process starts when a model is needed
    first, or at `start()`, so that its libraries load while the first trials run. `timeout_s` is
    wall time per request.

    Raises:
        InputError: an option of one of our planners, or the space, is wrong.
    """

    def __init__(
        self, task: PlanningTask, *, target: str, clock: Clock, timeout_s: float = 1800.0
    ) -> None:
        self._task = task
        self._target = target
        self._clock = clock
        self._timeout_s = timeout_s
        self._light = _LIGHT[target](task) if target in _LIGHT else None
        self._bayesian = BayesianPlanner(task) if target == _BAYESIAN else None
        self._process: asyncio.subprocess.Process | None = None
        self._complaints: deque[str] = deque(maxlen=40)
        self._listening: asyncio.Task[None] | None = None
        self._asking = asyncio.Lock()
        self._n_requests = 0

    @property
    def threads(self) -> int:
        """How many threads the planner's libraries may use; the engine journals it."""
        return max(1, int(self._task.planner.options.get("threads", 1)))

    @property
    def pid(self) -> int | None:
        """The process's id, while there is one."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Starts the process, unless the planner needs none; does not wait until it is warm.

        Raises:
            PlanningError: it cannot be started.
        """
        if self._light is not None:
            return
        async with self._asking:
            await self._ensure_started()

    async def propose(self, history: History, n: int) -> Sequence[Proposal]:
        """The next `n` points; those that need no model are given at once.

        Raises:
            PoolExhausted: all candidates of a pool are used.
            InputError: a point of the history does not belong to the space.
            PlanningError: no proposal can be made, or the process fails twice.
        """
        if self._light is not None:
            return self._light.propose(history, n)
        first = [] if self._bayesian is None else list(self._bayesian.opening(history, n))
        if len(first) == n:
            return first
        try:
            with self._clock.work():
                asked = {"history": history_after(history, first).model_dump(), "n": n - len(first)}
                rest = _proposals(await self._ask(asked))
        except PoolExhausted:
            if not first:
                raise
            rest = []
        return [*first, *rest]

    async def recommend(self, history: History) -> int | None:
        """The trial that the planner's model thinks best; None where there is no model.

        Raises:
            InputError: a point of the history does not belong to the space.
            PlanningError: an outcome cannot be used, or the process fails twice.
        """
        if self._light is not None:
            return None
        with self._clock.work():
            answer = await self._ask({"history": history.model_dump(), "recommend": True})
        trial: int | None = answer["trial"]
        return trial

    async def close(self) -> None:
        """Ends the process; never raises."""
        async with self._asking:
            await self._end(patient=True)

    async def _ask(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Asks the process; one that died is started again once, and gives the same answer."""
        async with self._asking:
            for _ in range(N_STARTS):
                await self._ensure_started()
                try:
                    async with asyncio.timeout(self._timeout_s):
                        answer = await self._exchange(asked)
                except TimeoutError:
                    await self._end(patient=False)
                    raise PlanningError(
                        f"the planner gave no answer within {self._timeout_s:g} s",
                        hint="fewer raw_samples or restarts under `planner: {options: ...}`",
                    ) from None
                except (OSError, EOFError):
                    await self._end(patient=False)
                    continue
                return _without_error(answer)
            raise PlanningError(
                f"the planner's process died {N_STARTS} times: {self._last_words()}",
                hint="not enough memory is the usual cause",
            )

    async def _exchange(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        self._n_requests += 1
        process.stdin.write(_line({"id": self._n_requests, **asked}))
        await process.stdin.drain()
        while True:
            answer = await process.stdout.readline()
            if not answer.endswith(b"\n"):
                raise EOFError
            found: dict[str, Any] = json.loads(answer)
            # an older number answers a request whose caller was cancelled
            if found["id"] == self._n_requests:
                return found

    async def _ensure_started(self) -> None:
        if self._process is not None and self._process.returncode is None:
            return
        await self._end(patient=False)
        environment = dict(os.environ)
        environment.update({name: str(self.threads) for name in _THREAD_VARIABLES})
        environment["PYTHONPATH"] = os.pathsep.join(p or str(os.getcwd()) for p in sys.path)  # noqa: PTH109
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "orchestrator.planner.worker", str(os.getpid())),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
                limit=LINE_LIMIT,
                start_new_session=True,
            )
        except OSError as error:
            raise PlanningError(f"the planner's process cannot be started: {error}") from error
        assert self._process.stdin is not None
        assert self._process.stderr is not None
        self._listening = asyncio.create_task(self._listen(self._process.stderr))
        self._process.stdin.write(_line({"target": self._target, "task": self._task.model_dump()}))

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        while text := await stream.readline():
            self._complaints.append(text.decode(errors="replace").rstrip())

    def _last_words(self) -> str:
        said = [line for line in self._complaints if line.strip()]
        return said[-1] if said else "it said nothing"

    async def _end(self, *, patient: bool) -> None:
        process, listening = self._process, self._listening
        self._process = self._listening = None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            if patient:
                async with asyncio.timeout(CLOSING_S):
                    await process.wait()
        if process.returncode is None:
            # not `process.kill`, which may reap the child before asyncio's watcher does
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        if listening is not None:
            await listening


def import_target(target: str) -> Callable[[PlanningTask], Planner]:
    """The class behind "module:name". Raises InputError."""
    module, _, name = target.partition(":")
    try:
        found: Callable[[PlanningTask], Planner] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"the planner '{target}' cannot be loaded: {error}") from error
    return found


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _proposals(answer: Mapping[str, Any]) -> list[Proposal]:
    return [Proposal.model_validate(p) for p in answer["proposals"]]


def _without_error(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer; raises the error that it carries."""
    error = answer.get("error")
    if error is None:
        return answer
    if error["kind"] == "exhausted":
        raise PoolExhausted(error["n_candidates"], error["why_no_more"])
    kind = InputError if error["kind"] == "input" else PlanningError
    raise kind(error["sentence"], hint=error["hint"])


def _as_message(error: Exception) -> dict[str, Any]:
    """An error as plain data; anything not of our tree is a fault of the planner itself."""
    if isinstance(error, PoolExhausted):
        more = {"n_candidates": error.n_candidates, "why_no_more": error.why_no_more}
        return {"kind": "exhausted", **more}
    if isinstance(error, HaganeError):
        kind = "input" if isinstance(error, InputError) else "planning"
        return {"kind": kind, "sentence": str(error), "hint": error.hint}
    sentence = f"the planner failed: {type(error).__name__}: {error}"
    return {"kind": "planning", "sentence": sentence, "hint": "please report this"}


def _die_with(parent: int) -> None:
    """Asks the kernel to kill this process with its parent (Linux; elsewhere the end of the input
    must do, which a fit notices late)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)


def _answers_on_private_output() -> IO[bytes]:
    """Standard output for the answers alone: what libraries print joins the standard error."""
    private = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(private, "wb")


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    opening = json.loads(requests.readline() or b"null")
    if opening is None:
        return
    planner: Planner | None = None
    trouble: Exception = PlanningError("the planner was not made")
    try:
        task = PlanningTask.model_validate(opening["task"])
        planner = import_target(opening["target"])(task)
        getattr(planner, "prepare", lambda: None)()
    except Exception as error:  # noqa: BLE001 (the other side must learn of anything)
        trouble = error
    for text in requests:
        request = json.loads(text)
        answer: dict[str, Any] = {"id": request["id"]}
        try:
            if planner is None:
                raise trouble
            answer |= _answered(planner, request)
        except Exception as error:  # noqa: BLE001 (as above; the process goes on)
            answer["error"] = _as_message(error)
        answers.write(_line(answer))
        answers.flush()


def _answered(planner: Planner, request: Mapping[str, Any]) -> dict[str, Any]:
    history = History.model_validate(request["history"])
    if request.get("recommend"):
        if isinstance(planner, ModellingPlanner):
            return {"trial": planner.recommend(history)}
        return {"trial": None}
    return {"proposals": [p.model_dump() for p in planner.propose(history, request["n"])]}


def main() -> None:
    """Serves requests until the input ends; the argument is the parent's process id."""
    _die_with(int(sys.argv[1]))
    with _answers_on_private_output() as answers:
        _serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
