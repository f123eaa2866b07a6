"""What a replay says in words."""

from __future__ import annotations

from orchestrator.cli.planning import in_words
from orchestrator.runtime.replay import Needed


def test_a_factor_within_a_limit_says_what_was_counted_for_random_order() -> None:
    needed = Needed("the best", (13, 12, 11, 11), 75.5, 34.8, 2.96, (2.8, 3.2))
    assert in_words(needed, 40) == (
        "the best: 13, 12, 11, 11 experiments; random needs 75.5 on average "
        "(34.8 where 40 is counted for more); at least 3 times faster (95 % 2.8 ... 3.2)"
    )


def test_without_a_limit_in_the_way_the_factor_is_plain() -> None:
    needed = Needed("the best", (5,), 10.0, 10.0, 2.0, (2.0, 2.0))
    assert in_words(needed, 40) == (
        "the best: 5 experiments; random needs 10.0 on average; 2 times faster (one replay)"
    )
