"""What all calculators have in common: they need no device, do no harm, and compute in child
processes whose results outlive whoever asked."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from typing import Any, ClassVar

from orchestrator.errors import DeviceAbsent, InputError
from orchestrator.ports.action import Ticket
from orchestrator.ports.compute import Compute
from orchestrator.ports.resource import Bench, Health, Identity, Verdict


class Calculator:
    """Runs functions in child processes.

    Attributes:
        packages: the distributions that it needs, the one that computes first.
        extras: those of hagane that bring them.
        vendor, method: whose it is (else the first package) and what it does, for `identify`.
        concurrent: so many calculations at a time, where the lab file has no site.
        computes: what it does is computed at the lab's site, and no device is touched.
    """

    packages: ClassVar[tuple[str, ...]] = ()
    extras: ClassVar[str] = "materials,molecules"
    vendor: ClassVar[str] = ""
    method: ClassVar[str] = ""
    concurrent: ClassVar[int] = 2
    computes: ClassVar[bool] = True

    def __init__(self, bench: Bench) -> None:
        """Nothing is opened.

        Raises:
            InputError: a package is not installed.
        """
        self._bench = bench
        for package in self.packages:
            try:
                importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError as error:
                raise InputError(
                    f"'{bench.name}' needs {package}, which is not installed",
                    hint=f"pip install 'hagane[{self.extras}]'",
                ) from error

    async def open(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to disconnect."""

    async def identify(self) -> Identity:
        """The package that computes, and its version."""
        package = self.packages[0]
        version = importlib.metadata.version(package)
        return Identity(self.vendor or package, self.method, firmware=version)

    async def health(self) -> Health:
        """Fit when there is somewhere to compute."""
        is_fit = self._bench.compute is not None
        return Health(is_fit, "" if is_fit else "no compute")

    async def make_safe(self) -> None:
        """A calculation does no harm."""

    async def ask(self, ticket: Ticket) -> Verdict:
        """A calculation that left its result is done; one that did not died with its asker, unless
        it goes on without one."""
        compute = self._compute()
        if compute.goes_on:
            return Verdict("resumable", "it goes on where nobody waits for it")
        if await compute.is_running(ticket):
            return Verdict("running", "its worker gives signs of life")
        known = await compute.known(ticket)
        if known is None:
            return Verdict("not_done", "it left no result")
        return Verdict("done", "it left its result", dict(known))

    async def _run(
        self, function: str, arguments: Mapping[str, Any], ticket: Ticket
    ) -> Mapping[str, Any]:
        return await self._compute().submit(function, arguments, ticket=ticket)

    def _compute(self) -> Compute:
        if self._bench.compute is None:
            raise DeviceAbsent(self._bench.name, "there is nowhere to compute")
        return self._bench.compute
