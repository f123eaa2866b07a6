from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import planner_samples as samples
import pytest
from numpy.typing import NDArray
from scipy.stats import qmc

from orchestrator.errors import InputError, PoolExhausted, UnknownName
from orchestrator.model.points import faults_of
from orchestrator.model.space import KnownConstraint, Mixture, Pool, Real, SearchSpace
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.initial import RandomPlanner, SobolPlanner, SpaceFilling
from orchestrator.planner.possible import Possible
from orchestrator.planner.sobol import Sobol
from orchestrator.ports.planner import Evaluated, History

LIGHT = [SobolPlanner, RandomPlanner]


@pytest.mark.parametrize("width", [1, 2, 6, 40])
def test_the_unscrambled_sequence_is_that_of_scipy(width: int) -> None:
    ours = Sobol(width, seed=None).points(0, 256)
    np.testing.assert_array_equal(ours, qmc.Sobol(width, scramble=False).random(256))


@pytest.mark.parametrize("seed", [0, 1, -5, 2**70])
def test_a_scrambled_sequence_stays_a_net(seed: int) -> None:
    points = Sobol(5, seed).points(0, 64)
    assert ((points >= 0) & (points < 1)).all()
    cells = np.sort(np.floor(points * 64).astype(int), axis=0)
    # each 1/64 of each axis holds exactly one of the first 64 points
    assert (cells == np.arange(64)[:, None]).all()


def test_scrambling_keeps_the_low_discrepancy_of_scipys() -> None:
    ours = np.mean([qmc.discrepancy(Sobol(6, s).points(0, 256)) for s in range(8)])
    scipys = np.mean([qmc.discrepancy(qmc.Sobol(6, rng=s).random(256)) for s in range(8)])
    assert ours < 1.1 * scipys


def test_points_can_be_had_in_any_order_and_differ_between_seeds() -> None:
    sequence = Sobol(3, seed=4)
    whole = sequence.points(0, 20)
    np.testing.assert_array_equal(sequence.points(13, 4), whole[13:17])
    assert not np.array_equal(Sobol(3, seed=5).points(0, 20), whole)


@pytest.mark.parametrize("planner", LIGHT)
def test_a_proposal_depends_on_the_seed_and_its_number_alone(planner: type[SobolPlanner]) -> None:
    question = samples.task(samples.MIXED, constraints=())
    together = planner(question).propose(History(), 6)
    for number, proposal in enumerate(together):
        alone = planner(question).propose(History(n_proposed=number), 1)
        assert alone == [proposal]
    other = planner(question.model_copy(update={"seed": 2})).propose(History(), 6)
    assert [p.point for p in other] != [p.point for p in together]


def test_proposals_say_what_they_are() -> None:
    question = samples.task(kind="sobol")
    proposal = SobolPlanner(question).propose(History(n_proposed=2), 1)[0]
    assert (proposal.source, proposal.intent) == ("initial", "design")
    assert proposal.why == "space-filling point 3"


@pytest.mark.parametrize("planner", LIGHT)
def test_a_pool_is_used_up_without_repeating_a_candidate(planner: type[SobolPlanner]) -> None:
    candidates = samples.pool(12)
    question = samples.task((candidates,), constraints=())
    tried = Evaluated(trial=1, point={"alloy": "alloy-3"})
    flying = {"alloy": "alloy-7"}
    seen: list[str] = []
    while len(seen) < 10:
        history = History(
            evaluated=(tried,),
            pending=(flying, *({"alloy": name} for name in seen)),
            n_proposed=len(seen),
        )
        got = planner(question).propose(history, 4)
        assert len(got) == min(4, 10 - len(seen))
        seen += [str(p.point["alloy"]) for p in got]
    assert sorted(seen) == sorted(set(candidates.names) - {"alloy-3", "alloy-7"})
    full = History(pending=tuple({"alloy": name} for name in candidates.names))
    with pytest.raises(PoolExhausted, match="all 12 candidates"):
        planner(question).propose(full, 1)


def test_the_start_in_a_pool_is_better_spread_than_chance() -> None:
    candidates = samples.pool(100_000, width=4)
    task = samples.task((candidates,), constraints=())
    spread = [nearest_pair(candidates, SpaceFilling(at_seed(task, s))) for s in range(3)]
    chance = [nearest_pair(candidates, RandomPlanner(at_seed(task, s))) for s in range(3)]
    assert min(spread) > max(chance)


def at_seed(task: object, seed: int) -> object:
    return task.model_copy(update={"seed": seed})  # type: ignore[attr-defined]


def nearest_pair(candidates: Pool, planner: SpaceFilling | RandomPlanner) -> float:
    if isinstance(planner, SpaceFilling):
        points = [p.point for p in planner.propose(History(), 10, str)]
    else:
        points = [p.point for p in planner.propose(History(), 10)]
    rows = np.array([candidates.rows[candidates.names.index(str(p["alloy"]))] for p in points])
    apart = np.linalg.norm(rows[:, None] - rows[None], axis=-1)
    return float(apart[np.triu_indices(10, 1)].min())


def test_a_pool_with_process_parameters_may_repeat_a_candidate() -> None:
    question = samples.task((*samples.FILM, samples.pool(2)), constraints=())
    proposals = SobolPlanner(question).propose(History(), 8)
    assert {p.point["alloy"] for p in proposals} == {"alloy-0", "alloy-1"}
    Encoding(question.space).encode([p.point for p in proposals])


BOUND = SearchSpace(
    parameters=(
        Real(name="Cu", low=0.0, high=50.0),
        Real(name="Ni", low=10.0, high=100.0),
        Real(name="Zn", low=0.0, high=100.0),
        Real(name="heat", low=0.0, high=1.0),
    ),
    mixtures=(
        Mixture(
            name="alloy", components=("Cu", "Ni", "Zn"), total=100.0, present=(2, 3), least=5.0
        ),
    ),
    constraints=(KnownConstraint(text="Cu <= 20 heat", expression="Cu - 20 * heat"),),
)


def drawn(total: float, **bounds: tuple[float, float]) -> NDArray[np.float64]:
    """Amounts (1,024 x k) of a mixture of all components, as the start draws them."""
    parts = tuple(Real(name=name, low=low, high=high) for name, (low, high) in bounds.items())
    blend = Mixture(
        name="m", components=tuple(bounds), total=total, present=(len(parts), len(parts))
    )
    encoding = Encoding(SearchSpace(parameters=parts, mixtures=(blend,)))
    codes = Possible(encoding).spread(1024, 0)
    return np.array([[float(v) for v in point.values()] for point in encoding.decode(codes)])


def test_what_an_alloy_has_little_of_is_drawn_over_its_whole_range() -> None:
    found = drawn(100.0, Fe=(50, 95), Cr=(8, 22), Ni=(0, 14), C=(0.02, 0.6))
    for column, (low, high) in ((1, (8, 22)), (2, (0, 14)), (3, (0.02, 0.6))):
        quarters = np.histogram(found[:, column], bins=np.linspace(low, high, 5))[0]
        assert quarters.min() > 200  # all had had the most carbon


def test_a_mixture_is_drawn_evenly_over_what_its_bounds_leave() -> None:
    found = drawn(1.0, a=(0, 0.5), b=(0, 0.5), c=(0, 0.5))
    assert found.sum(axis=1) == pytest.approx(1.0)
    assert (found > 0.499).mean() < 0.02
    assert found.std(axis=0) == pytest.approx(1 / math.sqrt(72), abs=0.006)  # of a triangle
    narrow = drawn(1.0, a=(0, 0.35), b=(0, 0.36), c=(0, 0.32))
    assert narrow.mean(axis=0) == pytest.approx([0.34, 0.35, 0.31], abs=0.001)


@pytest.mark.parametrize("planner", LIGHT)
def test_no_point_breaks_a_mixture_or_a_known_constraint(planner: type[SobolPlanner]) -> None:
    question = samples.task(constraints=()).model_copy(update={"space": BOUND})
    together = planner(question).propose(History(), 40)
    for proposal in together:
        assert list(faults_of(BOUND, proposal.point)) == []
    assert len({p.point["heat"] for p in together}) == 40
    assert planner(question).propose(History(n_proposed=7), 1) == [together[7]]


@pytest.mark.parametrize("planner", LIGHT)
def test_an_option_that_does_not_exist_is_refused(planner: type[SobolPlanner]) -> None:
    with pytest.raises(UnknownName, match="'restarts'"):
        planner(samples.task(kind="sobol", options={"restarts": 4}))


def test_an_option_of_the_wrong_kind_is_refused_in_words() -> None:
    from orchestrator.planner.bayesian import BayesianPlanner

    with pytest.raises(InputError, match="'threads' = 0"):
        BayesianPlanner(samples.task(options={"threads": 0}))
    for wrong in ({"top": True}, {"drift": "no"}, {"drift": 1}, {"restarts": "4"}):
        with pytest.raises(InputError, match="does not fit"):
            BayesianPlanner(samples.task(options=wrong))
    with pytest.raises(InputError) as told:
        BayesianPlanner(samples.task(options={"repeat": "maybe"}))
    assert told.value.hint == "say yes or no"
    with pytest.raises(UnknownName) as caught:
        BayesianPlanner(samples.task(options={"restart": 2}))
    assert caught.value.hint == "did you mean 'restarts'?"


def test_the_first_points_need_neither_torch_nor_scipy_stats() -> None:
    script = """
import sys
from orchestrator.planner import initial, bayesian, worker
from orchestrator.ports.planner import History
sys.path.insert(0, {here!r})
import planner_samples as samples
for planner in (initial.SobolPlanner, initial.RandomPlanner, bayesian.BayesianPlanner):
    planner(samples.task()).propose(History(), 3)
bad = [m for m in ("torch", "scipy", "scipy.stats", "botorch", "gpytorch") if m in sys.modules]
assert not bad, bad
"""
    here = str(__import__("pathlib").Path(__file__).parent)
    subprocess.run([sys.executable, "-c", script.format(here=here)], check=True)
