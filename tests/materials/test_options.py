"""Options of installed descriptors and generators that are of the wrong type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from orchestrator import plugins
from orchestrator.errors import InputError, UnknownName
from orchestrator.ports.options import check_options

WRONG: list[tuple[str, Mapping[str, Any], str, str]] = [
    ("morgan", {"radius": 2.5}, "is 2.5, not a whole number", "radius: 2"),
    ("morgan", {"radius": "2"}, "is '2', not a whole number", "without units and quotes"),
    ("fragments", {"smarts": [1]}, "is [1], not a list of texts or a mapping of names to", ""),
    ("crystal", {"shells": 4.5}, "is 4.5, not a whole number", "shells: 8"),
    ("crystal", {"cutoff": [6]}, "is [6], not a number", ""),
    ("mixture", {"of": {"morgan": {"radius": 1}}}, "is a mapping, not a text", "of: morgan"),
    ("mixture", {"of": ["rdkit"]}, "is ['rdkit'], not a text", "of: morgan"),
    ("process", {"parameters": ["T"]}, "not a mapping of names to texts or lists of texts", "NAME"),
    ("route", {"size": None}, "is nothing, not a whole number", "size: 512"),
]
GENERATOR: list[tuple[str, Mapping[str, Any], str, str]] = [
    ("iqspr", {"elements": "C"}, "is 'C', not a list of texts", "elements: [C]"),
    ("iqspr", {"exclude": "[F]"}, "is '[F]', not a list of texts", 'exclude: ["[F]"]'),
    ("iqspr", {"weight": 300}, "is 300, not a list of numbers", "weight: [300]"),
    ("iqspr", {"order": 3.5}, "is 3.5, not a whole number", "order: 10"),
    ("iqspr", {"weight": ["20 g/mol", "300 g/mol"]}, "not a list of numbers", "without units"),
    ("iqspr", {"smoothing": "much"}, "is 'much', not 'backoff' or 'kneser-ney'", "backoff"),
    ("iqspr", {"exact": "yes"}, "is 'yes', not true or false", "exact: false"),
    ("substitution", {"elements": "Fe"}, "is 'Fe', not a list of texts", "elements: [Fe]"),
    ("decoration", {"replace": "no"}, "is 'no', not true or false", "replace: true"),
    ("substitution", {"ionic": 1}, "is 1, not true or false", "ionic: true"),
]


@pytest.mark.parametrize(("name", "options", "said", "hint"), WRONG)
def test_an_option_of_a_descriptor_is_held_against_its_annotation(
    name: str, options: Mapping[str, Any], said: str, hint: str
) -> None:
    with pytest.raises(InputError) as caught:
        plugins.descriptor(name, options)
    assert str(caught.value).startswith(f"'{next(iter(options))}' of the descriptor '{name}'")
    assert said in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(("name", "options", "said", "hint"), GENERATOR)
def test_an_option_of_a_generator_is_held_against_its_annotation(
    name: str, options: Mapping[str, Any], said: str, hint: str
) -> None:
    with pytest.raises(InputError) as caught:
        check_options(f"generator '{name}'", plugins.generator(name), options, but=("corpus",))
    assert said in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("morgan", {"radius": 3}),
        ("crystal", {"cutoff": 6}),
        ("fragments", {"smarts": ["C"]}),
        ("fragments", {"smarts": {"carbon": "C"}}),
        ("mixture", {"of": "rdkit"}),
        ("process", {"parameters": {"T": "K", "gas": ["N2", "air"]}}),
        ("maccs", {}),
    ],
)
def test_right_options_are_taken(name: str, options: Mapping[str, Any]) -> None:
    assert plugins.descriptor(name, options).units is not None


@pytest.mark.parametrize(
    "options",
    [
        {"elements": ["C"], "weight": [20, 300.5], "exact": True, "graph_share": 0},
        {"weight": None, "smoothing": "kneser-ney"},
    ],
)
def test_right_options_of_a_generator_are_taken(options: Mapping[str, Any]) -> None:
    check_options("generator 'iqspr'", plugins.generator("iqspr"), options, but=("corpus",))


def test_an_option_that_does_not_exist_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        plugins.descriptor("morgan", {"radios": 2})
    assert caught.value.hint == "did you mean 'radius'?"


class Loose:
    """A stranger's class, whose annotations say little."""

    def __init__(self, corpus: Any, table=None, much: Any = 3, **more: int) -> None:  # type: ignore[no-untyped-def]
        """Nothing is kept."""


def test_what_is_not_annotated_is_not_looked_at() -> None:
    check_options("generator 'loose'", Loose, {"table": [1], "much": "x"}, but=("corpus",))
