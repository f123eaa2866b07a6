"""What a CIF lists of its sites, looked at before anybody reads it: how many, and moments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.errors import InputError

MOST_SITES = 1000
"""ASE compares each site with all before it: 5 s of CPU time for so many, 10 min for ten times as
many."""
_PLACES = ("_atom_site_fract_x", "_atom_site_cartn_x")
_MOMENTS = ("_atom_site_moment", "_atom_site.moment")
_MAGNETIC = re.compile(r"^\s*_space_group_symop[._]magn", re.MULTILINE | re.IGNORECASE)


def refuse_many_sites(text: str, name: str) -> None:
    """Accepts a CIF whose reading comes to an end soon. `name` is how a sentence calls it. Raises
    InputError."""
    found = n_sites(text)
    if found > MOST_SITES:
        raise InputError(
            f"the structure {name} lists {found} sites, a CIF is read with {MOST_SITES} at most",
            hint="give it as an extended XYZ or a POSCAR, which is read quickly, or a smaller cell",
        )


def refuse_moments(text: str, name: str) -> None:
    """Accepts a CIF of no magnetic structure: its readers pass over moments, and over operations
    that turn them round, so that atoms are missing, too. Raises InputError."""
    has_moments = any(
        any(map(_is_moment, words[place :: len(headings)]))
        for headings, words in _loops(text)
        for place, heading in enumerate(headings)
        if heading.startswith(_MOMENTS) and not heading.endswith("label")
    )
    if has_moments or _MAGNETIC.search(text):
        raise InputError(
            f"the structure {name} is a magnetic one, whose moments are not read from a CIF",
            hint="give all atoms of the cell in an extended XYZ, and their moments (Bohr "
            "magnetons, up or down) in a column `initial_magmoms`",
        )


def n_sites(text: str) -> int:
    """The most rows of atoms that a loop has."""
    return max(
        (
            len(words) // len(headings)
            for headings, words in _loops(text)
            if any(heading.startswith(_PLACES) for heading in headings)
        ),
        default=0,
    )


def _loops(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """Headings in small letters, and the words below them."""
    headings, words = list[str](), list[str]()
    for line in (*text.splitlines(), "loop_"):
        said = line.strip().lower()
        if said.startswith(("_", "loop_", "data_")) and words:
            if headings:
                yield headings, words
            headings, words = [], []
        if said.startswith("_"):
            heading, *beside = said.partition("#")[0].split()  # a word, where there is no loop
            headings.append(heading)
            words += beside[:1]
        elif said.startswith(("loop_", "data_")):
            headings = []
        elif not said.startswith("#"):
            words += said.split()


def _is_moment(word: str) -> bool:
    """Whether it is a number, and not zero."""
    number = word.partition("(")[0]
    try:
        return float(number) != 0.0
    except ValueError:
        return False
