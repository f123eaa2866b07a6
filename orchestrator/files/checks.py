"""Reads `controls:` and `confirm:` of a campaign file: trials that nobody has to choose."""

from __future__ import annotations

from orchestrator.errors import InputError
from orchestrator.files.findings import Findings
from orchestrator.files.shapes import ConfirmShape, ControlsShape
from orchestrator.model.campaign import Confirmation, Controls
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
