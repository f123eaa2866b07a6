"""The composite, over a dispatch whose parts are a few formulas of campaign time."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from itertools import groupby, pairwise
from typing import Any

import pytest

from drivers.deposition.sputter_tool import SputterTool
from orchestrator import plugins
from orchestrator.capabilities.deposition import Film
from orchestrator.clock import VirtualClock
from orchestrator.errors import (
    DeviceError,
    DeviceGone,
    DeviceSilent,
    DeviceUnsure,
    InputError,
    InterlockTripped,
    LimitExceeded,
    ProcessUnsteady,
    StepTimeout,
    Stopped,
)
from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import Bench

GROWTH_NM_PER_S = 0.1


def test_what_a_composite_says_it_passes_on_fits_the_action_of_its_part() -> None:
    kinds = [plugins.resource_kind(name) for name in plugins.installed("resources")]
    passing = {k.name: k for k in kinds if k.passes_on}
    assert {"sputter-tool", "co-sputter-tool"} <= set(passing)
    for kind in passing.values():
        for action, arguments in kind.passes_on.items():
            for argument, places in arguments.items():
                given = kind.actions[action].arg(argument)
                for part, inner, name in (place.split(".") for place in places):
                    taken = plugins.capability(kind.parts[part])[inner].arg(name)
                    assert given is not None
                    assert taken is not None
                    assert given.unit == taken.unit


class Tool:
    """`ports.Dispatch` over a chamber with 25 mPa per sccm that heats at 1 K/s."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock: Clock = clock
        self.acts: list[tuple[str, str, dict[str, Any]]] = []
        self.fails: dict[tuple[str, str], Exception] = {}
        self.flows = {"argon": 0.0, "oxygen": 0.0}
        self.unread: set[tuple[str, str]] = set()
        self.kept: dict[str, str] = {}
        self.voltage_at: Callable[[float], float] = lambda burnt_s: 300.0
        self.pump_efficiency = 1.0
        self.goes_out_after_s = float("inf")
        self.hold_up: tuple[float, float] = (float("inf"), 0.0)
        self._pumped_at: float | None = None
        self._vented_at: float | None = 0.0
        self._heat = (25.0, 25.0, 0.0)
        self._exposure = (0.0, 0.0)
        self._on_at: float | None = None
        self._power = 0.0
        self._burnt_before_s = 0.0
        self._grown_s = 0.0
        self.struck_at_oxygen: list[float] = []

    async def __call__(self, part: str, action: str, /, **arguments: Any) -> Mapping[str, Any]:
        self.acts.append((part, action, arguments))
        if (part, action) in self.fails:
            raise self.fails[part, action]
        act = getattr(self, f"_{part}_{action}", None)
        if act is not None:
            act(**arguments)
            return {}
        if action == "set_flow":
            self.flows[part] = arguments["flow"]
            return {}
        if action == "exposure":
            await self._answer_late()
        return self.read(part, action)

    async def _answer_late(self) -> None:
        """Once, the supply is away for a while: from so long after the strike, for so long."""
        after_s, for_s = self.hold_up
        if self._on_at is not None and self.clock.now() - self._on_at >= after_s:
            self.hold_up = (float("inf"), 0.0)
            await self.sleep(for_s)

    async def look(self, part: str, reading: str, /) -> Mapping[str, Any]:
        if (part, reading) in self.unread:
            raise DeviceSilent(part, "no reply")
        return self.read(part, reading)

    async def keep(self, name: str, text: str, /) -> None:
        self.kept[name] = text

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    async def until(
        self, part: str, reading: str, value: str, low: float, high: float, *,
        hold_s: float, timeout_s: float, every_s: float = 1.0,
    ) -> float:  # fmt: skip
        start, inside = self.clock.now(), None
        while self.clock.now() - start <= timeout_s:
            number = float(self.read(part, reading)[value])
            inside = (
                (inside if inside is not None else self.clock.now())
                if low <= number <= high
                else None
            )
            if inside is not None and self.clock.now() - inside >= hold_s:
                self.acts.append((part, "until", {"low": low, "high": high}))
                return number
            await self.clock.sleep(every_s)
        raise StepTimeout(f"{part}.{reading}", timeout_s)

    def read(self, part: str, reading: str) -> dict[str, Any]:
        if part == "gauge":
            return {"value": self._pressure()}
        if part == "heater":
            return {"value": self._temperature()}
        if reading == "flow":
            return {"value": self.flows[part]}
        if part == "monitor":
            return {"thickness": GROWTH_NM_PER_S * self._open_s(), "rate": 60 * GROWTH_NM_PER_S}
        burns = self._burns()
        if reading == "plasma":
            voltage = self.voltage_at(self._burnt_s()) * burns
            return {"power": self._power * burns, "voltage": voltage, "current": 0.0}
        delay, duration = self._exposure
        elapsed = 0.0 if self._on_at is None else self.clock.now() - self._on_at
        is_open = burns and delay <= elapsed < delay + duration
        remaining = min(duration, delay + duration - elapsed) if burns else 0.0
        return {"shutter": int(is_open), "remaining": max(0.0, remaining)}

    def _burns(self) -> bool:
        if self._on_at is None:
            return False
        elapsed = self.clock.now() - self._on_at
        return elapsed < min(sum(self._exposure), self.goes_out_after_s)

    def _open_s(self) -> float:
        if self._on_at is None:
            return self._grown_s
        delay, duration = self._exposure
        elapsed = min(self.clock.now() - self._on_at, self.goes_out_after_s)
        return min(max(0.0, elapsed - delay), duration)

    def _pressure(self) -> float:
        if self._pumped_at is None:
            return 101325.0
        rest = 1e-4 if self.clock.now() - self._pumped_at > 120 else 100.0
        return rest + 0.025 * sum(self.flows.values()) / self.pump_efficiency

    def _temperature(self) -> float:
        start, target, since = self._heat
        elapsed = self.clock.now() - since
        return min(target, start + elapsed) if target > start else max(target, start - elapsed)

    def _valves_pump(self) -> None:
        self._pumped_at = self.clock.now()

    def _valves_vent(self) -> None:
        self._pumped_at = None

    def _heater_set_temperature(self, temperature: float) -> None:
        self._heat = (self._temperature(), temperature, self.clock.now())

    def _heater_off(self) -> None:
        self._heat = (self._temperature(), 20.0, self.clock.now())

    def _monitor_zero(self) -> None:
        pass

    def _supply_set_power(self, power: float) -> None:
        self._power = power

    def _supply_set_exposure(self, presputter: float, duration: float) -> None:
        self._exposure = (presputter, duration)

    def _supply_on(self) -> None:
        self._on_at = self.clock.now()
        self.struck_at_oxygen.append(self.flows["oxygen"])

    def _supply_off(self) -> None:
        self._grown_s = self._open_s()
        self._burnt_before_s, self._on_at = self._burnt_s(), None

    def _burnt_s(self) -> float:
        """How long the target has burnt, in all rounds."""
        burns = 0.0 if self._on_at is None else self.clock.now() - self._on_at
        return self._burnt_before_s + burns


def deposit(
    prepare: Callable[[Tool], None] = lambda tool: None,
    options: Mapping[str, Any] | None = None,
    **changes: float,
) -> tuple[Tool, Film | Exception]:
    clock = VirtualClock()
    tool = Tool(clock)
    prepare(tool)
    wanted = {
        "oxygen": 0.5,
        "temperature": 350.0,
        "power": 100.0,
        "argon": 0.5,
        "duration": 20.0,
    } | changes

    async def main() -> Film | Exception:
        try:
            sputter = SputterTool(Bench("tool", clock), **(options or {}))
            return await sputter.deposit(**wanted, dispatch=tool)
        except Exception as error:  # noqa: BLE001 - handed to the test
            return error

    return tool, clock.run(main())


def names(tool: Tool) -> list[str]:
    return [f"{part}.{action}" for part, action, _ in tool.acts]


def index(tool: Tool, what: str) -> int:
    return names(tool).index(what)


def test_a_plasma_that_went_out_while_nobody_could_look_leaves_a_partial_film() -> None:
    def away(tool: Tool) -> None:
        tool.goes_out_after_s, tool.hold_up = 560.0, (500.0, 1800.0)

    tool, found = deposit(away)
    assert isinstance(found, DeviceError)
    assert "50 nm have grown where 120 nm were to, and nobody saw the shutter close" in str(found)
    assert ("supply", "off", {}) in tool.acts


def test_a_supply_that_was_away_and_comes_back_to_a_whole_film_costs_nothing() -> None:
    def away(tool: Tool) -> None:
        tool.hold_up = (500.0, 1800.0)

    _, film = deposit(away)
    assert isinstance(film, Film)
    assert film.thickness == pytest.approx(120.0)


def test_a_film_is_what_the_monitor_says() -> None:
    _, film = deposit()
    assert isinstance(film, Film)
    assert film.thickness == pytest.approx(1200 * GROWTH_NM_PER_S)
    assert film.rate == pytest.approx(60 * GROWTH_NM_PER_S)
    assert film.voltage == 300.0
    assert film.temperature == 350.0
    assert film.pressure == pytest.approx(0.5 + 0.0125, rel=0.01)


def test_everything_happens_in_an_order_that_is_safe() -> None:
    tool, _ = deposit()
    order = [
        "valves.pump",
        "gauge.until",
        "heater.set_temperature",
        "argon.set_flow",
        "oxygen.set_flow",
        "heater.until",
        "monitor.zero",
        "supply.set_power",
        "supply.set_exposure",
        "supply.on",
        "supply.off",
        "heater.off",
        "valves.vent",
    ]
    found = [index(tool, what) for what in order]
    assert found == sorted(found)
    last = {p: a for p, action, a in tool.acts if action == "set_flow"}
    assert last == {"argon": {"flow": 0.0}, "oxygen": {"flow": 0.0}}
    cooled = [
        i
        for i, (p, a, g) in enumerate(tool.acts)
        if (p, a) == ("heater", "until") and g["high"] == 60
    ]
    assert index(tool, "heater.off") < cooled[0] < index(tool, "valves.vent")


def test_argon_is_corrected_to_the_pressure_before_oxygen_flows() -> None:
    tool, film = deposit(lambda t: setattr(t, "pump_efficiency", 0.8), argon=1.0)
    assert isinstance(film, Film)
    flows = [a["flow"] for p, action, a in tool.acts if (p, action) == ("argon", "set_flow")][:-1]
    assert 2 <= len(flows) <= 5
    assert 0.025 * flows[-1] / 0.8 == pytest.approx(1.0, rel=0.005)
    last = max(
        i for i, n in enumerate(names(tool)[: index(tool, "supply.on")]) if n == "argon.set_flow"
    )
    assert last < index(tool, "oxygen.set_flow")


def test_an_exposure_is_given_in_seconds_and_struck_once() -> None:
    tool, _ = deposit(duration=2.5)
    assert ("supply", "set_exposure", {"presputter": 60.0, "duration": 150.0}) in tool.acts
    assert names(tool).count("supply.on") == 1


def test_a_plasma_that_goes_out_says_that_the_film_is_partial_and_leaves_nothing_on() -> None:
    tool, error = deposit(lambda t: setattr(t, "goes_out_after_s", 60.0 + 500.0))
    assert isinstance(error, DeviceError)
    assert "film is partial" in str(error)
    assert names(tool)[-4:] == ["supply.off", "oxygen.set_flow", "argon.set_flow", "heater.off"]
    assert "valves.vent" not in names(tool)


def test_a_plasma_that_goes_out_at_the_very_end_is_noticed_too() -> None:
    _, error = deposit(lambda t: setattr(t, "goes_out_after_s", 60.0 + 1190.0))
    assert isinstance(error, DeviceError)
    assert "before its time" in str(error)


def test_a_plasma_that_dies_behind_the_shutter_grows_no_film() -> None:
    _, error = deposit(lambda t: setattr(t, "goes_out_after_s", 30.0))
    assert isinstance(error, DeviceError)
    assert "shutter did not open" in str(error)


def test_an_exposure_that_nobody_saw_is_a_film_all_the_same() -> None:
    """The supply times it: an engine that was held up finds it done."""

    class HeldUp(Tool):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(3600.0 if self._on_at is not None else seconds)

    clock = VirtualClock()
    tool = HeldUp(clock)

    async def main() -> Film:
        return await SputterTool(Bench("tool", clock)).deposit(
            oxygen=0.5, temperature=350.0, power=100.0, argon=0.5, duration=20.0, dispatch=tool
        )

    assert clock.run(main()).thickness == pytest.approx(120.0)


@pytest.mark.parametrize(
    "held_up_s",
    [
        {"on": 500.0},
        {"on": 1215.0},
        {"on": 1300.0},
        {"plasma": 1215.0},
        {"plasma": 100.0, "exposure": 1150.0},
        {"exposure": 1300.0},
    ],
    ids=str,
)
def test_an_answer_that_comes_late_is_not_taken_for_a_shutter_that_stayed_closed(
    held_up_s: dict[str, float],
) -> None:
    """The exposure lasts from 60 to 1260 s; the first answers of the supply are held up."""
    left = dict(held_up_s)

    class Slow(Tool):
        async def __call__(self, part: str, action: str, /, **arguments: Any) -> Mapping[str, Any]:
            late = left.pop(action, 0.0) if part == "supply" else 0.0
            if action != "on":
                await self.clock.sleep(late)
            answer = await super().__call__(part, action, **arguments)
            if action == "on":
                await self.clock.sleep(late)
            return answer

    clock = VirtualClock()
    tool = Slow(clock)

    async def main() -> Film:
        return await SputterTool(Bench("tool", clock)).deposit(
            oxygen=0.5, temperature=350.0, power=100.0, argon=0.5, duration=20.0, dispatch=tool
        )

    assert clock.run(main()).thickness == pytest.approx(120.0)


def test_a_chamber_that_does_not_reach_its_base_pressure_strikes_nothing() -> None:
    def leak(tool: Tool) -> None:
        tool.flows["argon"] = 1.0

    tool, error = deposit(leak)
    assert isinstance(error, StepTimeout)
    assert "heater.set_temperature" not in names(tool)
    assert "supply.on" not in names(tool)


def test_a_pressure_that_cannot_be_reached_is_said_before_anything_is_struck() -> None:
    class Stuck(Tool):
        def _pressure(self) -> float:
            return min(super()._pressure(), 0.3) if self._pumped_at is not None else 101325.0

    clock = VirtualClock()
    tool = Stuck(clock)

    async def main() -> None:
        with pytest.raises(DeviceError, match="where argon should give"):
            await SputterTool(Bench("tool", clock), base_pressure=0.3).deposit(
                oxygen=0.5, temperature=350.0, power=100.0, argon=1.0, duration=20.0, dispatch=tool
            )

    clock.run(main())
    assert "supply.on" not in names(tool)
    assert "oxygen.set_flow" in names(tool)
    assert tool.flows == {"argon": 0.0, "oxygen": 0.0}


class Once(dict[tuple[str, str], Exception]):
    """Failures that are met once."""

    def __getitem__(self, act: tuple[str, str]) -> Exception:
        return self.pop(act)


@pytest.mark.parametrize("act", ["set_power", "off"])
def test_a_state_that_was_not_reached_for_a_lost_reply_is_asked_for_once_more(act: str) -> None:
    def lose(tool: Tool) -> None:
        tool.fails = Once({("supply", act): DeviceSilent("supply", "no reply")})

    tool, film = deposit(lose)
    assert isinstance(film, Film)
    assert names(tool).count(f"supply.{act}") == 2


def test_a_strike_is_never_repeated_and_a_broken_line_is_not_talked_over() -> None:
    for part_act, error in (
        (("supply", "on"), DeviceSilent("supply", "no reply")),
        (("supply", "set_power"), DeviceGone("supply", "the cable is out")),
    ):
        fails = Once({part_act: error})
        tool, raised = deposit(lambda t, fails=fails: setattr(t, "fails", fails))
        assert raised is error
        assert names(tool).count(".".join(part_act)) == 1


def test_an_interlock_is_passed_on_untouched() -> None:
    tripped = InterlockTripped("never supply.on while gauge.pressure > 5 Pa", "it is 7 Pa")
    tool, raised = deposit(lambda t: t.fails.update({("supply", "on"): tripped}))
    assert raised is tripped
    assert names(tool)[-1] == "supply.on"


@pytest.mark.parametrize(
    "error",
    [LimitExceeded("power", 900.0, 0.0, 250.0, "W"), Stopped("the step took too long")],
)
def test_what_ends_the_deposition_alone_leaves_nothing_on(error: Exception) -> None:
    tool, raised = deposit(lambda t: t.fails.update({("supply", "set_power"): error}))
    assert raised is error
    assert names(tool)[-4:] == ["supply.off", "oxygen.set_flow", "argon.set_flow", "heater.off"]


def test_a_deposition_that_is_stopped_with_the_campaign_sends_nothing_more() -> None:
    stopped = Stopped("the campaign is being stopped")
    fails = {("supply", "on"): stopped, ("supply", "off"): stopped}
    tool, raised = deposit(lambda t: t.fails.update(fails))
    assert raised is stopped
    assert names(tool)[-2:] == ["supply.on", "supply.off"]


def test_an_uncertain_strike_is_switched_off_and_stays_uncertain() -> None:
    doubt = DeviceUnsure("supply", "nobody knows")
    tool, raised = deposit(lambda t: t.fails.update({("supply", "on"): doubt}))
    assert raised is doubt
    assert names(tool)[-4:] == ["supply.off", "oxygen.set_flow", "argon.set_flow", "heater.off"]


def test_switching_off_goes_on_when_a_part_does_not_answer() -> None:
    gone = DeviceError("supply", "gone")

    def fail(tool: Tool) -> None:
        tool.fails |= {("supply", "on"): gone, ("supply", "off"): gone}

    tool, raised = deposit(fail)
    assert raised is gone
    assert names(tool)[-1] == "heater.off"


def test_a_deposition_needs_few_exchanges() -> None:
    tool, film = deposit()
    assert isinstance(film, Film)
    assert len(tool.acts) < 100


def test_a_release_cools_before_it_vents_whatever_was_under_way() -> None:
    clock = VirtualClock()
    tool = Tool(clock)

    async def main() -> None:
        await tool("valves", "pump")
        await tool("heater", "set_temperature", temperature=400.0)
        await clock.sleep(500.0)
        tool.acts.clear()
        await SputterTool(Bench("tool", clock)).release(dispatch=tool)

    clock.run(main())
    assert names(tool)[0] == "supply.off"
    assert index(tool, "heater.off") < index(tool, "heater.until") < index(tool, "valves.vent")
    assert tool.flows == {"argon": 0.0, "oxygen": 0.0}


def _settles(burnt_s: float) -> float:
    """A target that needs some minutes: 60 V too much at first, 3 V after 150 s."""
    return 300.0 + 60.0 * 2.0 ** (-burnt_s / 35.0)


def test_the_shutter_opens_when_the_target_voltage_is_steady_and_not_before() -> None:
    tool, film = deposit(lambda t: setattr(t, "voltage_at", _settles))
    assert isinstance(film, Film)
    # 55 s a round; in the last 20 s of it the voltage changes by 10, 3.3 and 1.1 V
    assert names(tool).count("supply.on") == 3
    assert film.voltage == pytest.approx(300.0, abs=3.5)
    assert film.thickness == pytest.approx(1200 * GROWTH_NM_PER_S)


def test_a_steady_target_is_struck_once_and_an_exactness_is_what_was_asked_for() -> None:
    for within, n_strikes in ((60.0, 1), (4.0, 2), (1.5, 3)):
        options = {"steady_voltage": within}
        tool, _ = deposit(lambda t: setattr(t, "voltage_at", _settles), options)
        assert names(tool).count("supply.on") == n_strikes


def test_a_target_that_never_comes_to_rest_grows_nothing_and_is_switched_off() -> None:
    tool, error = deposit(
        lambda t: setattr(t, "voltage_at", lambda burnt_s: 300.0 + burnt_s),
        {"most_presputters": 3},
    )
    assert isinstance(error, ProcessUnsteady)
    assert error.blames_parameters
    assert "still changes by 20 V in 20 s after 3 times 60 s" in str(error)
    assert names(tool).count("supply.on") == 3
    assert tool.read("monitor", "growth")["thickness"] == 0
    assert names(tool)[-4:] == ["supply.off", "oxygen.set_flow", "argon.set_flow", "heater.off"]


def test_a_supply_that_is_switched_off_too_late_says_that_the_film_is_partial() -> None:
    class Late(Tool):
        async def __call__(self, part: str, action: str, /, **arguments: Any) -> Mapping[str, Any]:
            if (part, action) == ("supply", "off"):
                await self.clock.sleep(30.0)
            return await super().__call__(part, action, **arguments)

    clock = VirtualClock()
    tool = Late(clock)
    tool.voltage_at = _settles

    async def main() -> None:
        with pytest.raises(DeviceError, match="before the shutter opened: the film is partial"):
            await SputterTool(Bench("tool", clock)).deposit(
                oxygen=0.5, temperature=350.0, power=100.0, argon=0.5, duration=20.0, dispatch=tool
            )

    clock.run(main())


def test_oxygen_comes_down_from_the_stated_flow_and_only_from_there() -> None:
    tool, film = deposit(options={"approach": "above", "approach_flow": 2.0})
    assert isinstance(film, Film)
    flows = [a["flow"] for p, action, a in tool.acts if (p, action) == ("oxygen", "set_flow")]
    assert flows == [2.0, 2.0, 0.5, 0.0]
    assert tool.struck_at_oxygen == [2.0]
    assert film.thickness == pytest.approx(1200 * GROWTH_NM_PER_S)
    # while the plasma burns behind the closed shutter, and long before that opens
    came_down = next(row for row in _rows(tool) if row["phase"] == "presputter")
    assert came_down["oxygen [sccm]"] == "0.5"
    assert float(came_down["supply power [W]"]) == 100.0
    assert {row["oxygen [sccm]"] for row in _rows(tool) if row["phase"] == "growth"} == {"0.5"}


def test_oxygen_comes_up_where_that_is_the_stated_side() -> None:
    tool, _ = deposit(options={"approach": "below", "approach_flow": 0.1})
    assert tool.struck_at_oxygen == [0.1]


def test_a_target_that_is_struck_again_is_approached_again() -> None:
    tool, film = deposit(
        lambda t: setattr(t, "voltage_at", _settles), {"approach": "above", "approach_flow": 2.0}
    )
    assert isinstance(film, Film)
    assert tool.struck_at_oxygen == [2.0, 2.0, 2.0]


def test_a_flow_that_is_set_after_the_shutter_opened_leaves_a_partial_film() -> None:
    class Late(Tool):
        async def __call__(self, part: str, action: str, /, **arguments: Any) -> Mapping[str, Any]:
            if arguments == {"flow": 0.5}:
                await self.clock.sleep(60.0)
            return await super().__call__(part, action, **arguments)

    clock = VirtualClock()
    tool = Late(clock)
    sputter = SputterTool(Bench("tool", clock), approach="above", approach_flow=2.0)

    async def main() -> None:
        with pytest.raises(DeviceError, match="flow was not set before the shutter opened"):
            await sputter.deposit(
                oxygen=0.5, temperature=350.0, power=100.0, argon=0.5, duration=20.0, dispatch=tool
            )

    clock.run(main())
    assert names(tool)[-1] == "heater.off"


def test_a_presputter_too_short_for_both_is_refused_when_the_tool_is_made() -> None:
    with pytest.raises(InputError, match="leaves no time"):
        SputterTool(Bench("tool", VirtualClock()), presputter=30.0, approach="above")


@pytest.mark.parametrize(("side", "flow"), [("above", 0.4), ("below", 0.6)])
def test_a_flow_on_the_wrong_side_is_refused_before_anything_is_done(
    side: str, flow: float
) -> None:
    tool, error = deposit(options={"approach": side, "approach_flow": flow})
    assert isinstance(error, LimitExceeded)
    assert tool.acts == []


def test_a_side_that_is_none_is_refused_when_the_tool_is_made() -> None:
    with pytest.raises(InputError, match="no way to approach") as refused:
        SputterTool(Bench("tool", VirtualClock()), approach="sideways")
    assert refused.value.hint == "one of as_set, above, below"


def _rows(tool: Tool) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(tool.kept["process.csv"])))


def test_the_process_is_kept_second_by_second() -> None:
    tool, _ = deposit()
    rows = _rows(tool)
    times = [float(row["time [s]"]) for row in rows]
    assert len(rows) == pytest.approx(1260, abs=20)
    assert max(b - a for a, b in pairwise(times)) < 4.0
    assert [phase for phase, _ in groupby(row["phase"] for row in rows)] == [
        "gases",
        "presputter",
        "growth",
    ]
    grows = [row for row in rows if row["phase"] == "growth"]
    assert {row["supply voltage [V]"] for row in grows[1:-1]} == {"300"}
    assert {row["oxygen [sccm]"] for row in grows} == {"0.5"}
    assert float(grows[-1]["thickness [nm]"]) == pytest.approx(120.0, abs=1.0)


def test_what_cannot_be_read_is_left_empty_and_stops_nothing() -> None:
    tool, film = deposit(lambda t: t.unread.add(("gauge", "pressure")))
    assert isinstance(film, Film)
    assert {row["pressure [Pa]"] for row in _rows(tool)} == {""}
    assert all(row["temperature [degC]"] for row in _rows(tool))


def test_the_trace_of_a_film_that_failed_is_kept_too() -> None:
    tool, error = deposit(lambda t: setattr(t, "goes_out_after_s", 60.0 + 500.0))
    assert isinstance(error, DeviceError)
    assert float(_rows(tool)[-1]["supply power [W]"]) == 0.0


def test_no_trace_is_taken_where_none_is_wanted() -> None:
    tool, film = deposit(options={"trace": 0.0})
    assert isinstance(film, Film)
    assert tool.kept == {}
