"""A pool grows while a campaign runs, by what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import letters
import numpy as np
import planner_samples as samples
import pytest
from letters import ALPHABET, Letters, Spelling
from numpy.typing import NDArray
from scipy.special import log_ndtr

from orchestrator.errors import InputError, PlanningError, PoolExhausted
from orchestrator.model.counts import Counts
from orchestrator.model.objective import Goal, Objective
from orchestrator.model.rows import Rows
from orchestrator.model.space import Described, Generation, Point, Pool, Real, SearchSpace
from orchestrator.model.transfer import Source
from orchestrator.planner.bayesian import BayesianPlanner, history_after
from orchestrator.planner.growing import Growth, growing_pool
from orchestrator.planner.initial import RandomPlanner, SobolPlanner
from orchestrator.planner.options import ModelOptions
from orchestrator.planner.scoring import Scoring
from orchestrator.planner.transfer.campaign import LinearTrend
from orchestrator.ports.generator import Candidate, Score
from orchestrator.ports.planner import History, MetricScale, PlanningTask

WEIGHTS = np.array([1.0, 2.0, -1.0, 0.0, 3.0, -2.0])


def generation(**changes: object) -> Generation:
    made = Generation(
        kind="spelling",
        target="letters:Spelling",
        descriptors=("letters:Letters",),
        material="word",
        every=3,
        n=30,
    )
    return made.model_copy(update=changes)


def growing(n: int = 40, grow: Generation | None = None) -> Pool:
    rng = np.random.default_rng(0)
    words = ["".join(sorted(rng.choice(list(ALPHABET), 5))) for _ in range(3 * n)]
    words = list(dict.fromkeys(words))[:n]
    counts = Counts.of(Letters().describe(words).astype(int).tolist())
    return Pool(
        name="material",
        names=tuple(f"w{i}" for i in range(len(words))),
        columns=(),
        units=(),
        rows=Rows.of(()),
        texts={"word": tuple(words)},
        described=(Described(descriptor="letters", material="word", counts=counts),),
        generation=grow or generation(),
    )


def word_of(pool: Pool, point: Point) -> str:
    return pool.words(str(point["material"]))["word"]


def worth_of(word: str) -> float:
    return float(Letters().describe([word])[0] @ WEIGHTS)


def question(pool: Pool, *more: Real, goals: tuple[Goal, ...] = ()) -> PlanningTask:
    task = samples.task(
        (pool, *more), samples.FILM_METRICS[1:], (), direction="maximise", initial=6
    )
    if goals:
        task = task.model_copy(update={"objective": Objective(goals=goals)})
    return task


def test_what_is_made_is_better_than_all_that_the_table_has() -> None:
    pool = growing()
    best = max(map(worth_of, pool.texts["word"]))
    made = samples.play(
        BayesianPlanner(question(pool)), lambda p: {"thickness": worth_of(word_of(pool, p))}, 24
    )
    new = [str(p.point["material"]) for p in made if str(p.point["material"]) not in pool.names]
    assert new
    assert max(map(worth_of, new)) > best
    tried = [str(p.point["material"]) for p in made]
    assert len(set(tried)) == len(tried)


def test_a_proposal_from_a_grown_pool_is_the_same_again() -> None:
    pool = growing()
    task = question(pool)
    history = samples.measured(task, lambda p: {"thickness": worth_of(word_of(pool, p))}, 9)
    planner = BayesianPlanner(task)
    first = planner.propose(history, 2)
    assert planner.propose(history, 2) == first
    anew = BayesianPlanner(PlanningTask.model_validate_json(task.model_dump_json()))
    assert anew.propose(history, 2) == first


def test_what_is_made_does_not_depend_on_when_and_where_results_came() -> None:
    pool = growing()
    task = question(pool)
    history = samples.measured(task, lambda p: {"thickness": worth_of(word_of(pool, p))}, 9)

    def elsewhen(shift: float) -> History:
        ended = [
            e.model_copy(update={"at_s": shift + 1.7 * e.trial, "trial": e.trial + int(shift)})
            for e in history.evaluated
        ]
        update = {"evaluated": tuple(ended), "now_s": shift + 100.0}
        return history.model_copy(update=update)

    def made(history: History) -> Pool:
        found = growing_pool(Growth(task, pool).grown(history, Scoring(ModelOptions())).space)
        assert found is not None
        return found

    one, other = elsewhen(0.0), elsewhen(7.123)
    assert made(one) == made(other)
    first, second = (BayesianPlanner(task).propose(h, 1)[0] for h in (one, other))
    assert first.point == second.point


def test_the_pool_is_made_anew_after_every_so_many_results_only() -> None:
    pool = growing()
    task = question(pool)
    growth = Growth(task, pool)
    scoring = Scoring(ModelOptions())

    def names(n: int) -> tuple[str, ...]:
        history = samples.measured(task, lambda p: {"thickness": worth_of(word_of(pool, p))}, n)
        found = growing_pool(growth.grown(history, scoring).space)
        assert found is not None
        return found.names[len(pool.names) :]

    assert names(3) == ()
    assert names(6) == names(7) == names(8) != names(9)


def test_material_and_process_are_searched_together() -> None:
    pool = growing()
    task = question(pool, Real(name="t", low=0.0, high=1.0))
    history = samples.measured(
        task, lambda p: {"thickness": worth_of(word_of(pool, p)) - (float(p["t"]) - 0.7) ** 2}, 12
    )
    proposal = BayesianPlanner(task).propose(history, 1)[0]
    assert 0.0 <= float(proposal.point["t"]) <= 1.0


@pytest.mark.parametrize("direction", ["minimise", "match"])
def test_the_score_follows_the_goal(direction: str) -> None:
    pool = growing()
    goal = Goal(metric="thickness", direction="minimise")
    if direction == "match":
        goal = Goal(metric="thickness", direction="match", low=1.0, high=2.0)
    task = question(pool, goals=(goal,))
    history = samples.measured(task, lambda p: {"thickness": worth_of(word_of(pool, p))}, 20)
    growth = Growth(task, pool)
    scores = Scoring(ModelOptions())(growth.known(history), history, growth.described, 1)
    words = list(pool.texts["word"])
    truth = np.array([worth_of(w) for w in words])
    found = scores(words)
    assert np.isfinite(found).all()
    wanted = -truth if direction == "minimise" else -np.abs(truth - 1.5)
    assert np.corrcoef(found.argsort().argsort(), wanted.argsort().argsort())[0, 1] > 0.4


def test_several_goals_are_scored_by_a_trial_of_their_front() -> None:
    pool = growing()
    metrics = (samples.FILM_METRICS[1], replace_name("weight"))
    goals = tuple(Goal(metric=m.name, direction="maximise") for m in metrics)
    task = question(pool, goals=goals).model_copy(update={"metrics": metrics})
    history = samples.measured(
        task,
        lambda p: {
            "thickness": worth_of(word_of(pool, p)),
            "weight": float(word_of(pool, p).count("c")),
        },
        12,
    )
    scoring = Scoring(ModelOptions())
    growth = Growth(task, pool)
    drawn = {scoring(task, history, growth.described, seed).thresholds for seed in range(8)}
    assert len(drawn) > 1
    assert BayesianPlanner(task).propose(history, 1)


def replace_name(name: str) -> MetricScale:
    return samples.FILM_METRICS[1].model_copy(update={"name": name})


class Counting(Letters):
    """Counts how often each word is asked about."""

    asked: ClassVar[dict[str, int]] = {}

    def describe(self, materials: Sequence[str]) -> NDArray[np.float64]:
        for word in materials:
            self.asked[word] = self.asked.get(word, 0) + 1
        return super().describe(materials)


def test_a_material_of_the_pool_is_described_once_however_often_the_planner_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(letters, "Counting", Counting, raising=False)
    pool = growing(grow=generation(descriptors=("letters:Counting",)))
    task = question(pool)
    history = samples.measured(task, lambda p: {"thickness": worth_of(word_of(pool, p))}, 9)
    growth, scoring = Growth(task, pool), Scoring(ModelOptions())
    first = growth.grown(history, scoring)
    before = dict(Counting.asked)
    assert growth.grown(history, scoring) == first
    assert Counting.asked == before


class Barren(Spelling):
    """Makes nothing."""

    def generate(
        self, start: Sequence[str], score: Score, n: int, seed: int
    ) -> Sequence[Candidate]:
        raise PlanningError("no material is possible within the constraints")


class Blind(Spelling):
    """Cannot read what it is to start from."""

    def generate(
        self, start: Sequence[str], score: Score, n: int, seed: int
    ) -> Sequence[Candidate]:
        raise InputError(f"'{start[0]}' is too long")


class Parrot(Spelling):
    """Says what it hears."""

    def generate(
        self, start: Sequence[str], score: Score, n: int, seed: int
    ) -> Sequence[Candidate]:
        return [Candidate(word, 0.0) for word in start]


class Mirror(Spelling):
    """Writes every word in two ways, neither of them the canonical one."""

    def generate(
        self, start: Sequence[str], score: Score, n: int, seed: int
    ) -> Sequence[Candidate]:
        found = super().generate(start, score, n, seed)
        backwards = [Candidate(c.material[::-1], c.score) for c in found]
        around = [Candidate(c.material[-1] + c.material[:-1], c.score) for c in found]
        return [*backwards, *around]


def test_a_material_is_made_once_and_in_canonical_form_however_the_generator_writes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(letters, "Mirror", Mirror, raising=False)
    pool = growing(grow=generation(target="letters:Mirror"))
    task = question(pool)
    made = samples.play(
        BayesianPlanner(task), lambda p: {"thickness": worth_of(word_of(pool, p))}, 24
    )
    tried = [word_of(pool, p.point) for p in made]
    new = [str(p.point["material"]) for p in made if str(p.point["material"]) not in pool.names]
    assert new
    assert [Letters().canonical(word) for word in new] == new
    assert len({Letters().canonical(word) for word in tried}) == len(tried)


@pytest.mark.parametrize(
    ("generator", "why"),
    [
        (Barren, "no material is possible within the constraints"),
        (Blind, "is too long"),
        (Parrot, "all that was made is in the table already"),
    ],
)
def test_that_nothing_could_be_made_is_said(
    generator: type[Spelling], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, generator.__name__, generator, raising=False)
    pool = growing(grow=generation(target=f"letters:{generator.__name__}"))
    task = question(pool)
    history = samples.measured(task, lambda p: {"thickness": worth_of(word_of(pool, p))}, 9)
    planner = BayesianPlanner(task)
    (proposal,) = planner.propose(history, 1)
    assert proposal.point["material"] in pool.names
    note = str(proposal.notes["generate"])
    assert note.startswith("nothing was made: ")
    assert why in note
    assert planner.ranked(history, 1)[0].notes["generate"] == note
    belief = planner.belief(history)
    assert belief is not None
    assert belief.notes["generate"] == note
    few = history.model_copy(update={"evaluated": history.evaluated[:3]})
    assert "generate" not in planner.propose(few, 1)[0].notes
    pool = growing(4, generation(every=3, target=f"letters:{generator.__name__}"))
    planner, history = BayesianPlanner(question(pool)), all_tried(pool)
    for ask in (planner.propose, planner.ranked):
        with pytest.raises(PoolExhausted, match=why) as told:
            ask(history, 1)
        assert str(told.value).startswith("all 4 candidates have been tried; nothing was made: ")


def all_tried(pool: Pool, n_failed: int = 0) -> History:
    """A history in which every candidate of the table was tried, the last ones in vain."""
    points: list[Point] = [{"material": name} for name in pool.names]
    ended = samples.evaluated(points, lambda p: {"thickness": worth_of(word_of(pool, p))})
    kept = len(ended) - n_failed
    lost = [e.model_copy(update={"outcomes": {}, "failed": True}) for e in ended[kept:]]
    return History(evaluated=(*ended[:kept], *lost), n_proposed=len(ended))


@pytest.mark.parametrize(("every", "n_failed"), [(3, 0), (6, 0), (3, 3), (50, 2)])
def test_a_pool_that_is_used_up_between_two_refreshes_grows_at_once(
    every: int, n_failed: int
) -> None:
    pool = growing(5, generation(every=every))
    planner, history = BayesianPlanner(question(pool)), all_tried(pool, n_failed)
    first = planner.propose(history, 3)
    assert len({str(p.point["material"]) for p in first} - set(pool.names)) == 3
    assert BayesianPlanner(question(pool)).propose(history, 3) == first
    assert planner.ranked(history, 2)
    in_flight = history_after(history, first)
    assert planner.propose(in_flight, 1)[0].point not in [p.point for p in first]


def test_what_is_left_of_a_table_and_what_is_made_then_are_proposed_together() -> None:
    pool = growing(5)
    history = all_tried(pool)
    history = history.model_copy(update={"evaluated": history.evaluated[:4], "n_proposed": 4})
    made = BayesianPlanner(question(pool)).propose(history, 4)
    assert len({str(p.point["material"]) for p in made}) == 4


def test_how_many_results_a_generator_needs_is_said() -> None:
    pool = growing(5)
    planner = BayesianPlanner(question(pool))
    for n_failed, why in ((4, "1 more result"), (5, "2 more results")):
        with pytest.raises(PoolExhausted, match=f"the generator needs {why}$"):
            planner.propose(all_tried(pool, n_failed), 1)


def told(pool: Pool, *, by_name: bool) -> Source:
    """Twenty values that say what the materials are worth, in another unit."""
    found = Source(name="old", helps="thickness", quantity="worth", values=())
    if by_name:
        points: list[Point] = [{"material": name} for name in pool.names[20:40]]
        values = tuple(10.0 - 2.0 * worth_of(word_of(pool, p)) for p in points)
        return found.model_copy(update={"points": tuple(points), "values": values})
    rng = np.random.default_rng(4)
    words = ["".join(sorted(rng.choice(list(ALPHABET), 5))) for _ in range(20)]
    said = Described(
        descriptor="letters",
        material="word",
        counts=Counts.of(Letters().describe(words).astype(int).tolist()),
    )
    materials = Pool(
        name="source",
        names=tuple(f"line {i}" for i in range(20)),
        columns=(),
        units=(),
        rows=Rows.of(()),
        described=(said,),
    )
    values = tuple(10.0 - 2.0 * worth_of(w) for w in words)
    update = {"parameter": "material", "materials": materials, "values": values}
    return found.model_copy(update=update)


@pytest.mark.parametrize("by_name", [True, False])
def test_the_score_hears_the_sources_and_asks_them_of_new_materials(by_name: bool) -> None:
    pool = growing()
    task = question(pool).model_copy(update={"sources": (told(pool, by_name=by_name),)})
    history = samples.measured(task, lambda p: {"thickness": worth_of(word_of(pool, p))}, 9)
    growth = Growth(task, pool)
    scores = Scoring(ModelOptions())(growth.known(history), history, growth.described, 1)
    encoding, (process,) = scores.informing.encoding, scores.found.processes
    (old,) = scores.informing.by_metric["thickness"].values()
    # whether a trend is chosen is not asked here
    process = replace(process, trend=LinearTrend((old,), np.zeros(1), np.array([-0.7])))
    scores = replace(scores, found=replace(scores.found, processes=(process,)))
    points: list[Point] = [{"material": name} for name in pool.names]
    mean, sd = process.posterior(encoding.features(encoding.encode(points)))
    expected = log_ndtr((mean - scores.thresholds[0]) / sd)
    np.testing.assert_allclose(scores([word_of(pool, p) for p in points]), expected, rtol=1e-5)


def test_a_pool_grows_with_sources_of_its_candidates_and_of_materials() -> None:
    pool = growing()
    both = (told(pool, by_name=True), told(pool, by_name=False))
    task = question(pool).model_copy(update={"sources": both})
    history = samples.measured(task, lambda p: {"thickness": worth_of(word_of(pool, p))}, 9)
    planner = BayesianPlanner(task)
    first = planner.propose(history, 1)
    assert "generate" not in first[0].notes
    assert BayesianPlanner(task).propose(history, 1) == first


@pytest.mark.parametrize("kind", [SobolPlanner, RandomPlanner])
def test_planners_without_a_model_go_on_beside_a_material_that_the_table_does_not_have(
    kind: type[SobolPlanner] | type[RandomPlanner],
) -> None:
    pool = growing()
    planner = kind(question(pool))
    history = History(pending=({"material": "abcdef"}, {"material": "w0"}), n_proposed=1)
    assert planner.propose(history, 1)[0].point["material"] in pool.names[1:]


def test_two_pools_that_grow_are_refused() -> None:
    pool = growing()
    other = pool.model_copy(update={"name": "other"})
    with pytest.raises(InputError, match="one pool of a space may grow"):
        BayesianPlanner(
            question(pool).model_copy(update={"space": SearchSpace(parameters=(pool, other))})
        )


def renamed(history: History, *words: str) -> History:
    """The history with other words for the materials of its first trials."""
    ended = list(history.evaluated)
    for place, word in enumerate(words):
        ended[place] = ended[place].model_copy(update={"point": {"material": word}})
    return history.model_copy(update={"evaluated": tuple(ended)})


def test_a_material_that_cannot_be_described_is_left_out_and_named() -> None:
    pool = growing()
    task = question(pool)
    history = samples.measured(task, lambda p: {"thickness": worth_of(word_of(pool, p))}, 9)
    planner, bad = BayesianPlanner(task), renamed(history, "xyz")
    without = history.model_copy(update={"evaluated": history.evaluated[1:]})
    (proposal,) = planner.propose(bad, 1)
    assert proposal.point == planner.propose(without, 1)[0].point
    assert str(proposal.notes["left_out"]).startswith(
        "trial 1 ('xyz' is no candidate of 'material'"
    )
    assert "'xyz' is not a word" in str(proposal.notes["left_out"])
    belief = planner.belief(bad)
    assert belief is not None
    assert belief.notes == {"left_out": proposal.notes["left_out"]}
    assert planner.ranked(bad, 2)[0].notes["left_out"] == proposal.notes["left_out"]
    assert planner.recommend(bad) == planner.recommend(without)
    early = renamed(history.model_copy(update={"evaluated": history.evaluated[:2]}), "xyz")
    assert "left_out" in planner.opening(early, 1)[0].notes


def test_a_material_in_another_spelling_is_the_candidate_that_it_is() -> None:
    pool = growing()
    task = question(pool)
    history = samples.measured(task, lambda p: {"thickness": worth_of(word_of(pool, p))}, 9)
    first = str(history.evaluated[0].point["material"])
    spelled = "".join(reversed(pool.words(first)["word"]))
    planner = BayesianPlanner(task)
    assert planner.propose(renamed(history, spelled), 1) == planner.propose(history, 1)
    new = planner.propose(renamed(history, "fedcba", "abcdef"), 1)
    assert new == planner.propose(renamed(history, "abcdef", "abcdef"), 1)


def test_what_a_material_in_flight_has_given_is_told_of_the_candidate_that_it_is() -> None:
    pool = growing()
    task = question(pool)
    history = samples.measured(task, lambda p: {"thickness": worth_of(word_of(pool, p))}, 9)
    first = str(history.evaluated[0].point["material"])
    begun = renamed(history, "".join(reversed(pool.words(first)["word"])), "xyz").evaluated[:2]
    flying = History(begun=begun, pending=tuple(one.point for one in begun))
    settled, why = Growth(task, pool).settled(flying)
    assert settled.begun == history.evaluated[:1]
    assert settled.pending == (history.evaluated[0].point,)
    assert why.startswith("one in flight ('xyz'")
    grown = Growth(task, pool).grown
    scoring = Scoring(ModelOptions())
    update = {"begun": begun[:1], "pending": flying.pending[:1]}
    with_begun = history.model_copy(update=update)
    assert grown(with_begun, scoring) == grown(with_begun.model_copy(update={"begun": ()}), scoring)


def test_the_generator_learns_from_what_it_made_and_was_measured() -> None:
    pool = growing(grow=generation(corpus=("ab",)))
    task = question(pool)
    growth = Growth(task, pool)

    def known_letters(*measured: str) -> set[str]:
        points: list[Point] = [{"material": name} for name in (*pool.names[:6], *measured)]
        ended = samples.evaluated(points, lambda p: {"thickness": worth_of(word_of(pool, p))})
        known = growth._strangers(History(evaluated=ended))
        return set(growth._generator(known)._letters)

    assert known_letters() == {"a", "b"}
    assert known_letters("eee") == {"a", "b", "e"}
