"""kill -9 of a real engine process, with a real store, on twins in a process of their own."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from faults_night import WITHIN_S, Night, make_night

from orchestrator.errors import Exit
from orchestrator.model.state import State

KILLED = -9
SOAK = pytest.mark.soak
SAMPLE = [
    pytest.param(4, "after", marks=SOAK),
    (14, "after"),
    pytest.param(118, "after", marks=SOAK),
    (125, "before"),
    (345, "after"),
    pytest.param(373, "after", marks=SOAK),
]
"""Write numbers of the fixed sample; from about 330 on the model is asked for proposals. A busy
machine looks less often at a film that grows, and writes less: from some 390 to 500 in all."""
EFFECTS = [
    pytest.param(1, "before", marks=SOAK),
    (1, "after"),
    (5, "before"),
    pytest.param(5, "after", marks=SOAK),
    pytest.param(7, "before", marks=SOAK),
    (7, "after"),
]


def found(state: State) -> list[Any]:
    return [
        (
            t.number,
            t.status,
            t.proposal.model_dump_json(),
            [(o.event.metric, o.event.value, o.event.sd) for o in t.observations],
        )
        for t in state.trials.values()
    ]


def go_on(night: Night) -> None:
    """Runs until the campaign is over; the person answers each doubt by what the lab shows."""
    for _ in range(10):
        code, _, said = night.run()
        if code == Exit.FINISHED:
            return
        assert code == Exit.PERSON, said
        listed = json.loads(night.command("doubts", "--json").stdout)
        top = [d for d in listed if d["action"] in ("deposit", "place", "move")]
        assert top, listed
        for doubt in top:
            assert doubt["known"]
            answer = night.command("resolve", doubt["ticket"], "failed", "--note", "seen")
            assert answer.returncode == 0, answer.stderr
    raise AssertionError("the campaign does not end")


def check_world(night: Night, world: dict[str, Any]) -> None:
    state = night.state()
    films = [len(s["films"]) for s in world["samples"]]
    assert max(films, default=0) <= 1, "a film was grown on a film"
    names = [e["name"] for e in world["effects"]]
    assert "bare_exposures" not in names
    assert "protective_stops" not in names
    done = [d for d in state.dispatches.values() if d.event.target and d.outcome == "done"]
    assert names.count("sample_moves") == len(done) == sum(s["moves"] for s in world["samples"])
    places = {s["ticket"]: s["position"] for s in world["samples"] if s["ticket"].strip("0")}
    for sample in state.samples.values():
        last = [d.event.ticket for d in done if d.event.sample == sample.name]
        assert places[last[-1]] == sample.position


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Any]]:
    """What the campaign finds when nobody disturbs it."""
    for night in make_night(tmp_path_factory.mktemp("quiet")):
        code, told, said = night.run()
        assert code == Exit.FINISHED, said
        assert [r.seq for r in told] == list(range(1, len(told) + 1))
        with night.control() as control:
            check_world(night, control.state())
        yield found(night.state())


@pytest.mark.parametrize(("write", "when"), SAMPLE)
def test_kill_minus_nine_at_a_journal_write(
    night: Night, quiet: list[Any], write: int, when: str
) -> None:
    code, told, said = night.run(str(write), when)
    assert code == KILLED, said
    was_in_doubt = bool(night.state().open_tickets)
    go_on(night)
    assert night.events()[: len(told)] == told
    with night.control() as control:
        check_world(night, control.state())
    if not was_in_doubt:
        assert found(night.state()) == quiet


@pytest.mark.parametrize(("effect", "when"), EFFECTS)
def test_kill_minus_nine_around_a_physical_effect(night: Night, effect: int, when: str) -> None:
    text = (night.folder / "campaign.yaml").read_text()
    (night.folder / "campaign.yaml").write_text(text.replace("trials: 6", "trials: 2"))
    child = night.start(waits=True)
    with night.control() as control:
        control.kill(child.pid, effect, when)  # type: ignore[arg-type]
    child.send_signal(signal.SIGCONT)
    out, said = child.communicate(timeout=WITHIN_S)
    assert child.returncode == KILLED, said
    go_on(night)
    assert len(night.events()) > out.count("\n")
    with night.control() as control:
        assert control.state()["killed"]
        check_world(night, control.state())
