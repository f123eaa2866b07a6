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

from benchmarks.planner.problems import PROBLEMS, absent

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "planner"
PEERS = Path(__file__).parent / "peers"
ENVIRONMENTS = ROOT / ".venv-peers-planner"
HOME = ("hagane", "random")
"""Those that run in the environment of this script; the others, cheapest first."""
PLANNERS = (*HOME, "optuna", "botorch", "physbo", "baybe", "ax", "bofire")
GRACE_S = 120.0
"""What a run may take beyond its cap, for imports and the last suggestion."""


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


def run(name: str, problem: str, seed: int, out: Path, arguments: argparse.Namespace) -> None:
    """One run in a process of its own; one that does not come back leaves a line that says so."""
    python = interpreter(name)
    if python is None:
        return
    module = f"benchmarks.planner.peers.{name}_"
    words = [python, "-m", module, "--runs", f"{problem}:{seed}", "--out", out]
    words += ["--label", arguments.label or name, "--cap", str(arguments.cap)]
    if name == "hagane" and arguments.options:
        words += ["--options", arguments.options]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = dict(os.environ, PYTHONPATH=path)
    try:
        code = subprocess.run(
            words, cwd=ROOT, env=environment, timeout=arguments.cap + GRACE_S, check=False
        ).returncode
        failure = f"the process ended with {code}" if code else ""
    except subprocess.TimeoutExpired:
        failure = f"no answer within {arguments.cap + GRACE_S:g} s"
    if failure:
        line = {"planner": arguments.label or name, "problem": problem, "seed": seed}
        empty = {"true": [], "best": [], "recommended": {}, "cpu_s": [], "error": failure}
        with out.open("a") as lines:
            lines.write(json.dumps({**line, **empty}) + "\n")


def wanted(arguments: argparse.Namespace) -> Iterator[tuple[str, str, int, Path]]:
    """What is still to be run: planner, problem, seed, and where its line goes."""
    chosen = arguments.problems.split(",") if arguments.problems else list(PROBLEMS)
    for problem in chosen:
        if reason := absent(problem):
            print(f"{problem} is skipped: {reason}", file=sys.stderr)
    present = [p for p in chosen if not absent(p)]
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        for name in arguments.planners.split(","):
            out = arguments.out or RESULTS / f"{name}.jsonl"
            had = done(out)
            for problem in present:
                if (problem, seed) not in had:
                    yield name, problem, seed, out


def main() -> None:
    """Installs, or runs what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="make the peers' environments")
    parser.add_argument("--planners", default=",".join(PLANNERS))
    parser.add_argument("--problems", default="", help="all, if not said")
    parser.add_argument("--seeds", type=int, default=10, help="how many")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--cap", type=float, default=600.0, help="wall seconds a run may take")
    parser.add_argument("--options", help="JSON for the planner's options (hagane only)")
    parser.add_argument("--label", help="another name in the lines, for a variant")
    parser.add_argument("--out", type=Path, help="another file than results/planner/PLANNER.jsonl")
    arguments = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    if arguments.install:
        missing = [n for n in PLANNERS if n not in HOME and not install(n)]
        sys.exit(bool(missing))
    for name, problem, seed, out in wanted(arguments):
        print(f"{name} on {problem}, seed {seed}", flush=True)
        run(name, problem, seed, out, arguments)


if __name__ == "__main__":
    main()
