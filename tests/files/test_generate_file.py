"""How a pool grows, as a campaign file says it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fake_kinds import CAPABILITIES, PLANNERS, capability
from test_described_pools import TABLE, descriptors

from orchestrator.errors import FileProblems, InputError, UnknownName
from orchestrator.files.campaign import load_campaign
from orchestrator.files.describing import Kinds
from orchestrator.model.campaign import Campaign
from orchestrator.model.points import faults_of, point_from
from orchestrator.model.space import Pool, point_values

TEXT = """\
name: letters
space:
  word:
    pool: words.csv
    name: id
    smiles: text
    descriptor: letters
    generate: {kind: spelling, every: 3, candidates: 20, corpus: more.csv, steps: 4}
metrics: {length: {}}
objective: {maximise: length}
budget: {trials: 5}
"""
MORE = "text\nabc\nb!\nabc\nbc\n"


class Spelling:
    """A generator that is only made, never asked."""

    def __init__(
        self, corpus: Sequence[str], *, steps: int = 5, letters: Sequence[str] = ()
    ) -> None:
        if steps < 1:
            raise InputError("at least one step")
        if not any("c" in word for word in corpus):
            raise InputError("a word needs a c")


class Mute(Spelling):
    """The same with a corpus of its own."""

    @staticmethod
    def default_corpus() -> Sequence[str]:
        return ("abc",)


class Choosy(Spelling):
    """The same, which starts from nothing."""

    def refuse_start(self, start: Sequence[str]) -> None:
        raise InputError(f"nothing to start from in {start}")


def generators(name: str) -> type[Any]:
    kinds: dict[str, type[Any]] = {"spelling": Spelling, "mute": Mute, "choosy": Choosy}
    if name not in kinds:
        raise UnknownName("generator that is installed", name, kinds)
    return kinds[name]


def loaded(folder: Path, text: str = TEXT) -> Campaign:
    (folder / "words.csv").write_text(TABLE + "e,bc,2\n")
    (folder / "more.csv").write_text(MORE)
    path = folder / "campaign.yaml"
    path.write_text(text)
    kinds = Kinds(descriptors, generators)
    return load_campaign(path, capability, tuple(CAPABILITIES), PLANNERS, kinds)


def test_a_generator_that_cannot_use_the_first_materials_is_given_more(tmp_path: Path) -> None:
    (tmp_path / "many.csv").write_text("text\n" + "".join(f"{'ab' * n}\n" for n in range(1, 20)))
    text = TEXT.replace("more.csv", "many.csv")
    with pytest.raises(FileProblems, match="a word needs a c"):
        loaded(tmp_path, text)
    with (tmp_path / "many.csv").open("a") as file:
        file.write("abc\n")
    loaded(tmp_path, text)


def pool_of(campaign: Campaign) -> Pool:
    pool = campaign.space["word"]
    assert isinstance(pool, Pool)
    return pool


def test_a_pool_that_grows_knows_its_generator_and_what_it_learns_from(tmp_path: Path) -> None:
    found = pool_of(loaded(tmp_path)).generation
    assert found is not None
    assert (found.kind, found.every, found.n, found.options) == ("spelling", 3, 20, {"steps": 4})
    assert found.corpus == ("abc", "b!", "bc")
    assert found.target.endswith(":Spelling")
    assert [target.rpartition(":")[2] for target in found.descriptors] == ["Letters"]


def test_a_generator_may_refuse_what_it_would_start_from(tmp_path: Path) -> None:
    with pytest.raises(FileProblems, match="nothing to start from"):
        loaded(tmp_path, TEXT.replace("kind: spelling", "kind: choosy"))


def test_without_a_corpus_it_learns_from_the_pool_and_built_in_from_its_own(
    tmp_path: Path,
) -> None:
    own = pool_of(loaded(tmp_path, TEXT.replace(", corpus: more.csv", ""))).generation
    assert own is not None
    assert own.corpus == ("ab", "aab", "bc")
    text = TEXT.replace("spelling", "mute").replace("more.csv", "built_in")
    built_in = pool_of(loaded(tmp_path, text)).generation
    assert built_in is not None
    assert built_in.corpus == ()


def test_a_material_that_is_not_in_the_table_is_its_own_name_and_reaches_the_recipe(
    tmp_path: Path,
) -> None:
    space = loaded(tmp_path).space
    point = point_from(space, {"word": "cab"})
    assert list(faults_of(space, point)) == []
    assert point_values(space, point) == {"word": "cab", "word.text": "cab", "word.length": ""}
    known = point_values(space, {"word": "b"})
    assert known == {"word": "b", "word.text": "aab", "word.length": "3"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: spelling", "kind: speling", "did you mean 'spelling'"),
        ("steps: 4", "stepps: 4", "did you mean 'steps'"),
        ("steps: 4", "steps: 0", "at least one step"),
        ("steps: 4", "steps: 3.5", "is 3.5, not a whole number for instance steps: 5"),
        ("steps: 4", "steps: true", "is true, not a whole number"),
        ("steps: 4", "letters: abc", "is 'abc', not a list of texts write it as a list: letters"),
        ("steps: 4", "letters: [1]", "is [1], not a list of texts"),
        ("corpus: more.csv", "corpus: none.csv", "none.csv"),
        ("corpus: more.csv", "corpus: built_in", "has no corpus of its own"),
        (
            "    descriptor: letters\n",
            "    descriptor: letters\n    columns: {length: nm}\n",
            "alone",
        ),
        ("every: 3", "every: 0", "above 0"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(FileProblems) as caught:
        loaded(tmp_path, TEXT.replace(old, new))
    assert said in " ".join(f"{p.message} {p.hint}" for p in caught.value.problems)
