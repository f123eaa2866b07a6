"""BRML, the ZIP of Bruker diffractometers (DIFFRAC.MEASUREMENT).

Columns: each axis that varies as the file names it (`TwoTheta`, `Theta`, in degrees), and
`intensity`, in counts. `Experiment0/RawData0.xml` has one `Datum` a point, whose fields are told by
`DataViews` (their order differs between instruments); without these they are time, factor,
`TwoTheta`, `Theta`, intensity. Whether intensities are corrected for the absorber could not be read
up, so that a file with a factor other than 1 is refused.
Never tried on a file of a real instrument.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from drivers.formats.packed import Pack, children, numbers, text_at, xml_of
from drivers.formats.spelling import unit_of
from orchestrator.errors import InputError
from orchestrator.model.scan import Column, Scan

_RAW = re.compile(r"Experiment\d+/RawData\d+\.xml")
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_ABSORBER = "absorber"
_CLASSIC = {_ABSORBER: 1, "TwoTheta": 2, "Theta": 3, "intensity": 4}
_N_CLASSIC = 5


def parse(data: bytes) -> Scan:
    """The only scan of a file with a point detector.

    Raises:
        InputError: it is cut off or no BRML, it has no scan or several, a detector of lines, or an
            absorber.
    """
    pack = Pack(data)
    raw = [name for name in pack.names if _RAW.fullmatch(name)]
    if len(raw) != 1:
        raise InputError(f"it has {len(raw)} scans", hint="export one scan a file")
    root = xml_of(pack.member(raw[0]))
    route = _route(root)
    rows = [numbers(e.text, f"point {i}") for i, e in enumerate(children(route, "Datum"), 1)]
    if not rows:
        raise InputError("its scan has no points")
    short = next((n for n, row in enumerate(rows, 1) if len(row) != len(rows[0])), 0)
    if short:
        raise InputError(f"its point {short} has another number of fields than the first one")
    said = text_at(route, "ScanInformation", "MeasurementPoints")
    if said and said != str(len(rows)):
        raise InputError(f"it has {len(rows)} points of {said}", hint="the scan was not finished")
    fields = _fields(route, len(rows[0]))
    absorber = fields.pop(_ABSORBER, None)
    if absorber is not None and any(row[absorber] != 1.0 for row in rows):
        raise InputError("it was measured with an absorber", hint="export it as text, corrected")
    units = _units(route)
    columns = [
        Column(name, tuple(row[place] for row in rows), _unit(name, units))
        for name, place in fields.items()
    ]
    return Scan(tuple(columns), _facts(root, route))


def _route(root: Element) -> Element:
    routes = list(children(root, "DataRoutes", "DataRoute"))
    measured = [r for r in routes if r.get("RouteFlag") == "Measured"] or routes
    if len(measured) != 1:
        raise InputError(f"it has {len(measured)} measured data routes")
    return measured[0]


def _fields(route: Element, n: int) -> dict[str, int]:
    """Where in a datum each column stands."""
    views = list(children(route, "DataViews", "RawDataView"))
    if not views and n == _N_CLASSIC:
        return dict(_CLASSIC)
    places: dict[str, int] = {}
    for view in views:
        places.update(_places(view))
    if "intensity" not in places or max(places.values()) >= n:
        raise InputError("it does not say which field of a point is the intensity")
    return places


def _places(view: Element) -> Iterator[tuple[str, int]]:
    kind = view.get(_TYPE, "")
    start = _whole_number(view.get("Start", "0"))
    if view.get("LogicName") == "AbsorptionFactor":
        yield _ABSORBER, start
    if kind == "RecordedRawDataView":
        if view.get("Length", "1") != "1":
            raise InputError("its detector records lines", hint="export it as one scan")
        yield "intensity", start
    if kind == "VaryingRawDataView":
        for offset, field in enumerate(children(view, "Varying", "FieldDefinitions")):
            yield field.get("FieldName", f"field {start + offset}"), start + offset


def _whole_number(text: str) -> int:
    if not text.isdecimal():
        raise InputError(f"a field of its points is said to stand at '{text[:40]}'")
    return int(text)


def _units(route: Element) -> dict[str, str]:
    found = {}
    for axis in children(route, "ScanInformation", "ScanAxes", "ScanAxisInfo"):
        below = next(children(axis, "Unit"), None)
        unit = axis.get("Unit", "") if below is None else below.get("Base", "")
        found[axis.get("AxisName", axis.get("AxisId", ""))] = unit_of(unit)
    return found


def _unit(name: str, units: dict[str, str]) -> str:
    if name == "intensity":
        return "count"
    return units.get(name, "deg" if name in ("TwoTheta", "Theta", "Chi", "Phi") else "")


def _facts(root: Element, route: Element) -> dict[str, str]:
    information = next(children(route, "ScanInformation"), None)
    found = {
        "started": text_at(root, "TimeStampStarted"),
        "finished": text_at(root, "TimeStampFinished"),
        "scan": "" if information is None else information.get("ScanName", ""),
        "time per step": text_at(route, "ScanInformation", "TimePerStep"),
    }
    return {name: text for name, text in found.items() if text}
