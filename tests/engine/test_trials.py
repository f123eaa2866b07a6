"""What the loop makes of trials: values, failures, samples, and several at a time."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, ClassVar

import pytest
from small_works import (
    CLASSES,
    MASS,
    MINUTE,
    RECIPE,
    Oven,
    ReleasingOven,
    Works,
    bake,
    bakes_of,
    move,
    take,
    weigh,
)

from orchestrator import errors
from orchestrator.errors import Exit
from orchestrator.model import events as ev
from orchestrator.model.campaign import Budget, StopRules
from orchestrator.model.lab import Interlock
from orchestrator.model.objective import Metric
from orchestrator.model.patience import PATIENCE_S
from orchestrator.model.quantity import Bound
from orchestrator.model.recipe import Argument, OnFailure
from orchestrator.model.space import Real, SearchSpace
from orchestrator.model.state import State
from orchestrator.model.trial import FailureCause
from orchestrator.ports.resource import Verdict


def test_a_campaign_runs_its_trials_and_ends() -> None:
    works = Works(trials=3)
    ending = works.run()
    assert (ending.exit_code, ending.sentence) == (
        Exit.FINISHED,
        "the budget of 3 trials is used",
    )
    assert works.statuses() == ["done", "done", "done"]
    assert works["oven"].baked == [101.0, 102.0, 103.0]
    assert {s.position for s in works.state.samples.values()} == {"shelf"}
    assert works.events(ev.EngineStopped)[-1].is_safe


def test_an_observation_knows_its_noise_of_reading_and_where_it_came_from() -> None:
    works = Works(trials=1)
    works.run()
    (seen,) = works.events(ev.Observed)
    assert (seen.value, seen.unit, seen.n_readings, seen.level) == (2.0, "g", 3, "sample")
    assert seen.sd == pytest.approx(0.3 / math.sqrt(3))
    assert (seen.sample, seen.source) == ("works-1", "weigh")


def test_two_trials_in_flight_overlap_and_the_planner_knows_the_pending_point() -> None:
    works = Works(trials=3)
    works.run()
    bakes = {d.event.trial: d for d in works.state.dispatches.values() if d.event.action == "bake"}
    weighs = {
        d.event.trial: d for d in works.state.dispatches.values() if d.event.action == "weigh"
    }
    assert bakes[2].at < (weighs[1].ended_at or 0.0)
    assert works.planner.histories[1].pending == ({"x": 101.0},)
    one_by_one = 3 * (0.5 + 10 + 0.5 + 1 + 0.5) * MINUTE
    assert works.state.last_at < one_by_one


def test_as_many_trials_are_in_flight_as_the_places_and_their_tools_can_take() -> None:
    assert Works().study.in_flight == 2
    assert Works(slots={"oven": 2}).study.in_flight == 2
    assert Works(slots={"oven": 2}, classes=WIDE).study.in_flight == 3
    assert Works(slots={"oven": 1}, classes=WIDE).study.in_flight == 2
    assert Works(recipe=(weigh(),)).study.in_flight == 1
    assert Works(settings={"in_flight": 7}).study.in_flight == 7


class WideOven(Oven):
    concurrent: ClassVar[int] = 2


WIDE = {**CLASSES, "oven": WideOven}


def test_a_slow_trial_does_not_stall_a_fast_one() -> None:
    works = Works(trials=5, slots={"oven": 2}, classes=WIDE)
    works["oven"].minutes = 1.0

    async def slow() -> None:
        await works.clock.sleep(600 * MINUTE)

    works["oven"].troubles["bake"].append(slow)
    works.run()
    assert works.statuses() == ["done"] * 5
    ends = {t.number: t.ended_at or 0.0 for t in works.state.trials.values()}
    assert ends[1] > 600 * MINUTE > max(ends[n] for n in (2, 3, 4, 5))


def test_a_question_that_takes_long_to_answer_does_not_stall_another_trial() -> None:
    recipe = (take(), bake(), bake("again"), *RECIPE[2:])
    works = Works(recipe=recipe, trials=2, slots={"oven": 2}, classes=WIDE)

    async def moving() -> Verdict:
        return Verdict("running", "it moves")

    works["arm"].troubles["halfway"].extend(
        [_nothing, _nothing, errors.DeviceSilent("arm", "silent")]
    )
    works["arm"].troubles["ask"].extend([moving] * 3600)
    works["arm"].troubles["ask"].append(_arrived)
    works.run()
    assert works.statuses() == ["done", "done"]
    again = [d for d in works.state.dispatches.values() if d.event.step == "again"]
    assert again[1].at < 3600.0


async def _arrived() -> Verdict:
    return Verdict("done", "it arrived")


def test_the_number_of_trials_in_flight_is_the_campaigns_where_it_says_so() -> None:
    works = Works(trials=3, settings={"in_flight": 1})
    works.run()
    assert all(h.pending == () for h in works.planner.histories)


def test_a_position_never_holds_more_than_it_can_while_trials_overlap() -> None:
    works = Works(trials=5)
    most: list[int] = []

    def look(entry: ev.Recorded, state: Any) -> None:
        most.append(max(len(state.at_position(p)) for p in ("oven", "balance")))

    works.on_event = look
    works.run()
    assert max(most) == 1


def test_two_steps_never_start_on_one_resource_while_an_interlock_is_still_being_read() -> None:
    """A step is on its way while its sensors are read; `decide` cannot see it before its dispatch
    is in the journal."""
    drifting = Interlock(
        rule="never arm.place while balance.drift > 1 g",
        resource="arm",
        action="place",
        sensor="balance",
        reading="drift",
        value="value",
        sense=">",
        threshold=1.0,
        unit="g",
        max_age_s=5.0,
    )
    works = Works(
        trials=2,
        interlocks=[drifting],
        slots={"oven": 2},
        classes=WIDE,
        lab_settings={"poll_s": 1e6},
    )

    async def at_once() -> float:
        return 0.0

    async def until_the_first_bake_has_ended() -> float:
        await works.clock.sleep(10.25 * MINUTE)
        return 0.0

    works["balance"].troubles["drift"].extend([at_once, until_the_first_bake_has_ended])
    most: list[int] = []

    def look(entry: ev.Recorded, state: Any) -> None:
        events = [state.dispatches[t].event for t in state.open_tickets]
        most.append(sum(e.resource == "arm" for e in events))

    works.on_event = look
    works.run()
    assert max(most) == 1
    assert works.statuses() == ["done"] * 2


@pytest.mark.parametrize(
    ("metric", "says", "why"),
    [
        (MASS, math.nan, "not a finite number"),
        (MASS.model_copy(update={"low": 1.0}), 0.5, "below 1"),
        (MASS.model_copy(update={"high": 1.0}), 1.5, "above 1"),
        (MASS.model_copy(update={"scale": "log"}), 0.0, "must be positive"),
        (MASS.model_copy(update={"expression": "1 g * g / weigh.mean"}), 0.0, "divides by zero"),
    ],
    ids=["nan", "low", "high", "log", "zero division"],
)
def test_a_value_that_does_not_pass_the_gate_fails_its_trial_and_not_the_campaign(
    metric: Metric, says: float, why: str
) -> None:
    if "1 g" in metric.expression:
        metric = metric.model_copy(update={"expression": "weigh.mean * weigh.mean / weigh.mean"})
    works = Works(metrics=(metric,), trials=2)
    works["balance"].says.extend([says, 0.9 if metric.high else 1.0])
    assert works.run().exit_code is Exit.FINISHED
    assert works.statuses() == ["failed", "done"]
    trial = works.state.trials[1]
    assert trial.cause is FailureCause.MEASUREMENT
    assert why in trial.sentence
    assert not trial.blames_parameters
    assert works.state.samples["works-1"].position == "shelf"
    raw = next(
        d
        for d in works.state.dispatches.values()
        if d.event.action == "weigh" and d.event.trial == 1
    )
    assert raw.results["sd"] == 0.3


def test_what_was_measured_beside_a_refused_value_is_kept() -> None:
    low = Metric(name="low", expression="weigh.mean", unit="g", high=1.0)
    works = Works(metrics=(MASS, low), trials=1)
    works.run()
    assert works.statuses() == ["failed"]
    assert works.values("mass") == [2.0]
    assert works.values("low") == [None]


def test_an_over_range_value_is_a_bound_for_the_planner_too() -> None:
    works = Works(trials=2, settings={"in_flight": 1})
    works["balance"].says.append(Bound(9.0, "above"))
    works.run()
    seen = works.events(ev.Observed)[0]
    assert (seen.value, seen.censored, seen.sd) == (9.0, "above", None)
    told = works.planner.histories[1].evaluated[0].outcomes["mass"]
    assert (told.value, told.censored) == (9.0, "above")


def test_a_failure_that_may_be_repeated_is_repeated_and_then_pauses() -> None:
    works = Works(trials=1)
    works["balance"].troubles["weigh"].extend([errors.DeviceGarbled("balance", "noise")] * 2)
    assert works.run().exit_code is Exit.FINISHED
    assert works.statuses() == ["done"]
    works = Works(trials=1)
    works["balance"].troubles["weigh"].extend([errors.DeviceGarbled("balance", "noise")] * 3)
    ending = works.run()
    assert ending.exit_code is Exit.PERSON
    assert "step 'weigh' of trial 1 failed: balance: noise" in ending.sentence
    assert works["balance"].did.count("weigh") == 3
    assert works.run().exit_code is Exit.FINISHED
    assert works.statuses() == ["done"]


AWAY = [errors.DeviceSilent, errors.DeviceGone, errors.DeviceAbsent]


@pytest.mark.parametrize("away", AWAY)
def test_a_device_that_comes_back_within_two_minutes_costs_a_trial_nothing(
    away: type[errors.DeviceError],
) -> None:
    works = Works(trials=1)
    works["balance"].troubles["weigh"].extend([away("balance", "away")] * 7)
    assert works.run().exit_code is Exit.FINISHED
    assert (works.statuses(), works["balance"].did.count("weigh")) == (["done"], 8)
    began = [d.at for d in works.state.dispatches.values() if d.event.step == "weigh"]
    waited = [after - before for before, after in pairwise(began)]
    assert waited == pytest.approx([0, 1, 2, 4, 8, 16, 32])


@pytest.mark.parametrize("away", AWAY)
def test_a_device_that_stays_away_longer_is_a_persons_matter(
    away: type[errors.DeviceError],
) -> None:
    works = Works(trials=1)
    works["balance"].troubles["weigh"].extend([away("balance", "away")] * 9)
    ending = works.run()
    assert (ending.exit_code, works["balance"].did.count("weigh")) == (Exit.PERSON, 9)
    assert "step 'weigh' of trial 1 failed: balance: away" in ending.sentence
    began = [d.at for d in works.state.dispatches.values() if d.event.step == "weigh"]
    assert began[-1] - began[0] == pytest.approx(PATIENCE_S)
    assert works.run().exit_code is Exit.FINISHED


def test_who_waits_for_a_device_to_come_back_can_be_interrupted() -> None:
    works = Works(trials=1)
    works["balance"].troubles["weigh"].extend([errors.DeviceGone("balance", "away")] * 7)
    failures = 0

    def interrupted(entry: ev.Recorded, state: State) -> None:
        nonlocal failures
        failures += isinstance(entry.event, ev.ActionFailed)
        if failures == 7 and works.engine is not None:
            works.engine.interrupt()

    works.on_event = interrupted
    assert works.run().exit_code is Exit.INTERRUPTED
    last = max(d.at for d in works.state.dispatches.values())
    assert works.clock.now() - last < 1.0, "it waited on until the device was tried again"
    works.on_event = None
    assert works.run().exit_code is Exit.FINISHED


def test_while_one_trial_waits_for_its_device_another_one_goes_on() -> None:
    works = Works(trials=2, slots={"oven": 2, "balance": 2}, settings={"in_flight": 2})
    works["oven"].minutes = 0.1
    works["balance"].troubles["weigh"].extend([errors.DeviceGone("balance", "away")] * 7)
    assert works.run().exit_code is Exit.FINISHED
    every = list(works.state.dispatches.values())
    first = [d.at for d in every if (d.event.trial, d.event.step) == (1, "weigh")]
    (carried,) = [d.at for d in every if (d.event.trial, d.event.step) == (2, "carry")]
    (weighed,) = [d.at for d in every if (d.event.trial, d.event.step) == (2, "weigh")]
    assert first[0] <= carried < first[-1] < weighed


def test_a_long_measurement_that_breaks_off_late_is_repeated_as_often_as_a_short_one() -> None:
    works = Works(trials=1)

    async def broken_off() -> None:
        await works.clock.sleep(50 * MINUTE)
        raise errors.DeviceSilent("balance", "silent")

    works["balance"].troubles["weigh"].extend([broken_off] * 2)
    assert works.run().exit_code is Exit.FINISHED
    assert works["balance"].did.count("weigh") == 3


def test_a_trial_that_waits_for_its_device_does_not_hold_up_the_pause_of_another_one() -> None:
    works = Works(trials=2, slots={"oven": 2, "balance": 2}, settings={"in_flight": 2})
    works["oven"].minutes = 0.1
    works["balance"].troubles["weigh"].extend([errors.DeviceGone("balance", "away")] * 20)
    assert works.run().exit_code is Exit.PERSON
    assert works.state.trials[2].status == "running"
    ends = (ev.Paused, ev.EngineStopped)
    paused, stopped = (e for e in works.store.read(works.row.id) if isinstance(e.event, ends))
    assert stopped.at == paused.at, "the lab was left as it was meanwhile"


@pytest.mark.parametrize(("retries", "n_calls"), [(0, 1), (1, 2), (4, 5)])
def test_the_files_retries_are_what_counts(retries: int, n_calls: int) -> None:
    recipe = (take(), weigh(retries=retries))
    works = Works(recipe=recipe, trials=1, classes=CLASSES)
    works["balance"].troubles["weigh"].extend([errors.DeviceSilent("balance", "silent")] * 9)
    works.run()
    assert works["balance"].did.count("weigh") == n_calls


@pytest.mark.parametrize(
    ("error", "code", "status", "cause"),
    [
        (errors.NoReading("balance", "no contact"), Exit.FINISHED, "failed", "measurement"),
        (errors.CalculationFailed("no minimum"), Exit.FINISHED, "failed", "parameters"),
        (errors.DeviceRefused("balance", "busy"), Exit.PERSON, "running", None),
        (errors.DeviceError("balance", "smokes"), Exit.PERSON, "running", None),
        (errors.InputError("not such a word"), Exit.PERSON, "running", None),
        (errors.InterlockTripped("a rule", "7 Pa"), Exit.SAFETY, "running", None),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, Exception) else str(v),
)
def test_what_follows_from_a_failure_depends_on_its_type(
    error: Exception, code: Exit, status: str, cause: str | None
) -> None:
    works = Works(trials=1)
    works["balance"].troubles["weigh"].append(error)
    assert works.run().exit_code is code
    trial = works.state.trials[1]
    assert trial.status == status
    assert trial.cause == cause
    assert trial.blames_parameters is (cause == "parameters")


@pytest.mark.parametrize(
    ("policy", "code", "status"),
    [
        (OnFailure.FAIL_TRIAL, Exit.FINISHED, "failed"),
        (OnFailure.PAUSE, Exit.PERSON, "running"),
        (OnFailure.MAKE_SAFE, Exit.PERSON, "running"),
    ],
)
def test_the_files_word_on_failure_is_what_counts(
    policy: OnFailure, code: Exit, status: str
) -> None:
    for error in (errors.NoReading("balance", "none"), errors.DeviceError("balance", "smokes")):
        works = Works(recipe=(take(), weigh(on_failure=policy)), trials=1)
        works["balance"].troubles["weigh"].append(error)
        assert works.run().exit_code is code
        assert works.statuses() == [status]


def test_a_limit_that_a_proposal_breaks_is_the_parameters_fault() -> None:
    works = Works(trials=2)
    works.planner.points.append({"x": 600.0})
    works.run()
    trial = works.state.trials[1]
    assert (trial.status, trial.cause) == ("failed", FailureCause.PARAMETERS)
    assert trial.blames_parameters
    assert works["oven"].baked == [102.0]


def test_a_device_that_never_did_what_it_was_told_pauses_the_campaign_in_the_end() -> None:
    works = Works(trials=1)
    works["arm"].troubles["place"].extend([errors.DeviceSilent("arm", "silent")] * 50)
    ending = works.run()
    assert ending.exit_code is Exit.PERSON
    assert "step 'take' of trial 1 failed" in ending.sentence
    assert works["arm"].did.count("place") == 3, "it answers, so it is not away"


def test_a_failed_trials_sample_is_carried_off() -> None:
    works = Works(trials=2)
    works["balance"].troubles["weigh"].append(errors.NoReading("balance", "none"))
    works.run()
    assert works.statuses() == ["failed", "done"]
    assert {s.position for s in works.state.samples.values()} == {"shelf"}


def test_a_tool_that_holds_a_failed_trials_sample_releases_it_first() -> None:
    works = Works(
        recipe=(take(), bake(on_failure=OnFailure.FAIL_TRIAL), move("store", "shelf")),
        metrics=(Metric(name="mass", expression="", unit="g"),),
        classes={"arm": CLASSES["arm"], "oven": ReleasingOven, "balance": CLASSES["balance"]},
        trials=1,
    )
    works["oven"].troubles["bake"].append(errors.DeviceRefused("oven", "busy"))
    works.run()
    assert works["oven"].did.count("release") == 1
    order = [e.action for e in works.events(ev.ActionDispatched)]
    assert order == ["place", "bake", "release", "move"]


def test_carrying_off_that_fails_asks_a_person() -> None:
    works = Works(trials=1)
    works["balance"].troubles["weigh"].append(errors.NoReading("balance", "none"))
    works["arm"].troubles["move"].extend([_nothing, errors.DeviceRefused("arm", "protective stop")])
    ending = works.run()
    assert ending.exit_code is Exit.PERSON
    assert ending.sentence.startswith("sample works-1 could not be carried off: arm: protective")
    assert works.run().exit_code is Exit.FINISHED
    assert works.state.samples["works-1"].position == "shelf"


async def _nothing() -> None:
    return None


def test_a_position_that_is_full_asks_a_person_in_one_sentence() -> None:
    works = Works(trials=2, slots={"shelf": 1})
    ending = works.run()
    assert ending.exit_code is Exit.PERSON
    assert ending.sentence == ("step 'store' cannot start: position 'shelf' is taken by works-1")
    assert works.statuses() == ["done", "running"]


def test_a_recipe_that_leaves_its_sample_where_the_next_one_starts_asks_a_person() -> None:
    works = Works(recipe=(take("balance"), weigh()), trials=2)
    ending = works.run()
    assert ending.exit_code is Exit.PERSON
    assert "position 'balance' is taken by works-1" in ending.sentence


def test_no_blank_left_asks_a_person_once_all_the_rest_is_done() -> None:
    works = Works(trials=5, slots={"blanks": 2})
    ending = works.run()
    assert (ending.exit_code, ending.sentence) == (
        Exit.PERSON,
        "no new sample is left in the store",
    )
    assert works.statuses() == ["done", "done"]


def test_blanks_come_from_the_store_that_still_has_some() -> None:
    works = Works(trials=4, slots={"blanks": 1, "blanks_2": 2, "blanks_3": 5})
    works.run()
    sources = [e.source for e in works.events(ev.ActionDispatched) if e.action == "place"]
    assert sources == ["blanks", "blanks_2", "blanks_2", "blanks_3"]


@pytest.mark.parametrize(
    ("stop", "says", "n_trials", "rule"),
    [
        ({"target": 1.5}, [2.0, 1.4, 1.0], 2, "target"),
        ({"no_progress": 2}, [2.0, 2.1, 2.2, 1.0], 3, "no_progress"),
        ({"failures_in_a_row": 2}, [math.nan, math.nan, 1.0], 2, "failures"),
    ],
    ids=["target", "no progress", "failures"],
)
def test_stop_rules_end_the_campaign(
    stop: dict[str, Any], says: list[float], n_trials: int, rule: str
) -> None:
    works = Works(trials=9, settings={"stop": StopRules(**stop), "in_flight": 1})
    works["balance"].says.extend(says)
    assert works.run().exit_code is Exit.FINISHED
    assert len(works.state.trials) == n_trials
    assert works.events(ev.Finished)[0].rule == rule


def test_a_budget_of_time_ends_the_campaign_after_the_trial_under_way() -> None:
    works = Works(settings={"budget": Budget(trials=50, time_s=30 * MINUTE), "in_flight": 1})
    assert works.run().exit_code is Exit.FINISHED
    assert works.statuses() == ["done"] * 3
    assert works.events(ev.Finished)[0].rule == "time"


def test_an_exhausted_pool_ends_the_campaign() -> None:
    works = Works(trials=5, settings={"in_flight": 1})
    works.planner.script.extend([_nothing, _nothing, errors.PoolExhausted(2)])
    assert works.run().exit_code is Exit.FINISHED
    assert (works.events(ev.Finished)[0].rule, works.statuses()) == ("exhausted", ["done"] * 2)


def test_a_pool_that_may_grow_is_asked_again_after_a_further_result() -> None:
    works = Works(trials=3)
    lacking = errors.PoolExhausted(1, "the generator needs 1 more result")
    works.planner.script.extend([_nothing, lacking, _nothing, lacking, lacking])
    ending = works.run()
    assert works.statuses() == ["done"] * 2
    assert ending.sentence == ("every candidate has been tried; the generator needs 1 more result")


def test_an_exhausted_pool_waits_for_the_trials_under_way_and_their_samples() -> None:
    works = Works(trials=5)
    works["balance"].troubles["weigh"].append(errors.NoReading("balance", "none"))
    works.planner.script.extend([_nothing, errors.PoolExhausted(1)])
    assert works.run().exit_code is Exit.FINISHED
    assert works.statuses() == ["failed"]
    assert works.state.samples["works-1"].position == "shelf"


@pytest.mark.parametrize(
    "error",
    [
        errors.PlanningError("the model is singular", hint="add noise"),
        errors.InputError("a point does not belong to the space"),
    ],
)
def test_a_planner_that_fails_pauses_the_campaign(error: Exception) -> None:
    works = Works(trials=1)
    works.planner.script.append(error)
    ending = works.run()
    assert ending.exit_code is Exit.PERSON
    assert f"no proposal could be made: {error}" in ending.sentence
    assert works.run().exit_code is Exit.FINISHED


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ({"x": 900.1}, "x = 900.1"),
        ({"x": math.nan}, "x = nan"),
        ({"x": "hot"}, "x = 'hot'"),
        ({}, "x"),
        ({"x": 1.0, "y": 2.0}, "y"),
    ],
    ids=str,
)
def test_a_point_outside_of_the_space_is_refused_before_anything_is_done(
    point: dict[str, Any], said: str
) -> None:
    works = Works(trials=1)
    works.planner.points.append(point)
    ending = works.run()
    assert ending.exit_code is Exit.PERSON
    assert said in ending.sentence
    assert works.state.trials == {}
    assert works["arm"].did == ["open", "make_safe"]


def test_a_step_whose_argument_cannot_be_computed_fails_its_trial() -> None:
    steep = bake().model_copy(
        update={"arguments": (Argument(name="temperature", expression="x * (y / y)"),)}
    )
    space = SearchSpace(
        parameters=(
            Real(name="x", low=0.0, high=900.0, unit="K"),
            Real(name="y", low=0.0, high=1.0),
        )
    )
    works = Works(recipe=(take(), steep, *RECIPE[2:]), trials=2, settings={"space": space})
    works.planner.points.extend([{"x": 400.0, "y": 0.0}, {"x": 400.0, "y": 1.0}])
    works.run()
    assert works.statuses() == ["failed", "done"]
    assert works.state.samples["works-1"].position == "shelf"


def test_a_journal_that_is_replayed_gives_each_proposal_its_history_again() -> None:
    from orchestrator.engine.history import history_of
    from orchestrator.model.state import fold

    works = Works(trials=5)
    works["balance"].says.extend([math.nan, Bound(3.0, "below")])
    works.run()
    story = list(works.store.read(works.row.id))
    proposed = [e.event for e in story if isinstance(e.event, ev.TrialProposed)]
    for event, seen in zip(proposed, works.planner.histories, strict=True):
        assert history_of(works.study, fold(story[: event.after]), event.now_s) == seen


def test_bakes_are_never_repeated_in_an_undisturbed_campaign() -> None:
    works = Works(trials=4)
    works.run()
    assert len(bakes_of(works.events())) == len(works["oven"].baked) == 4
