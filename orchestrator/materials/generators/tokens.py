"""The extended SMILES of Ikebata et al. 2017: a SMILES as tokens that can be grown from the left.

What a digit of a SMILES means depends on all that stands before it. Here a ring is opened by `&`
and closed by the number of rings that were opened after it and are still open (0: the last one).
The symbol of a bond is one token with what it leads to; so is the dot between two molecules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from orchestrator.errors import InputError

_TOKEN = re.compile(
    r"(?:->|<-|[-=#$:/\\~.])?"
    r"(?:%\([0-9]+\)|%[0-9][0-9]|[0-9]|\[[^\[\]]+\]|Br|Cl|[BCNOPSFIbcnops*])"
    r"|[()]"
)
_OF_RINGS = "0123456789%()"
OPENING = "&"


def tokens_of(smiles: str) -> list[str]:
    """The tokens of a SMILES, in its order.

    Raises:
        InputError: it holds something that no SMILES holds, or a ring that is never closed.
    """
    found = _TOKEN.findall(smiles)
    if "".join(found) != smiles or not smiles:
        raise InputError(
            f"'{smiles}' is not a SMILES: it cannot be read from place {_unread(smiles)} on"
        )
    rings: list[str] = []
    for place, token in enumerate(found):
        if token[-1] not in _OF_RINGS or token in "()":
            continue
        bond = token.rstrip(_OF_RINGS)
        label = token[len(bond) :]
        if label in rings:
            found[place] = f"{bond}{len(rings) - 1 - rings.index(label)}"
            rings.remove(label)
        else:
            found[place] = bond + OPENING
            rings.append(label)
    if rings:
        raise InputError(f"'{smiles}' is not a SMILES: its ring {rings[-1]} is never closed")
    return found


def _unread(smiles: str) -> int:
    """The place of the first character that is no token's, from 1 on."""
    end = 0
    while match := _TOKEN.match(smiles, end):
        end = match.end()
    return end + 1


def smiles_of(tokens: Sequence[str]) -> str:
    """The SMILES of tokens. Branches that are open at the end are closed, rings are left away."""
    written = list(tokens)
    rings: list[tuple[int, int]] = []
    depth = 0
    for place, token in enumerate(tokens):
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
        elif token[-1] == OPENING:
            label = _free(rings)
            rings.append((label, place))
            written[place] = token[:-1] + _label(label)
        elif token[-1].isdigit():
            bond = token.rstrip("0123456789")
            label, _ = rings.pop(-1 - int(token[len(bond) :]))
            written[place] = bond + _label(label)
    for _, place in rings:
        written[place] = ""
    return "".join(written) + ")" * depth


def _free(rings: Sequence[tuple[int, int]]) -> int:
    """The least number that no open ring has."""
    taken = [label for label, _ in rings]
    return next(number for number in range(1, len(taken) + 2) if number not in taken)


def _label(number: int) -> str:
    return str(number) if number < 10 else f"%{number}"
