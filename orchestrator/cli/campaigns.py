"""Commands that play a campaign: demo, run, check, rehearse, new."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.checking import check
from orchestrator.cli.frame import (
    CampaignArgument,
    JsonOption,
    LabOption,
    RecordOption,
    StoreOption,
    guarded,
    perhaps_unheard,
    print_json,
)
from orchestrator.cli.pooling import new_pool
from orchestrator.cli.wires import wire_table
from orchestrator.errors import Exit, TurnUnderWay

if TYPE_CHECKING:
    from orchestrator.runtime.run import Finish, Setting

NewOption = Annotated[bool, typer.Option("--new", help="Start another campaign of that name.")]


def add_to(app: typer.Typer) -> None:
    """Adds this room's commands."""
    for command in (demo, run, tick, check, rehearse):
        app.command()(guarded(command))
    new = typer.Typer(help="Write the files of something new.", no_args_is_help=True)
    new.command("campaign")(guarded(new_campaign))
    new.command("pool")(guarded(new_pool))
    new.command("driver")(guarded(new_driver))
    app.add_typer(new, name="new")


class _Screen:
    """A progress display that starts once the campaign is known, or none for JSON."""

    def __init__(self, *, is_silent: bool) -> None:
        self._is_silent = is_silent
        self._progress: Any = None
        self._context: AbstractContextManager[Any] = nullcontext()

    def setting(self, record: str = "") -> Setting:
        """What the run is to tell, and where its traffic is recorded."""
        from orchestrator.runtime.run import Setting

        if self._is_silent:
            return Setting(record=record)
        return Setting(watch=self._watch, on_campaign=self._start, record=record)

    def _start(self, loaded: Any, row: Any, changes: Sequence[str]) -> None:
        from rich.console import Console

        from orchestrator.cli.terminal import Progress
        from orchestrator.model.candidates import set_aside_words

        console = Console()
        with perhaps_unheard():
            heading = ": ".join(filter(None, (loaded.campaign.name, loaded.campaign.goal)))
            console.print(heading, markup=False)
            console.print(f"on lab '{loaded.lab.name}', campaign id {row.id}", markup=False)
            aside = set_aside_words(loaded.campaign.space)
            for said in (*aside, *loaded.remarks, *changes):
                console.print(said, style="yellow", markup=False)
            self._progress = Progress(loaded.campaign, console)
            self._context = self._progress
            self._context.__enter__()

    def _watch(self, recorded: Any, state: Any) -> None:
        if self._progress is not None:
            self._progress.update(recorded, state)

    def __enter__(self) -> _Screen:
        return self

    def __exit__(self, *error: Any) -> None:
        self._context.__exit__(*error)


def run(
    campaign: CampaignArgument,
    lab: LabOption = None,
    store: StoreOption = None,
    new: NewOption = False,
    record: RecordOption = "",
    as_json: JsonOption = False,
) -> int:
    """Run a campaign, or go on with it.

    Example: hagane run campaigns/niobium_titania --lab twins.yaml
    """
    from orchestrator.runtime.run import run_campaign

    with _Screen(is_silent=as_json) as screen:
        setting = screen.setting(record)
        finish = run_campaign(campaign, lab, store=store, new=new, setting=setting)
    with perhaps_unheard():
        _tell(finish, as_json=as_json)
    return int(finish.ending.exit_code)


def tick(
    campaign: CampaignArgument,
    lab: LabOption = None,
    store: StoreOption = None,
    new: NewOption = False,
    as_json: JsonOption = False,
) -> int:
    """Take one turn: collect, decide, submit; for cron. Exit code 75: there is more to come.

    Example: hagane tick alloys --lab cluster.yaml
    """
    from orchestrator.runtime.tick import tick as turn

    try:
        told = turn(campaign, lab, store=store, new=new)
    except TurnUnderWay as error:
        return _under_way(error, as_json=as_json)
    ending = told.finish.ending
    with perhaps_unheard():
        if as_json:
            counts = {k: getattr(told, k) for k in ("n_running", "n_waiting", "n_submitted")}
            print_json(
                {
                    "campaign": told.finish.campaign_id,
                    "exit_code": int(ending.exit_code),
                    "why": ending.sentence,
                    "hint": ending.hint,
                    **counts,
                }
            )
        else:
            typer.echo(told.line + (f" ({ending.hint})" if ending.hint else ""))
    return int(ending.exit_code)


def _under_way(error: TurnUnderWay, *, as_json: bool) -> int:
    code = int(error.exit_code)
    with perhaps_unheard():
        if as_json:
            print_json({"exit_code": code, "why": str(error), "hint": error.hint})
        else:
            typer.echo(f"{error} ({error.hint})")
    return code


def demo(
    store: StoreOption = None,
    report: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("out/demo.html"),
    as_json: JsonOption = False,
) -> int:
    """Run the niobium-titania campaign on twins and write its report.

    Example: hagane demo --report out/demo.html
    """
    from orchestrator.runtime.run import run_campaign

    with _Screen(is_silent=as_json) as screen:
        finish = run_campaign("niobium_titania", store=store, new=True, setting=screen.setting())
    with perhaps_unheard():
        _tell(finish, as_json=as_json)
    if finish.state.trials:
        from orchestrator.reports.page import write_report
        from orchestrator.runtime.belief import belief_of

        campaign, lab = finish.loaded.campaign, finish.loaded.lab.name
        found = belief_of(campaign, finish.state)
        path = write_report(
            *(campaign, finish.state, report),
            lab=lab,
            belief=found.belief,
            why_none=found.why_none,
        )
        if not as_json:
            typer.echo(f"report: {path}")
    return int(finish.ending.exit_code)


def _tell(finish: Finish, *, as_json: bool) -> None:
    from orchestrator.reports.summary import summary

    glance = summary(finish.loaded.campaign, finish.state)
    ending = finish.ending
    wires = {name: figures.plain() for name, figures in finish.wires.items()}
    if as_json:
        print_json(
            {
                "campaign": finish.campaign_id,
                "exit_code": int(ending.exit_code),
                "why": ending.sentence,
                "hint": ending.hint,
                "summary": glance,
                "wires": wires,
            }
        )
        return
    typer.echo(glance.headline)
    if glance.confirmed:
        typer.echo(glance.confirmed)
    typer.echo(ending.sentence)
    if ending.hint:
        typer.echo(f"hint: {ending.hint}")
    for line in wire_table(wires):
        typer.echo(line)


def rehearse(
    campaign: CampaignArgument,
    lab: LabOption = None,
    planner: Annotated[
        str | None, typer.Option(help="Another planner: sobol needs no model.")
    ] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Another budget.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Play a campaign on its twins, on a clock that jumps.

    What it would learn from other campaigns is read from the store; nothing is written there.

    Example: hagane rehearse campaigns/niobium_titania --planner sobol
    """
    from orchestrator.reports.summary import summary
    from orchestrator.runtime.rehearse import rehearse as play

    played = play(campaign, lab, planner=planner, trials=trials, store=store)
    study, state = played.finish.loaded.campaign, played.finish.state
    glance = summary(study, state)
    hits = [t.sentence for t in state.trials.values() if t.sentence]
    if as_json:
        print_json(
            {
                "took_s": played.took_s,
                "lab_s": played.lab_s,
                "exit_code": int(played.finish.ending.exit_code),
                "why": played.finish.ending.sentence,
                "failures": hits,
                "left_out": played.left_out,
                "summary": glance,
            }
        )
        return int(played.finish.ending.exit_code)
    from rich.console import Console

    from orchestrator.cli.terminal import print_timeline, print_trials

    console = Console()
    print_trials(study, state, console)
    print_timeline(study, state, console)
    typer.echo(f"limits and failures: {len(hits)}" + "".join(f"\n  {h}" for h in hits[:10]))
    typer.echo(glance.headline)
    typer.echo(played.finish.ending.sentence)
    for name in played.left_out:
        typer.echo(
            f"left out: campaign '{name}' is not in the store, so nothing was learnt from it"
        )
    typer.echo(
        f"{played.lab_s / 3600:.1f} h of lab time rehearsed in {played.took_s:.1f} s; "
        "nothing here was measured on hardware"
    )
    return int(played.finish.ending.exit_code)


def new_campaign(
    name: Annotated[str, typer.Argument(help="Name of the campaign and of its folder.")],
    as_json: JsonOption = False,
) -> int:
    """Write a campaign folder to start from.

    Example: hagane new campaign my-alloy
    """
    from orchestrator.runtime.new import new_campaign as write

    path = write(Path(name))
    if as_json:
        print_json({"folder": str(path)})
    else:
        typer.echo(f"wrote {path}/; next: hagane rehearse {path}")
    return int(Exit.FINISHED)


def new_driver(
    name: Annotated[
        str, typer.Argument(help="Kind of resource, maker-model, or a path that ends in it.")
    ],
    as_json: JsonOption = False,
) -> int:
    """Write a driver, its twin and its tests as a distribution of its own.

    Example: hagane new driver acme-bh1
    """
    from orchestrator.runtime.new_driver import new_driver as write

    made = write(Path(name))
    if as_json:
        print_json(made)
        return int(Exit.FINISHED)
    typer.echo(f"wrote {made.folder}/: {', '.join(made.files)}")
    typer.echo("next, in a virtual environment that has hagane:")
    for step in made.next:
        typer.echo(f"  {step}")
    return int(Exit.FINISHED)
