"""Commands that look: list, show, trials, belief, events, doubts, report, export."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestrator.cli.frame import JsonOption, NameArgument, StoreOption, guarded, print_json
from orchestrator.errors import Exit, InputError, UnknownName

STRUCTURES = (".extxyz", ".xyz", ".db")
"""Endings of files of calculated structures."""


def add_to(app: typer.Typer) -> None:
    """Adds this room's commands."""
    app.command("list")(guarded(list_campaigns))
    for command in (show, trials, belief, events, doubts, report, export):
        app.command()(guarded(command))


def _console() -> Any:
    from rich.console import Console

    return Console()


def list_campaigns(store: StoreOption = None, as_json: JsonOption = False) -> int:
    """List the campaigns of a store.

    Example: hagane list
    """
    from orchestrator.runtime.look import campaigns

    rows = campaigns(store)
    if as_json:
        print_json(rows)
    else:
        from orchestrator.cli.terminal import print_campaigns

        print_campaigns(rows, _console())
    return int(Exit.FINISHED)


def show(name: NameArgument = None, store: StoreOption = None, as_json: JsonOption = False) -> int:
    """Show where a campaign stands.

    Example: hagane show niobium-titania
    """
    from orchestrator.model.patience import waits
    from orchestrator.reports.summary import summary
    from orchestrator.runtime.look import look

    seen = look(store, name)
    if as_json:
        told = {"campaign": seen.row, "summary": summary(seen.campaign, seen.state)}
        print_json({**told, "waits": waits(seen.campaign, seen.state)})
    else:
        from orchestrator.cli.terminal import print_state

        row = seen.row
        held = {"is_held": bool(row.holder), "is_stopped": row.is_stopped}
        print_state(seen.campaign, seen.state, _console(), **held)
    return int(Exit.FINISHED)


def trials(
    name: NameArgument = None, store: StoreOption = None, as_json: JsonOption = False
) -> int:
    """List the trials of a campaign.

    Example: hagane trials niobium-titania
    """
    from orchestrator.runtime.look import look

    seen = look(store, name)
    if as_json:
        from orchestrator.reports.export import trials_table

        header, rows = trials_table(seen.campaign, seen.state)
        print_json([dict(zip(header, row, strict=True)) for row in rows])
    else:
        from orchestrator.cli.terminal import print_trials

        print_trials(seen.campaign, seen.state, _console())
    return int(Exit.FINISHED)


def belief(
    name: NameArgument = None, store: StoreOption = None, as_json: JsonOption = False
) -> int:
    """Show what the model believes, and whether to trust it.

    Example: hagane belief niobium-titania
    """
    from orchestrator.runtime.belief import belief_of
    from orchestrator.runtime.look import look

    seen = look(store, name)
    found = belief_of(seen.campaign, seen.state)
    if as_json:
        from orchestrator.reports.beliefs import held, recommendation

        told: dict[str, Any] = {
            "campaign": seen.row,
            "belief": found.belief,
            "why_none": found.why_none,
        }
        if found.belief is not None:
            told["in_words"] = held(seen.campaign, seen.state, found.belief)
            told["recommendation"] = recommendation(seen.campaign, seen.state, found.belief)
        print_json(told)
    elif found.belief is None:
        typer.echo(found.why_none)
    else:
        from orchestrator.cli.believing import print_belief

        print_belief(seen.campaign, seen.state, found.belief, _console())
    return int(Exit.FINISHED)


def events(
    name: NameArgument = None,
    after: Annotated[int, typer.Option(help="Only events after this number.")] = 0,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Print the journal of a campaign; with --json one event a line.

    Example: hagane events niobium-titania --after 100
    """
    from orchestrator.runtime.look import events as read

    recorded = read(store, name, after)
    if as_json:
        for entry in recorded:
            typer.echo(entry.model_dump_json())
    else:
        from orchestrator.cli.terminal import print_events

        print_events(recorded, _console())
    return int(Exit.FINISHED)


def doubts(
    name: NameArgument = None, store: StoreOption = None, as_json: JsonOption = False
) -> int:
    """List actions of which it is not known whether they took place.

    Example: hagane doubts niobium-titania
    """
    from functools import partial

    from orchestrator.cli.terminal import known_of, print_doubts
    from orchestrator.runtime.look import look
    from orchestrator.runtime.result_units import dispatched_action

    seen = look(store, name)
    is_held = bool(seen.row.holder)
    open_ones = [*seen.state.doubts(), *([] if is_held else seen.state.unlooked())]
    if as_json:
        print_json(
            [
                {
                    "ticket": d.event.ticket,
                    "resource": d.event.resource,
                    "action": d.event.action,
                    "trial": d.event.trial,
                    "sample": d.event.sample,
                    "effect": d.event.effect,
                    "known": known_of(d),
                }
                for d in open_ones
            ]
        )
    else:
        declared = partial(dispatched_action, seen.state)
        print_doubts(seen.campaign, seen.state, _console(), is_held=is_held, declared=declared)
    return int(Exit.PERSON if open_ones else Exit.FINISHED)


def report(
    name: NameArgument = None,
    to: Annotated[Path, typer.Option("--to", help="The HTML file.")] = Path("report.html"),
    figures: Annotated[
        Path | None, typer.Option(help="Also write figures (SVG, PNG, PDF) into this folder.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Write a campaign's report: one HTML file that opens offline.

    Example: hagane report niobium-titania --to report.html
    """
    from orchestrator.reports.page import write_report
    from orchestrator.runtime.belief import belief_of
    from orchestrator.runtime.look import look
    from orchestrator.runtime.looks import looks_of

    if to.suffix.lower() not in (".html", ".htm"):
        hint = "name it .html; a browser prints it as PDF"
        raise InputError(f"a report is one HTML file, not '{to.name}'", hint=hint)
    seen = look(store, name)
    lab = seen.state.engine.lab_name if seen.state.engine else ""
    found = belief_of(seen.campaign, seen.state)
    page = write_report(
        seen.campaign,
        seen.state,
        to,
        lab=lab,
        belief=found.belief,
        why_none=found.why_none,
        looks=looks_of(seen.campaign, seen.state),
    )
    written = [str(page)]
    if figures is not None:
        from orchestrator.reports.figures import write_figures

        with warnings.catch_warnings(record=True) as said:
            written += [str(p) for p in write_figures(seen.campaign, seen.state, figures)]
        for one in said:
            typer.echo(str(one.message), err=True)
    if as_json:
        print_json({"written": written})
    else:
        typer.echo("\n".join(written))
    return int(Exit.FINISHED)


def export(
    to: Annotated[
        Path,
        typer.Argument(
            help="Trials as .csv or .xlsx; calculated structures as .extxyz or .db (ASE); "
            "with --whole a store; with --files a folder."
        ),
    ],
    name: Annotated[str | None, typer.Option("--campaign", help="Name or id.")] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="The journal and its artifacts in one file.")
    ] = False,
    files: Annotated[
        bool, typer.Option("--files", help="Files and traces of instruments, as they were kept.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Export trials, structures, kept files, or a whole campaign.

    Example: hagane export trials.csv --campaign niobium-titania
    """
    from orchestrator.runtime.look import look, row_of, stored

    if whole:
        with stored(store, to_look=True) as opened:
            opened.export(row_of(opened, name).id, to)
    elif files:
        from orchestrator.runtime.scans import export_files

        seen = look(store, name)
        with stored(store, to_look=True) as opened:
            export_files(opened, row_of(opened, name).id, seen.state, to)
    elif to.suffix.lower() in STRUCTURES:
        from orchestrator.runtime.structures import export_structures

        seen = look(store, name)
        export_structures(seen.campaign, seen.state, to)
    else:
        from orchestrator.runtime.trials import TABLES, export_trials

        if to.suffix.lower() not in TABLES:
            kinds = (*TABLES, *STRUCTURES)
            raise UnknownName("kind of file that is written", to.suffix or to.name, kinds)
        seen = look(store, name)
        export_trials(seen.campaign, seen.state, to)
    if as_json:
        print_json({"written": str(to)})
    else:
        typer.echo(str(to))
    return int(Exit.FINISHED)
