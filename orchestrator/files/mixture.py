"""Reads a mixture: its components as parameters, and what binds them together."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.errors import InputError
from orchestrator.files.findings import Findings
from orchestrator.files.scope import Scope
from orchestrator.files.space_shapes import MixtureShape
from orchestrator.model.quantity import check_unit, quantity_in
from orchestrator.model.space import Mixture, Real


def read_mixture(
    findings: Findings, scope: Scope, name: str, shape: MixtureShape
) -> tuple[list[Real], Mixture] | None:
    """The components and the mixture; None (and mistakes) where it cannot be.

    The components' names are checked, but not yet declared.
    """
    path = ["space", name]
    for component in shape.mixture:
        with findings.at([*path, "mixture", component], key=True):
            scope.check_new(component)
    components = []
    for component, (low, high) in shape.mixture.items():
        with findings.at([*path, "mixture", component]):
            if low < 0:
                raise InputError(f"there cannot be less than nothing of '{component}'")
            if not low < high:
                raise InputError(f"the lower bound {low:g} is not below the upper bound {high:g}")
            if high > 1 and "total" not in shape.model_fields_set:
                raise InputError(
                    f"'{component}' reaches {high:g}, but without 'total' all sum to 1",
                    hint="say what they sum to, such as 'total: 100'",
                )
            components.append(Real(name=component, low=low, high=high, unit=shape.unit))
    with findings.at([*path, "unit"]):
        check_unit(shape.unit)
        if len(components) < len(shape.mixture):
            return None
        with findings.at(path, key=True):
            return components, _mixture(name, shape, components)
    return None


def _mixture(name: str, shape: MixtureShape, components: Sequence[Real]) -> Mixture:
    """Raises InputError: there is no such mixture."""
    total, least = (_in_unit(given, shape.unit) for given in (shape.total, shape.least))
    if total <= 0 or least < 0:
        raise InputError("a mixture needs a total above zero, and a least that is not below it")
    always = sum(c.low > 0 for c in components)
    present = tuple(shape.present) if shape.present else (max(1, always), len(components))
    fewest, most = present[0], present[1]
    if not 1 <= fewest <= most <= len(components):
        raise InputError(
            f"of {len(components)} components {fewest} to {most} cannot be present",
            hint=f"'present: [1, {len(components)}]' is the widest that there is",
        )
    if always > most:
        raise InputError(
            f"{always} components have a lower bound above zero, but at most {most} are present",
            hint="let a component that may be absent begin at 0",
        )
    _refuse_impossible(components, total, least, (max(fewest, always), most))
    names = tuple(c.name for c in components)
    return Mixture(name=name, components=names, total=total, present=(fewest, most), least=least)


def _refuse_impossible(
    components: Sequence[Real], total: float, least: float, present: tuple[int, int]
) -> None:
    """Whether some number of components can sum to the total: those that must be there, and of the
    others those that can be most."""
    slack = 1e-9 * total
    must = [c for c in components if c.low > 0]
    for component in must:
        if component.high < least:
            raise InputError(f"'{component.name}' is always there, but never up to 'least'")
    may = sorted((c.high for c in components if c.low <= 0 and c.high >= least), reverse=True)
    floors, tops = sum(max(c.low, least) for c in must), sum(c.high for c in must)
    if floors > total + slack:
        raise InputError(f"the lower bounds sum to {floors:g}, above the total of {total:g}")
    if sum(c.high for c in components) < total - slack:
        top = sum(c.high for c in components)
        raise InputError(f"the upper bounds sum to {top:g}, below the total of {total:g}")
    for n in range(present[0], present[1] + 1):
        extra = n - len(must)
        fits = floors + extra * least <= total + slack
        if extra <= len(may) and fits and tops + sum(may[:extra]) >= total - slack:
            return
    raise InputError(
        f"no mixture of {present[0]} to {present[1]} components sums to {total:g}",
        hint="widen the bounds, 'present' or 'least'",
    )


def _in_unit(given: float | str, unit: str) -> float:
    return quantity_in(given, unit) if isinstance(given, str) else float(given)
