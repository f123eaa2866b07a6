"""HTTP/1.1 requests and replies, one request a connection.

Source: RFC 9110 (2022), sections 9 and 15, and RFC 9112 (2022), sections 3, 6 and 7. The length of
a reply's body is told by `Transfer-Encoding: chunked` or by `Content-Length`; one that only the end
of the connection tells is refused, since half of it would look whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drivers.protocols.framing import Ask, Dialogue, Garbled

_HEAD_END = b"\r\n\r\n"
_WITHOUT_BODY = (204, 304)


@dataclass(frozen=True)
class Reply:
    """A whole reply; names of headers are in lower case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after_s(self) -> float:
        """So many seconds later a busy server wishes to be asked again; 0 where it says none."""
        told = self.headers.get("retry-after", "")
        return float(told) if self.status in (429, 503) and told.isdecimal() else 0.0

    def content(self, *, is_json: bool = False) -> Any:
        """The body: parsed where it is or says that it is JSON, else its text. Raises Garbled."""
        text = self.body.decode("utf-8", "replace")
        if not is_json and "json" not in self.headers.get("content-type", ""):
            return text.strip()
        try:
            return json.loads(text)
        except ValueError as error:
            raise Garbled(f"the reply {text[:60]!r} is not JSON") from error


def request(
    method: str, host: str, path: str, headers: Mapping[str, str], content: Any = None
) -> bytes:
    """A request; `content`, where there is any, goes as JSON, but bytes as they are."""
    kind = "application/json"
    if isinstance(content, bytes):
        kind, body = "text/plain; charset=utf-8", content
    else:
        body = b"" if content is None else json.dumps(content).encode()
    lines = {"Host": host, "Connection": "close", "Accept": "application/json", **headers}
    if content is not None and "content-type" not in map(str.lower, headers):
        lines["Content-Type"] = kind
    if content is not None or method in ("POST", "PUT", "PATCH"):
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


def length(data: bytes) -> int:
    """Length of the reply at the start of `data`, 0 while it cannot be told. Raises Garbled."""
    if not b"HTTP/1.".startswith(data[:7]) and not data.startswith(b"HTTP/1."):
        raise Garbled(f"{data[:40]!r} is no reply of HTTP")
    at = data.find(_HEAD_END)
    if at < 0:
        return 0
    start = at + len(_HEAD_END)
    status, _, headers = _head(data[:at])
    if status in _WITHOUT_BODY:
        return start
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _end_of_chunks(data, start)
    size = headers.get("content-length")
    if size is None:
        raise Garbled("the reply does not say how long it is")
    return start + _whole(size, 10)


def parse(data: bytes) -> Reply:
    """A whole reply from its bytes. Raises Garbled."""
    at = data.find(_HEAD_END)
    status, reason, headers = _head(data[:at])
    body = data[at + len(_HEAD_END) :]
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _joined(body)
    return Reply(status, reason, headers, body)


def ask(data: bytes) -> Dialogue[Reply]:
    """Sends a request and reads the reply that is final (100 to 199 only announce it)."""
    reply = parse((yield Ask(data, length)))
    while 100 <= reply.status < 200:
        reply = parse((yield Ask(b"", length)))
    return reply


def _head(data: bytes) -> tuple[int, str, dict[str, str]]:
    first, *lines = data.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[1].isdigit():
        raise Garbled(f"'{first}' is no status line of HTTP")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if 100 <= int(words[1]) < 200:
        headers.setdefault("content-length", "0")
    return int(words[1]), words[2] if len(words) > 2 else "", headers


def _end_of_chunks(data: bytes, start: int) -> int:
    while True:
        line_end = data.find(b"\r\n", start)
        if line_end < 0:
            return 0
        size = _whole(data[start:line_end].split(b";")[0].decode("latin-1"), 16)
        start = line_end + 2 + size + 2
        if start > len(data):
            return 0
        if size == 0:
            return start


def _joined(body: bytes) -> bytes:
    whole, start = b"", 0
    while True:
        line_end = body.find(b"\r\n", start)
        size = _whole(body[start:line_end].split(b";")[0].decode("latin-1"), 16)
        if size == 0:
            return whole
        whole += body[line_end + 2 : line_end + 2 + size]
        start = line_end + 2 + size + 2


def _whole(word: str, radix: int) -> int:
    try:
        return int(word.strip(), radix)
    except ValueError as error:
        raise Garbled(f"'{word}' is no length") from error
