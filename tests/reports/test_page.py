"""The report: complete, offline, escaped, and true for any number of trials."""

from __future__ import annotations

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from orchestrator.model import events as ev
from orchestrator.model.campaign import Campaign
from orchestrator.model.objective import Goal, Objective
from orchestrator.model.state import State, fold
from orchestrator.model.trial import TrialStatus
from orchestrator.reports.page import how_simulated, report_html, write_report
from orchestrator.reports.replay import needed_words, quartile_course
from orchestrator.reports.single_page import ROOM, json_text
from tests.reports.sample_campaign import (
    niobium_titania,
    sample_events,
    sample_replay,
    sample_state,
)


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return niobium_titania()


@pytest.fixture(scope="module")
def page(campaign: Campaign) -> str:
    return report_html(campaign, sample_state())


class _Elements(HTMLParser):
    """Start tags with their attributes, and the text outside of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._skips = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._skips = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._skips = False

    def handle_data(self, data: str) -> None:
        if not self._skips:
            self.text += data


def _data(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    data = json.loads(found.group(1), parse_constant=refuse)
    assert isinstance(data, dict)
    return data


def test_the_page_answers_first_with_units_and_uncertainty(page: str) -> None:
    text = _Elements(page).text
    assert "(1.069 ± 0.024) × 10⁻³ Ω·cm" in text
    assert "0.4076 sccm" in text
    assert "414.5 °C" in text
    assert "323.6 ± 3.2 nm" in text
    assert "asked: thickness ≥ 120 nm" in text
    assert text.index("(1.069") < text.index("Course of the campaign")


def test_a_campaign_on_twins_says_that_no_hardware_was_involved(page: str) -> None:
    assert "Simulated: no hardware was involved." in _Elements(page).text


def test_a_lab_with_one_real_port_is_not_called_simulated() -> None:
    state = sample_state(1)
    assert state.engine is not None
    text = state.engine.lab_text.replace('"twin:meter"', "/dev/ttyUSB3")
    state.engine = state.engine.model_copy(update={"lab_text": text})
    assert how_simulated(state) == "partly simulated: some instruments were twins"
    real = text.replace("twins: {world: sputter-lab, seed: 7}", "")
    state.engine = state.engine.model_copy(update={"lab_text": real})
    assert how_simulated(state) == ""


def test_the_page_refers_to_nothing_outside_of_itself(page: str) -> None:
    elements = _Elements(page).found
    assert [a for _, a in elements if {"src", "href", "srcset", "data", "action"} & set(a)] == []
    assert {tag for tag, _ in elements}.isdisjoint({"link", "img", "iframe", "object"})
    policy = [a["content"] for tag, a in elements if tag == "meta" and "http-equiv" in a]
    assert policy == [
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
    ]
    styles = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert styles is not None
    assert "url(" not in styles.group(1)
    assert "@import" not in styles.group(1)


def test_what_users_and_instruments_write_cannot_become_markup(campaign: Campaign) -> None:
    nasty = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    events = [
        entry.model_copy(update={"event": _poisoned(entry.event, nasty)})
        for entry in sample_events(31)
    ]
    poisoned = campaign.model_copy(update={"name": nasty, "goal": nasty, "text": nasty})
    page = report_html(poisoned, fold(events), lab=nasty, notes=[nasty])
    clean = report_html(campaign, sample_state(31))
    count = [tag for tag, _ in _Elements(page).found].count
    assert count("script") == [tag for tag, _ in _Elements(clean).found].count("script")
    assert count("img") == 0
    assert nasty in _data(page)["table"]["why"][0]


def _poisoned(event: ev.Event, text: str) -> ev.Event:
    match event:
        case ev.TrialProposed():
            proposal = event.proposal.model_copy(update={"why": text})
            return event.model_copy(update={"proposal": proposal})
        case ev.CampaignOpened():
            return event.model_copy(update={"campaign_text": text, "campaign_file": text})
        case ev.ResourceFound():
            return event.model_copy(update={"maker": text, "serial": text})
        case ev.TrialFailed():
            return event.model_copy(update={"sentence": text})
        case ev.ActionDispatched():
            return event.model_copy(update={"action": text})
        case _:
            return event


def test_data_in_a_script_element_cannot_end_it() -> None:
    text = json_text({"a": "</script><!--", "b": "\u2028&", "c": float("nan"), "d": [1.23456789]})
    assert not set(text) & set("<>&\u2028")
    loaded = json.loads(text)
    assert loaded == {"a": "</script><!--", "b": "\u2028&", "c": None, "d": [1.23457]}


def test_an_empty_campaign_has_a_page_that_says_so(campaign: Campaign) -> None:
    page = report_html(campaign, State())
    assert "No trial has given a value of resistivity." in _Elements(page).text
    assert _data(page)["table"]["rows"] == []


def test_a_campaign_without_a_feasible_trial_says_so(campaign: Campaign) -> None:
    rule = campaign.objective.constraints[0].model_copy(update={"bound": 1e6})
    objective = campaign.objective.model_copy(update={"constraints": (rule,)})
    page = report_html(campaign.model_copy(update={"objective": objective}), sample_state())
    assert "No trial met the constraints (thickness ≥ 10⁶ nm)" in _Elements(page).text.replace(
        "1 × 10⁶", "10⁶"
    )
    assert _data(page)["course"]["bestTrial"] is None


def test_every_trial_is_in_the_table_with_its_reason(campaign: Campaign, page: str) -> None:
    table = _data(page)["table"]
    assert [row[0] for row in table["rows"]] == list(range(1, 41))
    titles = [column["title"] for column in table["columns"]]
    assert titles[:4] == ["trial", "result", "oxygen [sccm]", "temperature [°C]"]
    row = dict(zip(titles, table["rows"][21], strict=True))
    assert row["result"] == "★\u00a0best"
    assert row["resistivity [Ω·cm]"] == [
        pytest.approx(1.069e-3, rel=1e-3),
        "(1.069 ± 0.024) × 10⁻³",
    ]
    assert "nearest: trial" in table["why"][21]
    assert len(table["why"]) == 40
    assert row["source"] == "model"


def test_failures_doubts_and_interlocks_are_told_with_their_times(page: str) -> None:
    text = _Elements(page).text
    assert "never supply.on while gauge.pressure > 5 Pa: gauge.pressure = 7.2 Pa" in text
    assert "its gripper is closed; it was done" in text
    assert "no reply to ':READ?' in 10 s" in text


def test_provenance_names_file_hash_seed_versions_and_events(campaign: Campaign, page: str) -> None:
    text = _Elements(page).text
    for fact in (campaign.file_hash, "hagane 0.1.0 on coater-2, user kim", "1,400"):
        assert fact in text
    assert "oxygen:      {real: [0.05, 5], unit: sccm, scale: log}" in text


def test_a_page_of_forty_trials_stays_small(page: str) -> None:
    assert len(page.encode()) < 1_400_000


def test_lines_of_trials_are_dark_where_they_are_good_and_failed_ones_are_left_out(
    campaign: Campaign,
) -> None:
    state = sample_state()
    best = state.trials[_data(report_html(campaign, state))["parameters"]["rows"][0][0]]
    best.status = TrialStatus.FAILED
    rows = _data(report_html(campaign, state))["parameters"]["rows"]
    assert best.number not in [row[0] for row in rows]
    standings = [row[2] for row in rows]
    assert standings == ["feasible"] * 29 + ["infeasible"] * 8


def test_ten_thousand_trials_make_a_page_of_sane_size(campaign: Campaign) -> None:
    state = _many_trials(10_000)
    page = report_html(campaign, state)
    data = _data(page)
    assert len(page.encode()) < 6_000_000
    assert len(data["table"]["rows"]) == 10_000
    assert len(data["parameters"]["rows"]) <= 3000
    assert len(data["predicted"]["points"]) <= 3000


def _many_trials(n: int) -> State:
    """Trials cycled from the sample, without their actions: quick to make."""
    state = sample_state(40)
    model = list(state.trials.values())
    many = State(opened=state.opened, engine=state.engine, last_at=state.last_at)
    for number in range(1, n + 1):
        trial = model[(number - 1) % len(model)]
        many.trials[number] = type(trial)(**{**vars(trial), "number": number})
    return many


def test_the_report_is_written_whole_or_not_at_all(tmp_path: Path, campaign: Campaign) -> None:
    path = write_report(campaign, State(), tmp_path / "new" / "report.html")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_the_same_state_gives_the_same_page(campaign: Campaign) -> None:
    assert report_html(campaign, sample_state(3)) == report_html(campaign, sample_state(3))


def test_vendored_files_are_the_ones_that_are_declared() -> None:
    declared = (ROOM / "assets" / "VENDORED.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", declared, re.MULTILINE)
    assert [name for name, _ in found] == ["echarts.min.js"]
    for name, digest in found:
        assert hashlib.sha256((ROOM / "assets" / name).read_bytes()).hexdigest() == digest
    for licence in ("LICENSE", "NOTICE", "licenses/LICENSE-d3"):
        assert (ROOM / "assets" / licence).stat().st_size > 100


def test_of_several_goals_the_page_has_the_front_as_a_table_and_a_chart(
    campaign: Campaign,
) -> None:
    goals = (
        Goal(metric="resistivity", direction="minimise"),
        Goal(metric="thickness", direction="maximise"),
    )
    several = campaign.model_copy(update={"objective": Objective(goals=goals)})
    page = report_html(several, sample_state())
    best = {trial for trial, _, _, look in _data(page)["front"]["points"] if look == "best"}
    assert len(best) > 1
    marked = {row[0] for row in _data(page)["table"]["rows"] if "best" in str(row[1])}
    assert marked == best
    assert "each in its way" in page
    assert 'id="volume"' in page
    assert "counted from: resistivity" in page
    assert 0 < _data(page)["volume"][-1][1] <= 1
    single = _data(report_html(campaign, sample_state()))
    assert (single["front"], single["volume"]) == (None, None)
    assert "more are marked" not in page
    state = sample_state()
    for trial in state.trials.values():  # as good as each other
        trial.observations = sample_state().trials[22].observations
    crowd = report_html(several, state)
    assert "more are marked" in crowd


def test_why_a_point_was_chosen_has_the_signs_and_units_of_the_page(campaign: Campaign) -> None:
    state = sample_state()
    said = "expected resistivity 1.1e-03 +- 2e-05 ohm*cm; explores"
    for trial in state.trials.values():
        trial.proposal = trial.proposal.model_copy(update={"why": said, "nearest": None})
    page = report_html(campaign, state)
    assert _data(page)["table"]["why"][0] == (
        "expected resistivity 1.1 × 10⁻³ ± 2 × 10⁻⁵ Ω·cm; explores"
    )
    assert "+-" not in _Elements(page).text


def test_a_replay_page_shows_median_quartiles_and_random_choice(tmp_path: Path) -> None:
    path = sample_replay(tmp_path / "replay.html", title="crossed <b>barrel</b>")
    page = path.read_text(encoding="utf-8")
    assert "crossed &lt;b&gt;barrel" in page
    assert "5 experiments (quartiles 4 to not reached); 1 of 3 seeds did not reach it" in page
    data = _data(page)
    assert data["course"]["median"] == [1.0, 2.5, 3.5]
    assert data["random"] == [0.5, 0.9, 1.2]
    assert data["needed"] == [{"goal": "the top 5 %", "values": [3, 5], "median": 5}]


def test_a_replay_of_nothing_has_no_curve() -> None:
    assert quartile_course([]) == {"low": [], "median": [], "high": []}
    assert needed_words([]) == "not reached by any seed"
    assert needed_words([20, None, 3, None]) == (
        "reached by 2 of 4 seeds, first after 3 experiments"
    )
    assert needed_words([20, None, 2, 3, None]).startswith("20 experiments (quartiles 3 to not")
    assert needed_words([7]) == "7 experiments (quartiles 7 to 7)"
