"""What people ask of a running or a resting campaign, through its inbox."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, cast

import pytest
from small_works import MASS, MINUTE, Works, interrupted, is_under_way, take

from orchestrator import errors
from orchestrator.engine.requests import grant
from orchestrator.errors import Exit
from orchestrator.model import events as ev
from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import PREFERENCE, Goal, Metric, Objective
from orchestrator.model.recipe import Step
from orchestrator.ports.execution import Executor
from orchestrator.ports.journal import Request
from orchestrator.reports.page import report_html
from orchestrator.reports.summary import summary

HARDNESS = Metric(name="hardness", expression="", unit="GPa", low=0.0, high=100.0)
HARDEST = Objective(goals=(Goal(metric="hardness", direction="maximise"),))


def late(trials: int = 2, **settings: Any) -> Works:
    """A campaign whose objective is measured elsewhere."""
    works = Works(metrics=(MASS, HARDNESS), objective=HARDEST, trials=trials, **settings)
    assert works.run().exit_code is Exit.PERSON
    return works


async def answered(works: Works, wish: int) -> str:
    assert works.ledger is not None
    with works.clock.work():
        while works.answer(wish) is None:
            works.ledger.changed.set()
            await asyncio.sleep(0.001)
    return str(works.answer(wish))


def test_a_pause_lets_the_steps_end_and_starts_none_until_it_is_resumed() -> None:
    works = Works(trials=2, settings={"in_flight": 1})
    seen: list[tuple[int, bool]] = []

    async def ask() -> None:
        await works.until(is_under_way("bake"))
        assert await answered(works, works.wish("pause", why="lunch")) == "done"
        await works.clock.sleep(60 * MINUTE)
        state = works.state
        seen.append((len(works.events(ev.ActionDispatched)), bool(state.open_tickets)))
        assert state.paused is not None
        assert (state.paused.why, state.paused.by) == ("lunch", "a person")
        assert await answered(works, works.wish("resume")) == "done"
        await asyncio.Event().wait()

    assert works.run(ask).exit_code is Exit.FINISHED
    assert seen == [(2, False)]
    assert works.statuses() == ["done", "done"]


@pytest.mark.parametrize(
    ("kind", "payload", "said"),
    [
        ("resume", {}, "the campaign is not paused"),
        ("dance", {}, "'dance' is not a wish"),
        ("resolve", {"ticket": "nothing", "verdict": "done"}, "'nothing' is not a ticket in doubt"),
        ("observe", {"sample": "x"}, "'x' is not a sample or trial"),
        ("observe", {}, "is not a sample or trial"),
        ("observe", {"sample": "works-1", "metric": "masss"}, "did you mean 'mass'?"),
        ("observe", {"sample": "1", "metric": "mass", "value": "3"}, "mass"),
        ("observe", {"sample": "1", "metric": "mass", "value": "3 mm"}, "cannot be converted"),
        ("observe", {"sample": "1", "metric": "mass", "value": "nan g"}, "not a quantity"),
        ("observe", {"sample": "1", "metric": "mass", "value": ""}, "mass"),
        ("observe", {"sample": "1", "metric": "mass", "value": "3 g", "sd": "-1 g"}, "sd"),
        ("observe", {"sample": "1", "metric": "mass", "value": "3 g", "sd": "a lot"}, "a lot"),
        ("observe", {"sample": "1", "metric": "mass", "value": "3 g", "level": "film"}, "film"),
        ("observe", {"sample": "1", "metric": "mass", "value": "3 g", "censored": "up"}, "up"),
        (
            "observe",
            {"sample": "1", "metric": "mass", "value": "3 g", "n_readings": "many"},
            "refused",
        ),
        ("invalidate", {"observation": "first"}, "first"),
        ("invalidate", {"observation": 10_000, "reason": "r"}, "'10000' is not an observation"),
        ("invalidate", {"observation": None}, "refused"),
        ("moved", {"sample": "x", "to": "shelf"}, "'x' is not a sample"),
        ("moved", {"sample": "works-1", "to": "shelff"}, "did you mean 'shelf'?"),
        ("moved", {"sample": "works-1"}, "is not a position"),
    ],
    ids=str,
)
def test_a_wish_that_cannot_be_granted_is_refused_and_changes_nothing(
    kind: str, payload: dict[str, Any], said: str
) -> None:
    works = Works(trials=1)
    answers: list[str] = []

    async def ask() -> None:
        await works.until(is_under_way("weigh"))
        answers.append(await answered(works, works.wish(kind, **payload)))
        await asyncio.Event().wait()

    assert works.run(ask).exit_code is Exit.FINISHED
    assert answers[0].startswith("refused: ")
    assert said in answers[0]
    (taken,) = works.events(ev.RequestTaken)
    assert answers[0] == f"refused: {taken.refused}", "the next one to look is told too"
    assert len(works.events(ev.Observed)) == 1
    assert works.events(ev.Paused, ev.Resumed, ev.ObservationInvalidated, ev.SampleMoved) == []


def test_an_observation_without_a_reason_is_not_invalidated() -> None:
    works = Works(trials=1)
    works.run()
    seq = works.state.trials[1].observations[0].seq
    wish = works.wish("invalidate", observation=seq)

    async def take_it() -> None:
        await asyncio.sleep(0)

    works.run(take_it)
    assert "reason" in str(works.answer(wish))


def test_every_metric_that_is_measured_elsewhere_is_awaited() -> None:
    works = late()
    assert works.statuses() == ["awaiting", "awaiting"]
    assert works.values("mass") == [2.0, 2.0]
    ending = works.run()
    assert ending.exit_code is Exit.PERSON
    assert ending.sentence == "observations of trial 1, 2 are still missing"
    assert "hagane observe" in ending.hint


def test_an_observation_may_come_days_later_by_sample_or_by_trial() -> None:
    works = late()
    works.wish("observe", sample="works-1", metric="hardness", value="3.2 GPa", sd="100 MPa")
    works.wish(
        "observe",
        sample="2",
        metric="hardness",
        value="1500 MPa",
        n_readings=5,
        position="edge",
        censored="above",
        level="reading",
        source="file h.csv",
    )
    assert works.run().exit_code is Exit.FINISHED
    assert works.statuses() == ["done", "done"]
    first, second = (e for e in works.events(ev.Observed) if e.metric == "hardness")
    assert (first.trial, first.sample, first.value, first.unit) == (1, "works-1", 3.2, "GPa")
    assert first.sd == pytest.approx(0.1)
    assert first.source == "person: a person"
    assert (second.value, second.n_readings, second.position) == (1.5, 5, "edge")
    assert (second.censored, second.level, second.source) == ("above", "reading", "file h.csv")


def test_the_sd_of_a_temperature_is_a_difference() -> None:
    warmth = Metric(name="hardness", expression="", unit="degC")
    works = Works(metrics=(MASS, warmth), objective=HARDEST, trials=1)
    works.run()
    works.wish("observe", sample="1", metric="hardness", value="300 K", sd="2 K", n_samples=4)
    works.run()
    (seen,) = (e for e in works.events(ev.Observed) if e.metric == "hardness")
    assert (seen.value, seen.sd, seen.n_samples) == (pytest.approx(26.85), 2.0, 4)


def test_readings_of_one_sample_are_not_taken_for_samples() -> None:
    works = late(trials=1)
    said = {"metric": "hardness", "value": "3 GPa", "level": "reading"}
    wish = works.wish("observe", sample="1", n_samples=4, **said)
    assert works.run().exit_code is Exit.PERSON
    assert "4 readings of one sample are not 4 samples" in str(works.answer(wish))


def test_the_gate_holds_for_people_too() -> None:
    works = late(trials=1)
    wish = works.wish("observe", sample="1", metric="hardness", value="200 GPa")
    assert works.run().exit_code is Exit.PERSON
    assert "it is above 100" in str(works.answer(wish))
    assert works.statuses() == ["awaiting"]


def test_late_observations_reach_the_planner_while_the_campaign_goes_on() -> None:
    works = Works(metrics=(MASS, HARDNESS), objective=HARDEST, trials=4, settings={"in_flight": 1})

    async def measure() -> None:
        await works.until(lambda s: 2 in s.trials and bool(s.trials[2].attempts))
        works.wish("observe", sample="1", metric="hardness", value="3 GPa")
        await asyncio.Event().wait()

    works.run(measure)
    assert works.statuses() == ["done", "awaiting", "awaiting", "awaiting"]
    last = works.planner.histories[-1]
    assert [(e.trial, e.outcomes["hardness"].value) for e in last.evaluated] == [(1, 3.0)]
    assert last.pending == ({"x": 102.0}, {"x": 103.0})


def test_an_invalidated_observation_leaves_the_planners_history() -> None:
    works = Works(trials=3, settings={"in_flight": 1})

    async def doubt_it() -> None:
        await works.until(lambda s: 2 in s.trials and bool(s.trials[2].attempts))
        seq = works.state.trials[1].observations[0].seq
        works.wish("invalidate", observation=seq, reason="the balance was not level")
        await asyncio.Event().wait()

    works.run(doubt_it)
    assert [e.trial for e in works.planner.histories[1].evaluated] == [1]
    assert [e.trial for e in works.planner.histories[2].evaluated] == [2]
    assert works.statuses() == ["done"] * 3
    assert len(works.events(ev.Observed)) == 3


def test_several_observations_are_invalidated_at_once_or_none_of_them() -> None:
    works = Works(trials=2, settings={"in_flight": 1})
    answers: list[int] = []

    async def doubt_them() -> None:
        await works.until(lambda s: 2 in s.trials and bool(s.trials[2].attempts))
        seq = works.state.trials[1].observations[0].seq
        answers.append(works.wish("invalidate", observation=[seq, 10_000], reason="r"))
        answers.append(works.wish("invalidate", observation=[seq], reason="r"))
        await asyncio.Event().wait()

    works.run(doubt_them)
    assert str(works.answer(answers[0])).startswith("refused")
    assert [e.observation for e in works.events(ev.ObservationInvalidated)] == [
        works.state.trials[1].observations[0].seq
    ]


def test_a_corrected_observation_takes_the_place_of_the_invalidated_one() -> None:
    works = late(trials=1)
    works.wish("observe", sample="1", metric="hardness", value="3 GPa")
    works.wish("observe", sample="1", metric="hardness", value="4 GPa")
    works.run()
    assert works.values("hardness") == [4.0]


def test_an_exhausted_pool_waits_for_late_observations() -> None:
    works = Works(metrics=(MASS, HARDNESS), objective=HARDEST, trials=9)
    works.planner.script.extend([_nothing, errors.PoolExhausted(1), errors.PoolExhausted(1)])
    ending = works.run()
    assert (ending.exit_code, ending.sentence) == (
        Exit.PERSON,
        "observations of trial 1 are still missing",
    )
    works.wish("observe", sample="1", metric="hardness", value="3 GPa")
    assert works.run().exit_code is Exit.FINISHED


async def _nothing() -> None:
    return None


def in_doubt(**settings: Any) -> tuple[Works, str]:
    works = Works(trials=1, **settings)
    interrupted(works, "bake")
    works.run()
    (doubt,) = works.state.doubts()
    return works, doubt.event.ticket


def test_a_doubt_says_what_the_driver_said_of_it() -> None:
    works = Works(trials=1)
    works["oven"].troubles["bake"].append(KeyError("zone 2"))
    ending = works.run()
    (doubt,) = works.state.doubts()
    assert doubt.doubt is not None
    raised = "oven: bake raised KeyError: 'zone 2' (this is a fault of the driver)"
    assert doubt.doubt.known == f"{raised}; the device cannot say what it did"
    assert raised in ending.sentence


@pytest.mark.parametrize(
    ("verdict", "status", "n_bakes"),
    [("done", "done", 1), ("not_done", "done", 2), ("failed", "failed", 1)],
)
def test_a_person_resolves_a_doubt(verdict: str, status: str, n_bakes: int) -> None:
    works, ticket = in_doubt()
    wish = works.wish("resolve", ticket=ticket, verdict=verdict, note="I looked")
    assert works.run().exit_code is Exit.FINISHED
    assert works.answer(wish) == "done"
    assert works.statuses() == [status]
    assert len(works["oven"].baked) == n_bakes
    assert works.state.samples["works-1"].position == "shelf"


def test_resuming_does_not_skip_a_doubt() -> None:
    works, ticket = in_doubt()
    wish = works.wish("resume")
    assert works.run().exit_code is Exit.PERSON
    assert ticket in str(works.answer(wish))
    assert "hagane resolve" in str(works.answer(wish))


def test_a_verdict_that_does_not_exist_is_refused() -> None:
    works, ticket = in_doubt()
    wish = works.wish("resolve", ticket=ticket, verdict="perhaps")
    assert works.run().exit_code is Exit.PERSON
    assert "'perhaps' is not a verdict" in str(works.answer(wish))
    assert len(works.state.doubts()) == 1


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ({}, "--result"),
        ({"mean": 1.0}, "--result sd"),
        ({"mean": "much", "sd": 0.1}, "mean"),
        ({"mean": 1.0, "sd": 0.1, "colour": 3}, "colour"),
    ],
    ids=str,
)
def test_results_that_a_person_must_state_are_asked_for_and_checked(
    results: dict[str, Any], said: str
) -> None:
    portion = Step(name="portion", role="balance", action="portion")
    mass = MASS.model_copy(update={"expression": "portion.mean"})
    works = Works(recipe=(take("balance"), portion), metrics=(mass,), trials=1)
    interrupted(works, "portion")
    ticket = works.study.ticket(1, "portion", 1)
    assert works.run().exit_code is Exit.PERSON
    wish = works.wish("resolve", ticket=ticket, verdict="done", results=results)
    assert works.run().exit_code is Exit.PERSON
    assert said in str(works.answer(wish))
    works.wish("resolve", ticket=ticket, verdict="done", results={"mean": 1.5, "sd": 0.1})
    assert works.run().exit_code is Exit.FINISHED
    assert works.values() == [1.5]


def test_results_of_a_resource_that_the_lab_has_no_more_are_those_of_its_step() -> None:
    portion = Step(name="portion", role="balance", action="portion")
    mass = MASS.model_copy(update={"expression": "portion.mean"})
    works = Works(recipe=(take("balance"), portion), metrics=(mass,), trials=1)
    interrupted(works, "portion")
    assert works.run().exit_code is Exit.PERSON
    ticket = works.study.ticket(1, "portion", 1)
    portioned = {"mean": 1.5, "sd": 0.1}
    for results, answer in (({}, "refused: balance.portion gives results"), (portioned, "done")):
        payload: dict[str, Any] = {"ticket": ticket, "verdict": "done", "results": results}
        request = Request(id=99, kind="resolve", payload=payload, by="we")
        _, said = grant(works.study, works.state, cast(Executor, NoResources()), request)
        assert said.startswith(answer)


class NoResources:
    """An executor of a lab whose resources have other names by now."""

    actions: ClassVar[dict[str, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"nobody is asked for {name}")


def _append(works: Works, events: list[Any]) -> None:
    async def write() -> None:
        journal = works.store.lease(works.row.id, "the test")
        await journal.append(events, at=works.clock.now())
        await journal.close()

    asyncio.run(write())


def moving_in_doubt() -> tuple[Works, str]:
    works = Works(trials=1)
    interrupted(works, "move", times=2)
    works.run()
    (doubt,) = works.state.doubts()
    return works, doubt.event.ticket


def test_a_person_says_where_a_sample_is_that_did_not_arrive() -> None:
    works, ticket = moving_in_doubt()
    wish = works.wish("resolve", ticket=ticket, verdict="failed", at="balanse")
    assert works.run().exit_code is Exit.PERSON
    assert "did you mean 'balance'?" in str(works.answer(wish))
    works.wish("resolve", ticket=ticket, verdict="failed", at="balance")
    assert works.run().exit_code is Exit.FINISHED
    assert works.statuses() == ["failed"]
    moves = [e for e in works.events(ev.ActionDispatched) if e.action == "move"]
    assert (moves[-1].source, moves[-1].target) == ("balance", "shelf")


def test_a_sample_that_left_the_lab_is_not_carried_off() -> None:
    works, ticket = moving_in_doubt()
    works.wish("resolve", ticket=ticket, verdict="failed", at="out")
    assert works.run().exit_code is Exit.FINISHED
    assert works.state.samples["works-1"].position == "out"
    assert works["arm"].did.count("move") == 1


def test_a_person_who_made_room_says_so_and_the_campaign_goes_on() -> None:
    works = Works(trials=2, slots={"shelf": 1})
    assert works.run().exit_code is Exit.PERSON
    wish = works.wish("moved", sample="works-1", to="out")
    assert works.run().exit_code is Exit.FINISHED
    assert works.answer(wish) == "done"
    assert works.statuses() == ["done", "done"]


def test_a_stop_that_comes_through_the_inbox_makes_safe_and_latches() -> None:
    works = Works(trials=2)

    async def ask() -> None:
        await works.until(is_under_way("bake"))
        await works.clock.sleep(MINUTE)
        assert await answered(works, works.wish("stop")) == "safe"
        await asyncio.Event().wait()

    ending = works.run(ask)
    assert ending.sentence == "stopped by a person"
    assert not works["oven"].is_hot
    assert "latched" in works.run().sentence


def test_a_stop_that_found_no_engine_latches_the_next_run() -> None:
    works = Works(trials=1)
    wish = works.wish("stop")
    assert "latched" in works.run().sentence
    assert works.answer(wish) is not None
    assert works["arm"].did == []


def test_a_wish_that_was_taken_before_a_crash_is_not_granted_twice() -> None:
    works = late(trials=1)
    wish = works.wish("observe", sample="1", metric="hardness", value="3 GPa")
    _append(
        works,
        [
            ev.RequestTaken(request=wish, wish="observe", payload={}, by="a person"),
            ev.Observed(trial=1, metric="hardness", value=3.0, unit="GPa"),
        ],
    )
    assert works.run().exit_code is Exit.FINISHED
    assert "taken already" in str(works.answer(wish))
    assert works.values("hardness") == [3.0]
    assert len([e for e in works.events(ev.Observed) if e.metric == "hardness"]) == 1


def test_a_persons_point_is_tried_before_the_planners_next_one() -> None:
    works = Works(trials=3, settings={"in_flight": 1})
    wish = works.wish("try", point={"x": "250 degC"})
    later = works.wish("try", point={"x": 423.15})
    assert works.run().exit_code is Exit.FINISHED
    assert (works.answer(wish), works.answer(later)) == ("done", "done")
    proposals = [e.proposal for e in works.events(ev.TrialProposed)]
    assert [(p.source, p.point) for p in proposals] == [
        ("person", {"x": 250.0}),
        ("person", {"x": 423.15}),
        ("initial", {"x": 101.0}),
    ]
    assert proposals[0].why == "a person wants it to be tried"
    assert works.state.wished == []
    assert works.planner.histories[-1].n_proposed == 0


def test_a_point_for_which_the_budget_has_no_trial_is_refused_and_not_forgotten_in_silence() -> (
    None
):
    works = Works(trials=1, settings={"in_flight": 1})
    wishes = [works.wish("try", point={"x": x}) for x in (200.0, 300.0)]
    works.run()
    assert works.answer(wishes[0]) == "done"
    assert "the budget of 1 trial has none left for another point" in str(works.answer(wishes[1]))


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ({"x": 901.0}, "a person proposed x = 901.0, outside of the space"),
        ({}, "there is no value of 'x'"),
        ({"x": 1, "z": 1}, "'z' is not a parameter of this campaign"),
        ({"x": "1 nm"}, "cannot be converted to 'degC'"),
        ({"x": True}, "'x' is a number, not True"),
        (["x"], "cannot be understood"),
    ],
)
def test_a_point_that_cannot_be_tried_is_refused_in_words(point: Any, said: str) -> None:
    works = Works(trials=1)
    wish = works.wish("try", point=point)
    works.run()
    assert str(works.answer(wish)).startswith("refused: ")
    assert said in str(works.answer(wish))
    assert works.statuses() == ["done"]


def tastings(trials: int = 4, initial: int = 2) -> Works:
    """A campaign of which people say what is good."""
    settings = {"planner": PlannerChoice(initial=initial), "in_flight": 1}
    taste = Metric(name=PREFERENCE, expression="")
    tastiest = Objective(goals=(Goal(metric=PREFERENCE, direction="maximise"),))
    return Works(metrics=(MASS, taste), objective=tastiest, trials=trials, settings=settings)


def test_what_people_prefer_is_asked_for_and_told_to_the_planner() -> None:
    works = tastings()
    ending = works.run()
    assert ending.exit_code is Exit.PERSON
    assert ending.sentence == "nobody has said yet how trial 1, 2 compares with others"
    assert "hagane prefer" in ending.hint
    assert works.statuses() == ["done", "done"]
    works.wish("prefer", better=2, worse=1)
    assert works.run().sentence == "nobody has said yet how trial 3 compares with others"
    assert works.planner.histories[-1].preferences == ((2, 1),)
    assert [e.trial for e in works.planner.histories[-1].evaluated] == [1, 2]
    works.wish("prefer", better=3, worse=2)
    works.wish("prefer", better=1, worse=2)
    assert works.run().exit_code is Exit.FINISHED
    assert works.planner.histories[-1].preferences == ((3, 2), (1, 2))
    glance = summary(works.study.campaign, works.state)
    assert glance.headline == "Trial 1 is the best: preferred in 1 of 1 comparison."
    assert "what people prefer" in report_html(works.study.campaign, works.state)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ({"better": 1, "worse": 1}, "trial 1 is not better than itself"),
        ({"better": 1, "worse": 9}, "'9' is not a trial that is done"),
        ({}, "'' is not a trial that is done"),
    ],
)
def test_a_preference_that_says_nothing_is_refused(pair: dict[str, int], said: str) -> None:
    works = tastings()
    works.run()
    wish = works.wish("prefer", **pair)
    works.run()
    assert said in str(works.answer(wish))
    assert works.state.preferences == {}


def test_a_preference_is_nothing_to_be_observed() -> None:
    works = tastings()
    works.run()
    wish = works.wish("observe", sample="1", metric=PREFERENCE, value="5")
    works.run()
    assert "'preference' is not a metric" in str(works.answer(wish))


def test_what_is_measured_is_not_a_matter_of_preference() -> None:
    works = Works(trials=2)
    wish = works.wish("prefer", better=1, worse=2)
    works.run()
    assert "what is wanted of this campaign is measured" in str(works.answer(wish))
