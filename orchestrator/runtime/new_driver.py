"""`hagane new driver NAME`: a distribution of its own with a driver, its twin and its tests."""

from __future__ import annotations

import importlib.util
import keyword
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from string import Template

from orchestrator import plugins
from orchestrator.errors import InputError
from orchestrator.reports.single_page import write_text

STARTERS = Path(__file__).parent / "starters" / "driver"
"""Texts with $name, $module and $Driver."""
FILES = {
    "pyproject.toml.txt": "pyproject.toml",
    "README.md.txt": "README.md",
    "twins.yaml.txt": "twins.yaml",
    "hardware.yaml.txt": "hardware.yaml",
    "init.py.txt": "{module}/__init__.py",
    "driver.py.txt": "{module}/driver.py",
    "twin.py.txt": "{module}/twin.py",
    "tests.py.txt": "tests/test_{module}.py",
}


@dataclass(frozen=True)
class NewDriver:
    """What was written: its folder, its files in it, and the commands that come next."""

    folder: str
    kind: str
    files: tuple[str, ...]
    next: tuple[str, ...]


def new_driver(folder: Path) -> NewDriver:
    """Writes a distribution into a new folder, named as the kind of resource that it provides, and
    into its parents where there are none yet.

    Raises:
        InputError: the folder exists or cannot be written, or its name is none for a kind and its
            module.
    """
    name = folder.name
    module = name.replace("-", "_")
    if folder.exists():
        raise InputError(
            f"{folder} exists already",
            hint="give a folder that is not there yet, named as the kind: acme-bh1",
        )
    _refuse_name(name, module)
    driver = "".join(word.capitalize() for word in name.split("-"))
    written = {}
    for starter, file in FILES.items():
        starting = Template((STARTERS / starter).read_text("utf-8"))
        text = starting.substitute(name=name, module=module, Driver=driver)
        written[file.format(module=module)] = text
    for file, text in written.items():
        write_text(folder / file, text)
    steps = (f"cd {shlex.quote(str(folder))}", "pip install -e '.[test]'", "pytest")
    return NewDriver(str(folder), name, tuple(written), steps)


def _refuse_name(name: str, module: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise InputError(
            f"'{name}' cannot be the name of a kind of resource",
            hint="lower-case letters, digits and single '-' between them, a letter first: "
            "maker-model, such as 'alicat-mc'",
        )
    if name in plugins.installed("resources"):
        raise InputError(
            f"a kind of resource '{name}' is installed already",
            hint=f"see it with `hagane resource show {name}`, or choose another name",
        )
    if keyword.iskeyword(module) or _is_taken(module):
        raise InputError(
            f"'{name}' would be imported as '{module}', which is a name in use",
            hint=f"name the model as well, such as '{name}-2400'",
        )


def _is_taken(module: str) -> bool:
    if module in {"drivers", "tests", *sys.stdlib_module_names}:
        return True
    return importlib.util.find_spec(module) is not None
