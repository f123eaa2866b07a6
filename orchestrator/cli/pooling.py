"""`hagane new pool`: candidates without a database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.frame import JsonOption, print_json
from orchestrator.errors import Exit, InputError


def new_pool(
    file: Annotated[Path, typer.Argument(help="The table to write, FILE.csv.")],
    prototype: Annotated[
        str | None,
        typer.Option(help="perovskite or double-perovskite: neutral ions whose radii fit."),
    ] = None,
    lattice: Annotated[
        str | None, typer.Option(help="fcc or bcc: all ordered alloys, each once.")
    ] = None,
    elements: Annotated[
        str | None, typer.Option(help="Such as Cu,Ni,Pd  [of a prototype: all]")
    ] = None,
    atoms: Annotated[int, typer.Option(min=2, help="Most atoms in a cell of an alloy.")] = 4,
    kinds: Annotated[int, typer.Option(min=2, help="Elements in one alloy.")] = 2,
    tolerance: Annotated[
        str | None, typer.Option(help="Goldschmidt's factor, least and most  [0.8,1.1]")
    ] = None,
    octahedral: Annotated[
        str | None, typer.Option(help="Radius of B by that of X, least and most  [0.37,0.9]")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Write a pool of structures: prototypes filled with elements, or a lattice decorated.

    Example: hagane new pool alloys.csv --lattice fcc --elements Cu,Ni --atoms 6
    """
    from orchestrator.runtime.new_pool import new_pool as write

    made = write(
        file,
        prototype=prototype,
        lattice=lattice,
        elements=_words(elements),
        atoms=atoms,
        kinds=kinds,
        tolerance=_bounds(tolerance, "--tolerance 0.8,1.1"),
        octahedral=_bounds(octahedral, "--octahedral 0.37,0.9"),
    )
    if as_json:
        print_json({"file": str(made.path), "candidates": made.n, "columns": made.columns})
    else:
        typer.echo(f"wrote {made.n} candidates to {made.path}: {', '.join(made.columns)}")
        typer.echo(f"in a campaign: pool: {made.path.name}, structure: structure")
    return int(Exit.FINISHED)


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def _bounds(text: str | None, hint: str) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        low, high = 1.0, 0.0
    if not low < high:
        raise InputError(f"'{text}' are no two bounds", hint=hint)
    return low, high
