"""Properties and commands of a SiLA 2 server, declared in a file.

    block: {kind: sila2, declared: block.yaml, address: "sila://10.0.0.4:50052", notebook: runs.txt}

A point is a property, `TemperatureController.CurrentTemperature`; a `call` is a command, with its
parameters by name. An observable command is waited for until it has ended; its execution, which the
server knows by a UUID of its own, is noted under the ticket (`as: "{ticket}"`) and can be asked
about: the point `@{ticket}` is running, finished, failed or unknown, `@{ticket}.Field` a field of
its response. With `notebook` the notes are in a file, so that an engine after this one can ask too;
one that died between the server's answer and the note leaves a doubt.

The client is sila2 (MIT; the extra `sila2`). Source: "SiLA 2 Part B, mapping specification", 1.1,
"Observable commands" and "Errors". Tried on hardware: no.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from drivers.bridges.notes import Notes
from drivers.bridges.objects import plain
from drivers.bridges.points import Client, DeclaredClient, PointDeclaration
from drivers.protocols.framing import Garbled, Refused
from drivers.transports import Absent, Lost
from orchestrator.errors import InputError, MissingExtra
from orchestrator.ports.action import Unit
from orchestrator.ports.resource import Bench

_POLL_S = 0.05


class SilaDeclaration(PointDeclaration):
    """A declared SiLA 2 server."""

    notes_executions: ClassVar[bool] = True


class SilaInstrument(DeclaredClient):
    """Properties and commands of a SiLA 2 server, declared in a file.

    `certificate` is the file of the server's root certificate; `insecure` does without encryption.
    """

    declaration = SilaDeclaration

    def __init__(
        self,
        bench: Bench,
        address: str,
        notebook: str = "",
        certificate: str = "",
        insecure: bool = False,
        timeout: Annotated[float, Unit("s", low=0.001)] = 5.0,
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme != "sila" or not parts.hostname or not parts.port:
            raise InputError(f"'{address}' is no address of SiLA 2", hint="write sila://host:port")
        super().__init__(bench, address, timeout)
        self._host, self._number = parts.hostname, parts.port
        self._notes = Notes(Path(notebook).expanduser() if notebook else None)
        self._certificate, self._insecure = certificate, insecure

    async def _connected(self) -> Client:
        sila2 = _sila2()
        told: dict[str, Any] = {"insecure": self._insecure}
        if self._certificate:
            try:
                told["root_certs"] = Path(self._certificate).expanduser().read_bytes()
            except OSError as error:
                raise InputError(f"the certificate cannot be read: {error.strerror}") from error
        try:
            async with asyncio.timeout(self._timeout_s):
                client = await asyncio.to_thread(
                    sila2.client.SilaClient, self._host, self._number, **told
                )
        except TimeoutError as error:
            raise Absent(f"{self._port} does not answer") from error
        except (RuntimeError, sila2.framework.SilaConnectionError) as error:
            raise Absent(f"{self._port} cannot be reached: {error}") from error
        return _Features(client, sila2.framework, self._notes)


class _Features:
    """A connected client: its calls block, so each runs in a thread."""

    is_connected = True

    def __init__(self, client: Any, framework: Any, notes: Notes) -> None:
        self._client, self._framework, self._notes = client, framework, notes

    async def read(self, point: str, limit_s: float) -> Any:
        """The value of a property, or how an execution stands. Raises Silent, Lost, Refused."""
        if point.startswith("@"):
            ticket, _, field = point[1:].partition(".")
            return await asyncio.to_thread(self._execution, ticket, field)
        member = self._member(point)
        return plain(await asyncio.to_thread(self._asked, member.get, point))

    async def write(self, point: str, value: Any, limit_s: float) -> None:
        """Properties of SiLA 2 cannot be set. Raises Refused."""
        raise Refused(f"'{point}' cannot be set: SiLA 2 sets by commands")

    async def call(
        self, name: str, arguments: Mapping[str, Any], limit_s: float, noted: str = ""
    ) -> Any:
        """Calls a command and waits for its end. Raises Silent, Lost, Garbled, Refused."""
        command = self._member(name)
        outcome = await asyncio.to_thread(self._called, command, name, arguments)
        if not hasattr(outcome, "execution_uuid"):
            return _fields(outcome)
        try:
            if noted:
                self._notes.add(noted, name, str(outcome.execution_uuid))
            return await self._ended(outcome, name)
        except OSError as error:
            raise Garbled(f"{name} runs, and could not be noted: {error}") from error
        finally:
            outcome.cancel_execution_info_subscription()

    async def close(self) -> None:
        """Closes the channel."""
        with contextlib.suppress(Exception):
            await asyncio.to_thread(self._client._channel.close)

    async def _ended(self, execution: Any, name: str) -> Any:
        while True:
            state, response = await asyncio.to_thread(self._state, execution, name)
            if state == "finished":
                return _fields(response)
            if state != "running":
                raise Garbled(f"{name} {state}: {response}")
            await asyncio.sleep(_POLL_S)

    def _execution(self, ticket: str, field: str) -> Any:
        noted = self._notes.find(ticket)
        if noted is None:
            return "unknown"
        name, execution = noted
        made = _Execution(self._member(name), uuid.UUID(execution))
        state, response = self._state(made, name)
        if not field:
            return state
        fields = _fields(response) if state == "finished" else {}
        if field not in fields:
            raise Refused(f"the execution of {ticket} is {state}, and has no '{field}'")
        return fields[field]

    def _state(self, execution: Any, name: str) -> tuple[str, Any]:
        """running, finished, failed or unknown; and the response, or what was wrong."""
        framework = self._framework
        try:
            return "finished", execution.get_responses()
        except framework.CommandExecutionNotFinished:
            return "running", None
        except framework.InvalidCommandExecutionUUID as error:
            return "unknown", error
        except framework.SilaConnectionError as error:
            raise Lost(f"{name}: {error}") from error
        except framework.SilaError as error:
            return "failed", error

    def _called(self, command: Any, name: str, arguments: Mapping[str, Any]) -> Any:
        framework = self._framework
        try:
            return command(**arguments)
        except (framework.ValidationError, framework.CommandExecutionNotAccepted) as error:
            raise Refused(f"{name} is refused: {error}") from error
        except framework.SilaConnectionError as error:
            raise Lost(f"{name}: {error}") from error
        except framework.SilaError as error:
            raise Garbled(f"{name} failed on the way: {error}") from error
        except (TypeError, ValueError) as error:
            raise Refused(f"{name} does not take {dict(arguments)}: {error}") from error

    def _asked(self, get: Any, point: str) -> Any:
        try:
            return get()
        except self._framework.SilaConnectionError as error:
            raise Lost(f"{point}: {error}") from error
        except self._framework.SilaError as error:
            raise Refused(f"{point}: {error}") from error

    def _member(self, dotted: str) -> Any:
        feature, _, member = dotted.partition(".")
        try:
            return getattr(getattr(self._client, feature), member)
        except AttributeError as error:
            raise Refused(f"the server has no '{dotted}'") from error


class _Execution:
    """An execution that was begun before, by its UUID, without a subscription."""

    def __init__(self, command: Any, execution: uuid.UUID) -> None:
        self._command, self._uuid = command, execution

    def get_responses(self) -> Any:
        """Its response. Raises what sila2 raises."""
        from sila2.client.client_observable_command_instance import ClientObservableCommandInstance

        made: Any = object.__new__(ClientObservableCommandInstance)
        made._client_command = self._command
        made._ClientObservableCommandInstance__execution_uuid = self._uuid
        return made.get_responses()


def _fields(response: Any) -> Mapping[str, Any]:
    if response is None:
        return {}
    return {name: plain(value) for name, value in response._asdict().items()}


def _sila2() -> Any:
    try:
        import sila2
        import sila2.client
        import sila2.framework
    except ImportError as error:
        raise MissingExtra("sila2", "pip install 'hagane[sila2]'") from error
    return sila2
