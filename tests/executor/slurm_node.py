"""A real SLURM of one node, on the loopback, in a folder of its own; as root, without systemd.

Nothing of the machine's own configuration is read or written, and what was started is ended by its
process number. There is no accounting, so `sacct` knows nothing.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "sinfo")
UP_WITHIN_S = 120.0
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={control}
SlurmdPort={node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
ReturnToService=2
MinJobAge=300
KillWait=1
OverTimeLimit=0
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


def why_not() -> str:
    """Why no SLURM can be started here; '' if it can."""
    missing = [name for name in PROGRAMS if _program(name) is None]
    if missing:
        return f"needs Debian's packages slurm-wlm and munge ({', '.join(missing)} not found)"
    return "" if os.geteuid() == 0 else "slurmd needs root"


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


@contextmanager
def one_node(folder: Path, cpus: int = 2) -> Iterator[Path]:
    """Its configuration file, for `SLURM_CONF`, while it is up. Raises RuntimeError."""
    folder.chmod(0o755)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    host = socket.gethostname().partition(".")[0]
    control, node = _free_ports(2)
    configuration = folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(host=host, control=control, node=node, folder=folder, cpus=cpus)
    )
    environment = {**os.environ, "SLURM_CONF": str(configuration)}
    with ExitStack() as running:
        munge = [f"--{name}={folder}/munge.{name}" for name in ("socket",)]
        files = [f"--{n}-file={folder}/munge.{n}" for n in ("key", "pid", "log", "seed")]
        _start(running, environment, folder, "munged", "--foreground", "--force", *munge, *files)
        _until(lambda: (folder / "munge.socket").exists(), folder)
        _start(running, environment, folder, "slurmctld", "-D", "-c", "-f", str(configuration))
        _start(running, environment, folder, "slurmd", "-D", "-c", "-f", str(configuration))
        _until(lambda: "idle" in _said(environment, "sinfo", "-h", "-o", "%T"), folder)
        try:
            yield configuration
        finally:
            _said(environment, "scancel", "--me", "--signal=KILL")
            _said(environment, "scancel", "--me")
            deadline = time.monotonic() + 20
            while _said(environment, "squeue", "-h").strip() and time.monotonic() < deadline:
                time.sleep(0.2)


def _start(
    running: ExitStack, environment: dict[str, str], folder: Path, name: str, *words: str
) -> None:
    program = _program(name)
    assert program is not None
    output = running.enter_context((folder / f"{name}.output").open("wb"))
    process = subprocess.Popen(
        [program, *words], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
    )
    running.callback(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _said(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    return done.stdout


def _until(is_so: object, folder: Path) -> None:
    assert callable(is_so)
    deadline = time.monotonic() + UP_WITHIN_S
    while not is_so():
        if time.monotonic() > deadline:
            said = "\n".join(p.read_text(errors="replace")[-500:] for p in folder.glob("*.output"))
            raise RuntimeError(f"SLURM does not come up:\n{said}")
        time.sleep(0.1)


def _free_ports(n: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(n)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
