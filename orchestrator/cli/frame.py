"""What all commands share: options, one way to print, one way to fail."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from typing import Annotated, Any, ParamSpec

import typer

from orchestrator.errors import Exit, HaganeError, InputError

P = ParamSpec("P")

StoreOption = Annotated[
    str | None,
    typer.Option("--store", help="SQLite file or postgresql:// URL  [per-user directory]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
NameArgument = Annotated[
    str | None, typer.Argument(help="Campaign name or id  [the newest one]", show_default=False)
]
LabOption = Annotated[
    str | None, typer.Option("--lab", help="Lab file  [twins.yaml or lab.yaml beside it]")
]
CampaignArgument = Annotated[
    str, typer.Argument(help="Campaign file, its folder, or an installed campaign.")
]


def guarded(command: Callable[P, int | None]) -> Callable[P, None]:
    """Turns errors into one sentence with a hint, and into the exit code of their kind."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            code = command(*args, **kwargs)
        except HaganeError as error:
            fail(error, as_json=as_json)
        except KeyboardInterrupt:
            raise typer.Exit(Exit.INTERRUPTED) from None
        except BrokenPipeError:
            sys.stderr.close()
            raise typer.Exit(0) from None
        except OSError as error:
            where = f"'{error.filename}'" if error.filename else "the system"
            reason = error.strerror or str(error)
            fail(HaganeError(f"{where} does not allow it: {reason}"), as_json=as_json)
        else:
            raise typer.Exit(int(code or 0))

    return run


def fail(error: HaganeError, *, as_json: bool) -> None:
    """Says what went wrong and ends with the error's exit code."""
    if as_json:
        told: dict[str, Any] = {
            "error": str(error),
            "kind": type(error).__name__,
            "hint": error.hint,
            "exit_code": int(error.exit_code),
        }
        problems = getattr(error, "problems", None)
        if problems:
            told["problems"] = [p.__dict__ for p in problems]
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        typer.echo(
            f"{'wrong input' if isinstance(error, InputError) else 'error'}: {error}", err=True
        )
        if error.hint:
            typer.echo(f"hint: {error.hint}", err=True)
    raise typer.Exit(int(error.exit_code))


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(value, "__dict__"):
        return vars(value)
    return str(value)


def pairs(given: list[str] | None, what: str) -> dict[str, str]:
    """`NAME=VALUE` options as a mapping. Raises InputError."""
    found = {}
    for text in given or []:
        name, sign, value = text.partition("=")
        if not (sign and name.strip() and value.strip()):
            raise InputError(f"'{text}' is not NAME=VALUE", hint=f"for example {what}")
        found[name.strip()] = value.strip()
    return found
