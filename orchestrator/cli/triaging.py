"""The command triage: candidates for people to judge, and what they said of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.frame import JsonOption, NameArgument, StoreOption, guarded, print_json
from orchestrator.errors import Exit, InputError

if TYPE_CHECKING:
    from orchestrator.runtime.triage import Shortlist, Shortlisted


def add_to(app: typer.Typer) -> None:
    """Adds this room's command."""
    app.command()(guarded(triage))


def triage(
    name: NameArgument = None,
    n: Annotated[int, typer.Option("--n", min=1, max=1000, help="How many candidates.")] = 40,
    to: Annotated[
        Path | None, typer.Option("--to", help="Write a sheet: .xlsx with drawings, or .csv.")
    ] = None,
    sdf: Annotated[Path | None, typer.Option(help="Also write the structures.")] = None,
    votes: Annotated[
        Path | None,
        typer.Option(help="Take the votes of a sheet: +1 is tried next, -1 not proposed again."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Give people the best candidates to judge, and take their votes.

    Example: hagane triage polymers --to triage.xlsx
    """
    if votes is not None:
        if to is not None or sdf is not None:
            raise InputError("a sheet is either written or read", hint="leave --to and --sdf away")
        return _take(name, votes, store, as_json=as_json)
    from orchestrator.runtime.look import look
    from orchestrator.runtime.triage import shortlist

    seen = look(store, name)
    found = shortlist(seen.campaign, seen.state, n)
    written, remarks = _write(found, to, sdf)
    if as_json:
        told = [_told(row) for row in found.rows]
        print_json({"candidates": told, "written": written, "remarks": remarks})
        return int(Exit.FINISHED)
    if not written:
        _print(found)
    for line in written:
        typer.echo(line)
    for sentence in remarks:
        typer.echo(f"# {sentence}", err=True)
    return int(Exit.FINISHED)


def _write(found: Shortlist, to: Path | None, sdf: Path | None) -> tuple[list[str], list[str]]:
    """The files that were written, and what could not be told."""
    from orchestrator.runtime.triage_sheet import write_sheet, write_structures

    written, remarks = [], list(found.remarks)
    if sdf is not None:
        n_left_out = write_structures(found, sdf)
        written.append(str(sdf))
        remarks += [f"{n_left_out} have no structure that SDF can hold."] if n_left_out else []
    if to is not None:
        written.insert(0, str(write_sheet(found, to)))
    return written, remarks


def _take(name: str | None, votes: Path, store: str | None, *, as_json: bool) -> int:
    from orchestrator.cli.wishing import send, still_open
    from orchestrator.runtime.votes import read_votes, told_of

    seen = still_open(store, name)
    found = read_votes(votes, seen.campaign, seen.state)
    if not as_json:
        typer.echo(told_of(seen.campaign, seen.state, found))
    return send(store, seen.row.id, "vote", found, as_json=as_json)


def _told(row: Shortlisted) -> dict[str, Any]:
    near = row.nearest
    return {
        "name": row.name,
        "material": row.material,
        "proposal": row.proposal.model_dump(mode="json"),
        "new": row.is_new,
        "outside": row.is_outside,
        "most_like": row.kin,
        "nearest": None if near is None else {
            "trial": near.trial,
            "name": near.name,
            "distance": near.distance,
            "similarity": near.similarity,
            "outcomes": {m: o.value for m, o in near.known.outcomes.items()},
        },
        "weight": row.weight,
        "accessibility": row.accessibility,
    }  # fmt: skip


def _print(found: Shortlist) -> None:
    from rich.console import Console

    from orchestrator.cli.shortlisting import print_shortlist

    print_shortlist(found, Console())
