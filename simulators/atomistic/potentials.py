"""Learned potentials as resources of a lab, and how one of them is tuned by new labels."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from orchestrator.errors import InputError, UnknownName
from orchestrator.ports.action import Cancel, Effect, FileArg, Ticket, Unit, action
from orchestrator.ports.compute import Before
from orchestrator.ports.resource import Bench
from simulators.atomistic import methods
from simulators.atomistic.calculators import LOAD, REUSE, StructureCalculator
from simulators.atomistic.contents import Contents
from simulators.atomistic.requests import Method
from simulators.atomistic.tuned import read_tuned
from simulators.calculator import Calculator

TUNE = "simulators.atomistic.tuning:tune"


_MPTRJ = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se "
    "Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb "
    "Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Ac Th Pa U Np Pu"
)
"""The elements of the trajectories that these potentials learned from [Deng et al. 2023]. CHGNet
answers for polonium to radium, too, of which it has seen nothing."""


class Potential(StructureCalculator):
    """A learned potential whose weights are inside its package.

    Attributes:
        weights: the folder of each model's weights, in the package.
        unseen: an element that a model has not learned.
    """

    extras = "potentials"
    has_spin = False
    elements = tuple(_MPTRJ.split())
    weights: ClassVar[Mapping[str, str]] = {}
    unseen: ClassVar[Mapping[str, str]] = {}

    def __init__(self, bench: Bench, model: str, reuse: str) -> None:
        """Looks whether the weights are there.

        Raises:
            InputError: it is not installed, or has no such model.
        """
        Calculator.__init__(self, bench)
        if model not in self.weights:
            raise UnknownName(f"model of {self.method}", model, self.weights)
        files = methods.weights_of(self.packages[0], self.weights[model])
        super().__init__(bench, {"model": model}, files, reuse)

    def _refuse(self, held: Contents) -> None:
        super()._refuse(held)
        model, name = self._settings["model"], self._bench.name
        if self.unseen.get(model) in held.symbols:
            raise InputError(f"the model {model} of '{name}' knows no {self.unseen[model]}")


class Chgnet(Potential):
    """CHGNet; `model` is '0.3.0' (PBE) or 'r2scan'."""

    packages = ("chgnet", "torch", "ase")
    method = "CHGNet"
    maker = "simulators.atomistic.methods:chgnet"
    weights: ClassVar[Mapping[str, str]] = {
        "0.3.0": "pretrained/0.3.0",
        "r2scan": "pretrained/r2scan",
    }
    unseen: ClassVar[Mapping[str, str]] = {"r2scan": "Yb"}

    def __init__(self, bench: Bench, model: str = "0.3.0", reuse: str = REUSE[0]) -> None:
        """See `Potential`."""
        super().__init__(bench, model, reuse)


@dataclass(frozen=True)
class Tuned:
    """What became of a potential. Errors are mean absolute ones of the labels that were left out:
    of the potential as it was, but for the energies of single atoms, and of the tuned one."""

    error_before: Annotated[float, Unit("eV")]
    error_after: Annotated[float, Unit("eV")]
    labels: Annotated[int, Unit("")]
    left_out: Annotated[int, Unit("")]


class Sevennet(Potential):
    """SevenNet; `model` is '7net-0' or '7net-l3i5' (PBE); `tuned` is a file that `fine_tune` wrote:
    then it is another method."""

    packages = ("sevenn", "torch", "ase")
    method = "SevenNet"
    maker = "simulators.atomistic.methods:sevennet"
    weights: ClassVar[Mapping[str, str]] = {
        "7net-0": "pretrained_potentials/SevenNet_0__11Jul2024",
        "7net-l3i5": "pretrained_potentials/SevenNet_l3i5",
    }

    def __init__(
        self,
        bench: Bench,
        model: str = "7net-0",
        reuse: str = REUSE[0],
        tuned: Annotated[str, FileArg()] = "",
    ) -> None:
        """See `Potential`. Raises InputError: `tuned` is no such file, or of another model."""
        super().__init__(bench, model, reuse)
        if tuned:
            path = Path(tuned).expanduser().resolve()
            read_tuned(path, model)
            self._files = [*self._files, path]
            self._settings["tuned"] = str(path)

    def _method_of(self, atoms: Any) -> Method:
        """The tuned file counts by what it holds, among the files."""
        return replace(self._method, settings={"model": self._settings["model"]})

    def _running_with(self, atoms: Any) -> dict[str, Any]:
        return {name: said for name, said in self._settings.items() if name == "tuned"}

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def fine_tune(
        self,
        labels: Annotated[str, FileArg()],
        energy: str,
        into: str,
        ticket: Ticket,
        where: str = "",
    ) -> Tuned:
        """Fits the last layer to new labels, and writes what it changes into a file.

        See `simulators.atomistic.tuning`; the file is `into`. `labels` are structures in an
        extended XYZ or an ase.db, such as `hagane export` writes; `energy` names the value that is
        their energy in eV per atom; `where`, such as `rung=exact`, says which of them count.

        Raises:
            InputError: there are too few, or the file cannot be read.
            ExecutionError: it does not help with labels that were left out, and nothing is written.
        """
        from simulators.atomistic.tuning import read_labels

        if "tuned" in self._settings:
            raise InputError("it is tuned already", hint="tune the model itself, by all labels")
        told = {"labels": str(Path(labels).resolve()), "energy": energy, "where": where}
        told |= {"model": self._settings["model"], "into": str(Path(into).expanduser().resolve())}
        await asyncio.to_thread(read_labels, Path(told["labels"]), energy, where)
        before = Before(LOAD, {"name": "sevennet", "settings": self._settings})
        found = await self._compute().submit(TUNE, told, ticket=ticket, before=before)
        return Tuned(**found)
