"""The walls hold: one fault is planted per import contract, and exactly that contract breaks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("orchestrator", "drivers", "simulators", "campaigns")
VERDICT = re.compile(r"^(.+) (KEPT|BROKEN)(?: \(.*)?$", re.MULTILINE)
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
FLOORS = "Floors of the orchestrator: imports run downwards, parts on one floor are strangers"
NEVER = "The orchestrator never imports drivers, simulators or campaigns"
STRANGERS = "Drivers, simulators and campaigns never import each other"
SEE_ONLY = "Drivers and simulators see only ports, capabilities, model, clock, keeping and errors"
UNBUILT = "Libraries whose room is not built yet stay outside"


@dataclass(frozen=True)
class Fault:
    """A line of code put at the end of a module (or into a new one), against a contract."""

    contract: str
    module: str
    line: str

    def __str__(self) -> str:
        return f"{self.module}: {self.line.splitlines()[-1].strip()}"


TYPES_ONLY = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "
FAULTS = [
    Fault(FLOORS, "orchestrator/clock.py", "def f():\n    import orchestrator.plugins"),
    Fault(FLOORS, "orchestrator/planner/bayesian.py", "import orchestrator.journal.store"),
    Fault(FLOORS, "orchestrator/executor/runner.py", TYPES_ONLY + "import orchestrator.engine"),
    Fault(FLOORS, "orchestrator/attic.py", "ROOM_WITHOUT_A_FLOOR = True"),
    Fault(NEVER, "orchestrator/cli/app.py", "import simulators.twins.server"),
    Fault(NEVER, "orchestrator/runtime/bench.py", "def f():\n    import drivers.instrument"),
    Fault(STRANGERS, "simulators/twins/wire.py", "import drivers.transports.memory"),
    Fault(STRANGERS, "drivers/instrument.py", "import simulators.lab.chamber"),
    Fault(SEE_ONLY, "drivers/instrument.py", "import orchestrator.journal.store"),
    Fault(SEE_ONLY, "simulators/twins/wire.py", "from orchestrator import plugins"),
    Fault(SEE_ONLY, "simulators/lab/noise.py", "import orchestrator"),
    Fault(
        "Campaigns are files, and see the model at most",
        "campaigns/niobium_titania/__init__.py",
        "import orchestrator.runtime.run",
    ),
    Fault(
        "Rooms of the drivers: devices over one instrument class over transports over protocols",
        "drivers/deposition/alicat.py",
        "import drivers.thermal.modbus_heater",
    ),
    Fault(
        "Rooms of the simulators: twins that answer bytes over the physics behind them",
        "simulators/lab/chamber.py",
        "import simulators.atomistic.emt",
    ),
    Fault("No circles", "orchestrator/model/quantity.py", "import orchestrator.model.expression"),
    Fault(
        "Deciding and folding are pure: no clock, no chance, no world",
        "orchestrator/engine/decide.py",
        "import time",
    ),
    Fault(
        "One door: scipy in planner, materials and hulls, and quantiles in the reports",
        "orchestrator/runtime/replay.py",
        "def f():\n    import scipy",
    ),
    Fault("One door: databases in the journal", "orchestrator/cli/looking.py", "import sqlalchemy"),
    Fault("One door: pyserial in the transports", "drivers/instrument.py", "import serial"),
    Fault(
        "One door: HDF5 in the parser of NeXus files",
        "drivers/formats/columns.py",
        "def f():\n    import h5py",
    ),
    Fault(
        "One door: clients of other layers in the bridges",
        "drivers/transports/web.py",
        "def f():\n    import caproto",
    ),
    Fault(
        "One door: PyVISA in its transport",
        "drivers/bridges/scpi.py",
        "def f():\n    import pyvisa",
    ),
    Fault("One door: pytest in the conformance plug-in", "drivers/instrument.py", "import pytest"),
    Fault(
        "One door: ASE in the atomistic simulators and the materials' crystals",
        "simulators/lab/growth.py",
        "import ase",
    ),
    Fault(
        "One door: chemistry in the materials and the molecular simulators",
        "orchestrator/reports/page.py",
        "import rdkit",
    ),
    Fault(
        "One door: electronic structure and potentials in the simulators",
        "orchestrator/materials/properties.py",
        "def f():\n    import tblite",
    ),
    Fault(
        "One door: radii and charges of ions in the enumeration of structures",
        "orchestrator/materials/chemistry.py",
        "def f():\n    import smact",
    ),
    Fault(
        "One door: scikit-learn in the materials and the planner's transfer",
        "orchestrator/planner/fitting.py",
        "def f():\n    import sklearn",
    ),
    Fault(
        "One door: chemistry in the materials and the molecular simulators",
        "orchestrator/runtime/triage_sheet.py",
        "def f():\n    import xlsxwriter",
    ),
    Fault(
        "One door: APScheduler in scheduling",
        "orchestrator/engine/loop.py",
        "from apscheduler.schedulers.asyncio import AsyncIOScheduler",
    ),
    Fault("One door: pint in quantities", "orchestrator/files/table.py", "import pint"),
    Fault(
        "One door: simpleeval in expressions", "orchestrator/files/scope.py", "import simpleeval"
    ),
    Fault("One door: YAML in documents", "orchestrator/runtime/load.py", "import yaml"),
    Fault(
        "One door: drawing and templates in reports",
        "orchestrator/cli/looking.py",
        "import matplotlib",
    ),
    Fault(
        "One door: the terminal in the command line", "orchestrator/reports/page.py", "import rich"
    ),
    Fault(
        "One door: the distributed engine in the executor's pilots",
        "orchestrator/executor/local.py",
        "def f():\n    import parsl",
    ),
    Fault(UNBUILT, "orchestrator/executor/local.py", "import ray"),
]


def _contracts() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return [contract["name"] for contract in settings["contracts"]]


def _broken(folder: Path) -> list[str]:
    """The contracts that break in a folder. Raises AssertionError if none could be checked."""
    done = subprocess.run(
        [LINT_IMPORTS, "--config", "pyproject.toml", "--no-cache"],
        cwd=folder,
        env=os.environ | {"COLUMNS": "1000", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    verdicts = dict(VERDICT.findall(done.stdout))
    assert sorted(verdicts) == sorted(_contracts()), done.stdout + done.stderr
    return [name for name, verdict in verdicts.items() if verdict == "BROKEN"]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the four packages, code only."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=lambda folder, names: [
                n for n in names if not (n.endswith(".py") or (Path(folder) / n).is_dir())
            ],
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_house_as_it_stands_keeps_every_contract(house: Path) -> None:
    assert _broken(house) == []


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_planted_fault_breaks_exactly_its_contract(house: Path, fault: Fault) -> None:
    module = house / fault.module
    before = module.read_text() if module.exists() else ""
    module.write_text(f"{before}\n{fault.line}\n")
    assert _broken(house) == [fault.contract]


def test_every_contract_has_a_fault_planted_against_it() -> None:
    assert {fault.contract for fault in FAULTS} == set(_contracts())
