"""What the pages say of the code is true: links, keys, tests that hold a decision, exit codes."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from orchestrator import plugins
from orchestrator.errors import Exit
from orchestrator.files.schema import campaign_schema, lab_schema
from orchestrator.model.expression import FUNCTIONS
from orchestrator.model.lab import REACHED_BY

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")
HOLDS = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def _keys(schema: object) -> set[str]:
    """Every property name in a JSON Schema."""
    if isinstance(schema, dict):
        properties = schema.get("properties")
        own = set(properties) if isinstance(properties, dict) else set()
        return own.union(*map(_keys, schema.values()))
    if isinstance(schema, list):
        return set().union(*map(_keys, schema))
    return set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    gone = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert gone == []


def test_every_key_of_a_campaign_and_of_a_lab_is_described() -> None:
    text = (ROOT / "docs" / "files.md").read_text()
    keys = _keys(campaign_schema()) | _keys(lab_schema())
    assert len(keys) > 40
    assert {key for key in keys if not re.search(rf"`{key}[`:]", text)} == set()


def test_every_function_of_expressions_is_described() -> None:
    text = (ROOT / "docs" / "files.md").read_text()
    assert [name for name in FUNCTIONS if f"`{name}" not in text] == []


def test_every_exit_code_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert told == {int(code) for code in Exit}


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_is_held_by_a_test_or_a_contract_that_exists(page: Path) -> None:
    text = page.read_text()
    held = text.split("## Held by")[1]
    tests = HOLDS.findall(held)
    contracts = re.findall(r"contract `([^`]+)`", held)
    assert tests or contracts, "a decision without anything that holds it is a wish"
    assert [test for test in tests if not _exists(*test)] == []
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert set(contracts) <= {contract["name"] for contract in settings["contracts"]}


def _exists(file: str, name: str) -> bool:
    tree = ast.parse((ROOT / file).read_text())
    return name in {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}


def test_every_feature_is_held_by_a_test_that_exists() -> None:
    lines = (ROOT / "docs" / "features.md").read_text().splitlines()
    features = [line for line in lines if re.match(r"\| (?!what \|)\w", line)]
    assert len(features) > 30
    held = {line: HOLDS.findall(line) for line in features}
    assert [line for line, tests in held.items() if not tests] == []
    assert [test for tests in held.values() for test in tests if not _exists(*test)] == []


def test_decisions_are_numbered_without_a_gap_and_listed() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    assert [page.name for page in DECISIONS if f"({page.name})" not in index] == []


def test_no_feature_is_told_twice() -> None:
    lines = (ROOT / "docs" / "features.md").read_text().splitlines()
    features = [line for line in lines if re.match(r"\| (?!what \|)\w", line)]
    assert sorted(set(features)) == sorted(features)


def _rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    below = text.partition(heading)[2].partition("\n|")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in below.splitlines()[2:]]


def test_every_driver_of_a_port_has_its_row_and_what_it_was_tried_on_is_in_the_readme() -> None:
    page = (ROOT / "docs" / "instruments.md").read_text()
    instruments = _rows(page, "# What was tried on what")
    kinds = [plugins.resource_kind(name) for name in plugins.installed("resources")]
    drivers = [k.name for k in kinds if "port" in k.options and k.declaration is None]
    assert sorted(row[1].strip("`") for row in instruments) == sorted(drivers)
    peers = {row[1]: set(re.findall(r"`([^`]+)`", row[4])) for row in instruments}
    assert sum(map(bool, peers.values())) >= 12
    assert sum(len(some) >= 2 for some in peers.values()) >= 6
    bridges = _rows(page, "## Bridges")
    named = set().union(*peers.values(), *(re.findall(r"`([^`]+)`", row[3]) for row in bridges))
    readme = _rows((ROOT / "README.md").read_text(), "## What was tried on what")
    assert set(re.findall(r"`([^`]+)`", " ".join(row[2] for row in readme))) == named
    assert {row[-1] for row in [*instruments, *bridges]} == {"no"}
    assert {row[-1] for row in readme} == {"never"}


def test_every_kind_that_reaches_a_device_is_in_the_list_of_what_was_tried() -> None:
    tried = (ROOT / "docs" / "instruments.md").read_text()
    kinds = [plugins.resource_kind(name) for name in plugins.installed("resources")]
    reaching = [kind.name for kind in kinds if {*REACHED_BY} & {*kind.options}]
    assert len(reaching) > 25
    assert [name for name in reaching if f"`{name}`" not in tried] == []
