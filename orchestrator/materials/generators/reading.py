"""What a generator can use of the materials that it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from orchestrator.errors import InputError


def readable(materials: Iterable[str], read: Callable[[str], str]) -> list[str]:
    """In the form that `read` gives, without those that it refuses: a table may hold materials that
    its descriptor can read and a generator cannot change.

    Raises:
        InputError: there are some, and none can be read: why the first one is refused.
    """
    found: list[str] = []
    refused: InputError | None = None
    for material in materials:
        try:
            found.append(read(material))
        except InputError as error:
            refused = refused or error
    if refused is not None and not found:
        raise refused
    return found
