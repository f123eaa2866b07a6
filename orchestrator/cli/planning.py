"""Commands for those who have a table and no devices: propose, replay."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.frame import JsonOption, guarded, pairs, print_json
from orchestrator.errors import Exit, InputError

if TYPE_CHECKING:
    from orchestrator.runtime.ask_tell import Advice
    from orchestrator.runtime.assuming import Wanted
    from orchestrator.runtime.replay import Needed, Replayed


def add_to(app: typer.Typer) -> None:
    """Adds this room's commands."""
    app.command()(guarded(propose))
    app.command()(guarded(replay))


def propose(
    data: Annotated[Path, typer.Option(help="CSV or XLSX of results, one row an experiment.")],
    n: Annotated[int, typer.Option("-n", min=1, help="How many points.")] = 1,
    campaign: Annotated[
        str | None, typer.Option(help="Campaign file with the space and the objective.")
    ] = None,
    minimise: Annotated[
        list[str] | None, typer.Option(help="Column to make small; may be given again.")
    ] = None,
    maximise: Annotated[
        list[str] | None, typer.Option(help="Column to make large; may be given again.")
    ] = None,
    context: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE of what cannot be chosen, as it is now.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Write the points to this CSV.")] = None,
    seed: Annotated[int, typer.Option(help="Seed, without a campaign file.")] = 0,
    as_json: JsonOption = False,
) -> int:
    """Propose the next experiments from a table of results.

    Example: hagane propose --data results.csv --maximise strength -n 4
    """
    from orchestrator.reports.single_page import write_text
    from orchestrator.runtime.ask_tell import propose as ask

    if campaign is not None and (minimise or maximise):
        raise InputError(
            "the campaign file says what is wanted", hint="leave --minimise and --maximise away"
        )
    goals: list[Wanted] = [("minimise", column) for column in minimise or ()]
    goals += [("maximise", column) for column in maximise or ()]
    now = pairs(context, "--context humidity=45")
    advice = ask(data, n, campaign=campaign, goal=goals, context=now, seed=seed)
    table = _as_csv(advice)
    if to is not None:
        write_text(to, table)
    if as_json:
        print_json([p.model_dump(mode="json") for p in advice.proposals])
    else:
        typer.echo(table.rstrip())
    for said in _said(advice):
        typer.echo(f"# {said}", err=True)
    return int(Exit.FINISHED)


def _said(advice: Advice) -> Iterator[str]:
    """What is to be known beside the points: why each, and what was made of the table."""
    from orchestrator.model.candidates import set_aside_words
    from orchestrator.model.trial import remarks

    yield from (f"{i}: {proposal.why}" for i, proposal in enumerate(advice.proposals, 1))
    if advice.proposals:
        notes = advice.proposals[0].notes
        said = {
            "doubt": "not to be relied on",
            "unlike": "look at what is unlike all that the others say",
            "transfer": "how likely each is to predict best",
        }
        yield from (f"{words}: {notes[name]}" for name, words in said.items() if name in notes)
        yield from remarks(notes)
    yield from set_aside_words(advice.task.space)
    yield from filter(None, [advice.outside])
    yield from advice.remarks
    in_part = f" ({advice.n_partial} in part)" if advice.n_partial else ""
    note = f"from {advice.n_results} results{in_part}, {advice.n_pending} in flight"
    if advice.is_assumed:
        note += "; ranges are those seen in the table: --campaign FILE gives others"
    yield note
    yield from (f"without {one}: only `hagane run` learns from it" for one in advice.left_out)


def _as_csv(advice: Advice) -> str:
    from orchestrator.model.decimals import written

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    parameters = advice.task.space.parameters
    units = [getattr(p, "unit", "") for p in parameters]
    names = [f"{p.name} [{u}]" if u else p.name for p, u in zip(parameters, units, strict=True)]
    writer.writerow(names)
    for proposal in advice.proposals:
        writer.writerow(written(advice.task.space, proposal.point).values())
    return out.getvalue()


def replay(
    table: Annotated[Path, typer.Option(help="CSV of experiments that were really made.")],
    campaign: Annotated[str, typer.Option(help="Campaign file with the space and the objective.")],
    columns: Annotated[
        list[str] | None, typer.Option(help="NAME=COLUMN where the names differ.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many replays.")] = 5,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Most experiments a replay  [the budget]")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Draw it into this HTML file.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Replay a campaign against a table of real experiments.

    What is best is looked for among the settings that keep the limits; of several goals the share
    of the table's dominated hypervolume is counted.

    Example: hagane replay --table made.csv --campaign barrel.yaml --seeds 10
    """
    from orchestrator.runtime.replay import replay as play

    mapping = pairs(columns, "--columns thickness=t_mm")
    progress = _progress if sys.stderr.isatty() and not as_json else None
    played = play(table, campaign, columns=mapping, seeds=seeds, limit=limit, progress=progress)
    if to is not None:
        _draw(played, to)
    if as_json:
        told = {
            "limit": played.limit,
            "quantity": played.quantity,
            "needed": played.needed,
            "curves": played.curves,
        }
        print_json(told | ({"remark": played.remark} if played.remark else {}))
        return int(Exit.FINISHED)
    n = len(played.settings.means)
    typer.echo(f"{played.source}: {n} settings, {len(played.curves)} replays of {played.limit}")
    if played.remark:
        typer.echo(played.remark)
    for needed in played.needed:
        typer.echo(in_words(needed, played.limit))
    if to is not None:
        typer.echo(f"drawn: {to}")
    return int(Exit.FINISHED)


def in_words(needed: Needed, limit: int) -> str:
    """How many experiments a goal took, and how many times fewer than random order, of which no
    more are counted than the limit either."""
    counts = ", ".join("-" if c is None else str(c) for c in needed.counts)
    low, high = needed.interval
    is_cut = f"{needed.random_within:.1f}" != f"{needed.random_mean:.1f}"
    cut = f" ({needed.random_within:.1f} where {limit} is counted for more)" if is_cut else ""
    bound = "at least " if is_cut or None in needed.counts else ""
    spread = f"95 % {low:.2g} ... {high:.2g}" if len(needed.counts) > 1 else "one replay"
    return (
        f"{needed.goal}: {counts} experiments; random needs {needed.random_mean:.1f} on "
        f"average{cut}; {bound}{needed.factor:.2g} times faster ({spread})"
    )


def _progress(seed: int, number: int, value: float) -> None:
    typer.echo(f"\rreplay {seed + 1}, experiment {number}: {value:.4g}      \r", nl=False, err=True)


def _draw(played: Replayed, to: Path) -> None:
    from orchestrator.reports.replay import write_replay_report
    from orchestrator.reports.summary import wanted

    study = played.campaign
    write_replay_report(
        to,
        title=study.name,
        quantity=played.quantity,
        unit=played.unit,
        wanted=wanted(study),
        curves=played.curves,
        random_expectation=played.random_curve,
        needed={n.goal: n.counts for n in played.needed},
        facts={
            "table": played.source,
            "settings": str(len(played.settings.means)),
            "replays": f"{len(played.curves)}, each of {played.limit} experiments at most",
        }
        | ({"remark": played.remark} if played.remark else {}),
    )
