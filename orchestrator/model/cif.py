"""What a CIF says unclearly, and its readers would settle by themselves without a word.

ASE passes over a row with too many words and over a Hall symbol, takes the last of several
structures, the more frequent element of a shared site, the first of two atoms in one place, and
deuterium for hydrogen. All of these are other crystals than the one that is meant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from orchestrator.errors import InputError

T = TypeVar("T")

FULL = 0.999
"""Occupancy from which on a site is full."""
SAME_PLACE = 1e-3
"""Fractional coordinates that are equal when rounded to this are of one place."""

_WORD = re.compile(r"'[^']*'(?=\s|$)|\"[^\"]*\"(?=\s|$)|\S+")
_SITES = "_atom_site_"
_ANISOTROPIC = "_atom_site_aniso"
_OPERATIONS = ("_symmetry_equiv_pos", "_space_group_symop")
_NUMBERS = ("_symmetry_int_tables_number", "_space_group_it_number")
_NO_NUMBER = re.compile(rf"^\s*({'|'.join(_NUMBERS)})\b.*\n", re.MULTILINE | re.IGNORECASE)
_PLACE = tuple(f"{_SITES}fract_{axis}" for axis in "xyz")
_OCCUPANCY = f"{_SITES}occupancy"
_NAMES = (f"{_SITES}type_symbol", f"{_SITES}label")
_CAPITALS = re.compile(r"[A-Z]{2}")
_OF_TWO_LETTERS = (
    "He Li Be Ne Na Mg Al Si Cl Ar Ca Sc Ti Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Zr Nb Mo "
    "Tc Ru Rh Pd Ag Cd In Sn Sb Te Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta Re "
    "Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa Np Pu Am Cm Bk Cf Es Fm Md No Lr"
)
_COMMENT = re.compile(r"^([ \t]*_\S+([ \t]+[^\s'\"#;]\S*)?)[ \t]+#.*$", re.MULTILINE)
_UNCERTAINTY = re.compile(r"\(\d+\)$")
_NOT_SAID = (".", "?")
_GROUPS = (*_NUMBERS, "_symmetry_space_group_name_h-m", "_space_group_name_h-m")
_HALL = ("_symmetry_space_group_name_hall", "_space_group_name_hall")
_SUM, _Z = "_chemical_formula_sum", "_cell_formula_units_z"
_OF_SUM = re.compile(r"([A-Z][a-z]?)(\d+\.?\d*|\.\d+)?\s*")
_ISOTOPES = ("D", "T")
"""Of hydrogen, which in every calculation is hydrogen."""
ROUNDED = 0.02
"""Within this, relative, a number of atoms is that of a formula."""


@dataclass(frozen=True)
class _Loop:
    """Headings in small letters, and rows of as many words."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, heading: str) -> tuple[str, ...] | None:
        """The words under a heading; None without it."""
        if heading not in self.headings:
            return None
        place = self.headings.index(heading)
        return tuple(row[place] for row in self.rows)


def is_cif(text: str) -> bool:
    """Whether a text is meant as a CIF: it has a data block."""
    return re.search(r"^\s*(data_|_cell_length_a\b)", text, re.MULTILINE) is not None


def has_operations(text: str) -> bool:
    """Whether a CIF lists its symmetry operations, or says which setting of its group is meant."""
    said = ("_symmetry_equiv_pos", "_space_group_symop", "_symmetry_space_group_setting")
    return any(line.strip().lower().startswith(said) for line in text.splitlines())


def by_operations(text: str) -> str | None:
    """A CIF that lists symmetry operations and no number of a group, with that of P 1, so that a
    reader that looks for a group's name goes by the operations; None where it is none such."""
    said = [line.strip().lower().split() for line in text.splitlines()]
    numbers = [
        words[1].strip("'\"").isdigit()
        for words in said
        if words[:1] and words[0] in _NUMBERS and len(words) > 1
    ]
    if any(numbers) or not any(words and words[0].startswith(_OPERATIONS) for words in said):
        return None
    text = _NO_NUMBER.sub("", text)
    beginning = re.compile(r"^\s*data_.*$", re.MULTILINE)
    return beginning.sub(lambda found: f"{found[0]}\n{_NUMBERS[0]} 1", text, count=1)


def read_by_group_or_operations(read: Callable[[str], T], text: str) -> T:
    """What a reader makes of a CIF, without comments behind headings and numbers, which ASE takes
    for words; where it cannot by the space group, by the operations that are listed. Raises what
    the reader raises where there are none."""
    text = _COMMENT.sub(r"\1", text)
    try:
        return read(text)
    except Exception:
        again = by_operations(text)
        if again is None:
            raise
        return read(again)


def refuse_unfit(atoms: Any, text: str, name: str) -> None:
    """Accepts what ASE made (`ase.Atoms`) of a CIF's cell and symmetry.

    Raises:
        InputError: the atoms are not those of its formula, an operation is none, the cell does not
            fit its space group, or the group has two origins and the CIF does not tell which.
    """
    _refuse_other_formula(atoms, text, name)
    group = atoms.info.get("spacegroup")
    if group is None or atoms.cell.rank < 3:
        return
    if not all(abs(abs(_determinant(one)) - 1) < 1e-6 for one in group.rotations.tolist()):
        raise InputError(
            f"the structure {name} has a symmetry operation that is none",
            hint="write them as 'x,y,z' and '-x,y+1/2,-z'",
        )
    if not _fits(atoms.cell.array, group.rotations):
        whose = "its symmetry operations do" if has_operations(text) else _of_group(group)
        raise InputError(
            f"the structure {name} has a cell that {whose} not leave as it is",
            hint="check lengths and angles; or the axes, if the group is rhombohedral",
        )
    other = None if has_operations(text) else _other_setting(group)
    if other is not None and _fits(atoms.cell.array, other.rotations):
        raise InputError(
            f"the structure {name} does not say which origin or axes of its space group "
            f"{group.symbol} are meant",
            hint="give its symmetry operations, or all atoms of the cell as P 1",
        )


def _of_group(group: Any) -> str:
    return f"its space group {group.symbol} does"


def _determinant(m: Sequence[Sequence[float]]) -> float:
    (a, b, c), (d, e, f), (g, h, i) = m
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def _fits(cell: Any, rotations: Any) -> bool:
    """Whether rotations (n x 3 x 3, of fractional coordinates) keep the lengths and angles of a
    cell (3 x 3, its vectors in rows) within one in a hundred."""
    import numpy as np

    metric = cell @ cell.T
    lengths = np.sqrt(np.diag(metric))
    turned = np.transpose(rotations, (0, 2, 1)) @ metric @ rotations
    return bool((abs(turned - metric) <= 0.02 * np.outer(lengths, lengths)).all())


def _other_setting(group: Any) -> Any:
    """A space group of the same symbol with other operations; None where there is none."""
    try:
        other = type(group)(group.no, 3 - group.setting)
    except Exception:  # noqa: BLE001 - ASE has an error of its own for a setting that there is not
        return None
    return other if other.symbol == group.symbol else None


def refuse_unclear(text: str, name: str) -> None:
    """Accepts a CIF that says one ordered crystal. `name` is how a sentence calls it.

    Raises:
        InputError: it holds several structures, says its symmetry by a Hall symbol alone, a row of
            atoms or of symmetry operations has more words than headings, a site is not full, two
            elements stand in one place, an isotope, or an element of two letters in capitals, in
            its labels too where neither type symbols nor a formula tell.
    """
    blocks = [block for block in _blocks(text) if _holds_atoms(block)]
    if len(blocks) > 1:
        raise InputError(
            f"the structure {name} cannot be read as one: it holds {len(blocks)} structures",
            hint="give each of them a text of its own",
        )
    for block in blocks:
        _refuse_hall_alone(block, name)
        for loop in _loops(block, name):
            _refuse_shared(loop, name, has_formula=bool(_amounts(_said(block, (_SUM,)))))


def _refuse_hall_alone(block: Sequence[str], name: str) -> None:
    if any(line.lower().startswith(_OPERATIONS) for line in block) or _said(block, _GROUPS):
        return
    hall = _said(block, _HALL)
    if hall and hall.replace(" ", "").upper() != "P1":
        raise InputError(
            f"the structure {name} says its symmetry by the Hall symbol '{hall}' alone",
            hint="give its symmetry operations, or all atoms of the cell as P 1",
        )


def _said(block: Sequence[str], headings: Sequence[str]) -> str:
    """What a block says under one of the headings, or those that begin so; '' for nothing."""
    for place, line in enumerate(block):
        key, *words = line.split(maxsplit=1)[:2] or [""]
        if key.lower().startswith(tuple(headings)):
            value = (words or block[place + 1 : place + 2] or [""])[0].strip().strip("'\"")
            if value not in ("", *_NOT_SAID):
                return value.strip()
    return ""


def _refuse_other_formula(atoms: Any, text: str, name: str) -> None:
    """Accepts the atoms of a cell that stand in the ratio of the CIF's formula; where it says how
    many formulas there are, or the formula is that of the cell, as many as these make."""
    lines = [line for block in _blocks(text) for line in block]
    formula, z = _said(lines, (_SUM,)), _number(_said(lines, (_Z,)) or "?")
    wanted, found = _amounts(formula), Counter(atoms.get_chemical_symbols())
    n, whole = sum(found.values()), sum(wanted.values())
    if not wanted:
        return
    for element in wanted.keys() | found.keys():
        here, there = found[element] / n, wanted.get(element, 0.0) / whole
        if abs(here - there) > ROUNDED * max(here, there):
            raise InputError(
                f"the structure {name} has the formula '{formula}', and its atoms are "
                f"{atoms.get_chemical_formula()}",
                hint="hydrogen may be missing, or its symmetry; mend the atoms or the formula",
            )
    if z and all(abs(n - much) > ROUNDED * n for much in (z * whole, whole)):
        raise InputError(
            f"the structure {name} has {z:g} of '{formula}' in its cell, and its atoms are "
            f"{atoms.get_chemical_formula()}",
            hint="its symmetry may be missing; mend the atoms, or leave out the number of formulas",
        )


def _amounts(formula: str) -> dict[str, float]:
    """The numbers of `C4 H2 O`; none where it is no formula."""
    found: dict[str, float] = {}
    at = 0
    while at < len(formula):
        match = _OF_SUM.match(formula, at)
        if match is None or float(match[2] or 1) == 0.0:
            return {}
        element = "H" if match[1] in _ISOTOPES else match[1]
        found[element] = found.get(element, 0.0) + float(match[2] or 1)
        at = match.end()
    return found


def _blocks(text: str) -> list[list[str]]:
    """The lines of each data block, without comments and the texts between semicolons."""
    blocks: list[list[str]] = [[]]
    is_inside = False
    for line in text.splitlines():
        if line.startswith(";"):
            is_inside = not is_inside
        elif not is_inside and not line.lstrip().startswith("#"):
            if line.strip().lower().startswith("data_"):
                blocks.append([])
            blocks[-1].append(line.split(" #")[0].strip())
    return blocks


def _holds_atoms(block: Sequence[str]) -> bool:
    places = (*_PLACE[:1], f"{_SITES}cartn_x")
    return any(line.lower().startswith(places) for line in block)


def _loops(block: Sequence[str], name: str) -> Iterator[_Loop]:
    """The loops of atoms and of symmetry operations. Raises InputError."""
    at = 0
    while at < len(block):
        at += 1
        if block[at - 1].lower() != "loop_":
            continue
        headings = []
        while at < len(block) and block[at].startswith("_"):
            headings.append(block[at].lower())
            at += 1
        if not headings or not _matters(headings[0]):
            continue
        body = []
        while at < len(block) and not _ends(block[at]):
            body.append(block[at])
            at += 1
        yield _Loop(tuple(headings), tuple(_rows(body, len(headings), name)))


def _matters(heading: str) -> bool:
    is_of_atoms = heading.startswith(_SITES) and not heading.startswith(_ANISOTROPIC)
    return is_of_atoms or heading.startswith(_OPERATIONS)


def _ends(line: str) -> bool:
    return not line or line.startswith("_") or line.lower().startswith(("loop_", "data_"))


def _rows(body: Sequence[str], n: int, name: str) -> Iterator[tuple[str, ...]]:
    """Rows of n words, which may go over several lines. Raises InputError."""
    words: list[str] = []
    for line in body:
        words += [line] if n == 1 else _WORD.findall(line)
        if len(words) > n:
            raise InputError(
                f"the structure {name} has a row of {len(words)} words under {n} headings "
                f"('{line[:60]}')",
                hint="one row a line; a word with a space in it stands in quotes",
            )
        if len(words) == n:
            yield tuple(words)
            words = []


def _refuse_capitals(symbols: Sequence[str], name: str, what: str) -> None:
    """Accepts symbols of elements: a reader takes NA1+ for nitrogen. Raises InputError."""
    for symbol in (symbol.strip("'\"") for symbol in symbols):
        found = _CAPITALS.match(symbol)
        if found is not None and found[0].title() in _OF_TWO_LETTERS:
            raise InputError(
                f"the structure {name} has the {what} '{symbol}', which a reader takes for "
                f"{symbol[0]}",
                hint=f"write {found[0].title()}; type symbols tell what a label is of",
            )


def _refuse_shared(loop: _Loop, name: str, *, has_formula: bool) -> None:
    """`has_formula`: it is held against the atoms, so that labels need not be."""
    key = next((key for key in _NAMES if key in loop.headings), "")
    symbols = loop.column(key)
    if symbols is None:
        return
    if key == _NAMES[0] or not has_formula:
        _refuse_capitals(symbols, name, key.removeprefix(_SITES).replace("_", " "))
    elements = [_element(symbol) for symbol in symbols]
    isotope = next((element for element in elements if element in _ISOTOPES), None)
    if isotope is not None:
        raise InputError(
            f"the structure {name} has {isotope}, an isotope of hydrogen, which is not told apart",
            hint="write H if that is meant",
        )
    shares = [_number(word) for word in loop.column(_OCCUPANCY) or ["1"] * len(elements)]
    together: dict[object, list[int]] = {}
    for row, place in enumerate(_places(loop) or range(len(elements))):
        together.setdefault(place, []).append(row)
    for rows in together.values():
        if any(share < FULL for row in rows if (share := shares[row]) is not None):
            raise _not_full(name, {elements[row]: shares[row] for row in rows})
        others = [elements[row] for row in rows if elements[row] != elements[rows[0]]]
        if others:
            raise InputError(
                f"the structure {name} has {elements[rows[0]]} and {others[0]} in one place",
                hint="a shared site needs occupancies, and a crystal ordered sites",
            )


def _not_full(name: str, shares: Mapping[str, float | None]) -> InputError:
    said = {e: "?" if share is None else f"{share:g}" for e, share in shares.items()}
    shared = ", ".join(f"{element} {share}" for element, share in said.items())
    return InputError(
        f"the structure {name} has a site that is not full ({shared})",
        hint="order it first; its composition alone can be described by 'composition'",
    )


def _element(symbol: str) -> str:
    found = re.search(r"[A-Z][a-z]?", symbol)
    return found[0] if found else symbol


def _places(loop: _Loop) -> list[tuple[int, ...]]:
    """Positions within the cell in units of `SAME_PLACE`; none unless all are numbers."""
    columns = [loop.column(key) for key in _PLACE]
    found = []
    for words in zip(*(column or () for column in columns), strict=False):
        numbers = [_number(word) for word in words]
        if None in numbers:
            return []
        found.append(
            tuple(
                round(n % 1 / SAME_PLACE) % round(1 / SAME_PLACE) for n in numbers if n is not None
            )
        )
    return found


def _number(word: str) -> float | None:
    if word in _NOT_SAID:
        return None
    try:
        return float(_UNCERTAINTY.sub("", word))
    except ValueError:
        return None
