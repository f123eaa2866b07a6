"""Twins of instruments with an HTTP interface: requests in, replies out.

    web_wire(answer)    answer(method, path, content) -> (status, content)

RFC 9112 (2022), sections 2, 3 and 6. A request's body has its `Content-Length`; what goes back is
JSON with its length, or nothing. As each request comes on a connection of its own, a reply that a
fault holds back is lost with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeAlias

from simulators.twins.wire import FramedWire, Manners

Answer: TypeAlias = Callable[[str, str, Any], tuple[int, Any]]
"""Method, path and what came as JSON (None: nothing); gives the status and what goes as JSON."""
_HEAD_END = b"\r\n\r\n"


def web_wire(answer: Answer, *, manners: Manners | None = None) -> FramedWire:
    """The port of an instrument with an HTTP interface."""

    def reply(frame: bytes) -> bytes:
        try:
            asked = request(frame)
        except ValueError:
            return response(400, {"error": "this is no request"})
        return response(*answer(*asked))

    return FramedWire(_split, reply, manners=manners, scheme="http")


def request(frame: bytes) -> tuple[str, str, Any]:
    """Method, path and content of a whole request. Raises ValueError."""
    head, _, body = frame.partition(_HEAD_END)
    method, path, _ = head.split(b"\r\n")[0].decode("latin-1").split(" ")
    return method, path, json.loads(body) if body else None


def response(status: int, content: Any = None) -> bytes:
    """A whole reply; None sends no content."""
    body = b"" if content is None else json.dumps(content).encode()
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
    head += "Content-Type: application/json\r\n" if body else ""
    head += "" if status == 204 else f"Content-Length: {len(body)}\r\n"
    return f"{head}\r\n".encode("latin-1") + body


def _split(data: bytes) -> tuple[bytes | None, bytes]:
    head, found, _ = data.partition(_HEAD_END)
    if not found:
        return None, data
    sizes = [
        line.partition(b":")[2]
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    end = (
        len(head) + len(_HEAD_END) + (int(sizes[0]) if sizes and sizes[0].strip().isdigit() else 0)
    )
    return (data[:end], data[end:]) if len(data) >= end else (None, data)
