"""What a terminal shows: aligned lines, whole commands, no control codes in a file."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from rich.cells import cell_len
from rich.console import Console

from orchestrator.cli.lines import telling_digits
from orchestrator.cli.terminal import (
    Progress,
    print_campaigns,
    print_doubts,
    print_events,
    print_state,
    print_timeline,
    print_trials,
)
from orchestrator.model import events as ev
from orchestrator.model.campaign import Campaign
from orchestrator.model.objective import Goal, Objective
from orchestrator.model.space import Pool, Real, SearchSpace
from orchestrator.model.state import State
from orchestrator.model.trial import RUNGS, TrialStatus
from orchestrator.ports.journal import CampaignRow
from orchestrator.reports.numbers import moment
from orchestrator.reports.summary import summary
from orchestrator.runtime.resolving import resolution
from orchestrator.runtime.result_units import dispatched_action
from tests.reports.sample_campaign import niobium_titania, sample_events, sample_state


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return niobium_titania()


def _shown(show: Callable[[Console], None], *, width: int | None = 80) -> str:
    """What a terminal of that width shows; with None, what lands in a file."""
    console = Console(
        file=io.StringIO(),
        record=True,
        width=width or 80,
        force_terminal=width is not None,
        color_system=None,
    )
    show(console)
    return console.export_text()


def _play(events: list[ev.Recorded], console: Console, campaign: Campaign) -> None:
    state = State()
    with Progress(campaign, console, now=lambda: events[-1].wall) as progress:
        for recorded in events:
            state.apply(recorded)
            progress.update(recorded, state)


def test_of_several_goals_the_front_is_marked_and_listed(campaign: Campaign) -> None:
    goals = (
        Goal(metric="resistivity", direction="minimise"),
        Goal(metric="thickness", direction="maximise"),
    )
    several = campaign.model_copy(update={"objective": Objective(goals=goals)})
    front = summary(several, sample_state()).front
    shown = _shown(lambda console: print_trials(several, sample_state(), console))
    assert shown.count("★") == len(front) + 1  # and in the legend
    shown = _shown(lambda console: print_state(several, sample_state(), console))
    assert all(f"trial {number}: resistivity" in shown for number in front)
    shown = _shown(lambda console: _play(sample_events(), console, several))
    assert "★" in shown


def test_a_campaign_without_a_goal_in_words_leaves_no_gap_for_it(campaign: Campaign) -> None:
    wordless = campaign.model_copy(update={"goal": ""})
    name, *rest = _shown(lambda console: print_state(wordless, sample_state(), console)).split("\n")
    assert (name, rest[0]) == (campaign.name, "")
    assert rest[1] != ""


def test_what_is_still_to_gain_stands_in_a_trials_line_and_in_show(campaign: Campaign) -> None:
    state = sample_state()
    proposal = state.trials[38].proposal
    state.trials[38].proposal = proposal.model_copy(update={"notes": {"still_to_gain": 0.0212}})
    shown = _shown(lambda console: print_trials(campaign, state, console), width=None)
    assert ", 5 % to gain" in shown  # decades, of a metric on a log scale
    shown = _shown(lambda console: print_state(campaign, state, console))
    assert re.search(r"still to gain: +5 %", shown)


def test_values_that_are_alike_have_the_digits_that_tell_them_apart(campaign: Campaign) -> None:
    assert [telling_digits(*ends) for ends in ((0, 0), (-1, 2), (1, 10), (5, 5))] == [3] * 4
    assert telling_digits(-139.2, -139.0) == 5
    assert telling_digits(1.0, 1.0 + 1e-12) == 6

    def energy(recorded: ev.Recorded) -> ev.Recorded:
        event = recorded.event
        if not isinstance(event, ev.Observed) or event.metric != "resistivity":
            return recorded
        event = event.model_copy(update={"value": -139.0 - 1e-3 * event.trial})
        return recorded.model_copy(update={"event": event})

    events = [energy(recorded) for recorded in sample_events()]
    state = State()
    for recorded in events:
        state.apply(recorded)
    listed = _shown(lambda c: print_trials(campaign, state, c), width=None).splitlines()
    assert "-139.001" in listed[2]
    assert "-139.002" in listed[3]
    told = _shown(lambda c: _play(events, c, campaign), width=None).splitlines()
    assert "-139 " in told[2]  # nothing is there to be told from yet
    assert "-139.002" in told[3]


def _state_in_doubt() -> State:
    state = State()
    for recorded in sample_events():
        state.apply(recorded)
        if state.doubts():
            return state
    raise AssertionError("the sample journal has no doubt")


def test_a_run_gives_one_line_per_trial_as_it_ends(campaign: Campaign) -> None:
    text = _shown(lambda c: _play(sample_events(), c, campaign), width=None)
    lines = text.splitlines()
    assert lines[0].split() == [
        "trial", "resistivity", "thickness", "oxygen", "temperature", "power", "argon", "why",
    ]  # fmt: skip
    assert lines[1].split() == ["Ω·cm", "nm", "sccm", "°C", "W", "Pa"]
    assert [line.split()[0] for line in lines if "/40" in line] == [f"{n}/40" for n in range(1, 41)]


def test_each_new_best_is_marked_and_nothing_else(campaign: Campaign) -> None:
    text = _shown(lambda c: _play(sample_events(), c, campaign), width=None)
    stars = [line.split() for line in text.splitlines() if "★" in line]
    values = [float(words[2]) for words in stars]
    assert values == sorted(values, reverse=True)
    assert stars[0][0] == "1/40"
    assert stars[-1][0] == "22/40"


def test_a_rung_that_is_given_up_is_told_once_and_not_with_each_new_figure(
    campaign: Campaign,
) -> None:
    said = [
        f"rough: correlation with exact {rho} (90 %: -0.25 to 0.48), 0.3 s a trial against "
        f"{cost} s; no longer bought: per cost it adds {gain} times what exact tells"
        for rho, cost, gain in (("0.14", "9.2", "0.042"), ("-0.2", "8", "1.2e-05"))
    ]
    notes = iter([*said, "", said[0], said[1].replace("rough", "middle")])

    def with_note(recorded: ev.Recorded) -> ev.Recorded:
        event = recorded.event
        if not isinstance(event, ev.TrialProposed):
            return recorded
        note = next(notes)
        proposal = event.proposal.model_copy(update={"notes": {RUNGS: note} if note else {}})
        return recorded.model_copy(
            update={"event": event.model_copy(update={"proposal": proposal})}
        )

    events = [with_note(recorded) for recorded in sample_events(5)]
    text = _shown(lambda c: _play(events, c, campaign), width=None)
    told = [line.split()[2] for line in text.splitlines() if "! fidelity" in line]
    assert told == ["rough:", "rough:", "middle:"]


def test_a_resumed_run_does_not_call_an_old_best_new(campaign: Campaign) -> None:
    events = sample_events()
    ends = [i for i, e in enumerate(events) if isinstance(e.event, ev.TrialDone)]
    cut = ends[25]

    def resume(console: Console) -> None:
        state = State()
        for recorded in events[:cut]:
            state.apply(recorded)
        with Progress(campaign, console) as progress:
            for recorded in events[cut:]:
                state.apply(recorded)
                progress.update(recorded, state)

    text = _shown(resume, width=None)
    assert "★" not in text
    assert "40/40" in text


def test_a_file_gets_plain_lines_without_control_codes(campaign: Campaign) -> None:
    file = io.StringIO()
    _play(sample_events(), Console(file=file, width=80), campaign)
    assert "\x1b" not in file.getvalue()
    assert "\r" not in file.getvalue()
    assert "interlock 'never supply.on while gauge.pressure > 5 Pa'" in file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_of_a_terminal_is_wider_than_it(campaign: Campaign, width: int) -> None:
    state = sample_state(finished=False)
    for show in (
        lambda c: print_trials(campaign, state, c),
        lambda c: print_timeline(campaign, state, c, inner=True),
        lambda c: print_state(campaign, state, c),
        lambda c: print_events(sample_events(3), c),
    ):
        text = _shown(show, width=width)
        assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_live_display_never_wraps(campaign: Campaign, width: int) -> None:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, color_system=None)
    _play(sample_events(), console, campaign)
    lines = re.split(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n", file.getvalue())
    assert any("40/40" in line for line in lines)
    assert max(map(len, lines)) <= width


def test_a_live_terminal_shows_roles_bar_best_and_time_left(campaign: Campaign) -> None:
    events = sample_events(finished=False)
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system=None)
    state = State()
    with Progress(campaign, console, now=lambda: state.last_wall) as progress:
        for recorded in events:
            state.apply(recorded)
            progress.update(recorded, state)
    text = file.getvalue()
    assert "chamber  trial 38: deposit" in text
    assert "probe    idle" in text
    assert "37/40 trials, best 1.07e-3 Ω·cm (trial 22)" in text
    assert "campaign time 1 d 12:" in text
    assert "left" in text
    bare = tuple(m.model_copy(update={"unit": ""}) for m in campaign.metrics)
    with Progress(campaign.model_copy(update={"metrics": bare}), console) as progress:
        progress.update(events[-1], state)
    assert "best 1.07e-3 (trial 22)" in file.getvalue()


def test_a_terminal_without_unicode_gets_ascii(campaign: Campaign) -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    console = Console(file=file, width=80, force_terminal=True, color_system=None)
    _play(sample_events(8), console, campaign)
    print_trials(campaign, sample_state(8), console)
    print_timeline(campaign, sample_state(8), console)
    print_state(campaign, sample_state(8), console)
    file.flush()
    assert b"ohm*cm" in raw.getvalue()


def test_doubts_are_listed_with_what_is_known_and_the_commands_to_type(campaign: Campaign) -> None:
    state = _state_in_doubt()
    ticket = state.doubts()[0].event.ticket
    text = _shown(lambda c: print_doubts(campaign, state, c), width=60)
    assert "1 action is in doubt" in text
    assert "trial 14, step move, arm.move" in text
    assert "film-014, from chamber to probe" in text
    assert "gripper" in text
    lines = text.splitlines()
    for verdict in ("done", "not-done", "failed --at PLACE"):
        assert f"    hagane resolve {ticket} {verdict} --campaign niobium-titania" in lines


def test_a_doubtful_step_asks_for_the_results_that_the_campaign_needs(campaign: Campaign) -> None:
    events: list[ev.Event] = [
        ev.ActionDispatched(
            ticket="3f0c9a",
            step="deposit",
            resource="tool",
            action="deposit",
            effect="irreversible",
        ),
        ev.Doubted(ticket="3f0c9a", known="the engine was killed", needs_person=True),
    ]
    state = State()
    for i, event in enumerate(events, start=1):
        state.apply(ev.Recorded(seq=i, at=0.0, wall=0.0, event=event))
    text = _shown(lambda c: print_doubts(campaign, state, c), width=None)
    assert "hagane resolve 3f0c9a done --result thickness=VALUE --campaign" in text


def _left_amid(campaign: Campaign, effect: str = "irreversible", **more: object) -> State:
    """A state whose last event is a dispatch, with an engine that said no word since."""
    order = {"ticket": "3f0c9a", "resource": "tool", "action": "deposit", "effect": effect}
    state = sample_state(2, finished=False)
    state.engine_is_up = True
    event = ev.ActionDispatched.model_validate(order | more)
    state.apply(ev.Recorded(seq=state.n_events + 1, at=state.last_at, wall=0.0, event=event))
    return state


def test_what_a_killed_engine_left_without_a_result_is_never_nothing(campaign: Campaign) -> None:
    state = _left_amid(campaign)
    text = _shown(lambda c: print_doubts(campaign, state, c, is_held=False), width=None)
    assert "1 action has no result, and nobody has looked into it yet" in text
    assert "known       not looked into yet: the next `hagane run` will ask" in text
    assert "resolve" not in text
    assert _shown(lambda c: print_doubts(campaign, state, c)) == "nothing is in doubt\n"


def test_a_device_that_is_waited_for_is_told_since_when_and_until_when(campaign: Campaign) -> None:
    state = _left_amid(campaign, "none", trial=2, step="store", resource="arm", action="move")
    gone = ev.ActionFailed(ticket="3f0c9a", error="DeviceGone", sentence="arm: away")
    state.apply(ev.Recorded(seq=state.n_events + 1, at=state.last_at, wall=0.0, event=gone))
    at = state.last_at
    since, until = (moment(t - state.started_at, fine=True) for t in (at, at + 120.0))
    said = (
        f"arm could not be reached at {since}; step 'store' of trial 2 tries it again at {since}, "
        f"until {until}"
    )
    assert f"  waits:         {said}\n" in _shown(
        lambda c: print_state(campaign, state, c), width=None
    )
    shown = _shown(lambda c: print_state(campaign, state, c, is_held=False), width=None)
    assert "waits:" not in shown, "nobody waits any more"


def test_the_numbers_of_a_doubt_have_their_units(campaign: Campaign) -> None:
    state = _left_amid(campaign, step="deposit", arguments={"power": 150.0, "duration": 20.0})
    doubt = ev.Doubted(ticket="3f0c9a", known="the engine was killed", needs_person=True)
    state.apply(ev.Recorded(seq=state.n_events + 1, at=state.last_at, wall=0.0, event=doubt))
    declared = partial(dispatched_action, state)
    text = _shown(lambda c: print_doubts(campaign, state, c, declared=declared), width=None)
    assert "with        power = 150 W, duration = 20 min\n" in text
    assert "if it was done (thickness in nm):" in text


def test_a_dispatch_to_a_resource_that_is_gone_has_no_declaration(campaign: Campaign) -> None:
    state = _left_amid(campaign)
    event = state.dispatches["3f0c9a"].event
    assert dispatched_action(State(), event) is None
    assert dispatched_action(state, event.model_copy(update={"resource": "oven"})) is None
    assert dispatched_action(state, event.model_copy(update={"action": "melt"})) is None


def test_a_verdict_on_a_resource_that_is_gone_is_left_to_the_engine(campaign: Campaign) -> None:
    state = _left_amid(campaign, resource="gun")
    told = resolution(state, "3f0c9a", "done", {"thickness": "131.5"}, "")
    assert told["results"] == {"thickness": 131.5}


def test_show_does_not_call_what_a_killed_engine_left_under_way(campaign: Campaign) -> None:
    state = _left_amid(campaign)
    text = _shown(lambda c: print_state(campaign, state, c, is_held=False), width=None)
    assert "now:" not in text
    assert "its engine was killed, or could not write its end" in text
    assert "1 without a result, not looked into yet: hagane doubts niobium-titania" in text
    held = _shown(lambda c: print_state(campaign, state, c), width=None)
    assert "tool.deposit" in held
    assert "not looked into" not in held


def test_a_calculation_that_goes_on_between_two_turns_is_not_in_doubt(campaign: Campaign) -> None:
    state = _left_amid(campaign, "queryable")
    assert len(state.unlooked()) == 1
    stopped = ev.EngineStopped(reason="1 step under way", is_safe=True)
    state.apply(ev.Recorded(seq=state.n_events + 1, at=state.last_at, wall=0.0, event=stopped))
    assert state.unlooked() == []


def test_without_doubts_it_is_said(campaign: Campaign) -> None:
    assert _shown(lambda c: print_doubts(campaign, State(), c)) == "nothing is in doubt\n"


def test_show_answers_first_and_says_what_is_going_on(campaign: Campaign) -> None:
    state = sample_state(finished=False)
    text = _shown(lambda c: print_state(campaign, state, c), width=None)
    assert "Trial 22 is the best: resistivity (1.069 ± 0.024) × 10⁻³ Ω·cm" in text
    assert "wanted: lowest resistivity, subject to thickness ≥ 120 nm" in text
    assert "35 measured, 2 failed, 1 in flight; budget 40 trials, 2 d" in text
    assert "trial 38: tool.deposit" in text


def test_show_tells_which_observation_is_waited_for(campaign: Campaign) -> None:
    state = sample_state(1)
    trial = state.trials[1]
    awaits = ev.TrialAwaits(trial=1, metrics=("resistivity",))
    state.apply(ev.Recorded(seq=state.n_events + 1, at=state.last_at, wall=0.0, event=awaits))
    trial.observations = [o for o in trial.observations if o.event.metric != "resistivity"]
    text = _shown(lambda c: print_state(campaign, state, c), width=60)
    assert "hagane observe film-001 --metric resistivity --value ..." in text


def test_markup_in_names_is_shown_and_not_obeyed(campaign: Campaign) -> None:
    named = campaign.model_copy(update={"name": "[red]steel[/]", "goal": "[/bold] x"})
    text = _shown(lambda c: print_state(named, sample_state(1), c))
    assert "[red]steel[/]" in text
    assert "[/bold] x" in text


def test_events_are_one_line_each_with_number_time_and_kind(campaign: Campaign) -> None:
    events = sample_events(2)
    text = _shown(lambda c: print_events(events, c), width=None)
    lines = text.splitlines()
    assert len(lines) == len(events)
    assert lines[10].split()[:4] == ["11", "00:00:34", "trial_proposed", "trial=1"]
    assert "{oxygen: 0.8806, temperature: 340.3, power: 169.3, argon: 1.752}" in lines[10]


def test_what_others_say_is_shown_and_not_obeyed_by_the_terminal(campaign: Campaign) -> None:
    told = ev.RequestTaken(request=1, wish="pause", payload={"why": "\x1b[2J\x9bx"}, by="kim")
    entry = ev.Recorded(seq=1, at=0.0, wall=0.0, event=told)
    file = io.StringIO()
    print_events([entry], Console(file=file, force_terminal=True, color_system=None, width=200))
    assert "{why: \\x1b[2J\\x9bx}" in file.getvalue()
    assert not {"\x1b", "\x9b"} & set(file.getvalue())
    doubted = ev.Doubted(ticket="t", known="\x1b]0;owned\x07 first\nsecond", needs_person=True)
    assert doubted.known == "\\x1b]0;owned\\x07 first\nsecond"


def test_the_timeline_marks_failures_and_shows_how_busy_a_role_was(campaign: Campaign) -> None:
    text = _shown(lambda c: print_timeline(campaign, sample_state(), c))
    rows = {line.split()[0]: line for line in text.splitlines()}
    assert set(rows) == {"chamber", "probe", "arm", "time"}
    assert "x" in rows["probe"].split("probe")[1]
    assert rows["chamber"].endswith("94 %")


def test_nothing_to_show_is_said(campaign: Campaign) -> None:
    assert "no trial" in _shown(lambda c: print_trials(campaign, State(), c))
    assert "no action" in _shown(lambda c: print_timeline(campaign, State(), c))
    assert "holds no campaign yet" in _shown(lambda c: print_campaigns([], c))
    assert "No trial has given" in _shown(lambda c: print_state(campaign, State(), c))


def test_campaigns_are_listed_with_who_runs_them() -> None:
    rows = [
        CampaignRow("nb-1a2b", "niobium-titania", "ff", 0.0, 1400, 1_772_463_600.0, "kim@coater-2"),
        CampaignRow("alloys-77", "alloys", "ee", 0.0, 12, 1_772_463_000.0),
    ]
    lines = _shown(lambda c: print_campaigns(rows, c)).splitlines()
    assert lines[0].split() == ["campaign", "id", "events", "last", "event", "running"]
    assert "1,400" in lines[1]
    assert lines[1].endswith("kim@coater-2")
    assert lines[2].endswith("-")


def test_a_long_name_does_not_push_out_who_runs_a_campaign() -> None:
    name = "fourteen-parameters-three-goals-and-a-name-that-is-rather-long"
    rows = [CampaignRow(f"{name[:40]}-23568e", name, "ff", 0.0, 1042, 1_772_463_600.0, "kim@pc")]
    shown = _shown(lambda c: print_campaigns(rows, c))
    assert all(words in shown for words in (name, f"{name[:40]}-23568e", "1,042 events", "kim@pc"))
    assert len(_shown(lambda c: print_campaigns(rows, c), width=None).splitlines()) == 2


def test_a_long_front_is_told_in_part(campaign: Campaign) -> None:
    goals = (
        Goal(metric="resistivity", direction="minimise"),
        Goal(metric="thickness", direction="maximise"),
    )
    several = campaign.model_copy(update={"objective": Objective(goals=goals)})
    state = sample_state(40)
    pattern = next(t for t in state.trials.values() if t.observed("thickness"))
    state.trials = {}
    for n in range(1, 31):
        seen = [
            replace(o, event=o.event.model_copy(update={"value": float(n)}))
            for o in pattern.observations
        ]
        state.trials[n] = replace(pattern, number=n, observations=seen)
    shown = _shown(lambda c: print_state(several, state, c))
    assert shown.count(": resistivity") == 12
    assert "and 18 more, which `hagane trials` marks" in shown
    assert "11, 12, ..." in " ".join(shown.split())


def test_of_many_trials_that_wait_only_some_commands_are_told(campaign: Campaign) -> None:
    state = sample_state(1)
    pattern = replace(state.trials[1], observations=[], status=TrialStatus.AWAITING)
    state.trials = {n: replace(pattern, number=n) for n in range(1, 10)}
    state = replace(state, engine_is_up=False, finished=None)
    shown = _shown(lambda c: print_state(campaign, state, c))
    assert "with observations of 9 trials missing" in " ".join(shown.split())
    assert shown.count("trial 6 waits") == 2
    assert "and so wait trials 7, 8, 9" in shown


def test_many_parameters_and_long_candidates_still_fit(campaign: Campaign) -> None:
    names = tuple(f"a-very-long-candidate-name-{i}" for i in range(3))
    pool = Pool(name="alloy", names=names, columns=(), units=(), rows=((), (), ()))
    reals = tuple(Real(name=f"p{i}", low=0, high=1, unit="W") for i in range(20))
    wide = campaign.model_copy(update={"space": SearchSpace(parameters=(pool, *reals))})
    state = sample_state(3)
    for i, trial in enumerate(state.trials.values()):
        point = {"alloy": names[i]} | {f"p{k}": 0.5 for k in range(20)}
        trial.proposal = trial.proposal.model_copy(update={"point": point})
    text = _shown(lambda c: print_trials(wide, state, c))
    assert max(map(len, text.splitlines())) <= 80
    assert "a-very-long-can…" in text


def test_letters_that_take_two_columns_do_not_shift_the_others(campaign: Campaign) -> None:
    names = ("plain", "メチルベンゼン", "2-メチル-ナフタレンの誘導体")
    pool = Pool(name="alloy", names=names, columns=(), units=(), rows=((), (), ()))
    named = campaign.model_copy(update={"space": SearchSpace(parameters=(pool,))})
    state = sample_state(3)
    for name, trial in zip(names, state.trials.values(), strict=True):
        trial.proposal = trial.proposal.model_copy(update={"point": {"alloy": name}})
    lines = _shown(lambda c: print_trials(named, state, c)).splitlines()[2:5]
    assert len({cell_len(line[: line.index("initial")]) for line in lines}) == 1
    assert "2-メチル-ナフタ…" in lines[2]
