"""Puts planners to problems, each planner in its own environment; resumes where it was left.

    python -m benchmarks.planner.run --planners hagane,optuna --problems branin,mixed5 --seeds 10
    python -m benchmarks.planner.run --install          (the peers' environments, some minutes)

Runs that already have a line under `benchmarks/results/planner` are skipped. Seeds go round the
outside, so that all problems have the same seeds whenever it is stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.planner.problems import HELD, NOISY, PROBLEMS, absent
from benchmarks.planner.steep import STEEP
from benchmarks.planner.worded import WORDED

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "planner"
PEERS = Path(__file__).parent / "peers"
ENVIRONMENTS = ROOT / ".venv-peers-planner"
HOME = ("hagane", "random")
"""Those that run in the environment of this script; the others, cheapest first."""
PLANNERS = (*HOME, "optuna", "botorch", "physbo", "baybe", "ax", "bofire")


def install(name: str) -> bool:
    """Makes a peer's environment, unless its requirements are older; whether there is one."""
    folder, requirements = ENVIRONMENTS / name, PEERS / f"requirements-{name}.txt"
    stamp = folder / "installed"
    if stamp.exists() and stamp.stat().st_mtime >= requirements.stat().st_mtime:
        return True
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
    torch = [line for line in requirements.read_text().split() if line.startswith("torch==")]
    for wanted in ([torch] if torch else []) + [["-r", str(requirements)]]:
        if subprocess.run([*pip, *wanted], check=False).returncode:
            print(f"{name} cannot be installed: its runs are skipped", file=sys.stderr)
            return False
    stamp.touch()
    return True


def install_data() -> bool:
    """Puts the data sets that are held out where `datasets` looks; whether they are there."""
    if not absent(next(iter(HELD))):
        return True
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    there = ["--target", str(ENVIRONMENTS / "olymp"), "olymp==0.0.1b0"]
    return subprocess.run([*pip, *there], check=False).returncode == 0


def interpreter(name: str) -> Path | None:
    """The Python of a planner, None where its environment has not been made."""
    if name in HOME:
        return Path(sys.executable)
    folder = ENVIRONMENTS / name
    return folder / "bin" / "python" if (folder / "installed").exists() else None


def done(out: Path) -> set[tuple[str, int]]:
    """The runs that have a line, problem and seed."""
    if not out.exists():
        return set()
    lines = map(json.loads, out.read_text().splitlines())
    return {(line["problem"], line["seed"]) for line in lines}


def run(name: str, seed: int, problems: list[str], out: Path, said: argparse.Namespace) -> None:
    """The runs of one seed in one process; the run that ends it leaves a line that says so."""
    python = interpreter(name)
    if python is None:
        print(f"{name} has no environment: see --install", file=sys.stderr)
        return
    label = said.label or name
    words = [python, "-m", f"benchmarks.planner.peers.{name}_", "--out", out]
    words += ["--label", label, "--cap", str(said.cap)]
    words += ["--at-once", str(said.at_once)]
    if name == "hagane":
        words += ["--options", said.options] if said.options else []
        words += ["--vary", said.vary] if said.vary else []
        words += [] if said.own_start is None else ["--own-start", str(said.own_start)]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = dict(os.environ, PYTHONPATH=path)
    while left := [p for p in problems if (p, seed) not in done(out)]:
        runs = ["--runs", ",".join(f"{p}:{seed}" for p in left)]
        code = subprocess.run([*words, *runs], cwd=ROOT, env=environment, check=False).returncode
        fatal = next((p for p in left if (p, seed) not in done(out)), None)
        if code and fatal:
            line = {"planner": label, "problem": fatal, "seed": seed}
            empty = {"true": [], "best": [], "recommended": {}, "cpu_s": []}
            error = f"the process ended with {code}"
            with out.open("a") as lines:
                lines.write(json.dumps({**line, **empty, "error": error}) + "\n")


def wanted(said: argparse.Namespace) -> Iterator[tuple[str, int, list[str], Path]]:
    """What is still to be run: planner, seed, problems, and where the lines go."""
    chosen = said.problems.split(",") if said.problems else list(PROBLEMS)
    sets = {"held": HELD, "noisy": NOISY, "worded": WORDED, "steep": STEEP}
    chosen = list(sets.get(said.problems, chosen))
    for problem in chosen:
        if reason := absent(problem):
            print(f"{problem} is skipped: {reason}", file=sys.stderr)
    present = [p for p in chosen if not absent(p)]
    for seed in range(said.first_seed, said.first_seed + said.seeds):
        for name in said.planners.split(","):
            out = (said.out or RESULTS / f"{name}.jsonl").resolve()
            had = done(out)
            if missing := [p for p in present if (p, seed) not in had]:
                yield name, seed, missing, out


def main() -> None:
    """Installs, or runs what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="make the peers' environments")
    parser.add_argument("--planners", default=",".join(PLANNERS))
    parser.add_argument(
        "--problems", default="", help="or `held`, `worded` or `steep`; the others, if not said"
    )
    parser.add_argument("--seeds", type=int, default=10, help="how many")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--cap", type=float, default=600.0, help="CPU seconds a run may take")
    parser.add_argument("--at-once", type=int, default=1, help="points asked for at a time")
    parser.add_argument("--options", help="JSON for the planner's options (hagane only)")
    parser.add_argument("--vary", help="one of `variants.VARIANTS` (hagane only)")
    parser.add_argument("--own-start", type=int, help="so many start points of its own (hagane)")
    parser.add_argument("--label", help="another name in the lines, for a variant")
    parser.add_argument("--out", type=Path, help="another file than results/planner/PLANNER.jsonl")
    arguments = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    if arguments.install:
        missing = [n for n in PLANNERS if n not in HOME and not install(n)]
        missing += [] if install_data() else ["olymp"]
        sys.exit(bool(missing))
    for name, seed, problems, out in wanted(arguments):
        print(f"{name}, seed {seed}: {', '.join(problems)}", flush=True)
        run(name, seed, problems, out, arguments)


if __name__ == "__main__":
    main()
