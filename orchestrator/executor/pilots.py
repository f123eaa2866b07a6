"""Parsl itself, as a site asks for it. The only module that imports Parsl."""

from __future__ import annotations

import math
import os
import shlex
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from orchestrator.errors import ExecutionError, MissingExtra
from orchestrator.executor.remote import attempted
from orchestrator.model.site import Site

SILENT_CHECKS = 6
"""A pilot that was not heard of for so many checks is lost."""
IDLE_S = 120.0
"""A pilot without work is given back after this."""


def start(site: Site, folder: Path) -> Any:
    """Parsl's kernel, running; its logs and scripts go below `folder`.

    Raises:
        MissingExtra: Parsl, or what it needs of this site, is not installed.
        ExecutionError: the scheduler's commands cannot be used.
    """
    try:
        from parsl.config import Config
        from parsl.dataflow.dflow import DataFlowKernel
        from parsl.errors import OptionalModuleMissing
    except ImportError as error:
        raise MissingExtra("Parsl, which a site needs,", "pip install 'hagane[cluster]'") from error
    try:
        executor = _executor(site, folder)
        return DataFlowKernel(
            Config(
                executors=[executor],
                run_dir=str(folder),
                retries=0,  # ours are counted and told
                strategy="simple",
                strategy_period=site.check_s,
                max_idletime=IDLE_S,
                usage_tracking=0,
                initialize_logging=False,
                exit_mode="skip",
            )
        )
    except OptionalModuleMissing as error:
        raise MissingExtra("what Parsl needs of this site", f"pip install {error}") from error
    except Exception as error:
        raise ExecutionError(
            f"Parsl cannot start on this {site.kind} site: {error}",
            hint="try the scheduler's own commands in this shell, such as sinfo and sbatch",
        ) from error


def submitter(kernel: Any, site: Site, path: str) -> Callable[[str], Future[int]]:
    """What submits the attempt of a directory; the future is its child's exit code."""
    from parsl.app.app import python_app

    app = python_app(attempted, data_flow_kernel=kernel, cache=False)
    spec: dict[str, Any] = {}
    if site.launcher:
        spec = {"num_nodes": site.nodes_each, "ranks_per_node": site.ranks}

    def submit(directory: str) -> Future[int]:
        extra = {"parsl_resource_specification": dict(spec)} if spec else {}
        future: Future[int] = app(directory, path, site.cores, **extra)
        return future

    return submit


def _executor(site: Site, folder: Path) -> Any:
    from parsl.executors import HighThroughputExecutor, MPIExecutor
    from parsl.executors.high_throughput.executor import DEFAULT_LAUNCH_CMD
    from parsl.jobs.error_handlers import windowed_error_handler

    scripts = Path(sys.executable).parent
    period = max(1, math.ceil(site.check_s))
    own = str(os.getpid())
    tether = [sys.executable, "-P", "-m", "orchestrator.executor.tethered", own]
    guarded = shlex.join([sys.executable, "-P", "-m", "orchestrator.executor.guarded"])
    shared: dict[str, Any] = {
        "label": "hagane",
        "launch_cmd": f"{guarded} {DEFAULT_LAUNCH_CMD}",
        "provider": _provider(site),
        "address": "127.0.0.1" if site.kind == "local" else None,
        "interchange_launch_cmd": [*tether, sys.executable, str(scripts / "interchange.py")],
        "heartbeat_period": period,
        "heartbeat_threshold": SILENT_CHECKS * period,
        "worker_logdir_root": str(folder),
        "encrypted": True,
        # the default gives up all when the first pilot is lost; this one, after three in a row
        "block_error_handler": windowed_error_handler,
    }
    if site.launcher:
        blocks = max(1, site.nodes // site.nodes_each)
        launch = {"mpi_launcher": site.launcher, "max_workers_per_block": blocks}
        return _asking_every(site.check_s, MPIExecutor)(**shared, **launch)
    many = {"max_workers_per_node": site.workers, "cores_per_worker": 1e-9}
    return _asking_every(site.check_s, HighThroughputExecutor)(**shared, **many)


def _asking_every(seconds: float, executor: Any) -> Any:
    """An executor that asks the scheduler so often what became of its pilots; Parsl's own ask a
    cluster once a minute, and until then no other pilot takes the place of one that was lost."""
    asked = {"status_polling_interval": property(lambda self: seconds)}
    return type(executor.__name__, (executor,), asked)


def _provider(site: Site) -> Any:
    """Of one worker pool a node; on one node, or under MPI, of one a block."""
    from parsl import launchers, providers

    several = site.nodes > 1 and not site.launcher
    shared: dict[str, Any] = {
        "init_blocks": 1,
        "min_blocks": 0,
        "max_blocks": site.blocks,
        "worker_init": _worker_init(site),
    }
    n_cores = site.workers * site.cores
    whole = {"nodes_per_block": site.nodes, "walltime": clock_text(site.walltime_s), **shared}
    lines = "\n".join(site.options)
    alone = launchers.SimpleLauncher() if site.launcher else launchers.SingleNodeLauncher()
    match site.kind:
        case "local":
            return providers.LocalProvider(**shared)
        case "slurm":
            return providers.SlurmProvider(
                **whole,
                partition=site.partition or None,
                account=site.account or None,
                qos=site.qos or None,
                scheduler_options=lines,
                exclusive=bool(site.launcher),
                cores_per_node=None if site.launcher else n_cores,
                launcher=launchers.SrunLauncher() if several else alone,
            )
        case "pbs":
            return providers.PBSProProvider(
                **whole,
                queue=site.partition or None,
                account=site.account or None,
                scheduler_options=lines,
                cpus_per_node=n_cores,
                launcher=launchers.MpiExecLauncher() if several else alone,
            )
        case "lsf":
            return providers.LSFProvider(
                **whole,
                queue=site.partition or None,
                project=site.account or None,
                scheduler_options=lines,
                cores_per_node=n_cores,
                launcher=launchers.JsrunLauncher() if several else alone,
            )
        case "kubernetes":
            return providers.KubernetesProvider(
                image=site.image,
                namespace=site.namespace or "default",
                init_cpu=n_cores,
                max_cpu=n_cores,
                init_mem=site.memory,
                max_mem=site.memory,
                persistent_volumes=list(site.volumes),
                **shared,
            )


def _worker_init(site: Site) -> str:
    """Shell lines before a worker: its own environment's programs first, one thread unless said."""
    scripts = shlex.quote(str(Path(sys.executable).parent))
    path = shlex.quote(os.pathsep.join(os.path.abspath(p) for p in sys.path))  # noqa: PTH100
    own = [f"export PATH={scripts}:$PATH", f"export PYTHONPATH={path}"]
    return "\n".join([*own, site.prelude] if site.prelude else own)


def clock_text(seconds: float) -> str:
    """`HH:MM:SS`, rounded up to minutes."""
    minutes = math.ceil(seconds / 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:00"
