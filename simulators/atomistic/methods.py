"""ASE calculators of the methods; what they read is named by its version and hash."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
from pathlib import Path
from typing import Any

CHGNET_MODELS = ("0.3.0", "r2scan")
SEVENNET_MODELS = ("7net-0", "7net-l3i5")
SEVENNET_FOLDERS = {"7net-0": "SevenNet_0__11Jul2024", "7net-l3i5": "SevenNet_l3i5"}


def emt(atoms: Any) -> Any:
    """Effective medium theory [Jacobsen, Stoltze, Norskov 1996], as ASE has it."""
    from ase.calculators.emt import EMT

    return EMT()


def chgnet(atoms: Any, model: str) -> Any:
    """CHGNet [Deng et al. 2023, doi:10.1038/s42256-023-00716-3], a learned potential."""
    from chgnet.model.dynamics import CHGNetCalculator

    return CHGNetCalculator(model=_chgnet(model), use_device="cpu")


def sevennet(atoms: Any, model: str) -> Any:
    """SevenNet [Park et al. 2024, doi:10.1021/acs.jctc.4c00190], a learned potential."""
    found = _sevennet(model)
    found.reset()
    return found


@functools.cache
def _chgnet(model: str) -> Any:
    from chgnet.model.model import CHGNet

    return CHGNet.load(model_name=model, use_device="cpu", verbose=False)


@functools.cache
def _sevennet(model: str) -> Any:
    from sevenn.calculator import SevenNetCalculator

    return SevenNetCalculator(model=model, device="cpu")


def load(name: str, settings: dict[str, Any]) -> None:
    """Loads what a method's calculations need: its packages, its weights."""
    for module in ("ase.eos", "ase.filters", "ase.io", "ase.optimize"):
        importlib.import_module(module)
    loaders = {"chgnet": _chgnet, "sevennet": _sevennet}
    if name in loaders:
        loaders[name](**settings)


def xtb(atoms: Any, method: str) -> Any:
    """GFN1- or GFN2-xTB, as tblite computes it."""
    from tblite.ase import TBLite

    return TBLite(method=method, verbosity=0)


def pyscf(atoms: Any, method: str, basis: str) -> Any:
    """Quantum chemistry of a molecule (`simulators.atomistic.quantum`)."""
    from simulators.atomistic.quantum import PySCF

    return PySCF(method, basis)


def package_folder(name: str) -> Path:
    """Where a package is installed, without importing it."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise FileNotFoundError(f"{name} is not installed")
    return Path(found.origin).parent


def chgnet_weights(model: str) -> list[Path]:
    """The files of a model's weights."""
    return _files(package_folder("chgnet") / "pretrained" / model)


def sevennet_weights(model: str) -> list[Path]:
    """The files of a model's weights."""
    return _files(package_folder("sevenn") / "pretrained_potentials" / SEVENNET_FOLDERS[model])


def hash_of(files: list[Path]) -> str:
    """Of names and contents."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _files(folder: Path) -> list[Path]:
    return [f for f in sorted(folder.iterdir()) if f.is_file()]
