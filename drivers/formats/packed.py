"""XML and ZIP, read so that a file that is cut off, or made to harm, is said to be so."""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from xml.etree import ElementTree

from orchestrator.errors import InputError

MOST_BYTES = 500_000_000
"""Of a member, unpacked."""
_DOCTYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
# what zipfile raises over bytes of any kind
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError),
    *(RuntimeError, NotImplementedError, ValueError, OverflowError),
)
_AGAIN = "export it again, or wait until it is written"


def xml_of(data: bytes) -> ElementTree.Element:
    """The root of an XML document. Tags keep their namespaces; see `local`.

    Raises:
        InputError: it is cut off or no XML, or it declares entities, which no instrument does.
    """
    if _DOCTYPE.search(data.replace(b"\0", b"")):  # UTF-16 has a zero beside each letter
        raise InputError("it has a document type declaration, which could harm its reader")
    try:
        return ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        line, column = error.position
        raise InputError(
            f"its XML breaks off or is wrong at line {line}, column {column + 1}", hint=_AGAIN
        ) from error
    except (LookupError, ValueError) as error:  # an encoding that does not exist
        raise InputError(f"its XML is damaged: {error}", hint=_AGAIN) from error


def local(element: ElementTree.Element) -> str:
    """A tag without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: ElementTree.Element, *names: str) -> Iterator[ElementTree.Element]:
    """The elements below that are reached by these names, whatever their namespace."""
    first, *rest = names
    for child in element:
        if local(child) == first:
            if rest:
                yield from children(child, *rest)
            else:
                yield child


def text_at(element: ElementTree.Element, *names: str) -> str:
    """The text of the first element that is reached; '' where there is none."""
    found = next(children(element, *names), None)
    return "" if found is None else (found.text or "").strip()


def numbers(text: str | None, what: str) -> tuple[float, ...]:
    """Numbers that blanks or commas separate. Raises InputError: one is none, or not finite."""
    values = []
    for word in re.split(r"[\s,]+", (text or "").strip()):
        if not word:
            continue
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(f"{what} has '{word[:40]}' where a number is expected")
        values.append(value)
    return tuple(values)


class Pack:
    """A ZIP file in memory."""

    def __init__(self, data: bytes) -> None:
        """Raises InputError: it is cut off, or no ZIP file."""
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _DAMAGED as error:
            raise InputError("it is no ZIP file, or it is cut off", hint=_AGAIN) from error

    @property
    def names(self) -> list[str]:
        """The names of its members, in their order."""
        return self._zip.namelist()

    def member(self, name: str) -> bytes:
        """What is in a member.

        Raises:
            InputError: it is not there, damaged, or larger than any scan.
        """
        if name not in self.names:
            raise InputError(f"it holds no '{name}'")
        if self._zip.getinfo(name).file_size > MOST_BYTES:
            raise InputError(f"its '{name}' is larger than {MOST_BYTES:,} bytes")
        try:
            return self._zip.read(name)
        except _DAMAGED as error:
            raise InputError(f"its '{name}' is damaged: {error}", hint=_AGAIN) from error
