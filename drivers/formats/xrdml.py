"""XRDML, the XML of PANalytical and Malvern Panalytical diffractometers.

Columns: each axis as the file names it (`2Theta`, `Omega`, in its unit), and `intensity`.
After the schema http://www.xrdml.com/XRDMeasurement (versions 1.0 to 2.3): positions are a list, a
start and an end, or one that is common to all points. `intensities` are those measured, multiplied
by the factors of the beam attenuator (so the schema of version 1.5); the `counts` of later versions
are not. Never tried on a file of a real instrument.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from drivers.formats.packed import children, local, numbers, text_at, xml_of
from drivers.formats.spelling import unit_of
from orchestrator.errors import InputError
from orchestrator.model.scan import Column, Scan

_DONE = ("Completed", "")


def parse(data: bytes) -> Scan:
    """The only scan of a file.

    Raises:
        InputError: it is cut off or no XRDML, it has no scan or several, or the scan was not
            completed.
    """
    root = xml_of(data)
    if local(root) != "xrdMeasurements":
        raise InputError(f"it is no XRDML: it begins with <{local(root)}>")
    scans = list(children(root, "xrdMeasurement", "scan"))
    if len(scans) != 1:
        raise InputError(f"it has {len(scans)} scans", hint="export one scan a file")
    (scan,) = scans
    status = scan.get("status", "")
    if status not in _DONE:
        raise InputError(f"its scan is '{status}', not 'Completed'")
    points = next(children(scan, "dataPoints"), None)
    if points is None:
        raise InputError("its scan has no data points")
    intensity = _intensity(points)
    n = len(intensity.values)
    axes = tuple(_axis(element, n) for element in children(points, "positions"))
    return Scan((*axes, intensity), _facts(root, scan, points))


def _intensity(points: Element) -> Column:
    for name in ("intensities", "counts"):
        found = next(children(points, name), None)
        if found is None:
            continue
        values = numbers(found.text, f"<{name}>")
        if name == "counts":
            values = _unattenuated(values, points)
        if not values:
            break
        return Column("intensity", values, unit_of(found.get("unit", "counts")))
    raise InputError("its scan has no intensities")


def _unattenuated(counts: tuple[float, ...], points: Element) -> tuple[float, ...]:
    factors = numbers(text_at(points, "beamAttenuationFactors"), "<beamAttenuationFactors>")
    common = numbers(text_at(points, "commonBeamAttenuationFactor"), "the attenuation factor")
    factors = factors or common[:1] * len(counts)
    if not factors:
        return counts
    if len(factors) != len(counts):
        raise InputError(f"it has {len(factors)} attenuation factors for {len(counts)} counts")
    return tuple(c * f for c, f in zip(counts, factors, strict=True))


def _axis(element: Element, n: int) -> Column:
    name, unit = element.get("axis", "axis"), unit_of(element.get("unit", ""))
    what = f"the axis {name}"
    listed = numbers(text_at(element, "listPositions"), what)
    common = numbers(text_at(element, "commonPosition"), what)
    ends = [numbers(text_at(element, f"{end}Position"), what) for end in ("start", "end")]
    if listed:
        values = listed
    elif common:
        values = common * n
    elif all(len(end) == 1 for end in ends):
        (first,), (last,) = ends
        values = tuple(first + (last - first) * i / max(n - 1, 1) for i in range(n))
    else:
        raise InputError(f"{what} has no positions")
    if len(values) != n:
        raise InputError(f"{what} has {len(values)} positions for {n} intensities")
    return Column(name, values, unit)


def _facts(root: Element, scan: Element, points: Element) -> dict[str, str]:
    found = {
        "sample": text_at(root, "sample", "id"),
        "started": text_at(scan, "header", "startTimeStamp"),
        "scan axis": scan.get("scanAxis", ""),
        "counting time": text_at(points, "commonCountingTime"),
        "wavelength": text_at(root, "xrdMeasurement", "usedWavelength", "kAlpha1"),
    }
    return {name: text for name, text in found.items() if text}
