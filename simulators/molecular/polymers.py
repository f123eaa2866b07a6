"""Thermal conductivity of amorphous polymers: from a table that has it, or from a model.

Where the table has not the polymer, a Gaussian process of the table answers, with Tanimoto's
similarity of circular fingerprints of repeat units, its noise and reach chosen by leave-one-out;
where there is no table, Bicerano's correlation [Bicerano 2002, Prediction of Polymer Properties,
chapter 14]: lambda(298 K) = 0.135614 + 0.126611 chi / N + 0.108563 (N_N + N_O - 0.125 N_H) / N,
with the zeroth-order connectivity chi of the backbone's atoms. It gives 0.198 for polyethylene,
0.142 for polystyrene and 0.231 W/m/K for PET; against 1,070 values of molecular dynamics it has a
correlation of only 0.29. It is there so that a campaign can be played without any table, and
nothing should be concluded from it.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.capabilities.molecules import PolymerConductivity
from orchestrator.errors import InputError
from orchestrator.ports.action import Cancel, Effect, Ticket, action
from orchestrator.ports.resource import Bench
from simulators.calculator import Calculator

FUNCTION = "simulators.molecular.polymers:conductivity"


class PolymerCalculator(Calculator):
    """Answers from a table, its model, or Bicerano's correlation.

    Without `table` (a CSV file with columns `smiles` and `value`, W/m/K) only the correlation is
    there.
    """

    implements = ("PolymerCalculation",)
    packages = ("rdkit",)
    method = "polymer thermal conductivity"

    def __init__(
        self,
        bench: Bench,
        table: str = "",
        smiles: str = "smiles",
        value: str = "thermal_conductivity",
    ) -> None:
        """Looks whether the table is there.

        Raises:
            InputError: it is not, or rdkit is not installed.
        """
        super().__init__(bench)
        self._table, self._smiles, self._value = table, smiles, value
        if table and not Path(table).is_file():
            raise InputError(
                f"'{bench.name}' has no table '{table}'",
                hint="its path is relative to where hagane is started",
            )

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def thermal_conductivity(self, smiles: str, ticket: Ticket) -> PolymerConductivity:
        """Of the amorphous polymer; the repeat unit has two `*`, `*CC*`.

        Raises:
            ExecutionError: it is no repeat unit.
        """
        table = str(Path(self._table).resolve()) if self._table else ""
        columns = {"smiles_column": self._smiles, "value_column": self._value}
        given = {"smiles": smiles, "table": table, **columns}
        return PolymerConductivity(**await self._run(FUNCTION, given, ticket))

    def check(self, action: str, arguments: Mapping[str, Any]) -> None:
        """See `ports.resource.Foresighted`; what is seen without rdkit. Raises InputError."""
        smiles = arguments.get("smiles")
        if isinstance(smiles, str) and smiles.count("*") != 2:
            what = "a copolymer" if "|" in smiles else "no repeat unit with two *"
            raise InputError(
                f"'{smiles}' is {what}, and '{self._bench.name}' computes one repeat unit, `*CC*`",
                hint="leave it out of the pool, or name another resource",
            )


def conductivity(
    smiles: str, table: str = "", smiles_column: str = "smiles", value_column: str = "value"
) -> dict[str, float]:
    """Runs in the child: the fields of `PolymerConductivity`.

    Raises:
        ValueError: it is no repeat unit.
    """
    unit = _unit(smiles)
    if not table:
        return {"thermal_conductivity": bicerano(unit), "similarity": 0.0}
    units, values = polymers_of(table, smiles_column, value_column)
    for other, value in zip(units, values, strict=True):
        if _is_same(unit, other):
            return {"thermal_conductivity": value, "similarity": 1.0}
    predicted, similarity = model_of(units, values).predict(unit)
    return {"thermal_conductivity": predicted, "similarity": similarity}


def _is_same(unit: Any, other: Any) -> bool:
    """Whether two units are of one chain, wherever they are cut. Units that say handedness or the
    geometry of double bonds must be written alike."""
    from rdkit import Chem
    from rdkit.Chem.rdMolDescriptors import CalcMolFormula

    if CalcMolFormula(unit) != CalcMolFormula(other):
        return False
    written = Chem.MolToSmiles(unit), Chem.MolToSmiles(other)
    if any(mark in text for text in written for mark in "@/\\"):
        return written[0] == written[1]
    return written[0] == written[1] or _as_ring(unit) == _as_ring(other)


def _as_ring(unit: Any, n: int = 3) -> str:
    """The SMILES of a ring of `n` units: the same from wherever the chain is cut. Of three, since a
    ring of one or two may not be a molecule."""
    from rdkit import Chem

    bonds = [b for a in unit.GetAtoms() if a.GetAtomicNum() == 0 for b in a.GetBonds()]
    stars = [a.GetIdx() for a in unit.GetAtoms() if a.GetAtomicNum() == 0]
    ends = [b.GetOtherAtomIdx(star) for b, star in zip(bonds, stars, strict=True)]
    kind, size = bonds[0].GetBondType(), unit.GetNumAtoms()
    if bonds[1].GetBondType() != kind:
        return str(Chem.MolToSmiles(unit))
    chain = unit
    for _ in range(n - 1):
        chain = Chem.CombineMols(chain, unit)
    ring = Chem.RWMol(chain)
    for i in range(n):
        ring.AddBond(i * size + ends[1], (i + 1) % n * size + ends[0], kind)
    for star in sorted((i * size + s for i in range(n) for s in stars), reverse=True):
        ring.RemoveAtom(star)
    Chem.SanitizeMol(ring)
    return str(Chem.MolToSmiles(ring))


def _unit(smiles: str) -> Any:
    from rdkit import Chem

    unit: Any = Chem.MolFromSmiles(smiles)
    stars = [] if unit is None else [a for a in unit.GetAtoms() if a.GetAtomicNum() == 0]
    if len(stars) != 2 or any(a.GetDegree() != 1 for a in stars):
        raise ValueError(f"'{smiles}' is no repeat unit with two *")
    return unit


def bicerano(unit: Any) -> float:
    """Bicerano's correlation, W/m/K."""
    from rdkit import Chem

    stars = [a.GetIdx() for a in unit.GetAtoms() if a.GetAtomicNum() == 0]
    backbone = set(Chem.GetShortestPath(unit, *stars)) - set(stars)
    for ring in unit.GetRingInfo().AtomRings():
        if len(backbone & set(ring)) >= 2:
            backbone |= set(ring)
    atoms = [a for a in unit.GetAtoms() if a.GetAtomicNum() > 0]
    chi = sum(1.0 / math.sqrt(a.GetDegree()) for a in atoms if a.GetIdx() in backbone)
    polar = sum(a.GetAtomicNum() in (7, 8) for a in atoms)
    hydrogens = sum(a.GetTotalNumHs() for a in atoms)
    return float(
        0.135614 + 0.126611 * chi / len(atoms) + 0.108563 * (polar - 0.125 * hydrogens) / len(atoms)
    )


def polymers_of(table: str, smiles_column: str, value_column: str) -> tuple[list[Any], list[float]]:
    """The repeat units of a table and their values; rows that have not both are left out.

    Raises:
        ValueError: it has not those columns, or fewer than ten usable rows.
    """
    from rdkit import RDLogger

    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    units, values = [], []
    with Path(table).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if smiles_column not in row or value_column not in row:
                raise ValueError(f"{table} has no columns '{smiles_column}' and '{value_column}'")
            try:
                unit, value = _unit(row[smiles_column]), float(row[value_column])
            except ValueError:
                continue
            units.append(unit)
            values.append(value)
    if len(values) < 10:
        raise ValueError(f"{table} has fewer than ten polymers with a value")
    return units, values


@dataclass(frozen=True)
class PolymerModel:
    """A process between polymers with values. `counts` is n x d, `values` n (W/m/K)."""

    counts: Any
    values: Any
    reach: float
    noise: float

    def predict(self, unit: Any) -> tuple[float, float]:
        """The value (W/m/K) of a repeat unit, and its similarity to the nearest one known."""
        import numpy as np

        similarity = _similarity(fingerprint(unit)[None, :], self.counts)[0]
        covariance = _covariance(_similarity(self.counts, self.counts), self.reach)
        covariance[np.diag_indices_from(covariance)] += self.noise
        weights = np.linalg.solve(covariance, self.values - self.values.mean())
        mean = self.values.mean() + _covariance(similarity, self.reach) @ weights
        return float(mean), min(0.999, float(similarity.max()))


def model_of(units: list[Any], values: list[float]) -> PolymerModel:
    """The process with the least leave-one-out error."""
    import numpy as np

    counts, found = np.stack([fingerprint(unit) for unit in units]), np.array(values)
    reach, noise = _chosen(_similarity(counts, counts), found - found.mean())
    return PolymerModel(counts, found, reach, noise)


def fingerprint(unit: Any) -> Any:
    """Counts (2048) of the circular neighbourhoods of a repeat unit."""
    from rdkit.Chem import rdFingerprintGenerator

    maker: Any = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    return maker.GetCountFingerprintAsNumPy(unit).astype(float)


def _similarity(a: Any, b: Any) -> Any:
    shared = a @ b.T
    return shared / ((a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - shared)


def _covariance(similarity: Any, reach: float) -> Any:
    import numpy as np

    return np.exp((similarity - 1.0) / reach)


def _chosen(similarity: Any, values: Any) -> tuple[float, float]:
    """Reach, and noise in shares of the prior variance, of the least leave-one-out error."""
    import numpy as np

    best = (math.inf, 0.3, 0.1)
    for reach in (0.2, 0.8, 2.0):
        spectrum, vectors = np.linalg.eigh(_covariance(similarity, reach))
        for noise in (0.003, 0.01, 0.03, 0.1):
            inverse = (vectors / (spectrum + noise)) @ vectors.T
            error = (inverse @ values) / inverse.diagonal()
            best = min(best, (float((error**2).mean()), reach, noise))
    return best[1], best[2]
