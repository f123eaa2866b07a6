"""How many sites a CIF lists, counted before anybody reads it."""

from __future__ import annotations

from orchestrator.errors import InputError

MOST_SITES = 1000
"""ASE compares each site with all before it: 5 s of CPU time for so many, 10 min for ten times as
many."""
_PLACES = ("_atom_site_fract_x", "_atom_site_cartn_x")


def refuse_many_sites(text: str, name: str) -> None:
    """Accepts a CIF whose reading comes to an end soon. `name` is how a sentence calls it. Raises
    InputError."""
    found = n_sites(text)
    if found > MOST_SITES:
        raise InputError(
            f"the structure {name} lists {found} sites, a CIF is read with {MOST_SITES} at most",
            hint="give it as an extended XYZ or a POSCAR, which is read quickly, or a smaller cell",
        )


def n_sites(text: str) -> int:
    """The most rows of atoms that a loop has."""
    most, headings, words = 0, list[str](), 0
    for line in (*text.splitlines(), "loop_"):
        said = line.strip().lower()
        if said.startswith(("_", "loop_", "data_")) and words:
            if any(heading.startswith(_PLACES) for heading in headings):
                most = max(most, words // len(headings))
            headings, words = [], 0
        if said.startswith("_"):
            headings.append(said)
        elif said.startswith(("loop_", "data_")):
            headings = []
        elif not said.startswith("#"):
            words += len(said.split())
    return most
