"""Energies beside other energies: what an answer is made of, and how it is put together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from orchestrator.errors import CalculationFailed, InputError, StillRunning
from orchestrator.ports.action import Ticket
from simulators.atomistic.adsorption import adsorbate_of, covered, gas_of, slab_of
from simulators.atomistic.entries import Entry, shares_of
from simulators.atomistic.hull import best_mixture
from simulators.atomistic.requests import TOTALS
from simulators.atomistic.structures import atoms_of, text_of
from simulators.atomistic.vacuum import gaps_of, refuse_no_crystal

Relax = Callable[[str, Ticket], Awaitable[Mapping[str, Any]]]
"""Relaxes a structure's text: the fields of `StructureResult`."""
Check = Callable[[str], Any]
"""The atoms of a structure's text. Raises InputError: the method cannot compute them."""
COMPARED = ("formation_energy", "energy_above_hull", "adsorption_energy")
"""Actions that take energies of several structures from each other."""


async def relaxed(
    relax: Relax, structures: Mapping[str, str], ticket: Ticket
) -> dict[str, Mapping[str, Any]]:
    """All at a time, under tickets of their own: a part that is known is no answer to the whole.
    Raises what the first of them raises; the others are given up, but for what goes on where nobody
    waits for it: then all are begun."""
    running: dict[str, asyncio.Task[Mapping[str, Any] | StillRunning]] = {}
    try:
        async with asyncio.TaskGroup() as group:
            for name, text in structures.items():
                work = _awaited(relax(text, Ticket(f"{ticket}-{name}")))
                running[name] = group.create_task(work)
    except ExceptionGroup as failed:
        raise _first_of(failed.exceptions, running.values()) from None
    found: dict[str, Mapping[str, Any]] = {}
    for name, one in running.items():
        result = one.result()
        if isinstance(result, StillRunning):
            raise result
        found[name] = result
    return found


def refuse_totals(resource: str, settings: Mapping[str, Any]) -> None:
    """Raises InputError: the settings of the resource of this name give every structure the same
    charge or moment, those beside a candidate too."""
    for word in TOTALS:
        if settings.get("input", {}).get(word):
            raise InputError(
                f"'{resource}' gives every structure the same {word.rpartition('.')[2]}, and so "
                "those whose energies are subtracted too, such as the elements",
                hint="leave it away, or compute `energy` or `relax`",
            )


def _first_of(
    errors: Sequence[Exception], parts: Iterable[asyncio.Task[Mapping[str, Any] | StillRunning]]
) -> Exception:
    """The first error, with what all that was computed for it took."""
    first = errors[0]
    if isinstance(first, CalculationFailed):
        took = [e.seconds for e in errors if isinstance(e, CalculationFailed) and e.seconds]
        for part in parts:
            if not part.cancelled() and part.exception() is None:
                found = part.result()
                if not isinstance(found, StillRunning) and not found["reused"]:
                    took.append(found["seconds"])
        first.seconds = sum(took) if took else None
    return first


async def _awaited(work: Awaitable[Mapping[str, Any]]) -> Mapping[str, Any] | StillRunning:
    try:
        return await work
    except StillRunning as error:  # the others are begun, too
        return error


async def formed(
    relax: Relax,
    structure: str,
    shares: Mapping[str, float],
    element: Callable[[str], str],
    ticket: Ticket,
) -> dict[str, Any]:
    """The fields of `FormationEnergy`. `shares` are those of the structure's atoms; `element` gives
    the text of an element's reference structure."""
    texts = {"compound": structure, **{each: element(each) for each in sorted(shares)}}
    found = await relaxed(relax, texts, ticket)
    compound = found["compound"]
    reference = sum(share * found[each]["energy"] for each, share in shares.items())
    return {
        "formation_energy": compound["energy"] - reference,
        "energy": compound["energy"],
        "volume": compound["volume"],
        "structure": compound["structure"],
        "matched": compound.get("matched", ""),
        **_spent(found, "compound"),
    }


async def above_hull(
    relax: Relax,
    check: Check,
    mark: Callable[[str], str],
    spins: Callable[[Any], Collection[str]],
    structure: str,
    entries: Sequence[Entry],
    source: str,
    ticket: Ticket,
) -> dict[str, Any]:
    """The fields of `HullEnergy`. `source` names the entries, `mark` gives a structure's method,
    `spins` the elements whose moments atoms bring themselves.

    Raises:
        InputError: the entries do not make up the structure's composition, were computed by
            another method, or without spin beside a structure that has one.
    """
    atoms = check(structure)
    shares = shares_of(atoms.symbols)
    near = phases_near(check, mark, shares, entries, source)
    refuse_no_spin(near, spins(atoms), source)
    unknown = {f"e{i}": e.structure for i, e in enumerate(near) if e.energy is None}
    found = await relaxed(relax, {"compound": structure, **unknown}, ticket)
    energies = [
        entry.energy if entry.energy is not None else float(found[f"e{i}"]["energy"])
        for i, entry in enumerate(near)
    ]
    best = best_mixture(shares, [entry.shares for entry in near], energies)
    assert best is not None, "or there was a gap"
    compound = found["compound"]
    parts = sorted(best.shares.items(), key=lambda part: -part[1])
    return {
        "energy_above_hull": compound["energy"] - best.energy,
        "energy": compound["energy"],
        "volume": compound["volume"],
        "decomposition": " + ".join(f"{share:.3f} {near[i].name}" for i, share in parts),
        "method": mark(structure),
        "structure": compound["structure"],
        "matched": compound.get("matched", ""),
        **_spent(found, "compound"),
    }


def phases_near(
    check: Check,
    mark: Callable[[str], str],
    shares: Mapping[str, float],
    entries: Sequence[Entry],
    source: str,
) -> list[Entry]:
    """The entries with nothing but the elements of a composition. Raises as `above_hull`."""
    near = [entry for entry in entries if set(entry.shares) <= set(shares)]
    _refuse_gaps(shares, near, source)
    for entry in near:
        if entry.energy is None:
            check(entry.structure)
        elif entry.method != mark(entry.structure):
            raise InputError(
                f"the energy of '{entry.name}' in '{source}' is of the method '{entry.method}', "
                f"and this one is '{mark(entry.structure)}'",
                hint="leave its energy away: it is computed by this one, once",
            )
    return near


def refuse_no_spin(near: Sequence[Entry], spins: Collection[str], source: str) -> None:
    """Raises InputError: an entry with one of the elements `spins` brings no moments."""
    for entry in near:
        there = sorted(set(spins) & set(entry.shares))
        if there and not atoms_of(entry.structure).get_initial_magnetic_moments().any():
            raise InputError(
                f"a candidate brings moments of {' and '.join(there)}, and the entry "
                f"'{entry.name}' of '{source}' has none: its energy would be without spin",
                hint=f"write `moments: {there[0]}=...` in the lab file, or give them to the entry",
            )


def _refuse_gaps(shares: Mapping[str, float], near: Sequence[Entry], source: str) -> None:
    bare = [e for e in shares if not any(entry.shares.get(e) for entry in near)]
    if bare:
        raise InputError(
            f"'{source}' has no entry with {' and '.join(bare)} that holds nothing but "
            f"{', '.join(shares)}",
            hint="add the elements as entries",
        )
    elements = {next(iter(entry.shares)) for entry in near if len(entry.shares) == 1}
    if elements == set(shares):
        return
    if best_mixture(shares, [entry.shares for entry in near], [0.0] * len(near)) is None:
        formula = " ".join(f"{e} {share:.3g}" for e, share in shares.items())
        raise InputError(
            f"no mixture of the entries of '{source}' has the composition {formula}",
            hint="add the elements as entries",
        )


async def adsorbed(
    relax: Relax,
    check: Check,
    structure: str,
    where: Mapping[str, Any],
    element: Callable[[str], str],
    start: Callable[[Any], None],
    ticket: Ticket,
) -> dict[str, Any]:
    """The fields of `AdsorptionEnergy`. `where` holds the other arguments of the action; `element`
    gives the text of an element's reference structure; `start` gives atoms without moments those of
    the lab file: both parts, or those that the one brings would stand for the whole.

    Raises:
        InputError: facet or adsorbate are none, or the structure has no facets.
    """
    check(text_of(slab_begun(check(structure), where)))
    adsorbate = adsorbate_of(where["adsorbate"])
    is_atom = len(adsorbate) == 1
    gas = element(where["adsorbate"]) if is_atom else text_of(gas_of(adsorbate))
    check(gas)
    found = await relaxed(relax, {"crystal": structure, "gas": gas}, ticket)
    crystal = atoms_of(found["crystal"]["structure"])
    crystal.calc = None
    for each in (crystal, adsorbate):
        start(each)
    slab = slab_of(crystal, where["facet"], where["layers"], where["separation"])
    both = covered(slab, adsorbate, where["site"], where["height"])
    texts = {"slab": text_of(slab), "covered": text_of(both)}
    found |= await relaxed(relax, texts, ticket)
    energy = {name: one["energy"] * one["atoms"] for name, one in found.items()}
    reference = found["gas"]["energy"] if is_atom else energy["gas"]
    heights = atoms_of(found["covered"]["structure"]).positions[:, 2]
    n = len(slab)
    return {
        "adsorption_energy": energy["covered"] - energy["slab"] - reference,
        "height": float(heights[n:].min() - heights[:n].max()),
        "atoms": len(both),
        "structure": found["covered"]["structure"],
        **_spent(found, "covered"),
    }


def slab_begun(atoms: Any, where: Mapping[str, Any]) -> Any:
    """The slab of a crystal that is not relaxed yet, with the adsorbate on an atom: what the method
    will have to compute. `where` holds arguments of the action, of which some may not be known yet.
    Raises InputError: the facet is none of these atoms."""
    formula, gap = atoms.get_chemical_formula(), max(gaps_of(atoms))
    refuse_no_crystal("adsorption_energy", formula, atoms.pbc, gap)
    slab = slab_of(atoms, where["facet"], where.get("layers", 4), where.get("separation", 5.0))
    adsorbate = where.get("adsorbate")
    return covered(slab, adsorbate_of(adsorbate), "ontop", 2.0) if adsorbate else slab


def _spent(found: Mapping[str, Mapping[str, Any]], own: str) -> dict[str, Any]:
    """What it took and what was done for it. Of the parts that other candidates need too, only what
    was computed for this one counts: the next one has them for nothing."""
    took = (p["seconds"] for name, p in found.items() if name == own or not p["reused"])
    cures = [part["cures"] for part in found.values() if part.get("cures")]
    altered = [name for name, part in found.items() if part.get("altered")]
    others = [name for name in found if name not in altered]
    if altered and others:
        verbs = ["is" if len(names) == 1 else "are" for names in (altered, others)]
        cures.append(
            f"the difference is of unlike energies: {', '.join(altered)} {verbs[0]} altered, "
            f"{', '.join(others)} {verbs[1]} not"
        )
    return {
        "seconds": sum(took),
        "reused": min(part["reused"] for part in found.values()),
        "cures": "; ".join(dict.fromkeys(cures)),
        "altered": int(bool(altered)),
    }
