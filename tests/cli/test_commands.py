"""Every command: its help with an example, its JSON, and the exit code of each bad input."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from orchestrator.cli.app import app
from orchestrator.journal import open_store
from orchestrator.model import events as ev
from tests.docs.private_lab import private_runtime
from tests.reports.sample_campaign import niobium_titania, sample_events

ROOT = Path(__file__).parents[2]
HAGANE = Path(sys.executable).with_name("hagane")
COMMANDS = [
    *("demo", "run", "check", "rehearse", "list", "show", "trials", "events", "pause", "resume"),
    *("stop", "doubts", "resolve", "observe", "report", "export", "propose", "replay", "schema"),
    *("try", "prefer", "belief", "triage", "invalidate"),
    *("resource list", "resource show", "resource check", "doctor", "new campaign"),
    *("new driver", "new pool", "resource try", "resource find", "tick"),
]
SWIFT = "seed: 7}\nclock: {kind: scaled, speed: 20000}"


@dataclass(frozen=True)
class Told:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def hagane(*words: str | Path) -> Told:
    """Runs a command in this process."""
    found = CliRunner().invoke(app, [str(w) for w in words], terminal_width=80)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return Told(found.exit_code, found.stdout, found.stderr)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder, a data directory and twins of one's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "80")
    with private_runtime() as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
        yield tmp_path


@pytest.fixture
def film(here: Path) -> Path:
    """A campaign of three Sobol trials on swift twins."""
    assert hagane("new", "campaign", "film").code == 0
    edit(here / "film" / "campaign.yaml", "kind: bayesian, initial: 6", "kind: sobol")
    edit(here / "film" / "campaign.yaml", "trials: 20", "trials: 2")
    edit(here / "film" / "twins.yaml", "seed: 7}\nclock: {kind: scaled, speed: 1200}", SWIFT)
    return here / "film"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one campaign that ran to its end on twins."""
    folder = tmp_path_factory.mktemp("played")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("HAGANE_DATA", str(folder / "data"))
        assert hagane("new", "campaign", "film").code == 0
        edit(folder / "film" / "campaign.yaml", "kind: bayesian, initial: 6", "kind: sobol")
        edit(folder / "film" / "campaign.yaml", "trials: 20", "trials: 2")
        edit(folder / "film" / "twins.yaml", "seed: 7}\nclock: {kind: scaled, speed: 1200}", SWIFT)
        done = subprocess.run(
            [HAGANE, "run", "film", "--store", "store.sqlite"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the budget of 2 trials is used" in done.stdout
    return folder / "store.sqlite"


@pytest.fixture
def store(played: Path, here: Path) -> Path:
    """A copy of that store, to be spoilt."""
    assert hagane("export", here / "mine.sqlite", "--whole", "--store", played).code == 0
    return here / "mine.sqlite"


def _commands() -> Iterator[tuple[str, Any]]:
    tree = typer.main.get_command(app)
    for name, command in tree.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command
        else:
            yield from ((f"{name} {below}", one) for below, one in inner.items())


def test_the_commands_are_these() -> None:
    assert sorted(name for name, _ in _commands()) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_that_can_be_copied_and_typed(name: str) -> None:
    told = hagane(*name.split(), "--help")
    assert told.code == 0
    assert "--json" in told.out
    (example,) = re.findall(r"^  Example: hagane (.+)$", told.out, re.MULTILINE)
    words = shlex.split(example.split(" > ")[0])
    path = name.split()
    assert words[: len(path)] == path
    command = dict(_commands())[name]
    command.make_context(name, words[len(path) :])  # raises where an option does not exist


def test_help_lists_every_command_with_a_whole_sentence() -> None:
    told = hagane("--help")
    assert told.code == 0
    listed = told.out.split("Commands:")[1]
    assert "..." not in listed
    for name in COMMANDS:
        assert re.search(rf"^  {name.split()[0]} ", listed, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("show", "summary"),
        ("trials", None),
        ("doubts", None),
        ("list", None),
        ("doctor", None),
        ("belief film", "why_none"),
        ("report --to page.html", "written"),
        ("export trials.csv --campaign film", "written"),
        ("export one.sqlite --whole", "written"),
    ],
)
def test_looking_at_a_campaign_gives_json(played: Path, words: str, key: str | None) -> None:
    told = hagane(*words.split(), "--store", played, "--json")
    assert told.code == 0, told.out
    assert (key in told.json) if key else isinstance(told.json, list)


def test_events_are_json_lines_of_an_unbroken_count(played: Path) -> None:
    told = hagane("events", "film", "--after", "10", "--store", played, "--json")
    numbers = [json.loads(line)["seq"] for line in told.out.splitlines()]
    assert numbers == list(range(11, 11 + len(numbers)))
    assert len(numbers) > 50


@pytest.mark.parametrize(
    "words",
    [
        "check niobium_titania",
        "check crossed_barrel",
        "rehearse alloy_screening --planner random --trials 1",
        "schema campaign",
        "schema lab",
        "resource list",
        "resource show sputter-tool",
        "resource show Heater",
        "new campaign fresh",
        "new driver acme-bh1",
    ],
)
def test_commands_without_a_store_give_json(words: str) -> None:
    told = hagane(*words.split(), "--json")
    assert told.code == 0, told.out
    assert told.json


def test_a_composite_shows_the_parts_that_it_is_made_of() -> None:
    shown = hagane("resource", "show", "sputter-tool").out
    assert "fulfils Sputtering\n" in shown
    assert "part supply: SputterSupply\n" in shown


def test_a_capability_shows_what_a_driver_must_have() -> None:
    assert "did you mean 'Heater'?" in hagane("resource", "show", "Heaterr").err
    shown = hagane("resource", "show", "Heater").out
    assert "idempotent   set_temperature(temperature [degC" in shown
    told = hagane("resource", "show", "Heater", "--json").json
    assert set(told["actions"]) == {"off", "set_temperature", "temperature"}


def test_a_declared_instrument_is_shown_by_its_lab(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "drivers" / "declarations" / "supply.yaml", tmp_path)
    text = 'psu: {kind: scpi, declared: supply.yaml, port: "socket://127.0.0.1:5025"}'
    (tmp_path / "lab.yaml").write_text(f"lab: a bench\nresources:\n  {text}\nroles: {{gun: psu}}\n")
    shown = hagane("resource", "show", "lab.yaml", "gun").out
    assert "idempotent   set_voltage(voltage [V, 0 to 30])" in shown
    assert "idempotent" not in hagane("resource", "show", "scpi").out
    told = hagane("resource", "show", "lab.yaml", "psuu")
    assert told.code == 2
    assert "did you mean 'psu'?" in told.err


def test_what_is_shown_of_a_campaign_reads_well(played: Path) -> None:
    shown = hagane("show", "film", "--store", played).out
    assert "finished: the budget of 2 trials is used" in shown
    trials = hagane("trials", "--store", played).out
    assert re.search(r"^ +1/2 ", trials, re.MULTILINE)
    assert "film" in hagane("list", "--store", played).out
    assert hagane("doubts", "--store", played).out == "nothing is in doubt\n"
    assert "campaign_opened" in hagane("events", "--store", played).out


def test_a_campaign_that_has_ended_is_not_run_again(played: Path) -> None:
    folder = played.parent / "film"
    again = hagane("run", folder, "--store", played)
    assert again.code == 0
    assert "it has ended already" in again.out
    assert "--new" in again.out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("power: 150 W", "powr: 150 W", r"campaign\.yaml:\d+:7: 'powr' .*did you mean 'power'\?"),
        ("power: 150 W", "power: 150 nm", r"\d+:14: .*'nm', which cannot be converted to 'W'"),
        ("power: 150 W", "power: 150", r"\d+:14: 'power' needs a unit.*write '150 W'"),
        ("power: 150 W", "power: -1 W", r"\d+:14: .*-1 W, but 'power' takes at least 0 W"),
        ("[0.05, 5], unit: sccm, scale: log", "[-1, 5], unit: sccm", r"'oxygen' reaches -1 sccm"),
        ("chamber: Sputtering", "chamber: Sputering", r"did you mean 'Sputtering'\?"),
        ("chamber.deposit", "chamber.depose", r"did you mean 'deposit'\?"),
        ("arm.place", "hand.place", r"'hand' is not a role of this campaign"),
        ("minimise: resistivity", "minimise: resistance", r"'resistance' is not a metric"),
        ("=deposit.thickness,", "=__import__('os').getcwd(),", r"is refused"),
        ("=oxygen ", "=oxygn ", r"did you mean 'oxygen'\?"),
        ("[25, 450]", "[450, 25]", r"450 is not below the upper bound 25"),
        ("seed: 1", "seed: !!python/object:os.system 1", r"\d+:\d+: .*tag"),
        ("seed: 1", "sead: 1", r"'sead' is not a key of a campaign \(did you mean 'seed'\?\)"),
        ("seed: 1", "a: &a [x, x]\nb: &b [*a, *a]", r"\d+:\d+: "),
        ("=oxygen ", "=oxygen +", r"\d+:\d+: "),
        ("kind: sobol", "kind: sobol, thraeds: 1", r"\d+:\d+: 'thraeds' is not an option of"),
    ],
)
def test_a_mistake_in_a_campaign_file_is_told_with_its_place(
    film: Path, old: str, new: str, said: str
) -> None:
    edit(film / "campaign.yaml", old, new)
    for command in ("check", "run", "rehearse"):
        told = hagane(command, film)
        assert told.code == 2
        assert re.search(said, told.err), told.err
    assert not (film.parent / "data" / "store.sqlite").exists(), "nothing was opened"


def test_all_mistakes_of_both_files_are_told_at_once(film: Path) -> None:
    edit(film / "campaign.yaml", "power: 150 W", "powr: 150 W")
    edit(film / "campaign.yaml", "minimise: resistivity", "minimise: resistance")
    edit(film / "twins.yaml", "kind: pfeiffer-tpg", "kind: pfeifer-tpg")
    told = hagane("check", film, "--json")
    assert told.code == 2
    assert told.json["exit_code"] == 2
    for mistake in ("'powr'", "'resistance'", "'pfeifer-tpg'"):
        assert mistake in told.json["error"]


def test_the_problems_of_a_file_are_data_in_json(film: Path) -> None:
    edit(film / "campaign.yaml", "power: 150 W", "powr: 150 W")
    told = hagane("check", film, "--json")
    problems = {p["message"]: p for p in told.json["problems"]}
    found = problems["'powr' is not an argument of chamber.deposit"]
    assert (found["column"], found["hint"]) == (7, "did you mean 'power'?")


def test_check_tells_which_rows_of_a_source_are_left_out_and_why(here: Path) -> None:
    (here / "old.csv").write_text("width,length [nm]\n1,2\n2,n/a\n3,>400\n4,5\n")
    (here / "c.yaml").write_text(
        "name: c\nspace: {width: {real: [0, 9]}}\nmetrics: {length: {unit: um}}\n"
        "objective: {maximise: length}\nbudget: {trials: 5}\n"
        "transfer: [{table: old.csv, column: length}]\n"
    )
    told = hagane("check", here / "c.yaml")
    assert told.code == 0
    assert "length (old.csv): 2 values; 2 rows are left out:" in told.out
    assert "old.csv:3: 'n/a' is no value" in told.out
    assert "old.csv:4: '>400' is a bound, not a value" in told.out
    left_out = hagane("check", here / "c.yaml", "--json").json["left_out"]
    assert [row["line"] for row in left_out["length (old.csv)"]] == [3, 4]


def test_a_source_in_another_unit_than_the_space_or_without_differences_is_told(here: Path) -> None:
    rows = [(300.0 + 10 * i, 5.0 - (i - 5) ** 2) for i in range(8)]
    (here / "r.csv").write_text("heat,length\n" + "".join(f"{x},{y}\n" for x, y in rows))
    (here / "kelvin.csv").write_text("heat,gap\n" + "".join(f"{x + 273},{y}\n" for x, y in rows))
    (here / "flat.csv").write_text("heat,flat\n" + "".join(f"{x},7\n" for x, _ in rows))
    (here / "c.yaml").write_text(
        "name: c\nspace: {heat: {real: [300, 400], unit: degC}}\nmetrics: {length: {}}\n"
        "objective: {maximise: length}\nplanner: {initial: 4}\nbudget: {trials: 5}\n"
        "transfer: [{table: kelvin.csv, column: gap}, {table: flat.csv, column: flat}]\n"
    )
    proposed = hagane("propose", "--data", here / "r.csv", "--campaign", here / "c.yaml")
    assert "how likely each is to predict best: no transfer: " in proposed.err
    for told in (hagane("check", here / "c.yaml").out, proposed.err):
        assert "gap (kelvin.csv): 8 of 8 points lie outside of the space, the first with" in told
        assert "flat (flat.csv): all values are equal, so that nothing is learnt of it" in told


def test_check_counts_the_rows_of_a_source_that_repeat_a_material(here: Path) -> None:
    (here / "pool.csv").write_text("name,formula\na,FeO\nb,NiO\nc,CoO\n")
    (here / "old.csv").write_text("formula,gap\nFeO,1\nOFe,3\nNiO,2\nXx,2\nOFe,5\n")
    (here / "c.yaml").write_text(
        "name: c\nspace: {m: {pool: pool.csv, formula: formula, descriptor: composition}}\n"
        "metrics: {gap: {}}\nobjective: {maximise: gap}\nbudget: {trials: 3}\n"
        "transfer: [{table: old.csv, column: gap, formula: formula}]\n"
    )
    told = hagane("check", here / "c.yaml").out
    assert "2 values; 2 rows repeat a material, and the mean is taken; 1 row is left" in told
    assert "old.csv:5: 'Xx'" in told


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("while gauge.pressure", "while gauge.presure", r"did you mean 'pressure'\?"),
        ("> 5 Pa", "> 5 V", r"'V', which cannot be converted to 'Pa'"),
        (
            "{power: {max: 250 W}}",
            "{power: {max: 100 W}}",
            r"'power' in step 'deposit' is 150 W, but the lab limits .* to at most 100 W",
        ),
        ("full_scale: 200 sccm", "full_scale: 200", r"needs a unit.*write '200 sccm'"),
        ('"twin:gauge"', "twin:gage", r"not a port of these twins \(did you mean 'gauge'\?\)"),
        ("unit_id: A", "unit_id: AA", r"argon: unit_id 'AA' is no Alicat unit"),
        ("unit_id: 1}", "unit_id: 999}", r"'unit_id' is at least 1 and at most 247, not 999"),
        ('"twin:gauge"', "/dev/ttyUSB9", r"a scaled clock would drive 'gauge'.*too fast"),
        ("probe: meter", "probe: heater", r"'heater' cannot be 'probe'"),
        (
            "limits:\n",
            "limits:\n  tool.deposit: {temperature: {max: 300 degC}}\n",
            r"the space of 'temperature' reaches 450 degC, but the lab limits .* at most 300 degC",
        ),
        ("chamber: {slots: 1}", "camber: {slots: 1}", r"'chamber' in step 'take'.*not a position"),
    ],
)
def test_a_mistake_in_a_lab_file_is_told_with_its_place(
    film: Path, old: str, new: str, said: str
) -> None:
    edit(film / "twins.yaml", old, new)
    told = hagane("check", film)
    assert told.code == 2
    assert re.search(r"twins\.yaml:\d+:\d+: ", told.err), told.err
    assert re.search(said, told.err), told.err


def test_a_limit_that_a_dispatch_exceeds_fails_the_trial_and_no_byte_leaves(film: Path) -> None:
    edit(film / "twins.yaml", "{power: {max: 250 W}}", "{power: {max: 100 W}}")
    edit(film / "campaign.yaml", "power: 150 W", """power: "=2 * '75 W'\"""")
    told = hagane("rehearse", film, "--json")
    assert "power = 150 W is outside its limits" in " ".join(told.json["failures"])


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        ("check nowhere", "there is no campaign file 'nowhere'", "niobium_titania"),
        ("run niobium_titana", "no campaign file", "did you mean 'niobium_titania'?"),
        ("check niobium_titania --lab moon", "no lab file 'moon'", "twins.yaml"),
        ("show nobody", "'nobody' is not a campaign in this store", "film"),
        ("trials flim", "'flim' is not a campaign", "did you mean 'film'?"),
        ("pause nobody", "'nobody' is not a campaign", "film"),
        ("pause film", "campaign 'film' has ended", "--new"),
        ("resume film", "campaign 'film' has ended", "--new"),
        ("stop film", "no engine runs campaign 'film'", "its own controls"),
        ("resolve 0123456789abcdef perhaps", "'perhaps' is not a verdict", "not-done"),
        ("resolve 0123456789abcdef done", "campaign 'film' has ended", "--new"),
        ("observe film-1 --metric resistivity --value 3", "campaign 'film' has ended", "--new"),
        ("schema labb", "'labb' is not a file with a schema", "did you mean 'lab'?"),
        ("resource show alicatt", "'alicatt' is not a resource", "did you mean 'alicat'?"),
        ("propose --data none.csv --minimise y", "none.csv", ""),
        ("new campaign 9lives", "cannot be the name", "a letter first"),
        ("schema scip", "'scip' is not a file with a schema", "did you mean 'scpi'?"),
        ("new driver alicat", "is installed already", "hagane resource show alicat"),
        ("rehearse niobium_titania --planner gauss", "'gauss'", "sobol"),
        ("export trials.ods", "'.ods' is not a kind of file that is written", ".xlsx"),
        ("export trials", "'trials' is not a kind of file that is written", ".csv"),
        ("report --to film.pdf", "a report is one HTML file", "print"),
    ],
)
def test_what_the_user_wrote_wrong_ends_with_2_and_a_hint(
    store: Path, words: str, said: str, hint: str
) -> None:
    name = words.split()[0]
    takes_store = "--store" in hagane(name, "--help").out
    told = hagane(*words.split(), *((f"--store={store}",) if takes_store else ()))
    assert told.code == 2, told.out + told.err
    assert said in told.err
    assert hint in told.err


def test_a_changed_file_is_refused_with_the_difference(played: Path, here: Path) -> None:
    shutil.copytree(played.parent / "film", here / "film")
    edit(here / "film" / "campaign.yaml", "power: 150 W", "power: 160 W")
    told = hagane("run", "film", "--store", played)
    assert told.code == 2
    assert "-      power: 150 W" in told.err
    assert "+      power: 160 W" in told.err
    assert "--new" in told.err


def test_an_absent_device_ends_with_5_and_names_its_port(film: Path) -> None:
    lab = (film / "twins.yaml").read_text()
    lab = lab.replace("twins: {world: sputter-lab, " + SWIFT, "clock: {kind: wall}")
    lab = re.sub(r'"twin:([\w-]+)"', r"/dev/tty-absent-\1", lab)
    (film / "bench.yaml").write_text(lab)
    told = hagane("run", film, "--lab", "bench.yaml")
    assert told.code == 5
    assert "/dev/tty-absent-gas" in told.err
    assert "check the cable" in told.err
    found = hagane("resource", "check", film / "bench.yaml")
    assert found.code == 5
    assert len(re.findall("^BAD ", found.out, re.MULTILINE)) == 9
    refused = hagane("rehearse", film, "--lab", "bench.yaml")
    assert refused.code == 2
    assert "no twins to rehearse on" in refused.err


def test_a_store_of_a_newer_version_ends_with_5(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE meta SET value = '999' WHERE key = 'schema_version'")
    connection.close()
    for words in (["list"], ["show", "film"], ["doctor"], ["run", "niobium_titania"]):
        told = hagane(*words, "--store", store)
        assert told.code == 5
        assert "newer" in told.out + told.err


@pytest.mark.parametrize("words", ["list", "show", "doctor", "pause", "events", "export x.csv"])
def test_looking_at_a_store_that_is_not_there_makes_none(here: Path, words: str) -> None:
    told = hagane(*words.split(), "--store", here / "stoer.sqlite")
    assert told.code == (5 if words == "doctor" else 2)
    assert f"there is no store {here / 'stoer.sqlite'}" in told.out + told.err
    assert hagane("list").code == 0
    assert hagane("show").code == 2
    assert list(here.rglob("*.sqlite*")) == []


def test_an_address_of_another_kind_is_no_store() -> None:
    told = hagane("run", "niobium_titania", "--store", "mysql://lab/store")
    assert (told.code, "'mysql://' is no kind of store" in told.err) == (2, True)


def test_a_file_that_is_no_store_ends_with_5_and_is_left_alone(here: Path) -> None:
    (here / "notes.txt").write_text("my notes\n" * 100)
    told = hagane("list", "--store", here / "notes.txt")
    assert told.code == 5
    assert "it is not a database" in told.err
    assert (here / "notes.txt").read_text() == "my notes\n" * 100


def test_doctor_sees_an_event_that_was_edited(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(
            "UPDATE events SET event = replace(event, 'space-filling', 'hand-picked')"
        )
    connection.close()
    told = hagane("doctor", "--store", store)
    assert told.code == 5
    assert re.search(r"^BAD campaign film-\w+: .*\b13\b", told.out, re.MULTILINE)


def test_a_second_engine_is_refused_and_told_who_holds_the_campaign(film: Path) -> None:
    (film.parent / "data").mkdir()
    opened = open_store(film.parent / "data" / "store.sqlite")
    from orchestrator.runtime.load import load

    row = opened.create("film", load(film).campaign.file_hash)
    journal = opened.lease(row.id, "hanako@lab (process 42)")
    told = hagane("run", film)
    assert told.code == 5
    assert "is being run by hanako@lab (process 42)" in told.err
    assert "hagane stop" in told.err
    assert journal.token
    opened.close()


def test_a_folder_that_cannot_be_written_is_one_sentence(film: Path) -> None:
    columns = "oxygen,temperature,thickness,resistivity"
    (film / "r.csv").write_text(f"{columns}\n1,100,150,0.1\n")
    to = film / "r.csv" / "below.csv"
    told = hagane("propose", "--data", film / "r.csv", "--campaign", film, "--to", to)
    assert told.code == 2
    assert told.err.startswith(f"wrong input: '{to}' cannot be written: not a directory\n")


def test_a_table_of_proposals_is_read_back_within_the_space(here: Path) -> None:
    (here / "r.csv").write_text("wl,p,y\n780.2410,0,1\n780.2415,123456.7,2\n780.2412,9.5,3\n")
    told = hagane("propose", "--data", "r.csv", "--maximise", "y", "-n", "2")
    rows = [list(map(float, line.split(","))) for line in told.out.splitlines()[1:]]
    assert all(780.2410 <= wl <= 780.2415 and 0 <= p <= 123456.7 for wl, p in rows)
    assert all(line.split(",")[0] != "780.241" for line in told.out.splitlines())


def test_there_is_one_goal(here: Path) -> None:
    (here / "r.csv").write_text("x,y\n1,2\n2,3\n")
    both = hagane("propose", "--data", "r.csv", "--minimise", "y", "--maximise", "y")
    assert (both.code, "not both" in both.err) == (2, True)
    file = hagane("propose", "--data", "r.csv", "--minimise", "y", "--campaign", "crossed_barrel")
    assert (file.code, "the campaign file says" in file.err) == (2, True)
    none = hagane("propose", "--data", "r.csv")
    assert (none.code, "--minimise COLUMN" in none.err) == (2, True)


def _begun(here: Path, *more: ev.Event) -> tuple[Path, str]:
    """A store with a campaign that ends with a dispatch, and `more`; and that one's ticket."""
    campaign, where = niobium_titania(), here / "mine.sqlite"
    store = open_store(where)
    row = store.create(campaign.name, campaign.file_hash)
    artifact = store.put_artifact(row.id, campaign.model_dump_json().encode(), "campaign")
    first, *others = [e.event for e in sample_events(1)]
    sent = next(e for e in others if isinstance(e, ev.ActionDispatched))
    opened = first.model_copy(update={"artifact": artifact})
    about = [e.model_copy(update={"ticket": sent.ticket}) for e in more]
    journal = store.lease(row.id, "an engine")
    asyncio.run(journal.append([opened, *others[: others.index(sent)], sent, *about], at=0.0))
    asyncio.run(journal.close())
    store.close()
    return where, sent.ticket


def test_after_a_kill_doubts_ends_with_3_before_the_next_run(here: Path) -> None:
    where, ticket = _begun(here)
    told = hagane("doubts", "--store", where)
    assert told.code == 3
    assert "not looked into yet" in told.out
    (found,) = hagane("doubts", "--store", where, "--json").json
    assert found["known"] == "not looked into yet: the next `hagane run` will ask"
    refused = hagane("resolve", ticket, "not-done", "--store", where)
    assert refused.code == 2
    assert "nobody has looked into ticket" in refused.err


def test_a_verdict_that_waits_is_not_turned_into_a_repetition_by_the_way(here: Path) -> None:
    where, ticket = _begun(here, ev.Doubted(ticket="", known="little", needs_person=True))
    assert hagane("resolve", ticket, "failed", "--store", where).code == 0
    refused = hagane("resolve", ticket, "not-done", "--store", where)
    assert refused.code == 2
    assert "has said 'failed' of it, which the next run will take" in refused.err
    assert "hint: say --yes if that is right" in refused.err
    assert hagane("resolve", ticket, "failed", "--store", where).out.count("takes the place") == 0
    sure = hagane("resolve", ticket, "not-done", "--yes", "--store", where)
    assert sure.code == 0
    assert "takes the place of 'failed'" in sure.out
    assert "of 'not-done'" in hagane("resolve", ticket, "failed", "--store", where).out


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    ["pause", "resume", "prefer 1 2", "try x=1", "invalidate 1 --why w", "observe 1 --value 2"],
)
def test_of_several_campaigns_that_run_the_one_that_is_meant_has_to_be_named(
    store: Path, words: str
) -> None:
    opened = open_store(store)
    rows = [opened.create("night", "a"), opened.create("day", "b")]
    for row in rows:
        opened.lease(row.id, "an engine")
    told = hagane(*words.split(), "--store", store)
    opened.close()
    assert told.code == 2
    assert f"2 campaigns are running: {rows[0].id}, {rows[1].id}" in told.err
    assert "name the one that is meant" in told.err


def test_a_running_campaign_is_paused_stopped_and_resumed_from_beside(film: Path) -> None:
    edit(film / "twins.yaml", "speed: 20000", "speed: 400")
    running = _start(film)
    assert hagane("pause", "film", "--note", "lunch").out == "done\n"
    assert "lunch" in hagane("show", "film").out
    assert hagane("resume", "film").out == "done\n"
    assert hagane("stop", "film").out == "safe\n"
    assert running.wait(300) == 130
    latched = hagane("run", film)
    assert latched.code == 3
    assert "`hagane resume`" in latched.out
    assert hagane("resume", "film").code == 0
    assert _start(film).wait(300) == 0
    assert "finished" in hagane("show", "film").out


@pytest.mark.slow
def test_an_interrupt_ends_with_130_and_the_next_run_goes_on(film: Path) -> None:
    edit(film / "twins.yaml", "speed: 20000", "speed: 400")
    running = _start(film)
    running.send_signal(signal.SIGINT)
    assert running.wait(300) == 130
    before = hagane("show", "film", "--json").json["campaign"]
    again = _start(film).wait(300)
    if again == 3:  # it fell into an order of which the device cannot say afterwards what it did
        for doubt in hagane("doubts", "film", "--json").json:
            assert hagane("resolve", doubt["ticket"], "failed", "--campaign", "film").code == 0
        again = _start(film).wait(300)
    assert again == 0
    after = hagane("show", "film", "--json").json["campaign"]
    assert (after["id"], after["n_events"] > before["n_events"]) == (before["id"], True)


def _start(film: Path) -> subprocess.Popen[bytes]:
    """An engine that has begun to dispatch."""
    known = _rows(film)
    process = subprocess.Popen(
        [HAGANE, "run", film], cwd=film.parent, env=dict(os.environ), stdout=subprocess.DEVNULL
    )
    while process.poll() is None:
        time.sleep(0.05)
        if any(n > known.get(row, 0) + 30 for row, n in _rows(film).items()):
            break
    return process


def _rows(film: Path) -> dict[str, int]:
    """How many events each campaign of the store has."""
    file = film.parent / "data" / "store.sqlite"
    if not file.exists():
        return {}
    store = open_store(file)
    try:
        return {row.id: row.n_events for row in store.campaigns()}
    finally:
        store.close()


def test_triage_of_a_campaign_without_a_pool_is_refused_in_words(store: Path) -> None:
    told = hagane("triage", "--store", store)
    assert told.code == 2
    assert "has no pool of candidates" in told.err


def test_a_sheet_of_votes_is_read_and_not_written(store: Path, here: Path) -> None:
    told = hagane("triage", "--store", store, "--votes", here / "v.csv", "--to", here / "t.csv")
    assert told.code == 2
    assert "either written or read" in told.err


def test_the_list_of_kinds_has_columns_and_whole_sentences() -> None:
    found = CliRunner().invoke(app, ["resource", "list"])
    lines = found.stdout.splitlines()
    column = lines[0].index("SputterSupply")
    assert all(line[column - 2 : column] == "  " and line[column] != " " for line in lines)
    assert all(line.endswith(".") for line in lines)
