"""What the rungs of a fidelity save: cost until the best candidates are known by the dearest rung.

    python -m benchmarks.planner.ladders --seeds 10                     (made-up ladders)
    python -m benchmarks.planner.ladders --table TABLE.csv --seeds 10   (a table of real values)
    python -m benchmarks.planner.ladders --report

A table has a row a candidate: its `name`, columns `x:NAME` that describe it, and of each rung
`NAME`, in ascending exactness, `y:NAME` and `s:NAME` (value and seconds; small values are wanted).
Cost is the seconds of the calculations and the planner's own CPU seconds. Of random order the
expectation is given in closed form. Of made-up ladders `small NAME` has 42 candidates, and costs of
5, 50 and 500 s. A table may describe crystals in a column `structure`, too (`--by-structure`).
Of `of its own` every candidate has something that its description does not say.
Methods besides those of `task_of`: `funnel` (the first rung for all, then the last one in its
order), `knowledge gradient` on the planner's own model, and in an environment of its own
(`benchmarks.planner.run --install`) `botorch kg` and `botorch mes`, which go on from the planner's
first points.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.planner.run import ROOT, interpreter
from benchmarks.record import RESULTS, machine
from orchestrator.files.pools import read_pool
from orchestrator.files.space_shapes import PoolShape
from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective
from orchestrator.model.space import Fidelity, Point, Pool, SearchSpace
from orchestrator.model.transfer import Source
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.options import ModelOptions
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome, PlanningTask
from orchestrator.runtime.load import KINDS

OUT = RESULTS / "planner" / "ladders.jsonl"
N, N_SMALL, D, N_TOP = 150, 42, 4, 5
SMALL, SMALL_S = "small ", {"cheap": 5.0, "coarse": 50.0, "fine": 500.0}
SINGLE = "single"
PEER = "botorch "
FUNNEL = "funnel"


@dataclass(frozen=True)
class Ladder:
    """Values (n x r) and seconds (n x r) of n candidates on r rungs, described by x (n x d)."""

    name: str
    rungs: tuple[str, ...]
    x: Any
    y: Any
    seconds: Any
    n_top: int = N_TOP
    described: Pool | None = None

    @property
    def pool(self) -> Pool:
        """The candidates."""
        if self.described is not None:
            return self.described
        d = self.x.shape[1]
        return Pool(
            name="candidate",
            names=tuple(f"c{i}" for i in range(len(self.x))),
            columns=tuple(f"x{j}" for j in range(d)),
            units=("",) * d,
            rows=tuple(map(tuple, self.x.tolist())),
        )

    @property
    def top(self) -> list[int]:
        """The best candidates by the last rung, best first."""
        return [int(i) for i in np.argsort(self.y[:, -1], kind="stable")[: self.n_top]]


def smooth(x: Any, rng: np.random.Generator, width: float = 0.5) -> Any:
    """A random smooth function at x (n), standardised [random Fourier features]."""
    frequencies = rng.normal(size=(200, x.shape[1])) / width
    y = np.cos(x @ frequencies.T + rng.uniform(0, 2 * math.pi, 200)) @ rng.normal(size=200)
    return (y - y.mean()) / y.std()


def made_up(name: str, seed: int) -> Ladder:
    """One of the made-up ladders."""
    kind, n = name.removeprefix(SMALL), N_SMALL if name.startswith(SMALL) else N
    rng = np.random.default_rng([seed, *kind.encode()])
    x = rng.random((n, D))
    g, h = smooth(x, rng), smooth(x, rng)
    white = rng.normal(size=(2, n))
    rungs: dict[str, tuple[Any, float]] = {
        "agrees": {"cheap": (g + 0.3 * white[0], 0.2)},
        "biased": {"cheap": (7.0 + 1.7 * (g + 0.3 * h), 0.2)},
        "useless": {"cheap": (h, 5.0)},
        "opposed": {"cheap": (-2.0 * g + 0.3 * white[0], 0.5)},
        "in part": {"cheap": (np.where(x[:, 0] < 0.5, g, h), 0.5)},
        "bad middle": {"cheap": (g + 0.2 * white[0], 0.2), "coarse": (g + 1.5 * white[1], 5.0)},
        "of its own": {"cheap": (g + 0.3 * white[0] + 0.15 * white[1], 0.2)},
    }[kind]
    if kind == "of its own":  # each candidate has what its description does not say
        g = g + 0.3 * white[0]
    rungs |= {"fine": (g, 20.0)}
    y = np.column_stack([value for value, _ in rungs.values()])
    # what a calculation takes grows with its candidate's size, and is never quite the same
    size = np.exp(rng.normal(0.0, 0.3, size=(n, 1)))
    took = SMALL_S if n == N_SMALL else {rung: s for rung, (_, s) in rungs.items()}
    seconds = np.array([took[rung] for rung in rungs]) * size
    return Ladder(name, tuple(rungs), x, y, seconds)


MADE_UP = ("agrees", "biased", "useless", "opposed", "in part", "bad middle", "of its own")


def from_table(path: Path, *, by_structure: bool = False) -> Ladder:
    """A ladder from a table of real values, described by its columns or by its structures."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rungs = tuple(c.removeprefix("y:") for c in rows[0] if c.startswith("y:"))
    columns = [c for c in rows[0] if c.startswith("x:")]

    def array(names: Sequence[str]) -> Any:
        return np.array([[float(row[c]) for c in names] for row in rows])

    y, seconds = array([f"y:{r}" for r in rungs]), array([f"s:{r}" for r in rungs])
    if not by_structure:
        return Ladder(path.stem, rungs, array(columns), y, seconds)
    shape = PoolShape(pool=path.name, name="name", structure="structure", descriptor="crystal")
    pool = read_pool("candidate", shape, path.parent, KINDS)
    name = f"{path.stem} by structure"
    return Ladder(name, rungs, array(columns), y, seconds, described=pool)


def task_of(ladder: Ladder, method: str, seed: int, initial: int) -> PlanningTask:
    """The question: of `single` without the lower rungs, of `given` with costs said beforehand, of
    `prior` with the first rung as a prior mean in place of a rung, of `both` with both."""
    typical = np.exp(np.log(ladder.seconds).mean(axis=0))
    costs = tuple(typical.tolist()) if method == "given" else ()
    level = Fidelity(name="rung", levels=ladder.rungs, costs=costs)
    options = {"top": ladder.n_top} if "top" in ModelOptions.model_fields else {}
    is_single = method in (SINGLE, "prior")
    space = (ladder.pool,) if is_single else (ladder.pool, level)
    sources = (source_of(ladder, is_single),) if method in ("prior", "both") else ()
    return PlanningTask(
        space=SearchSpace(parameters=space),
        metrics=(MetricScale(name="y", unit=""),),
        objective=Objective(goals=(Goal(metric="y", direction="minimise"),)),
        planner=PlannerChoice(initial=initial, options=options),
        seed=seed,
        sources=sources,
    )


def source_of(ladder: Ladder, is_single: bool) -> Source:
    """What the first rung says of every candidate, as a prior mean."""
    beside: Point = {} if is_single else {"rung": ladder.rungs[-1]}
    points: list[Point] = [{"candidate": name, **beside} for name in ladder.pool.names]
    values = tuple(ladder.y[:, 0].tolist())
    return Source(
        name=ladder.rungs[0], helps="y", quantity="y", values=values, points=tuple(points)
    )


def funnel(ladder: Ladder) -> Iterator[Point]:
    """No model: the first rung for all, then the last one in the order of the first."""
    order = np.argsort(ladder.y[:, 0], kind="stable")
    for rung, rows in ((ladder.rungs[0], range(len(ladder.x))), (ladder.rungs[-1], order)):
        for i in rows:
            yield {"candidate": ladder.pool.names[i], "rung": rung}


def run(ladder: Ladder, method: str, seed: int) -> dict[str, Any]:
    """One campaign, until all of the best are known by the last rung."""
    initial = 6 if method in (SINGLE, "prior") else 3 * len(ladder.rungs)
    planner = BayesianPlanner(task_of(ladder, method, seed, initial))
    gradient = method == "knowledge gradient"
    peer = Peer(ladder, method.removeprefix(PEER), seed) if method.startswith(PEER) else None
    in_order = funnel(ladder)
    made: list[Evaluated] = []
    place = {name: i for i, name in enumerate(ladder.pool.names)}
    own = 0.0
    # a prior mean needs the first rung of every candidate
    cost = float(ladder.seconds[:, 0].sum()) if method in ("prior", "both") else 0.0
    found: dict[int, float] = {}
    bought = dict.fromkeys(ladder.rungs, 0)
    said = ""
    most = at_random(ladder)["all"]
    while len(found) < ladder.n_top and len(made) < ladder.y.size and cost < most:
        begun = time.process_time()
        history = History(evaluated=tuple(made), n_proposed=len(made))
        if method == FUNNEL:
            point = next(in_order)
        elif peer is not None and len(made) >= initial:
            point = peer.choose(made)
            own += peer.seconds
        elif gradient and len(made) >= initial:
            point = knowledge_gradient(planner, history)
        else:
            (proposal,) = planner.propose(history, 1)
            point, said = proposal.point, str(proposal.notes.get("rungs", said))
        own += time.process_time() - begun
        i = place[str(point["candidate"])]
        r = ladder.rungs.index(str(point.get("rung", ladder.rungs[-1])))
        seconds = float(ladder.seconds[i, r])
        cost += seconds
        bought[ladder.rungs[r]] += 1
        if r == len(ladder.rungs) - 1 and i in ladder.top:
            found.setdefault(i, cost + own)
        outcomes = {"y": Outcome(value=float(ladder.y[i, r]))}
        known = Evaluated(trial=len(made) + 1, point=point, outcomes=outcomes)
        if "seconds" in Evaluated.model_fields:
            known = known.model_copy(update={"seconds": seconds})
        made.append(known)
    if peer is not None:
        peer.close()
    return {
        "ladder": ladder.name,
        "method": method,
        "seed": seed,
        "best": found.get(ladder.top[0]),
        "first": min(found.values(), default=None),
        "all": max(found.values()) if len(found) == ladder.n_top else None,
        "n_found": len(found),
        "cost": cost,
        "own": own,
        "bought": bought,
        "said": said,
    }


class Peer:
    """BoTorch in its own environment, see `peers/rungs_botorch_.py`; `seconds` are the CPU seconds
    of its last choice. What it is told is what the planner is told, and the costs of the rungs."""

    def __init__(self, ladder: Ladder, way: str, seed: int) -> None:
        """Raises FileNotFoundError: it has no environment."""
        python = interpreter("botorch")
        if python is None:
            raise FileNotFoundError(
                "botorch has no environment: see benchmarks.planner.run --install"
            )
        self._ladder, self.seconds = ladder, 0.0
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.planner.peers.rungs_botorch_"],
            cwd=ROOT,
            env=dict(os.environ, PYTHONPATH=str(ROOT)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        said = {"x": ladder.x.tolist(), "rungs": len(ladder.rungs), "way": way, "seed": seed}
        self._say(said | {"costs": np.exp(np.log(ladder.seconds).mean(axis=0)).tolist()})

    def choose(self, made: Sequence[Evaluated]) -> Point:
        """What it would compute next."""
        names, rungs = self._ladder.pool.names, self._ladder.rungs
        rows = [
            (str(e.point["candidate"]), str(e.point["rung"]), e.outcomes["y"].value) for e in made
        ]
        self._say([[names.index(c), rungs.index(r), value] for c, r, value in rows])
        assert self._process.stdout is not None
        i, r, self.seconds = json.loads(self._process.stdout.readline())
        return {"candidate": names[i], "rung": rungs[r]}

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _say(self, message: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()


def knowledge_gradient(planner: BayesianPlanner, history: History) -> Point:
    """The trial that raises the best expected outcome that counts most, per second [Poloczek et al.
    2017, over the candidates that may be the best]."""
    with planner._model(history) as found:
        process, costs, encoding = found.found.processes[0], found.found.costs, found.encoding
        n, r = encoding.cells
        codes = np.stack(np.meshgrid(np.arange(n), np.arange(r), indexing="ij"), axis=-1)
        codes = (codes.reshape(-1, 2) + 0.5) / (n, r)
        used = {tuple(c) for c in np.round(found.seen.codes, 9)}
        codes = codes[[tuple(c) not in used for c in np.round(codes, 9)]]
        lifted = np.column_stack([(np.arange(n) + 0.5) / n, np.full(n, 1.0 - 0.5 / r)])
        x, t = encoding.features(codes), encoding.features(lifted)
        mean, sd = process.posterior(t)
        t = t[np.argsort(mean - 2.0 * sd)[:40]]
        mean, _ = process.posterior(t)
        at_t = process.kernel(t, process.x) @ process.root
        at_x = process.kernel(x, process.x) @ process.root
        across = process.kernel(t, x) - at_t @ at_x.T
        _, own = process.posterior(x)
        slope = across / np.sqrt(own**2 + process.hyper.noise)
        nodes, weights = np.polynomial.hermite_e.hermegauss(15)
        lowest = (mean[:, None, None] + slope[:, :, None] * nodes).min(axis=0)
        gain = mean.min() - lowest @ (weights / weights.sum())
        best = int(np.argmax(np.maximum(gain, 1e-15) / costs(x)))
        point: Point = encoding.decode(codes[best : best + 1])[0]
    return point


def at_random(ladder: Ladder) -> dict[str, float]:
    """What is expected of random order, one candidate after the other on the last rung."""
    n, mean = len(ladder.x), float(ladder.seconds[:, -1].mean())
    return {
        "best": mean * (n + 1) / 2,
        "first": mean * (n + 1) / (ladder.n_top + 1),
        "all": mean * ladder.n_top * (n + 1) / (ladder.n_top + 1),
    }


def lines(out: Path) -> Iterator[dict[str, Any]]:
    """The runs so far."""
    if out.exists():
        yield from map(json.loads, out.read_text().splitlines())


def report(out: Path) -> None:
    """Medians over the seeds; a run that did not get there counts as dearer than any."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in lines(out):
        found.setdefault((line["ladder"], line["method"]), []).append(line)
    for (ladder, method), runs in sorted(found.items()):

        def middle(key: str, runs: list[dict[str, Any]] = runs) -> str:
            values = [math.inf if r[key] is None else r[key] for r in runs]
            return f"{statistics.median(values):8.3g} s"

        n = {k: statistics.median(r["bought"][k] for r in runs) for k in runs[0]["bought"]}
        own = statistics.median(r["own"] for r in runs)
        keys = ", ".join(f"{k} {middle(k)}" for k in ("first", "best", "all"))
        print(f"{ladder:12} {method:20} {len(runs):2} seeds: {keys}; own {own:.1f} s, bought {n}")
        random = ", ".join(f"{k} {v:8.3g} s" for k, v in runs[0]["random"].items())
        print(f"{'':12} {'random':20}           {random}")


def main() -> None:
    """Makes the runs that are missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--ladders", default=",".join(MADE_UP))
    parser.add_argument("--methods", default="learnt,single")
    parser.add_argument("--label", default="", help="put before the name of a method")
    parser.add_argument("--table", type=Path)
    parser.add_argument("--by-structure", action="store_true", help="crystals, for columns x:")
    parser.add_argument("--top", type=int, default=N_TOP, help="how many of the best are wanted")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--report", action="store_true")
    said = parser.parse_args()
    if said.report:
        report(said.out)
        return
    made: Sequence[Callable[[int], Ladder]]
    if said.table:
        table = from_table(said.table, by_structure=said.by_structure)
        made = [lambda _: table]
    else:
        made = [lambda seed, n=n: made_up(n, seed) for n in said.ladders.split(",")]
    is_done = {(line["ladder"], line["method"], line["seed"]) for line in lines(said.out)}
    where = machine("numpy", "scipy")
    for seed in range(said.first, said.first + said.seeds):
        for make in made:
            ladder = replace(make(seed), n_top=said.top)
            if said.top != N_TOP:
                ladder = replace(ladder, name=f"{ladder.name}, {said.top} best")
            for method in said.methods.split(","):
                if (ladder.name, said.label + method, seed) in is_done:
                    continue
                line = run(ladder, method, seed)
                line |= {"method": said.label + method, "random": at_random(ladder)} | where
                said.out.parent.mkdir(parents=True, exist_ok=True)
                with said.out.open("a") as file:
                    file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
