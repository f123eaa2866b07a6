"""Holds a campaign against a lab: bound roles, fulfilled capabilities, positions, limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from orchestrator.errors import Problem, did_you_mean
from orchestrator.files.declared import KindOf, kind_of
from orchestrator.files.document import Document, Node, parse_document
from orchestrator.files.findings import Findings
from orchestrator.files.recipe import check_limits
from orchestrator.files.scope import Scope
from orchestrator.model.campaign import Campaign
from orchestrator.model.lab import Lab
from orchestrator.model.quantity import same_dimension
from orchestrator.model.recipe import Argument, Step
from orchestrator.ports.action import ActionSpec, ArgSpec, ResultSpec
from orchestrator.ports.resource import ResourceKind

Actions = Mapping[str, ActionSpec]


def check_together(
    campaign: Campaign,
    lab: Lab,
    kind: KindOf,
    capability: Callable[[str], Actions],
) -> None:
    """Accepts a campaign and a lab that fit together; nothing is opened.

    Limits are compared with literals and with the whole space of parameters that are passed on as
    they are, to a role's own resource, and to the parts of a composite that says so (`passes_on`);
    all else is checked when it is dispatched.

    Raises:
        FileProblems: with everything that does not fit, at its place in the lab file.
    """
    _Holding(campaign, lab, kind, capability).check()


def fulfils(kind: ResourceKind, capability_name: str, actions: Actions) -> list[Problem]:
    """What keeps a kind of resource from a capability; empty if nothing does.

    It needs every action, with every argument and result of the same sort and in a unit of the
    same dimension; limits may be narrower.
    """
    problems = []
    for name, wanted in actions.items():
        offered = kind.actions.get(name)
        if offered is None:
            hint = did_you_mean(name, kind.actions)
            problems.append(Problem(f"'{kind.name}' has no action '{name}'", hint))
        else:
            where = f"{kind.name}.{name}"
            problems += [Problem(f"{where} {lack}") for lack in _lacks(wanted, offered)]
    return [replace(p, message=f"{p.message}, which {capability_name} needs") for p in problems]


def _lacks(wanted: ActionSpec, offered: ActionSpec) -> Iterator[str]:
    for arg in wanted.args:
        theirs = offered.arg(arg.name)
        if theirs is None or not _takes(arg, theirs):
            yield f"does not take '{arg.name}' as {_described(arg)}"
    for extra in offered.args:
        if extra.required and wanted.arg(extra.name) is None:
            yield f"cannot do without '{extra.name}'"
    results = {result.name: result for result in offered.results}
    for result in wanted.results:
        given = results.get(result.name)
        if given is None or not _gives(result, given):
            yield f"does not give '{result.name}' as {_described(result)}"


def _takes(wanted: ArgSpec, offered: ArgSpec) -> bool:
    is_sort = wanted.kind == offered.kind or (wanted.kind, offered.kind) == ("integer", "real")
    has_words = not offered.choices or set(wanted.choices) <= set(offered.choices)
    can_be_left_out = wanted.required or not offered.required
    return is_sort and has_words and can_be_left_out and same_dimension(wanted.unit, offered.unit)


def _gives(wanted: ResultSpec, offered: ResultSpec) -> bool:
    is_sort = wanted.kind == offered.kind or (wanted.kind, offered.kind) == ("real", "integer")
    return is_sort and same_dimension(wanted.unit, offered.unit)


def _described(spec: ArgSpec | ResultSpec) -> str:
    return spec.kind + (f" in '{spec.unit}'" if spec.unit else "")


class _Holding:
    def __init__(
        self,
        campaign: Campaign,
        lab: Lab,
        kind: KindOf,
        capability: Callable[[str], Actions],
    ) -> None:
        self._campaign, self._lab = campaign, lab
        self._kind, self._capability = kind, capability
        self._findings = Findings(_document(lab))
        self._scope = Scope()
        for parameter in campaign.space.parameters:
            self._scope.declare(parameter)
        for condition in campaign.space.conditions:
            self._scope.widen(condition.name, condition.otherwise)

    def check(self) -> None:
        self._check_parts()
        for role, name in self._campaign.roles.items():
            self._check_role(role, name)
        for step in self._campaign.recipe:
            self._check_step(step)
            self._check_rungs(step)
        self._findings.raise_any()

    def _check_step(self, step: Step) -> None:
        actions = self._capability(self._campaign.roles[step.roles[-1]])
        for argument in step.arguments:
            wanted = actions[step.action].arg(argument.name)
            if wanted is None:
                continue
            if wanted.kind in ("real", "integer"):
                for role in step.roles:
                    self._check_limits(step, role, wanted, argument)
            elif argument.literal is not None:
                self._check_position(step, wanted, argument.literal)

    def _check_role(self, role: str, capability_name: str) -> None:
        if role in self._lab.roles:
            path = ["roles", role]
            self._check_fulfilled(path, self._lab.roles[role], role, capability_name)
            return
        message = f"the campaign's role '{role}' ({capability_name}) is not bound to a resource"
        self._findings.add(["roles"], message, f"write '{role}: RESOURCE'", key=True)

    def _check_parts(self) -> None:
        for binding in self._lab.resources:
            parts = kind_of(self._kind, binding).parts
            for part, resource in binding.parts.items():
                path = ["resources", binding.name, "parts", part]
                self._check_fulfilled(path, resource, part, parts[part])

    def _check_fulfilled(self, path: list[str], resource: str, place: str, name: str) -> None:
        with self._findings.at(path):
            offered = kind_of(self._kind, self._lab.resource(resource))
            for problem in fulfils(offered, name, self._capability(name)):
                message = f"'{resource}' cannot be '{place}': {problem.message}"
                self._findings.add(path, message, problem.hint)

    def _check_rungs(self, step: Step) -> None:
        """What a step gives is in the same units at every rung."""
        last = self._offered(step.roles[-1], step.action)
        for role in step.rungs[:-1]:
            offered = self._offered(role, step.action)
            if last is None or offered is None:
                continue
            units = {r.name: r.unit for r in last.results}
            for result in offered.results:
                if units.get(result.name, result.unit) != result.unit:
                    message = (
                        f"'{role}' gives '{result.name}' of step '{step.name}' in "
                        f"'{result.unit}', but '{step.roles[-1]}' in '{units[result.name]}'"
                    )
                    self._findings.add(["roles", role], message, "rungs must give the same unit")

    def _offered(self, role: str, action: str) -> ActionSpec | None:
        resource = self._lab.roles.get(role)
        if resource is None:
            return None
        return kind_of(self._kind, self._lab.resource(resource)).actions.get(action)

    def _check_position(self, step: Step, wanted: ArgSpec, literal: object) -> None:
        """A position that the recipe names, or a store where it takes a new sample."""
        positions = {position.name: position for position in self._lab.positions}
        if wanted.kind == "sample":
            if not any(position.stores_new for position in positions.values()):
                message = f"step '{step.name}' takes a new sample, but no position stores them"
                hint = "give one 'stores_new: true'"
                self._findings.add(["positions"], message, hint, key=True)
        elif wanted.kind == "target" and literal not in positions:
            message = f"'{literal}' in step '{step.name}' is not a position of this lab"
            hint = did_you_mean(str(literal), positions)
            self._findings.add(["positions"], message, hint, key=True)

    def _check_limits(self, step: Step, role: str, wanted: ArgSpec, argument: Argument) -> None:
        """Literals and whole ranges, against the role's resource's own limits and the lab's."""
        resource = self._lab.roles.get(role)
        if resource is None:
            return
        action = self._offered(role, step.action)
        offered = action.arg(argument.name) if action else None
        if offered is None or not same_dimension(wanted.unit, offered.unit):
            return
        extent = self._extent(step, wanted, argument)
        if extent is None:
            return
        by = f"'{resource}' takes '{argument.name}'"
        with self._findings.at(["roles", role]):
            extent.hold(offered, by)
        self._check_lab_limits(resource, step.action, offered, extent)
        for place in self._passed_on(resource, step.action, argument.name):
            self._check_part(resource, place, extent)

    def _extent(self, step: Step, wanted: ArgSpec, argument: Argument) -> _Extent | None:
        """What an argument may become; None where only a trial can tell."""
        if argument.expression in self._scope.ranges:
            low, high = self._scope.ranges[argument.expression]
            unit = self._scope.units[argument.expression]
            return _Extent(f"the space of '{argument.expression}'", low, high, unit)
        if isinstance(argument.literal, int | float):
            number = float(argument.literal)
            return _Extent(f"'{argument.name}' in step '{step.name}'", number, number, wanted.unit)
        return None

    def _check_lab_limits(self, resource: str, action: str, arg: ArgSpec, extent: _Extent) -> None:
        name = f"{resource}.{action}"
        for limit in self._lab.limits:
            if (limit.resource, limit.action, limit.argument) == (resource, action, arg.name):
                narrowed = replace(arg, low=limit.low, high=limit.high)
                with self._findings.at(["limits", name, arg.name], key=True):
                    extent.hold(narrowed, f"the lab limits '{arg.name}' of {name} to")

    def _passed_on(self, resource: str, action: str, argument: str) -> tuple[str, ...]:
        """Where a composite says that it passes an argument on as it is: `part.action.argument`."""
        passed = kind_of(self._kind, self._lab.resource(resource)).passes_on
        return passed.get(action, {}).get(argument, ())

    def _check_part(self, composite: str, place: str, extent: _Extent) -> None:
        part, action, name = place.split(".")
        resource = self._lab.resource(composite).parts.get(part)
        if resource is None:
            return
        offered = kind_of(self._kind, self._lab.resource(resource)).actions.get(action)
        arg = offered.arg(name) if offered is not None else None
        if arg is None or not same_dimension(extent.unit, arg.unit):
            return
        with self._findings.at(["resources", composite, "parts", part]):
            extent.hold(arg, f"'{resource}' takes '{name}'")
        self._check_lab_limits(resource, action, arg, extent)


@dataclass(frozen=True)
class _Extent:
    """What an argument may become, in a unit, and how that is called."""

    what: str
    low: float
    high: float
    unit: str

    def hold(self, arg: ArgSpec, by: str) -> None:
        """Accepts it if it lies within the limits of an argument. Raises InputError."""
        check_limits(self.what, arg, self.low, self.high, self.unit, by=by)


def _document(lab: Lab) -> Document:
    if lab.text:
        return parse_document(lab.text, lab.source)
    return Document(lab.source or lab.name, "", Node({}, 0, 0))
