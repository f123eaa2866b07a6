"""What the planner is told of a campaign."""

from __future__ import annotations

import pytest
from small_works import MASS, MINUTE, Works

from orchestrator.engine.history import history_of, task_of
from orchestrator.errors import Exit
from orchestrator.model import events as ev
from orchestrator.model.campaign import Blocks, Controls, PlannerChoice
from orchestrator.model.objective import Goal, Metric, Objective
from orchestrator.model.space import Context, Fidelity, Real, SearchSpace
from orchestrator.model.start import KnownOutcome, KnownTrial
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


def test_the_planner_is_told_how_many_trials_the_budget_has() -> None:
    assert task_of(humid("weigh.mean / 1 g * 30 percent", trials=7).study.campaign).trials == 7


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
    ("facts", "told"),
    [
        ({"n_readings": 9}, (None, 1, "sample")),
        ({"n_samples": 3}, (0.1, 3, "sample")),
        ({"n_samples": 1}, (None, 1, "sample")),
        ({"n_samples": 3, "level": "reading"}, (None, 1, "sample")),
        ({"n_samples": 3, "level": "run"}, (0.1, 3, "run")),
        ({"n_samples": 3, "level": "block"}, (0.1, 3, "block")),
    ],
)
def test_only_scatter_between_samples_is_known_noise(
    facts: dict[str, object], told: tuple[float | None, int, str]
) -> None:
    works = Works(trials=1)
    works.run()
    story = [e for e in works.store.read(works.row.id) if not isinstance(e.event, ev.Observed)]
    story.append(ev.Recorded(seq=99, at=99.0, wall=0.0, event=_observed(**facts)))
    (trial,) = history_of(works.study, fold(story)).evaluated
    outcome = trial.outcomes["mass"]
    assert (outcome.sd, outcome.n_samples, outcome.level) == told


def blocks_told(works: Works) -> list[str]:
    return [e.block for e in history_of(works.study, works.state).evaluated]


def test_without_a_word_about_blocks_no_trial_has_one() -> None:
    works = Works(trials=2)
    works.run()
    assert blocks_told(works) == ["", ""]


def test_a_block_may_be_so_many_trials() -> None:
    works = Works(trials=5, settings={"block": Blocks(every=2)})
    works.run()
    assert blocks_told(works) == [f"trials from {n}" for n in (1, 1, 3, 3, 5)]


def test_a_block_may_begin_with_each_control() -> None:
    controls = Controls(every=2, point={"x": 5.0})
    block = Blocks(controls=True)
    works = Works(trials=5, settings={"in_flight": 1, "controls": controls, "block": block})
    works.run()
    assert blocks_told(works) == [f"from control {n}" for n in (1, 1, 1, 2, 2)]


def test_a_block_may_be_what_has_the_same_number_observed() -> None:
    lot = Metric(name="lot", expression="weigh.mean / 1 g")
    settings = {"in_flight": 1, "block": Blocks(metric="lot")}
    works = Works(metrics=(MASS, lot), trials=3, settings=settings)
    works["balance"].says.extend([7.0, 20260102.0, 7.0])
    works.run()
    assert blocks_told(works) == ["lot 7", "lot 20260102", "lot 7"]
    # a number that is not known yet is no block of its own
    seen = works.state.trials[2].observations
    works.state.trials[2].observations = [o for o in seen if o.event.metric != "lot"]
    assert blocks_told(works) == ["lot 7", "", "lot 7"]


def test_what_was_known_before_is_a_block_of_its_own() -> None:
    known = KnownTrial(point={"x": 7.0}, outcomes={"mass": KnownOutcome(value=1.0)})
    works = Works(trials=1, settings={"start": (known,), "block": Blocks(every=2)})
    works.run()
    assert blocks_told(works) == ["before", "trials from 1"]
    of_a_lot = known.model_copy(update={"block": "lot 7"})
    works = Works(trials=1, settings={"start": (known, of_a_lot), "block": Blocks(every=2)})
    works.run()
    assert blocks_told(works) == ["before", "lot 7", "trials from 1"]


def test_samples_of_one_trial_are_averaged_and_counted() -> None:
    works = Works(trials=1)

    def observe(recorded: ev.Recorded, state: object) -> None:
        if isinstance(recorded.event, ev.Observed) and recorded.event.sample == "works-1":
            works.wish("observe", sample="1/b", metric="mass", value="5 g")
            works.wish("observe", sample="works-1/c", metric="mass", value="6 g")
            # of one sample the newest value counts
            works.wish("observe", sample="works-1/b", metric="mass", value="4 g")

    works.on_event = observe
    assert works.run().exit_code is Exit.FINISHED
    assert len(works.events(ev.Observed)) == 4
    (told,) = history_of(works.study, works.state).evaluated
    outcome = told.outcomes["mass"]
    assert (outcome.value, outcome.n_samples, outcome.sd) == (4.0, 3, None)  # of 2, 4 and 6


def test_where_controls_are_made_the_planner_models_what_drifts() -> None:
    plain = Works(trials=1).study.campaign
    controlled = plain.model_copy(
        update={"controls": Controls(every=4, point={"x": 1.0}), "planner": PlannerChoice()}
    )
    assert task_of(controlled).planner.options["drift"] is True
    unwilling = PlannerChoice(options={"drift": False})
    refused = controlled.model_copy(update={"planner": unwilling})
    assert task_of(refused).planner.options["drift"] is False


def test_what_a_trial_in_flight_has_given_is_told_beside_its_point() -> None:
    length = Metric(name="length", expression="", unit="mm")
    wanted = (Goal(metric=name, direction="minimise") for name in ("mass", "length"))
    works = Works(metrics=(MASS, length), trials=3, objective=Objective(goals=tuple(wanted)))
    assert works.run().exit_code is Exit.PERSON
    told = history_of(works.study, works.state)
    assert not told.evaluated
    assert [point["x"] for point in told.pending] == [101.0, 102.0, 103.0]
    assert [(b.trial, b.point["x"], list(b.outcomes)) for b in told.begun] == [
        (number, 100.0 + number, ["mass"]) for number in (1, 2, 3)
    ]
    ended_at = [works.state.trials[n].observations[-1].at for n in (1, 2, 3)]
    assert [b.at_s for b in told.begun] == [at - works.state.started_at for at in ended_at]

    first = works.state.trials[1].observations[0].seq
    works.wish("invalidate", observation=first, reason="the balance was not level")
    works.wish("observe", sample="2", metric="length", value="3 mm")
    assert works.run().exit_code is Exit.PERSON
    told = history_of(works.study, works.state)
    assert [e.trial for e in told.evaluated] == [2]
    assert [point["x"] for point in told.pending] == [101.0, 103.0]
    assert [b.trial for b in told.begun] == [3]


def test_what_still_counts_of_a_trial_is_told_when_another_metric_was_taken_back() -> None:
    length = Metric(name="length", expression="weigh.sd", unit="g")
    wanted = (Goal(metric=name, direction="minimise") for name in ("mass", "length"))
    works = Works(metrics=(MASS, length), trials=3, objective=Objective(goals=tuple(wanted)))

    def taken_back(trial: int, metric: str) -> None:
        found = works.state.trials[trial].observed(metric)
        assert found is not None
        reason = "the balance was not level"
        works.wish("invalidate", observation=found.seq, reason=reason)
        works.run()

    works.run()
    taken_back(1, "mass")
    told = history_of(works.study, works.state)
    assert ([e.trial for e in told.evaluated], told.pending, told.begun) == ([2, 3], (), ())
    assert [(w.trial, list(w.outcomes)) for w in told.withdrawn] == [(1, ["length"])]
    taken_back(1, "length")
    assert history_of(works.study, works.state).withdrawn == (), "nothing of it counts"
    taken_back(2, "length")
    assert [w.trial for w in history_of(works.study, works.state).withdrawn] == [2]
    works.wish("observe", sample="2", metric="length", value="3 g")
    works.run()
    told = history_of(works.study, works.state)
    assert ([e.trial for e in told.evaluated], told.withdrawn) == ([2, 3], ())


def test_what_a_trial_costs_is_not_learnt_before_it_has_ended() -> None:
    length = Metric(name="length", expression="", unit="mm")
    wanted = (Goal(metric=name, direction="minimise") for name in ("mass", "length"))
    rungs = Fidelity(name="rung", levels=("rough", "exact"))
    space = SearchSpace(parameters=(HUMID.parameters[0], rungs))
    works = Works(
        metrics=(MASS, length),
        trials=1,
        objective=Objective(goals=tuple(wanted)),
        settings={"space": space},
    )
    works.planner.points.append({"x": 100.0, "rung": "rough"})
    assert works.run().exit_code is Exit.PERSON
    (begun,) = history_of(works.study, works.state).begun
    assert begun.seconds is None
    works.wish("observe", sample="1", metric="length", value="3 mm")
    works.run()
    (ended,) = history_of(works.study, works.state).evaluated
    assert ended.seconds is not None
