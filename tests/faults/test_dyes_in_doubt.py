"""kill -9 of an engine while a dye runs into the vessel, or while a spectrum is waited for."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults_night import ROOT, WITHIN_S, Night, night_of

from orchestrator.errors import Exit
from orchestrator.model.state import DispatchState
from orchestrator.model.trial import TrialStatus

pytestmark = pytest.mark.slow
FIRST_DYE = 9
"""The effect by which the first liquid of the first trial begins to flow: before it come five
initialisations, what the drain draws and gives to the waste, and what the pump draws."""


@pytest.fixture
def dyes(tmp_path: Path) -> Iterator[Night]:
    folder = tmp_path / "dye_mixing"
    shutil.copytree(ROOT / "campaigns" / "dye_mixing", folder)
    text = (folder / "campaign.yaml").read_text()
    for old, new in (
        ("trials: 40", "trials: 2"),
        ("{kind: bayesian, initial: 8}", "{kind: sobol}"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "campaign.yaml").write_text(text)
    with night_of(folder, tmp_path) as night:
        yield night


def sent(night: Night, action: str) -> list[DispatchState]:
    if not night.store.exists():
        return []
    found = night.state().dispatches.values()
    return [d for d in found if d.event.action == action]


def test_a_dye_that_ran_while_nobody_looked_is_weighed_and_not_given_again(dyes: Night) -> None:
    dyes.kill_after(FIRST_DYE)
    (flowing,) = [d for d in sent(dyes, "dispense") if d.event.parent and d.outcome == "open"]
    assert flowing.event.arguments["volume"] > 0
    code, _, said = dyes.run()
    assert code == Exit.FINISHED, said
    given = sent(dyes, "dispense")
    strokes = [d for d in given if d.event.parent and d.event.arguments["volume"] > 0]
    with dyes.control() as control:
        counts = control.counts()
    assert counts["dispenses"] == len(strokes), "each was sent, and happened, once"
    assert [t.status for t in dyes.state().trials.values()] == [TrialStatus.DONE] * 2
    (whole,) = [d for d in given if d.event.ticket == flowing.event.parent]
    assert whole.outcome == "done"
    mass, volume = (whole.results[name] for name in ("mass", "volume"))
    assert mass == pytest.approx(1.012e-3 * volume, rel=0.02, abs=0.002)


def waiting_engine(dyes: Night) -> subprocess.Popen[str]:
    """An engine that waits for a spectrum, of which the spectrometer's program knows nothing."""
    engine = dyes.begin()
    with dyes.control() as control:
        control.fail("spectra", "hang")
    while not sent(dyes, "collect"):
        assert engine.poll() is None, engine.communicate()
        time.sleep(0.02)
    time.sleep(0.5)  # it is journaled before it is sent
    return engine


def heal(dyes: Night) -> None:
    with dyes.control() as control:
        control.heal()


def test_a_spectrum_that_is_waited_for_is_waited_for_by_the_next_engine(dyes: Night) -> None:
    engine = waiting_engine(dyes)
    engine.kill()
    engine.communicate()
    (waiting,) = sent(dyes, "collect")
    assert waiting.outcome == "open"
    heal(dyes)
    code, _, said = dyes.run()
    assert code == Exit.FINISHED, said
    collected = sent(dyes, "collect")
    assert [d.outcome for d in collected] == ["done", "done"]
    assert collected[0].event.ticket == waiting.event.ticket, "under the same ticket"
    assert [t.status for t in dyes.state().trials.values()] == [TrialStatus.DONE] * 2


def test_a_stop_ends_the_wait_and_the_campaign_goes_on_with_it_later(dyes: Night) -> None:
    engine = waiting_engine(dyes)
    assert dyes.command("stop").returncode == 0
    engine.communicate(timeout=WITHIN_S)
    assert engine.returncode == Exit.INTERRUPTED
    assert dyes.command("resume").returncode == 0
    heal(dyes)
    code, _, said = dyes.run()
    assert code == Exit.FINISHED, said
    assert [t.status for t in dyes.state().trials.values()] == [TrialStatus.DONE] * 2
    tickets = {d.event.ticket for d in sent(dyes, "dispense") if not d.event.parent}
    assert len(tickets) == 8, "of four liquids in two trials, none twice"
