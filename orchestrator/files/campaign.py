"""Reads a campaign file into the model, with every mistake at once."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from orchestrator.errors import InputError, UnknownName
from orchestrator.files.canonical import content_hash
from orchestrator.files.checks import read_block, read_confirm, read_controls
from orchestrator.files.conditions import read_constraints
from orchestrator.files.describing import Kinds
from orchestrator.files.document import Document, parse_document, read_document, refuse_the_other
from orchestrator.files.findings import Findings
from orchestrator.files.outcome import read_contexts, read_metrics, refuse_parameters
from orchestrator.files.recipe import positive_seconds, read_recipe
from orchestrator.files.scope import Scope
from orchestrator.files.shapes import BudgetShape, CampaignHeading, CampaignShape, PlannerShape
from orchestrator.files.space import read_space
from orchestrator.files.start import Start, read_start
from orchestrator.files.transfer import Transfer, read_transfer
from orchestrator.files.wanted import read_objective, read_stop
from orchestrator.model.campaign import Budget, Campaign, PlannerChoice
from orchestrator.model.objective import PREFERENCE, Metric, Objective
from orchestrator.model.recipe import Step
from orchestrator.model.space import Pool, SearchSpace, fidelity_of
from orchestrator.ports.action import ActionSpec

Actions = Mapping[str, ActionSpec]
ENDLESS = sys.maxsize
"""The trials of a budget where a file need not say any."""


def load_campaign(
    path: Path | str,
    capability: Callable[[str], Actions],
    capabilities: Collection[str],
    planners: Collection[str],
    kinds: Kinds | None = None,
    *,
    needs_budget: bool = True,
) -> Campaign:
    """Reads and checks a campaign file; nothing is opened but its tables.

    Args:
        path: the YAML file; tables of pools are looked for beside it.
        capability: gives the actions of an installed capability.
        capabilities: names of the installed capabilities.
        planners: names of the installed kinds of planner.
        kinds: the installed descriptors and generators.
        needs_budget: whether it has to say when it ends; who only asks what is next need not know.

    Raises:
        FileProblems: with every mistake of the file and its place.
    """
    document = read_document(Path(path))
    sentence, hint = "it is a lab file, not a campaign file", "it is named with --lab FILE"
    refuse_the_other(document, "space", "resources", sentence, hint)
    reading = _Reading(document, Path(path).parent, kinds or Kinds(), needs_budget=needs_budget)
    return reading.campaign(capability, capabilities, planners)


def campaign_from_text(
    text: str,
    source: str,
    planners: Collection[str],
    kinds: Kinds | None = None,
) -> Campaign:
    """A campaign without roles, from the text of a file; tables are looked for where one is. It
    need not say when it ends.

    Raises:
        FileProblems: with every mistake and its place in the text.
    """

    def none(name: str) -> Actions:
        raise UnknownName("capability that is installed", name, ())

    document = parse_document(text, source)
    reading = _Reading(document, Path(), kinds or Kinds(), needs_budget=False)
    return reading.campaign(none, (), planners)


class _Reading:
    def __init__(
        self, document: Document, folder: Path, kinds: Kinds, *, needs_budget: bool
    ) -> None:
        self._document = document
        self._folder, self._kinds = folder, kinds
        self._may_lack = frozenset() if needs_budget else frozenset({"budget"})
        self._findings = Findings(document)
        self._scope = Scope()

    def campaign(
        self,
        capability: Callable[[str], Actions],
        capabilities: Collection[str],
        planners: Collection[str],
    ) -> Campaign:
        findings = self._findings
        findings.keys([], CampaignShape, "a key of a campaign", may_lack=self._may_lack)
        heading = findings.shaped([], CampaignHeading, "a key of a campaign", partly=True)
        space = read_space(findings, self._scope, self._folder, self._kinds)
        constraints = read_constraints(findings, self._scope, space)
        space = space.model_copy(update={"constraints": constraints})
        roles = self._roles(capability, capabilities)
        recipe = read_recipe(findings, self._scope, roles, fidelity_of(space))
        self._refuse_costs_that_nobody_tells(space)
        metrics = read_metrics(findings, self._scope)
        refuse_parameters(findings, space)
        contexts = read_contexts(findings, self._scope, space)
        objective = read_objective(findings, self._scope, metrics, space)
        stop = read_stop(findings, metrics, objective)
        planner, budget = self._planner(planners), self._budget()
        self._refuse_emptiness(objective)
        block = read_block(findings, [*metrics, *contexts])
        lot = {**metrics, **contexts}.get(block.metric) if block is not None else None
        start = self._start(space, metrics, objective, lot)
        transfer = read_transfer(
            findings, space, metrics, objective, self._folder, self._kinds.descriptors
        )
        controls, confirm = read_controls(findings, space), read_confirm(findings, objective)
        findings.raise_any()
        assert heading is not None, "or it was a finding"
        assert objective is not None, "or it was a finding"
        assert budget is not None, "or it was a finding"
        return Campaign(
            name=heading.name,
            goal=heading.goal,
            space=space,
            roles={name: str(findings.plain(["roles", name])) for name in roles},
            recipe=recipe,
            metrics=_all_metrics(metrics, contexts, objective),
            objective=objective,
            planner=planner,
            budget=budget,
            stop=stop,
            start=start.trials,
            start_from=start.campaign,
            sources=transfer.sources,
            sources_wanted=transfer.wanted,
            controls=controls,
            confirm=confirm,
            block=block,
            in_flight=heading.in_flight,
            seed=heading.seed,
            source=self._document.source,
            text=self._document.text,
            file_hash=content_hash(
                self._document.root.plain(),
                _tables(space, start, transfer) | _files(recipe) | _targets(metrics),
            ),
        )

    def _refuse_costs_that_nobody_tells(self, space: SearchSpace) -> None:
        fidelity = fidelity_of(space)
        if fidelity is None or fidelity.costs or self._findings.plain(["recipe"]):
            return
        message = f"nothing tells what a trial at each '{fidelity.name}' costs: there is no recipe"
        levels = ", ".join(f"{level}: COST" for level in fidelity.levels)
        path = ["space", fidelity.name, "fidelity"]
        self._findings.add(path, message, f"write '{{{levels}}}', in any unit")

    def _start(
        self,
        space: SearchSpace,
        metrics: Mapping[str, Metric | None],
        objective: Objective | None,
        lot: Metric | None,
    ) -> Start:
        names = objective.metrics if objective else ()
        wanted = [metric for name in names if (metric := metrics.get(name)) is not None]
        return read_start(self._findings, space, wanted, self._folder, lot)

    def _roles(
        self, capability: Callable[[str], Actions], capabilities: Collection[str]
    ) -> dict[str, Actions | None]:
        roles: dict[str, Actions | None] = {}
        for role in self._findings.entries(["roles"], named=True):
            roles[role] = None
            name = self._findings.plain(["roles", role])
            with self._findings.at(["roles", role]):
                if not isinstance(name, str):
                    raise InputError(f"the role '{role}' needs the name of a capability")
                if name not in capabilities:
                    raise UnknownName("capability that is installed", name, capabilities)
                roles[role] = capability(name)
        return roles

    def _planner(self, planners: Collection[str]) -> PlannerChoice:
        shape = self._findings.shaped(["planner"], PlannerShape, "a key of the planner")
        if shape is None:
            return PlannerChoice()
        if shape.kind not in planners:
            with self._findings.at(["planner", "kind"]):
                raise UnknownName("kind of planner that is installed", shape.kind, planners)
        options = dict(shape.__pydantic_extra__ or {})
        return PlannerChoice(kind=shape.kind, initial=shape.initial, options=options)

    def _budget(self) -> Budget | None:
        if self._findings.plain(["budget"]) is None:
            return Budget(trials=ENDLESS) if self._may_lack else None
        shape = self._findings.shaped(["budget"], BudgetShape, "a key of the budget")
        if shape is None:
            return None
        time_s = None
        if shape.time is not None:
            with self._findings.at(["budget", "time"]):
                time_s = positive_seconds(shape.time)
        return Budget(trials=shape.trials, time_s=time_s)

    def _refuse_emptiness(self, objective: Objective | None) -> None:
        if self._findings.plain(["space"]) == {}:
            self._findings.add(["space"], "'space' is empty")
        by_preference = objective is not None and objective.by_preference
        if not self._findings.plain(["metrics"]) and not by_preference:
            self._findings.add(["metrics"], "no metric is measured", key=True)


def _tables(space: SearchSpace, start: Start, transfer: Transfer) -> dict[str, str]:
    """sha256 of every table that the file names."""
    pools = {p.name: p.sha256 for p in space.parameters if isinstance(p, Pool) and p.sha256}
    sources = {f"transfer:{i}": sha256 for i, sha256 in enumerate(transfer.sha256)}
    return pools | sources | ({"start:": start.sha256} if start.sha256 else {})


def _targets(metrics: Mapping[str, Metric | None]) -> dict[str, str]:
    """sha256 of every curve that a metric is the distance to."""
    named = {
        name: metric.reduction.target
        for name, metric in metrics.items()
        if metric is not None and metric.reduction is not None and metric.reduction.target[0]
    }
    return {f"target:{k}": hashlib.sha256(repr(v).encode()).hexdigest() for k, v in named.items()}


def _files(recipe: tuple[Step, ...]) -> dict[str, str]:
    """sha256 of every other file that the recipe names: with another one it is another campaign."""
    return {
        f"recipe:{step.name}.{argument.name}": argument.sha256
        for step in recipe
        for argument in step.arguments
        if argument.sha256
    }


def _all_metrics(
    metrics: Mapping[str, Metric | None], contexts: Mapping[str, Metric], objective: Objective
) -> tuple[Metric, ...]:
    """Those of the file, those of its contexts, and the one that is nothing but preferences."""
    found = [metric for metric in metrics.values() if metric is not None]
    if objective.by_preference:
        found.append(Metric(name=PREFERENCE, expression=""))
    return (*found, *contexts.values())
