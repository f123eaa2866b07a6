"""XenonPy's composition descriptors of the formulas on standard input, as JSON; run in an
environment of its own (requirements-xenonpy.txt).

    .venv-peers-materials/bin/python -m benchmarks.materials.peers.xenonpy_ ELEMENTS.csv < formulas
"""

from __future__ import annotations

import importlib
import json
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import xenonpy
from pymatgen.core.composition import Composition

STATISTICS = ("WeightedAverage", "WeightedSum", "WeightedVariance", "MaxPooling", "MinPooling")


def compositions() -> types.ModuleType:
    """XenonPy's module, without the rest of its package, which would load torch."""
    folder = Path(xenonpy.__file__).parent / "descriptor"
    package = types.ModuleType("xenonpy.descriptor")
    package.__path__ = [str(folder)]
    sys.modules["xenonpy.descriptor"] = package
    return importlib.import_module("xenonpy.descriptor.compositions")


def main() -> None:
    """Formulas in, labels and rows out."""
    table = pd.read_csv(sys.argv[1], index_col="symbol")
    module = compositions()
    makers = [getattr(module, name)(elemental_info=table, n_jobs=1) for name in STATISTICS]
    rows = [
        np.concatenate([np.asarray(m.featurize(Composition(f)), float) for m in makers]).tolist()
        for f in sys.stdin.read().split()
    ]
    labels = [label for maker in makers for label in maker.feature_labels]
    json.dump({"version": xenonpy.__version__, "labels": labels, "rows": rows}, sys.stdout)


if __name__ == "__main__":
    main()
