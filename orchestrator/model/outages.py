"""Devices that could not be reached, and steps that failed and are to be repeated."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.errors import DeviceAbsent, DeviceGone, DeviceSilent, Stopped
from orchestrator.model.events import ActionDispatched, ActionFailed

_OUT_OF_REACH = {kind.__name__ for kind in (DeviceAbsent, DeviceGone, DeviceSilent)}


def is_away(failure: ActionFailed) -> bool:
    """Whether the device could not be reached."""
    return failure.error in _OUT_OF_REACH


@dataclass
class Outages:
    """What the failures so far say of the devices, by resource, and of the trials.

    `lost` has the number of the newest event after which a device may no longer be as it was set:
    it could not be reached, or was made safe; `since` the campaign time from which on nothing was
    heard of it. `failed` has the step of a trial that failed, until it is done or the trial has
    ended; the trial that failed first comes first. `set_by` has the trial that set a device, until
    the next step is sent to it. `driver_ended` is the number of the newest event of that kind since
    a person last let the campaign go on.
    """

    lost: dict[str, int] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    set_by: dict[str, int] = field(default_factory=dict)
    driver_ended: int = 0

    def begin_anew(self) -> None:
        """An engine has started, or a person lets the campaign go on."""
        self.since.clear()
        self.driver_ended = 0

    def note_order(self, order: ActionDispatched) -> None:
        """An action was sent, or is about to be."""
        self.set_by.pop(order.resource, None)

    def note_failure(
        self, order: ActionDispatched, event: ActionFailed, seq: int, at: float
    ) -> None:
        """An action failed, as event number `seq` and a campaign time say."""
        if is_away(event):
            self.lost[order.resource] = seq
            self.since.setdefault(order.resource, at)
        # what was merely given up says nothing of its device
        if order.parent is None and order.trial is not None and event.error != Stopped.__name__:
            self.failed.setdefault(order.trial, order.step)

    def note_answer(self, order: ActionDispatched, *, is_done: bool) -> None:
        """A device did what it was told, or says that it did not."""
        self.since.pop(order.resource, None)
        if not is_done or order.trial is None or order.parent is not None:
            return
        if self.failed.get(order.trial) == order.step:
            del self.failed[order.trial]
        if order.effect == "idempotent" and not order.target:
            self.set_by[order.resource] = order.trial
