"""Hagane: autonomous experiments in materials science.

What is named here is what other people's code may rely on; `docs/python.md` describes it. A name
is loaded when it is first used, so that `import orchestrator` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.errors import (
        DeviceError,
        ExecutionError,
        Exit,
        FileProblems,
        HaganeError,
        InputError,
        JournalError,
        NeedsPerson,
        PlanningError,
        SafetyStop,
    )
    from orchestrator.journal import open_store
    from orchestrator.reports.page import write_report
    from orchestrator.runtime.advisor import Advisor
    from orchestrator.runtime.ask_tell import propose
    from orchestrator.runtime.load import load
    from orchestrator.runtime.look import look
    from orchestrator.runtime.rehearse import rehearse
    from orchestrator.runtime.replay import replay
    from orchestrator.runtime.run import run_campaign

__all__ = [
    "Advisor",
    "DeviceError",
    "ExecutionError",
    "Exit",
    "FileProblems",
    "HaganeError",
    "InputError",
    "JournalError",
    "NeedsPerson",
    "PlanningError",
    "SafetyStop",
    "load",
    "look",
    "open_store",
    "propose",
    "rehearse",
    "replay",
    "run_campaign",
    "write_report",
]

_HOMES = {
    "Advisor": "orchestrator.runtime.advisor",
    "load": "orchestrator.runtime.load",
    "look": "orchestrator.runtime.look",
    "open_store": "orchestrator.journal",
    "propose": "orchestrator.runtime.ask_tell",
    "rehearse": "orchestrator.runtime.rehearse",
    "replay": "orchestrator.runtime.replay",
    "run_campaign": "orchestrator.runtime.run",
    "write_report": "orchestrator.reports.page",
}
"""Where a name lives; all others are errors."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'orchestrator' has no attribute '{name}'")
    found = getattr(importlib.import_module(_HOMES.get(name, "orchestrator.errors")), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
