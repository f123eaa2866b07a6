"""Pseudopotentials: which file stands for an element, and what its header says of it.

Files are in the Unified Pseudopotential Format, version 1 or 2
[https://pseudopotentials.quantum-espresso.org/home/unified-pseudopotential-format].
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import InputError

SHIPPED = Path("/usr/share/espresso/pseudo")
"""Where Debian's quantum-espresso-data lays its sample of pseudopotentials."""
SHIPPED_PBE = {
    **{"B": "B.pbe-n-kjpaw_psl.1.0.0.UPF", "C": "C.pbe-n-kjpaw_psl.0.1.UPF"},
    **{"N": "N.pbe-n-kjpaw_psl.1.0.0.UPF", "Si": "Si.pbe-nl-rrkjus_psl.1.0.0.UPF"},
    **{"Cr": "Cr.pbe-spn-kjpaw_psl.1.0.0.UPF", "Fe": "Fe.pbe-spn-rrkjus_psl.0.2.1.UPF"},
    **{"Ni": "Ni.pbe-spn-kjpaw_psl.1.0.0.UPF", "I": "I.pbe-n-kjpaw_psl.1.0.0.UPF"},
    **{"H": "H.pbe-kjpaw.UPF", "O": "O.pbe-kjpaw.UPF", "Cu": "Cu.pbe-kjpaw.UPF"},
    **{"Ge": "Ge.pbe-kjpaw.UPF", "Rh": "Rh.pbe-rrkjus_lb.UPF"},
}
"""Those of the sample that are one choice: PBE, scalar-relativistic, ultrasoft or PAW."""
FUNCTIONALS: Mapping[str, tuple[str, ...]] = {
    "PBE": ("PBE", "SLA PW PBX PBC", "SLA PW PBE PBE"),
    "PBEsol": ("PBESOL", "SLA PW PSX PSC"),
    "LDA": ("PZ", "LDA", "SLA PZ NOGX NOGC", "SLA PW NOGX NOGC"),
    "BLYP": ("BLYP", "SLA LYP B88 BLYP", "B88 BLYP"),
}
"""What headers call a functional; LDA is Perdew's and Zunger's, or Perdew's and Wang's."""
_HEADER_BYTES, _END_BYTES = 262_144, 4_096


@dataclass(frozen=True)
class Pseudopotential:
    """A file and its header. `kind` is NC, US or PAW; `valence` counts the electrons."""

    path: Path
    element: str
    functional: str
    kind: str
    valence: float
    is_full_relativistic: bool

    @property
    def digest(self) -> str:
        """A hash of the contents."""
        return _digest(self.path, self.path.stat().st_mtime_ns)


def chosen(resource: str, folder: str, files: Mapping[str, str], xc: str) -> dict[str, Path]:
    """The file of each element: what `files` says, or else what the folder holds.

    A folder that is none of ours is read by names: `Si.pbe-n-rrkjus.UPF` and `si_pbe_v1.uspp.UPF`
    are of silicon. Two files of an element are none, as long as `files` names neither.

    Raises:
        InputError: there is no such folder or file, or nothing was chosen.
    """
    place = Path(folder).expanduser() if folder else SHIPPED
    if not place.is_dir():
        if folder:
            raise InputError(f"there is no folder {place}", hint="see `pseudo_dir`")
        raise InputError(
            f"'{resource}' has no pseudopotentials",
            hint="apt-get install quantum-espresso-data, or name a folder as `pseudo_dir`",
        )
    found = dict(_named(place)) if folder else _shipped(place, xc)
    for element, name in files.items():
        if not (place / name).is_file():
            raise InputError(
                f"there is no pseudopotential {place / name} for {element}",
                hint="see `pseudopotentials` and `pseudo_dir`",
            )
        found[element] = place / name
    return found


def checked(paths: Mapping[str, Path], xc: str) -> dict[str, Pseudopotential]:
    """The headers, which must agree with what is asked.

    Raises:
        InputError: a file is none, or of another element or functional.
    """
    found = {}
    for element, path in paths.items():
        one = read(path)
        if one.element != element:
            raise InputError(f"{path} is a pseudopotential of {one.element}, not of {element}")
        if one.functional not in FUNCTIONALS[xc]:
            raise InputError(
                f"{path.name} was made for '{one.functional}', not for {xc}",
                hint="take pseudopotentials of one functional, and name it as `xc`",
            )
        if one.is_full_relativistic:
            raise InputError(
                f"{path.name} is fully relativistic, and spins are computed without their orbits",
                hint="take the scalar-relativistic one",
            )
        found[element] = one
    return found


def missing(resource: str, elements: Iterable[str], known: Iterable[str]) -> InputError | None:
    """The sentence about elements without a pseudopotential, all at once."""
    lacking = sorted(set(elements) - set(known))
    if not lacking:
        return None
    are = "pseudopotential" if len(lacking) == 1 else "pseudopotentials"
    return InputError(
        f"'{resource}' has no {are} of {', '.join(lacking)}",
        hint=f"it has those of {', '.join(sorted(known))}; name others: "
        f"`pseudopotentials: {lacking[0]}=FILE.UPF` in the folder `pseudo_dir`",
    )


def read(path: Path) -> Pseudopotential:
    """What the header says. Raises InputError: it has none, or the file is cut off."""
    return _read(path, path.stat().st_mtime_ns)


@functools.cache
def _read(path: Path, changed_ns: int) -> Pseudopotential:
    with path.open("rb") as file:
        begin = file.read(_HEADER_BYTES).decode(errors="replace")
        file.seek(max(0, path.stat().st_size - _END_BYTES))
        end = file.read().decode(errors="replace")
    header = re.search(r"<PP_HEADER(.*?)(/>|</PP_HEADER>)", begin, re.DOTALL)
    if header is None or not re.search(r"</(PP_\w+|UPF)>\s*$", end):
        raise InputError(f"{path} is no pseudopotential, or is cut off")
    said = header[1]
    fields = dict(re.findall(r'(\w+)\s*=\s*"\s*(.*?)\s*"', said))
    if "element" not in fields:
        fields = _first_version(said)
    kind = fields.get("pseudo_type", "")
    return Pseudopotential(
        path=path,
        element=fields.get("element", "").capitalize(),
        functional=" ".join(fields.get("functional", "").split()).upper(),
        kind={"USPP": "US", "1/R": "NC", "SL": "NC"}.get(kind, kind),
        valence=float(fields.get("z_valence", "0").replace("D", "E")),
        is_full_relativistic=fields.get("relativistic") == "full"
        or "Fully-Relativistic Calculation" in begin,
    )


def _first_version(said: str) -> dict[str, str]:
    """The fields of a header of version 1: a value, and then what it is."""
    found = {}
    for line in said.splitlines():
        for what, field in (
            ("Element", "element"),
            ("Exchange-Correlation functional", "functional"),
            ("Z valence", "z_valence"),
            ("Ultrasoft pseudopotential", "pseudo_type"),
            ("Norm - Conserving pseudopotential", "pseudo_type"),
        ):
            if what in line:
                found[field] = line.split(what)[0].strip()
    words = found.get("functional", "").split()
    found["functional"] = " ".join(words[:4])  # the fifth is its name
    return found


@functools.cache
def _digest(path: Path, changed_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _named(folder: Path) -> Iterable[tuple[str, Path]]:
    from ase.data import atomic_numbers

    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        symbol = re.match(r"([A-Za-z]{1,2})[._-]", path.name)
        if symbol and path.suffix.lower() == ".upf" and symbol[1].capitalize() in atomic_numbers:
            found.setdefault(symbol[1].capitalize(), []).append(path)
    return [(element, paths[0]) for element, paths in found.items() if len(paths) == 1]


def _shipped(folder: Path, xc: str) -> dict[str, Path]:
    if xc != "PBE":
        raise InputError(
            f"quantum-espresso-data has no coherent choice of pseudopotentials for {xc}",
            hint="name a folder as `pseudo_dir`",
        )
    return {e: folder / n for e, n in SHIPPED_PBE.items() if (folder / n).is_file()}
