"""The campaign of polymers that conduct heat: its tables, and what its generator makes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks.materials import polymer_conductivity_tables as make_tables
from orchestrator import plugins
from orchestrator.materials.chemistry import molecule, rdkit
from orchestrator.materials.generators.archive import Floats
from orchestrator.materials.polymerisation import monomers_of
from orchestrator.model.campaign import Campaign
from orchestrator.model.space import Pool
from orchestrator.runtime.load import campaign_path, read_campaign

FOLDER = Path(__file__).parents[2] / "campaigns" / "polymer_conductivity"


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return read_campaign(campaign_path(FOLDER))


def pool_of(campaign: Campaign) -> Pool:
    (pool,) = campaign.space.parameters
    assert isinstance(pool, Pool)
    return pool


def test_every_polymer_of_the_table_is_read_and_none_stands_there_twice(
    campaign: Campaign,
) -> None:
    pool = pool_of(campaign)
    assert pool.set_aside == ()
    assert 60 <= len(pool.names) == len((FOLDER / "polymers.csv").read_text().splitlines()) - 1


def test_the_sources_are_what_their_script_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(FOLDER / "polymers.csv", tmp_path)
    monkeypatch.setattr(make_tables, "HERE", tmp_path)
    make_tables.main()
    assert (tmp_path / "sources.csv").read_bytes() == (FOLDER / "sources.csv").read_bytes()


def test_volume_and_rigidity_are_those_of_known_molecules() -> None:
    hexane, benzene = (rdkit().AddHs(molecule(m)) for m in ("CCCCCC", "c1ccccc1"))
    assert make_tables.volume(benzene) == pytest.approx(81.2, abs=0.1)
    assert make_tables.volume(hexane) == pytest.approx(112.4, abs=1.0)
    assert make_tables.rigid(molecule("*CC*")) == 0.0
    assert make_tables.rigid(molecule("*CCc1ccc(*)cc1")) == 0.75


def test_all_that_is_generated_are_repeat_units_that_can_be_made(campaign: Campaign) -> None:
    pool = pool_of(campaign)
    assert pool.generation is not None
    options = {**pool.generation.options, "particles": 60, "steps": 15}
    polymers = list(pool.texts["smiles"])
    generator = plugins.load("generators", "iqspr")(polymers, **options)

    def aromatic(materials: Sequence[str]) -> Floats:
        return np.array([float(m.count("c1")) for m in materials])

    made = [c.material for c in generator.generate(polymers, aromatic, 100, seed=2)]
    assert len(made) >= 20
    for unit in made:
        found = rdkit().MolFromSmiles(unit)
        assert found is not None
        stars = [atom for atom in found.GetAtoms() if atom.GetAtomicNum() == 0]
        assert len(stars) == unit.count("*") == 2
        assert all(star.GetDegree() == 1 for star in stars)
        assert monomers_of(unit)
