"""All figures but the planners': `make bench`, or `python -m benchmarks`."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.record import ROOT, keep, machine


def main() -> None:
    """Runs one benchmark after the other; ends with the first that fails."""
    for name in ("startup", "engine"):
        _title(name)
        _run("-m", f"benchmarks.{name}")
    _title("journal")
    where = machine("SQLAlchemy", "pydantic")
    said = _run("benchmarks/journal.py")
    keep("journal", {"machine": where, "lines": said})


def _title(name: str) -> None:
    print(f"\n== {name} ==", flush=True)


def _run(*words: str) -> list[str]:
    """Runs a script, shows what it prints as it comes, and gives its lines."""
    child = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said = []
    for line in child.stdout:
        print(line, end="", flush=True)
        said.append(line.rstrip())
    if child.wait():
        sys.exit(child.returncode)
    return said


if __name__ == "__main__":
    main()
