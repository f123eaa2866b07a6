"""What a file says, apart from how it is written."""

from __future__ import annotations

from orchestrator.files.canonical import content_hash, differences
from orchestrator.files.document import parse_document


def hash_of(text: str) -> str:
    return content_hash(parse_document(text, "test.yaml").root.plain())


def test_the_way_of_writing_does_not_change_the_hash() -> None:
    first = hash_of("a: {b: [1e-3, 5], c: x}\n")
    second = hash_of("# a comment\na:\n  b:\n  - 0.001\n  - 5.0\n  c: 'x'\n")
    assert first == second


def test_every_change_of_content_changes_the_hash() -> None:
    texts = [
        "a: {b: 1, c: 2}",
        "a: {c: 2, b: 1}",
        "a: {b: 1, c: 3}",
        "a: {b: 1, c: '2'}",
        "a: {b: 1}",
    ]
    assert len({hash_of(text) for text in texts}) == len(texts)


def test_a_changed_table_changes_the_hash() -> None:
    assert content_hash({}, {"pool": "1"}) != content_hash({}, {"pool": "2"})


def test_differences_are_a_short_unified_diff() -> None:
    old = "\n".join(f"line {n}" for n in range(50))
    diff = differences(old, old.replace("line 20", "line twenty"))
    assert "-line 20\n+line twenty" in diff
    assert "line 25" not in diff
    long = differences(old, "", max_lines=10)
    assert len(long.splitlines()) == 11
    assert long.endswith("more lines")
    assert differences(old, old) == ""
