"""The table of a molecular ladder: GFN2-xTB, PBE/def2-SVP, CCSD(T)/def2-SVP over small molecules.

    python -m benchmarks.planner.molecule_ladder /tmp/molecules.csv --heavy 4
    python -m benchmarks.planner.ladders --table /tmp/molecules.csv --seeds 10

Molecules are enumerated by rules: up to so many heavy atoms C, N, O and F, joined atom by atom and
by closing rings, as valences allow, without bonds that seldom hold. Asked for is the energy of

    molecule + hydrogen -> methane, ammonia, water, hydrogen fluoride

per heavy atom: the lowest are the richest in energy. Each rung computes its own energies at the
geometry of GFN2-xTB, and the first rung's seconds include the relaxation. Rows are written one by
one in a random order; a table that is there is continued. Needs rdkit, tblite and pyscf.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simulators.atomistic.computing import run

METHODS = "simulators.atomistic.methods"
RUNGS: dict[str, tuple[str, dict[str, Any]]] = {
    "GFN2-xTB": (f"{METHODS}:xtb", {"method": "GFN2-xTB"}),
    "PBE": (f"{METHODS}:pyscf", {"method": "PBE", "basis": "def2-svp", "grid": 1, "forces": False}),
    "CCSD(T)": (f"{METHODS}:pyscf", {"method": "CCSD(T)", "basis": "def2-svp"}),
}
VALENCE = {"C": 4, "N": 3, "O": 2, "F": 1}
REFERENCES = {"C": "C", "N": "N", "O": "O", "F": "F"}
SELDOM = ("[#8]~[#8]", "[#7]~[#8]", "[#7]~[#7]~[#7]", "F~[#7,#8,F]", "C#CF", "C=C=C=C", "[R]#[R]")
"""SMARTS of what is left out."""


def molecules(n_heavy: int) -> list[str]:
    """Canonical SMILES of up to so many heavy atoms, the smallest first."""
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")
    bad = [Chem.MolFromSmarts(s) for s in SELDOM]
    level = {Chem.CanonSmiles(symbol) for symbol in VALENCE}
    found = sorted(level)
    for _ in range(n_heavy - 1):
        grown = {s for one in level for s in _grown(one) if "." not in s}
        level = {s for s in grown if not any(_mol(s).HasSubstructMatch(b) for b in bad)}
        rings = {s for one in level for s in _closed(one)}
        level |= {s for s in rings if not any(_mol(s).HasSubstructMatch(b) for b in bad)}
        found += sorted(level - set(found))
    return found


def _mol(smiles: str) -> Any:
    from rdkit import Chem

    return Chem.MolFromSmiles(smiles)


def _grown(smiles: str) -> Iterator[str]:
    """With one more atom, on any that has hydrogen to give."""
    from rdkit import Chem

    mol = _mol(smiles)
    orders = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE)
    for atom in mol.GetAtoms():
        for symbol, valence in VALENCE.items():
            for n, order in enumerate(orders, 1):
                if n > min(valence, atom.GetTotalNumHs()):
                    continue
                larger = Chem.RWMol(mol)
                new = larger.AddAtom(Chem.Atom(symbol))
                larger.AddBond(atom.GetIdx(), new, order)
                yield from _sane(larger)


def _closed(smiles: str) -> Iterator[str]:
    """With one more ring."""
    from rdkit import Chem

    mol = _mol(smiles)
    for a in mol.GetAtoms():
        for b in mol.GetAtoms():
            apart = a.GetIdx() < b.GetIdx() and not mol.GetBondBetweenAtoms(a.GetIdx(), b.GetIdx())
            if (
                apart
                and a.GetTotalNumHs()
                and b.GetTotalNumHs()
                and not mol.GetRingInfo().NumRings()
            ):
                larger = Chem.RWMol(mol)
                larger.AddBond(a.GetIdx(), b.GetIdx(), Chem.BondType.SINGLE)
                yield from _sane(larger)


def _sane(mol: Any) -> Iterator[str]:
    from rdkit import Chem

    for atom in mol.GetAtoms():
        atom.SetNoImplicit(False)
        atom.SetNumExplicitHs(0)
    if Chem.SanitizeMol(mol, catchErrors=True) == Chem.SanitizeFlags.SANITIZE_NONE:
        yield Chem.CanonSmiles(Chem.MolToSmiles(mol))


def geometry(smiles: str) -> str:
    """A first geometry, as extended XYZ [ETKDG and MMFF94]."""
    from ase import Atoms
    from ase.io import write
    from rdkit import Chem
    from rdkit.Chem import AllChem

    mol = Chem.AddHs(_mol(smiles))
    if AllChem.EmbedMolecule(mol, randomSeed=7) != 0:
        raise ValueError(f"{smiles} cannot be embedded")
    if AllChem.MMFFHasAllMoleculeParams(mol):
        AllChem.MMFFOptimizeMolecule(mol)
    text = io.StringIO()
    symbols = [a.GetSymbol() for a in mol.GetAtoms()]
    write(text, Atoms(symbols, mol.GetConformer().GetPositions()), "extxyz")
    return text.getvalue()


def computed(smiles: str) -> tuple[dict[str, float], dict[str, float]]:
    """Total energies (eV) and seconds of the rungs."""
    maker, settings = RUNGS["GFN2-xTB"]
    rest = run("relax", geometry(smiles), maker, settings)
    energies = {"GFN2-xTB": rest["energy"] * rest["atoms"]}
    seconds = {"GFN2-xTB": rest["seconds"]}
    for name, (maker, settings) in RUNGS.items():
        if name not in energies:
            found = run("energy", rest["structure"], maker, settings)
            energies[name] = found["energy"] * found["atoms"]
            seconds[name] = found["seconds"]
    return energies, seconds


def described(smiles: str) -> dict[str, float]:
    """Numbers of atoms, of kinds of bonds, of rings."""
    from rdkit import Chem

    mol = _mol(smiles)
    Chem.Kekulize(mol, clearAromaticFlags=True)
    counts = Counter({f"x:{s}": 0 for s in VALENCE})
    counts.update(f"x:{a.GetSymbol()}" for a in mol.GetAtoms())
    for bond in mol.GetBonds():
        ends = sorted((bond.GetBeginAtom().GetSymbol(), bond.GetEndAtom().GetSymbol()))
        counts[f"x:{ends[0]}{'-=#'[int(bond.GetBondTypeAsDouble()) - 1]}{ends[1]}"] += 1
    counts["x:H"] = sum(a.GetTotalNumHs() for a in mol.GetAtoms())
    for size in (3, 4):
        counts[f"x:ring{size}"] = sum(len(r) == size for r in mol.GetRingInfo().AtomRings())
    return {name: float(n) for name, n in counts.items()}


def main() -> None:
    """Writes the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("table", type=Path)
    parser.add_argument("--heavy", type=int, default=4)
    said = parser.parse_args()
    said.table = said.table.absolute()
    os.chdir(tempfile.mkdtemp())  # relaxations leave their logs where they run
    wanted = molecules(said.heavy)
    random.Random(0).shuffle(wanted)
    print(f"{len(wanted)} molecules", flush=True)
    names = sorted({name for s in wanted for name in described(s)})
    columns = ["name", *names, *(f"{k}:{r}" for r in RUNGS for k in "ys")]
    is_new = not said.table.exists()
    known = set() if is_new else {row["name"] for row in csv.DictReader(said.table.open())}
    of_element = {e: computed(s)[0] for e, s in REFERENCES.items()}
    hydrogen = computed("[H][H]")[0]
    with said.table.open("a", newline="") as file:
        table = csv.DictWriter(file, columns, restval=0.0)
        if is_new:
            table.writeheader()
        for smiles in wanted:
            if smiles in known:
                continue
            try:
                energies, seconds = computed(smiles)
            except (RuntimeError, ValueError) as error:
                print(f"{smiles}: {error}", flush=True)
                continue
            about = described(smiles)
            n_heavy = sum(about[f"x:{e}"] for e in VALENCE)
            n_h = sum(about[f"x:{e}"] * v for e, v in VALENCE.items())
            row: dict[str, Any] = {"name": smiles, **about}
            for rung in RUNGS:
                after = sum(about[f"x:{e}"] * of_element[e][rung] for e in VALENCE)
                before = energies[rung] + 0.5 * (n_h - about["x:H"]) * hydrogen[rung]
                row[f"y:{rung}"] = (after - before) / n_heavy
                row[f"s:{rung}"] = seconds[rung]
            table.writerow(row)
            file.flush()


if __name__ == "__main__":
    main()
