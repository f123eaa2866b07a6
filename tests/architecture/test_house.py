"""The plan of the house: what lies at the top level, how large a module is, what it is called."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("orchestrator", "drivers", "simulators", "campaigns")
BESIDE = {
    *("pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"),
    *("Makefile", "constraints.txt", "tests", "docs", "benchmarks"),
}
MADE = {"out", "build", "dist"}
LONGEST_MODULE = 400
NAMES_THAT_SAY_NOTHING = re.compile(
    r"(^|_)(managers?|services?|handlers?|helpers?|utils?|common|misc|base|data|infos?|jobs?"
    r"|tasks?|arms?|workflows?)(_|$)"
)


def _modules() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]


def test_the_top_level_holds_the_four_packages_and_what_a_repository_needs() -> None:
    seen = {p.name for p in ROOT.iterdir() if not p.name.startswith(".")} - MADE
    assert seen == {*PACKAGES, *BESIDE}


def test_no_module_is_longer_than_one_can_hold_in_mind() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in _modules()}
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_a_module_is_named_for_what_it_holds() -> None:
    named = {str(p.relative_to(ROOT)) for p in _modules() if NAMES_THAT_SAY_NOTHING.search(p.stem)}
    assert named == set()


def test_every_package_says_that_it_is_typed() -> None:
    assert [p for p in PACKAGES if not (ROOT / p / "py.typed").is_file()] == []
