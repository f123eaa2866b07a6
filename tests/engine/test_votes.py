"""Votes on candidates: wanted ones come next, refused ones never, bad ones change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from small_works import Works

from orchestrator.engine.history import history_of
from orchestrator.errors import PoolExhausted
from orchestrator.model import events as ev
from orchestrator.model.rows import Rows
from orchestrator.model.space import Pool, Real, SearchSpace
from orchestrator.model.trial import Proposal
from orchestrator.ports.planner import History

METALS = ("copper", "iron", "gold", "zinc")
POOL = Pool(name="metal", names=METALS, columns=(), units=(), rows=Rows.of(()))
X = Real(name="x", low=0.0, high=900.0, unit="degC")


class InOrder:
    """Proposes the first metal that was neither tried nor refused; with `heedless` a refused one.

    `meanwhile` is called while it thinks.
    """

    def __init__(self) -> None:
        self.heedless = False
        self.meanwhile: Any = None
        self.n_asked = 0

    async def propose(self, history: History, n: int) -> Sequence[Proposal]:
        self.n_asked += 1
        if self.meanwhile is not None:
            call, self.meanwhile = self.meanwhile, None
            await call()
        used = {e.point["metal"] for e in history.evaluated} | {p["metal"] for p in history.pending}
        used |= set() if self.heedless else {candidate for _, candidate in history.refused}
        metal = next((m for m in METALS if m not in used), None)
        if metal is None:
            raise PoolExhausted(len(METALS))
        return [Proposal(point={"metal": metal, "x": 100.0}, source="pool", why="next")]

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def recommend(self, history: History) -> int | None: ...


def metals(trials: int = 2) -> Works:
    space = SearchSpace(parameters=(POOL, X))
    works = Works(trials=trials, settings={"space": space, "in_flight": 1})
    works.planner = InOrder()  # type: ignore[assignment]
    return works


def wanted(metal: str, x: Any = 500.0) -> dict[str, Any]:
    return {"metal": metal, "x": x}


def tried(works: Works) -> list[tuple[str, str]]:
    proposals = [e.proposal for e in works.events(ev.TrialProposed)]
    return [(p.source, str(p.point["metal"])) for p in proposals]


def test_wanted_candidates_are_tried_next_and_refused_ones_not_at_all() -> None:
    works = metals(trials=3)
    vote = works.wish("vote", wanted=[wanted("zinc")], refused=[["metal", "copper"]])
    works.run()
    assert works.answer(vote) == "done"
    assert tried(works) == [("person", "zinc"), ("pool", "iron"), ("pool", "gold")]
    assert [(e.pool, e.candidate) for e in works.events(ev.CandidateRefused)] == [
        ("metal", "copper")
    ]
    assert history_of(works.study, works.state).refused == (("metal", "copper"),)


@pytest.mark.parametrize(
    ("votes", "said"),
    [
        ({"refused": [["metal", "cooper"]]}, "'cooper' is not a value of 'metal'"),
        ({"refused": [["alloy", "iron"]]}, "'alloy' is not a pool of this campaign"),
        ({"wanted": [wanted("iron", 901.0)]}, "outside of the space"),
        ({"wanted": [{"metal": "iron"}]}, "there is no value of 'x'"),
        ({"wanted": [wanted("iron")], "refused": [["metal", "iron"]]}, "both wanted and refused"),
        ({"refused": ["iron"]}, "cannot be understood"),
    ],
)
def test_of_votes_with_a_mistake_nothing_is_done(votes: dict[str, Any], said: str) -> None:
    works = metals(trials=1)
    good = {"wanted": [wanted("zinc")], "refused": [["metal", "copper"]]}
    both = {key: good[key] + votes.get(key, []) for key in good}
    vote = works.wish("vote", **both)
    works.run()
    assert str(works.answer(vote)).startswith("refused: ")
    assert said in str(works.answer(vote))
    assert tried(works) == [("pool", "copper")]


def test_the_same_votes_again_change_nothing() -> None:
    works = metals(trials=2)
    votes = {"wanted": [wanted("zinc"), wanted("zinc")], "refused": [["metal", "copper"]]}
    works.wish("vote", **votes)
    works.wish("vote", **votes)
    works.run()
    again = works.wish("vote", **votes)
    assert tried(works) == [("person", "zinc"), ("pool", "iron")]
    assert len(works.events(ev.PointWished)) == len(works.events(ev.CandidateRefused)) == 1
    assert works.answer(again) is None  # the campaign has ended


def test_the_last_word_about_a_candidate_holds() -> None:
    works = metals(trials=2)
    works.wish("vote", wanted=[wanted("zinc")], refused=[["metal", "copper"]])
    works.wish("vote", refused=[["metal", "zinc"]])
    works.wish("try", point=wanted("copper"))
    works.run()
    assert tried(works) == [("person", "copper"), ("pool", "iron")]
    assert list(works.state.refused) == [("metal", "zinc")]


def test_a_campaign_ends_when_every_candidate_was_tried_or_refused() -> None:
    works = metals(trials=9)
    works.wish("vote", refused=[["metal", m] for m in METALS[1:]])
    assert works.run().sentence == "every candidate has been tried or refused"
    assert tried(works) == [("pool", "copper")]


def test_what_is_refused_while_the_planner_thinks_is_not_tried() -> None:
    works = metals(trials=1)

    async def refuse() -> None:
        assert works.ledger is not None
        await works.ledger.record(ev.CandidateRefused(pool="metal", candidate="copper"))

    works.planner.meanwhile = refuse  # type: ignore[attr-defined]
    works.run()
    assert tried(works) == [("pool", "iron")]


def test_a_planner_that_does_not_heed_votes_is_stopped_in_words() -> None:
    works = metals(trials=1)
    works.planner.heedless = True  # type: ignore[attr-defined]
    works.wish("vote", refused=[["metal", "copper"]])
    ending = works.run()
    assert "proposed metal = 'copper', which people refused" in ending.sentence
    assert tried(works) == []
