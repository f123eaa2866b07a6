"""The loop: fold, decide, act, record. Nothing but the journal is stateful."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from orchestrator.engine import commands as do
from orchestrator.engine.advice import IN_DOUBT, LATCHED, latched, latching, unsafe_ones, way_on
from orchestrator.engine.advice import Ending as Ending
from orchestrator.engine.decide import decide
from orchestrator.engine.deeds import Deeds
from orchestrator.engine.ledger import Ledger
from orchestrator.engine.recovery import (
    calm,
    doubt_given_up,
    is_settled,
    left_at_restart,
    needed_until_the_end,
    recover,
)
from orchestrator.engine.requests import grant
from orchestrator.engine.study import Study
from orchestrator.errors import Exit, HaganeError, InterlockTripped, JournalError, LeaseLost
from orchestrator.model import events as ev
from orchestrator.ports.execution import Executor
from orchestrator.ports.planner import AskingPlanner
from orchestrator.ports.schedule import Schedule

INBOX_EVERY_S = 0.5
"""Wall time between looks into the inbox."""
LOOK_APART_S = 0.1
"""Wall time between two looks at least, where a step follows the other at once."""
GIVE_UP_WITHIN_S = 10.0
"""Wall time that an action has for its end once it was given up; then the lab is let go."""
HEARTBEAT_EVERY_S = 5.0
"""Wall time between renewals of the lease."""


class Engine:
    """Runs one study until it ends, waits for a person, or is stopped."""

    def __init__(
        self,
        study: Study,
        ledger: Ledger,
        planner: AskingPlanner,
        executor: Executor,
        schedule: Schedule,
        *,
        give_up_within_s: float = GIVE_UP_WITHIN_S,
        one_turn: bool = False,
    ) -> None:
        self._study = study
        self._ledger = ledger
        self._planner = planner
        self._executor = executor
        self._schedule = schedule
        self._one_turn = one_turn
        self._deeds = Deeds(study, ledger, planner, executor)
        self._active: dict[do.Command, asyncio.Task[None]] = {}
        self._on_the_way: set[do.StartStep] = set()
        self._failure: JournalError | None = None
        self._next_look = 0.0
        self._give_up_within_s = give_up_within_s
        self._given_up_at: float | None = None
        self._is_open = False
        self._stopping = ""
        self._emergency: asyncio.Task[bool] | None = None
        self._calming: asyncio.Task[bool] | None = None
        self._recovering: asyncio.Task[tuple[str, ...]] | None = None
        self._resumable: tuple[str, ...] = ()
        self._left: frozenset[str] = frozenset()
        self._may_be_on = False
        self._lost: tuple[ev.Event, ...] = ()
        self._why_lost = ""
        self._latches = False

    async def run(
        self,
        started: ev.EngineStarted,
        opened: ev.CampaignOpened,
        guarded: Sequence[ev.Event] = (),
    ) -> Ending:
        """Opens the lab, recovers what a predecessor left, and runs the loop. `guarded` is what a
        guardian did meanwhile.

        Whatever it raises, the lab was made safe before, as far as it answers.

        Raises:
            DeviceError: a resource is absent or is another one than expected.
            JournalError: the store failed.
        """
        state, record = self._ledger.state, self._ledger.record
        was_up = state.engine_is_up or not state.was_left_safe
        is_new, self._may_be_on = state.opened is None, was_up
        if is_new:
            await record(opened)
        await record(started, *guarded)
        await self._take_requests()
        latch = latched(state)
        if latch is not None and not was_up:
            await record(ev.EngineStopped(reason=latch.sentence, is_safe=True))
            return latch
        self._left = left_at_restart(self._study) if was_up else frozenset()
        self._is_open = True
        try:
            await self._executor.open()
            return await self._run(was_up=was_up)
        except BaseException as error:
            await self._give_up(error)
            raise
        finally:
            self._schedule.close()
            await self._planner.close()
            await self._executor.close()

    async def _run(self, *, was_up: bool) -> Ending:
        state = self._ledger.state
        if was_up or state.open_tickets or is_settled(state):
            left = "did not leave the lab in order" if was_up else "left actions under way"
            await self._recover(f"the engine before this one {left}")
        by_hand = not self._one_turn  # a turn of cron's is no word of a person
        if by_hand and state.paused is not None and state.paused.about in ("wish", "failure"):
            await self._ledger.record(ev.Resumed(by="run"))
        if unfit := await self._executor.unfit():
            paused = ev.Paused(why="; ".join(unfit), by="engine", about="failure")
            await self._ledger.record(paused)
        self._start_due([do.TakeUp(ticket) for ticket in self._resumable])
        speed = self._ledger.clock.speed
        if speed != float("inf"):
            self._schedule.every(HEARTBEAT_EVERY_S * speed, "heartbeat", self._heartbeat)
        ending = await self._loop()
        if self._emergency is not None:
            await self._emergency
        if self._failure is not None:  # a latch that could not be recorded
            raise self._failure
        if unsafe := await self._let_go(ending.sentence):
            is_done = ending.exit_code is Exit.FINISHED
            code = Exit.ENVIRONMENT if is_done else ending.exit_code
            hint = "; ".join(filter(None, ("see to it by hand", ending.hint)))
            ending = Ending(code, f"{ending.sentence}; {unsafe}", hint)
        return ending

    async def _recover(self, why: str) -> None:
        state, record = self._ledger.state, self._ledger.record
        work = recover(self._study, state, self._executor, record, why)
        self._recovering = asyncio.get_running_loop().create_task(work)
        try:
            self._resumable = await self._recovering
        except asyncio.CancelledError:
            if not self._stopping:
                raise

    async def _loop(self) -> Ending:
        while True:
            self._ledger.changed.clear()
            if self._lost and not self._is_emergency:
                self._start_emergency(self._why_lost)
            if self._may_look():
                await self._take_requests()
            commands = [] if self._stopping or self._is_emergency else self._commands()
            self._start_due(commands)
            if self._failure is not None:
                raise self._failure
            if self._is_giving_up and self._patience_s <= 0 and not self._stopping:
                await doubt_given_up(self._ledger.state, self._ledger.record)
            ending = self._ending(commands)
            if ending is not None:
                return ending
            await self._wait()

    def _start_due(self, commands: list[do.Command]) -> None:
        for command, task in self._active.items():
            if isinstance(command, do.TryLater) and command not in commands:
                task.cancel()  # who waits no longer does not keep a pause, or the end, waiting
        for command in commands:
            if command not in self._active and not self._must_wait(command):
                self._start(command)

    def _commands(self) -> list[do.Command]:
        now, exhausted = self._ledger.clock.now(), self._deeds.exhausted
        return decide(self._study, self._ledger.state, now, exhausted=exhausted)

    def _must_wait(self, command: do.Command) -> bool:
        """A step waits while another one is on its way into the journal, since until it is there
        `decide` does not know what it takes; and while one that was given up has not ended."""
        known = self._ledger.state.dispatches
        self._on_the_way = {
            c for c in self._on_the_way if c in self._active and self._ticket(c) not in known
        }
        must = bool(self._on_the_way) or self._is_giving_up
        return isinstance(command, do.StartStep) and must

    def _ticket(self, command: do.StartStep) -> str:
        return self._study.ticket(command.trial, command.step, command.attempt)

    def _ending(self, commands: list[do.Command]) -> Ending | None:
        state = self._ledger.state
        if self._active and self._patience_s > 0:
            return None
        if self._stopping:
            way_on = LATCHED if self._latches else "run it again to go on"
            return Ending(Exit.INTERRUPTED, self._stopping, way_on)
        if state.finished is not None:
            return Ending(Exit.FINISHED, state.finished.why)
        if state.paused is not None and (ending := self._held_up(state.paused)):
            return ending
        asks = next((c for c in commands if isinstance(c, do.AskPerson)), None)
        if asks is not None:
            return Ending(Exit.PERSON, asks.why, asks.way_on)
        if self._one_turn and not commands and state.open_tickets and not self._is_emergency:
            n = len(state.open_tickets)
            return Ending(Exit.GOES_ON, f"{n} step{'s' * (n > 1)} under way")
        if not commands and state.paused is None and not self._is_emergency:
            return Ending(Exit.PERSON, "nothing is left that the engine could do", IN_DOUBT)
        return None

    @property
    def _is_giving_up(self) -> bool:
        """Whether an action that was given up has not come to its end yet."""
        acts = (c for c in self._active if isinstance(c, do.StartStep | do.TakeUp))
        return self._given_up_at is not None and any(acts) and not self._is_emergency

    def _held_up(self, paused: ev.Paused) -> Ending | None:
        """How a pause ends the run; None where somebody may still let it go on."""
        is_over = self._one_turn and not self._ledger.state.open_tickets
        if not paused.needs_person and not is_over:
            return None
        code = Exit.SAFETY if paused.is_safety else Exit.PERSON
        return Ending(code, paused.why, way_on(paused, one_turn=self._one_turn))

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(INBOX_EVERY_S):
                await self._ledger.changed.wait()
        except TimeoutError:
            pass
        for _ in range(3):  # a deed ends just after what it recorded: one round for both
            await asyncio.sleep(0)

    def _start(self, command: do.Command) -> None:
        if isinstance(command, do.AskPerson):
            return
        if isinstance(command, do.Pause) and command.make_safe:
            self._interrupt(at_once=True, why=command.why)
        if isinstance(command, do.StartStep):
            self._left, self._may_be_on, self._given_up_at = frozenset(), True, None
            self._on_the_way.add(command)
        task = asyncio.get_running_loop().create_task(self._carry_out(command))
        self._active[command] = task
        task.add_done_callback(lambda done: self._ended(command, done))

    async def _carry_out(self, command: do.Command) -> None:
        # a stop may have come between the decision and this moment
        is_act = isinstance(command, do.StartStep | do.TakeUp)
        if not (is_act and (self._stopping or self._is_emergency)):
            await self._deeds.carry_out(command)

    def _ended(self, command: do.Command, task: asyncio.Task[None]) -> None:
        self._active.pop(command, None)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, JournalError):
            self._failure = self._failure or error
            self._interrupt(at_once=True)
        elif error is not None:
            self._failure = JournalError(f"the engine has a fault: {error!r}")
        self._ledger.changed.set()

    def _may_look(self) -> bool:
        """Whether the inbox is due; on a virtual clock always, since days may lie between looks."""
        now = asyncio.get_running_loop().time()
        if now < self._next_look and self._ledger.clock.speed != float("inf"):
            return False
        self._next_look = now + LOOK_APART_S
        return True

    async def _take_requests(self) -> None:
        journal, state = self._ledger.journal, self._ledger.state
        waiting = await journal.take_requests()
        for request in waiting:
            answer = "taken already by the engine before this one: see `hagane events`"
            if request.id not in state.requests_taken:
                events, answer = grant(self._study, state, self._executor, request, waiting)
                await self._ledger.record(*events)
            if request.kind == "stop" and self._is_open:
                answer = "safe" if await self.stop(request.by) else "not all resources answered"
            await journal.settle(request, answer)

    async def _heartbeat(self) -> None:
        try:
            await self._ledger.journal.renew()
        except JournalError as error:
            self._failure = self._failure or error
            self._interrupt(at_once=True)
            self._ledger.changed.set()

    def interrupt(self, why: str = "interrupted by Ctrl-C") -> None:
        """Ends the run: the first call lets a move come to its end, the second one does not.

        What that move does not need, as the lab's order has it, is made safe meanwhile.
        """
        again, self._stopping = bool(self._stopping), self._stopping or why
        self._interrupt(at_once=again, why=self._stopping)
        busy = needed_until_the_end(self._study, self._ledger.state, self._executor.actions)
        if busy and self._calming is None:
            calmed = calm(self._executor, self._stopping, busy)
            self._calming = asyncio.get_running_loop().create_task(calmed)
        self._ledger.changed.set()

    def _interrupt(self, *, at_once: bool, why: str = "") -> None:
        self._executor.interrupt(at_once=at_once, why=why)
        if at_once and self._given_up_at is None:
            self._given_up_at = asyncio.get_running_loop().time()
        # a fit takes its time, and would be made again just so; a question is asked again
        self._leave(do.Propose, do.Examine, do.TryLater)
        if self._stopping and self._recovering is not None:
            self._recovering.cancel()

    def _leave(self, *kinds: type[do.Command]) -> None:
        for command, task in self._active.items():
            if isinstance(command, kinds):
                task.cancel()

    @property
    def _patience_s(self) -> float:
        """How long actions under way are still waited for; a driver may hang for ever."""
        if self._given_up_at is None:
            return float("inf")
        passed_s = asyncio.get_running_loop().time() - self._given_up_at
        return max(0.0, self._give_up_within_s - passed_s)

    def trip(self, tripped: InterlockTripped) -> None:
        """An interlock's condition came true while its guarded state lasts."""
        self._latches = True
        fired = ev.InterlockFired(rule=tripped.rule, reading=tripped.reading)
        self._start_emergency(str(tripped), fired, latching(str(tripped), "interlock", True))

    def lose(self, why: str, *events: ev.Event) -> None:
        """Devices are without a driver, or were: the lab is made safe. What was under way fails,
        and what follows from that is as for any other fault of a device."""
        self._lost, self._why_lost = (*self._lost, *events), why
        self._ledger.changed.set()

    async def stop(self, by: str) -> bool:
        """Everything safe at once, past every queue; latched. True when every resource answered."""
        why = f"stopped by {by}"
        self._latches, self._stopping = True, self._stopping or why
        return await self._start_emergency(why, latching(why, by, False))

    @property
    def _is_emergency(self) -> bool:
        return self._emergency is not None and not self._emergency.done()

    def _start_emergency(self, why: str, *events: ev.Event) -> asyncio.Task[bool]:
        if self._emergency is None or self._emergency.done():
            work = self._make_safe_now(why, events)
            self._emergency = asyncio.get_running_loop().create_task(work)
        return self._emergency

    async def _make_safe_now(self, why: str, events: Sequence[ev.Event]) -> bool:
        self._interrupt(at_once=True, why=why)
        is_safe = await self._executor.make_safe(why)
        # a driver that is lost again while it is made safe is no new emergency
        lost, self._lost = self._lost, ()
        try:
            await self._ledger.record(*lost, *events)
        except JournalError as error:
            self._failure = self._failure or error
        self._ledger.changed.set()
        return is_safe

    async def _give_up(self, error: BaseException) -> None:
        """Lets go because of an error, which is told what could not be made safe."""
        self._interrupt(at_once=True)
        if isinstance(error, LeaseLost) and error.holder:
            return  # the lab belongs to whoever took it
        unsafe = await self._let_go(str(error) or type(error).__name__)
        if unsafe and self._may_be_on and isinstance(error, HaganeError):
            error.hint = "; ".join(filter(None, (error.hint, unsafe)))

    async def _let_go(self, reason: str) -> str:
        """The last thing an engine does: the lab safe, and the journal told of it.

        Gives what could not be made safe, in words; '' when all is safe.
        """
        while self._active and self._patience_s > 0:
            patience_s = None if self._given_up_at is None else self._patience_s
            await asyncio.wait(self._active.values(), timeout=patience_s)
            await asyncio.sleep(0)
        if self._calming is not None:
            await self._calming
        is_safe = await self._executor.make_safe(reason, skip=self._left)
        try:
            await self._ledger.record(*self._lost, ev.EngineStopped(reason=reason, is_safe=is_safe))
        except JournalError as error:
            self._failure = self._failure or error
        if self._emergency is not None:  # a stop that came at the very end
            await self._emergency
        return "" if is_safe else unsafe_ones(self._ledger.state)
