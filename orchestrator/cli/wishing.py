"""Commands that ask something of a campaign: pause, resume, stop, resolve, observe, invalidate,
prefer, try."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.frame import (
    JsonOption,
    NameArgument,
    StoreOption,
    guarded,
    pairs,
    print_json,
)
from orchestrator.errors import Exit, InputError, UnknownName

if TYPE_CHECKING:
    from orchestrator.model.campaign import Campaign
    from orchestrator.runtime.look import Seen

CampaignOption = Annotated[
    str | None, typer.Option("--campaign", help="Campaign name or id  [the newest one]")
]
NoteOption = Annotated[str, typer.Option("--note", help="Why; it is kept in the journal.")]


def add_to(app: typer.Typer) -> None:
    """Adds this room's commands."""
    for command in (pause, resume, stop, resolve, observe, invalidate, prefer):
        app.command()(guarded(command))
    app.command("try")(guarded(try_point))


VERDICTS = ("done", "not-done", "failed")
LEVELS = ("reading", "sample", "run", "block")
BOUNDS = ("above", "below")


def still_open(store: str | None, name: str | None) -> Seen:
    """The campaign that is asked. The newest one is not taken where several are running: which of
    them that is changes from one event to the next.

    Raises:
        InputError: several may be meant; or it has ended, and nobody would answer.
    """
    from orchestrator.runtime.look import campaigns, look

    running = [row.id for row in campaigns(store) if row.holder] if name is None else []
    if len(running) > 1:
        raise InputError(
            f"{len(running)} campaigns are running: {', '.join(running)}",
            hint="name the one that is meant",
        )
    seen = look(store, name)
    if seen.state.finished is not None:
        raise InputError(
            f"campaign '{seen.row.name}' has ended ({seen.state.finished.why})",
            hint="start another one of that name: hagane run --new",
        )
    return seen


def _one_of(kind: str, name: str, known: Collection[str]) -> str:
    if name not in known:
        raise UnknownName(kind, name, known)
    return name


def send(
    store: str | None, campaign_id: str, kind: str, payload: dict[str, Any], *, as_json: bool
) -> int:
    from orchestrator.runtime.wishes import wish

    answer = wish(store, campaign_id, kind, payload)
    if answer.is_refused:
        raise InputError(answer.text)
    if as_json:
        print_json({"answer": answer.text, "is_waiting": answer.is_waiting})
    else:
        typer.echo(answer.text)
    return int(Exit.FINISHED)


def pause(
    name: NameArgument = None,
    note: NoteOption = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Let running actions end, and start no new one.

    Example: hagane pause niobium-titania
    """
    seen = still_open(store, name)
    return send(store, seen.row.id, "pause", {"why": note}, as_json=as_json)


def resume(
    name: NameArgument = None, store: StoreOption = None, as_json: JsonOption = False
) -> int:
    """Go on after a pause, a stop or an interlock.

    Example: hagane resume niobium-titania
    """
    seen = still_open(store, name)
    if seen.state.paused is None and not seen.row.holder:
        raise InputError(
            f"campaign '{seen.row.name}' is not paused", hint="`hagane run` goes on with it"
        )
    return send(store, seen.row.id, "resume", {}, as_json=as_json)


def stop(
    name: Annotated[
        str | None,
        typer.Argument(help="Campaign name or id  [all that are running]", show_default=False),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make everything safe at once. It latches until `hagane resume`.

    Example: hagane stop niobium-titania
    """
    from orchestrator.runtime.wishes import stop as stop_now

    answer = stop_now(store, name)
    if as_json:
        print_json({"answer": answer.text})
    else:
        typer.echo(answer.text)
    return int(Exit.FINISHED if answer.is_safe else Exit.ENVIRONMENT)


def resolve(
    ticket: Annotated[str, typer.Argument(help="Ticket, as `hagane doubts` lists it.")],
    verdict: Annotated[str, typer.Argument(help="done | not-done | failed")],
    result: Annotated[
        list[str] | None, typer.Option("--result", help="NAME=VALUE in the action's unit.")
    ] = None,
    at: Annotated[str, typer.Option(help="Where the sample is now.")] = "",
    note: NoteOption = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Replace a verdict by one that has it done once more.")
    ] = False,
    campaign: CampaignOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Say what became of an action in doubt.

    Example: hagane resolve 80d64fe3f56036f2 not-done --note "it never moved"
    """
    from orchestrator.runtime.resolving import replaced, resolution, waiting_verdict

    _one_of("verdict", verdict, VERDICTS)
    seen = still_open(store, campaign)
    is_left = not seen.row.holder
    if is_left and ticket in {d.event.ticket for d in seen.state.unlooked()}:
        raise InputError(
            f"nobody has looked into ticket {ticket} yet",
            hint="`hagane run` asks what can be asked, and then says what is in doubt",
        )
    _one_of("ticket in doubt", ticket, {d.event.ticket for d in seen.state.doubts()})
    results = pairs(result, "--result thickness=131.5")
    payload = resolution(seen.state, ticket, verdict.replace("-", "_"), results, at)
    waiting = waiting_verdict(store, seen.row.id, ticket)
    if waiting is not None:
        said = replaced(waiting, payload["verdict"], is_sure=yes)
        if said and not as_json:
            typer.echo(said)
    return send(store, seen.row.id, "resolve", payload | {"note": note}, as_json=as_json)


def observe(
    sample: Annotated[
        str,
        typer.Argument(help="Sample name or trial number; 7/b is another sample of trial 7."),
    ],
    metric: Annotated[
        str | None, typer.Option(help="Metric; without it all that are reduced of a file.")
    ] = None,
    value: Annotated[str | None, typer.Option(help="Value with its unit: '3.2 GPa'.")] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="An instrument's file; or a CSV with a column of the metric: its mean."),
    ] = None,
    sd: Annotated[str | None, typer.Option(help="Its standard deviation, with unit.")] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, help="Of how many samples it is the mean.")
    ] = None,
    level: Annotated[
        str, typer.Option(help="What was replicated: reading | sample | run | block")
    ] = "sample",
    censored: Annotated[
        str | None, typer.Option(help="above | below: only a bound is known.")
    ] = None,
    position: Annotated[str, typer.Option(help="Where on the sample.")] = "",
    campaign: CampaignOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Give a measurement that was made elsewhere, perhaps later.

    Example: hagane observe my-film-3 --metric resistivity --value "6e-4 ohm*cm"
    """
    from orchestrator.runtime.observing import check_observation

    seen = still_open(store, campaign)
    if metric is not None:
        _one_of("metric of this campaign", metric, [m.name for m in seen.campaign.metrics])
    trials = map(str, seen.state.trials)
    known = [*seen.state.samples, *trials]
    if sample.rpartition("/")[0] not in known:
        _one_of("sample or trial of this campaign", sample, known)
    _one_of("level of replication", level, LEVELS)
    if censored is not None:
        _one_of("kind of censoring", censored, BOUNDS)
    said = {"sd": sd, "n_samples": samples, "censored": censored}
    more = {
        "sample": sample,
        "level": level,
        "position": position,
        **{name: given for name, given in said.items() if given is not None},
    }
    found = [
        o | more for o in _measured(store, seen.row.id, seen.campaign, metric, value, file, level)
    ]
    checked = [check_observation(seen.campaign, seen.state, payload) for payload in found]
    for remark in dict.fromkeys(filter(None, checked)):
        typer.echo(remark, err=True)
    for payload in found:
        send(store, seen.row.id, "observe", payload, as_json=as_json)
    return int(Exit.FINISHED)


def _measured(
    store: str | None,
    name: str | None,
    campaign: Campaign,
    metric: str | None,
    value: str | None,
    file: Path | None,
    level: str,
) -> list[dict[str, Any]]:
    """What was measured, of each metric. A file is kept before it is read."""
    from orchestrator.runtime.observing import keep_file, observation, of_scan, reduced_metrics

    names = reduced_metrics(campaign, metric)
    if metric is None and (file is None or not names):
        known = ", ".join(m.name for m in campaign.metrics)
        raise InputError("say with --metric what was measured", hint=f"known: {known}")
    if file is not None and value is None:
        try:
            data = file.read_bytes()
        except OSError as error:
            raise InputError(f"{file} cannot be read: {error.strerror}") from error
        keep_file(store, name, file.name, data)
        if names:
            return of_scan(campaign, names, file, data)
    assert metric is not None, "it was asked for"
    return [observation(metric, value, file, level)]


def invalidate(
    sample: Annotated[
        str, typer.Argument(help="Trial number, with all its samples; or one sample: 7/b.")
    ],
    why: Annotated[str, typer.Option(help="What went wrong; it is kept in the journal.")],
    metric: Annotated[str | None, typer.Option(help="Metric; without it all of them.")] = None,
    campaign: CampaignOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Take back a measurement that went wrong.

    The planner forgets it, the journal does not.

    Example: hagane invalidate 7 --metric resistivity --why "a probe was lifted"
    """
    from orchestrator.runtime.observing import invalidation

    seen = still_open(store, campaign)
    if metric is not None:
        _one_of("metric of this campaign", metric, [m.name for m in seen.campaign.metrics])
    payload, words = invalidation(seen.state, sample, metric, why)
    if not as_json:
        typer.echo(words)
    return send(store, seen.row.id, "invalidate", payload, as_json=as_json)


def try_point(
    point: Annotated[list[str], typer.Argument(help="NAME=VALUE for each parameter.")],
    campaign: CampaignOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Have a point of your own tried, before the planner's next one.

    Example: hagane try oxygen="0.4 sccm" temperature="420 degC" power="150 W" argon="0.5 Pa"
    """
    from orchestrator.model.points import point_from

    given = pairs(point, "oxygen=0.4")
    seen = still_open(store, campaign)
    point_from(seen.campaign.space, given)
    return send(store, seen.row.id, "try", {"point": given}, as_json=as_json)


def prefer(
    better: Annotated[int, typer.Argument(help="Number of the better trial.")],
    worse: Annotated[int, typer.Argument(help="Number of the other one.")],
    campaign: CampaignOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Say which of two trials is the better one.

    Example: hagane prefer 7 4
    """
    seen = still_open(store, campaign)
    for number in (better, worse):
        _one_of("trial of this campaign", str(number), [*map(str, seen.state.trials)])
    return send(store, seen.row.id, "prefer", {"better": better, "worse": worse}, as_json=as_json)
