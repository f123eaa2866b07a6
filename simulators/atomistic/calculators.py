"""Methods behind one capability, `StructureCalculation`: each a resource that a lab file names."""

from __future__ import annotations

import asyncio
import functools
import importlib.metadata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from orchestrator.capabilities.structures import (
    SITES,
    AdsorptionEnergy,
    ElasticConstants,
    EquationOfState,
    FormationEnergy,
    HullEnergy,
    StructureResult,
)
from orchestrator.errors import InputError, UnknownName
from orchestrator.keeping import kept_in
from orchestrator.ports.action import Cancel, Choices, Effect, FileArg, Ticket, Unit, action
from orchestrator.ports.compute import Before
from orchestrator.ports.resource import Bench, Verdict
from simulators.atomistic import comparing, electrons, methods, symmetric, vacuum
from simulators.atomistic.adsorption import adsorbate_of
from simulators.atomistic.computing import SETTINGS
from simulators.atomistic.contents import Contents, Seen, refuse_beyond, refuse_charged
from simulators.atomistic.dft_settings import ORDERS, own_spins, start_moments
from simulators.atomistic.elements import element_text, moment_beside
from simulators.atomistic.entries import Entry, read_entries, refuse_changed, shares_of
from simulators.atomistic.met import Met
from simulators.atomistic.options import one_of
from simulators.atomistic.requests import Method, Request, is_whole
from simulators.atomistic.structures import atoms_of
from simulators.calculator import Calculator

FUNCTION = "simulators.atomistic.computing:run"
LOAD = "simulators.atomistic.methods:load"
REUSE = ("exact", "matching")


class StructureCalculator(Calculator):
    """Computes structures, each in a child process and a directory of its own; what was computed
    before, with the same structure, settings and versions, is not computed again.

    Attributes:
        maker: what makes the ASE calculator, as "module:function".
        elements: those that the method knows; empty for all.
        largest: so many atoms at most.
        has_spin: whether an energy depends on the moments that atoms bring.
        has_charge: whether it depends on the charges that they bring.
    """

    implements = ("StructureCalculation",)
    maker: ClassVar[str] = ""
    elements: ClassVar[tuple[str, ...]] = ()
    largest: ClassVar[int] = 10_000
    has_spin: ClassVar[bool] = True
    has_charge: bool = False

    def __init__(
        self,
        bench: Bench,
        settings: Mapping[str, Any],
        files: list[Path],
        reuse: str = REUSE[0],
        cell: str = symmetric.CELLS[0],
    ) -> None:
        """`files` are what the method reads; they are hashed once. `reuse` says which known results
        are taken: those of the very same atoms (`exact`), or those of the same crystal in another
        cell too (`matching`). `cell` says whether a crystal is computed in its primitive one.

        Raises:
            InputError: a package is not installed, or the settings are of the cell that is given.
            UnknownName: there is no such reuse, or no such cell.
        """
        super().__init__(bench)
        one_of("reuse", reuse, REUSE)
        symmetric.refuse_cell(bench.name, cell, settings)
        self._reuse, self._cell = reuse, cell
        self._settings = dict(settings)
        self._files = files
        self._entries: dict[str, tuple[Entry, ...]] = {}
        self._accepted: set[str] = set()
        self._met = Met()
        self._seen = Seen(kept_in("structures"))

    @functools.cached_property
    def _method(self) -> Method:
        versions = {name: importlib.metadata.version(name) for name in self.packages}
        if self._files:
            versions["files"] = methods.hash_of(self._files)
        return Method(self.maker, self._settings, versions)

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def energy(self, structure: str, ticket: Ticket) -> StructureResult:
        """As it is given.

        Raises:
            InputError: the structure is none, or none that the method can compute.
            ExecutionError: the calculation failed.
        """
        return StructureResult(**await self._compute_task("energy", structure, ticket))

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def relax(self, structure: str, ticket: Ticket) -> StructureResult:
        """Atoms, and the cell where there is one, at rest. Raises as `energy`."""
        return StructureResult(**await self._compute_task("relax", structure, ticket))

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def equation_of_state(self, structure: str, ticket: Ticket) -> EquationOfState:
        """Of a crystal, around the volume that is given. Raises as `energy`."""
        return EquationOfState(**await self._compute_task("equation_of_state", structure, ticket))

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def formation_energy(self, structure: str, ticket: Ticket) -> FormationEnergy:
        """Of a crystal, from its elements in their forms at room temperature
        (see `simulators.atomistic.elements`); all relaxed. Raises as `energy`."""
        atoms = self._checked(structure)
        element = self._beside(atoms)
        self._check_elements(atoms.symbols, element)
        found = await comparing.formed(
            self._relaxed, structure, shares_of(atoms.symbols), element, ticket
        )
        return FormationEnergy(**found)

    def check(self, action: str, arguments: Mapping[str, Any]) -> None:
        """See `ports.resource.Foresighted`. Raises InputError."""
        self._refuse_task(action)
        if action in comparing.COMPARED:
            comparing.refuse_totals(self._bench.name, self._settings)
        entries, facet = arguments.get("entries"), arguments.get("facet")
        known = read_entries(entries) if isinstance(entries, str) else ()
        if isinstance(arguments.get("adsorbate"), str):
            adsorbate_of(arguments["adsorbate"])
        if "structure" not in arguments:
            return
        structure = arguments["structure"]
        held = self._seen.contents(structure)
        self._refuse(held)
        vacuum.refuse_no_crystal(action, held.formula, held.pbc, held.gap)
        self._met.add(action, held, structure)
        if action == "formation_energy":
            atoms = atoms_of(structure) if held.is_magnetic else None
            self._check_elements(held.symbols, self._beside(atoms))
        if known:
            check, name = self._checked_once, Path(str(entries)).name
            near = comparing.phases_near(check, self._mark, shares_of(held.symbols), known, name)
            if held.is_magnetic:
                comparing.refuse_no_spin(near, self._own_spins(atoms_of(structure)), name)
        if isinstance(facet, str):
            self._refuse(Contents.of(comparing.slab_begun(atoms_of(structure), arguments)))

    def survey(self, argument: str, values: Sequence[str]) -> None:
        """See `ports.resource.Surveying`."""
        if argument == "structure":
            self._seen.learn(values)

    def remarks(self) -> Sequence[str]:
        """See `ports.resource.Remarking`, and `Met`."""
        return self._met.remarks(self._bench.name, self._settings, self._cell)

    def _checked_once(self, structure: str) -> None:
        """As `_checked`, of what stands beside every candidate. Raises InputError."""
        if structure not in self._accepted:
            self._checked(structure)
            self._accepted.add(structure)

    def _check_elements(self, symbols: Iterable[str], text: Callable[[str], str]) -> None:
        """Raises InputError: an element's reference is none that the method can compute."""
        for element in sorted(set(symbols)):
            self._checked_once(text(element))

    def _beside(self, atoms: Any) -> Callable[[str], str]:
        """The text of an element's reference beside a structure, with a spin where that has one;
        None is one that brings none."""
        said = self._settings.get("moments", {})
        if not self.has_spin or atoms is None:
            return element_text
        return lambda element: element_text(element, moment_beside(atoms, element, said))

    def _start(self, atoms: Any) -> None:
        """Gives atoms the moments that the lab file says, where they bring none."""
        said, order = self._settings.get("moments", {}), self._settings.get("magnetic_order")
        start_moments(atoms, said, order or ORDERS[0])

    def _own_spins(self, atoms: Any) -> set[str]:
        """Elements with a moment that the structure brings, and the lab file does not say."""
        return own_spins(atoms, self._settings.get("moments", {})) if self.has_spin else set()

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def energy_above_hull(
        self, structure: str, entries: Annotated[str, FileArg()], ticket: Ticket
    ) -> HullEnergy:
        """Of a crystal, above the convex hull of the reference structures in a file (see
        `simulators.atomistic.entries`); each of them is relaxed once. Raises as `energy`, and
        InputError if they do not make up the composition or are of another method."""
        known = await asyncio.to_thread(self._unchanged_entries, entries)
        of, name = (self._relaxed, self._checked, self._mark, self._own_spins), Path(entries).name
        found = await comparing.above_hull(*of, structure, known, name, ticket)
        return HullEnergy(**found)

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def elastic_constants(self, structure: str, ticket: Ticket) -> ElasticConstants:
        """Of a crystal, which is brought to rest first. Raises as `energy`."""
        return ElasticConstants(**await self._compute_task("elastic_constants", structure, ticket))

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def adsorption_energy(
        self,
        structure: str,
        adsorbate: str,
        facet: str,
        ticket: Ticket,
        site: Annotated[str, Choices(SITES)] = "ontop",
        layers: Annotated[int, Unit("", low=1, high=20)] = 4,
        height: Annotated[float, Unit("angstrom", low=0.5, high=6.0)] = 2.0,
        separation: Annotated[float, Unit("angstrom", low=0.0, high=40.0)] = 5.0,
    ) -> AdsorptionEnergy:
        """Of a molecule of ASE's collection g2, or of an atom from its element, on a facet (hkl) of
        a crystal: the crystal is relaxed, a slab of it is cut (`simulators.atomistic.adsorption`),
        its upper half relaxes with and without the adsorbate. Bare slab and gas are computed once
        for all sites. Raises as `energy`, and InputError if facet or adsorbate are none."""
        where: dict[str, Any] = {"adsorbate": adsorbate, "facet": facet, "site": site}
        where |= {"layers": layers, "height": height, "separation": separation}
        relax = functools.partial(self._relaxed, keeps_cell=True)  # facets are of the given one
        of, beside = (relax, self._checked), self._beside(self._checked(structure))
        found = await comparing.adsorbed(*of, structure, where, beside, self._start, ticket)
        return AdsorptionEnergy(**found)

    async def ask(self, ticket: Ticket) -> Verdict:
        """As all calculators; a result that was found in its directory was computed."""
        verdict = await super().ask(ticket)
        if verdict.outcome != "done":
            return verdict
        said = {"cures": "", "altered": 0, **verdict.results, "reused": 0, "matched": ""}
        return replace(verdict, results=said)

    def _unchanged_entries(self, path: str) -> tuple[Entry, ...]:
        """The entries, as long as they are what they were at first. Raises as `read_entries`."""
        return refuse_changed(path, self._entries.setdefault(path, read_entries(path)))

    async def _relaxed(
        self, structure: str, ticket: Ticket, *, keeps_cell: bool = False
    ) -> Mapping[str, Any]:
        """One of several whose energies are subtracted."""
        comparing.refuse_totals(self._bench.name, self._settings)
        return await self._compute_task("relax", structure, ticket, keeps_cell=keeps_cell)

    def _mark(self, structure: str) -> str:
        """Of the method with which a structure is relaxed."""
        return self._method_of(self._checked(structure)).mark(SETTINGS["relax"])

    async def _compute_task(
        self, task: str, structure: str, ticket: Ticket, *, keeps_cell: bool = False
    ) -> dict[str, Any]:
        self._refuse_task(task)
        if self._cell == "primitive" and not keeps_cell:
            structure = symmetric.primitive_text(structure)
        atoms = self._checked(structure)
        method = self._method_of(atoms)
        request = Request(task, structure, method, SETTINGS[task])
        arguments = {
            "task": task,
            "structure": structure,
            "calculator": self.maker,
            "settings": {**method.settings, **self._running_with(atoms)},
        }
        name = self.maker.partition(":")[2]
        before = Before(LOAD, {"name": name, "settings": self._settings})
        key, kind, matches = request.key(), request.kind(), self._bench.matches
        match = matches.find(kind, structure, key) if matches is not None and kind else None
        if match is not None and self._reuse == "matching" and not keeps_cell:
            return {**match.result, "reused": 1, "matched": match.key}
        found = await self._compute().submit(
            FUNCTION, arguments, ticket=ticket, key=key, before=before
        )
        if found["reused"] and not is_whole(task, found):  # another version kept it
            again = await self._compute().submit(FUNCTION, arguments, ticket=ticket, before=before)
            found = {**again, "reused": 0}
        if matches is not None and kind and not found["reused"]:
            matches.note(kind, key)
        return {**found, "matched": "" if match is None else match.key}

    def _method_of(self, atoms: Any) -> Method:
        """All that a structure's result depends on."""
        return self._method

    def _running_with(self, atoms: Any) -> dict[str, Any]:
        """Settings that the result does not depend on: a command, a walltime."""
        return {}

    def _checked(self, structure: str) -> Any:
        """The atoms. Raises InputError."""
        atoms = atoms_of(structure)
        self._refuse(Contents.of(atoms))
        return atoms

    def _refuse_task(self, task: str) -> None:
        """Raises InputError: the method computes no such thing."""

    def _refuse(self, held: Contents) -> None:
        """Raises InputError: it is none that the method can compute, wherever its atoms are."""
        refuse_beyond(self._bench.name, held, self.elements, self.largest)
        if not self.has_charge:
            refuse_charged(self._bench.name, held)


EMT_ELEMENTS = ("Al", "Cu", "Ag", "Au", "Ni", "Pd", "Pt", "H", "C", "N", "O")


class EmtStructures(StructureCalculator):
    """Effective medium theory: fcc metals, milliseconds; Al is poor, H, C, N and O are for fun."""

    packages = ("ase",)
    vendor = "ASE"
    method = "EMT"
    maker = "simulators.atomistic.methods:emt"
    elements = EMT_ELEMENTS
    has_spin = False

    def __init__(self, bench: Bench, reuse: str = REUSE[0]) -> None:
        """Nothing is opened. Raises UnknownName: there is no such reuse."""
        super().__init__(bench, {}, [], reuse)


class Gfn(StructureCalculator):
    """Tight binding by tblite. `method` is 'GFN2-xTB' or 'GFN1-xTB'."""

    packages = ("tblite", "ase")
    extras = "molecules"
    method = "GFN-xTB"
    has_charge = True
    maker = "simulators.atomistic.methods:xtb"

    def __init__(self, bench: Bench, method: str = "GFN2-xTB") -> None:
        """Raises InputError: it is not installed, or the method is not known."""
        if method not in ("GFN2-xTB", "GFN1-xTB"):
            raise UnknownName("method of tblite", method, ("GFN2-xTB", "GFN1-xTB"))
        super().__init__(bench, {"method": method}, [])

    def _refuse(self, held: Contents) -> None:
        super()._refuse(held)
        electrons.refuse_beyond_gfn(self._bench.name, held)


class QuantumChemistry(StructureCalculator):
    """Molecules by PySCF. `method` is HF, MP2, CCSD or CCSD(T), or a functional; `basis` a basis
    set that PySCF knows; `grid` the fineness of a functional's grid, 0 to 9. Without `forces` an
    energy costs less, and nothing can be relaxed. Not for crystals."""

    packages = ("pyscf", "ase")
    extras = "molecules"
    method = "PySCF"
    has_charge = True
    maker = "simulators.atomistic.methods:pyscf"
    largest = 60

    def __init__(
        self,
        bench: Bench,
        method: str = "PBE",
        basis: str = "def2-svp",
        grid: Annotated[int, Unit("", low=0, high=9)] = 3,
        forces: bool = True,
    ) -> None:
        """Raises InputError: it is not installed."""
        more = ({"grid": grid} if grid != 3 else {}) | ({} if forces else {"forces": False})
        super().__init__(bench, {"method": method, "basis": basis, **more}, [])
        self._has_forces, self._basis = forces and method != "CCSD(T)", basis

    def check(self, action: str, arguments: Mapping[str, Any]) -> None:
        """See `ports.resource.Foresighted`. Raises InputError."""
        electrons.refuse_no_words_of_pyscf(self._settings["method"], self._basis)
        super().check(action, arguments)
        if "structure" in arguments:
            held = self._seen.contents(arguments["structure"])
            electrons.refuse_without_basis(self._bench.name, self._basis, held.symbols)

    def _method_of(self, atoms: Any) -> Method:
        """With the potentials of heavy cores: before there were any, results were others."""
        return electrons.with_cores(self._method, self._basis, atoms)

    def _refuse_task(self, task: str) -> None:
        if task != "energy" and not self._has_forces:
            raise InputError(
                f"'{self._bench.name}' computes no forces, {task} needs them",
                hint="relax with another method, and give this one the structure",
            )

    def _refuse(self, held: Contents) -> None:
        super()._refuse(held)
        if any(held.pbc):
            raise InputError(f"'{self._bench.name}' computes molecules, {held.formula} has a cell")
        electrons.refuse_unpaired(held)
        electrons.refuse_without_core(self._bench.name, self._basis, held.symbols)
