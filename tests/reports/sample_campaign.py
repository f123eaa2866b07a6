"""A plausible niobium-titania journal, made through the real event models.

Invented for looking at reports and for testing them; no instrument and no twin was involved.
It has what an eventful night has: infeasible films, an over-range film, a retried reading, a device
failure, an interlock, a doubt that a person resolved, an invalidated observation.
"""

from __future__ import annotations

import hashlib
import math
import random
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.model import events as ev
from orchestrator.model.campaign import Budget, Campaign, PlannerChoice, StopRules
from orchestrator.model.objective import Goal, Metric, Objective, OutcomeConstraint
from orchestrator.model.recipe import Argument, Step
from orchestrator.model.space import Point, Real, SearchSpace
from orchestrator.model.state import State, fold
from orchestrator.model.trial import FailureCause, Neighbour, Prediction, Proposal
from orchestrator.reports.replay import write_replay_report

FOLDER = Path(__file__).parents[2] / "campaigns" / "niobium_titania"
OPENED_WALL = 1_772_463_600.0  # 2026-03-02 15:00 UTC
BUDGET = 40
INITIAL = 8
PARTS = {
    "argon": "alicat",
    "oxygen": "alicat",
    "gauge": "pfeiffer-tpg",
    "supply": "aja-dcxs",
    "heater": "modbus-heater",
    "valves": "modbus-valves",
}


def niobium_titania() -> Campaign:
    """The campaign of `campaigns/niobium_titania`, as the model holds it."""
    sweep = ("oxygen", "temperature", "power", "argon")
    deposit = tuple(Argument(name=n, expression=n) for n in sweep)
    return Campaign(
        name="niobium-titania",
        goal="the most conductive Nb:TiO2 film that is at least 120 nm thick",
        space=SearchSpace(
            parameters=(
                Real(name="oxygen", low=0.05, high=5, unit="sccm", scale="log"),
                Real(name="temperature", low=25, high=450, unit="degC"),
                Real(name="power", low=50, high=200, unit="W"),
                Real(name="argon", low=0.2, high=2.0, unit="Pa", scale="log"),
            )
        ),
        roles={"chamber": "Sputtering", "probe": "FourPointProbe", "arm": "SampleTransfer"},
        recipe=(
            Step(name="take", role="arm", action="place"),
            Step(
                name="deposit",
                role="chamber",
                action="deposit",
                arguments=(*deposit, Argument(name="duration", literal=20.0)),
            ),
            Step(name="move", role="arm", action="move"),
            Step(name="measure", role="probe", action="sheet_resistance", retries=1),
            Step(name="store", role="arm", action="move"),
        ),
        metrics=(
            Metric(name="thickness", expression="deposit.thickness", unit="nm"),
            Metric(
                name="resistivity",
                expression="measure.mean * deposit.thickness",
                unit="ohm*cm",
                scale="log",
            ),
        ),
        objective=Objective(
            goals=(Goal(metric="resistivity", direction="minimise"),),
            constraints=(OutcomeConstraint(metric="thickness", sense=">=", bound=120.0),),
        ),
        planner=PlannerChoice(kind="bayesian", initial=INITIAL),
        budget=Budget(trials=BUDGET, time_s=172800.0),
        stop=StopRules(),
        seed=1,
        source="campaigns/niobium_titania/campaign.yaml",
        text=(FOLDER / "campaign.yaml").read_text(),
        file_hash=hashlib.sha256((FOLDER / "campaign.yaml").read_bytes()).hexdigest(),
    )


def truth(point: Point) -> tuple[float, float]:
    """Thickness in nm after 20 minutes, and resistivity in ohm*cm, without noise."""
    oxygen, temperature = float(point["oxygen"]), float(point["temperature"])
    power, argon = float(point["power"]), float(point["argon"])
    poisoned = 1 / (1 + (oxygen / 1.6) ** 3)
    thickness = 20 * power / 100 * (2.2 + 6.5 * poisoned) * argon**-0.12
    ideal = 0.32 * (power / 120) ** 0.7
    decades = (
        -3.0
        + 1.6 * (math.log10(oxygen / ideal)) ** 2
        + 2.3 * ((temperature - 385) / 300) ** 2
        + 0.35 * (math.log10(argon / 0.6)) ** 2
        + 0.25 * ((power - 150) / 100) ** 2
    )
    return thickness, 10**decades


@dataclass
class _Script:
    """Events at campaign times, put in order at the end."""

    rng: random.Random
    entries: list[tuple[float, int, ev.Event]] = field(default_factory=list)
    n_tickets: int = 0

    def say(self, at: float, event: ev.Event) -> None:
        self.entries.append((at, len(self.entries), event))

    def ticket(self) -> str:
        self.n_tickets += 1
        return hashlib.sha256(f"sample/{self.n_tickets}".encode()).hexdigest()[:16]

    def act(self, at: float, seconds: float, **order: object) -> str:
        ticket = str(order.pop("ticket", "") or self.ticket())
        results = order.pop("results", {})
        self.say(at, ev.ActionDispatched.model_validate({"ticket": ticket, **order}))
        done = ev.ActionDone.model_validate({"ticket": ticket, "results": results})
        self.say(at + seconds, done)
        return ticket

    def recorded(self) -> list[ev.Recorded]:
        ordered = sorted(self.entries, key=lambda entry: entry[:2])
        return [
            ev.Recorded(seq=seq, at=at, wall=OPENED_WALL + at / 1200, event=event)
            for seq, (at, _, event) in enumerate(ordered, start=1)
        ]


def sample_events(
    n_trials: int = BUDGET, *, seed: int = 5, finished: bool = True
) -> list[ev.Recorded]:
    """The events of a campaign of `n_trials`; not `finished`: cut while the last trials run."""
    script = _Script(random.Random(seed))
    _open(script)
    history: list[tuple[int, Point, float]] = []
    chamber_free, probe_free = 30.0, 0.0
    for number in range(1, n_trials + 1):
        proposal = _propose(script.rng, number, history)
        at = chamber_free + 4.0
        script.say(at, ev.TrialProposed(trial=number, proposal=proposal, after=0, seconds=1.4))
        chamber_free, probe_free = _play(script, number, proposal, at + 1, probe_free, history)
    end = max(chamber_free, probe_free)
    if finished:
        why = f"the budget of {n_trials} trials is used"
        script.say(end + 10, ev.Finished(why=why, rule="budget"))
        for name in ("supply", "heater", "oxygen", "argon", "valves", "arm", "meter"):
            script.say(end + 11, ev.MadeSafe(resource=name, ok=True, why="the campaign has ended"))
        script.say(end + 12, ev.EngineStopped(reason="finished", is_safe=True))
    recorded = script.recorded()
    return recorded if finished else recorded[: int(len(recorded) * 0.93)]


def sample_state(n_trials: int = BUDGET, *, seed: int = 5, finished: bool = True) -> State:
    """The fold of `sample_events`."""
    return fold(sample_events(n_trials, seed=seed, finished=finished))


def _open(script: _Script) -> None:
    campaign = niobium_titania()
    opened = ev.CampaignOpened(
        name=campaign.name,
        campaign_file=campaign.source,
        campaign_text=campaign.text,
        file_hash=campaign.file_hash,
        seed=campaign.seed,
        version="0.1.0",
    )
    script.say(0.0, opened)
    started = ev.EngineStarted(
        token=1,
        host="coater-2",
        pid=4711,
        user="kim",
        version="0.1.0",
        lab_name="niobium-titania on twins",
        lab_file="campaigns/niobium_titania/twins.yaml",
        lab_text=(FOLDER / "twins.yaml").read_text(),
    )
    script.say(0.0, started)
    for name, kind in (*PARTS.items(), ("meter", "keithley-2400"), ("arm", "ur-arm")):
        found = ev.ResourceFound(resource=name, maker="twin", model=kind, firmware="1.0")
        script.say(1.0, found)


def _draw(rng: random.Random) -> Point:
    return {
        "oxygen": float(f"{0.05 * 100 ** rng.random():.4g}"),
        "temperature": round(25 + 425 * rng.random(), 1),
        "power": round(50 + 150 * rng.random(), 1),
        "argon": float(f"{0.2 * 10 ** rng.random():.4g}"),
    }


def _near(rng: random.Random, point: Point, width: float) -> Point:
    def clip(value: float, low: float, high: float) -> float:
        return float(f"{min(high, max(low, value)):.4g}")

    return {
        "oxygen": clip(float(point["oxygen"]) * 10 ** rng.gauss(0, width), 0.05, 5),
        "temperature": clip(float(point["temperature"]) + 300 * rng.gauss(0, width), 25, 450),
        "power": clip(float(point["power"]) + 120 * rng.gauss(0, width), 50, 200),
        "argon": clip(float(point["argon"]) * 10 ** rng.gauss(0, width), 0.2, 2),
    }


def _propose(rng: random.Random, number: int, history: list[tuple[int, Point, float]]) -> Proposal:
    if number <= INITIAL or not history:
        return Proposal(
            point=_draw(rng), source="initial", why=f"initial design, point {number} of {INITIAL}"
        )
    best = min(history, key=lambda entry: entry[2])
    explores = rng.random() < 0.3
    point = _draw(rng) if explores else _near(rng, best[1], 0.16)
    thickness, resistivity = truth(point)
    spread = 0.45 * math.exp(-number / 22) + 0.04 + (0.15 if explores else 0)
    mean = 10 ** (math.log10(resistivity) + rng.gauss(0, spread))
    distance = round(rng.uniform(0.25, 0.6) if explores else rng.uniform(0.03, 0.2), 3)
    why = (
        f"explore: the model is unsure here (sd {spread:.2f} decades)"
        if explores
        else f"exploit: expected to improve on trial {best[0]}"
    )
    return Proposal(
        point=point,
        source="model",
        why=why,
        intent="explore" if explores else "exploit",
        predicted={
            "resistivity": Prediction(mean=mean, sd=spread, on_log10=True),
            "thickness": Prediction(mean=thickness + rng.gauss(0, 6), sd=6.0),
        },
        acquisition=-rng.random(),
        probability_feasible=1 / (1 + math.exp(-(thickness - 120) / 8)),
        nearest=Neighbour(trial=rng.choice(history)[0] if explores else best[0], distance=distance),
        leave_one_out={
            "resistivity": 0.75 * math.exp(-number / 14) + 0.11 + 0.02 * rng.random(),
            "thickness": 18 * math.exp(-number / 10) + 4 + rng.random(),
        },
    )


def _play(
    script: _Script,
    number: int,
    proposal: Proposal,
    at: float,
    probe_free: float,
    history: list[tuple[int, Point, float]],
) -> tuple[float, float]:
    """One trial; gives when the chamber and the probe are free again."""
    sample = f"film-{number:03d}"
    arm = {"resource": "arm", "effect": "irreversible", "trial": number, "sample": sample}
    script.say(at, ev.SampleMade(sample=sample, trial=number, position="blanks"))
    script.act(at, 95, step="take", action="place", source="blanks", target="chamber", **arm)
    if number == 23:
        _interlock(script, number, at + 95)
        return at + 1500, probe_free
    grown, thickness = _deposit(script, number, sample, proposal.point, at + 96)
    leaves = max(grown, probe_free)
    ticket = script.ticket()
    move = {"step": "move", "action": "move", "source": "chamber", "target": "probe"}
    script.act(leaves + 1, 90, ticket=ticket, **move, **arm)
    if number == 14:
        _doubt(script, ticket, leaves + 40)
    measured = _measure(script, number, sample, proposal.point, thickness, leaves + 92, history)
    store = {"step": "store", "action": "move", "source": "probe", "target": "tray"}
    script.act(measured + 1, 85, **store, **arm)
    return leaves + 95, measured + 90


def _deposit(
    script: _Script, number: int, sample: str, point: Point, at: float
) -> tuple[float, float]:
    rng = script.rng
    parent = script.ticket()
    thickness = truth(point)[0] * (1 + rng.gauss(0, 0.01))
    order = {"trial": number, "step": "deposit", "resource": "tool", "sample": sample}
    arguments = {**point, "duration": 20.0}
    script.say(
        at,
        ev.ActionDispatched.model_validate(
            {
                "ticket": parent,
                "action": "deposit",
                "effect": "irreversible",
                "arguments": arguments,
                **order,
            }
        ),
    )
    hot = (float(point["temperature"]) - 25) / 30 * 60
    t = at
    for part, name, seconds in (
        ("valves", "pump", 480 + rng.uniform(0, 120)),
        ("argon", "set_flow", 4),
        ("oxygen", "set_flow", 4),
        ("gauge", "pressure", 45),
        ("heater", "set_temperature", 5 + hot),
        ("supply", "set_power", 2),
        ("supply", "on", 300 + 1200),
        ("supply", "off", 2),
        ("heater", "cool", 10 + 0.8 * hot),
        ("valves", "vent", 140),
    ):
        script.act(t, seconds, parent=parent, trial=number, step="deposit", resource=part,
                   action=name, effect="idempotent")  # fmt: skip
        t += seconds + 1
    results = {
        "thickness": thickness,
        "rate": thickness / 20,
        "temperature": float(point["temperature"]) + rng.gauss(0, 0.4),
        "pressure": float(point["argon"]) + rng.gauss(0, 0.004),
        "voltage": 320 + 60 * rng.random(),
    }
    script.say(t, ev.ActionDone(ticket=parent, results=results))
    observed = ev.Observed(trial=number, sample=sample, metric="thickness", value=thickness,
                           unit="nm", sd=0.01 * thickness, source="deposit")  # fmt: skip
    script.say(t + 0.5, observed)
    return t + 1, thickness


def _measure(
    script: _Script,
    number: int,
    sample: str,
    point: Point,
    thickness: float,
    at: float,
    history: list[tuple[int, Point, float]],
) -> float:
    rng = script.rng
    value = truth(point)[1] * 10 ** rng.gauss(0, 0.035)
    order = {"trial": number, "step": "measure", "resource": "meter", "sample": sample,
             "action": "sheet_resistance", "effect": "none"}  # fmt: skip
    if number in (11, 31):
        at = _silent_meter(script, order, at, gives_up=number == 31)
        if number == 31:
            return at
    over_range = value > 1.0
    value = 1.0 if over_range else value
    sheet = value / (thickness * 1e-7)
    results = {"mean": sheet, "sd": 0.02 * sheet, "n": 3}
    script.act(at, 150, results=results, arguments={"repeats": 3}, **order)
    observed = ev.Observed(trial=number, sample=sample, metric="resistivity", value=value,
                           unit="ohm*cm", sd=None if over_range else 0.022 * value, n_readings=3,
                           censored="above" if over_range else None, source="measure")  # fmt: skip
    script.say(at + 151, observed)
    script.say(at + 152, ev.TrialDone(trial=number))
    if thickness >= 120 and not over_range:
        history.append((number, point, value))
    return at + 152


def _silent_meter(script: _Script, order: dict[str, object], at: float, *, gives_up: bool) -> float:
    for attempt in (1, 2) if gives_up else (1,):
        ticket = script.ticket()
        dispatched = {"ticket": ticket, "attempt": attempt, "arguments": {"repeats": 3}, **order}
        script.say(at, ev.ActionDispatched.model_validate(dispatched))
        failed = ev.ActionFailed(ticket=ticket, error="DeviceSilent", may_retry=True,
                                 sentence="meter: no reply to ':READ?' in 10 s")  # fmt: skip
        script.say(at + 60, failed)
        at += 62
    if gives_up:
        number = order["trial"]
        assert isinstance(number, int)
        script.say(at, ev.TrialFailed(trial=number, step="measure", cause=FailureCause.DEVICE,
                                      sentence="meter: no reply to ':READ?' in 10 s"))  # fmt: skip
    return at + 1


def _interlock(script: _Script, number: int, at: float) -> None:
    ticket = script.ticket()
    script.say(at, ev.ActionDispatched(ticket=ticket, trial=number, step="deposit", resource="tool",
                                       action="deposit", effect="irreversible"))  # fmt: skip
    rule = "never supply.on while gauge.pressure > 5 Pa"
    fired = ev.InterlockFired(rule=rule, reading="gauge.pressure = 7.2 Pa", ticket=ticket)
    script.say(at + 1300, fired)
    for name in ("supply", "heater", "oxygen", "argon"):
        script.say(at + 1301, ev.MadeSafe(resource=name, ok=True, why=f"interlock '{rule}'"))
    sentence = f"interlock '{rule}': gauge.pressure = 7.2 Pa"
    script.say(at + 1302, ev.ActionFailed(ticket=ticket, error="InterlockTripped",
                                          sentence=sentence))  # fmt: skip
    script.say(at + 1303, ev.TrialFailed(trial=number, step="deposit", sentence=sentence,
                                         cause=FailureCause.INTERLOCK))  # fmt: skip


def _doubt(script: _Script, ticket: str, at: float) -> None:
    known = "the dispatch was committed; the arm reports 'idle' and its gripper is closed"
    script.say(at, ev.Doubted(ticket=ticket, known=known, needs_person=True))


def sample_replay(path: Path, title: str = "crossed barrel") -> Path:
    """The page of a replay of two courses, and of three seeds of which one did not reach it."""
    return write_replay_report(
        path,
        title=title,
        quantity="best toughness",
        unit="J",
        wanted="highest toughness",
        curves=[[1.0, 2.0, 4.0], [1.0, 3.0]],
        random_expectation=[0.5, 0.9, 1.2],
        needed={"the top 5 %": [3, 5, None]},
        facts={"table": "barrel.csv"},
    )
