"""A driver's bug must take neither the engine nor the process of the driver down."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

from orchestrator.errors import DeviceError, HaganeError
from orchestrator.model.said import cut, writable

LONGEST = 500
"""Characters of what a driver says of a fault of its own that are told."""


@contextlib.contextmanager
def faults_of_the_driver(resource: str, action: str) -> Iterator[None]:
    """Whatever a driver raises, be it made to end a program (`sys.exit`, a panic in Rust), is an
    error of its device. Raises DeviceError in its place."""
    task = _running_task()
    try:
        yield
    except (HaganeError, asyncio.CancelledError):
        raise
    except BaseException as error:
        if isinstance(error, GeneratorExit) and _running_task() is not task:
            raise  # nobody waits for the driver any more
        raise fault_of(resource, action, error) from error


def fault_of(resource: str, action: str, error: BaseException) -> DeviceError:
    """The error of a device whose driver raised what it should not."""
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - a driver's own type may be as faulty as the rest of it
        said = "and cannot say why"
    said = cut(writable(said), LONGEST)
    raised = f"{action} raised {type(error).__name__}" + (f": {said}" if said else "")
    return DeviceError(resource, raised, hint="this is a fault of the driver")


def _running_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no loop runs any more
        return None
