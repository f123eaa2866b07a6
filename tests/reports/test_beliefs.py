"""What the model believes, in words and on the page."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from orchestrator.cli.believing import print_belief
from orchestrator.model.campaign import Campaign, StopRules
from orchestrator.model.state import State
from orchestrator.model.trial import STILL_TO_GAIN
from orchestrator.ports.planner import Belief, FieldMap, LeaveOneOut, MetricBelief, Slice
from orchestrator.reports.beliefs import held, left_out, recommendation
from orchestrator.reports.charts import still_to_gain
from orchestrator.reports.figures import write_figures
from orchestrator.reports.page import report_html
from tests.reports.sample_campaign import niobium_titania, sample_state

BEST = 22


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return niobium_titania()


@pytest.fixture(scope="module")
def state() -> State:
    return sample_state()


def left(
    gain: float = 1.0, coverage: float = 0.9, n: int = 20, trials: tuple[int, ...] = ()
) -> LeaveOneOut:
    """`trials` that were predicted: none of the campaign, where nothing else is said."""
    trials, n = (trials, len(trials)) if trials else (tuple(range(101, 101 + n)), n)
    return LeaveOneOut(
        trials=trials,
        measured=(-2.0,) * n,
        predicted=(-2.3,) * n,
        sd=(0.1,) * n,
        coverage_90=coverage,
        log_score_gain=gain,
    )


def believed(known: LeaveOneOut | None, *, on_log10: bool = True) -> MetricBelief:
    importance = {"oxygen": 0.4, "temperature": 0.8, "power": 0.1, "argon": 0.0}
    # argon matters least: between its values 0.7 and 0.8 the mean rises by 0.1
    argon = Slice(parameter="argon", values=(0.7, 0.8), mean=(-3.0, -2.9), sd=(0.2, 0.2))
    heat = Slice(parameter="temperature", values=(25.0, 450.0), mean=(-1.0, -3.0), sd=(0.1, 0.1))
    over = FieldMap(
        parameters=("temperature", "oxygen"),
        first=(25.0, 450.0),
        second=(0.05, 5.0),
        mean=(-1.0, -2.0, -3.0, -2.0),
        sd=(0.1, 0.2, 0.3, 0.4),
    )
    return MetricBelief(
        metric="resistivity",
        unit="ohm*cm",
        on_log10=on_log10,
        importance=importance,
        leave_one_out=known,
        slices=(heat, argon),
        maps=(over,),
    )


def belief(state: State, known: LeaveOneOut | None, **facts: Any) -> Belief:
    at = state.trials[BEST].proposal.point
    given = {"at": at, "recommended": BEST, "metrics": (believed(known),), **facts}
    return Belief.model_validate(given)


def data_of(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found.group(1))


def test_a_model_that_predicts_no_better_than_the_mean_is_not_to_be_believed(
    campaign: Campaign, state: State
) -> None:
    (good,) = held(campaign, state, belief(state, left(gain=1.0)))
    assert good.verdict.startswith("The model may be believed: what was measured is 2.7 times")
    (poor,) = held(campaign, state, belief(state, left(gain=-0.1)))
    assert (good.doubt, poor.doubt) == (False, True)
    assert poor.verdict.startswith("The model is not to be believed")
    doubtful = left(gain=0.1).model_copy(update={"is_doubtful": True})
    (chance,) = held(campaign, state, belief(state, doubtful))
    assert chance.doubt
    assert chance.verdict.startswith("The model is not to be believed yet")
    (few,) = held(campaign, state, belief(state, left(gain=-0.1, n=5)))
    assert "of 5 trials that may be chance" in few.verdict
    (same,) = held(campaign, state, belief(state, left(gain=0.02)))
    assert same.doubt
    assert same.verdict.startswith(
        "The model is not to be believed: the mean of the trials predicts"
    )
    (none,) = held(campaign, state, belief(state, None))
    assert none.verdict == "Too few values to say how well it predicts."
    page = report_html(campaign, state, belief=belief(state, left(gain=-0.1)))
    assert '<p class="warning">The model is not to be believed' in page


def test_that_decades_matter_is_said_where_the_outcomes_say_so_plainly(
    campaign: Campaign, state: State
) -> None:
    for gain, said in ((0.5, True), (0.1, False), (None, False)):
        known = left(n=20).model_copy(update={"decades_gain": gain})
        (found,) = held(campaign, state, belief(state, known))
        assert ("say `scale: log` of 'resistivity'" in found.verdict) is said


@pytest.mark.parametrize(
    ("share", "n", "word"),
    [
        (0.9, 20, "as they should"),
        (0.5, 20, "too sure"),
        (0.8, 5, "should"),
        (1.0, 60, "cautious"),
        (0.9, 3000, "as they should"),
        (0.87, 3000, "too sure"),
        (0.93, 3000, "cautious"),
    ],
)
def test_the_coverage_is_remarked_on_where_chance_does_not_explain_it(
    share: float, n: int, word: str, campaign: Campaign, state: State
) -> None:
    (said,) = held(campaign, state, belief(state, left(coverage=share, n=n)))
    assert said.coverage.startswith(f"{round(100 * share)} % of the values lie within their 90 %")
    assert word in said.coverage


def test_what_is_unlike_all_that_the_others_say_is_to_be_looked_at(
    campaign: Campaign, state: State
) -> None:
    sober = left(n=20).model_copy(update={"sd": (0.3,) * 20})
    (like,) = held(campaign, state, belief(state, sober))
    assert like.unlike == ""
    values = (*sober.measured[:6], 1.0, *sober.measured[7:])
    (said,) = held(campaign, state, belief(state, sober.model_copy(update={"measured": values})))
    assert "trial 107 (measured 10 Ω·cm, predicted 5.012 × 10⁻³ Ω·cm, 0.3 decades" in said.unlike
    assert "`hagane invalidate`" in said.unlike
    limited = sober.model_copy(update={"measured": values, "as_measured": (3.0,) * 20})
    assert "(measured 1000 Ω·cm" in held(campaign, state, belief(state, limited))[0].unlike
    few = left(n=9)
    assert held(campaign, state, belief(state, few))[0].unlike == "", "of a few it may be chance"


def test_the_error_is_told_in_decades_and_as_a_factor(campaign: Campaign, state: State) -> None:
    (said,) = held(campaign, state, belief(state, left()))
    assert said.error.endswith("all the others: 0.3 decades (a factor of 2) off")
    point = left_out(campaign, state, believed(left()))[0]
    assert point.measured == pytest.approx(0.01)
    assert point.mean == pytest.approx(10**-2.3)
    assert not point.is_inside
    assert left_out(campaign, state, believed(left(), on_log10=False))[0].measured == -2.0


def test_a_bound_is_not_held_against_a_prediction(campaign: Campaign, state: State) -> None:
    seen = {n: t.observed("resistivity") for n, t in state.trials.items()}
    bound = next(n for n, found in seen.items() if found and found.event.censored)
    known = believed(left(trials=(bound, BEST)))
    assert [p.trial for p in left_out(campaign, state, known)] == [BEST]
    (said,) = held(campaign, state, belief(state, left(trials=(bound, BEST))))
    assert said.n == 1


def test_the_recommended_trial_is_told_with_its_prediction(
    campaign: Campaign, state: State
) -> None:
    found = recommendation(campaign, state, belief(state, left(n=40)))
    assert found is not None
    assert found.trial == BEST
    (expected,) = found.expected
    # on a log axis argon 0.7025 Pa lies 3 % of the way from 0.7 to 0.8 Pa
    assert expected.predicted.startswith("1.006 × 10⁻³ Ω·cm, 0.2 decades (a factor of 1.6)")
    assert "1.069" in expected.measured


def test_beside_the_slices_a_trial_is_told_as_predicted_from_the_others(
    campaign: Campaign, state: State
) -> None:
    elsewhere = {**state.trials[BEST].proposal.point, "power": 60.0}
    found = recommendation(campaign, state, belief(state, left(trials=(BEST,)), at=elsewhere))
    assert found is not None
    assert found.expected[0].predicted.endswith("from all other trials")
    assert recommendation(campaign, state, belief(state, left(), recommended=None)) is None
    assert recommendation(campaign, state, belief(state, left(), recommended=-1)) is None


def test_the_page_draws_the_belief_and_says_where_slices_are_fixed(
    campaign: Campaign, state: State
) -> None:
    page = report_html(campaign, state, belief=belief(state, left()))
    assert "fixed at oxygen 0.4076 sccm, temperature 414.5 °C" in page
    drawn = data_of(page)["belief"]
    assert [s["title"] for s in drawn["slices"]] == ["temperature [°C]", "argon [Pa]"]
    first = drawn["slices"][0]
    assert first["mean"] == pytest.approx([0.1, 1e-3])
    assert first["low"] == pytest.approx([10**-1.1, 10**-3.1], rel=1e-5)
    assert len(first["points"]) > 20
    assert drawn["metrics"][0]["importance"][-1] == ["temperature", 0.8]
    assert drawn["maps"][0]["logs"] == [False, True]
    assert drawn["maps"][0]["mean"] == [-1.0, -2.0, -3.0, -2.0]


def test_without_a_belief_the_page_says_nothing_or_why(campaign: Campaign, state: State) -> None:
    assert "What the model holds for true" not in report_html(campaign, state)
    page = report_html(campaign, state, why_none="<b>no</b> model")
    assert "&lt;b&gt;no&lt;/b&gt; model" in page
    assert data_of(page)["belief"] is None


def test_the_terminal_shows_bars_and_the_recommendation(campaign: Campaign, state: State) -> None:
    console = Console(file=io.StringIO(), width=400)
    print_belief(campaign, state, belief(state, left(gain=-1.0)), console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "The model is not to be believed" in shown
    assert re.search(r"temperature  [█#]{24}[░.]{6}  0\.80", shown)
    assert f"The model recommends trial {BEST}" in shown


def test_what_was_expected_still_to_gain_is_drawn_with_the_limit_to_stop_at(
    campaign: Campaign, tmp_path: Path
) -> None:
    state = sample_state(12)
    assert still_to_gain(campaign, state) is None
    assert "Expected still to gain" not in report_html(campaign, state)
    for number, gain in ((9, 1.0), (10, 0.1), (11, 0.01)):
        trial = state.trials[number]
        notes = {STILL_TO_GAIN: gain}
        trial.proposal = trial.proposal.model_copy(update={"notes": notes})
    stopping = campaign.model_copy(update={"stop": StopRules(little_to_gain=0.02)})
    drawn = data_of(report_html(stopping, state))["gain"]
    assert drawn["title"] == "still to gain [%]"
    assert drawn["points"] == [
        [9, 900.0],
        [10, pytest.approx(25.8925)],
        [11, pytest.approx(2.32930)],
    ]
    assert drawn["log"]
    assert drawn["enough"] == pytest.approx(4.71285)
    (written,) = (p for p in write_figures(stopping, state, tmp_path, ("svg",)) if "gain" in p.name)
    assert "still to gain" in written.read_text()
