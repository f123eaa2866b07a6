"""CPU seconds that each descriptor takes for 1000 materials, described and put into canonical form.

    python -m benchmarks.materials.describing

Materials are made here: molecules and polymers of a few sizes, oxides, simple crystals.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

from ase.build import bulk

from benchmarks.record import describe, machine
from orchestrator.materials.descriptors.composition import Composition
from orchestrator.materials.descriptors.crystal import Crystal
from orchestrator.materials.descriptors.mixture import Mixture
from orchestrator.materials.descriptors.molecule import Fragments, Maccs, Morgan, RdkitQuantities
from orchestrator.materials.descriptors.polymer import PolymerMorgan, PolymerQuantities
from orchestrator.materials.descriptors.process import Process
from orchestrator.materials.descriptors.route import Route
from orchestrator.ports.descriptor import Descriptor

N = 1000
LINKS = ("CC", "O", "C(=O)N", "c1ccc(cc1)", "C(C)", "S(=O)(=O)", "C(F)(F)", "N(C)", "C(=O)O", "CO")


def _cycled(materials: Sequence[str]) -> list[str]:
    return list(itertools.islice(itertools.cycle(materials), N))


def materials_of() -> dict[str, tuple[Descriptor, list[str]]]:
    """Each descriptor and what it is put to."""
    chains = ["".join(links) for links in itertools.product(LINKS, repeat=3)]
    molecules = [f"CC{chain}C" for chain in chains]
    metals = ("Li", "Fe", "Ti", "Ba", "Al", "Cu", "Zn", "Mg", "Ca", "Sr")
    oxides = [f"{a}{x / 10:g}{b}O{x % 3 + 1}" for a in metals for b in metals for x in range(1, 11)]
    crystals = [Crystal().canonical(bulk(each)) for each in ("Cu", "Fe", "Mg", "Si")]
    crystals += [Crystal().canonical(bulk("NaCl", "rocksalt", 5.64))]
    return {
        "morgan": (Morgan(), molecules),
        "maccs": (Maccs(), molecules),
        "rdkit": (RdkitQuantities(), molecules),
        "fragments": (Fragments(), molecules),
        "polymer-morgan": (PolymerMorgan(), [f"*{chain}*" for chain in chains]),
        "polymer-rdkit": (PolymerQuantities(), [f"*{chain}*" for chain in chains]),
        "composition": (Composition(), _cycled(oxides)),
        "crystal": (Crystal(), _cycled(crystals)),
        "mixture": (Mixture(), [f"0.3 {molecule} | 0.7 O" for molecule in molecules]),
        "process": (Process(), [f"temperature={n} K; time={n} min" for n in range(1, N + 1)]),
        "route": (Route(), [f"{molecule}.O>>{molecule}O" for molecule in molecules]),
    }


def main() -> None:
    """Prints one line per descriptor."""
    print(describe(machine("rdkit", "ase", "numpy")))
    for name, (descriptor, materials) in materials_of().items():
        descriptor.describe(materials[:2])
        begun = time.process_time()
        descriptor.describe(materials)
        described = time.process_time()
        for material in materials:
            descriptor.canonical(material)
        canonical = time.process_time()
        print(f"{name:15} {described - begun:7.2f} s  canonical {canonical - described:6.2f} s")


if __name__ == "__main__":
    main()
