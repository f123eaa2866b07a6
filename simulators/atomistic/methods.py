"""ASE calculators of the methods; what they read is named by its version and hash."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulators.atomistic.tuned import apply, read_tuned
from simulators.atomistic.vacuum import boxed


def emt(atoms: Any) -> Any:
    """Effective medium theory [Jacobsen, Stoltze, Norskov 1996], as ASE has it."""
    from ase.calculators.emt import EMT

    return EMT()


def chgnet(atoms: Any, model: str) -> Any:
    """CHGNet [Deng et al. 2023, doi:10.1038/s42256-023-00716-3], a learned potential."""
    from chgnet.model.dynamics import CHGNetCalculator

    found: Any = CHGNetCalculator(model=_chgnet(model), use_device="cpu")
    found.calculate = _in_box(found, found.calculate)
    return found


def _in_box(calculator: Any, calculate: Callable[..., None]) -> Callable[..., None]:
    """As an ASE calculator's `calculate`, which needs three vectors: what brings fewer stands in a
    box meanwhile."""

    def boxing(atoms: Any = None, *more: Any, **told: Any) -> None:
        calculate(atoms if atoms.cell.rank == 3 else boxed(atoms), *more, **told)
        calculator.atoms = atoms.copy()

    return boxing


def sevennet(atoms: Any, model: str, tuned: str = "") -> Any:
    """SevenNet [Park et al. 2024, doi:10.1021/acs.jctc.4c00190], a learned potential; `tuned` is
    the file of what `simulators.atomistic.tuning` changed."""
    found = _sevennet(model, tuned)
    found.reset()
    return found


@functools.cache
def _chgnet(model: str) -> Any:
    from chgnet.model.model import CHGNet

    return CHGNet.load(model_name=model, use_device="cpu", verbose=False)


@functools.cache
def _sevennet(model: str, tuned: str = "") -> Any:
    from sevenn.calculator import SevenNetCalculator

    found = SevenNetCalculator(model=model, device="cpu")
    if tuned:
        apply(found, read_tuned(Path(tuned), model))
    return found


def load(name: str, settings: dict[str, Any]) -> None:
    """Loads what a method's calculations need: its packages, its weights."""
    for module in ("ase.eos", "ase.filters", "ase.io", "ase.optimize"):
        importlib.import_module(module)
    loaders: dict[str, Callable[..., Any]] = {
        "chgnet": _chgnet,
        "sevennet": _sevennet,
        "pyscf": known_to_pyscf,
        "gpaw": _gpaw,
    }
    if name in loaders:
        loaders[name](**settings)


def _gpaw(**settings: Any) -> None:
    for module in ("gpaw", "gpaw.dft", "gpaw.new.ase_interface"):
        importlib.import_module(module)


def known_to_pyscf(method: str, basis: str, **_: Any) -> None:
    """So that no structure is blamed for it.

    Raises:
        ValueError: it is no method or basis.
        ModuleNotFoundError: the method needs a package that is not installed.
    """
    from pyscf import gto
    from pyscf.data.elements import ELEMENTS

    from simulators.atomistic.quantum import WAVE_FUNCTIONS

    if method not in WAVE_FUNCTIONS:
        _refuse_no_functional(method)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where else there are basis sets
        for element in ELEMENTS[1:]:  # some sets are made for cores or heavy atoms, and have no H
            with contextlib.suppress(gto.basis.BasisNotFoundError):
                gto.basis.load(basis, element)
                return
    raise ValueError(f"'{basis}' is no basis set of PySCF")


def _refuse_no_functional(method: str) -> None:
    """Raises as `known_to_pyscf`."""
    from pyscf import dft, gto
    from pyscf.scf import dispersion

    if method.upper() == "LDA":
        raise ValueError("'LDA' is exchange alone to PySCF: write 'lda,vwn', or 'lda,' if it is")
    try:
        dft.libxc.parse_xc(method)
        has_dispersion = dft.RKS(gto.M(atom="He", verbose=0), xc=method).do_disp()
    except (KeyError, ValueError, NotImplementedError) as error:
        why = error.args[0]  # a KeyError prints it in quotes
        raise ValueError(f"'{method}' is no method and no functional of PySCF: {why}") from error
    if not method.strip():
        raise ValueError("no method is named")
    if has_dispersion and dispersion.dispersion is None:
        said = f"'{method}' needs the package pyscf-dispersion, which is not installed"
        raise ModuleNotFoundError(said)


def xtb(atoms: Any, method: str) -> Any:
    """GFN1- or GFN2-xTB, as tblite computes it."""
    from tblite.ase import TBLite

    return TBLite(method=method, verbosity=0)


def pyscf(atoms: Any, method: str, basis: str, **more: Any) -> Any:
    """Quantum chemistry of a molecule (`simulators.atomistic.quantum`)."""
    from simulators.atomistic.quantum import PySCF

    return PySCF(method, basis, **more)


def weights_of(package: str, folder: str) -> list[Path]:
    """The files in a folder of an installed package, which is not imported.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise FileNotFoundError(f"{package} is not installed")
    return [f for f in sorted((Path(found.origin).parent / folder).iterdir()) if f.is_file()]


def hash_of(files: list[Path]) -> str:
    """Of names and contents."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
