"""The block `site` of a lab file: what is refused, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_kinds import KINDS, kind

from orchestrator.errors import FileProblems
from orchestrator.files.lab import load_lab
from orchestrator.model.site import Site

HEAD = "lab: here\nresources: {calc: {kind: lesser-tool}}\n"


def site_of(text: str, folder: Path) -> Site | None:
    path = folder / "lab.yaml"
    path.write_text(f"{HEAD}site: {text}\n" if text else HEAD)
    return load_lab(path, kind, KINDS, []).site


def test_without_a_block_nothing_is_said(tmp_path: Path) -> None:
    assert site_of("", tmp_path) is None


def test_a_slurm_site_is_read(tmp_path: Path) -> None:
    site = site_of(
        "{kind: slurm, partition: long, account: mat-23, qos: high, nodes: 2, blocks: 3, "
        "workers: 8, cores: 4, walltime: 4 h, options: ['#SBATCH --gres=gpu:1'], "
        "prelude: module load qe, attempts: 5, check: 30 s}",
        tmp_path,
    )
    assert site is not None
    assert (site.walltime_s, site.check_s, site.attempts) == (14_400.0, 30.0, 5)
    assert (site.partition, site.account, site.qos) == ("long", "mat-23", "high")
    assert site.options == ("#SBATCH --gres=gpu:1",)
    assert site.at_once == 48


def test_under_mpi_a_calculation_has_its_nodes_alone(tmp_path: Path) -> None:
    site = site_of(
        "{kind: slurm, walltime: 1 h, nodes: 8, launcher: srun, nodes_each: 2, ranks: 64}", tmp_path
    )
    assert site is not None
    assert site.at_once == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{kind: slurn}", "3:14: expected local, slurm, pbs, lsf or kubernetes, found 'slurn'"),
        ("{kind: local, partition: x}", "3:21: a local site has no 'partition'"),
        ("{kind: slurm, walltime: 4 h, queue: x}", "3:36: 'queue' is not a key of a site"),
        ("{kind: slurm}", "3:1: a slurm site needs its 'walltime' (write 'walltime: 4 h')"),
        ("{kind: slurm, walltime: 04:00:00}", "'04:00:00' has no unit (write it with a unit"),
        ("{kind: slurm, walltime: 4 eV}", "3:31:"),
        ("{kind: slurm, walltime: 10 s}", "is not between 1 min and 366 d"),
        ("{kind: slurm, walltime: 4 h, nodes: 0}", "expected a number above 0, found 0"),
        ("{kind: slurm, walltime: 4 h, ranks: 4}", "'ranks' needs a 'launcher'"),
        ("{kind: pbs, walltime: 4 h, qos: x}", "a pbs site has no 'qos' (it is for slurm)"),
        ("{kind: kubernetes, volumes: {c: /d}}", "a kubernetes site needs its 'image'"),
        ("{kind: kubernetes, image: i}", "a pod sees no other directories"),
        (
            "{kind: kubernetes, image: i, volumes: {c: d}}",
            "expected a path that begins with '/', found 'd'",
        ),
        (
            "{kind: kubernetes, image: i, volumes: {c: /d}, memory: 8 GB}",
            "3:62: expected a whole number and Mi, Gi or Ti",
        ),
        ("{kind: local, volumes: {c: /d}}", "a local site has no 'volumes' (it is for kubernetes)"),
        (
            "{kind: slurm, walltime: 4 h, launcher: srun, nodes_each: 3}",
            "a calculation on 3 nodes does not fit into a block of 1",
        ),
        ("fast", "expected a mapping"),
    ],
)
def test_a_mistake_is_refused_at_its_place(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(FileProblems) as found:
        site_of(text, tmp_path)
    assert said in str(found.value)


@pytest.mark.parametrize(
    ("kind_of", "line", "right"),
    [
        ("slurm", "--gres=gpu:1", "#SBATCH --gres=gpu:1"),
        ("slurm", "#PBS -l mem=4gb", "#SBATCH"),
        ("pbs", "-l mem=4gb", "#PBS -l mem=4gb"),
        ("lsf", "module load qe", "#BSUB"),
    ],
)
def test_an_option_that_the_scheduler_would_not_read_is_refused(
    kind_of: str, line: str, right: str, tmp_path: Path
) -> None:
    with pytest.raises(FileProblems, match="is no line that the scheduler reads") as caught:
        site_of(f"{{kind: {kind_of}, walltime: 1 h, options: ['{line}']}}", tmp_path)
    assert right in str(caught.value)
