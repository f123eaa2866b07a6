"""One HTML file that needs nothing else: styles, scripts and data are within, no address is called.

A content security policy in the page forbids every connection, so that a mistake here shows as a
missing picture and never as a request.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.errors import HaganeError, InputError

ROOM = Path(__file__).parent
_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def render(
    template: str, scripts: Sequence[str], data: Mapping[str, Any], context: Mapping[str, Any]
) -> str:
    """The page. `data` reaches the scripts as JSON, `context` the template, all of it escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(ROOM / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    assets = ROOM / "assets"
    return environment.get_template(template).render(
        **context,
        style=Markup((assets / "report.css").read_text(encoding="utf-8")),
        scripts=[Markup((assets / s).read_text(encoding="utf-8")) for s in scripts],
        data=Markup(json_text(data)),
    )


def json_text(data: object) -> str:
    """JSON that may stand in a script element: no NaN, and no character that could end it."""
    text = json.dumps(_plain(data), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_ESCAPES)


def write_text(path: Path, text: str) -> Path:
    """Writes a whole file or nothing: readers see the old one or the new one.

    Raises:
        InputError: it cannot be written there.
        HaganeError: the disk takes nothing.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise not_written(path, error) from error
    return path


def not_written(path: Path, error: OSError) -> HaganeError:
    """Why a file could not be written: a disk that takes nothing, or a path that cannot be."""
    reason = (error.strerror or str(error)).lower()
    if isinstance(error, FileExistsError):  # a file stands where its folder would be
        reason = os.strerror(errno.ENOTDIR).lower()
    sentence = f"'{path}' cannot be written: {reason}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS):
        return HaganeError(sentence, hint="free some space, or choose another disk")
    return InputError(sentence, hint="choose another path")


def _plain(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
