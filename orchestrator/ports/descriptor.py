"""A descriptor: materials in, one named vector with units for each out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from orchestrator.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Content = Literal["counts", "bits", "dense"]
"""What the numbers are: how often, or whether, a fragment occurs (compared by Tanimoto's
similarity), or quantities (compared by their distance)."""


@runtime_checkable
class Descriptor(Protocol):
    """Turns materials into vectors, batch-wise. Found by entry point `hagane.descriptors`, and
    constructed with its options as keywords, all of which have defaults.

    A material is a text in the field's own notation: a SMILES, a formula, the text of a CIF. What
    it gives depends on the material alone, not on the others of the batch.

    One whose canonical form may be that of several materials (a formula, of polymorphs) has besides
    `identifies = False`; elsewhere a material that stands in a table twice is one candidate. One
    whose canonical form is dear may have `first_of_each(materials, vectors)`, which gives for each
    of n materials that it described the place of the first one that is the same: in a table it is
    asked in place of `canonical`. One that remembers may have `canonical_forms(materials)`, which
    gives what `canonical_forms` below does.
    """

    @property
    def names(self) -> Sequence[str]:
        """One name per component (d)."""
        ...

    @property
    def units(self) -> Sequence[str]:
        """One unit per component ('' for dimensionless)."""
        ...

    @property
    def content(self) -> Content:
        """What the numbers are, which decides how two materials are compared."""
        ...

    @property
    def source(self) -> str:
        """The paper that it comes from."""
        ...

    def canonical(self, material: str) -> str:
        """The same material in the one form that all its spellings have.

        Raises:
            InputError: it cannot be read; the sentence names it and says why.
        """
        ...

    def describe(self, materials: Sequence[str]) -> NDArray[np.float64]:
        """n materials -> n x d numbers, in `units`. All are finite.

        Raises:
            InputError: a material cannot be read or described; the sentence names it.
        """
        ...


def canonical_forms(
    of: Descriptor, materials: Sequence[str]
) -> tuple[list[str], list[tuple[int, str]]]:
    """The canonical forms of n materials, '' where one cannot be read; which these are, and why,
    with what to do where no earlier one says so.

    Raises:
        InputError: what reads them is not installed, which is no fault of a material.
    """
    remembering = getattr(of, "canonical_forms", None)
    if remembering is not None:
        found: tuple[list[str], list[tuple[int, str]]] = remembering(materials)
        return found
    forms: list[str] = []
    unread: list[tuple[int, str]] = []
    hints = {""}
    for place, material in enumerate(materials):
        try:
            forms.append(of.canonical(material))
        except InputError as error:
            if error.hint.startswith("pip install"):
                raise
            forms.append("")
            hint = "" if error.hint in hints else f" ({error.hint})"
            hints.add(error.hint)
            unread.append((place, f"{error}{hint}"))
    return forms, unread
