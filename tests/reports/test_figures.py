"""Standings, the summary and the data of every chart."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
import warnings
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import UnknownName
from orchestrator.model import events as ev
from orchestrator.model.campaign import Campaign
from orchestrator.model.front import hypervolume, undominated
from orchestrator.model.objective import Goal, Objective, OutcomeConstraint
from orchestrator.model.space import Choice, Fidelity, Ordinal, Pool, Real, SearchSpace
from orchestrator.model.state import State, fold
from orchestrator.model.trial import FailureCause, Prediction, Proposal, TrialStatus
from orchestrator.reports import charts
from orchestrator.reports.figures import write_figures
from orchestrator.reports.incidents import incidents
from orchestrator.reports.summary import Standing, standing, summary
from orchestrator.reports.summary import wanted as in_words
from orchestrator.reports.timeline import MAX_BARS_PER_LANE, timeline
from orchestrator.reports.volume import dominated
from tests.reports.sample_campaign import niobium_titania, sample_events, sample_state


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return niobium_titania()


@pytest.fixture(scope="module")
def state() -> State:
    return sample_state()


def test_no_label_of_a_figure_lies_on_another_or_is_cut_off(
    campaign: Campaign, state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    few = sample_state(10, finished=False)
    few.trials = {n: t for n, t in state.trials.items() if n in (30, 33)}
    for shown in (state, few):
        write_figures(campaign, shown, tmp_path, ["png"])
    for figure in drawn:
        figure.set_layout_engine("constrained")
        FigureCanvasAgg(figure).draw()
        for axes in figure.axes:
            labels = [t for t in axes.get_xticklabels(which="both") if t.get_text()]
            inside = [t.get_window_extent() for t in labels if t.get_visible()]
            boxes = sorted((b.x0, b.x1) for b in inside if axes.bbox.x0 - 1 <= (b.x0 + b.x1) / 2
                           <= axes.bbox.x1 + 1)  # fmt: skip
            assert all(a[1] < b[0] for a, b in pairwise(boxes)), axes.get_xlabel()
            if axes.get_xlabel() == "trial":
                assert all(tick == round(tick) for tick in axes.get_xticks())
            title = axes.yaxis.label.get_window_extent()
            assert 0 <= title.y0 <= title.y1 <= figure.bbox.height, axes.get_ylabel()


def test_the_best_trial_is_the_best_feasible_one(campaign: Campaign, state: State) -> None:
    glance = summary(campaign, state)
    values = {
        n: t.observed("resistivity").event.value  # type: ignore[union-attr]
        for n, t in state.trials.items()
        if standing(campaign, t) is Standing.FEASIBLE
    }
    assert glance.best_trial == min(values, key=values.__getitem__)
    assert glance.best_value == min(values.values())
    assert (glance.n_done, glance.n_failed, glance.n_in_flight) == (38, 2, 0)
    assert "Trial 22 is the best: resistivity (1.069 ± 0.024) × 10⁻³ Ω·cm" in glance.headline
    assert "thickness 323.6 ± 3.2 nm" in glance.headline


def test_a_better_value_that_breaks_a_constraint_is_not_the_best(campaign: Campaign) -> None:
    state = _with_values([(1e-3, 130.0, None), (1e-5, 90.0, None)])
    assert summary(campaign, state).best_trial == 1
    assert standing(campaign, state.trials[2]) is Standing.INFEASIBLE


def test_it_is_said_plainly_when_no_trial_met_the_constraints(campaign: Campaign) -> None:
    glance = summary(campaign, _with_values([(1e-3, 100.0, None), (1e-5, 90.0, None)]))
    assert not glance.feasible
    assert glance.best_trial is None
    assert glance.headline == (
        "No trial met the constraints (thickness ≥ 120 nm); 2 gave a value of resistivity."
    )


def test_that_no_trial_met_the_constraints_is_not_the_last_word_while_values_are_missing(
    campaign: Campaign,
) -> None:
    state = _with_values([(1e-3, 100.0, None), (1e-5, 90.0, None)])
    state.trials[2].status = TrialStatus.AWAITING
    said = summary(campaign, state).headline
    assert said.endswith("2 gave a value of resistivity, and observations of 1 are missing.")


def test_an_over_range_value_is_never_the_best_when_low_is_wanted(campaign: Campaign) -> None:
    state = _with_values([(1e-9, 130.0, "above"), (1e-3, 130.0, None)])
    assert standing(campaign, state.trials[1]) is Standing.OUT_OF_RANGE
    assert summary(campaign, state).best_trial == 2


def test_a_highest_value_is_best_when_it_is_to_be_maximised(campaign: Campaign) -> None:
    objective = Objective(goals=(Goal(metric="resistivity", direction="maximise"),))
    wanted = campaign.model_copy(update={"objective": objective})
    state = _with_values([(1e-3, 100.0, None), (5e-2, 90.0, None), (2e-2, 90.0, None)])
    assert summary(wanted, state).best_trial == 2
    assert charts.best_so_far(wanted, state).best == (1e-3, 5e-2, 5e-2)


@pytest.fixture(scope="module")
def several(campaign: Campaign) -> Campaign:
    """The same films, of which low resistivity and much thickness are wanted."""
    goals = (
        Goal(metric="resistivity", direction="minimise"),
        Goal(metric="thickness", direction="maximise"),
    )
    return campaign.model_copy(update={"objective": Objective(goals=goals)})


def test_of_several_goals_there_is_a_front_and_no_best_trial(several: Campaign) -> None:
    state = _with_values([(1e-3, 100.0, None), (5e-3, 300.0, None), (6e-3, 200.0, None)])
    glance = summary(several, state)
    assert (glance.best_trial, glance.feasible, glance.front) == (None, True, (1, 2))
    assert glance.headline == (
        "2 trials are the best in resistivity and thickness, each in its way: 1, 2."
    )
    front = charts.front(several, state)
    assert front is not None
    best = [(1, 1e-3, 100.0, "best"), (2, 5e-3, 300.0, "best")]
    assert front.points == (*best, (3, 6e-3, 200.0, "other"))
    assert front.logs == (True, False)


def test_what_beats_the_front_and_failed_or_broke_a_limit_is_drawn_apart(
    several: Campaign,
) -> None:
    goals = several.objective.goals
    limit = OutcomeConstraint(metric="thickness", sense="<=", bound=400.0)
    limited = several.model_copy(update={"objective": Objective(goals=goals, constraints=(limit,))})
    events = _events([(1e-3, 100.0, None), (1e-4, 300.0, None), (1e-5, 500.0, None)])
    failure = ev.TrialFailed(trial=2, cause=FailureCause.MEASUREMENT, sentence="refused")
    places = [i for i, e in enumerate(events) if e.event == ev.TrialDone(trial=2)]
    events[places[0]] = events[places[0]].model_copy(update={"event": failure})
    front = charts.front(limited, fold(events))
    assert front is not None
    assert [point[3] for point in front.points] == ["best", "aside", "aside"]


def test_a_trial_without_a_value_of_every_goal_is_not_on_the_front(several: Campaign) -> None:
    state = _with_values([(1e-3, 100.0, None), (1e-9, 900.0, "above")])
    assert summary(several, state).headline == (
        "Trial 1 is the best in resistivity and thickness at once."
    )
    assert standing(several, state.trials[2]) is Standing.OUT_OF_RANGE
    assert summary(several, State()).headline == (
        "No trial has given a value of resistivity and thickness."
    )


def test_where_all_failed_it_is_said_so_whatever_was_measured(several: Campaign) -> None:
    state = _with_values([(1e-3, 100.0, None), (1e-4, 90.0, None)])
    for trial in state.trials.values():
        trial.status = TrialStatus.FAILED
    assert summary(several, state).headline == (
        "No trial has given a value of resistivity and thickness: 2 of 2 failed."
    )


def test_a_match_is_the_nearest_value_and_a_bound_is_none(campaign: Campaign) -> None:
    goal = Goal(metric="thickness", direction="match", low=150.0, high=200.0)
    wanted = campaign.model_copy(update={"objective": Objective(goals=(goal,))})
    state = _with_values([(1e-3, 100.0, None), (1e-3, 220.0, None), (1e-3, 500.0, None)])
    assert summary(wanted, state).best_trial == 2
    assert charts.best_so_far(wanted, state).best == (100.0, 220.0, 220.0)
    assert in_words(wanted) == "thickness between 150 and 200 nm"


def test_the_course_of_several_goals_is_the_hypervolume(several: Campaign) -> None:
    values = [(1e-2, 100.0, None), (1e-3, 200.0, None), (1e-9, 900.0, "above"), (1e-1, 300.0, None)]
    found = dominated(several, _with_values(values))
    assert found is not None
    assert found.corner == (1e-1, 100.0)
    # the box is two decades by 200 nm; trial 1 is on its edge, trial 4 too
    assert found.shares == pytest.approx((0.0, 0.5, 0.5, 0.5))
    goals = (several.objective.goals[0], Goal(metric="thickness", direction="maximise", worst=0.0))
    wanted = several.model_copy(update={"objective": Objective(goals=goals)})
    found = dominated(wanted, _with_values(values))
    assert found is not None
    assert found.shares == pytest.approx((1 / 6, 2 / 3, 2 / 3, 2 / 3))
    assert dominated(several, _with_values([(1e-2, 100.0, None)])) is None


def test_a_value_without_a_logarithm_is_no_obstacle_to_the_hypervolume(several: Campaign) -> None:
    found = dominated(several, _with_values([(1.0, 100.0, None), (-1.0, 200.0, None)]))
    assert found is not None
    assert found.shares == (0.0, 1.0)


def test_one_goal_has_no_hypervolume(campaign: Campaign) -> None:
    assert dominated(campaign, _with_values([(1e-2, 100.0, None), (1e-3, 200.0, None)])) is None


@given(
    st.lists(st.tuples(*[st.integers(0, 6)] * 3), max_size=12),
    st.sampled_from([(6, 6, 6), (5, 4, 6)]),
)
def test_the_hypervolume_is_what_counting_finds(
    rows: list[tuple[int, ...]], corner: tuple[int, ...]
) -> None:
    cells = itertools.product(range(7), repeat=3)
    inside = [c for c in cells if all(a < b for a, b in zip(c, corner, strict=True))]
    counted = [c for c in inside if any(all(map(int.__le__, r, c)) for r in rows)]
    assert hypervolume(rows, corner) == len(counted)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)), max_size=30))
def test_the_front_is_what_no_other_row_beats(rows: list[tuple[int, ...]]) -> None:
    beaten = [
        any(a != b and all(x <= y for x, y in zip(a, b, strict=True)) for a in rows) for b in rows
    ]
    assert undominated(rows) == tuple(not b for b in beaten)


def test_an_invalidated_observation_does_not_count(campaign: Campaign) -> None:
    events = _events([(1e-3, 130.0, None), (5e-4, 130.0, None)])
    bad = next(e.seq for e in events if isinstance(e.event, ev.Observed) and e.event.value == 5e-4)
    gone = ev.ObservationInvalidated(observation=bad, reason="the probe was dirty", by="kim")
    events.append(ev.Recorded(seq=len(events) + 1, at=99.0, wall=99.0, event=gone))
    state = fold(events)
    assert standing(campaign, state.trials[2]) is Standing.NO_VALUE
    assert summary(campaign, state).best_trial == 1
    assert any("the probe was dirty" in i.text for i in incidents(state))


def test_an_empty_campaign_has_a_summary_and_empty_charts(campaign: Campaign) -> None:
    state = State()
    assert summary(campaign, state).headline == "No trial has given a value of resistivity."
    assert charts.best_so_far(campaign, state).values == ()
    assert charts.predicted_measured(campaign, state).points == ()
    assert charts.leave_one_out(campaign, state) == ()
    assert timeline(campaign, state).bars == ()


def test_best_so_far_never_gets_worse(campaign: Campaign, state: State) -> None:
    course = charts.best_so_far(campaign, state)
    known = [b for b in course.best if b is not None]
    assert known == sorted(known, reverse=True)
    assert known[-1] == summary(campaign, state).best_value
    assert course.log


def test_a_log_metric_with_a_value_of_zero_is_drawn_on_a_linear_axis(campaign: Campaign) -> None:
    assert not charts.best_so_far(campaign, _with_values([(0.0, 130.0, None)])).log


def test_what_was_found_at_a_lower_fidelity_is_no_best_so_far(campaign: Campaign) -> None:
    level = Fidelity(name="level", levels=("rough", "exact"), costs=(1.0, 20.0))
    space = SearchSpace(parameters=(*campaign.space.parameters, level))
    rungs = campaign.model_copy(update={"space": space})

    def played(levels: str) -> State:
        state = _with_values([(1e-5, 130.0, None), (1e-2, 130.0, None), (1e-3, 130.0, None)])
        for trial, letter in zip(state.trials.values(), levels, strict=True):
            point = {**trial.proposal.point, "level": {"r": "rough", "e": "exact"}[letter]}
            trial.proposal = trial.proposal.model_copy(update={"point": point})
        return state

    course = charts.best_so_far(rungs, played("ree"))
    assert course.best == (None, 1e-2, 1e-3)
    assert course.values[0].standing is Standing.LOWER_FIDELITY
    assert "at the fidelity that counts" in summary(rungs, played("rrr")).headline


def test_many_parameters_with_long_names_and_words_are_drawn_in_order(
    campaign: Campaign, state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    levels = ("as cut", "ground with five per cent of something", "polished")
    finish = Ordinal(name="finish", levels=levels)
    long = [Real(name=f"number_{n}_with_a_very_long_name_indeed", low=0, high=1) for n in range(12)]
    small = Real(name="rotation", low=0.0, high=0.001, unit="rad/s")
    wide = campaign.model_copy(update={"space": SearchSpace(parameters=(finish, *long, small))})
    played = _with_values([(1e-3, 130.0, None), (2e-3, 130.0, None), (3e-3, 130.0, None)])
    for word, trial in zip(reversed(levels), played.trials.values(), strict=True):
        point = {"finish": word, **{p.name: 0.5 for p in long}, "rotation": 0.0004}
        trial.proposal = trial.proposal.model_copy(update={"point": point})
    drawn: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **_: drawn.append(figure))
    write_figures(wide, played, tmp_path, ["png"])
    figure = next(f for f in drawn if len(f.axes) == 14)
    FigureCanvasAgg(figure).draw()
    words = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert words == ["as cut", "ground with five per ce…", "polished"]
    titles = [axes.xaxis.label.get_window_extent() for axes in figure.axes]
    assert not any(a.overlaps(b) for a, b in pairwise(titles))
    ticks = [t.get_window_extent() for t in figure.axes[-1].get_xticklabels() if t.get_text()]
    assert not any(a.overlaps(b) for a, b in pairwise(ticks))


def test_a_prediction_in_decades_has_an_interval_of_factors() -> None:
    mean, low, high = charts.interval(Prediction(mean=1e-3, sd=0.5, on_log10=True))
    assert mean == 1e-3
    assert high / mean == pytest.approx(mean / low)
    assert math.log10(high / mean) == pytest.approx(1.645 * 0.5, rel=1e-3)
    assert charts.interval(Prediction(mean=10.0, sd=1.0))[1:] == pytest.approx(
        (8.355, 11.645), rel=1e-3
    )


def test_what_is_measured_lies_in_an_interval_that_knows_how_measurements_scatter() -> None:
    wide = charts.interval(Prediction(mean=10.0, sd=0.3, scatter=0.4))
    assert wide == pytest.approx(charts.interval(Prediction(mean=10.0, sd=0.5)))


def test_censored_values_are_not_held_against_predictions(campaign: Campaign, state: State) -> None:
    found = charts.predicted_measured(campaign, state)
    censored = {
        n
        for n, t in state.trials.items()
        if (o := t.observed("resistivity")) is not None and o.event.censored
    }
    assert censored
    assert not censored & {p.trial for p in found.points}
    assert 0 < found.n_inside <= len(found.points)


def test_a_pools_candidates_are_drawn_by_their_numbers(campaign: Campaign) -> None:
    pool = Pool(
        name="alloy",
        names=("CuNi", "CuPd"),
        columns=("a0", "valence"),
        units=("angstrom", ""),
        rows=((3.55, 10.5), (3.72, 11.0)),
    )
    space = SearchSpace(parameters=(pool, Choice(name="gas", options=("Ar", "Kr"))))
    proposal = Proposal(point={"alloy": "CuPd", "gas": "Kr"}, source="pool", why="")
    proposed = ev.TrialProposed(trial=1, proposal=proposal, after=0)
    found = charts.parameters(
        campaign.model_copy(update={"space": space}),
        fold([ev.Recorded(seq=1, at=0.0, wall=0.0, event=proposed)]),
    )
    assert [(a.name, a.unit) for a in found.axes] == [
        ("a0", "angstrom"), ("valence", ""), ("gas", ""),
    ]  # fmt: skip
    assert found.rows == ((3.72, 11.0, "Kr"),)


def test_leave_one_out_errors_of_log_metrics_are_in_decades(
    campaign: Campaign, state: State
) -> None:
    series = charts.leave_one_out(campaign, state)
    assert [(s.metric, s.unit) for s in series] == [("resistivity", "decades"), ("thickness", "nm")]
    assert series[0].trials[0] == 9


def test_the_timeline_has_a_lane_per_role_and_per_part_of_the_tool(
    campaign: Campaign, state: State
) -> None:
    drawn = timeline(campaign, state)
    lanes = [(lane.part_of, lane.name) for lane in drawn.lanes]
    assert lanes[0] == ("", "chamber")
    assert ("chamber", "supply") in lanes
    assert lanes.index(("", "probe")) > lanes.index(("chamber", "supply"))
    assert {lane.part_of for lane in timeline(campaign, state, inner=False).lanes} == {""}
    assert all(0 <= lane.busy <= 1 for lane in drawn.lanes)
    assert all(0 <= bar.start_s <= bar.end_s <= drawn.span_s for bar in drawn.bars)


def test_overlapping_actions_of_a_lane_are_not_counted_twice(campaign: Campaign) -> None:
    events: list[ev.Event] = []
    for ticket in ("a", "b"):
        events.append(
            ev.ActionDispatched(ticket=ticket, resource="arm", action="move", effect="none")
        )
    events += [ev.ActionDone(ticket="a"), ev.ActionDone(ticket="b")]
    times = [0.0, 5.0, 10.0, 15.0]
    recorded = [
        ev.Recorded(seq=i + 1, at=at, wall=at, event=event)
        for i, (at, event) in enumerate(zip(times, events, strict=True))
    ]
    lane = timeline(campaign, fold(recorded)).lanes[-1]
    assert (lane.name, lane.busy) == ("arm", 1.0)


def test_very_many_actions_are_merged_and_none_is_lost(campaign: Campaign) -> None:
    recorded = []
    for i in range(5000):
        order = ev.ActionDispatched(ticket=str(i), resource="arm", action="move", effect="none")
        recorded.append(ev.Recorded(seq=2 * i + 1, at=2.0 * i, wall=0.0, event=order))
        done = ev.ActionDone(ticket=str(i))
        recorded.append(ev.Recorded(seq=2 * i + 2, at=2.0 * i + 1, wall=0.0, event=done))
    drawn = timeline(campaign, fold(recorded))
    assert len(drawn.bars) <= MAX_BARS_PER_LANE + 1
    assert sum(bar.n for bar in drawn.bars) == 5000
    assert sum(bar.busy_s for bar in drawn.bars) == pytest.approx(5000)


def test_incidents_tell_failures_retries_doubts_interlocks_and_made_safe(state: State) -> None:
    found = incidents(state)
    kinds = {incident.kind for incident in found}
    assert kinds >= {"failure", "retry", "doubt", "interlock", "made safe"}
    assert [i.at_s for i in found] == sorted(i.at_s for i in found)
    doubt = next(i for i in found if i.kind == "doubt")
    assert doubt.trial == 14
    assert not doubt.is_open
    assert "it was done" in doubt.text


def test_figures_for_paper_are_written_in_every_format(tmp_path: Path, campaign: Campaign) -> None:
    written = write_figures(campaign, sample_state(12), tmp_path)
    names = {path.name for path in written}
    assert {"best_so_far.svg", "predicted_measured.png", "timeline.pdf"} <= names
    assert all(path.stat().st_size > 1000 for path in written)
    assert "Ω·cm" in (tmp_path / "best_so_far.svg").read_text()


def test_the_front_of_several_goals_is_a_figure(tmp_path: Path, several: Campaign) -> None:
    write_figures(several, sample_state(12), tmp_path, formats=("svg",))
    assert "on the front" in (tmp_path / "front.svg").read_text()
    assert "hypervolume" in (tmp_path / "volume.svg").read_text()


def test_an_empty_campaign_draws_no_figure(tmp_path: Path, campaign: Campaign) -> None:
    assert write_figures(campaign, State(), tmp_path) == []


def test_words_with_signs_of_tex_and_of_any_script_are_drawn_as_they_are(
    tmp_path: Path, campaign: Campaign
) -> None:
    words = (r"$\frac$", "10 $ to 20 $", "\u8584\u819c")
    oxygen = Choice(name="oxygen", options=words)
    space = SearchSpace(parameters=(oxygen, *campaign.space.parameters[1:]))
    state = _with_values([(1e-3, 130.0, None)] * 3)
    for word, trial in zip(words, state.trials.values(), strict=True):
        trial.proposal.point["oxygen"] = word
    drawn = campaign.model_copy(update={"space": space})
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        write_figures(drawn, state, tmp_path, formats=("svg", "png"))
    svg = (tmp_path / "parameters.svg").read_text()
    assert all(word in svg for word in words)
    lacking = "no font here has \u8584 \u819c: boxes stand for them in the figures"
    assert [str(one.message) for one in said] in ([], [lacking])


def test_an_unknown_figure_format_is_refused(tmp_path: Path, campaign: Campaign) -> None:
    with pytest.raises(UnknownName, match="bmp"):
        write_figures(campaign, State(), tmp_path, formats=("bmp",))


def test_chart_data_and_the_page_load_neither_matplotlib_nor_jinja() -> None:
    code = (
        "import sys, orchestrator.reports.page, orchestrator.reports.figures, "
        "orchestrator.reports.export, orchestrator.reports.replay; "
        "bad = {'matplotlib', 'jinja2', 'numpy', 'rich'} & set(sys.modules); "
        "assert not bad, bad"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _events(rows: list[tuple[float, float, str | None]]) -> list[ev.Recorded]:
    """Trials with (resistivity, thickness, how the resistivity is censored)."""
    point = {"oxygen": 1.0, "temperature": 300.0, "power": 100.0, "argon": 1.0}
    found: list[ev.Event] = []
    for number, (resistivity, thickness, censored) in enumerate(rows, start=1):
        proposal = Proposal(point=dict(point), source="initial", why="a test")
        found.append(ev.TrialProposed(trial=number, proposal=proposal, after=0))
        order = {"trial": number, "metric": "resistivity", "value": resistivity}
        found.append(ev.Observed.model_validate({**order, "censored": censored}))
        found.append(ev.Observed(trial=number, metric="thickness", value=thickness, unit="nm"))
        found.append(ev.TrialDone(trial=number))
    return [
        ev.Recorded(seq=i, at=float(i), wall=float(i), event=event)
        for i, event in enumerate(found, start=1)
    ]


def _with_values(rows: list[tuple[float, float, str | None]]) -> State:
    return fold(_events(rows))


def test_the_sample_journal_is_one_that_could_have_been_written() -> None:
    events = sample_events(finished=False)
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert all(a.at <= b.at for a, b in pairwise(events))
    assert all(ev.EVENTS.validate_json(e.event.model_dump_json()) == e.event for e in events)


@pytest.mark.parametrize(("n", "are_named"), [(3, True), (14, False)])
def test_names_of_many_candidates_do_not_lie_on_each_other(
    n: int, are_named: bool, tmp_path: Path, campaign: Campaign
) -> None:
    words = tuple(f"Cc1ccc2nnccc2c1-{i}" for i in range(n))
    oxygen = Choice(name="oxygen", options=words)
    space = SearchSpace(parameters=(oxygen, *campaign.space.parameters[1:]))
    state = _with_values([(1e-3, 130.0, None)] * n)
    for word, trial in zip(words, state.trials.values(), strict=True):
        trial.proposal.point["oxygen"] = word
    write_figures(campaign.model_copy(update={"space": space}), state, tmp_path, formats=("svg",))
    svg = (tmp_path / "parameters.svg").read_text()
    assert (words[0] in svg, "oxygen (14 of them)" in svg) == (are_named, not are_named)
    assert ("rotate(-90)" in svg.partition(words[0])[0][-200:]) == are_named
