"""What kind of monomer a molecule is, by the rules of smipoly (BSD-3).

Each class has SMARTS of its groups and SMARTS that exclude it [Ohno et al. 2023,
doi:10.1021/acs.jcim.3c00329]. A class of one group needs it once at least, a class of several needs
2 to 4, counted as smipoly counts.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.errors import MissingExtra
from orchestrator.materials.chemistry import INSTALL, rdkit

OLEFINS = (
    *("acryl", "bEWole", "styryl", "allyl", "haloCH", "vinylester", "malei"),
    *("conjdiene", "vinylether", "tertcatCH", "aliphCH"),
)
"""Classes of olefins that are known to polymerise by radicals, ions or coordination."""
_SEVERAL = range(51, 59)
_LEAST, _MOST = 2, 4


@dataclass(frozen=True)
class _Class:
    groups: tuple[Any, ...]
    excluded: tuple[Any, ...]
    has_several: bool


def belongs(found: Any, kind: str) -> bool:
    """Whether an rdkit molecule is a monomer of a class of smipoly, such as `diol`.

    Raises:
        MissingExtra: smipoly is not installed.
        KeyError: there is no such class.
    """
    asked = _classes()[kind]
    if asked.has_several:
        n = sum(_count(found, group) for group in asked.groups)
        is_one = _LEAST <= n <= _MOST
    else:
        is_one = any(found.HasSubstructMatch(group) for group in asked.groups)
    return is_one and not any(found.HasSubstructMatch(pattern) for pattern in asked.excluded)


def require_rules() -> None:
    """Raises MissingExtra where smipoly is not installed."""
    _classes()


def _count(found: Any, group: Any) -> int:
    """Matches, of which such as follow one another and share all but one atom count once."""
    matches: Sequence[tuple[int, ...]] = found.GetSubstructMatches(group)
    again = sum(len(set(a) ^ set(b)) == 2 for a, b in itertools.pairwise(matches))
    return len(matches) - again


@functools.cache
def _classes() -> dict[str, _Class]:
    numbers, groups, excluded = map(_table, ("mon_dic", "mon_lst", "excl_lst"))
    return {
        kind: _Class(
            _patterns(groups[str(number)]), _patterns(excluded[str(number)]), number in _SEVERAL
        )
        for kind, number in numbers.items()
    }


def _patterns(smarts: Sequence[str]) -> tuple[Any, ...]:
    return tuple(rdkit().MolFromSmarts(one) for one in smarts)


def _table(name: str) -> Any:
    try:
        import smipoly
    except ImportError as error:
        raise MissingExtra("smipoly, which has the rules of polymerisation,", INSTALL) from error
    return json.loads((Path(smipoly.__file__).parent / "rules" / f"{name}.json").read_text())
