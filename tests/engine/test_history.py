"""What the planner is told of a campaign."""

from __future__ import annotations

import pytest
from small_works import MASS, MINUTE, Works

from orchestrator.engine.history import history_of
from orchestrator.errors import Exit
from orchestrator.model import events as ev
from orchestrator.model.objective import Metric
from orchestrator.model.space import Context, Real, SearchSpace
from orchestrator.model.state import fold

HUMID = SearchSpace(
    parameters=(
        Real(name="x", low=0.0, high=900.0, unit="degC"),
        Context(name="humidity", low=20.0, high=80.0, assumed=45.0, unit="percent"),
    )
)


def humid(expression: str, trials: int = 2) -> Works:
    humidity = Metric(name="humidity", expression=expression, unit="percent")
    works = Works(metrics=(MASS, humidity), trials=trials, settings={"space": HUMID})
    works.planner.points.extend({"x": 100.0 + n, "humidity": 45.0} for n in range(trials))
    return works


def test_a_context_that_is_measured_is_what_the_planner_is_told() -> None:
    works = humid("weigh.mean / 1 g * 30 percent")
    assert works.run().exit_code is Exit.FINISHED
    told = history_of(works.study, works.state)
    assert [e.point for e in told.evaluated] == [
        {"x": 100.0, "humidity": pytest.approx(60.0)},
        {"x": 101.0, "humidity": pytest.approx(60.0)},
    ]
    assert works.state.trials[1].proposal.point["humidity"] == 45.0


def test_a_proposal_has_the_context_as_it_is_now_whatever_its_planner_says() -> None:
    works = humid("weigh.mean / 1 g * 30 percent", trials=3)
    works.planner.points.clear()
    works.planner.points.extend({"x": 100.0 + n, "humidity": 1.0} for n in range(3))
    works.run()
    points = [t.proposal.point["humidity"] for t in works.state.trials.values()]
    assert points[0] == 45.0
    assert points[-1] == pytest.approx(60.0)
    assert works.planner.histories[-1].context == {"humidity": pytest.approx(60.0)}


def test_a_context_that_a_person_may_observe_is_not_waited_for() -> None:
    works = humid("", trials=3)
    works.wish("observe", sample="1", metric="humidity", value="70 percent")

    def observe(recorded: ev.Recorded, state: object) -> None:
        if isinstance(recorded.event, ev.TrialDone) and recorded.event.trial == 1:
            works.wish("observe", sample="1", metric="humidity", value="70 percent")

    works.on_event = observe
    assert works.run().exit_code is Exit.FINISHED
    told = history_of(works.study, works.state)
    assert [e.point["humidity"] for e in told.evaluated] == [70.0, 45.0, 70.0]


def test_each_trial_has_the_time_at_which_it_was_known() -> None:
    works = Works(trials=3, settings={"in_flight": 1})
    works.run()
    told = history_of(works.study, works.state)
    times = [e.at_s for e in told.evaluated if e.at_s is not None]
    assert times == sorted(times)
    assert times[0] > MINUTE
    proposed = works.events(ev.TrialProposed)
    asked = [h.now_s for h in works.planner.histories]
    assert asked == [e.now_s for e in proposed]
    assert asked[0] == 0.0
    assert asked[1] >= times[0]


def _observed(**facts: object) -> ev.Observed:
    given = {"trial": 1, "metric": "mass", "value": 2.0, "sd": 0.1, **facts}
    return ev.Observed.model_validate(given)


@pytest.mark.parametrize(
    ("facts", "sd"), [({"n_readings": 9}, None), ({"n_samples": 3}, 0.1), ({"n_samples": 1}, None)]
)
def test_only_scatter_between_samples_is_known_noise(
    facts: dict[str, object], sd: float | None
) -> None:
    works = Works(trials=1)
    works.run()
    story = [e for e in works.store.read(works.row.id) if not isinstance(e.event, ev.Observed)]
    story.append(ev.Recorded(seq=99, at=99.0, wall=0.0, event=_observed(**facts)))
    (told,) = history_of(works.study, fold(story)).evaluated
    assert told.outcomes["mass"].sd == sd
    assert told.outcomes["mass"].n_samples == facts.get("n_samples", 1)
