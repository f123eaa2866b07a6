"""How many of our 290 numbers of a composition are XenonPy's own, over a file of formulas.

    python -m benchmarks.materials.compositions FORMULAS.txt

Needs XenonPy in `.venv-peers-materials` (peers/requirements-xenonpy.txt). One formula a line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.record import ROOT
from orchestrator.materials.descriptors import elements
from orchestrator.materials.descriptors.composition import STATISTICS, Composition

PYTHON = ROOT / ".venv-peers-materials" / "bin" / "python"
RELATIVE = 1e-9


def peer(formulas: list[str]) -> dict[str, object]:
    """What XenonPy says."""
    table = Path(elements.__file__).with_name("elements.csv")
    words = [PYTHON, "-m", "benchmarks.materials.peers.xenonpy_", table]
    said = subprocess.run(
        [str(word) for word in words],
        input="\n".join(formulas),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    found: dict[str, object] = json.loads(said.stdout)
    return found


def main() -> None:
    """Prints the share of equal numbers for each statistic."""
    formulas = Path(sys.argv[1]).read_text().split()
    theirs = peer(formulas)
    ours = Composition()
    if list(ours.names) != theirs["labels"]:
        raise SystemExit("the labels differ")
    same = np.isclose(ours.describe(formulas), np.array(theirs["rows"]), rtol=RELATIVE, atol=1e-9)
    print(f"XenonPy {theirs['version']}, {len(formulas)} formulas, equal to {RELATIVE:g}:")
    for statistic, share in zip(STATISTICS, np.split(same, len(STATISTICS), axis=1), strict=True):
        print(f"  {statistic}: {100 * share.mean():.2f} %")


if __name__ == "__main__":
    main()
