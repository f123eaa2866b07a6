"""Where a lab's calculations run: this machine, pilot jobs, or jobs that outlive the engine."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from orchestrator.errors import InputError, MissingExtra, StillRunning
from orchestrator.executor.background import Background
from orchestrator.executor.batches import Batches, Scheduler
from orchestrator.executor.detached import DetachedCompute
from orchestrator.executor.known import KnownResults
from orchestrator.executor.local import LocalCompute
from orchestrator.executor.slurm import Slurm
from orchestrator.executor.submissions import Submissions, Tell
from orchestrator.model.lab import Lab
from orchestrator.model.site import Site
from orchestrator.ports.clock import Clock
from orchestrator.settings import data_directory, refuse_no_data_directory

AnyCompute: TypeAlias = LocalCompute | Submissions | DetachedCompute


@dataclass
class Turn:
    """One turn of an engine: what its calculations are submitted to, and what came of it.

    Attributes:
        batches: of the campaign, looked at before the engine starts.
        compute: what adds to them, once the lab is made.
        n_submitted: calculations that this turn gave to the scheduler.
    """

    batches: Batches
    compute: DetachedCompute | None = None
    n_submitted: int = 0

    @property
    def awaited(self) -> Mapping[str, str]:
        """By key, the campaigns that compute what this turn did not submit therefore."""
        return self.compute.awaited if self.compute is not None else {}

    def end(self) -> None:
        """Submits what came together. Raises ExecutionError."""
        self.n_submitted = self.compute.flush() if self.compute is not None else 0


def folder_of(campaign_id: str) -> Path:
    """Where a campaign's calculations lie."""
    return data_directory() / "calculations" / campaign_id


def known_results() -> KnownResults:
    """What all campaigns share. Raises InputError."""
    return KnownResults(data_directory() / "results")


def refuse_no_place() -> None:
    """Accepts a place for calculations and what is known of earlier ones; nothing is written.

    Raises:
        InputError: the data directory cannot be used, or another version wrote into it.
    """
    refuse_no_data_directory()
    known_results()


def local_compute(
    campaign_id: str, clock: Clock, site: Site | None = None, tell: Tell | None = None
) -> LocalCompute:
    """On this machine."""
    site = site or Site()
    return LocalCompute(
        folder_of(campaign_id),
        clock,
        workers=site.workers,
        results=known_results(),
        attempts=site.attempts,
        tell=tell,
    )


def compute_of(
    lab: Lab, campaign_id: str, clock: Clock, tell: Tell, turn: Turn | None
) -> AnyCompute:
    """As the lab file says.

    Raises:
        MissingExtra: what the site needs is not installed.
        StillRunning: calculations of an earlier turn are in the queue.
        InputError: pods would not see the directories of the calculations.
    """
    site = lab.site or Site()
    root = folder_of(campaign_id)
    if turn is not None:
        turn.compute = DetachedCompute(
            root, turn.batches, results=known_results(), attempts=site.attempts, tell=tell
        )
        return turn.compute
    _refuse_beside_turns(lab, campaign_id)
    if site.kind == "local":
        return local_compute(campaign_id, clock, site, tell)
    _refuse_unseen(site, root)
    if importlib.util.find_spec("parsl") is None:
        raise MissingExtra("Parsl, which a site needs,", "pip install 'hagane[cluster]'")
    from orchestrator.executor.cluster import Pilots

    return Submissions(
        root,
        Pilots(site, root),
        clock,
        results=known_results(),
        attempts=site.attempts,
        tell=tell,
    )


def batches_of(lab: Lab, campaign_id: str) -> Batches:
    """What the turns of a campaign submitted, looked at.

    Raises:
        InputError: the site has no jobs that outlive an engine.
        ExecutionError: the scheduler does not answer.
    """
    scheduler, *others = _schedulers(lab.site or Site())
    batches = Batches(folder_of(campaign_id), f"hagane-{campaign_id}-", scheduler, others)
    batches.look()
    return batches


def _schedulers(site: Site) -> list[Scheduler]:
    """That of the site, and the other one, which an earlier lab file may have named."""
    here, cluster = Background(site.workers), Slurm(site)
    if site.kind == "local":
        return [here, cluster]
    if site.kind == "slurm":
        return [cluster, here]
    raise InputError(
        f"`hagane tick` does not know how to submit to a {site.kind} site",
        hint="it knows 'slurm' and 'local'; elsewhere take `hagane run`",
    )


def _refuse_beside_turns(lab: Lab, campaign_id: str) -> None:
    """An engine that stays would compute once more what jobs of a turn are computing."""
    kind = lab.site.kind if lab.site else "local"
    if kind not in ("local", "slurm") or not (folder_of(campaign_id) / "batches").is_dir():
        return
    n_running, n_waiting = batches_of(lab, campaign_id).counts()
    if n_running + n_waiting:
        raise StillRunning(
            f"{n_running + n_waiting} calculations that `hagane tick` submitted are under way",
            hint="go on with `hagane tick`, or wait until they have ended",
        )


def _refuse_unseen(site: Site, root: Path) -> None:
    mounts = [path for _, path in site.volumes]
    if site.kind == "kubernetes" and not any(root.is_relative_to(path) for path in mounts):
        raise InputError(
            f"pods see {' and '.join(mounts)}, and calculations lie in {root}",
            hint="have a volume there, here and in the pods, or set HAGANE_DATA to one",
        )
