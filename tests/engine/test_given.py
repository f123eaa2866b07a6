"""Trials that the planner does not choose: controls, and replicates at the end."""

from __future__ import annotations

from typing import Any

import pytest
from small_works import LIGHTEST, MASS, Works

from orchestrator import errors
from orchestrator.errors import Exit
from orchestrator.model import events as ev
from orchestrator.model.campaign import Confirmation, Controls
from orchestrator.model.objective import Goal, Metric, Objective, OutcomeConstraint
from orchestrator.model.space import Context, Real, SearchSpace
from orchestrator.reports.confirmation import confirmation, in_words
from orchestrator.reports.page import report_html
from orchestrator.reports.summary import summary

CONTROLS = Controls(every=3, point={"x": 50.0})


def told(works: Works) -> list[tuple[str, float]]:
    proposals = [e.proposal for e in works.events(ev.TrialProposed)]
    return [(p.source, float(p.point["x"])) for p in proposals]


def works_of(trials: int, **settings: Any) -> Works:
    return Works(trials=trials, settings={"in_flight": 1, **settings})


def test_a_control_comes_first_and_after_every_so_many_others() -> None:
    works = works_of(8, controls=CONTROLS)
    assert works.run().exit_code is Exit.FINISHED
    assert told(works) == [
        ("control", 50.0),
        ("initial", 101.0),
        ("initial", 102.0),
        ("initial", 103.0),
        ("control", 50.0),
        ("initial", 104.0),
        ("initial", 105.0),
        ("initial", 106.0),
    ]
    assert [e.trial for e in works.planner.histories[-1].evaluated] == [1, 2, 3, 4, 5, 6, 7]


def test_a_control_has_the_context_of_its_time() -> None:
    space = SearchSpace(
        parameters=(
            Real(name="x", low=0.0, high=900.0, unit="degC"),
            Context(name="humidity", low=20.0, high=80.0, assumed=45.0),
        )
    )
    humidity = Metric(name="humidity", expression="weigh.mean / 1 g + 30")
    works = Works(
        metrics=(MASS, humidity),
        trials=2,
        settings={"in_flight": 1, "space": space, "controls": Controls(every=1, point={"x": 5.0})},
    )
    works.planner.points.append({"x": 7.0, "humidity": 45.0})
    works.run()
    points = [e.proposal.point for e in works.events(ev.TrialProposed)]
    assert points[0] == {"x": 5.0, "humidity": 45.0}
    works = Works(
        metrics=(MASS, humidity),
        trials=3,
        settings={"in_flight": 1, "space": space, "controls": Controls(every=1, point={"x": 5.0})},
    )
    works.planner.points.append({"x": 7.0, "humidity": 32.0})
    works.run()
    points = [e.proposal.point for e in works.events(ev.TrialProposed)]
    assert points[2]["humidity"] == 32.0


def confirmed(
    values: list[Any], trials: int = 3, objective: Objective = LIGHTEST, **settings: Any
) -> Works:
    """A campaign whose balance says these values one after the other."""
    works = Works(
        trials=trials,
        objective=objective,
        settings={
            "in_flight": 1,
            "confirm": Confirmation(replicates=2, control=2),
            **settings,
        },
    )
    works["balance"].says.extend(values)
    return works


def test_at_the_end_the_best_point_and_a_control_are_repeated_in_turn() -> None:
    works = confirmed([5.0, 3.0, 4.0, 3.2, 5.1, 3.4, 5.3])
    for trial in (2, 3):
        works.planner.points.append({"x": 200.0 + trial})
    works.planner.points.appendleft({"x": 100.0})
    ending = works.run()
    assert ending.exit_code is Exit.FINISHED
    assert ending.sentence == "the budget of 3 trials is used"
    # all three are of the initial design: the best of it is the best one, and no control
    assert told(works)[3:] == [("confirm", 202.0), ("confirm", 202.0)]


def test_the_control_point_is_the_control_where_there_is_one() -> None:
    works = confirmed([5.0, 3.0, 4.0, 3.2, 5.1, 3.4, 5.3], controls=CONTROLS)
    works.run()
    assert told(works) == [
        ("control", 50.0),
        ("initial", 101.0),
        ("initial", 102.0),
        ("confirm", 101.0),
        ("confirm", 50.0),
        ("confirm", 101.0),
        ("confirm", 50.0),
    ]
    found = confirmation(works.study.campaign, works.state)
    assert found is not None
    assert (found.trial, found.control, found.n_failed) == (2, 0, 0)
    assert found.value.mean == pytest.approx(3.3)
    # t(0.975, 1) = 12.706; sd = 0.1414 of two values
    assert found.value.interval == pytest.approx((3.3 - 1.2706, 3.3 + 1.2706), abs=1e-3)
    assert found.change is not None
    assert found.change.mean == pytest.approx(-1.9)
    # Welch with equal scatter: t(0.975, 2) = 4.3027, standard error 0.1414
    assert found.change.interval == pytest.approx((-1.9 - 0.6085, -1.9 + 0.6085), abs=1e-3)
    glance = summary(works.study.campaign, works.state)
    assert glance.best_trial == 2
    assert glance.confirmed.startswith("2 fresh replicates of trial 2 gave mass 3.3 g (95 % int")
    assert "beside the control point (2 replicates)" in glance.confirmed
    assert glance.confirmed in report_html(works.study.campaign, works.state)


def test_the_trial_that_the_model_recommends_is_repeated_and_the_journal_says_so() -> None:
    works = confirmed([5.0, 3.0, 3.1, 4.0, 3.2, 5.1, 3.4, 5.3], controls=CONTROLS, trials=4)
    works.planner.recommends.append(3)
    works.run()
    assert [e.trial for e in works.events(ev.Recommended)] == [3]
    proposals = [e.proposal for e in works.events(ev.TrialProposed)]
    assert [p.notes.get("repeats") for p in proposals[4:]] == [3, 0, 3, 0]
    assert proposals[4].why == "replicate of trial 3, which the model recommends"
    glance = summary(works.study.campaign, works.state)
    assert "of trial 3, which the model recommends, gave mass 3.3 g" in glance.confirmed


@pytest.mark.parametrize("said", [None, 99, 1, errors.PlanningError("no fit")])
def test_without_a_usable_recommendation_the_best_measured_trial_is_repeated(said: Any) -> None:
    thick = Objective(
        goals=(Goal(metric="mass", direction="minimise"),),
        constraints=(OutcomeConstraint(metric="mass", sense=">=", bound=2.5),),
    )
    works = confirmed([2.0, 3.0, 4.0, 3.2, 3.3, 3.4, 3.5], objective=thick)
    if said is not None:
        works.planner.recommends.append(said)
    works.run()
    (told_so,) = works.events(ev.Recommended)
    assert (told_so.trial, told_so.by) == (2, "measured")
    words = {None: "there is no model", 99: "trial 99", 1: "trial 1"}
    assert words.get(said if isinstance(said, int | None) else -1, "no fit") in told_so.note
    assert told(works)[3] == ("confirm", 102.0)


def test_a_resumed_campaign_repeats_what_was_recommended_before() -> None:
    works = confirmed([5.0, 3.0, 3.1, 4.0, 3.2, 5.1, 3.4, 5.3], controls=CONTROLS, trials=4)
    works.planner.recommends.extend([3, 2])

    def stop(recorded: ev.Recorded, state: Any) -> None:
        if isinstance(recorded.event, ev.Recommended) and works.engine is not None:
            works.engine.interrupt()

    works.on_event = stop
    assert works.run().exit_code is Exit.INTERRUPTED
    assert works.run().exit_code is Exit.FINISHED
    assert [e.trial for e in works.events(ev.Recommended)] == [3]
    assert {p for source, p in told(works) if source == "confirm"} == {50.0, 102.0}


def test_on_a_log_scale_the_change_is_a_ratio() -> None:
    works = Works(
        metrics=(MASS.model_copy(update={"scale": "log"}),),
        trials=2,
        settings={"in_flight": 1, "confirm": Confirmation(), "controls": CONTROLS},
    )
    works["balance"].says.extend([100.0, 1.0, 1.0, 100.0, 1.0, 100.0, 1.0, 100.0])
    works.run()
    found = confirmation(works.study.campaign, works.state)
    assert found is not None
    assert found.change is not None
    assert found.change.mean == pytest.approx(0.01)
    assert "0.01 (95 % interval 0.01 to 0.01) times that of" in in_words(
        works.study.campaign, found
    )


def test_the_replicates_are_made_once_however_often_the_engine_starts() -> None:
    works = confirmed([5.0, 3.0, 4.0, 3.2, 5.1, 3.4, 5.3], controls=CONTROLS)

    def stop(recorded: ev.Recorded, state: Any) -> None:
        if isinstance(recorded.event, ev.TrialProposed) and works.engine is not None:
            works.engine.interrupt()

    works.on_event = stop
    for _ in range(30):
        if works.run().exit_code is Exit.FINISHED:
            break
    assert [source for source, _ in told(works)].count("confirm") == 4


def test_a_failed_replicate_is_told_and_not_repeated() -> None:
    works = confirmed([5.0, 3.0, 4.0, 3.2], controls=CONTROLS)
    stumble = errors.NoReading("balance", "no contact")
    works.on_event = _trip(works, stumble)
    works.run()
    assert [source for source, _ in told(works)].count("confirm") == 4
    found = confirmation(works.study.campaign, works.state)
    assert found is not None
    assert found.n_failed == 1
    assert "1 replicate failed" in in_words(works.study.campaign, found)


def _trip(works: Works, error: BaseException) -> Any:
    def trip(recorded: ev.Recorded, state: Any) -> None:
        event = recorded.event
        if isinstance(event, ev.TrialProposed) and event.trial == 5:
            works["balance"].troubles["weigh"].append(error)

    return trip


def test_without_being_asked_nothing_is_confirmed() -> None:
    works = Works(trials=2)
    assert works.run().exit_code is Exit.FINISHED
    assert [source for source, _ in told(works)] == ["initial", "initial"]
    assert confirmation(works.study.campaign, works.state) is None


def test_where_nothing_is_worth_it_nothing_is_repeated() -> None:
    heavy = Objective(
        goals=(Goal(metric="mass", direction="minimise"),),
        constraints=(OutcomeConstraint(metric="mass", sense=">=", bound=1e6),),
    )
    works = Works(trials=2, objective=heavy, settings={"confirm": Confirmation()})
    assert works.run().exit_code is Exit.FINISHED
    assert [source for source, _ in told(works)] == ["initial", "initial"]
