"""Reads the block `site` of a lab file: where calculations run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from orchestrator.errors import InputError
from orchestrator.files.findings import Findings
from orchestrator.files.recipe import positive_seconds
from orchestrator.files.shape import ABSOLUTE, MEMORY, Quantity, Shape
from orchestrator.model.site import Site, SiteKind

Count = Annotated[int, Field(gt=0)]
_EVERYWHERE = frozenset({"kind", "workers", "attempts"})
_IN_BLOCKS = _EVERYWHERE | {"nodes", "blocks", "cores", "walltime", "prelude", "options", "check"}
_IN_PODS = frozenset({"image", "namespace", "memory", "volumes"})
_RANKS = frozenset({"launcher", "nodes_each", "ranks"})
TAKES: Mapping[str, frozenset[str]] = {
    "local": _EVERYWHERE,
    "slurm": _IN_BLOCKS | _RANKS | {"partition", "account", "qos"},
    "pbs": _IN_BLOCKS | _RANKS | {"partition", "account"},
    "lsf": _IN_BLOCKS | _RANKS | {"partition", "account"},
    "kubernetes": _EVERYWHERE | {"blocks", "cores", "prelude", "check"} | _IN_PODS,
}
"""The keys of each kind."""
MARKS = {"slurm": "#SBATCH", "pbs": "#PBS", "lsf": "#BSUB"}
"""How a line of a batch script begins that a scheduler reads."""
LONGEST_DAYS = 366


class SiteShape(Shape):
    """Where calculations run: this machine, or the nodes of a scheduler."""

    kind: Annotated[SiteKind, Field(description="who gives the nodes")] = "local"
    workers: Annotated[Count, Field(description="calculations at a time on each node")] = 2
    cores: Annotated[Count, Field(description="of each calculation")] = 1
    nodes: Annotated[Count, Field(description="of each block")] = 1
    blocks: Annotated[Count, Field(description="jobs that hold nodes, at a time")] = 1
    walltime: Annotated[Quantity, Field(examples=["4 h"])] | None = None
    partition: str = ""
    account: str = ""
    qos: str = ""
    options: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    prelude: Annotated[str, Field(examples=["module load quantum-espresso"])] = ""
    launcher: Literal["", "srun", "aprun", "mpiexec"] = ""
    nodes_each: Count = 1
    ranks: Annotated[Count, Field(description="MPI ranks of each calculation, on each node")] = 1
    image: str = ""
    namespace: str = ""
    memory: Annotated[str, Field(pattern=MEMORY, description="of each pod", examples=["8Gi"])] = (
        Site().memory
    )
    volumes: Annotated[
        dict[Annotated[str, Field(min_length=1)], Annotated[str, Field(pattern=ABSOLUTE)]],
        Field(description="claims of volumes, and where a pod has them"),
    ] = Field(default_factory=dict)
    attempts: Annotated[Count, Field(description="of a calculation whose worker is lost")] = 3
    check: Quantity | None = None


def read_site(findings: Findings) -> Site | None:
    """The site of a lab file; None where nothing is said (or it is a mistake)."""
    if findings.plain(["site"]) is None:
        return None
    shape = findings.shaped(["site"], SiteShape, "a key of a site")
    if shape is None:
        return None
    for key in findings.entries(["site"]):
        if key not in TAKES[shape.kind]:
            takers = " and ".join(kind for kind in TAKES if key in TAKES[kind])
            message = f"a {shape.kind} site has no '{key}'"
            findings.add(["site", key], message, f"it is for {takers}", key=True)
    walltime_s = _walltime_s(findings, shape)
    check_s = Site().check_s
    with findings.at(["site", "check"]):
        check_s = positive_seconds(shape.check) if shape.check else check_s
    _check_ranks(findings, shape)
    _check_lines(findings, shape)
    _check_pods(findings, shape)
    plain = shape.model_dump(exclude={"walltime", "check", "options", "volumes"})
    return Site(
        **plain,
        options=tuple(shape.options),
        volumes=tuple(shape.volumes.items()),
        walltime_s=walltime_s,
        check_s=check_s,
    )


def _check_pods(findings: Findings, shape: SiteShape) -> None:
    if shape.kind != "kubernetes":
        return
    if not shape.image:
        hint = "name a container image that has hagane in it"
        findings.add(["site"], "a kubernetes site needs its 'image'", hint, key=True)
    if not shape.volumes:
        hint = "write 'volumes: {CLAIM: /where/hagane/keeps/its/data}'"
        message = "a kubernetes site needs its 'volumes': a pod sees no other directories"
        findings.add(["site"], message, hint, key=True)


def _walltime_s(findings: Findings, shape: SiteShape) -> float:
    default = Site().walltime_s
    if shape.walltime is None:
        if "walltime" in TAKES[shape.kind]:
            hint = "write 'walltime: 4 h'"
            findings.add(["site"], f"a {shape.kind} site needs its 'walltime'", hint, key=True)
        return default
    with findings.at(["site", "walltime"]):
        try:
            seconds = positive_seconds(shape.walltime)
        except InputError as error:
            if ":" in shape.walltime:
                hint = "write it with a unit, such as '4 h' or '90 min'"
                raise InputError(f"'{shape.walltime}' has no unit", hint=hint) from error
            raise
        if not 60 <= seconds <= LONGEST_DAYS * 86_400 or not math.isfinite(seconds):
            raise InputError(
                f"a walltime of '{shape.walltime}' is not between 1 min and {LONGEST_DAYS} d"
            )
        return seconds
    return default


def _check_lines(findings: Findings, shape: SiteShape) -> None:
    """Each of the further lines of the batch script is one that the scheduler reads."""
    mark = MARKS.get(shape.kind)
    for place, text in enumerate(shape.options if mark else ()):
        for line in text.splitlines():
            if not line.startswith(f"{mark} "):
                hint = f"write '{mark} {line.strip() or '...'}'; lines of the shell are a 'prelude'"
                message = f"'{line}' is no line that the scheduler reads: it begins with '{mark}'"
                findings.add(["site", "options", place], message, hint)


def _check_ranks(findings: Findings, shape: SiteShape) -> None:
    given = findings.entries(["site"])
    for key in ("nodes_each", "ranks"):
        if key in given and not shape.launcher:
            hint = "add 'launcher: srun', or 'cores' for threads of one process"
            findings.add(["site", key], f"'{key}' needs a 'launcher'", hint, key=True)
    if shape.launcher and "workers" in given:
        hint = "a node belongs to one calculation: leave it away"
        findings.add(["site", "workers"], "'workers' does not go with a 'launcher'", hint, key=True)
    if shape.nodes_each > shape.nodes:
        message = f"a calculation on {shape.nodes_each} nodes does not fit into a block of"
        findings.add(["site", "nodes_each"], f"{message} {shape.nodes}", "raise 'nodes'", key=True)
