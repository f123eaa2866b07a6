"""RASX, the ZIP of Rigaku diffractometers (SmartLab Studio).

Columns: the axis that was scanned as the file names it (`TwoThetaTheta`), and `intensity`, both in
the file's units. `Data0/Profile0.txt` has lines of position, intensity and attenuator factor after
a byte order mark; `Data0/MesurementConditions0.xml` (so spelt) says what was scanned. The public
descriptions at hand do not say whether intensities are corrected for the attenuator, so that a file
with a factor other than 1 is refused. Never tried on a file of a real instrument.
"""

from __future__ import annotations

import re

from drivers.formats.packed import Pack, numbers, text_at, xml_of
from drivers.formats.spelling import unit_of
from orchestrator.errors import InputError
from orchestrator.model.scan import Column, Scan

_PROFILE = re.compile(r"Data\d+/Profile\d+\.txt")
_FACTS = {
    "started": ("ScanInformation", "StartTime"),
    "scan mode": ("ScanInformation", "Mode"),
    "speed": ("ScanInformation", "Speed"),
    "target": ("HWConfigurations", "XrayGenerator", "TargetName"),
    "wavelength": ("HWConfigurations", "XrayGenerator", "WavelengthKalpha1"),
}


def parse(data: bytes) -> Scan:
    """The only profile of a file.

    Raises:
        InputError: it is cut off or no RASX, it has no profile or several, or an attenuator.
    """
    pack = Pack(data)
    profiles = [name for name in pack.names if _PROFILE.fullmatch(name)]
    if len(profiles) != 1:
        raise InputError(f"it has {len(profiles)} profiles", hint="export one scan a file")
    (profile,) = profiles
    text = pack.member(profile).decode("utf-8-sig", "replace")
    rows = [
        numbers(line, f"line {number} of {profile}")
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.startswith(("*", "#"))
    ]
    if not rows:
        raise InputError(f"its {profile} has no points")
    short = next((n for n, row in enumerate(rows, 1) if len(row) != len(rows[0])), 0)
    if short or len(rows[0]) not in (2, 3):
        raise InputError(f"point {short or 1} of {profile} is not a position and an intensity")
    if any(row[2] != 1.0 for row in rows if len(row) == 3):
        raise InputError("it was measured with an attenuator", hint="export it as text, corrected")
    conditions = profile.replace("Profile", "MesurementConditions").replace(".txt", ".xml")
    root = xml_of(pack.member(conditions))
    said = {name: text_at(root, *path) for name, path in _FACTS.items()}
    axis = text_at(root, "ScanInformation", "AxisName") or "position"
    x_unit = unit_of(text_at(root, "ScanInformation", "PositionUnit") or "deg")
    y_unit = unit_of(text_at(root, "ScanInformation", "IntensityUnit"))
    columns = (
        Column(axis, tuple(row[0] for row in rows), x_unit),
        Column("intensity", tuple(row[1] for row in rows), y_unit),
    )
    return Scan(columns, {name: text for name, text in said.items() if text})
