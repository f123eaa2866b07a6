"""Pages as a browser draws them: no script fails, every chart is there and says what it is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestrator.reports.page import write_report
from tests.reports.sample_campaign import niobium_titania, sample_replay, sample_state

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed (Debian's package chromium)"
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--enable-logging=stderr",
    "--virtual-time-budget=10000",
    "--dump-dom",
]


def drawn(page: Path, profile: Path) -> str:
    """The page after its scripts have run, none of which failed."""
    done = subprocess.run(
        [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "CONSOLE" not in done.stderr
    return done.stdout


def spoken(dom: str) -> list[str]:
    """What each chart says that it is; all of them are drawn."""
    places = re.findall(r'<div class="chart[^>]*>(?:\s*<div[^>]*>)?\s*<?(\w*)', dom)
    assert set(places) <= {"svg", "canvas"}
    words = re.findall(r'role="img" aria-label="Chart: ([^"]*)"', dom)
    assert len(words) == len(places)
    return words


def test_every_chart_of_a_report_is_drawn_and_says_what_it_is(tmp_path: Path) -> None:
    page = write_report(niobium_titania(), sample_state(), tmp_path / "report.html")
    words = spoken(drawn(page, tmp_path / "profile"))
    assert len(words) > 3
    assert any("resistivity" in one and "against trial" in one for one in words)


def test_every_chart_of_a_replay_is_drawn_and_says_what_it_is(tmp_path: Path) -> None:
    page = sample_replay(tmp_path / "replay.html")
    assert any("toughness" in one for one in spoken(drawn(page, tmp_path / "profile")))


def test_a_script_that_fails_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "broken.html"
    page.write_text("<script>nothing.is.there()</script>")
    with pytest.raises(AssertionError):
        drawn(page, tmp_path / "profile")
