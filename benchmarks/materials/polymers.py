"""Polymers and molecules with computed properties, described by RDKit's quantities.

The files are not part of the project: they are looked for in `../shared/data/materials` from the
project's root, or below `$HAGANE_SHARED`. Where they are absent the benchmark says so.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SHARED = Path(os.environ.get("HAGANE_SHARED", Path(__file__).parents[3] / "shared"))
FOLDER = SHARED / "data" / "materials"
POLYMERS, MOLECULES = "PI1070.csv", "iqspr_qspr_data_16674.csv.gz"
CONDUCTIVITY = "thermal_conductivity"
PROPERTIES = {
    CONDUCTIVITY: "thermal conductivity",
    "Cp": "heat capacity",
    "density": "density",
    "refractive_index": "refractive index",
    "qm_polarizability_monomer": "polarisability",
    "qm_homo_monomer": "HOMO",
    "qm_lumo_monomer": "LUMO",
    "qm_dipole_monomer": "dipole",
    "bulk_modulus": "bulk modulus",
    "volume_expansion": "expansion",
    "Rg": "radius of gyration",
    "static_dielectric_const": "dielectric constant",
    "self-diffusion": "self-diffusion",
    "nematic_order_parameter": "nematic order",
}
"""Columns and what they are. Left out: parts of the conductivity, and what is computed from it."""
UNUSABLE = ("Ipc", "AvgIpc", "SPS")
CLIP = 5.0
N_MOLECULES = 1500

Floats = NDArray[np.float64]


def absent(file: str) -> str:
    """Why a data set cannot be used, or ''."""
    return "" if (FOLDER / file).is_file() else f"{file} is not in {FOLDER}"


@dataclass(frozen=True)
class Materials:
    """n materials: features x (n x d), properties y (n x s) of the given names, classes (n)."""

    x: Floats
    names: tuple[str, ...]
    y: Floats
    classes: NDArray[np.str_]

    def of(self, name: str) -> Floats:
        """A property (n)."""
        return self.y[:, self.names.index(name)]


@cache
def polymers() -> Materials:
    """Those of PI1070 that have all of `PROPERTIES` [Hayashi et al. 2022]; self-diffusion as its
    logarithm."""
    return _both()[0]


@cache
def molecules() -> Materials:
    """A part of the 16,674 compounds of iQSPR [Ikebata et al. 2017]: energy and gap."""
    return _both()[1]


@cache
def _both() -> tuple[Materials, Materials]:
    """On the same features: RDKit's quantities that all have, standardised as of the polymers."""
    with (FOLDER / POLYMERS).open(newline="") as lines:
        rows = [r for r in csv.DictReader(lines) if all(r[name] for name in PROPERTIES)]
    y = np.array([[float(row[name]) for name in PROPERTIES] for row in rows])
    diffusion = list(PROPERTIES).index("self-diffusion")
    y[:, diffusion] = np.log10(np.abs(y[:, diffusion]) + 1e-14)
    raw = _quantities([row["smiles"] for row in rows])
    with gzip.open(FOLDER / MOLECULES, "rt", newline="") as lines:
        every = list(csv.DictReader(lines))
    order = np.random.default_rng(0).permutation(len(every))[: N_MOLECULES + 100]
    chosen = [every[i] for i in order if _readable(every[i]["SMILES"])][:N_MOLECULES]
    smaller = _quantities([row["SMILES"] for row in chosen])
    energies = [(float(row["E"]), float(row["HOMO-LUMO gap"])) for row in chosen]
    centre, spread = raw.mean(axis=0), raw.std(axis=0)
    kept = np.isfinite(raw).all(axis=0) & np.isfinite(smaller).all(axis=0) & (spread > 1e-9)

    def scaled(values: Floats) -> Floats:
        z = (values[:, kept] - centre[kept]) / spread[kept]
        return np.clip(z, -CLIP, CLIP)

    classes = np.array([row["polymer_class"] for row in rows])
    found = Materials(scaled(raw), tuple(PROPERTIES.values()), y, classes)
    none = np.array([""] * len(chosen))
    return found, Materials(scaled(smaller), ("molecule's energy", "gap"), np.array(energies), none)


def _readable(smiles: str) -> bool:
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")
    return Chem.MolFromSmiles(smiles) is not None


def _quantities(smiles: Sequence[str]) -> Floats:
    from rdkit import Chem
    from rdkit.Chem import Descriptors

    used = [function for name, function in Descriptors.descList if name not in UNUSABLE]
    found = [Chem.MolFromSmiles(one) for one in smiles]
    return np.array([[f(molecule) for f in used] for molecule in found])
