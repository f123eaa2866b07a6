"""Lab files: resources with their options, parts, rules; what a campaign needs of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_kinds import CAPABILITIES, KINDS, PLANNERS, WORLDS, capability, kind

from orchestrator import plugins
from orchestrator.errors import FileProblems, Problem
from orchestrator.files.campaign import load_campaign
from orchestrator.files.lab import load_lab
from orchestrator.files.together import check_together, fulfils
from orchestrator.model.lab import Lab

ROOT = Path(__file__).parents[2] / "campaigns" / "niobium_titania"

LAB = """\
lab: a small lab
twins: {world: sputter-lab, seed: 7}
clock: {kind: scaled, speed: 1200}
resources:
  oxygen: {kind: flow, port: "twin:gas", full_scale: 200 sccm, unit_id: 2, serial: A17}
  gauge: {kind: gauge, port: "twin:gauge"}
  supply: {kind: supply, port: "twin:supply", on_restart: leave}
  heater: {kind: heater, port: "twin:heater"}
  arm: {kind: arm, port: "twin:arm"}
  meter: {kind: meter, port: "twin:meter"}
  tool: {kind: tool, parts: {heater: heater, supply: supply}}
roles: {chamber: tool, probe: meter, arm: arm}
positions:
  blanks: {slots: 100, stores_new: true}
  chamber: {}
  probe: {slots: 1}
  tray: {slots: 100}
limits:
  supply.set_power: {power: {max: 0.25 kW}}
interlocks:
  - never supply.on while gauge.pressure > 50 mbar
  - never heater.set_temperature while supply.plasma.power >= 1 W until heater.off
  - never  supply.set_power while heater.temperature < 300 K
make_safe: [supply, heater]
poll: 2 s
"""


def loaded(text: str, folder: Path) -> Lab:
    path = folder / "lab.yaml"
    path.write_text(text, encoding="utf-8")
    return load_lab(path, kind, KINDS, WORLDS)


OVEN = """\
instrument: An oven.
source: none
maker: Acme
model: O
identify: {read: {get: /who, value: name}, is: oven}
make_safe: {none_because: it only tells}
readings:
  temperature: {says: The temperature., read: {get: /state, value: t}, unit: degC}
"""


def problems_of(text: str, folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(FileProblems) as caught:
        loaded(text, folder)
    return caught.value.problems


def held_against(lab: Lab, campaign_text: str, folder: Path) -> None:
    path = folder / "campaign.yaml"
    path.write_text(campaign_text, encoding="utf-8")
    campaign = load_campaign(path, capability, tuple(CAPABILITIES), PLANNERS)
    check_together(campaign, lab, kind, capability)


def test_a_lab_file_becomes_a_model(tmp_path: Path) -> None:
    lab = loaded(LAB, tmp_path)
    assert lab.name == "a small lab"
    oxygen = lab.resource("oxygen")
    assert oxygen.options == {"port": "twin:gas", "full_scale": 200.0, "unit_id": 2}
    assert isinstance(oxygen.options["unit_id"], int)
    assert (oxygen.serial, oxygen.on_restart) == ("A17", "make_safe")
    assert lab.resource("supply").on_restart == "leave"
    assert lab.resource("tool").parts == {"heater": "heater", "supply": "supply"}
    assert lab.roles == {"chamber": "tool", "probe": "meter", "arm": "arm"}
    assert [p.name for p in lab.positions if p.stores_new] == ["blanks"]
    assert (lab.limits[0].resource, lab.limits[0].argument, lab.limits[0].high) == (
        "supply",
        "power",
        250.0,
    )
    assert lab.make_safe_order == ("supply", "heater")
    assert (lab.clock.kind, lab.clock.speed, lab.poll_s) == ("scaled", 1200.0, 2.0)
    assert lab.twins is not None
    assert (lab.twins.world, lab.twins.seed) == ("sputter-lab", 7)


def test_planned_faults_of_the_twins_are_read_in_seconds(tmp_path: Path) -> None:
    faults = "faults: [{how: hang, wire: gas, at: 24, lasts: 2 min}, {how: [drop, flip], share: 1}]"
    lab = loaded(LAB.replace("seed: 7}", f"seed: 7, {faults}}}"), tmp_path)
    assert lab.twins is not None
    hang, chance = lab.twins.plan()
    assert hang == {
        "wire": "gas", "how": ["hang"], "at": 24, "times": 1, "seconds": 120.0, "seed": 0,
    }  # fmt: skip
    assert (chance["wire"], chance["how"], chance["share"]) == ("*", ["drop", "flip"], 1.0)


def test_interlocks_are_read_in_the_unit_of_their_reading(tmp_path: Path) -> None:
    first, second, third = loaded(LAB, tmp_path).interlocks
    assert (first.sensor, first.reading, first.value) == ("gauge", "pressure", "value")
    assert (first.sense, first.threshold, first.unit) == (">", pytest.approx(5000.0), "Pa")
    assert first.released_by == "off"
    assert (second.value, second.sense, second.released_by) == ("power", ">=", "off")
    assert third.rule == "never supply.set_power while heater.temperature < 300 K"
    assert third.threshold == pytest.approx(26.85)


def test_a_reading_may_be_three_polls_old(tmp_path: Path) -> None:
    assert loaded(LAB, tmp_path).interlocks[0].max_age_s == 6.0
    assert loaded(LAB.replace("2 s", "1 s"), tmp_path).interlocks[0].max_age_s == 5.0


def test_a_rule_without_an_off_is_not_released(tmp_path: Path) -> None:
    rule = "- never heater.off while gauge.pressure > 5 Pa"
    lab = loaded(LAB.replace("interlocks:\n", f"interlocks:\n  {rule}\n"), tmp_path)
    assert lab.interlocks[0].released_by is None


def test_the_default_of_a_restart_is_the_labs(tmp_path: Path) -> None:
    lab = loaded(LAB + "on_restart: leave\n", tmp_path)
    assert {r.on_restart for r in lab.resources} == {"leave"}


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        ("kind: gauge", "kind: gage", "'gage' is not a kind of resource", "'gauge'"),
        ('kind: gauge, port: "twin:gauge"', "kind: gauge", "needs its option 'port'", ""),
        ("full_scale: 200 sccm, ", "", "needs its option 'full_scale' in 'sccm'", ""),
        ("200 sccm", "200", "'full_scale' needs a unit", "200 sccm"),
        ("200 sccm", "0 sccm", "'full_scale' is at least 0.001 sccm, not 0", ""),
        ("unit_id: 2", "unit_id: 999", "'unit_id' is at least 1 and at most 247, not 999", ""),
        ("200 sccm", "200 Pa", "cannot be converted to 'sccm'", ""),
        ("unit_id: 2", "unit_id: B", "'unit_id' is a whole number, not 'B'", ""),
        ("unit_id: 2", "unit_id: 2.5", "'unit_id' is a whole number, not 2.5", ""),
        ("unit_id: 2", "unit_id: true", "'unit_id' is a whole number, not True", ""),
        ("unit_id: 2", "tared: 1", "'tared' is true or false, not 1", ""),
        ("unit_id: 2", "gas: 5", "'gas' is a text, not 5", ""),
        ("unit_id: 2", "unit: 2", "'unit' is not an option of 'flow'", "'unit_id'"),
        ("on_restart: leave", "on_restart: no", "expected make_safe or leave, found 'no'", ""),
        ("{heater: heater, supply", "{heter: heater, heater: heater, supply", "is not a part", ""),
        ("supply: supply}}", "supply: suply}}", "'suply' is not a resource", "'supply'"),
        ("{heater: heater, supply", "{heater: gauge, supply", "capability Heater, which", "has"),
        ("{heater: heater, supply", "{heater: tool, supply", "cannot be a part of itself", ""),
        ("{heater: heater, ", "{", "'tool' needs its part 'heater' (Heater)", "bind"),
        ("chamber: tool", "chamber: tol", "'tol' is not a resource of this lab", "'tool'"),
        ("slots: 1}", "slots: 0}", "expected a number above 0", ""),
        ("slots: 1}", "slot: 1}", "'slot' is not a key of a position", "'slots'"),
        ("stores_new: true", "stores_new: yes", "expected true or false, found 'yes'", ""),
        ("supply.set_power: {", "suply.set_power: {", "is not a resource", "'supply'"),
        ("supply.set_power: {", "supply.power: {", "is not an action of", "set_power"),
        ("{power: {max", "{pwer: {max", "is not an argument of supply.set_power", "'power'"),
        ("{max: 0.25 kW}", "{max: 250}", "the limit needs a unit", "250 W"),
        ("{max: 0.25 kW}", "{max: 250 V}", "cannot be converted to 'W'", ""),
        ("{max: 0.25 kW}", "{}", "a limit needs 'min' or 'max'", ""),
        ("{max: 0.25 kW}", "{min: 9 W, max: 5 W}", "'min' is above 'max'", ""),
        ("{max: 0.25 kW}", "{maximum: 5 W}", "'maximum' is not a key of a limit", "'max'"),
        ("> 50 mbar", "> 50 V", "cannot be converted to 'Pa'", ""),
        ("> 50 mbar", "> 50", "has no unit", ""),
        ("> 50 mbar", "= 50 Pa", "is not an interlock", "never RESOURCE.ACTION"),
        ("while gauge", "when gauge", "is not an interlock", "never RESOURCE.ACTION"),
        ("never supply.on ", "never supply.onn ", "is not an action", "'on'"),
        ("while gauge.pressure", "while gage.pressure", "is not a resource", "'gauge'"),
        ("while gauge.pressure", "while gauge.presure", "is not an action", "'pressure'"),
        ("while gauge.pressure", "while heater.off", "is no reading", ""),
        ("supply.plasma.power", "supply.plasma", "reads 3 values", "VALUE"),
        ("supply.plasma.power", "supply.plasma.pwer", "is not a value that", "'power'"),
        ("until heater.off", "until supply.off", "action of another resource", "'heater'"),
        ("make_safe: [supply, heater]", "make_safe: [supply, supply]", "stands twice", ""),
        ("make_safe: [supply, heater]", "make_safe: [hter]", "is not a resource", "'heater'"),
        ("world: sputter-lab", "world: sputter", "is not a world of twins", "'sputter-lab'"),
        (
            "seed: 7}",
            "seed: 7, faults: [{how: drop, at: 2, share: 0.1}]}",
            "either 'at' or 'share'",
            "number of a reply",
        ),
        ("seed: 7}", "seed: 7, faults: [{how: drop, share: 2}]}", "found 2", ""),
        (
            "seed: 7}",
            "seed: 7, faults: [{how: drop, att: 2}]}",
            "'att' is not a key of 'faults'",
            "'at'",
        ),
        (
            "seed: 7}",
            "seed: 7, faults: [{how: hang, at: 2, lasts: 1 V}]}",
            "cannot be converted to 's'",
            "",
        ),
        ("poll: 2 s", "poll: 2 V", "cannot be converted to 's'", ""),
        ("poll: 2 s", "poll: 2", "expected a text, found 2", "unit"),
        ("kind: scaled", "kind: fast", "expected wall or scaled", ""),
        ("kind: scaled", "kind: wall", "the wall clock has no speed", "scaled"),
        ("  tray: {", "  tray-1: {", "'tray-1' cannot be a name", "letters"),
        (
            "  gauge: {",
            "  g.2: {kind: tool, parts: {heater: heater, supply: supply}}\n  gauge: {",
            "'g.2' cannot be a name",
            "letters",
        ),
        ("lab: a small lab\n", "", "'lab' is missing", ""),
        ("poll: 2 s", "pol: 2 s", "'pol' is not a key of a lab", "'poll'"),
    ],
)
def test_a_bad_value_gets_one_sentence_with_its_hint(
    old: str, new: str, message: str, hint: str, tmp_path: Path
) -> None:
    assert LAB.count(old) == 1
    problems = problems_of(LAB.replace(old, new), tmp_path)
    assert len(problems) == 1, "\n".join(map(str, problems))
    assert message in problems[0].message
    assert hint in problems[0].hint
    assert problems[0].line > 0


def test_a_campaign_file_in_the_place_of_a_lab_is_told_in_one_sentence(tmp_path: Path) -> None:
    (problem,) = problems_of("name: films\nspace: {x: {real: [0, 1]}}\n", tmp_path)
    assert problem.message == "it is a campaign file, not a lab file"


def test_a_scaled_clock_is_for_twins_alone(tmp_path: Path) -> None:
    text = LAB.replace("twins: {world: sputter-lab, seed: 7}\n", "").replace("twin:", "/dev/tty")
    (problem,) = problems_of(text, tmp_path)
    assert problem.message == "a scaled clock would drive real devices too fast"
    text = LAB.replace('"twin:gauge"', "socket://gauge.example:4001")
    (problem,) = problems_of(text, tmp_path)
    assert "would drive 'gauge' at 'socket://gauge.example:4001' too fast" in problem.message


def test_a_twins_port_needs_twins(tmp_path: Path) -> None:
    text = LAB.replace("twins: {world: sputter-lab, seed: 7}\n", "")
    text = text.replace("clock: {kind: scaled, speed: 1200}\n", "")
    problems = problems_of(text, tmp_path)
    assert len(problems) == 6
    assert problems[0].message == "'twin:gas' needs 'twins:' in this file"


def test_a_driver_may_run_in_a_process_of_its_own(tmp_path: Path) -> None:
    text = LAB.replace('"twin:heater"}', '"twin:heater", isolate: true}')
    lab = loaded(text, tmp_path)
    assert [b.name for b in lab.resources if b.isolate] == ["heater"]


def test_what_cannot_be_isolated_is_found(tmp_path: Path) -> None:
    text = LAB.replace("kind: tool, ", "kind: tool, isolate: true, ")
    text = text.replace('gauge, port: "twin:gauge"', 'gauge, port: "twin:gas", isolate: true')
    text = text.replace("on_restart: leave", "isolate: maybe")
    found = {p.line: f"{p.message} ({p.hint})" for p in problems_of(text, tmp_path)}
    assert "'tool' acts through its parts" in found[11]
    assert "isolate its parts" in found[11]
    assert "'oxygen' has the same port 'twin:gas', and is not isolated" in found[6]
    assert "isolate both, or none" in found[6]
    assert 7 in found
    assert len(found) == 3


@pytest.mark.parametrize("port", ["visa:GPIB0::22::INSTR", "socket://meters.example:4001"])
def test_a_port_of_any_sort_belongs_to_one_process(port: str, tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    meter = f'kind: keithley-2400, port: "{port}"'
    path.write_text(f"lab: a desk\nresources: {{a: {{{meter}, isolate: true}}, b: {{{meter}}}}}\n")
    with pytest.raises(FileProblems, match="'b' has the same port"):
        load_lab(path, plugins.resource_kind, plugins.installed("resources"), WORLDS)


@pytest.mark.parametrize(
    ("port", "again"),
    [
        ("LINK", "DEVICE"),
        ("./DEVICE", "DEVICE"),
        ("socket://Meters.Example:4001", "SOCKET://meters.example:4001/"),
        ("com3", "COM3"),
        ("visa:GPIB0::22::INSTR", "visa:gpib0::22::instr"),
    ],
)
def test_one_port_is_one_port_however_it_is_spelled(
    port: str, again: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tty0").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "tty0")
    monkeypatch.chdir(tmp_path)
    ports = []
    for text in (port, again):
        text = text.replace("LINK", str(tmp_path / "by-id"))
        beside = "./tty0" if text.startswith("./") else str(tmp_path / "tty0")
        ports.append(text.replace("./DEVICE", beside).replace("DEVICE", beside))
    meter = "kind: keithley-2400, port:"
    path = tmp_path / "lab.yaml"
    path.write_text(
        f"lab: a desk\nresources: {{a: {{{meter} '{ports[0]}', isolate: true}}, "
        f"b: {{{meter} '{ports[1]}'}}}}\n"
    )
    with pytest.raises(FileProblems, match="'b' has the same port"):
        load_lab(path, plugins.resource_kind, plugins.installed("resources"), WORLDS)


def test_two_on_one_port_have_the_same_line_settings(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    gas = "kind: alicat, port: /dev/ttyUSB0, full_scale: 9 sccm"
    path.write_text(
        f"lab: a desk\nresources:\n  argon: {{{gas}, baudrate: 19200}}\n"
        f"  oxygen: {{{gas}, unit_id: B}}\n  nitrogen: {{{gas}, unit_id: C, baudrate: 9600}}\n"
    )
    with pytest.raises(FileProblems) as found:
        load_lab(path, plugins.resource_kind, plugins.installed("resources"), WORLDS)
    (problem,) = found.value.problems
    said = "'nitrogen' has baudrate 9600, and 'argon' on the same port 19200"
    assert (problem.line, problem.message) == (5, said)


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (
            "a: {kind: alicat, full_scale: 9 sccm, unit_id: A}\n"
            "b: {kind: alicat, full_scale: 200 sccm}",
            "'b' and 'a' are both unit_id A on one port",
        ),
        (
            "a: {kind: pfeiffer-turbo, address: 2}\nb: {kind: pfeiffer-turbo, address: 2}",
            "'b' and 'a' are both address 2 on one port",
        ),
    ],
)
def test_two_on_a_line_have_addresses_of_their_own(
    resources: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "lab.yaml"
    rows = [f"  {row}" for row in resources.replace("{", "{port: COM1, ").split("\n")]
    path.write_text("\n".join(["lab: a desk", "resources:", *rows]))
    with pytest.raises(FileProblems) as found:
        load_lab(path, plugins.resource_kind, plugins.installed("resources"), WORLDS)
    (problem,) = found.value.problems
    assert (problem.line, problem.message) == (4, message)


@pytest.mark.parametrize(
    "resources",
    [
        "a: {kind: mks-937b, channel: 1}\nb: {kind: mks-937b, channel: 3}",
        "a: {kind: modbus-heater}\nb: {kind: modbus-heater, register_setpoint: 11}",
        "a: {kind: modbus-heater, unit_id: 1}\nb: {kind: modbus-valves, unit_id: 1}",
        "a: {kind: tdk-genesys, address: 6, max_voltage: 9 V, max_current: 1 A}\n"
        "b: {kind: tdk-genesys, address: 7, max_voltage: 9 V, max_current: 1 A}",
    ],
)
def test_what_shares_an_address_may_be_two_things_of_one_device(
    resources: str, tmp_path: Path
) -> None:
    path = tmp_path / "lab.yaml"
    rows = [f"  {row}" for row in resources.replace("{", "{port: COM1, ").split("\n")]
    path.write_text("\n".join(["lab: a desk", "resources:", *rows]))
    lab = load_lab(path, plugins.resource_kind, plugins.installed("resources"), WORLDS)
    assert [binding.name for binding in lab.resources] == ["a", "b"]


def test_a_file_that_two_resources_are_given_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "oven.yaml").write_text(OVEN)
    oven = "kind: http, declared: oven.yaml, token_file: /srv/token"
    path = tmp_path / "lab.yaml"
    path.write_text(
        f'lab: a desk\nresources:\n  a: {{{oven}, port: "http://a.example", isolate: true}}\n'
        f'  b: {{{oven}, port: "http://b.example"}}\n'
    )
    lab = load_lab(path, plugins.resource_kind, plugins.installed("resources"), WORLDS)
    assert [b.isolate for b in lab.resources] == [True, False]


def test_what_only_computes_has_processes_of_its_own_already(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text("lab: a desk\nresources: {emt: {kind: emt, isolate: true}}\n")
    with pytest.raises(FileProblems, match="runs in processes of its own already"):
        load_lab(path, plugins.resource_kind, plugins.installed("resources"), WORLDS)


def test_who_keeps_files_stays_with_the_engine(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    options = 'kind: file-drop, folder: /srv/spectra, pattern: "*.xy", isolate: true'
    path.write_text(f"lab: a desk\nresources: {{xrd: {{{options}}}}}\n")
    with pytest.raises(FileProblems, match="'xrd' keeps files with the campaign"):
        load_lab(path, plugins.resource_kind, plugins.installed("resources"), WORLDS)


def test_all_mistakes_of_a_lab_come_at_once(tmp_path: Path) -> None:
    text = LAB.replace("kind: gauge", "kind: gage").replace("0.25 kW", "x").replace("tool,", "tol,")
    text = text.replace("slots: 1}", "slots: -1}")
    assert [p.line for p in problems_of(text, tmp_path)] == [6, 11, 12, 16, 19]


def test_the_shipped_campaign_and_the_small_lab_fit(tmp_path: Path) -> None:
    held_against(loaded(LAB, tmp_path), (ROOT / "campaign.yaml").read_text(), tmp_path)


@pytest.mark.parametrize(
    "path",
    sorted(p for p in ROOT.glob("*.yaml") if p.name != "campaign.yaml"),
    ids=lambda p: p.stem,
)
def test_every_shipped_lab_fits_its_campaign_with_what_is_installed(path: Path) -> None:
    lab = load_lab(
        path,
        plugins.resource_kind,
        plugins.installed("resources"),
        plugins.installed("twins"),
    )
    campaign = load_campaign(
        ROOT / "campaign.yaml",
        plugins.capability,
        plugins.installed("capabilities"),
        plugins.installed("planners"),
    )
    check_together(campaign, lab, plugins.resource_kind, plugins.capability)


def misfits(lab_text: str, folder: Path, campaign_text: str | None = None) -> list[str]:
    lab = loaded(lab_text, folder)
    with pytest.raises(FileProblems) as caught:
        held_against(lab, campaign_text or (ROOT / "campaign.yaml").read_text(), folder)
    assert all(p.line > 0 for p in caught.value.problems)
    return [f"{p.message} ({p.hint})" for p in caught.value.problems]


def test_a_role_without_a_resource_is_found(tmp_path: Path) -> None:
    (problem,) = misfits(LAB.replace(", probe: meter", ""), tmp_path)
    assert "the campaign's role 'probe' (FourPointProbe) is not bound" in problem


def test_a_resource_that_lacks_the_capability_is_found(tmp_path: Path) -> None:
    (problem,) = misfits(LAB.replace("probe: meter", "probe: gauge"), tmp_path)
    assert "'gauge' cannot be 'probe': 'gauge' has no action 'sheet_resistance'" in problem


def test_positions_that_do_not_exist_are_found(tmp_path: Path) -> None:
    problems = misfits(LAB.replace("  tray:", "  try:").replace(", stores_new: true", ""), tmp_path)
    assert len(problems) == 2
    assert any("'tray' in step 'store' is not a position" in p and "'try'" in p for p in problems)
    assert any("takes a new sample, but no position stores them" in p for p in problems)


def test_the_whole_space_is_held_against_the_limits_of_the_lab(tmp_path: Path) -> None:
    limits = "  tool.deposit: {temperature: {max: 673.15 K}, duration: {max: 10 min}}\n"
    problems = misfits(LAB.replace("limits:\n", "limits:\n" + limits), tmp_path)
    assert len(problems) == 2
    assert "the space of 'temperature' reaches 723.15 K, but the lab limits" in problems[0]
    assert "at most 673.15 K" in problems[0]
    assert "'duration' in step 'deposit' is 1200 s, but the lab limits" in problems[1]


def test_the_whole_space_is_held_against_the_limits_of_the_resource(tmp_path: Path) -> None:
    campaign = (ROOT / "campaign.yaml").read_text().replace("[50, 200]", "[50, 400]")
    (problem,) = misfits(LAB, tmp_path, campaign)
    assert "the space of 'power' reaches 400 W, but 'tool' takes 'power' at most 300 W" in problem


def test_a_limit_that_is_reached_exactly_is_kept(tmp_path: Path) -> None:
    limits = "  tool.deposit: {temperature: {max: 450 degC, min: 25 degC}, power: {max: 0.2 kW}}\n"
    lab = loaded(LAB.replace("limits:\n", "limits:\n" + limits), tmp_path)
    held_against(lab, (ROOT / "campaign.yaml").read_text(), tmp_path)


def test_a_lab_without_its_text_is_held_against_a_campaign_too(tmp_path: Path) -> None:
    lab = loaded(LAB, tmp_path).model_copy(update={"text": "", "roles": {}})
    with pytest.raises(FileProblems, match="is not bound"):
        held_against(lab, (ROOT / "campaign.yaml").read_text(), tmp_path)


def test_a_kind_fulfils_in_other_units_of_the_same_dimension() -> None:
    assert fulfils(kind("tool"), "Sputtering", capability("Sputtering")) == []


def test_everything_that_keeps_a_kind_from_a_capability_is_named() -> None:
    problems = fulfils(kind("lesser-tool"), "Sputtering", capability("Sputtering"))
    lacks = [p.message.removesuffix(", which Sputtering needs") for p in problems]
    assert lacks == [
        "lesser-tool.deposit does not take 'oxygen' as real in 'sccm'",
        "lesser-tool.deposit does not take 'temperature' as real in 'degC'",
        "lesser-tool.deposit cannot do without 'bias'",
        "lesser-tool.deposit does not give 'thickness' as real in 'nm'",
        "lesser-tool.deposit does not give 'temperature' as real in 'degC'",
        "lesser-tool.deposit does not give 'pressure' as real in 'Pa'",
        "lesser-tool.deposit does not give 'voltage' as real in 'V'",
    ]


@pytest.mark.parametrize("said", ["tuned.json", "../other/tuned.json"])
def test_an_option_that_is_a_path_is_relative_to_the_lab_file(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    text = f"lab: here\nresources: {{net: {{kind: sevennet, tuned: {said}}}}}\nroles: {{}}\n"
    (folder / "lab.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    lab = load_lab(Path("lab") / "lab.yaml", plugins.resource_kind, ("sevennet",), WORLDS)
    assert lab.resource("net").options["tuned"] == str((folder / said).resolve())
