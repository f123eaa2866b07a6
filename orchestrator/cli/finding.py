"""The ports of this machine, on a terminal: resource find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.frame import JsonOption, print_json
from orchestrator.errors import Exit, InputError

if TYPE_CHECKING:
    from orchestrator.ports.resource import PortFound
    from orchestrator.runtime.finding import Probed


def resource_find(
    port: Annotated[
        list[str] | None, typer.Option("--port", help="This port only, listed or not; repeatable.")
    ] = None,
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Open the ports, and send the kinds' identification queries."),
    ] = False,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Ask as this kind only; repeatable.")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """List the serial ports with their USB ids; with --probe, ask who is there.

    Nothing is sent without --probe. Even an identification query may disturb a device that is of
    another kind: limit it with --port and --kind where something is running.

    Example: hagane resource find --probe --port /dev/ttyUSB0 --kind keithley-2400
    """
    from orchestrator.runtime import finding

    if kind and not probe:
        raise InputError("--kind says what is asked", hint="add --probe: nothing is asked without")
    kinds = finding.recognisable(kind or ()) if probe else {}
    ports = finding.ports_here(port or ())
    probed = finding.probe(ports, kinds, _quietly if as_json else _tell) if probe else []
    if as_json:
        print_json(probed if probe else ports)
    else:
        _print_all(ports, probed, is_probed=probe)
    wrong = finding.not_asked(ports, probed) if port else None
    if wrong is None:
        return int(Exit.FINISHED)
    if as_json:  # it is in what was printed
        return int(wrong.exit_code)
    raise wrong


def _print_all(ports: list[PortFound], probed: list[Probed], *, is_probed: bool) -> None:
    if not ports:
        typer.echo("no serial port on this machine")
    for answer in probed:
        if answer.port.is_there:
            _print(answer)
    if is_probed or not any(port.is_there for port in ports):
        return
    for port in ports:
        if port.is_there:
            typer.echo(_described(port))
    typer.echo("nothing was sent; --probe asks who is there")


def _tell(said: str) -> None:
    typer.echo(said, err=True)


def _quietly(said: str) -> None:
    pass


def _described(port: PortFound) -> str:
    usb = f"USB {port.vendor:04x}:{port.product:04x}" if port.vendor else ""
    number = f"no. {port.serial}" if port.serial else ""
    told = "  ".join(filter(None, (usb, number, port.description)))
    lines = [f"{port.device}  {told}".rstrip()]
    return "\n".join([*lines, f"  in a lab file: {port.stable}"] if port.stable else lines)


def _print(answer: Probed) -> None:
    typer.echo(_described(answer.port))
    who = answer.identity
    if who is None:
        typer.echo(f"  {answer.why}")
    else:
        said = " ".join(filter(None, (who.maker, who.model, who.serial, who.firmware)))
        typer.echo(f"  {said}: known to {', '.join(answer.kinds)}")
    typer.echo(f"  sent: {' '.join(answer.sent) or 'nothing'}")
