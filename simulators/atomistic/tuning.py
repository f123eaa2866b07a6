"""Tuning a learned potential by new labels: its last layer, in closed form, on one core.

SevenNet's last layers are linear: the energy of an atom is w.x of its features x, and a shift of
its element. What is fitted is the change of w and of the shifts, by ridge regression on energies
per atom: the shifts are all but free, since a code's zero of energy is its own; the change of w is
held back as strongly as predicts left-out labels best. Forces follow, since they are slopes of the
same energy. Everything below the last layer stays, so what its features do not tell apart is not
learnt.

A fifth of the labels is left out of all of this, to be predicted in the end. If the tuned potential
does not predict them better than one with nothing but other shifts, nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import ExecutionError, InputError

Floats: TypeAlias = NDArray[np.float64]
LEAST_LABELS = 10
LEFT_OUT = 5
"""One of so many is left out."""
FOLDS = 5
RIDGES = (np.inf, *np.logspace(3, -5, 17))
"""How strongly the change of w is held back, per label; infinite: the shifts alone."""
SHIFT_RIDGE = 1e-8
SEED = 7
CLOSE_EV = 1e-3
"""Per atom: the tuned model must be the one that was fitted."""


@dataclass(frozen=True)
class Labels:
    """Per atom and structure by structure: `x` features (n x f), `shares` of the elements (n x e),
    `errors` of the potential in eV (n)."""

    x: Floats
    shares: Floats
    errors: Floats

    def of(self, rows: Any) -> Labels:
        """Some of them."""
        return Labels(self.x[rows], self.shares[rows], self.errors[rows])


@dataclass(frozen=True)
class Fit:
    """A change of w and of the shifts, in eV."""

    w: Floats
    shifts: Floats

    def corrected(self, labels: Labels) -> Floats:
        """The errors that are left (n), in eV."""
        return np.asarray(labels.errors - labels.x @ self.w - labels.shares @ self.shifts)


def fitted(labels: Labels, ridge: float) -> Fit:
    """The change that predicts labels best, held back so strongly."""
    n, spread = len(labels.errors), labels.x.std(axis=0).max() or 1.0
    n_features = labels.x.shape[1] if np.isfinite(ridge) else 0
    columns = np.hstack([labels.x[:, :n_features] / spread, labels.shares])
    held = np.full(columns.shape[1], SHIFT_RIDGE * n)
    held[:n_features] = ridge * n
    # as rows of their own, which keeps the condition number its root
    rows = np.vstack([columns, np.diag(np.sqrt(held))])
    wanted = np.concatenate([labels.errors, np.zeros(columns.shape[1])])
    found = np.linalg.lstsq(rows, wanted, rcond=None)[0]
    w = np.zeros(labels.x.shape[1])
    w[:n_features] = found[:n_features] / spread
    return Fit(w, found[n_features:])


def chosen_ridge(labels: Labels) -> float:
    """The one that predicts folds best that are left out in turn."""
    folds = np.random.default_rng(SEED).permutation(len(labels.errors)) % FOLDS
    scores = []
    for ridge in RIDGES:
        left = [
            fitted(labels.of(folds != k), ridge).corrected(labels.of(folds == k))
            for k in range(FOLDS)
        ]
        scores.append(float(np.mean(np.concatenate(left) ** 2)))
    return float(RIDGES[int(np.argmin(scores))])


def tune(labels: str, energy: str, where: str, model: str, into: str) -> dict[str, float]:
    """Runs in the child: the fields of `potentials.Tuned`; writes `into`.

    Raises:
        InputError: there are too few labels.
        ExecutionError: it does not help.
    """
    from simulators.atomistic import methods
    from simulators.atomistic.tuned import apply

    structures = read_labels(Path(labels), energy, where)
    calculator = methods._sevennet(model)
    known = labels_of(calculator, structures)
    order = np.random.default_rng(SEED).permutation(len(structures))
    out, rest = known.of(order[::LEFT_OUT]), known.of(np.delete(order, np.s_[::LEFT_OUT]))
    ridge = chosen_ridge(rest)
    errors = [float(np.abs(fitted(rest, each).corrected(out)).mean()) for each in (np.inf, ridge)]
    if errors[1] >= errors[0]:
        raise ExecutionError(
            f"tuning {model} by {len(rest.errors)} labels does not help: of {len(out.errors)} that "
            f"were left out it misses {1e3 * errors[1]:.3g} meV per atom, and "
            f"{1e3 * errors[0]:.3g} as it is"
        )
    whole = fitted(known, ridge)
    change = {
        "model": model,
        "labels": len(structures),
        "energy": energy,
        "ridge": ridge,
        "errors_ev": errors,
        "w": whole.w.tolist(),
        "shifts": dict(zip(_elements(structures), whole.shifts.tolist(), strict=True)),
    }
    apply(calculator, change)
    left = labels_of(calculator, structures).errors
    if np.abs(left - whole.corrected(known)).max() > CLOSE_EV:
        raise RuntimeError(f"the last layers of {model} are not what is tuned here")
    part = Path(f"{into}.part")
    part.write_text(json.dumps(change, indent=1))
    part.rename(into)
    told = {"error_before": errors[0], "error_after": errors[1]}
    return {**told, "labels": len(structures), "left_out": len(out.errors)}


def read_labels(file: Path, energy: str, where: str) -> list[tuple[Any, float]]:
    """Structures and their energies in eV per atom. Raises InputError: there are too few, or
    the file cannot be read."""
    from ase.io import read

    name, _, value = where.partition("=")
    found, numbers = [], set[str]()
    try:
        several = _listed(read(file, ":"))
    except Exception as error:  # ASE raises whatever its parsers stumble over
        why = (isinstance(error, OSError) and error.strerror) or error
        raise InputError(
            f"the labels '{file.name}' cannot be read: {why}",
            hint="an extended XYZ or an ase.db, such as `hagane export` writes",
        ) from error
    for atoms in several:
        said: Mapping[str, Any] = {**atoms.info.get("key_value_pairs", {}), **atoms.info}
        numbers |= {word for word, value in said.items() if isinstance(value, float)}
        if energy in said and (not where or str(said.get(name)) == value):
            plain = atoms.copy()
            plain.calc = None
            found.append((plain, float(said[energy])))
    if len(found) < LEAST_LABELS:
        raise InputError(
            f"{file.name} has {len(found)} structures with '{energy}'"
            + (f" and {where}" if where else "")
            + f", {LEAST_LABELS} are needed",
            hint=f"its values are {', '.join(sorted(numbers)) or 'none'}",
        )
    return found


def _listed(found: Any) -> Sequence[Any]:
    return found if isinstance(found, list) else [found]


def _elements(structures: Sequence[tuple[Any, float]]) -> list[str]:
    return sorted({symbol for atoms, _ in structures for symbol in atoms.symbols})


def labels_of(calculator: Any, structures: Sequence[tuple[Any, float]]) -> Labels:
    """What a SevenNet makes of structures, and how far it is from their energies."""
    elements = _elements(structures)
    model, seen = calculator.model, []

    def note(_module: Any, given: Any) -> None:
        scale = model._modules["rescale_atomic_energy"].scale
        x, kinds = given[0]["x"], given[0]["atom_type"]
        seen.append((x * scale[kinds][:, None]).detach().mean(dim=0).double().numpy())

    hook = model._modules["reduce_input_to_hidden"].register_forward_pre_hook(note)
    shares, errors = [], []
    try:
        for atoms, energy in structures:
            calculator.calculate(atoms, ["energy"])
            errors.append(energy - float(calculator.results["energy"]) / len(atoms))
            counts = [list(atoms.symbols).count(element) for element in elements]
            shares.append([count / len(atoms) for count in counts])
    finally:
        hook.remove()
    return Labels(np.array(seen), np.array(shares), np.array(errors))
