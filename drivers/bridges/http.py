"""Any instrument or service with an HTTP interface (REST), declared in a file.

    lab file:  oven: {kind: http, declared: instruments/oven.yaml, port: "http://10.0.0.7:8080"}
    oven.yaml: actions, readings, units, limits, effects; see docs/bridges.md

One connection for each request, never a proxy, never a redirect, and no order is ever sent twice:
what was not answered in time may have been done. A refusal (400 to 499) was not done; a failure of
the server (500 to 599) is in doubt as silence is. A question that is answered by 429 or 503 with
`Retry-After` (RFC 9110, 10.2.3) is asked again then. Messages: `drivers.protocols.http`.
Tried on hardware: no.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import quote, urlsplit

from pydantic import Field

from drivers.bridges.declared import Values
from drivers.bridges.lines import DeclaredInstrument, of_pattern, part_of
from drivers.protocols import http
from drivers.protocols.framing import Dialogue, Garbled, Refused
from drivers.transports import Settings
from orchestrator.errors import DeviceRefused, InputError
from orchestrator.ports.action import Unit
from orchestrator.ports.declaration import (
    Mistake,
    ProbedDeclaration,
    Step,
    Value,
    ValueWords,
    Words,
    found,
)
from orchestrator.ports.resource import Bench, Identity
from orchestrator.ports.template import filled

_BUSY_S = 120.0
"""Campaign time in all for which a question waits for a server that says when it will answer."""
_VERBS = ("put", "post", "patch", "delete", "get")


class Question(Words):
    """A value of the reply to GET: `value` leads to it through JSON (`state.temperature`, `0.id`),
    else it is the text; `finds` a part of it by a regular expression. `missing` is the answer where
    nothing is found (404)."""

    as_written = frozenset({"finds"})

    get: Annotated[str, Field(pattern=r"^/")]
    value: str = ""
    finds: str = ""
    missing: Value | None = None

    @property
    def place(self) -> str:
        """Where it is asked."""
        return f"{self.value} of {self.get}" if self.value else self.get


class Order(Words):
    """One request that changes something: exactly one of `put`, `post`, `patch`, `delete`, `get`
    with its path, and what goes as JSON, or as a text. `headers` are beside those of the
    declaration."""

    get: str | None = None
    put: str | None = None
    post: str | None = None
    patch: str | None = None
    delete: str | None = None
    content: Any = Field(default=None, alias="json")
    text: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)

    @property
    def request(self) -> tuple[str, str]:
        """Method and path; ('', '') where not exactly one is given."""
        given = [(v.upper(), str(getattr(self, v))) for v in _VERBS if getattr(self, v) is not None]
        return given[0] if len(given) == 1 else ("", "")


class HttpDeclaration(ProbedDeclaration[Question, Order]):
    """A declared HTTP interface."""

    holds_states: ClassVar[bool] = True

    headers: dict[str, str] = Field(default_factory=dict)

    def mistakes(self) -> Iterator[Mistake]:
        """What is wrong although every key has its shape."""
        yield from super().mistakes()
        for order, path in found(self, Order):
            if not order.request[1].startswith("/"):
                hint = "such as 'put: /setpoint'"
                yield Mistake(path, f"one of {', '.join(_VERBS)} with its path is needed", hint)
            if order.text is not None and order.content is not None:
                yield Mistake(path, "both 'json' and 'text' are given", "only one can be sent")
            yield from _path_mistakes(path, order.request[1])
        for question, path in found(self, Question):
            yield from of_pattern(path, question.finds)
            yield from _path_mistakes(path, question.get)


class HttpInstrument(DeclaredInstrument[Question, Order]):
    """An instrument or a service with an HTTP interface, declared in a file.

    `token_file` holds what goes as `Authorization: Bearer ...`, so that no lab file holds it.
    """

    declaration = HttpDeclaration
    said: ClassVar[HttpDeclaration]

    def __init__(
        self,
        bench: Bench,
        port: str,
        token_file: str = "",
        timeout: Annotated[float, Unit("s", low=0.001)] = 5.0,
    ) -> None:
        parts = urlsplit(port)
        if not port.startswith("memory:") and (
            parts.scheme not in ("http", "https") or not parts.hostname
        ):
            raise InputError(f"'{port}' is no address", hint="give http://host:port")
        if parts.query or parts.fragment or "@" in parts.netloc:
            hint = "give http://host:port, and what else is sent as `headers` or as `token_file`"
            raise InputError(f"'{port}' is more than an address", hint=hint)
        super().__init__(bench, port, Settings(), timeout)
        self._come_again_s = 0.0
        self._host = parts.netloc or "memory"
        self._root = parts.path.rstrip("/") if parts.netloc else ""
        self._token_file = token_file
        self._token = ""

    async def open(self) -> None:
        """Connects. Raises DeviceAbsent, PortTaken, InputError: there is no token."""
        if self._token_file:
            try:
                self._token = Path(self._token_file).expanduser().read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                said = getattr(error, "strerror", None) or "it is no text in UTF-8"
                raise InputError(
                    f"{self.bench.name}: the token cannot be read: {said}",
                    hint=f"put it into {self._token_file}",
                ) from error
            if not (self._token.isascii() and self._token.isprintable() and self._token):
                raise InputError(
                    f"{self.bench.name}: {self._token_file} holds no token",
                    hint="one line of ASCII, and nothing else",
                )
        await super().open()

    def who(self) -> Dialogue[Identity]:
        """Whether it answers as declared; maker and model are taken from the declaration."""
        said = self.said
        answer = yield from self._question(said.identify.read, {})
        self._recognise(answer)
        serial = "" if said.serial is None else str((yield from self._question(said.serial, {})))
        return Identity(said.maker, said.model, serial)

    async def _ask(self, question: Question, values: Values) -> Any:
        return await self._when_free(super()._ask, question, values)

    async def _value(self, told: ValueWords[Question], values: Values) -> Any:
        return await self._when_free(super()._value, told, values)

    async def _when_free(self, ask: Callable[..., Awaitable[Any]], *what: Any) -> Any:
        """Asks once more as late as a server wishes that says for how long it is busy."""
        left_s = _BUSY_S
        while True:
            self._come_again_s = 0.0
            try:
                return await ask(*what)
            except DeviceRefused:
                left_s -= self._come_again_s
                if self._come_again_s <= 0 or left_s < 0:
                    raise
            await self.bench.clock.sleep(self._come_again_s)

    def _question(self, question: Question, values: Values) -> Dialogue[Any]:
        path = _quoted_in(question.get, values)
        reply = yield from http.ask(self._request("GET", path, {}, None))
        if reply.status == 404 and question.missing is not None:
            return question.missing
        self._come_again_s = reply.retry_after_s
        _check(reply, f"GET {path}", asks=True)
        way = str(filled(question.value, values))
        answer = _at(reply.content(is_json=bool(way)), way)
        return part_of(str(answer), question.finds) if question.finds else answer

    def _sent(self, order: Order, values: Values) -> Dialogue[None]:
        method, path = order.request
        path = _quoted_in(path, values)
        headers = {name: str(filled(text, values)) for name, text in order.headers.items()}
        content = filled(order.content, values)
        if order.text is not None:
            is_form = any("urlencoded" in text for text in headers.values())
            content = (_quoted_in if is_form else filled)(order.text, values)
            content = str(content).encode()
        reply = yield from http.ask(self._request(method, path, headers, content))
        _check(reply, f"{method} {path}")

    def _request(self, method: str, path: str, headers: Mapping[str, str], content: Any) -> bytes:
        all_headers = {**self.said.headers, **headers}
        if self._token:
            all_headers["Authorization"] = f"Bearer {self._token}"
        return http.request(method, self._host, self._root + path, all_headers, content)


def _path_mistakes(path: Step, text: str) -> Iterator[Mistake]:
    if " " in text or not (text.isascii() and text.isprintable()):
        written = quote(text, safe="/?&=#%{}:.,;+~@!$'()*[]")
        yield Mistake(path, f"'{text}' is no path of a request", f"write {written}")


def _quoted_in(text: str, values: Values) -> str:
    """A path or a form, in which no argument ends its own place."""
    return str(filled(text, {k: _quoted(v) for k, v in values.items()}))


def _quoted(value: Any) -> Any:
    return quote(value, safe="") if isinstance(value, str) else value


def _check(reply: http.Reply, what: str, *, asks: bool = False) -> None:
    """Accepts success. Raises Refused: it was not done; Garbled: it may have been."""
    said = f"{what} is answered with {reply.status} {reply.reason}"
    detail = " ".join(reply.body[:120].decode("utf-8", "replace").split())
    if 200 <= reply.status < 300:
        return
    sentence, hint = f"{said} ({detail})" if detail else said, ""
    if reply.status in (401, 403):
        hint = "look at the token, the file of which the lab file names as `token_file`"
    if 300 <= reply.status < 400:
        hint = f"it is at {reply.headers.get('location', 'another address')}"
    if reply.status < 500 or (asks and reply.retry_after_s):
        raise Refused(sentence, hint=hint)
    raise Garbled(sentence)


def _at(content: Any, path: str) -> Any:
    for step in path.split(".") if path else []:
        try:
            content = content[int(step)] if isinstance(content, list) else content[step]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise Garbled(f"the reply has no '{path}'") from error
    return content
