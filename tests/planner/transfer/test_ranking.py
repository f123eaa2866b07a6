"""Who orders the outcomes best has the largest say."""

from __future__ import annotations

import numpy as np
import pytest
from transfer_samples import gain, related, unrelated

from orchestrator.planner.transfer.bases import ProcessSurrogate
from orchestrator.planner.transfer.ranking import RankingSurrogate, ranking_weights


def test_a_source_that_orders_perfectly_has_it_all() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=15)
    means = np.stack([np.exp(y), random.normal(size=15)], axis=1)
    np.testing.assert_allclose(ranking_weights(means, y, 0), [1.0, 0.0])


def test_equal_models_leave_it_to_the_targets_own() -> None:
    y = np.random.default_rng(0).normal(size=15)
    np.testing.assert_allclose(ranking_weights(np.stack([y, y, y], axis=1), y, 0), [0, 0, 1])


def test_many_useless_sources_do_not_dilute_a_good_model() -> None:
    random = np.random.default_rng(1)
    y = random.normal(size=15)
    own = y + 0.1 * random.normal(size=15)
    means = np.concatenate([random.normal(size=(15, 30)), own[:, None]], axis=1)
    assert ranking_weights(means, y, 0)[-1] == pytest.approx(1.0)


def test_a_related_source_helps_and_an_unrelated_one_costs_little() -> None:
    surrogate = RankingSurrogate(ProcessSurrogate())
    assert gain(surrogate, related, seeds=range(6)) >= 0.3
    assert gain(surrogate, unrelated, seeds=range(6)) >= -0.15
