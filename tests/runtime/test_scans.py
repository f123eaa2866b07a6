"""Files of instruments in a campaign: kept before they are read, and read once more days later."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from format_samples import COUNTS, brml, maiml, nexus, rasx, xrdml
from typer.testing import CliRunner

from orchestrator.cli.app import app
from orchestrator.errors import Exit, InputError
from orchestrator.journal import open_store
from orchestrator.model.events import ActionDone, Observed, Recorded, TrialFailed
from orchestrator.model.state import State
from orchestrator.model.trial import FailureCause, TrialStatus
from orchestrator.runtime import look
from orchestrator.runtime.load import Loaded, load
from orchestrator.runtime.observing import check_observation
from orchestrator.runtime.run import Setting, run_campaign, run_in_memory, stage_of
from orchestrator.runtime.scans import read_scan
from tests.reports.sample_campaign import niobium_titania, sample_state


def shortened(trials: int) -> Loaded:
    loaded = load("dye_mixing")
    campaign = loaded.campaign
    budget = campaign.budget.model_copy(update={"trials": trials})
    planner = campaign.planner.model_copy(update={"kind": "sobol", "options": {}})
    changes = {"budget": budget, "planner": planner}
    return replace(loaded, campaign=campaign.model_copy(update=changes))


def unreadable(loaded: Loaded) -> Loaded:
    """The same campaign, which takes its spectra for XRD."""

    def changed(metric):  # type: ignore[no-untyped-def]
        if metric.reduction is None:
            return metric
        how = metric.reduction.model_copy(update={"format": "xrdml"})
        return metric.model_copy(update={"reduction": how})

    metrics = tuple(map(changed, loaded.campaign.metrics))
    return replace(loaded, campaign=loaded.campaign.model_copy(update={"metrics": metrics}))


def test_a_file_is_in_the_store_before_its_step_is_done_and_judged_after_that() -> None:
    loaded = shortened(2)
    stage, told = stage_of(loaded), []

    def watch(recorded: Recorded, state: State) -> None:
        event = recorded.event
        if isinstance(event, ActionDone) and "sha256" in event.results:
            kept = stage.store.get_artifact(event.results["sha256"])
            assert hashlib.sha256(kept).hexdigest() == event.results["sha256"]
            told.append(event.results)
        if isinstance(event, Observed) and event.metric == "distance":
            results = told[-1]
            assert event.source == (f"spectrum, file {results['file']} sha256 {results['sha256']}")

    finish = run_in_memory(loaded, setting=Setting(watch=watch), stage=stage)
    assert finish.ending.exit_code is Exit.FINISHED
    assert len(told) == 2
    assert [t.status for t in finish.state.trials.values()] == [TrialStatus.DONE] * 2


def test_a_file_that_cannot_be_read_fails_its_trial_by_name_and_is_kept() -> None:
    loaded = unreadable(shortened(1))
    stage, failed = stage_of(loaded), []

    def watch(recorded: Recorded, state: State) -> None:
        if isinstance(recorded.event, TrialFailed):
            failed.append(recorded.event)

    finish = run_in_memory(loaded, setting=Setting(watch=watch), stage=stage)
    (event,) = failed
    (done,) = [d for d in finish.state.dispatches.values() if d.event.action == "collect"]
    assert event.cause is FailureCause.MEASUREMENT
    assert f"the file '{done.results['file']}' cannot be read as xrdml" in event.sentence
    assert stage.store.get_artifact(done.results["sha256"]).startswith(b"Integration time")


def test_a_parser_that_is_not_installed_is_said_with_those_that_are() -> None:
    with pytest.raises(InputError, match=r"no parser for 'a\.doc' is installed") as caught:
        read_scan("a.doc", b"")
    assert "xrdml" in caught.value.hint


def test_the_ending_is_taken_in_any_letters_and_a_kind_replaces_it() -> None:
    data = b"24 1\n25 2\n"
    assert read_scan("A.XY", data) == read_scan("a.doc", data, "xy")


REDUCED = """\
metrics:
  mass: {value: =weigh.value, unit: g}
  place: {reduce: {take: position, of: y, over: x, between: [0, 18]}, min: 2}
  height: {reduce: {take: highest, of: y}}
objective: {minimise: mass, subject_to: [place >= 1, height >= 0]}
"""


def peak_at(place: float) -> str:
    """A narrow peak, 100 high."""
    xs = [0.25 * i for i in range(81)]
    return "".join(f"{x} {100 / (1 + ((x - place) / 0.3) ** 2)}\n" for x in xs)


PEAK = peak_at(9.0)


@pytest.fixture
def awaiting(back_room: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with a campaign whose trials wait for a file that a person brings."""
    store = wait_for_a_file(back_room, REDUCED)
    monkeypatch.chdir(back_room)
    (back_room / "peak.xy").write_text(PEAK)
    return store


def wait_for_a_file(back_room: Path, metrics: str) -> Path:
    text = (back_room / "campaign.yaml").read_text()
    head, _, rest = text.partition("metrics:")
    (back_room / "campaign.yaml").write_text(head + metrics + rest[rest.index("planner:") :])
    store = back_room / "s.sqlite"
    assert run_campaign(back_room, store=store).ending.exit_code is Exit.PERSON
    return store


def observe(store: Path, *words: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["observe", "1", *words, "--store", str(store)])
    return found.exit_code, found.output


def kept(store: Path) -> dict[str, str]:
    with closing(open_store(store)) as opened:
        found = opened.artifacts(look.row_of(opened, None).id)
    return {name: sha256 for sha256, name in found}


def test_days_later_a_file_gives_every_metric_that_is_reduced_of_it(
    awaiting: Path, back_room: Path
) -> None:
    assert observe(awaiting, "--file", "peak.xy")[0] == 0
    digest = hashlib.sha256(PEAK.encode()).hexdigest()
    assert kept(awaiting)["peak.xy"] == digest
    run_campaign(back_room, store=awaiting)
    trial = look.look(awaiting, None).state.trials[1]
    place, height = (trial.observed(name) for name in ("place", "height"))
    assert place is not None
    assert height is not None
    assert place.event.value == pytest.approx(9.0, abs=1e-3)
    assert height.event.value == 100.0
    assert place.event.source == height.event.source == f"file peak.xy sha256 {digest}"


@pytest.mark.parametrize(
    ("file", "write", "angle", "counts"),
    [
        ("film.xrdml", xrdml, "2Theta", "intensity"),
        ("film.rasx", rasx, "TwoThetaTheta", "intensity"),
        ("film.brml", brml, "TwoTheta", "intensity"),
        ("film.maiml", maiml, "two_theta", "intensity"),
        ("film.nxs", nexus, "two_theta", "counts"),
    ],
    ids=["xrdml", "rasx", "brml", "maiml", "nxs"],
)
def test_so_does_a_file_of_any_format(
    back_room: Path, file: str, write: Callable[[], bytes], angle: str, counts: str
) -> None:
    reduced = (
        REDUCED.replace(
            "take: position, of: y, over: x, between: [0, 18]",
            (f"take: position, of: {counts}, over: {angle}, between: [24.5 deg, 26 deg]"),
        )
        .replace("min: 2", "unit: deg")
        .replace("place >= 1", "place >= 1 deg")
        .replace("highest, of: y}", f"highest, of: {counts}}}, unit: count")
    )
    store, data = wait_for_a_file(back_room, reduced), write()
    (back_room / file).write_bytes(data)
    code, said = observe(store, "--file", str(back_room / file))
    assert code == 0, said
    assert kept(store)[file] == hashlib.sha256(data).hexdigest()
    run_campaign(back_room, store=store)
    trial = look.look(store, None).state.trials[1]
    place, height = (trial.observed(name) for name in ("place", "height"))
    assert place is not None
    assert height is not None
    assert place.event.value == pytest.approx(25.3, abs=0.01)
    assert height.event.value == max(COUNTS)


def test_a_file_that_cannot_be_read_is_refused_before_an_engine_is_asked_and_is_kept(
    awaiting: Path, back_room: Path
) -> None:
    (back_room / "cut.xy").write_text("1 2\n3\n")
    code, said = observe(awaiting, "--file", "cut.xy")
    assert code == Exit.INPUT
    assert "line 2 has 1 numbers" in " ".join(said.split())
    assert "cut.xy" in kept(awaiting)


def test_what_the_gate_refuses_of_one_metric_is_sent_of_none(
    awaiting: Path, back_room: Path
) -> None:
    (back_room / "low.xy").write_text(peak_at(1.75))
    code, said = observe(awaiting, "--file", "low.xy")
    assert code == Exit.INPUT, said
    with closing(open_store(awaiting)) as opened:
        assert not opened.pending_requests(look.row_of(opened, None).id)


def test_a_value_of_a_failed_trial_is_said_not_to_count() -> None:
    state, said = sample_state(), {"metric": "resistivity", "value": "1e-3 ohm*cm"}
    (failed, *_) = (n for n, t in state.trials.items() if t.status is TrialStatus.FAILED)
    told = check_observation(niobium_titania(), state, said | {"sample": str(failed)})
    assert told == f"trial {failed} has failed: the value is kept, and not learnt from"


def test_a_second_value_of_a_sample_says_which_one_it_replaces() -> None:
    state, said = sample_state(), {"metric": "resistivity", "value": "1e-3 ohm*cm"}
    told = check_observation(niobium_titania(), state, said | {"sample": "1"})
    assert told.startswith("resistivity of film-001 was (2.156 ± 0.047) × 10⁻³ Ω·cm, which counts")
    assert told.endswith("; another sample of the trial is 1/b")
    assert check_observation(niobium_titania(), state, said | {"sample": "1/b"}) == ""


def test_the_files_come_out_again_as_they_were_kept(awaiting: Path, back_room: Path) -> None:
    observe(awaiting, "--file", "peak.xy")
    (back_room / "peak.xy").write_text(peak_at(8.0))
    observe(awaiting, "--file", "peak.xy")
    words = ["export", "out", "--files", "--store", str(awaiting)]
    assert CliRunner().invoke(app, words).exit_code == 0
    found = {f.name: f.read_text() for f in (back_room / "out").iterdir()}
    assert set(found.values()) == {PEAK, peak_at(8.0)}
    assert all(name.endswith("peak.xy") for name in found)
    again = CliRunner().invoke(app, words)
    assert (again.exit_code, "cannot be written" in again.output) == (Exit.INPUT, True)


def test_without_a_file_it_has_to_be_said_what_was_measured(awaiting: Path) -> None:
    code, said = observe(awaiting, "--value", "3 g")
    assert code == Exit.INPUT
    assert "--metric" in said
