"""Enumerated rows as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from orchestrator.errors import InputError
from orchestrator.materials.enumeration.rows import Row


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Writes rows of the same columns, `structure` the last one.

    Raises:
        InputError: there are none, or the file exists or cannot be written.
    """
    if not rows:
        raise InputError("no candidate is left", hint="wider limits, or more elements")
    columns = [*(c for c in rows[0] if c != "structure"), "structure"]
    try:
        with path.open("x", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    except FileExistsError:
        raise InputError(f"{path} exists already", hint="choose another name") from None
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise InputError(f"{path} cannot be written: {reason}") from error
