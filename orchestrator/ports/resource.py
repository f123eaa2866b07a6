"""A resource: an instrument, a composite of instruments, or a simulator that a step is sent to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from orchestrator.ports.action import ActionSpec, Ticket
from orchestrator.ports.clock import Clock
from orchestrator.ports.compute import Compute
from orchestrator.ports.declaration import Declaration
from orchestrator.ports.dispatch import Dispatch
from orchestrator.ports.reuse import Matches
from orchestrator.ports.scans import Archive
from orchestrator.ports.traffic import Figures, Record

PassesOn: TypeAlias = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Of a composite, by action and argument: `part.action.argument`, each of which gets the value as
it is."""


@dataclass(frozen=True)
class Identity:
    """Who answers: maker, model, serial number and firmware as the device says them."""

    maker: str
    model: str
    serial: str = ""
    firmware: str = ""


@dataclass(frozen=True)
class Health:
    """Whether a resource is fit for work, and what it says about itself."""

    is_fit: bool
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """What a device says about a ticket: `unknown` needs other evidence or a person; `resumable`
    is what goes on when the action is given once more with the same ticket, and only then.

    `results` are the action's results where the device still knows them.
    """

    outcome: Literal["done", "not_done", "running", "resumable", "unknown"]
    evidence: str
    results: Mapping[str, Any] = field(default_factory=dict)


class Wire(Protocol):
    """The far end of an in-memory connection: bytes in, bytes out (a twin, a fake)."""

    async def receive(self, data: bytes) -> bytes:
        """Takes what the client wrote, gives what the device writes back (perhaps nothing)."""
        ...


@runtime_checkable
class Folder(Protocol):
    """A wire that is a folder: the far end leaves files there. Whoever looks says so before, by
    `receive(b"")`, so that what is due has been written."""

    @property
    def folder(self) -> Path:
        """Where it is."""
        ...

    async def receive(self, data: bytes) -> bytes:
        """Lets happen what is due by now; takes and gives nothing."""
        ...


class Twins(Protocol):
    """A world of virtual instruments, found by entry point `hagane.twins`.

    The object behind the entry point is a class with this constructor and these members.
    """

    def __init__(self, *, seed: int, clock: Clock) -> None: ...

    @property
    def wires(self) -> Mapping[str, Wire]:
        """One wire per port, by the NAME of the lab file's `port: twin:NAME`."""
        ...

    @staticmethod
    def serve_command(directory: str, seed: int, speed: float, world: str) -> list[str]:
        """The command that serves this world in a process of its own.

        Once ready it writes `directory/ports.json`: {"pid": ..., "control": "127.0.0.1:PORT",
        "ports": {NAME: pyserial URL or device path}}. It outlives whoever started it. A world that
        can fail as planned obeys `directory/faults.json`, the lab file's `faults`.
        """
        ...


@runtime_checkable
class FailingTwins(Protocol):
    """A world of twins that can be told beforehand how its wires are to fail."""

    @property
    def hows(self) -> Mapping[str, Sequence[str]]:
        """By port, the faults that `failing` can plan there."""
        ...

    def failing(self, faults: Sequence[Mapping[str, Any]], clock: Clock) -> Mapping[str, Wire]:
        """Its wires in memory, failing as the lab file's `faults` say.

        Raises:
            InputError: it cannot fail so.
        """
        ...


@dataclass(frozen=True)
class Bench:
    """What a resource is given from outside, as the constructor argument `bench`.

    `name` is the resource's name in the lab file; `wires` are in-memory peers for ports of the
    form `memory:NAME`; `record` takes the traffic, or is None; `figures` are counted by whoever
    uses a wire; `matches` finds known results of one crystal in another cell; `archive` keeps raw
    files with the campaign, and is None where there is none (a trial by hand). Where the engine
    takes `one_turn` and goes, what there is to wait for is waited for between the turns: an action
    that can be taken up raises StillRunning.
    """

    name: str
    clock: Clock
    compute: Compute | None = None
    wires: Mapping[str, Wire] = field(default_factory=dict)
    record: Record | None = None
    matches: Matches | None = None
    figures: Figures = field(default_factory=Figures)
    archive: Archive | None = None
    one_turn: bool = False


@dataclass(frozen=True)
class Recognition:
    """By what a kind of instrument is recognised on a port of which nothing is known.

    A resource class states it as `recognised_by`. It is made with its defaults and `options`,
    opened and asked to identify, nothing else; the whole of the identity's maker and model must
    match these regular expressions. A kind whose identification may do anything to a device that
    is another one, or that anybody would answer, states none.
    """

    maker: str
    model: str = ".*"
    options: Mapping[str, Any] = field(default_factory=dict)

    def fits(self, identity: Identity) -> bool:
        """Whether it is one of this kind."""
        pairs = ((self.maker, identity.maker), (self.model, identity.model))
        return all(re.fullmatch(pattern, said) for pattern, said in pairs)


@dataclass(frozen=True)
class PortFound:
    """A port of this machine, as the system describes it; it has not been opened.

    `vendor` and `product` are USB ids, 0 where it is no USB port. `stable` is a name that stays
    when cables are changed; '' where the system has none. One that was asked for and is not there
    says so.
    """

    device: str
    stable: str = ""
    description: str = ""
    vendor: int = 0
    product: int = 0
    serial: str = ""
    is_there: bool = True


@runtime_checkable
class Resource(Protocol):
    """What every resource can do. Its actions are declared methods (`ports.action`).

    The constructor takes `bench: Bench` and, as keyword arguments with type hints, the options
    that the lab file may give; these are validated against the signature at load. A class may
    state `implements: ClassVar[tuple[str, ...]]`, the capabilities it fulfils, `concurrent:
    ClassVar[int]`, how many steps it takes at a time (1 unless stated), `computes:
    ClassVar[bool]`, that it only computes, as many steps at a time as the lab's site takes,
    `keeps_files: ClassVar[bool]`, that it needs `Bench.archive` and thus the engine's process,
    `waits_alone: ClassVar[bool]`, that what it waits for needs no engine meanwhile (`one_turn`),
    `recognised_by: ClassVar[Recognition]`, and a composite `parts: ClassVar[Mapping[str, str]]`
    (part name -> capability); the lab file binds parts to resources. With them it may state
    `passes_on: ClassVar[PassesOn]`, which arguments its parts are given as they are.
    """

    async def open(self) -> None:
        """Connects. Raises DeviceAbsent, PortTaken."""
        ...

    async def close(self) -> None:
        """Disconnects; never raises."""
        ...

    async def identify(self) -> Identity:
        """Asks who is there. Raises DeviceError."""
        ...

    async def health(self) -> Health:
        """Asks whether it is fit for work. Raises DeviceError."""
        ...

    async def make_safe(self) -> None:
        """Brings the device into its safe state, whatever it was doing. May be repeated."""
        ...


@runtime_checkable
class Queryable(Protocol):
    """A resource with queryable actions."""

    async def ask(self, ticket: Ticket) -> Verdict:
        """What the device knows of a ticket. Raises DeviceError."""
        ...


@runtime_checkable
class Recounting(Protocol):
    """A queryable resource that can give the results of an action once more, when it has said
    that it was done."""

    async def results_of(
        self, action: str, arguments: Mapping[str, Any], ticket: Ticket
    ) -> Mapping[str, Any]:
        """The action's results by name; nothing is done. Raises DeviceError."""
        ...


@dataclass(frozen=True)
class Inner:
    """An inner action of a composite's, as the journal knows it.

    `part` is the composite's name for it; the engine, which knows none, gives the resource's.
    `outcome` is done, failed, not_done, or open: it may have taken place.
    """

    part: str
    action: str
    arguments: Mapping[str, Any]
    outcome: str
    results: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Witness(Protocol):
    """A composite whose parts can tell what became of an action of its own, as a balance can that
    was read before."""

    async def judge(
        self,
        action: str,
        arguments: Mapping[str, Any],
        inner: Sequence[Inner],
        dispatch: Dispatch,
    ) -> Verdict:
        """What the parts say of an action in doubt; nothing but readings is dispatched.

        `inner` is what was dispatched for it, in order. Raises DeviceError, SafetyStop.
        """
        ...


@runtime_checkable
class Foresighted(Protocol):
    """A resource that can tell without being opened what it could not do."""

    def check(self, action: str, arguments: Mapping[str, Any]) -> None:
        """Accepts arguments that an action can be done with, as far as these tell; what is cheap to
        see, such as an element that a method does not know.

        Raises:
            InputError: it cannot be done with them.
        """
        ...


@runtime_checkable
class Surveying(Protocol):
    """A `Foresighted` resource that judges many candidates sooner when it has seen them all."""

    def survey(self, argument: str, values: Sequence[str]) -> None:
        """Is told the values of an argument before `check` is asked of each. It refuses none."""
        ...


@runtime_checkable
class Remarking(Protocol):
    """A resource that has something to say of the options it was given, when all arguments have
    been checked (`Foresighted`)."""

    def remarks(self) -> Sequence[str]:
        """Sentences on what is allowed, and perhaps not meant."""
        ...


@dataclass(frozen=True)
class OptionSpec:
    """One option that a resource's constructor takes from the lab file.

    With a `unit` the file must give a quantity (`200 sccm`); the constructor gets the number in
    this unit. `low` and `high` are in it too, inclusive. What `is_path` is relative to the lab
    file, and the constructor gets it from where the process stands.
    """

    name: str
    kind: Literal["real", "integer", "text", "boolean"]
    required: bool
    default: float | int | str | bool | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    is_path: bool = False


@dataclass(frozen=True)
class ResourceKind:
    """What can be known of a resource class without making one (entry point `hagane.resources`).

    A kind with a `declaration` has no actions before a file has declared them. `on_hardware` is
    what its declaration or its module says after `Tried on hardware:`, '' where nothing is said.
    """

    name: str
    cls: type
    actions: Mapping[str, ActionSpec]
    options: Mapping[str, OptionSpec]
    implements: tuple[str, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    passes_on: PassesOn = field(default_factory=dict)
    doc: str = ""
    on_hardware: str = ""
    declaration: type[Declaration[Any, Any]] | None = None
