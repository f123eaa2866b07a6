"""Synthesis routes: reactions in SMILES, one after the other, as one vector."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError
from orchestrator.materials.chemistry import canonical_smiles, molecule
from orchestrator.materials.descriptors.molecule import Morgan
from orchestrator.ports.descriptor import Content

Floats = NDArray[np.float64]

QUANTITIES = (
    "steps",
    "longest linear sequence",
    "starting materials",
    "heavy atoms of starting materials",
    "heavy atoms of agents",
    "heavy atoms of final products",
)


@dataclass(frozen=True)
class Step:
    """One reaction: canonical SMILES of its reactants, agents and products, each sorted. What
    stands on both sides is an agent."""

    reactants: tuple[str, ...]
    agents: tuple[str, ...]
    products: tuple[str, ...]

    def __str__(self) -> str:
        return ">".join(".".join(side) for side in (self.reactants, self.agents, self.products))


def steps_of(route: str) -> tuple[Step, ...]:
    """The steps of `A.B>>C; C.D>agent>E`, those that need nothing of others first; equal ones once.

    Raises:
        InputError: a step is not a reaction, a SMILES cannot be read, or the steps need each other
            in a circle.
    """
    texts = [text for text in re.split(r"[;\n]", route) if text.strip()]
    if not texts:
        raise InputError("the route is empty", hint="write it as 'A.B>>C; C.D>>E'")
    steps = sorted({_step(text.strip()) for text in texts}, key=str)
    depths = depths_of(steps, route)
    return tuple(sorted(steps, key=lambda step: (depths[step], str(step))))


def _step(text: str) -> Step:
    sides = text.split(">")
    if len(sides) != 3 or not sides[0].strip() or not sides[2].strip():
        raise InputError(
            f"the step '{text}' is not a reaction",
            hint="write reactants, '>', agents if any, '>', products: 'CCO.CC(=O)O>>CCOC(C)=O'",
        )
    reactants, agents, products = map(_molecules, sides)
    beside = reactants & products
    if not reactants - beside or not products - beside:
        raise InputError(
            f"all on one side of the step '{text}' stands on the other too",
            hint="write what is used up before the first '>', and what is made behind the last",
        )
    made = (reactants - beside, agents + beside, products - beside)
    return Step(*(tuple(sorted(side.elements())) for side in made))


def _molecules(side: str) -> Counter[str]:
    return Counter(canonical_smiles(part) for part in side.split(".") if side.strip())


def depths_of(steps: Sequence[Step], route: str) -> Mapping[Step, int]:
    """How many steps, itself counted, lie on the longest way to each one.

    Raises:
        InputError: the steps need each other in a circle.
    """
    left, depths, made = list(steps), dict[Step, int](), dict[str, int]()
    while left:
        waiting = {product for step in left for product in step.products}
        ready = [step for step in left if not waiting.intersection(step.reactants)]
        if not ready:
            raise InputError(f"the steps of the route '{route}' need each other in a circle")
        for step in ready:
            depths[step] = 1 + max((made.get(each, 0) for each in step.reactants), default=0)
        for step in ready:
            for product in step.products:
                made[product] = max(made.get(product, 0), depths[step])
        left = [step for step in left if step not in depths]
    return depths


@dataclass(frozen=True, kw_only=True)
class Route:
    """How long and how large a route is, and what its reactions change.

    After the quantities come `made[i]`, the sum over the steps of the Morgan counts of the
    products less those of the reactants (a reaction difference fingerprint), and `from[i]`, the
    summed counts of the starting materials: what is a reactant of a step and the product of none.
    """

    radius: int = 2
    size: int = 512

    content: ClassVar[Content] = "dense"
    source: ClassVar[str] = "Schneider et al. 2015, doi:10.1021/ci5006614"

    def __post_init__(self) -> None:
        self._morgan  # noqa: B018  refuses what is out of range at once

    @functools.cached_property
    def _morgan(self) -> Morgan:
        return Morgan(radius=self.radius, size=self.size)

    @property
    def names(self) -> Sequence[str]:
        """The quantities, then `made[0]` ..., then `from[0]` ..."""
        folded = [f"{what}[{i}]" for what in ("made", "from") for i in range(self.size)]
        return [*QUANTITIES, *folded]

    @property
    def units(self) -> Sequence[str]:
        """Numbers of things, without unit."""
        return [""] * len(self.names)

    def canonical(self, material: str) -> str:
        """Canonical steps in the order in which they can be done, joined by '; '.

        Raises:
            InputError: a step cannot be read, or the steps need each other in a circle.
        """
        return "; ".join(str(step) for step in steps_of(material))

    def describe(self, materials: Sequence[str]) -> Floats:
        """n routes -> n x (6 + 2 size) numbers. Raises InputError as `canonical`."""
        out = np.empty((len(materials), len(self.names)))
        for row, route in enumerate(materials):
            steps = steps_of(route)
            out[row] = np.concatenate((_quantities(steps, route), *self._counts(steps)))
        return out

    def _counts(self, steps: Sequence[Step]) -> tuple[Floats, Floats]:
        made, start = np.zeros(self.size), np.zeros(self.size)
        for step in steps:
            for sign, side in ((1, step.products), (-1, step.reactants)):
                for smiles in side:
                    made += sign * self._morgan.counts(molecule(smiles))
        for smiles in _starting(steps):
            start += self._morgan.counts(molecule(smiles))
        return made, start


def _starting(steps: Sequence[Step]) -> list[str]:
    """Reactants that no step makes, as often as steps need them."""
    made = {product for step in steps for product in step.products}
    return [smiles for step in steps for smiles in step.reactants if smiles not in made]


def _quantities(steps: Sequence[Step], route: str) -> list[float]:
    used = {reactant for step in steps for reactant in step.reactants}
    starting = _starting(steps)
    agents = [smiles for step in steps for smiles in step.agents]
    final = {product for step in steps for product in step.products if product not in used}
    depth = max(depths_of(steps, route).values())
    sizes = [_heavy_atoms(each) for each in (starting, agents, final)]
    return [len(steps), depth, len(set(starting)), *sizes]


def _heavy_atoms(smiles: Any) -> float:
    return float(sum(molecule(each).GetNumHeavyAtoms() for each in smiles))
