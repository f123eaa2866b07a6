"""What a molecule must and must not be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
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
        if self == Constraints():
            return True
        found = molecule(material)
        return (
            self._allow_composition(found)
            and self._allow_rings(found)
            and all(found.HasSubstructMatch(pattern) for pattern in self._include)
            and not any(found.HasSubstructMatch(pattern) for pattern in self._exclude)
            and (self.most_sa is None or _accessibility(found) <= self.most_sa)
            and (not self.polymerisable or _is_polymerisable(material))
        )

    def _allow_composition(self, found: Any) -> bool:
        if self._numbers and not all(a.GetAtomicNum() in self._numbers for a in found.GetAtoms()):
            return False
        if self.weight is None:
            return True
        low, high = self.weight
        return bool(low <= rdkit("Chem.Descriptors").MolWt(found) <= high)

    def _allow_rings(self, found: Any) -> bool:
        if self.ring_sizes is None:
            return True
        low, high = self.ring_sizes
        return all(low <= len(ring) <= high for ring in found.GetRingInfo().AtomRings())

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
