"""Events to put into journals, a PostgreSQL server to put them on, and processes to kill."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from hypothesis import strategies as st

from orchestrator.model import events as ev
from orchestrator.model.trial import Neighbour, Prediction, Proposal

POSTGRESQL_MISSING = (
    "no PostgreSQL server here: apt-get install postgresql (and pip install 'psycopg[binary]')"
)

_floats = st.floats(allow_nan=True, allow_infinity=True)
_words = st.text(max_size=20)
_values = _floats | st.integers() | _words
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | _floats | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=8,
)
_records = st.dictionaries(_words, _json, max_size=4)

_proposals = st.builds(
    Proposal,
    point=st.dictionaries(_words, _values, max_size=4),
    source=st.sampled_from(["initial", "model", "pool", "person", "table"]),
    why=_words,
    predicted=st.dictionaries(_words, st.builds(Prediction, mean=_floats, sd=_floats), max_size=2),
    acquisition=st.none() | _floats,
    nearest=st.none() | st.builds(Neighbour, trial=st.integers(0), distance=_floats),
    leave_one_out=st.dictionaries(_words, _floats, max_size=2),
    notes=st.dictionaries(_words, _values, max_size=2),
    warm_start=_words,
)

generated_events: st.SearchStrategy[ev.Event] = st.one_of(
    st.builds(ev.TrialProposed, trial=st.integers(), proposal=_proposals, after=st.integers()),
    st.builds(
        ev.ActionDispatched,
        ticket=_words,
        parent=st.none() | _words,
        trial=st.none() | st.integers(),
        resource=_words,
        action=_words,
        arguments=_records,
        effect=st.sampled_from(["none", "idempotent", "queryable", "irreversible"]),
    ),
    st.builds(ev.ActionDone, ticket=_words, results=_records, note=_words),
    st.builds(
        ev.Observed,
        trial=st.integers(),
        metric=_words,
        value=_floats,
        sd=st.none() | _floats,
        censored=st.sampled_from([None, "above", "below"]),
    ),
    st.builds(ev.RequestTaken, request=st.integers(), wish=_words, payload=_records),
    st.builds(ev.Paused, why=_words, by=_words),
)


def done(n: int, size: int = 1) -> ev.ActionDone:
    """A small event that carries a number, or a large one."""
    return ev.ActionDone(ticket=f"t{n}", results={"n": n}, note="x" * (size - 1))


def texts(recorded: Iterable[ev.Recorded]) -> list[str]:
    """Recorded events as text: equal even where NaN is not."""
    return [entry.model_dump_json() + entry.event.model_dump_json() for entry in recorded]


def start_child(program: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python process of its own; the caller kills or waits for it."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


class PostgresServer:
    """A server on loopback, in a folder of its own, owned by an unprivileged user."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="hagane-postgresql-"))
        self._user: dict[str, object] = {}
        if os.getuid() == 0:  # the server refuses to run as root
            account = pwd.getpwnam("postgres")
            os.chown(self._folder, account.pw_uid, account.pw_gid)
            ids = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            self._user = dict(ids)
        self._process: subprocess.Popen[str] | None = None
        self._n_databases = 0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        # no flushes: what is tested is what clients may rely on, not this server's disk
        self._call("initdb", "-D", "data", "-U", "hagane", "-A", "trust", "--no-sync", "-E", "UTF8")

    def start(self) -> None:
        """Starts and waits until it accepts connections."""
        self._process = subprocess.Popen(
            [
                *(self._binaries / "postgres", "-D", "data", "-k", str(self._folder)),
                *("-h", "127.0.0.1", "-p", str(self.port)),
                *("-c", "fsync=off", "-c", "log_destination=stderr"),
            ],
            cwd=self._folder,
            stderr=subprocess.PIPE,
            text=True,
            **self._user,  # type: ignore[call-overload]
        )
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line)
            if "ready to accept connections" in line:
                return
        raise AssertionError("PostgreSQL did not start:\n" + "".join(said))

    def stop(self) -> None:
        """Stops it, breaking its connections."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.communicate(timeout=30)
            self._process = None

    def new_database(self) -> str:
        """The address of an empty database."""
        self._n_databases += 1
        name = f"store{self._n_databases}"
        self._call(
            *("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "hagane", name),
        )
        return f"postgresql://hagane@127.0.0.1:{self.port}/{name}"

    def remove(self) -> None:
        """Stops it and deletes its files."""
        self.stop()
        shutil.rmtree(self._folder)

    def _call(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._binaries / program, *arguments],
            cwd=self._folder,
            check=True,
            capture_output=True,
            **self._user,  # type: ignore[call-overload]
        )


def postgres_binaries() -> Path | None:
    """Where Debian, or the search path, has the newest server's programs."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    initdb = found[-1] if found else shutil.which("initdb")
    return Path(initdb).parent if initdb else None
