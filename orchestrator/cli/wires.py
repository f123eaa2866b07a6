"""How the wires of a lab's devices behaved, as a small table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

Row = Mapping[str, float | int | None]
_COLUMNS = ("exchanges", "retries", "silences", "garbled", "reconnects")


def wire_table(wires: Mapping[str, Row]) -> Iterator[str]:
    """Lines of a table, by device; none where no wire was used."""
    if not wires:
        return
    width = max(6, *(len(name) for name in wires))
    heads = "".join(f"{name:>11}" for name in _COLUMNS)
    yield f"{'device':{width}}{heads}{'median':>11}{'p99':>11}"
    for name, row in wires.items():
        counts = "".join(f"{row[column] or 0:>11}" for column in _COLUMNS)
        yield f"{name:{width}}{counts}{_ms(row['median_ms'])}{_ms(row['p99_ms'])}"


def _ms(value: float | int | None) -> str:
    return f"{'-' if value is None else f'{value:.1f} ms':>11}"
