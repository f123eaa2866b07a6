"""What all shapes of written files share: names, words, numbers with units, strictness."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

NAME = r"^[A-Za-z][A-Za-z0-9_]*$"
TITLE = r"^[A-Za-z0-9]([A-Za-z0-9 ._-]{0,78}[A-Za-z0-9_-])?$"
FORMULA = r"^\s*="
ROLE_ACTION = r"^=?\w+\.\w+$"
MEMORY = r"^[1-9][0-9]*(Mi|Gi|Ti)$"
ABSOLUTE = "^/"
IN_WORDS = {
    NAME: "a name of letters, digits and '_'",
    TITLE: "a name of letters, digits, spaces and '._-', at most 80 long, no space at its ends",
    FORMULA: "an expression after '='",
    MEMORY: "a whole number and Mi, Gi or Ti, such as 8Gi",
    ABSOLUTE: "a path that begins with '/'",
    ROLE_ACTION: "ROLE.ACTION (or =FIDELITY.ACTION)",
}
"""What the patterns of this module ask for."""

Quantity: TypeAlias = Annotated[
    str, Field(description="a number and its unit", examples=["20 min", "120 nm", "1e-3 ohm*cm"])
]
Formula: TypeAlias = Annotated[
    str,
    Field(
        pattern=FORMULA,
        description="arithmetic on parameters and results of earlier steps, after '='",
        examples=["=oxygen", "=measure.mean * deposit.thickness"],
    ),
]
Finite: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Word: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
OneDescriptor: TypeAlias = Word | dict[Word, dict[Word, Any] | None]
Name: TypeAlias = Annotated[str, Field(pattern=NAME)]
UnitText: TypeAlias = Annotated[
    str, Field(description="a unit; none for a plain number", examples=["sccm", "ohm*cm", "at.%"])
]


class Shape(BaseModel):
    """Strict: a text is not a number, and a key that is not known is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
