"""The lab: which resource plays which role, with limits, interlocks, positions and safe order."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.model.site import Site


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


REACHED_BY = ("port", "folder", "address")
"""The options that say where a resource is: a device's port, a folder in which files are left, the
address of a server. Beside a port an address is a device's on a line that several share."""
REPLAY = "replay:"
"""A port behind which a record answers."""
VIRTUAL = ("twin:", "memory:", REPLAY)
"""How ports begin behind which there is no device."""


class ResourceBinding(_Frozen):
    """A resource of the lab: its kind (entry point `hagane.resources`), options, parts.

    `isolate`: its driver runs in a process of its own, with those that share its port.
    `declaration` is the content of the file that declares it, as JSON; '' where there is none.
    """

    name: str
    kind: str
    options: dict[str, float | int | str | bool] = Field(default_factory=dict)
    parts: dict[str, str] = Field(default_factory=dict)
    on_restart: Literal["make_safe", "leave"] = "make_safe"
    serial: str | None = None
    isolate: bool = False
    declaration: str = ""

    @property
    def places(self) -> tuple[str, ...]:
        """Where it is reached; () where it only computes, or is made of parts."""
        names = [name for name in REACHED_BY if name in self.options]
        names = [name for name in names if name != "address" or "port" not in names]
        return tuple(str(self.options[name]) for name in names)


class Limit(_Frozen):
    """A narrower limit on one argument of one resource's action, in the action's unit."""

    resource: str
    action: str
    argument: str
    low: float | None = None
    high: float | None = None


class Interlock(_Frozen):
    """`never RESOURCE.ACTION while RESOURCE.READING > 5 Pa`.

    `threshold` is in the reading's unit. A reading older than `max_age_s` (campaign time) counts
    as unsafe. While the guarded state lasts (from the action until `released_by`, another action
    of the same resource, or make_safe) the condition is watched too.
    """

    rule: str
    resource: str
    action: str
    sensor: str
    reading: str
    value: str
    sense: Literal[">", "<", ">=", "<="]
    threshold: float
    unit: str
    released_by: str | None = None
    max_age_s: float = 5.0


class Position(_Frozen):
    """A place for samples; `slots` is how many it holds."""

    name: str
    slots: int = Field(default=1, gt=0)
    stores_new: bool = False


class ClockChoice(_Frozen):
    """Wall time, or time that runs `speed` times faster (twins only)."""

    kind: Literal["wall", "scaled"] = "wall"
    speed: float = Field(default=1.0, gt=0)


class TwinFault(_Frozen):
    """How twins are to fail: at reply number `at` of a port, or at each with the chance `share`.

    Which words `how` has, is the world's affair. `times` replies, or for `seconds`.
    """

    wire: str = "*"
    how: tuple[str, ...]
    at: int | None = None
    share: float | None = None
    times: int = 1
    seconds: float = 0.0
    seed: int = 0


class TwinChoice(_Frozen):
    """A world of twins (entry point `hagane.twins`) behind ports of the form `twin:NAME`."""

    world: str
    seed: int = 0
    faults: tuple[TwinFault, ...] = ()

    def plan(self) -> list[dict[str, Any]]:
        """The faults as plain data, as a world takes them."""
        return [fault.model_dump(mode="json", exclude_none=True) for fault in self.faults]


class Lab(_Frozen):
    """A lab file, checked. `record` is the folder for what passes on its wires, '' for none."""

    name: str
    resources: tuple[ResourceBinding, ...]
    roles: dict[str, str]
    positions: tuple[Position, ...] = ()
    limits: tuple[Limit, ...] = ()
    interlocks: tuple[Interlock, ...] = ()
    make_safe_order: tuple[str, ...] = ()
    clock: ClockChoice = ClockChoice()
    twins: TwinChoice | None = None
    site: Site | None = None
    poll_s: float = Field(default=1.0, gt=0)
    record: str = ""
    source: str = ""
    text: str = ""
    file_hash: str = ""

    @property
    def safe_order(self) -> tuple[str, ...]:
        """The resources that are no composites, in the order in which they are made safe: first
        those that the file names, then the others."""
        simple = [b.name for b in self.resources if not b.parts]
        return tuple(dict.fromkeys([*self.make_safe_order, *simple]))

    @property
    def declarations(self) -> dict[str, str]:
        """Those of the resources that a file declares, as JSON."""
        return {r.name: r.declaration for r in self.resources if r.declaration}

    def resource(self, name: str) -> ResourceBinding:
        """The resource of that name. Raises KeyError."""
        for binding in self.resources:
            if binding.name == name:
                return binding
        raise KeyError(name)
