"""What devices, drivers and people say, made fit to be kept: it can be written, and has an end."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator

LONGEST = 4000
"""Characters of a sentence that is kept; a driver's whole message may be megabytes."""

_CONTROLS = {n: f"\\x{n:02x}" for n in (*range(32), *range(127, 160)) if chr(n) not in "\n\t"}


def writable(text: str) -> str:
    """The text with what no UTF-8 and no database can hold written out: `\\udcff`, `\\x00`."""
    if "\x00" in text:
        text = text.replace("\x00", "\\x00")
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def visible(text: str) -> str:
    """The text with what would move a terminal's cursor or change its colours written out."""
    return text if text.isprintable() else text.translate(_CONTROLS)


def all_writable(value: Any) -> Any:
    """A value of JSON with all its texts `writable`."""
    match value:
        case str():
            return writable(value)
        case dict():
            return {writable(key): all_writable(inner) for key, inner in value.items()}
        case list():
            return [all_writable(inner) for inner in value]
        case _:
            return value


def cut(text: str, longest: int = LONGEST) -> str:
    """Its beginning, where it is longer, and how long it was."""
    if len(text) <= longest:
        return text
    end = f"... ({len(text):,} characters in all)"
    return text[: longest - len(end)] + end


def _fit_to_keep(text: str) -> str:
    return cut(visible(writable(text)))


Said = Annotated[str, AfterValidator(_fit_to_keep)]
"""A sentence of an event into which others than the engine put words."""
