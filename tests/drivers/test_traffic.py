"""The record of a night: what is in it, what a full disk does, and how it is played again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.deposition.alicat import AlicatFlowController
from drivers.deposition.pfeiffer_tpg import PfeifferGauge
from drivers.robots.universal_robots import UniversalRobot
from drivers.thermal.modbus_heater import ModbusHeater
from orchestrator.clock import WallClock
from orchestrator.errors import HaganeError, InputError, TrafficDiffers
from orchestrator.ports.resource import Bench
from orchestrator.ports.traffic import Figures, Passage, read_passage
from orchestrator.runtime.traffic import TrafficRecord
from simulators.twins.control import Served

Make = Callable[..., Any]
PATIENCE_S = 0.1


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "twins", seed=7, speed=1e-6) as server:
        yield server


@given(st.binary(max_size=40), st.floats(0, 4e9), st.integers(1, 99))
def test_a_line_of_a_record_is_read_as_it_was_written(
    data: bytes, at: float, connection: int
) -> None:
    passage = Passage("came", data, round(at, 3), connection, "/dev/ttyUSB0")
    found = read_passage(passage.line("gauge"))
    assert (found.data, found.connection, found.port) == (data, connection, "/dev/ttyUSB0")
    assert abs(found.at - passage.at) < 1e-3


def test_people_can_read_a_record() -> None:
    assert json.loads(Passage("sent", b"AS12.5\r").line("argon"))["text"] == "AS12.5\r"
    assert json.loads(Passage("came", b"\x06\r\n").line("gauge"))["text"] == "\x06\r\n"
    assert json.loads(Passage("sent", b"\x01\x03\x00\xff").line("heater"))["hex"] == "01 03 00 ff"
    mark = json.loads(Passage("mark", said="silent", why="no reply within 1 s").line("argon"))
    assert (mark["said"], mark["why"]) == ("silent", "no reply within 1 s")


async def _outcomes(deeds: Sequence[Callable[[], Awaitable[Any]]]) -> list[str]:
    """What each deed came to, one after the other, in words."""
    found = []
    for deed in deeds:
        try:
            found.append(repr(await deed()))
        except TrafficDiffers:
            raise
        except HaganeError as error:
            found.append(f"{type(error).__name__}")
    return found


def _gas_night(argon: Any, oxygen: Any) -> list[Callable[[], Awaitable[Any]]]:
    deeds: list[Callable[[], Awaitable[Any]]] = [argon.open, oxygen.open]
    for flow in (5.0, 20.0, 35.0, 50.0):
        deeds += [
            argon.identify,
            lambda flow=flow: argon.set_flow(flow=flow),
            lambda flow=flow: oxygen.set_flow(flow=flow / 10),
            argon.flow,
            oxygen.flow,
            argon.health,
        ]
    return [*deeds, argon.make_safe, oxygen.make_safe, argon.close, argon.open, argon.flow]


def _gas(make: Make, argon: str, oxygen: str) -> tuple[Any, Any]:
    common = {"full_scale": 200.0, "timeout": PATIENCE_S}
    return (
        make(AlicatFlowController, argon, name="argon", unit_id="A", **common),
        make(AlicatFlowController, oxygen, name="oxygen", unit_id="B", **common),
    )


def _on(record: TrafficRecord) -> Make:
    def make(driver: Any, port: str, *, name: str, **options: Any) -> Any:
        return driver(Bench(name, WallClock(), record=record.of(name)), port, **options)

    return make


def test_a_night_with_faults_is_replayed_to_the_same_outcome(
    served: Served, tmp_path: Path, replayed: Make
) -> None:
    kinds = ["drop", "truncate", "flip", "twice", "echo", "split", "merge", "address", "nak"]
    served.control.plan({"wire": "gas", "how": kinds, "share": 0.3, "seed": 11})
    served.control.plan({"wire": "gas", "how": "unplug", "at": 30, "seconds": 0.05})
    record = TrafficRecord(tmp_path / "traffic")
    argon, oxygen = _gas(_on(record), served.ports["gas"], served.ports["gas"])
    then = asyncio.run(_outcomes(_gas_night(argon, oxygen)))
    asyncio.run(_outcomes([argon.close, oxygen.close]))
    record.close()
    argon, oxygen = _gas(replayed, record.folder / "argon.jsonl", record.folder / "oxygen.jsonl")
    assert asyncio.run(_outcomes(_gas_night(argon, oxygen))) == then
    lines = (record.folder / "argon.jsonl").read_text().splitlines()
    marks = {json.loads(line).get("said") for line in lines}
    assert {"connected", "silent", "garbled"} <= marks, "it was a bad night"


def test_a_device_that_was_away_is_away_again(
    served: Served, tmp_path: Path, replayed: Make
) -> None:
    def night(gauge: Any) -> list[Callable[[], Awaitable[Any]]]:
        return [gauge.open, gauge.pressure, gauge.pressure, gauge.identify]

    record = TrafficRecord(tmp_path / "traffic")
    gauge = _on(record)(PfeifferGauge, served.ports["gauge"], name="gauge", timeout=PATIENCE_S)
    then = asyncio.run(_outcomes(night(gauge)[:2]))
    served.control.fail("gauge", "unplug")
    then += asyncio.run(_outcomes(night(gauge)[2:]))
    asyncio.run(gauge.close())
    record.close()
    assert then[2:] == ["DeviceGone", "DeviceAbsent"]
    again = replayed(PfeifferGauge, record.folder / "gauge.jsonl")
    assert asyncio.run(_outcomes(night(again))) == then


def test_each_port_of_a_device_has_a_record_of_its_own(
    served: Served, tmp_path: Path, replayed: Make
) -> None:
    record = TrafficRecord(tmp_path / "traffic")
    ports = served.ports
    arm = _on(record)(UniversalRobot, ports["arm"], name="arm", registers=ports["arm-registers"])
    then = asyncio.run(_outcomes([arm.open, arm.health, arm.close]))
    record.close()
    assert sorted(file.name for file in record.folder.iterdir()) == ["arm-2.jsonl", "arm.jsonl"]
    registers = f"replay:{record.folder / 'arm-2.jsonl'}"
    again = replayed(UniversalRobot, record.folder / "arm.jsonl", registers=registers)
    assert asyncio.run(_outcomes([again.open, again.health])) == then[:2]


def _recorded(served: Served, folder: Path) -> Path:
    record = TrafficRecord(folder)
    heater = _on(record)(ModbusHeater, served.ports["modbus"], name="heater")
    deeds = [heater.open, heater.identify, lambda: heater.set_temperature(120.0), heater.close]
    asyncio.run(_outcomes(deeds))
    record.close()
    return record.folder / "heater.jsonl"


def test_the_first_byte_that_differs_is_named_with_its_line(served: Served, tmp_path: Path) -> None:
    file = _recorded(served, tmp_path)
    heater = ModbusHeater(Bench("heater", WallClock()), f"replay:{file}")
    asyncio.run(_outcomes([heater.open, heater.identify]))
    with pytest.raises(TrafficDiffers, match=r"heater\.jsonl line 4 has .*sent, where now .* is"):
        asyncio.run(heater.set_temperature(121.0))
    with pytest.raises(TrafficDiffers, match="line 4"):
        asyncio.run(heater.temperature())


def test_what_goes_on_after_the_record_differs(served: Served, tmp_path: Path) -> None:
    file = _recorded(served, tmp_path)
    heater = ModbusHeater(Bench("heater", WallClock()), f"replay:{file}")
    deeds = [heater.open, heater.identify, lambda: heater.set_temperature(120.0)]
    asyncio.run(_outcomes(deeds))
    with pytest.raises(TrafficDiffers, match="is the last one of the record, where now"):
        asyncio.run(heater.temperature())


def test_a_replay_that_ends_early_fails_its_test(served: Served, tmp_path: Path) -> None:
    from drivers.transports.replaying import finish_replays

    bench = Bench("heater", WallClock())
    heater = ModbusHeater(bench, f"replay:{_recorded(served, tmp_path)}")
    asyncio.run(_outcomes([heater.open, heater.identify]))
    with pytest.raises(TrafficDiffers, match=r"line 4 has .* sent, where now the replay ends"):
        finish_replays(bench)


@pytest.mark.parametrize("text", ["{}\n", "nonsense\n", '{"way": "sent", "at": "now"}\n'])
def test_what_is_no_record_is_refused_with_its_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(text)
    heater = ModbusHeater(Bench("heater", WallClock()), f"replay:{tmp_path / 'x.jsonl'}")
    with pytest.raises(InputError, match="line 1 is no line of a traffic record"):
        asyncio.run(heater.open())


def test_a_full_disk_is_said_once_and_stops_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    record = TrafficRecord(tmp_path, said.append)
    (record.folder / "gauge.jsonl").symlink_to("/dev/full")
    take = record.of("gauge")
    for _ in range(20_000):
        take(Passage("sent", b"PR1\r"))
    record.close()
    assert len(said) == 1
    assert "loses lines: No space left on device; the run goes on" in said[0]


def test_a_folder_that_cannot_be_made_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="traffic cannot be recorded"):
        TrafficRecord(tmp_path / "file")


def test_a_long_record_goes_on_in_parts_of_which_the_oldest_are_let_go(tmp_path: Path) -> None:
    record = TrafficRecord(tmp_path, part_bytes=1000)
    take = record.of("gauge")
    for number in range(100):
        take(Passage("sent", f"PR{number}\r".encode()))
    record.close()
    files = {file.name for file in record.folder.iterdir()}
    assert len(files) == 8
    assert "gauge.jsonl" not in files
    last = max(files, key=lambda name: int(name.removesuffix(".jsonl").removeprefix("gauge.part")))
    assert '"text": "PR99\\r"' in (record.folder / last).read_text()


def test_the_figures_of_a_wire_count_what_went_wrong(served: Served) -> None:
    figures = Figures()
    bench = Bench("argon", WallClock(), figures=figures)
    argon = AlicatFlowController(bench, served.ports["gas"], full_scale=200.0, timeout=PATIENCE_S)
    served.control.plan({"wire": "gas", "how": "drop", "at": 2})
    served.control.plan({"wire": "gas", "how": "truncate", "at": 4})
    served.control.plan({"wire": "gas", "how": "unplug", "at": 6, "seconds": 0.05})
    asyncio.run(_outcomes([argon.open, *[argon.flow] * 5, argon.close]))
    assert (figures.n_silences, figures.n_garbled, figures.n_retries) == (1, 1, 2)
    assert figures.n_reconnects == 1
    assert figures.is_troubled
    plain = figures.plain()
    assert plain["exchanges"] == figures.n_exchanges > 8
    assert 0 < float(plain["median_ms"] or 0) <= float(plain["p99_ms"] or 0)
