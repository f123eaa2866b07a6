"""How instruments spell units, in the words of this project."""

from __future__ import annotations

import re

_SPELT = {
    "°": "deg",
    "deg.": "deg",
    "degree": "deg",
    "degrees": "deg",
    "counts": "count",
    "cts": "count",
    "cps": "count/s",
    "counts/s": "count/s",
    "angstrom": "angstrom",
    "å": "angstrom",
    "sec": "s",
    "sec.": "s",
    "seconds": "s",
    "second": "s",
    "°c": "degC",
    "1/cm": "1/cm",
    "cm-1": "1/cm",
    "cm^-1": "1/cm",
    "nanometers": "nm",
    "µm": "um",
    "a.u.": "",
    "au": "",
    "abs": "",
    "arb. units": "",
    "-": "",
}
_HEADER = re.compile(r"(?P<name>.*?)\s*(?:\[(?P<a>[^\]]*)\]|\((?P<b>[^()]*)\)|\s/\s(?P<c>\S+))")


def unit_of(text: str) -> str:
    """A unit as we write it; '' for none, and for what only says that there is none (a.u.)."""
    text = text.strip()
    return _SPELT.get(text.lower(), text)


def name_and_unit(header: str) -> tuple[str, str]:
    """`Wavelength [nm]`, `Wavelength (nm)` and `Wavelength / nm`: name and unit."""
    header = header.strip().strip('"')
    match = _HEADER.fullmatch(header)
    if match is None or not match["name"]:
        return header, ""
    return match["name"].strip(), unit_of(match["a"] or match["b"] or match["c"] or "")
