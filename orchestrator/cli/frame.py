"""What all commands share: options, one way to print, one way to fail."""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Annotated, Any, ParamSpec

import typer

from orchestrator.errors import HaganeError, InputError, Stopped

P = ParamSpec("P")
_WHAT_TO_DO = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path",
    errno.EISDIR: "name a file in it",
    errno.EACCES: "check its permissions, or name another path",
    errno.EPERM: "check its permissions, or name another path",
    errno.EROFS: "name a path that can be written",
}

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
RecordOption = Annotated[
    str,
    typer.Option("--record", metavar="DIR", help="Record the devices' traffic in this folder."),
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
            sys.stdout.flush()
        except HaganeError as error:
            fail(error, as_json=as_json)
        except (KeyboardInterrupt, RuntimeError) as error:
            fail(_interruption(error), as_json=as_json)
        except (BrokenPipeError, SystemExit) as error:
            if not isinstance(error, BrokenPipeError) and not _is_of_a_closed_pipe(error):
                fail(_ended_by_a_part(error), as_json=as_json)
            _hush()
            raise typer.Exit(0) from None
        except OSError as error:
            fail(_in_words(error), as_json=as_json)
        else:
            raise typer.Exit(int(code or 0))

    return run


def _interruption(error: BaseException) -> Stopped:
    """A Ctrl-C as it is told. Python 3.11 wraps one that comes while it makes a class; raises what
    is none."""
    if KeyboardInterrupt not in (type(error), type(error.__cause__)):
        raise error
    return Stopped("interrupted", hint="nothing is lost: give the command again")


@contextlib.contextmanager
def perhaps_unheard() -> Iterator[None]:
    """Goes on although standard output takes nothing any more: a closed pipe, a full disk."""
    try:
        yield
        sys.stdout.flush()
    except (OSError, SystemExit):
        _hush()


def _hush() -> None:
    """Lets whatever is still to be printed go nowhere, so that the end is not an error either."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


def _is_of_a_closed_pipe(error: SystemExit) -> bool:
    """Rich ends the process then."""
    return isinstance(error.__context__, BrokenPipeError)


def _ended_by_a_part(error: SystemExit) -> HaganeError:
    said = f"a part of the program wanted to end it: sys.exit({error.code!r})"
    return HaganeError(said, hint="it may be a driver, or what a driver imports")


def _in_words(error: OSError) -> HaganeError:
    reason = (error.strerror or str(error)).lower()
    hint = _WHAT_TO_DO.get(error.errno or 0, "")
    if error.filename:
        return HaganeError(f"'{error.filename}' cannot be used: {reason}", hint=hint)
    return HaganeError(f"the system refuses: {reason}", hint=hint)


def fail(error: HaganeError, *, as_json: bool) -> None:
    """Says what went wrong and ends with the error's exit code."""
    from orchestrator.model.said import visible

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
        with perhaps_unheard():
            typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        kind = "wrong input: " if isinstance(error, InputError) else "error: "
        said = visible(str(error))
        typer.echo(f"{'' if isinstance(error, Stopped) else kind}{said}", err=True)
        if error.hint:
            typer.echo(f"hint: {visible(error.hint)}", err=True)
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
    found: dict[str, str] = {}
    for text in given or []:
        name, sign, value = text.partition("=")
        if not (sign and name.strip() and value.strip()):
            raise InputError(f"'{text}' is not NAME=VALUE", hint=f"for example {what}")
        if name.strip() in found:
            raise InputError(f"'{name.strip()}' is given twice", hint="leave one of them out")
        found[name.strip()] = value.strip()
    return found
