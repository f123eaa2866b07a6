"""Which file belongs to which sample: patterns of file names."""

from __future__ import annotations

import re

from orchestrator.errors import InputError, did_you_mean

_HOLES = ("sample", "ticket")
_HOLE = re.compile(r"\{([^{}]*)\}")
_TEMPORARY = re.compile(
    r"[.~].*|.*(?:~|\.(?:part|partial|tmp|temp|filepart|crdownload|lock|lck|swp|writing))",
    re.IGNORECASE,
)


def check_pattern(what: str, pattern: str) -> None:
    """Accepts a pattern of names within one folder. Raises InputError."""
    if not pattern or "/" in pattern or "\\" in pattern:
        raise InputError(f"{what} '{pattern}' is no pattern of file names", hint="{sample}*.xy")
    for hole in _HOLE.findall(pattern):
        if hole not in _HOLES:
            hint = did_you_mean(hole, _HOLES)
            raise InputError(f"{what} has '{{{hole}}}', which stands for nothing", hint=hint)


def matcher(pattern: str, **names: str) -> re.Pattern[str]:
    """What the names of a sample's files match, in large or small letters.

    A sample's name is whole: that of `films-1` is not in `films-12.xy`, nor in `oldfilms-1.xy`.
    """
    parts = re.split(r"(\{\w+\}|[*?])", pattern)
    return re.compile("".join(_part(part, names) for part in parts), re.IGNORECASE)


def _part(part: str, names: dict[str, str]) -> str:
    if part in ("*", "?"):
        return ".*" if part == "*" else "."
    if part.startswith("{"):
        return rf"(?<![A-Za-z]){re.escape(names[part[1:-1]])}(?![0-9])"
    return re.escape(part)


def filled(template: str, **names: str) -> str:
    """A text with the names put in."""
    return _HOLE.sub(lambda hole: names.get(hole[1], hole[0]), template)


def is_temporary(name: str) -> bool:
    """Whether a name is that of a file which is not meant to be read (yet)."""
    return _TEMPORARY.fullmatch(name) is not None


def locks_of(name: str) -> tuple[str, ...]:
    """The names of files that say that another one is in use."""
    return f"{name}.lock", f"{name}.lck", f".{name}.lock", f"~${name}", f".~lock.{name}#"
