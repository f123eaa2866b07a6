"""A campaign on a lab, made ready: every expression compiled, every step bound to a resource."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from orchestrator.errors import UnknownName
from orchestrator.model.campaign import Campaign
from orchestrator.model.expression import TEXT, Expression, compile_expression
from orchestrator.model.lab import Lab
from orchestrator.model.quantity import convert
from orchestrator.model.recipe import Argument, Step
from orchestrator.model.space import (
    Point,
    parameter_units,
    point_values,
)
from orchestrator.ports.action import ActionSpec, ArgSpec
from orchestrator.ports.resource import ResourceKind
from orchestrator.ports.scans import Scans

RELEASE = "release"
"""The action by which a resource lets go of a sample, for one that has to be carried off after a
failure. It takes no arguments; a resource without it can be reached into at any time."""

Capabilities = Mapping[str, Mapping[str, ActionSpec]]


@dataclass(frozen=True)
class BoundStep:
    """A step with its resource. `constants` are in the resource's units; `computed` give them.
    Where a fidelity decides about the resource, `rungs` has the step of each level, and the one
    that counts stands for all."""

    step: Step
    resource: str
    action: ActionSpec
    constants: Mapping[str, Any]
    computed: Mapping[str, Expression]
    target: str
    makes_sample: bool
    rungs: Mapping[str, BoundStep] = field(default_factory=dict)

    def at(self, point: Point) -> BoundStep:
        """The step as it is made at a point."""
        return self.rungs[str(point[self.step.role])] if self.rungs else self

    @property
    def resources(self) -> frozenset[str]:
        """The resources that it may be sent to."""
        return frozenset(r.resource for r in self.rungs.values()) or frozenset({self.resource})

    @property
    def moves_sample(self) -> bool:
        """Whether the step takes the trial's sample to another position."""
        return bool(self.target)


@dataclass(frozen=True)
class Study:
    """Everything that stays the same while a campaign runs. The expression of a metric that is
    reduced of a file gives the file's hash, by which `scans` finds it."""

    campaign: Campaign
    lab: Lab
    campaign_id: str
    steps: tuple[BoundStep, ...]
    releases: Mapping[str, BoundStep]
    metrics: Mapping[str, Expression | None]
    holds: Mapping[str, frozenset[str]]
    capacity: Mapping[str, int]
    in_flight: int
    scans: Scans | None = None

    @cached_property
    def amounts(self) -> frozenset[tuple[str, str, str]]:
        """The resource, action and name of each argument that is an integer with a unit: one
        without says which channel, or the like."""
        made = [made for b in self.steps for made in (b, *b.rungs.values())]
        return frozenset(
            (b.resource, b.action.name, a.name)
            for b in made
            for a in b.action.args
            if a.kind == "integer" and a.unit
        )

    def values(self, point: Point) -> dict[str, Any]:
        """The point as names for expressions; a pool's columns as `<pool>.<column>`."""
        return point_values(self.campaign.space, point)

    def ticket(self, trial: int, step: str, attempt: int) -> str:
        """The identity of a step's attempt: a pure function, so that a replay gives it again."""
        text = f"{self.campaign_id}|{trial}|{step}|{attempt}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def step(self, name: str) -> BoundStep:
        """A step of the recipe, or the release of a position. Raises StopIteration."""
        return next(b for b in (*self.steps, *self.releases.values()) if b.step.name == name)


def prepare(
    campaign: Campaign,
    lab: Lab,
    campaign_id: str,
    kinds: Mapping[str, ResourceKind],
    capabilities: Capabilities,
) -> Study:
    """Binds a checked campaign to a checked lab.

    `kinds` is by resource name. The files must have been checked together before.
    """
    units = parameter_units(campaign.space)
    steps = []
    for step in campaign.recipe:
        found = {}
        for role in step.roles:
            resource = lab.roles[role]
            spec = kinds[resource].actions[step.action]
            contract = capabilities[campaign.roles[role]][step.action]
            found[role] = _bind(step, resource, spec, contract, units)
        last = found[step.roles[-1]]
        steps.append(replace(last, rungs=found) if step.rungs else last)
        results = last.action.results
        units |= {f"{step.name}.{r.name}": TEXT if r.kind == "text" else r.unit for r in results}
    metrics = {
        m.name: compile_expression(m.expression, units, TEXT if m.reduction else m.unit)
        if m.expression
        else None
        for m in campaign.metrics
    }
    holds = {b.name: frozenset({b.name, *b.parts.values()}) for b in lab.resources}
    capacity = {name: _capacity(kind, lab) for name, kind in kinds.items()}
    bound = tuple(steps)
    computing = frozenset(n for n, kind in kinds.items() if getattr(kind.cls, "computes", False))
    in_flight = _in_flight(campaign, lab, bound, capacity, computing)
    releases = _releases(lab, kinds)
    return Study(campaign, lab, campaign_id, bound, releases, metrics, holds, capacity, in_flight)


def _capacity(kind: ResourceKind, lab: Lab) -> int:
    """How many steps a resource takes at a time."""
    if lab.site is not None and getattr(kind.cls, "computes", False):
        return lab.site.at_once
    return int(getattr(kind.cls, "concurrent", 1))


def _releases(lab: Lab, kinds: Mapping[str, ResourceKind]) -> dict[str, BoundStep]:
    releases = {}
    for position in lab.positions:
        resource = lab.roles.get(position.name, "")
        spec = kinds[resource].actions.get(RELEASE) if resource else None
        if spec is not None:
            step = Step(name=f"release {position.name}", role=position.name, action=RELEASE)
            releases[position.name] = BoundStep(step, resource, spec, {}, {}, "", False)
    return releases


def _bind(
    step: Step, resource: str, spec: ActionSpec, contract: ActionSpec, units: Mapping[str, str]
) -> BoundStep:
    constants: dict[str, Any] = {}
    computed: dict[str, Expression] = {}
    target, makes = "", False
    for argument in step.arguments:
        declared = spec.arg(argument.name)
        if declared is None:
            raise UnknownName("argument", argument.name, [a.name for a in spec.args])
        if argument.expression is not None:
            computed[argument.name] = compile_expression(
                argument.expression, units, "text" if declared.kind == "text" else declared.unit
            )
        elif declared.kind == "sample":
            makes = argument.literal == "new"
        elif declared.kind == "target":
            target = str(argument.literal)
        elif declared.kind != "source":
            constants[argument.name] = _constant(argument, declared, contract.arg(argument.name))
    return BoundStep(step, resource, spec, constants, computed, target, makes)


def _constant(argument: Argument, declared: ArgSpec, contract: ArgSpec | None) -> Any:
    value = argument.literal
    if declared.kind == "text" or contract is None or isinstance(value, str) or value is None:
        return value
    number = convert(float(value), contract.unit, declared.unit)
    return int(number) if declared.kind == "integer" else number


def _in_flight(
    campaign: Campaign,
    lab: Lab,
    steps: tuple[BoundStep, ...],
    capacity: Mapping[str, int],
    computing: frozenset[str],
) -> int:
    """As many trials as the lab can work on: at each place that the recipe visits, as many as its
    slots and its tool can take, and one at a single place without a tool of its name. Without
    places, as many as the widest resource takes where all is computed, else the narrowest: what
    one trial left in a vessel is in the way of the next."""
    if campaign.in_flight is not None:
        return campaign.in_flight
    slots = {p.name: p.slots for p in lab.positions}
    tools = {s.step.role: s.resource for s in steps}
    visited = {s.target for s in steps if s.target in slots}
    n = sum(
        min(slots[p], capacity[tools[p]]) if p in tools else int(slots[p] == 1) for p in visited
    )
    each = [max(capacity[r] for r in s.resources) for s in steps]
    is_computed = all(s.resources <= computing for s in steps)
    return n or (max(each) if is_computed else min(each))
