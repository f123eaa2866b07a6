"""What is computed, as data: a task, a structure, a method with its settings and its version."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from orchestrator.capabilities.structures import (
    Computed,
    ElasticConstants,
    EquationOfState,
    StructureResult,
)
from simulators.atomistic.vacuum import VACUUM, gaps_of

RESULTS: Mapping[str, type[Computed]] = {
    "energy": StructureResult,
    "relax": StructureResult,
    "equation_of_state": EquationOfState,
    "elastic_constants": ElasticConstants,
}
"""What the tasks give."""
DIRECTED = ("elastic_constants",)
"""Tasks whose results depend on how the cell is turned."""

ORDER_OF_ATOMS = "antiferromagnetic"
"""The magnetic order that depends on how the atoms are ordered."""
TOTALS = ("system.tot_charge", "system.tot_magnetization", "nelect", "nupdown")
"""Words of pw.x and VASP on a whole cell, whatever is in it."""


def said_of_cell(settings: Mapping[str, Any]) -> list[str]:
    """What settings say of a whole cell, or of the order of its atoms: the same crystal in another
    cell has other results."""
    order = settings.get("magnetic_order")
    totals = [word for word in TOTALS if settings.get("input", {}).get(word)]
    has_order = [f"magnetic_order: {order}"] if order == ORDER_OF_ATOMS else []
    return has_order + [word.rpartition(".")[2] for word in totals]


@dataclass(frozen=True)
class Method:
    """How energies are computed. `versions` are of the code, and of the files that it reads
    (weights, pseudopotentials), whatever changes a result."""

    name: str
    settings: Mapping[str, Any]
    versions: Mapping[str, str]

    def mark(self, task: Mapping[str, Any]) -> str:
        """A short name for it and for the settings of a task: energies with the same mark may be
        subtracted."""
        text = json.dumps([asdict(self), dict(task)], sort_keys=True)
        name = self.name.rpartition(":")[2]
        return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Request:
    """One calculation. `structure` is the text as it was given."""

    task: str
    structure: str
    method: Method
    settings: Mapping[str, Any]

    def kind(self) -> str:
        """A hash of all that the result depends on but the structure, and of its reduced formula;
        '' where another cell need not give the same: of molecules, moments, charges, fixed
        atoms and cells with a vacuum, of totals of a cell, and of what has directions."""
        from math import gcd

        from simulators.atomistic.structures import atoms_of

        atoms = atoms_of(self.structure)
        has_more = atoms.get_initial_magnetic_moments().any() or atoms.get_initial_charges().any()
        has_more = has_more or bool(said_of_cell(self.method.settings))
        has_more = has_more or max(gaps_of(atoms)) > VACUUM
        if has_more or atoms.constraints or not all(atoms.pbc) or self.task in DIRECTED:
            return ""
        counts = [(each, list(atoms.symbols).count(each)) for each in sorted(set(atoms.symbols))]
        share = gcd(*(n for _, n in counts))
        formula = [[each, n // share] for each, n in counts]
        said = {"task": self.task, "formula": formula, "settings": dict(self.settings)}
        text = json.dumps({**said, "method": asdict(self.method)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def key(self) -> str:
        """A hash of all that the result depends on. Atoms and cell count as numbers, to the last
        bit, so that one structure in two formats is one calculation; another cell, or another order
        of atoms, is another one."""
        from simulators.atomistic.structures import atoms_of

        atoms = atoms_of(self.structure)
        exact = {
            "numbers": atoms.numbers.tolist(),
            "positions": [[x.hex() for x in row] for row in atoms.positions.tolist()],
            "cell": [[x.hex() for x in row] for row in atoms.cell.array.tolist()],
            "pbc": atoms.pbc.tolist(),
            "moments": atoms.get_initial_magnetic_moments().tolist(),
            "charges": atoms.get_initial_charges().tolist(),
        }
        if atoms.constraints:
            exact["fixed"] = _fixed(atoms)
        has_vacuum = max(gaps_of(atoms)) > VACUUM
        if self.task == "relax" and all(atoms.pbc) and has_vacuum:
            exact["kept across"] = VACUUM
        if has_vacuum and "k_density" in self.method.settings:
            exact["one point across"] = VACUUM
        said = {"task": self.task, "structure": exact, "settings": dict(self.settings)}
        text = json.dumps({**said, "method": asdict(self.method)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def is_whole(task: str, found: Mapping[str, Any]) -> bool:
    """Whether a known result has what a task gives: all of it, nothing else, words for words."""
    wanted = {field.name: field for field in fields(RESULTS[task])}
    needed = {name for name, field in wanted.items() if field.default is MISSING}
    has_all = needed <= found.keys() <= wanted.keys()
    return has_all and all(
        isinstance(value, str) == (wanted[name].type == "str") for name, value in found.items()
    )


def is_finite(value: Any) -> bool:
    """Whether it is a number, or rows of numbers, of which each is finite."""
    if isinstance(value, list | tuple):
        return all(map(is_finite, value))
    return isinstance(value, int | float) and math.isfinite(value)


def _fixed(atoms: Any) -> Any:
    """The constraints of atoms, as JSON has them."""
    said = [constraint.todict() for constraint in atoms.constraints]
    return json.loads(json.dumps(said, default=lambda array: array.tolist()))
