"""From paths to a checked campaign on a checked lab."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator import plugins
from orchestrator.clock import VirtualClock
from orchestrator.engine.history import task_of
from orchestrator.errors import FileProblems, InputError, NoRecipe, UnknownName, did_you_mean
from orchestrator.files.campaign import load_campaign
from orchestrator.files.describing import Kinds
from orchestrator.files.document import parse_document, read_document
from orchestrator.files.findings import Findings
from orchestrator.files.together import check_together
from orchestrator.keeping import kept_in
from orchestrator.materials.descriptors.remembered import Remembered
from orchestrator.materials.structure_files import is_of_structures, read_structures
from orchestrator.model.campaign import Campaign
from orchestrator.model.lab import Lab
from orchestrator.model.points import outside_words
from orchestrator.ports.action import ActionSpec
from orchestrator.ports.descriptor import Descriptor
from orchestrator.ports.resource import ResourceKind
from orchestrator.runtime.bench import lab_of, try_out
from orchestrator.runtime.foresight import check_candidates, remarks_on, unreached_words
from orchestrator.runtime.settling import with_settled_start
from orchestrator.runtime.whereabouts import misplaced_words


def descriptor(name: str, options: Mapping[str, Any]) -> Descriptor:
    """An installed descriptor that does not describe the same table twice.

    Raises:
        UnknownName, InputError: as `plugins.descriptor`.
    """
    return Remembered(plugins.descriptor(name, options), kept_in("vectors"))


KINDS = Kinds(descriptor, plugins.generator, is_of_structures, read_structures)
"""What is installed to read, describe and make candidates."""
LAB_NAMES = ("twins.yaml", "lab.yaml")
"""Lab files that are taken when none is named, in this order. Hardware is never taken unasked."""


@dataclass(frozen=True)
class Loaded:
    """Everything known before anything is opened. `kinds` is by resource name; `remarks` are
    sentences on what is allowed, and perhaps not meant."""

    campaign: Campaign
    lab: Lab
    kinds: Mapping[str, ResourceKind]
    capabilities: Mapping[str, Mapping[str, ActionSpec]]
    remarks: tuple[str, ...] = ()


def campaign_path(name: str | Path) -> Path:
    """A campaign file from its path, its folder, or the name of an installed campaign.

    Raises:
        InputError: there is none.
    """
    path = Path(name)
    if path.is_file():
        return path
    if path.is_dir() and (path / "campaign.yaml").is_file():
        return path / "campaign.yaml"
    installed = plugins.installed("campaigns")
    if path.is_dir() and str(name) not in installed:
        raise InputError(
            f"the folder '{name}' holds no campaign.yaml", hint="name the campaign's file"
        )
    if str(name) in installed:
        return _installed_folder(str(name)) / "campaign.yaml"
    known = [*installed, *(p.name for p in Path().glob("*.yaml"))]
    raise InputError(f"there is no campaign file '{name}'", hint=did_you_mean(str(name), known))


def _installed_folder(name: str) -> Path:
    module = plugins.load("campaigns", name)
    return Path(module.__path__[0])


def lab_path(campaign: Path, name: str | Path | None) -> Path:
    """The lab file: as named (also relative to the campaign), or the folder's twins or lab.

    Raises:
        InputError: there is none.
    """
    if name is None:
        for candidate in LAB_NAMES:
            if (campaign.parent / candidate).is_file():
                return campaign.parent / candidate
        raise InputError(
            f"no lab file lies beside {campaign} ({' or '.join(LAB_NAMES)})",
            hint="name one with --lab FILE",
        )
    for path in (Path(name), campaign.parent / name, campaign.parent / f"{name}.yaml"):
        if path.is_file():
            return path
    near = [p.name for p in campaign.parent.glob("*.yaml") if p != campaign]
    raise InputError(f"there is no lab file '{name}'", hint=did_you_mean(str(name), near))


def load(
    campaign_name: str | Path, lab_name: str | Path | None = None, *, candidates: bool = True
) -> Loaded:
    """Reads and checks both files; every mistake in both is reported at once. Without `candidates`
    nothing is said of those of a pool that the lab cannot compute (`check_pools`).

    Raises:
        InputError: naming every mistake with its line.
    """
    campaign, lab = _both(campaign_path(campaign_name), lab_name)
    if lab is None:
        raise NoRecipe(campaign.name)
    return _together(campaign, lab, candidates=candidates)


def load_perhaps_without_lab(
    campaign_name: str | Path, lab_name: str | Path | None = None
) -> tuple[Campaign, Loaded | None]:
    """As `load`; a campaign without a recipe, for which no lab is named, is read alone."""
    campaign, lab = _both(campaign_path(campaign_name), lab_name)
    if lab is None and lab_name is not None:
        raise NoRecipe(campaign.name)
    return campaign, None if lab is None else _together(campaign, lab, candidates=True)


def _together(campaign: Campaign, lab: Lab, *, candidates: bool) -> Loaded:
    check_together(campaign, lab, plugins.resource_kind, plugins.capability)
    _check_formats(campaign)
    kinds = plugins.kinds_of(lab)
    resources = try_out(lab, kinds)
    if any(getattr(kind.cls, "computes", False) for kind in kinds.values()):
        from orchestrator.runtime.sites import refuse_no_place

        refuse_no_place()
    if candidates:
        check_candidates(campaign, lab, resources)
    contracts = {c: plugins.capability(c) for c in campaign.roles.values()}
    remarks = (
        *remarks_on(lab, resources),
        *unreached_words(campaign),
        *misplaced_words(campaign, lab, contracts),
        *known_words(campaign),
    )
    return Loaded(campaign, lab, kinds, contracts, remarks)


def known_words(campaign: Campaign) -> list[str]:
    """What is odd in what a campaign starts from and in its sources that are tables."""
    outside = outside_words(campaign.space, [trial.point for trial in campaign.start])
    return [f"start: {outside}"] * bool(outside) + source_words(campaign)


def source_words(campaign: Campaign) -> list[str]:
    """Of sources that are tables: points outside of the space, and values that are all one."""
    found = []
    for source in campaign.sources:
        if outside := outside_words(campaign.space, source.points):
            found.append(f"{source.name}: {outside}")
        if len(set(source.values)) == 1:
            found.append(f"{source.name}: all values are equal, so that nothing is learnt of it")
    return found


def _check_formats(campaign: Campaign) -> None:
    """Accepts a campaign whose files there are parsers for: it is days until one comes. Raises
    FileProblems."""
    findings = Findings(parse_document(campaign.text, campaign.source))
    parsers = plugins.installed("parsers")
    for metric in campaign.metrics:
        named = metric.reduction.format if metric.reduction is not None else ""
        if named and named not in parsers:
            with findings.at(["metrics", metric.name, "reduce", "format"]):
                raise UnknownName("parser that is installed", named, parsers)
    findings.raise_any()


def check_pools(loaded: Loaded) -> None:
    """Accepts a campaign whose pools hold nothing that its lab cannot compute: milliseconds a
    candidate. Raises FileProblems."""
    resources = try_out(loaded.lab, loaded.kinds)
    check_candidates(loaded.campaign, loaded.lab, resources)


def _both(path: Path, lab_name: str | Path | None) -> tuple[Campaign, Lab | None]:
    """The campaign and its lab, each right in itself; no lab where there is no recipe. Raises
    InputError with all mistakes."""
    mistakes: list[InputError] = []
    campaign = lab = None
    try:
        campaign = read_campaign(path)
    except FileProblems as error:
        if lab_name is None and not _has_recipe(path):
            raise
        mistakes.append(error)
    if campaign is not None and not campaign.recipe:
        return campaign, None
    try:
        lab = lab_of(lab_path(path, lab_name))
    except InputError as error:
        mistakes.append(error)
    if campaign is not None and lab is not None:
        return campaign, lab
    if len(mistakes) == 1:
        raise mistakes[0]
    raise InputError("\n".join(map(str, mistakes)), hint=mistakes[-1].hint)


def _has_recipe(path: Path) -> bool:
    """Whether a campaign that cannot be read is one for a lab, as far as can be told."""
    try:
        return "recipe" in read_document(path).root.plain()
    except FileProblems:
        return True


def read_campaign(path: Path, *, needs_budget: bool = True) -> Campaign:
    """A campaign file alone, its planner's options included. Raises FileProblems, InputError."""
    campaign = load_campaign(
        path,
        plugins.capability,
        plugins.installed("capabilities"),
        plugins.installed("planners"),
        KINDS,
        needs_budget=needs_budget,
    )
    _check_planner(campaign)
    return with_settled_start(campaign)


def _check_planner(campaign: Campaign) -> None:
    """Accepts options that the planner takes. Raises FileProblems at their place in the file."""
    from orchestrator.planner.worker import PlannerProcess

    findings = Findings(parse_document(campaign.text, campaign.source))
    with findings.at(["planner"]):
        try:
            target = plugins.installed("planners")[campaign.planner.kind].value
            PlannerProcess(task_of(campaign), target=target, clock=VirtualClock())
        except UnknownName as error:
            if error.name not in campaign.planner.options:
                raise
            findings.add(["planner", error.name], str(error), error.hint, key=True)
    findings.raise_any()
