"""The elements as what they replace in a crystal: group, electronegativity, oxidation states."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from orchestrator.errors import UnknownName

# Pauling's electronegativities (CRC Handbook, 97th ed., 9-98) and the common oxidation states of
# Greenwood & Earnshaw, Chemistry of the Elements, 2nd ed. (1997), with those that oxides of V, Mn,
# Ni, Cu, Pr, Eu and Yb have besides. A line is a group; lanthanides are with scandium.
_GROUPS = """
1   H 2.20 -1,1; Li 0.98 1; Na 0.93 1; K 0.82 1; Rb 0.82 1; Cs 0.79 1
2   Be 1.57 2; Mg 1.31 2; Ca 1.00 2; Sr 0.95 2; Ba 0.89 2
3   Sc 1.36 3; Y 1.22 3; La 1.10 3; Ce 1.12 3,4; Pr 1.13 3,4; Nd 1.14 3; Sm 1.17 3; Eu 1.20 2,3
3   Gd 1.20 3; Tb 1.10 3,4; Dy 1.22 3; Ho 1.23 3; Er 1.24 3; Tm 1.25 3; Yb 1.10 2,3; Lu 1.27 3
4   Ti 1.54 3,4; Zr 1.33 4; Hf 1.30 4
5   V 1.63 3,4,5; Nb 1.60 5; Ta 1.50 5
6   Cr 1.66 3,6; Mo 2.16 4,6; W 2.36 4,6
7   Mn 1.55 2,3,4,7; Re 1.90 4,7
8   Fe 1.83 2,3; Ru 2.20 3,4; Os 2.20 4
9   Co 1.88 2,3; Rh 2.28 3; Ir 2.20 3,4
10  Ni 1.91 2,3; Pd 2.20 2,4; Pt 2.28 2,4
11  Cu 1.90 1,2; Ag 1.93 1; Au 2.54 1,3
12  Zn 1.65 2; Cd 1.69 2; Hg 2.00 1,2
13  B 2.04 3; Al 1.61 3; Ga 1.81 3; In 1.78 1,3; Tl 1.62 1,3
14  C 2.55 -4,4; Si 1.90 -4,4; Ge 2.01 -4,2,4; Sn 1.96 2,4; Pb 2.33 2,4
15  N 3.04 -3,3,5; P 2.19 -3,3,5; As 2.18 -3,3,5; Sb 2.05 -3,3,5; Bi 2.02 3,5
16  O 3.44 -2; S 2.58 -2,4,6; Se 2.55 -2,4,6; Te 2.10 -2,4,6
17  F 3.98 -1; Cl 3.16 -1,5,7; Br 2.96 -1,5; I 2.66 -1,5,7
"""


@dataclass(frozen=True)
class Element:
    """`group` is the column of the periodic table, `electronegativity` Pauling's, `states` the
    common oxidation states."""

    symbol: str
    group: int
    electronegativity: float
    states: tuple[int, ...]

    @property
    def order(self) -> float:
        """The electronegativity by which an element has its place in a formula, and is a cation or
        an anion. Tellurium's is that of selenium: by its own, lead, molybdenum, tungsten and
        platinum, which have tellurides, would be anions beside it."""
        return elements()["Se"].electronegativity if self.symbol == "Te" else self.electronegativity


@cache
def elements() -> dict[str, Element]:
    """All that have both numbers, by their symbols."""
    found = {}
    for line in _GROUPS.strip().splitlines():
        group, _, members = line.partition(" ")
        for member in members.split(";"):
            symbol, negativity, states = member.split()
            numbers = tuple(int(state) for state in states.split(","))
            found[symbol] = Element(symbol, int(group), float(negativity), numbers)
    return found


def element(symbol: str) -> Element:
    """An element. Raises UnknownName where there is none with common oxidation states."""
    if symbol not in elements():
        raise UnknownName("element with common oxidation states", symbol, elements())
    return elements()[symbol]
