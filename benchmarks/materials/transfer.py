"""What transfer gains and what it can cost, on made-up tasks, polymers and crystals.

    python -m benchmarks.materials.transfer                  (all rows)
    python -m benchmarks.materials.transfer s7 polymers      (some)
    python -m benchmarks.materials.transfer report           (the page, of the lines there are)

Rows: `s7` (made-up tasks), `polymers` (conductivity from 28 labels), `library` (s5: a library of
source networks, four targets), `crystals` (s6: beyond 100 W/mK), `campaign` (a search with another
campaign as its source). A row appends its line to
`benchmarks/results/materials/transfer.jsonl`. Settings were chosen on seeds from 100 to 260; what
is reported are seeds 0, 1, 2, ... (of the made-up tasks 1000, 1001, ...).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.materials.polymers import absent
from benchmarks.materials.transfer_campaign import campaign_row
from benchmarks.materials.transfer_crystals import FILES as CRYSTAL_FILES
from benchmarks.materials.transfer_crystals import crystals_row
from benchmarks.materials.transfer_polymers import FILES as POLYMER_FILES
from benchmarks.materials.transfer_polymers import library_row, library_so_far, polymers_row
from benchmarks.materials.transfer_report import report
from benchmarks.materials.transfer_synthetic import s7_row
from benchmarks.record import RESULTS, machine

LINES = RESULTS / "materials" / "transfer.jsonl"
PAGE = RESULTS / "materials" / "REPORT_TRANSFER.md"
ROWS: dict[str, tuple[Callable[[], dict[str, Any]], tuple[str, ...]]] = {
    "s7": (s7_row, ()),
    "polymers": (polymers_row, POLYMER_FILES),
    "library": (library_row, POLYMER_FILES),
    "crystals": (crystals_row, CRYSTAL_FILES),
    "campaign": (campaign_row, ()),
}


def main() -> None:
    """Runs the rows that are named, or all, and writes the page."""
    wanted = sys.argv[1:] or [*ROWS]
    for name in (n for n in wanted if n != "report"):
        row, files = ROWS[name]
        reasons = [reason for file in files if (reason := absent(file))]
        if reasons:
            print(f"{name} is skipped: {'; '.join(reasons)}", file=sys.stderr)
            continue
        start = time.process_time()
        found = row()
        spent = time.process_time() - start
        where = machine("numpy", "scipy", "scikit-learn", "rdkit")
        line = {"row": name, "machine": where, "cpu_s": round(spent, 1), **found}
        LINES.parent.mkdir(parents=True, exist_ok=True)
        with LINES.open("a") as lines:
            lines.write(json.dumps(line) + "\n")
        print(f"{name}: {spent:.0f} CPU s", flush=True)
    if LINES.exists():
        newest = {line["row"]: line for line in map(json.loads, LINES.read_text().splitlines())}
        if (so_far := library_so_far())["draws"]:
            newest["library"] = so_far
        PAGE.write_text(report(newest))
        print(f"written: {PAGE}")


if __name__ == "__main__":
    main()
