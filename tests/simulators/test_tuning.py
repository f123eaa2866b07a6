"""A learned potential that new labels have tuned: another method, if it helps."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT
from ase.io import write
from structure_kinds import calculator, l1_2

from orchestrator.errors import ExecutionError, InputError
from orchestrator.ports.action import Ticket
from simulators.atomistic import methods, tuning
from simulators.atomistic.structures import text_of
from simulators.atomistic.tuning import Labels, chosen_ridge, fitted, read_labels

needs_sevenn = pytest.mark.skipif(
    importlib.util.find_spec("sevenn") is None, reason="needs sevenn (the extra 'potentials')"
)
SITES = [(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]


def alloys(n: int, seed: int) -> list[Any]:
    """Rattled alloys of Cu and Au with their energies by effective medium theory, as an export has
    them."""
    rng, found = np.random.default_rng(seed), []
    for k in range(n):
        one = Atoms(
            rng.choice(["Cu", "Au"], 4),
            scaled_positions=SITES,
            cell=[3.85 * rng.uniform(0.97, 1.04)] * 3,
            pbc=True,
        )
        one.rattle(0.05, rng=rng)
        one.calc = EMT()
        energy = one.get_potential_energy() / 4
        plain = one.copy()
        plain.info |= {"form_energy": energy, "rung": "exact" if k % 2 else "rough"}
        found.append(plain)
    return found


def labels(n: int, slope: float) -> Labels:
    """Errors that hang on two of eight features, on the composition, and a little on chance."""
    rng = np.random.default_rng(3)
    x, share = rng.normal(size=(n, 8)), rng.uniform(size=n)
    errors = slope * (x[:, 0] - x[:, 1]) + 5.0 * share - 2.0 + 0.01 * rng.normal(size=n)
    return Labels(x, np.stack([share, 1 - share], axis=1), errors)


def test_what_features_tell_is_learnt_and_what_they_do_not_is_left() -> None:
    known = labels(30, slope=0.2)
    ridge = chosen_ridge(known)
    assert np.isfinite(ridge)
    found = fitted(known, ridge)
    assert found.w[:2] == pytest.approx([0.2, -0.2], abs=0.02)
    assert found.shifts == pytest.approx([3.0, -2.0], abs=0.05)
    assert np.abs(found.corrected(labels(30, slope=0.2))).max() < 0.05
    nothing = labels(30, slope=0.0)
    assert np.abs(fitted(nothing, chosen_ridge(nothing)).w).max() < 0.01
    alone = fitted(known, np.inf)
    assert not alone.w.any()
    assert alone.shifts == pytest.approx([3.0, -2.0], abs=0.3)


def test_labels_are_those_of_one_method_and_enough(tmp_path: Path) -> None:
    file = tmp_path / "labels.extxyz"
    write(file, alloys(24, seed=1))
    assert len(read_labels(file, "form_energy", "")) == 24
    exact = read_labels(file, "form_energy", "rung=exact")
    assert len(exact) == 12
    assert exact[0][0].calc is None
    with pytest.raises(
        InputError, match="0 structures with 'energy' and rung=exact, 10 are"
    ) as few:
        read_labels(file, "energy", "rung=exact")
    assert "its values are form_energy" in few.value.hint
    with pytest.raises(InputError, match=r"'none\.extxyz' cannot be read: No such file"):
        read_labels(tmp_path / "none.extxyz", "form_energy", "")


@needs_sevenn
def test_too_few_labels_are_told_before_anything_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "labels.extxyz"
    write(file, alloys(6, seed=1))
    told = {"labels": str(file), "energy": "form_energy", "into": str(tmp_path / "tuned.json")}
    with (
        calculator(tmp_path, "sevennet") as resource,
        pytest.raises(InputError, match="has 6 structures with 'form_energy', 10 are needed"),
    ):
        asyncio.run(resource.fine_tune(**told, ticket=Ticket("t")))
    assert not (tmp_path / "a").exists()


@needs_sevenn
@pytest.mark.slow
def test_a_tuned_potential_is_another_method_and_nearer_to_the_labels(tmp_path: Path) -> None:
    file, into = tmp_path / "labels.extxyz", tmp_path / "tuned.json"
    write(file, alloys(24, seed=1))
    new = text_of(l1_2("Au", "Cu", 3.75))
    truth = l1_2("Au", "Cu", 3.75)
    truth.calc = EMT()
    dear = truth.get_potential_energy() / 4

    async def played() -> None:
        with calculator(tmp_path, "sevennet") as plain:
            told = {"labels": str(file), "energy": "form_energy", "into": str(into)}
            tuned = await plain.fine_tune(**told, ticket=Ticket("t1"))
            assert (tuned.labels, tuned.left_out) == (24, 5)
            assert tuned.error_after < 0.3 * tuned.error_before
            before = await plain.energy(structure=new, ticket=Ticket("t2"))
        with calculator(tmp_path, "sevennet", tuned=str(into)) as resource:
            after = await resource.energy(structure=new, ticket=Ticket("t3"))
            assert after.reused == 0, "it is another method"
            assert abs(after.energy - dear) < 0.03 < abs(before.energy - dear)
            assert resource._mark(new) != plain._mark(new)
            again = await resource.energy(structure=new, ticket=Ticket("t4"))
            assert (again.reused, again.energy) == (1, after.energy)
            with pytest.raises(InputError, match="tuned already"):
                await resource.fine_tune(**told, ticket=Ticket("t5"))

    asyncio.run(played())


def test_what_does_not_help_with_labels_that_were_left_out_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, into = tmp_path / "labels.extxyz", tmp_path / "tuned.json"
    write(file, alloys(15, seed=1))
    known, rng = labels(15, slope=0.0), np.random.default_rng(5)
    chance = Labels(known.x, known.shares, rng.normal(size=15))
    monkeypatch.setattr(methods, "_sevennet", lambda model: None)
    monkeypatch.setattr(tuning, "labels_of", lambda calculator, structures: chance)
    with pytest.raises(ExecutionError, match="does not help: of 3 that were left out"):
        tuning.tune(str(file), "form_energy", "", "7net-0", str(into))
    assert not into.exists()


@needs_sevenn
def test_a_file_of_another_model_is_refused(tmp_path: Path) -> None:
    into = tmp_path / "tuned.json"
    into.write_text(json.dumps({"model": "7net-l3i5"}))
    for file, said in ((into, "was tuned from 7net-l3i5, not from 7net-0"), ("no", "holds no")):
        with (
            pytest.raises(InputError, match=said),
            calculator(tmp_path, "sevennet", tuned=str(file)),
        ):
            pass
