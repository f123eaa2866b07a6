"""What is told when a lab file is another one than in the last run of a campaign."""

from __future__ import annotations

from orchestrator.model import events as ev
from orchestrator.model.state import State, fold
from orchestrator.model.trial import Proposal
from orchestrator.runtime.lab_changes import known_models, lab_changes

LAB = """\
lab: ours
resources:
  cell: {kind: sevennet, model: 7net-0}
  arm: {kind: ur-arm, port: a}
"""


def left(lab: str, n_trials: int, declarations: dict[str, str] | None = None) -> State:
    started = ev.EngineStarted(
        token=1,
        host="h",
        pid=1,
        user="u",
        version="0",
        lab_name="ours",
        lab_file="lab.yaml",
        lab_text=lab,
        declarations=declarations or {},
    )
    proposal = Proposal(point={"x": 1.0}, source="initial", why="start")
    trials = [
        ev.TrialProposed(trial=n, proposal=proposal, after=1, now_s=0.0)
        for n in range(1, n_trials + 1)
    ]
    return fold(
        ev.Recorded(seq=n, at=0.0, wall=0.0, event=event)
        for n, event in enumerate([started, *trials], 1)
    )


def test_another_method_of_a_resource_is_told_with_its_options() -> None:
    tuned = LAB.replace("model: 7net-0", "model: 7net-0, tuned: t.json")
    (said,) = lab_changes(left(LAB, 1), tuned)
    assert said.startswith("the resource 'cell' is not as in the last run (tuned: unset -> t.json)")
    (said,) = lab_changes(left(LAB, 1), LAB.replace("{kind: sevennet", "{kind: chgnet"))
    assert "(kind: sevennet -> chgnet)" in said


def test_nothing_is_told_of_another_port_of_the_same_lab_or_before_a_first_trial() -> None:
    tuned = LAB.replace("model: 7net-0", "model: 7net-l3i5")
    assert lab_changes(left(LAB, 0), tuned) == []
    assert lab_changes(left(LAB, 1), LAB) == []
    assert lab_changes(left(LAB, 1), LAB.replace("port: a", "port: b")) == []
    assert lab_changes(left(LAB, 1), LAB.replace("lab: ours", "lab: [")) == []


def found(state: State, resource: str, model: str) -> State:
    event = ev.ResourceFound(resource=resource, maker="Acme", model=model)
    state.apply(ev.Recorded(seq=99, at=0.0, wall=0.0, event=event))
    return state


def test_a_model_is_known_where_the_file_says_of_its_resource_what_it_said() -> None:
    state = found(left(LAB, 1), "cell", "A")
    assert known_models(state, LAB) == {"cell": ("Acme", "A")}
    assert known_models(state, LAB.replace("port: a", "port: b")) == {"cell": ("Acme", "A")}
    assert known_models(state, LAB.replace("model: 7net-0", "model: 7net-l3i5")) == {}
    assert known_models(state, LAB, {"cell": "{}"}) == {}
    assert known_models(fold([]), LAB) == {}


def test_a_start_that_failed_does_not_give_the_earlier_model_to_a_new_file() -> None:
    state = found(left(LAB, 1), "cell", "A")
    changed = LAB.replace("model: 7net-0", "model: 7net-l3i5")
    again = left(changed, 0).engine
    assert again is not None
    state.apply(ev.Recorded(seq=100, at=1.0, wall=1.0, event=again))
    assert known_models(state, changed) == {}
    assert known_models(state, LAB) == {"cell": ("Acme", "A")}
    assert known_models(found(state, "cell", "B"), changed) == {"cell": ("Acme", "B")}


def test_a_folder_whose_path_was_once_its_model_is_the_same_resource() -> None:
    lab = LAB.replace("{kind: ur-arm, port: a}", "{kind: file-drop, folder: /data/xrd}")
    assert known_models(found(left(lab, 1), "arm", "/data/xrd"), lab) == {}


TWO = """\
lab: ours
resources:
  old: {kind: keithley-2450, port: a}
  new: {kind: keithley-2450, port: b, serial: 7}
roles: {meter: old, spare: old}
"""


def test_a_role_that_another_instrument_plays_is_told() -> None:
    (said,) = lab_changes(left(TWO, 1), TWO.replace("meter: old", "meter: new"))
    assert said == (
        "the role 'meter' is played by 'new', not by 'old' as in the last run (port: a -> b, "
        "serial: unset -> 7): its results from now on stand beside the earlier ones"
    )
    assert lab_changes(left(TWO, 1), TWO.replace("old", "former")) == []


def test_another_declaration_of_an_instrument_is_told() -> None:
    before = left(LAB, 1, {"arm": "{...}"})
    (said,) = lab_changes(before, LAB, {"arm": "{another}"})
    assert said.startswith("the resource 'arm' is not as in the last run (its declaration)")
    assert lab_changes(before, LAB, {"arm": "{...}"}) == []
