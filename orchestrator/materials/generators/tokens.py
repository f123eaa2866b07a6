"""The extended SMILES of Ikebata et al. 2017: a SMILES as tokens that can be grown from the left.

What a digit of a SMILES means depends on all that stands before it. Here a ring is opened by `&`
and closed by the number of rings that were opened after it and are still open (0: the last one).
The symbol of a bond is one token with what it leads to; so is the dot between two molecules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from orchestrator.errors import InputError

_TOKEN = re.compile(
    r"(?P<bond>->|<-|[-=#$:/\\~.])?"
    r"(?:(?P<ring>%\(\d+\)|%\d\d|\d)|(?P<atom>\[[^\[\]]+\]|Br|Cl|[BCNOPSFIbcnops*]))"
    r"|(?P<branch>[()])"
)
OPENING = "&"


def tokens_of(smiles: str) -> list[str]:
    """The tokens of a SMILES, in its order.

    Raises:
        InputError: it holds something that no SMILES holds, or a ring that is never closed.
    """
    found: list[str] = []
    rings: list[str] = []
    end = 0
    for match in _TOKEN.finditer(smiles):
        if match.start() != end:
            break
        end = match.end()
        label = match["ring"]
        if label is None:
            found.append(match[0])
            continue
        bond = match["bond"] or ""
        if label in rings:
            found.append(f"{bond}{len(rings) - 1 - rings.index(label)}")
            rings.remove(label)
        else:
            found.append(bond + OPENING)
            rings.append(label)
    if end != len(smiles) or not smiles:
        raise InputError(f"'{smiles}' is not a SMILES: it cannot be read from place {end + 1} on")
    if rings:
        raise InputError(f"'{smiles}' is not a SMILES: its ring {rings[-1]} is never closed")
    return found


def smiles_of(tokens: Sequence[str]) -> str:
    """The SMILES of tokens. Branches that are open at the end are closed, rings are left away."""
    return "".join(_pieces(tokens))


def _pieces(tokens: Sequence[str]) -> Iterator[str]:
    written = list(tokens)
    free = list(range(99, 0, -1))
    rings: list[tuple[int, int]] = []
    depth = 0
    for place, token in enumerate(tokens):
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
        elif token[-1] == OPENING:
            label = free.pop()
            rings.append((label, place))
            written[place] = token[:-1] + _label(label)
        elif token[-1].isdigit():
            bond = token.rstrip("0123456789")
            label, _ = rings.pop(-1 - int(token[len(bond) :]))
            free.append(label)
            free.sort(reverse=True)
            written[place] = bond + _label(label)
    for _, place in rings:
        written[place] = ""
    yield from written
    yield ")" * depth


def _label(number: int) -> str:
    return str(number) if number < 10 else f"%{number}"
