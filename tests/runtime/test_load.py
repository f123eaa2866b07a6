"""From names to a checked campaign on a checked lab."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.errors import FileProblems, InputError
from orchestrator.runtime.load import campaign_path, lab_path, load, load_perhaps_without_lab


def test_a_campaign_is_named_by_its_file_its_folder_or_as_installed(back_room: Path) -> None:
    file = back_room / "campaign.yaml"
    assert campaign_path(file) == file
    assert campaign_path(back_room) == file
    assert campaign_path("niobium_titania").name == "campaign.yaml"
    with pytest.raises(InputError) as refused:
        campaign_path("niobium_titanium")
    assert refused.value.hint == "did you mean 'niobium_titania'?"


def test_the_lab_beside_the_campaign_is_taken_but_never_hardware(back_room: Path) -> None:
    file = back_room / "campaign.yaml"
    assert lab_path(file, None) == back_room / "lab.yaml"
    (back_room / "twins.yaml").write_text("lab: twins\n")
    assert lab_path(file, None) == back_room / "twins.yaml"
    assert lab_path(file, "lab") == back_room / "lab.yaml"
    assert lab_path(file, back_room / "lab.yaml") == back_room / "lab.yaml"
    (back_room / "twins.yaml").unlink()
    (back_room / "lab.yaml").rename(back_room / "hardware.yaml")
    with pytest.raises(InputError, match="no lab file lies beside") as refused:
        lab_path(file, None)
    assert "--lab" in refused.value.hint
    with pytest.raises(InputError) as refused:
        lab_path(file, "hardwar.yaml")
    assert refused.value.hint == "did you mean 'hardware.yaml'?"


def test_both_files_are_checked_together(back_room: Path) -> None:
    loaded = load(back_room)
    assert loaded.campaign.name == "weighing"
    assert set(loaded.kinds) == {"balance"}
    assert set(loaded.capabilities) == {"BackRoomWeighing"}
    (back_room / "lab.yaml").write_text(
        (back_room / "lab.yaml").read_text().replace("roles: {balance", "roles: {scales")
    )
    with pytest.raises(FileProblems, match=r"'balance' .* is not bound to a resource"):
        load(back_room)


def test_the_mistakes_of_both_files_are_told_at_once(back_room: Path) -> None:
    for name, wrong in (("campaign.yaml", "budgett: 1\n"), ("lab.yaml", "rolles: 1\n")):
        with (back_room / name).open("a") as file:
            file.write(wrong)
    with pytest.raises(InputError) as refused:
        load(back_room)
    assert "budgett" in str(refused.value)
    assert "rolles" in str(refused.value)


def test_the_mistakes_of_a_campaign_are_told_although_its_lab_is_missing(back_room: Path) -> None:
    (back_room / "lab.yaml").unlink()
    with (back_room / "campaign.yaml").open("a") as file:
        file.write("budgett: 1\n")
    with pytest.raises(InputError) as refused:
        load(back_room)
    assert "budgett" in str(refused.value)
    assert "no lab file lies beside" in str(refused.value)


def test_a_campaign_without_a_recipe_is_not_for_running(back_room: Path) -> None:
    text = (back_room / "campaign.yaml").read_text()
    head, tail = text.split("recipe:")[0], text[text.index("metrics:") :]
    (back_room / "campaign.yaml").write_text(head + tail.replace("value: =weigh.value, ", ""))
    with pytest.raises(InputError, match="has no recipe") as refused:
        load(back_room)
    assert "hagane propose" in refused.value.hint
    (back_room / "lab.yaml").unlink()
    with pytest.raises(InputError, match="has no recipe"):
        load(back_room)


def test_a_folder_without_a_campaign_is_called_one(back_room: Path) -> None:
    (back_room / "campaign.yaml").unlink()
    with pytest.raises(InputError, match=r"holds no campaign\.yaml"):
        load(back_room)


@pytest.mark.parametrize(
    ("old", "new", "message", "column"),
    [
        ("{kind: sobol}", "{kind: sobol, threads: 1}", "'threads' is not an option", 24),
        ("{kind: sobol}", "{kind: bayesian, threads: 0}", "planner option 'threads' = 0", 10),
    ],
)
def test_an_option_that_the_planner_does_not_take_is_a_mistake_of_the_file(
    back_room: Path, old: str, new: str, message: str, column: int
) -> None:
    text = (back_room / "campaign.yaml").read_text()
    (back_room / "campaign.yaml").write_text(text.replace(old, new))
    with pytest.raises(FileProblems, match=message) as refused:
        load(back_room)
    assert [(p.line, p.column) for p in refused.value.problems] == [(9, column)]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("note: unheard", "a 'back-room-balance' cannot be made like this: ValueError: unheard of"),
        ('note: "twin:scale"', "'twin:scale' needs 'twins:' in this file"),
    ],
)
def test_what_only_a_constructor_knows_is_a_mistake_of_the_file(
    back_room: Path, option: str, message: str
) -> None:
    text = (back_room / "lab.yaml").read_text()
    (back_room / "lab.yaml").write_text(text.replace("seconds: 0 s", f"seconds: 0 s, {option}"))
    with pytest.raises(FileProblems, match=message) as refused:
        load(back_room)
    assert refused.value.problems[0].line == 3


def test_a_format_without_a_parser_is_found_before_any_file_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "campaign.yaml").write_text(
        "name: scan\nspace: {x: {real: [0, 1]}}\nroles: {xrd: FileMeasurement}\n"
        "recipe:\n  - scan: {do: xrd.collect}\n"
        "metrics:\n  h: {reduce: {file: scan, take: highest, of: y, format: xrdmll}}\n"
        "objective: {maximise: h}\nplanner: {kind: sobol}\nbudget: {trials: 1}\n"
    )
    folder = '{kind: file-drop, folder: /srv/scans, pattern: "{ticket}*"}'
    (tmp_path / "lab.yaml").write_text(
        f"lab: x\nresources: {{xrd: {folder}}}\nroles: {{xrd: xrd}}\n"
    )
    with pytest.raises(FileProblems) as found:
        load(tmp_path)
    (problem,) = found.value.problems
    assert problem.line == 7
    assert problem.message.startswith("'xrdmll' is not a parser that is installed")
    assert "'xrdml'" in problem.hint


def test_a_campaign_for_tables_that_is_wrong_is_not_told_to_name_a_lab(tmp_path: Path) -> None:
    file = tmp_path / "campaign.yaml"
    file.write_text("name: t\nspace: {x: {real: [1, 0]}}\nmetrics: {y: {}}\n")
    with pytest.raises(FileProblems) as refused:
        load_perhaps_without_lab(file)
    assert "lab" not in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("real: [25, 450]", "real: [25, 505]", "the lab limits 'temperature' of heater.set_tem"),
        ("real: [25, 450]", "real: [25, 2500]", "'heater' takes 'temperature' at most 2000 degC"),
        ("power: =power", "power: 0.3 kW", "'power' in step 'deposit' is 300 W, but the lab limi"),
    ],
)
def test_a_space_beyond_the_limits_of_a_composites_parts_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    folder = campaign_path("niobium_titania").parent
    for name in ("campaign.yaml", "twins.yaml"):
        text = (folder / name).read_text()
        (tmp_path / name).write_text(text.replace(old, new))
    with pytest.raises(FileProblems, match=re.escape(said)):
        load(tmp_path)
