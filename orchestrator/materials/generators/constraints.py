"""What a molecule must and must not be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from orchestrator.errors import InputError
from orchestrator.materials.chemistry import molecule, rdkit
from orchestrator.materials.polymerisation import monomers_of
from orchestrator.materials.recognition import require_rules


@dataclass(frozen=True)
class Constraints:
    """Conditions that all must hold; what is not said is not asked for.

    Attributes:
        include: SMARTS that must be found.
        exclude: SMARTS that must not be found.
        elements: symbols of the only elements there may be, besides hydrogen and open ends.
        weight: the least and the greatest molecular weight, g/mol.
        ring_sizes: the least and the greatest number of atoms in any ring.
        most_sa: the greatest synthetic accessibility, from 1 (easy) to 10 (Ertl & Schuffenhauer
            2009, doi:10.1186/1758-2946-1-8, as RDKit computes it).
        polymerisable: whether it must be a repeat unit that known monomers give; see
            `polymerisation.monomers_of`.
    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    elements: Sequence[str] = ()
    weight: Sequence[float] | None = None
    ring_sizes: Sequence[float] | None = None
    most_sa: float | None = None
    polymerisable: bool = False

    def check(self) -> None:
        """Raises InputError where a SMARTS, an element or a range cannot be meant, MissingExtra
        where smipoly is needed and not installed."""
        _ = self._include, self._exclude, self._numbers
        for name, span in (("weights", self.weight), ("ring sizes", self.ring_sizes)):
            if span is not None and not (len(span) == 2 and 0 <= span[0] <= span[1]):
                raise InputError(f"{name} cannot lie within {list(span)}", hint="[least, greatest]")
        if self.most_sa is not None and self.most_sa < 1.0:
            raise InputError(f"no molecule has a synthetic accessibility up to {self.most_sa:g}")
        if self.polymerisable:
            require_rules()

    def allow(self, material: str) -> bool:
        """Whether a SMILES keeps them all. Raises InputError where it cannot be read."""
        return not self.refusal(material)

    def refusal(self, material: str) -> str:
        """The first condition that a SMILES does not keep, as an option says it; '' if it keeps
        them all. Raises InputError where it cannot be read."""
        if self == Constraints():
            return ""
        found = molecule(material)
        whole, parts = self._of_whole(found), self._of_parts(found)
        return next(chain(whole, parts, self._of_making(material, found)), "")

    def _of_whole(self, found: Any) -> Iterator[str]:
        if self._numbers and not all(a.GetAtomicNum() in self._numbers for a in found.GetAtoms()):
            yield f"elements {', '.join(self.elements)}"
        if self.weight is not None:
            low, high = self.weight
            if not low <= rdkit("Chem.Descriptors").MolWt(found) <= high:
                yield f"weight {low:g} to {high:g}"

    def _of_parts(self, found: Any) -> Iterator[str]:
        if self.ring_sizes is not None:
            low, high = self.ring_sizes
            if not all(low <= len(ring) <= high for ring in found.GetRingInfo().AtomRings()):
                yield f"ring_sizes {low:g} to {high:g}"
        for smarts, pattern in zip(self.include, self._include, strict=True):
            if not found.HasSubstructMatch(pattern):
                yield f"include '{smarts}'"
        for smarts, pattern in zip(self.exclude, self._exclude, strict=True):
            if found.HasSubstructMatch(pattern):
                yield f"exclude '{smarts}'"

    def _of_making(self, material: str, found: Any) -> Iterator[str]:
        if self.most_sa is not None and _accessibility(found) > self.most_sa:
            yield f"most_sa {self.most_sa:g}"
        if self.polymerisable and not _is_polymerisable(material):
            yield "polymerisable"

    @cached_property
    def _include(self) -> Sequence[Any]:
        return tuple(map(pattern_of, self.include))

    @cached_property
    def _exclude(self) -> Sequence[Any]:
        return tuple(map(pattern_of, self.exclude))

    @cached_property
    def _numbers(self) -> frozenset[int]:
        numbers = frozenset(map(_number, self.elements))
        return numbers | {0, 1} if numbers else numbers


def _is_polymerisable(smiles: str) -> bool:
    try:
        return bool(monomers_of(smiles))
    except InputError:  # it is no repeat unit
        return False


def pattern_of(smarts: str) -> Any:
    """The rdkit molecule of a SMARTS. Raises InputError, with its text."""
    found = rdkit().MolFromSmarts(smarts) if smarts.strip() else None
    if found is None:
        raise InputError(f"'{smarts}' is not a SMARTS", hint="for instance [OX2H] for a hydroxyl")
    return found


def _number(symbol: str) -> int:
    try:
        return int(rdkit().GetPeriodicTable().GetAtomicNumber(symbol))
    except RuntimeError as error:
        raise InputError(
            f"'{symbol}' is not an element", hint="a symbol such as C or Cl"
        ) from error


def synthetic_accessibility(smiles: str) -> float:
    """From 1 (easy to make) to 10 (Ertl & Schuffenhauer 2009). Raises InputError."""
    return _accessibility(molecule(smiles))


def _accessibility(found: Any) -> float:
    return float(rdkit("Contrib.SA_Score.sascorer").calculateScore(found))
