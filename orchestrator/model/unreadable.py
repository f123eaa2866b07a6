"""Why a structure cannot be read, in words of its text and not of its reader."""

from __future__ import annotations

import re

_CUT_OFF = re.compile(
    "inhomogeneous shape|broadcast input array|index out of range|pop from empty list|"
    "need at least one array|could not assign tuple"
)


def reason_of(error: Exception) -> str:
    """What ASE stumbled over when it raised this."""
    said = " ".join(str(error).split())
    if isinstance(error, KeyError):
        return f"it has {error}, which is not an element"
    if "attribute 'name'" in said:  # ASE looks for the elements in the name of a file
        return "it does not name its elements"
    if "attribute 'group'" in said:  # nor does a CIF that lists its only atom without a loop
        return "it does not name its atoms in a `loop_`"
    if isinstance(error, TypeError):  # what stands in place of a coordinate stays a text
        return "a position is no number"
    return "it is incomplete" if not said or _CUT_OFF.search(said) else said
