"""Parsl takes what a block `site` says: of schedulers that are not here too."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from fake_kinds import KINDS, kind

from orchestrator.errors import InputError
from orchestrator.executor import pilots
from orchestrator.files.lab import load_lab
from orchestrator.model.site import Site
from orchestrator.runtime.sites import _refuse_unseen

needs_parsl = pytest.mark.skipif(
    importlib.util.find_spec("parsl") is None, reason="needs parsl: the extra 'cluster'"
)
BATCH = "nodes: 2, blocks: 3, workers: 8, cores: 4, walltime: 90 min, partition: long, account: a"
POD = "{kind: kubernetes, image: reg/hagane, blocks: 3, workers: 8, volumes: {claim: /data}}"


def site_of(text: str, folder: Path) -> Site:
    path = folder / "lab.yaml"
    path.write_text(f"lab: here\nresources: {{calc: {{kind: lesser-tool}}}}\nsite: {text}\n")
    site = load_lab(path, kind, KINDS, []).site
    assert site is not None
    return site


@needs_parsl
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            f"{{kind: slurm, {BATCH}, qos: high, options: ['#SBATCH -C a']}}",
            {"partition": "long", "account": "a", "qos": "high", "cores_per_node": 32},
        ),
        (
            f"{{kind: pbs, {BATCH}, options: ['#PBS -l mem=4gb']}}",
            {"queue": "long", "account": "a", "cpus_per_node": 32},
        ),
        (
            f"{{kind: lsf, {BATCH}, options: ['#BSUB -G a']}}",
            {"queue": "long", "project": "a", "cores_per_node": 32},
        ),
    ],
    ids=["slurm", "pbs", "lsf"],
)
def test_the_provider_of_a_scheduler_is_made_of_its_site(
    text: str, told: dict[str, Any], tmp_path: Path
) -> None:
    made = pilots._provider(site_of(text, tmp_path))
    assert {name: getattr(made, name) for name in told} == told
    assert (made.nodes_per_block, made.max_blocks, made.min_blocks) == (2, 3, 0)
    assert made.walltime == "01:30:00"
    assert "-" in made.scheduler_options


@needs_parsl
def test_the_provider_of_pods_takes_its_arguments_and_wants_its_client_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from parsl.errors import OptionalModuleMissing
    from parsl.providers.kubernetes import kube

    monkeypatch.setattr(kube, "_kubernetes_enabled", False)
    site = site_of(POD, tmp_path)
    assert site.volumes == (("claim", "/data"),)
    # names and types of the arguments are looked at before that
    with pytest.raises(OptionalModuleMissing):
        pilots._provider(site)


def test_pods_that_would_not_see_the_calculations_are_refused(tmp_path: Path) -> None:
    site = site_of(POD, tmp_path)
    _refuse_unseen(site, Path("/data/calculations/x"))
    with pytest.raises(InputError, match="pods see /data, and calculations lie in /home/x"):
        _refuse_unseen(site, Path("/home/x"))
