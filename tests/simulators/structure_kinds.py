"""Calculators of structures that keep their results in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ase import Atoms

from orchestrator.clock import WallClock
from orchestrator.executor.known import KnownResults
from orchestrator.executor.local import LocalCompute
from orchestrator.plugins import resource_kind
from orchestrator.ports.action import Ticket
from orchestrator.ports.resource import Bench

_FCC_SITES = [(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]


@contextmanager
def calculator(folder: Path, kind: str, name: str = "a", **options: Any) -> Iterator[Any]:
    """A resource whose calculations lie in `folder/name`, and its results in `folder/results`."""
    clock = WallClock()
    compute = LocalCompute(folder / name, clock, results=KnownResults(folder / "results"))
    try:
        bench = Bench(name="calc", clock=clock, compute=compute)
        yield resource_kind(kind).cls(bench, **options)
    finally:
        compute.close()


async def asked(
    folder: Path,
    kind: str,
    action: str,
    text: str,
    *,
    ticket: str = "t1",
    options: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> Any:
    """What one action of a new resource gives."""
    with calculator(folder, kind, **(options or {})) as resource:
        return await getattr(resource, action)(structure=text, ticket=Ticket(ticket), **arguments)


def l1_2(corner: str, faces: str, edge: float = 3.8) -> Any:
    """The ordered crystal of one corner atom and three face atoms."""
    return Atoms(
        [corner, faces, faces, faces], scaled_positions=_FCC_SITES, cell=[edge] * 3, pbc=True
    )
