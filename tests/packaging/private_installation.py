"""A virtual environment of a test's own, into which something can be installed without a trace."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

COMMANDS = {"hagane": "orchestrator.cli", "pytest": "pytest", "pip": "pip"}


def private_installation(folder: Path) -> dict[str, str]:
    """Makes one that borrows what this one has; gives the environment variables to use it.

    `hagane`, `pytest`, `python` and `pip install -e .` are then its own; pip takes nothing from
    outside.
    """
    made = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(made, check=True, capture_output=True)
    (site,) = folder.glob("lib/python*/site-packages")
    borrowed = sysconfig.get_paths()["purelib"]
    (site / "borrowed.pth").write_text(f"import site; site.addsitedir({borrowed!r})\n")
    for name, module in COMMANDS.items():
        script = folder / "bin" / name
        script.write_text(f'#!/bin/sh\nexec "{folder}/bin/python" -m {module} "$@"\n')
        script.chmod(0o755)
    return {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(folder),
        # off, in spite of its name: the build takes hatchling from here
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
