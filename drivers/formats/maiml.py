"""MaiML, the XML of JIS K 0200:2024 (Measurement Analysis Instrument Markup Language).

Columns: the lists of numbers below the only `result` that has any (`content` of the types
`content...ListType`), named by their `key` without its prefix, in their `units`. Facts are the
properties of one value below the same result. Values in files beside (`insertion`) are not read,
and a `scaleFactor` other than 1 is refused: what it is multiplied with could not be read up.
Never tried on a file of a real instrument.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from drivers.formats.packed import Pack, children, local, numbers, text_at, xml_of
from drivers.formats.spelling import unit_of
from orchestrator.errors import InputError
from orchestrator.model.scan import Column, Scan

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NUMBERS = re.compile(
    r"content(?:Decimal|Double|Float|Int|Long|Short|Byte|Unsigned(?:Int|Long|Short|Byte))ListType"
)
_ZIP = b"PK\x03\x04"


def parse(data: bytes) -> Scan:
    """The numbers of the only result with lists of them; also of a `.maiml` packed as ZIP.

    Raises:
        InputError: it is cut off or no MaiML, or no result has lists of numbers, or several have.
    """
    if data.startswith(_ZIP):
        data = _unpacked(Pack(data))
    root = xml_of(data)
    if local(root) != "maiml":
        raise InputError(f"it is no MaiML: it begins with <{local(root)}>")
    results = [
        (result, found)
        for result in children(root, "data", "results", "result")
        if (found := _lists(result))
    ]
    if len(results) != 1:
        raise InputError(
            f"it has {len(results)} results with lists of numbers",
            hint="one result a file, with its values in it and not in a file beside",
        )
    result, lists = results[0]
    columns = tuple(map(_column, lists))
    wrong = next((c for c in columns if len(c.values) != len(columns[0].values)), None)
    if wrong is not None:
        n, first = len(wrong.values), columns[0]
        raise InputError(f"'{wrong.name}' has {n} values, '{first.name}' {len(first.values)}")
    return Scan(columns, _facts(result))


def _unpacked(pack: Pack) -> bytes:
    inside = [name for name in pack.names if name.endswith(".maiml")]
    if len(inside) != 1:
        raise InputError(f"its ZIP holds {len(inside)} MaiML documents")
    return pack.member(inside[0])


def _lists(result: Element) -> list[Element]:
    """Lists of numbers at any depth."""
    return [
        e
        for e in result.iter()
        if local(e) == "content"
        and _NUMBERS.fullmatch(e.get(_TYPE, "").rpartition(":")[2])
        and next(children(e, "value"), None) is not None
    ]


def _column(content: Element) -> Column:
    name = _key(content)
    if numbers(content.get("scaleFactor", "1"), f"the scale factor of '{name}'") != (1.0,):
        raise InputError(f"'{name}' has a scale factor", hint="write its values unscaled")
    values = tuple(
        number
        for value in children(content, "value")
        for number in numbers(value.text, f"'{name}'")
    )
    return Column(name, values, unit_of(content.get("units", "")))


def _facts(result: Element) -> dict[str, str]:
    found = {}
    for element in result.iter():
        text = text_at(element, "value")
        if local(element) == "property" and text:
            units = element.get("units", "")
            found[_key(element)] = f"{text} {units}".strip()
    return found


def _key(element: Element) -> str:
    return element.get("key", "").rpartition(":")[2]
