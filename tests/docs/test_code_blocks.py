"""The documentation runs: its `sh` blocks in a shell, its `python` blocks in an interpreter.

The blocks of a page share one empty folder and run in their order. A page that installs something
has a virtual environment of its own. Blocks in another language (`console`, `text`, `yaml`) are not
run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.private_lab import private_runtime
from tests.packaging.private_installation import private_installation

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("campaigns/*/*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUNNERS = {
    "sh": ["bash", "-eu", "-c"],
    "python": ["python", "-W", "error", "-c"],
}


@dataclass(frozen=True)
class Block:
    """A fenced block and where it begins."""

    language: str
    text: str
    line: int


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text()
    return [
        Block(match[1], match[2], text[: match.start()].count("\n") + 1)
        for match in BLOCK.finditer(text)
    ]


RUNNABLE = [page for page in PAGES if any(b.language in RUNNERS for b in blocks_of(page))]


@pytest.mark.slow
@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with private_runtime() as runtime:
        environment = dict(os.environ) | {
            "HAGANE_DATA": str(tmp_path / "data"),
            "XDG_RUNTIME_DIR": str(runtime),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        if any(b.language == "sh" and "pip install" in b.text for b in blocks_of(page)):
            environment |= private_installation(tmp_path / "venv")
        _run_all(page, folder, environment)


def _run_all(page: Path, folder: Path, environment: dict[str, str]) -> None:
    for block in blocks_of(page):
        if block.language not in RUNNERS:
            continue
        done = subprocess.run(
            ["env", *RUNNERS[block.language], block.text],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=540,
            check=False,
        )
        assert done.returncode == 0, f"{page}:{block.line}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, f"{page}:{block.line}\n{done.stderr}"


def test_the_pages_have_code_to_run() -> None:
    named = {page.name for page in RUNNABLE}
    assert {"tutorial.md", "python.md", "files.md", "driver.md"} <= named


def test_every_block_says_its_language() -> None:
    known = {*RUNNERS, "console", "text", "yaml", "toml"}
    silent = {
        f"{page.relative_to(ROOT)}:{block.line}"
        for page in PAGES
        for block in blocks_of(page)
        if block.language not in known and "campaigns" not in page.parts
    }
    assert silent == set()
