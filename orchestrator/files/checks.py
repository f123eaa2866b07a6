"""Reads `controls:`, `confirm:` and `block:` of a campaign file: what guards against chance."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator.errors import InputError, UnknownName
from orchestrator.files.findings import Findings
from orchestrator.files.shapes import BlockShape, ConfirmShape, ControlsShape
from orchestrator.model.campaign import Blocks, Confirmation, Controls
from orchestrator.model.objective import Objective
from orchestrator.model.points import faults_of, point_from
from orchestrator.model.space import Context, SearchSpace


def read_controls(findings: Findings, space: SearchSpace) -> Controls | None:
    """The control point and how often it comes; None where it is not wanted, or wrong.

    The space must be free of mistakes, or the point is not looked at.
    """
    path = ["controls"]
    if findings.plain(path) is None:
        return None
    shape = findings.shaped(path, ControlsShape, "a key of the controls")
    if shape is None or findings.has_any:
        return None
    contexts = [p.name for p in space.parameters if isinstance(p, Context)]
    for name in contexts:
        if name in shape.point:
            message = f"'{name}' cannot be chosen, for a control neither"
            findings.add([*path, "point", name], message, "leave it away", key=True)
    with findings.at([*path, "point"]):
        point = point_from(space, shape.point)
        fault = next(faults_of(space, point), None)
        if fault is not None:
            raise InputError(f"the control point has {fault}")
        chosen = {name: value for name, value in point.items() if name not in contexts}
        return Controls(every=shape.every, point=chosen)
    return None


def read_block(findings: Findings, metrics: Collection[str]) -> Blocks | None:
    """What a block of trials is; None where nobody says, or wrong. `metrics`: what is measured, and
    contexts."""
    path = ["block"]
    if findings.plain(path) is None:
        return None
    shape = findings.shaped(path, BlockShape, "a key of the block")
    if shape is None:
        return None
    said = [key for key in BlockShape.model_fields if getattr(shape, key) is not None]
    if len(said) != 1:
        message = f"a block needs exactly one of {', '.join(BlockShape.model_fields)}"
        findings.add(path, message, "such as 'block: {every: 10}'", key=True)
        return None
    if shape.controls and findings.plain(["controls"]) is None:
        message = "a block from one control to the next needs controls"
        findings.add([*path, "controls"], message, "say which under 'controls'", key=True)
    with findings.at([*path, "metric"]):
        if shape.metric is not None and shape.metric not in metrics:
            raise UnknownName("metric of this campaign", shape.metric, metrics)
    return Blocks(every=shape.every, controls=bool(shape.controls), metric=shape.metric or "")


def read_confirm(findings: Findings, objective: Objective | None) -> Confirmation | None:
    """How the answer is confirmed; None where it is not wanted, or wrong."""
    path = ["confirm"]
    if findings.plain(path) is None:
        return None
    shape = findings.shaped(path, ConfirmShape, "a key of the confirmation")
    if shape is None:
        return None
    if objective is not None and (len(objective.goals) > 1 or objective.by_preference):
        message = "only the best trial by one measured goal can be confirmed"
        findings.add(path, message, "repeat trials of the front with `hagane try`", key=True)
    return Confirmation(replicates=shape.replicates, control=shape.control)
