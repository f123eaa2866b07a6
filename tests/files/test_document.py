"""YAML as a scientist means it, with every value's place; nothing dangerous gets in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import FileProblems, Problem
from orchestrator.files.document import Document, parse_document, read_document, resolve


def parsed(text: str) -> Document:
    return parse_document(text, "test.yaml")


def only_problem(text: str) -> Problem:
    with pytest.raises(FileProblems) as caught:
        parsed(text)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("1e-6", 1e-6),
        ("1E5", 1e5),
        (".5", 0.5),
        ("5.", 5.0),
        ("-3", -3),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        (".inf", float("inf")),
        ("-.inf", float("-inf")),
        ("NO", "NO"),
        ("on", "on"),
        ("yes", "yes"),
        ("20:30", "20:30"),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        ("=oxygen", "=oxygen"),
        ("1e", "1e"),
        ("20 min", "20 min"),
        ("<<", "<<"),
        ("9" * 40, 1e40),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(word: str, meaning: Any) -> None:
    value = resolve(word)
    assert value == meaning
    assert type(value) is type(meaning)
    assert parsed(f"key: {word}").root.plain() == {"key": meaning}


def test_quoted_scalars_are_texts() -> None:
    assert parsed("a: '1e-6'\nb: \"true\"\nc: |\n  5\n").root.plain() == {
        "a": "1e-6",
        "b": "true",
        "c": "5\n",
    }


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_back_as_it_was_written(value: float) -> None:
    assert parsed(f"x: {value!r}").root.plain() == {"x": value}


def test_every_value_and_key_has_its_place() -> None:
    document = parsed("a: 1\nb:\n  - c: [x, yy]\n    d: z\n")
    assert document.place(["a"]) == (1, 4)
    assert document.place(["b", 0, "c", 1]) == (3, 12)
    assert document.place(["b", 0, "d"], key=True) == (4, 5)
    assert document.place(["b", 0, "absent", "deeper"]) == (3, 5)


def test_a_key_that_stands_twice_is_a_problem_at_its_second_place() -> None:
    (problem,) = parsed("a: 1\nb: 2\na: 3\n").problems
    assert (problem.line, problem.column) == (3, 1)
    assert "'a' stands here a second time (first in line 1)" in problem.message


@pytest.mark.parametrize(
    "tagged",
    ["!!python/object/apply:os.system ['ls']", "!!python/name:os.system x", "!own 5", "!!str 5"],
)
def test_a_tag_is_refused_and_nothing_is_made(tagged: str) -> None:
    (problem,) = parsed(f"a: {tagged}\n").problems
    assert problem.message.startswith("the tag '!")
    assert (problem.line, problem.column) == (1, 4)


def test_an_alias_means_what_it_points_to() -> None:
    document = parsed("a: &limits [1, 2]\nb: *limits\n")
    assert document.root.plain() == {"a": [1, 2], "b": [1, 2]}
    assert document.place(["b"]) == (2, 4)


def test_a_bomb_of_aliases_is_refused_before_it_goes_off() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 12):
        aliases = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} [{aliases}]")
    problem = only_problem("\n".join(lines))
    assert "more than 100,000 values" in problem.message


def test_an_alias_inside_itself_is_refused() -> None:
    assert "stands inside itself" in only_problem("a: &a [*a]").message
    assert "is not defined" in only_problem("a: *b").message


def test_deep_nesting_is_refused_at_once() -> None:
    assert "nests deeper" in only_problem("a: " + "[" * 100_000).message


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a:\n\tb: 1\n", "a tab stands where spaces belong", 2),
        ("a: @x\n", "a text cannot begin with '@'", 1),
        ("a: %\n", "a text cannot begin with '%'", 1),
        ("a: b: c\n", "a second ':' in one value", 1),
        ("a: [1, 2\nb: 3\n", "it is not YAML", 2),
        ("a: 'x\n", "it is not YAML", 2),
        ("a: 1\n---\nb: 2\n", "a second document", 2),
        ("- a\n- b\n", "the file holds a list", 1),
        ("just a text\n", "the file holds a single value", 1),
        ("", "the file is empty", 0),
        ("# only a comment\n", "the file is empty", 0),
        ("a: \x07\n", "a control character", 1),
    ],
)
def test_what_is_no_mapping_in_yaml_gets_one_clear_sentence(
    text: str, message: str, line: int
) -> None:
    problem = only_problem(text)
    assert message in problem.message
    assert problem.line == line


def test_a_complex_key_is_a_problem() -> None:
    (problem,) = parsed("? [a, b]\n: 1\nc: 2\n").problems
    assert problem.message == "a key must be a plain word"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: \x00\x01", "not a text file"),
        ("a: ä".encode("utf-16"), "not a text file"),
        (b"PK\x03\x04\x14 workbook", "it is a spreadsheet or an archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it is a spreadsheet or an archive"),
        ("b: 1\na: ä".encode("latin-1"), "not text in UTF-8"),
        (b"#" * 5_000_001, "larger than 5 MB"),
    ],
)
def test_what_is_no_text_of_sensible_size_is_refused(
    content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "campaign.yaml"
    path.write_bytes(content)
    with pytest.raises(FileProblems, match=message):
        read_document(path)


def test_a_file_whose_name_could_not_be_journaled_is_refused(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"Gr\xf6sse.yaml")
    path.write_text("a: 1\n")
    with pytest.raises(
        FileProblems, match=r"Gr\\udcf6sse.*: the name of the file is not text in UTF"
    ):
        read_document(path)


def test_an_absent_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileProblems, match=r"absent\.yaml: it cannot be read: no such file"):
        read_document(tmp_path / "absent.yaml")
    with pytest.raises(FileProblems, match="is a directory"):
        read_document(tmp_path)


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(FileProblems, match="larger than 5 MB"):
        read_document(Path("/dev/zero"))


def test_a_mistake_of_a_whole_line_has_no_column() -> None:
    assert str(Problem("it is odd", "even it", line=3)) == "3: it is odd (even it)"
    assert str(Problem("it is odd", line=3, column=7)) == "3:7: it is odd"


def test_a_byte_order_mark_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "campaign.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    document = read_document(path)
    assert document.root.plain() == {"a": 1}
    assert document.place(["a"], key=True) == (1, 1)


_WORDS = st.text("abcxyz019:-#{}[],'\" \n\t=*&!|>%@~.", max_size=60)


@given(_WORDS)
def test_any_text_is_read_or_refused_with_problems(text: str) -> None:
    try:
        document: Document | None = parsed(text)
    except FileProblems as error:
        document = None
        messages = [problem.message for problem in error.problems]
    else:
        messages = []
    assert messages or (document is not None and isinstance(document.root.plain(), dict))
