"""SCPI lines as a Keithley 2400 takes them: headers in long and short form, several per line.

SCPI-99 volume 1, chapter 6: a keyword's short form is its first four letters, or three when the
fourth is a vowel; a colon in front starts at the root, else the path of the command before it on
the line holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_OPTIONAL = {"LEV", "IMM", "AMPL", "NEXT", "DC", "SENS1", "SOUR1", "ON", "UPP"}
_VOWELS = "AEIOU"
_PART = re.compile(r"""(?:"[^"]*"|'[^']*'|[^;])+""")


def short(keyword: str) -> str:
    """The short form of a keyword, in capitals."""
    word = keyword.upper()
    if len(word) <= 4:
        return word
    return word[:3] if word[3] in _VOWELS else word[:4]


def commands(line: str) -> Iterator[tuple[str, str]]:
    """The commands of a line, each as its path in short form (`SOUR:CURR`) and its argument.

    A query's path ends in `?`. Optional keywords (`:LEVel`, `:IMMediate`, `:DC`) are left out, so
    that every spelling of a command gives the same path; `STATe` is left out at the end only.
    """
    parent: list[str] = []
    for text in _PART.findall(line):
        header, _, argument = text.strip().partition(" ")
        if not header:
            continue
        if header.startswith("*"):
            yield header.upper(), argument.strip()
            continue
        words = header.lstrip(":").removesuffix("?").split(":")
        path = words if header.startswith(":") else [*parent, *words]
        parent = path[:-1]
        yield _path(path) + ("?" if header.endswith("?") else ""), argument.strip()


def _path(words: list[str]) -> str:
    kept = [w for w in map(short, words) if w not in _OPTIONAL]
    if len(kept) > 1 and kept[-1] == "STAT":
        kept.pop()
    return ":".join(kept)
