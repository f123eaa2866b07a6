"""All commands by name; each room of them is imported when typer needs it."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import campaigns, labs, looking, planning, triaging, wishing
from orchestrator.cli.frame import fail
from orchestrator.errors import HaganeError

app = typer.Typer(
    name="hagane",
    help="Autonomous experiments in materials science: one campaign file on simulated twins, on "
    "calculations and on real hardware.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"hagane {version('hagane')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if not __debug__:
        why = "Python runs without assertions (-O or PYTHONOPTIMIZE)"
        hint = "run it with them: ASE, for one, reads structures wrongly without"
        fail(HaganeError(why, hint=hint), as_json=False)


for room in (campaigns, looking, wishing, triaging, planning, labs):
    room.add_to(app)
