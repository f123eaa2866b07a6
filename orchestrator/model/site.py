"""Where calculations run: this machine, or the nodes that a scheduler gives."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

SiteKind: TypeAlias = Literal["local", "slurm", "pbs", "lsf", "kubernetes"]


class Site(BaseModel):
    """The block `site` of a lab file, checked.

    Attributes:
        kind: who gives the nodes; `local` is this machine.
        workers: calculations at a time on each node (each of `blocks` pods on Kubernetes).
        cores: of each calculation.
        nodes: of each block.
        blocks: jobs that hold nodes, at most, at a time.
        walltime_s: of a block, or of a calculation that is submitted by itself.
        partition: of SLURM; the queue of PBS and LSF.
        account, qos: who pays, and how urgent it is.
        options: further lines of the batch script, as the scheduler reads them.
        prelude: shell lines before a worker starts (`module load ...`).
        launcher, nodes_each, ranks: of calculations that run over MPI ranks of their own.
        image, namespace, memory: of a pod; memory as Kubernetes writes it.
        volumes: claims of persistent volumes, and where a pod has them.
        attempts: so often a calculation is begun whose worker is lost, at most.
        check_s: how often the scheduler is asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: SiteKind = "local"
    workers: int = Field(default=2, gt=0)
    cores: int = Field(default=1, gt=0)
    nodes: int = Field(default=1, gt=0)
    blocks: int = Field(default=1, gt=0)
    walltime_s: float = Field(default=3600.0, gt=0)
    partition: str = ""
    account: str = ""
    qos: str = ""
    options: tuple[str, ...] = ()
    prelude: str = ""
    launcher: Literal["", "srun", "aprun", "mpiexec"] = ""
    nodes_each: int = Field(default=1, gt=0)
    ranks: int = Field(default=1, gt=0)
    image: str = ""
    namespace: str = ""
    memory: str = "4Gi"
    volumes: tuple[tuple[str, str], ...] = ()
    attempts: int = Field(default=3, gt=0)
    check_s: float = Field(default=5.0, gt=0)

    @property
    def at_once(self) -> int:
        """Calculations that can run at a time."""
        if self.kind == "local":
            return self.workers
        if self.launcher:
            return max(1, self.nodes // self.nodes_each) * self.blocks
        return self.workers * self.nodes * self.blocks
