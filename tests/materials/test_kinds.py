"""What is installed under `hagane.descriptors` keeps the promises of the port."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import InputError
from orchestrator.materials.descriptors.crystal import Crystal
from orchestrator.materials.descriptors.mixture import MIXED
from orchestrator.model.quantity import check_unit
from orchestrator.ports.descriptor import Descriptor

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
KINDS: dict[str, str] = PROJECT["entry-points"]["hagane.descriptors"]
SAMPLES = {
    "morgan": ["OCC", "[Na+].[Cl-]"],
    "maccs": ["OCC", "c1ccccc1"],
    "rdkit": ["OCC", "[Fe+2]"],
    "fragments": ["OCC", "c1ccccc1"],
    "polymer-morgan": ["*OCC*", "0.3 *CC* | 0.7 *OCC*"],
    "polymer-rdkit": ["*OCC*", "0.3 *CC* | 0.7 *OCC*"],
    "polymer-backbone": ["*OCC*", "0.3 *CC* | 0.7 *OCC*"],
    "composition": ["TiO2", "Ba0.5Sr0.5TiO3"],
    "crystal": [Crystal().canonical(bulk("Cu")), Crystal().canonical(bulk("NaCl", "rocksalt", 5))],
    "mixture": ["OCC", "0.7 O | 0.3 OCC"],
    "process": ["time=30 min; temperature=300 K", "temperature=450 degC; time=2 h"],
    "route": ["CC(=O)O.OCC>>CCOC(C)=O.O", "C=C>>CC"],
}
named = pytest.mark.parametrize("name", sorted(KINDS))


def _made(name: str) -> Any:
    module, _, cls = KINDS[name].partition(":")
    return getattr(import_module(module), cls)()


def test_every_kind_has_a_sample() -> None:
    assert set(KINDS) == set(SAMPLES)


@named
def test_a_kind_needs_no_options_and_is_a_descriptor(name: str) -> None:
    descriptor = _made(name)
    assert isinstance(descriptor, Descriptor)
    assert descriptor.source
    assert descriptor.content in ("counts", "bits", "dense")
    assert len(descriptor.names) == len(descriptor.units) == len(set(descriptor.names))
    for unit in set(descriptor.units):
        check_unit(unit)


@named
def test_vectors_are_finite_and_do_not_depend_on_the_batch(name: str) -> None:
    descriptor = _made(name)
    vectors = descriptor.describe(SAMPLES[name])
    assert vectors.dtype == np.float64
    assert vectors.shape == (2, len(descriptor.names))
    assert np.isfinite(vectors).all()
    assert descriptor.describe([]).shape == (0, len(descriptor.names))
    for row, material in enumerate(SAMPLES[name]):
        assert (descriptor.describe([material])[0] == vectors[row]).all()
    if descriptor.content == "bits":
        assert set(np.unique(vectors)) == {0.0, 1.0}
    if descriptor.content == "counts":
        assert vectors.min() >= 0


@named
def test_a_canonical_material_is_its_own_canonical_form_and_has_the_same_vector(name: str) -> None:
    descriptor = _made(name)
    for material in SAMPLES[name]:
        canonical = descriptor.canonical(material)
        assert descriptor.canonical(canonical) == canonical
        one, same = descriptor.describe([material, canonical])
        np.testing.assert_allclose(same, one, rtol=1e-9, atol=1e-9)


def test_the_names_of_mixed_descriptors_are_those_that_are_installed() -> None:
    for name, cls in MIXED.items():
        assert type(_made(name)) is cls


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    modules = sorted({kind.partition(":")[0] for kind in KINDS.values()})
    code = (
        f"import sys, {', '.join(modules)}\n"
        "print([n for n in ('rdkit', 'ase', 'pandas', 'sklearn', 'scipy') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


@named
@given(st.data())
@settings(deadline=None, max_examples=40)
def test_any_text_has_a_finite_vector_or_a_sentence_of_ours(name: str, data: st.DataObject) -> None:
    descriptor = _made(name)
    sample = data.draw(st.sampled_from(SAMPLES[name]))
    alphabet = st.sampled_from([*sample, *"*CO[]()=#/\\@.>|;:123 \n-+%é"])
    cut = data.draw(st.integers(0, len(sample)))
    text = sample[:cut] + "".join(data.draw(st.lists(alphabet, max_size=8)))
    text += data.draw(st.sampled_from([sample[cut:], ""]))
    try:
        canonical = descriptor.canonical(text)
        vector = descriptor.describe([text])
    except InputError:
        return
    assert np.isfinite(vector).all()
    assert descriptor.canonical(canonical) == canonical
