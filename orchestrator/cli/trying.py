"""One action of a lab by hand, on a terminal: resource try."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.frame import JsonOption, RecordOption, pairs, print_json
from orchestrator.errors import Exit, InputError, Stopped

if TYPE_CHECKING:
    from orchestrator.model.events import ResourceFound
    from orchestrator.runtime.trying import Attempt, Tried


def resource_try(
    lab: Annotated[Path, typer.Argument(help="Lab file.")],
    role: Annotated[str, typer.Argument(help="Role of the lab, or name of a resource.")],
    action: Annotated[str, typer.Argument(help="What it is to do.")],
    given: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Arguments, with units.")
    ] = None,
    hold: Annotated[
        str, typer.Option("--hold", help="Time to wait before it is made safe, such as '30 s'.")
    ] = "0 s",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before what cannot be undone.")] = (
        False
    ),
    record: RecordOption = "",
    as_json: JsonOption = False,
) -> int:
    """Do one action of a lab by hand, then make it safe and let go of it.

    Limits and interlocks hold as in a campaign. A lab of twins has its twins started.

    Example: hagane resource try twins.yaml heater set_temperature temperature='120 degC' --hold 60s
    """
    from orchestrator.model.quantity import quantity_in
    from orchestrator.runtime.trying import attempt, carry_out

    hold_s = quantity_in(hold, "s")
    tried = attempt(lab, role, action, pairs(given, "temperature='120 degC'"), record)
    is_sure = yes or tried.can_be_undone
    if not is_sure and (as_json or not sys.stdin.isatty()):
        raise InputError(
            f"{role}.{action} is {tried.action.effect.value}: it cannot be undone, and nobody is "
            "there to be asked",
            hint="say --yes if it is to be done",
        )

    def agree(found: ResourceFound) -> None:
        if not as_json:
            _show(tried, found)
        if not is_sure and not typer.confirm("This cannot be undone. Is it to be done?"):
            raise Stopped("nothing was done")

    done = carry_out(tried, agree, hold_s=hold_s, warn=_warn)
    if as_json:
        print_json(_as_data(tried, done))
    else:
        _print(tried, done)
    is_left = tried.action.effect.value != "none" and not done.made_safe
    return int(Exit.ENVIRONMENT if is_left else Exit.FINISHED)


def _warn(what: str) -> None:
    typer.echo(f"error: {what}\nhint: go and look at it: it may still be on", err=True)


def _show(tried: Attempt, found: ResourceFound) -> None:
    """Who answers, and what is about to be done."""
    who = " ".join(filter(None, (found.maker, found.model, found.serial, found.firmware)))
    binding = tried.lab.resource(tried.resource)
    where = ", ".join(binding.places)
    typer.echo(f"{tried.resource}: {who} ({binding.kind}{f' on {where}' if where else ''})")
    spec = tried.action
    given = ", ".join(
        f"{name} = {_quantity(value, unit)}" for name, (value, unit) in _arguments(tried).items()
    )
    typer.echo(f"{spec.name}({given}): {spec.doc.splitlines()[0] if spec.doc else ''}")
    after = "" if spec.effect.value == "none" else "; afterwards it is made safe"
    typer.echo(f"effect: {spec.effect.value}{after}")


def _print(tried: Attempt, done: Tried) -> None:
    for result in tried.action.results:
        value = done.results.get(result.name)
        typer.echo(f"{result.name} = {_quantity(value, result.unit)}")
    typer.echo(f"done{', and made safe' if done.made_safe else ''}")


def _arguments(tried: Attempt) -> dict[str, tuple[Any, str]]:
    """Values and units, what is left to the driver's default included."""
    found = {}
    for arg in tried.action.args:
        value = tried.arguments.get(arg.name, arg.default)
        if value not in (None, ""):
            found[arg.name] = (value, arg.unit)
    return found


def _quantity(value: Any, unit: str) -> str:
    match value:
        case {"value": bound, "side": side}:
            said = f"{side} {bound:.6g}"
        case list() | tuple():
            said = ", ".join(f"{v:.6g}" for v in value) or "none"
        case float():
            said = f"{value:.6g}"
        case None:
            return "none"
        case _:
            said = str(value)
    return f"{said} {unit}".rstrip()


def _as_data(tried: Attempt, done: Tried) -> dict[str, Any]:
    units = {result.name: result.unit for result in tried.action.results}
    return {
        "resource": tried.resource,
        "action": tried.action.name,
        "effect": tried.action.effect.value,
        "arguments": {n: {"value": v, "unit": u} for n, (v, u) in _arguments(tried).items()},
        "results": {n: {"value": v, "unit": units[n]} for n, v in done.results.items()},
        "made_safe": done.made_safe,
    }
