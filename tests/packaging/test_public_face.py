"""The public face: what `orchestrator` names, what is written about it, and what it costs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import orchestrator

ROOT = Path(__file__).parents[2]
HEAVY = {
    *("torch", "botorch", "gpytorch", "linear_operator", "scipy", "numpy", "pandas", "sklearn"),
    *("sqlalchemy", "sqlite3", "psycopg", "pint", "ase", "serial", "apscheduler", "matplotlib"),
    *("rich", "jinja2", "yaml", "pydantic", "simpleeval", "drivers", "simulators", "campaigns"),
}
NOT_FOR_A_CHECK = {
    "pint",
    "torch",
    "botorch",
    "gpytorch",
    "sqlalchemy",
    "ase",
    "serial",
    "apscheduler",
}


def test_the_public_names_are_those_of_the_documentation() -> None:
    text = (ROOT / "docs" / "python.md").read_text()
    documented = re.findall(r"^### `(\w+)", text, re.MULTILINE)
    documented += re.findall(r"^\| `(\w+)`", text, re.MULTILINE)
    assert sorted(documented) == sorted(orchestrator.__all__)


@pytest.mark.parametrize("name", orchestrator.__all__)
def test_every_public_name_resolves_and_says_what_it_is(name: str) -> None:
    assert getattr(orchestrator, name).__doc__
    assert name in dir(orchestrator)


def test_a_name_that_is_not_public_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'run_campain'"):
        _ = orchestrator.run_campain


def _loaded_after(code: str) -> set[str]:
    """Top-level names of what a fresh interpreter has loaded after running `code`."""
    tell = "\nimport json, sys\nprint('\\n' + json.dumps([m.split('.')[0] for m in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", code + tell], capture_output=True, text=True, timeout=60, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def _command(*words: str) -> str:
    return (
        "import sys\n"
        "from orchestrator.cli import main\n"
        f"sys.argv = ['hagane', *{list(words)!r}]\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
    )


def test_importing_the_orchestrator_loads_nothing_heavy() -> None:
    assert _loaded_after("import orchestrator") & HEAVY == set()


def test_help_loads_nothing_heavy() -> None:
    assert _loaded_after(_command("--help")) & HEAVY == set()


def test_checking_a_campaign_loads_neither_model_nor_store_nor_pint_nor_ports() -> None:
    loaded = _loaded_after(_command("check", str(ROOT / "campaigns" / "niobium_titania")))
    assert loaded & NOT_FOR_A_CHECK == set()
    assert "yaml" in loaded, "or nothing was checked"
