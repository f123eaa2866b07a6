"""What a campaign knows before its first trial, and tables of results."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_campaign_file import loaded, problem_of, problems_of
from test_schema import faults_of

from orchestrator.errors import FileProblems, Problem
from orchestrator.files.rows import Row, rows_of
from orchestrator.files.schema import campaign_schema
from orchestrator.files.table import read_table
from orchestrator.model.campaign import Blocks, Confirmation, Controls
from orchestrator.model.objective import Metric
from orchestrator.model.space import (
    Choice,
    Condition,
    Context,
    Fidelity,
    Integer,
    Ordinal,
    Real,
    SearchSpace,
)
from orchestrator.model.start import KnownOutcome

SPACE = SearchSpace(
    parameters=(
        Real(name="width", low=1, high=10, unit="mm"),
        Ordinal(name="speed", levels=(1.0, 2.5, 5.0), unit="mm/s"),
        Ordinal(name="grade", levels=("coarse", "fine")),
        Choice(name="anneal", options=("no", "yes")),
        Integer(name="hours", low=1, high=9),
        Fidelity(name="level", levels=("emt", "dft"), costs=(1.0, 10.0)),
        Context(name="humidity", low=20, high=80, assumed=45),
    ),
    conditions=(Condition(name="hours", parent="anneal", values=("yes",), otherwise=0),),
)
METRICS = (
    Metric(name="strength", expression="", unit="MPa"),
    Metric(name="mass", expression="", unit="g", scale="log"),
)
HEAD = "width,speed,grade,anneal,hours,level,strength,mass"


def read(tmp_path: Path, text: str) -> list[Row]:
    (tmp_path / "t.csv").write_text(text)
    return rows_of(read_table(tmp_path / "t.csv"), SPACE, METRICS)


def test_a_row_is_a_trial_in_the_units_of_the_campaign(tmp_path: Path) -> None:
    text = HEAD.replace("width", "width [cm]").replace("strength", "strength [GPa]")
    text = text.replace("speed", "speed [cm/s]") + ",humidity,strength sd [kPa]\n"
    (row,) = read(tmp_path, text + "0.2,0.25,fine,yes,3,dft,0.1,5,60,500\n")
    assert row.trial.point == {
        "width": 2.0, "speed": 2.5, "grade": "fine", "anneal": "yes", "hours": 3,
        "level": "dft", "humidity": 60.0,
    }  # fmt: skip
    assert row.trial.outcomes["strength"] == KnownOutcome(value=100.0, sd=0.5)
    assert row.trial.outcomes["mass"] == KnownOutcome(value=5.0)
    assert not row.is_pending
    assert not row.trial.failed
    assert row.trial.source.endswith("t.csv line 2")


def test_a_parameter_that_does_not_exist_needs_no_cell_and_a_context_no_column(
    tmp_path: Path,
) -> None:
    rows = read(tmp_path, f"{HEAD}\n2,1,fine,no,,dft,1,1\n2,1,fine,no,5,dft,1,1\n")
    assert [row.trial.point["hours"] for row in rows] == [0, 0]
    assert rows[0].trial.point["humidity"] == 45.0


def test_a_result_may_have_failed_or_be_still_to_come(tmp_path: Path) -> None:
    point = "2,1,fine,no,,dft"
    text = f"{HEAD}\n{point},failed,\n{point},,\n{point},3,\n{point},Failed,2\n{point},3,2\n"
    rows = read(tmp_path, text)
    told = [(r.trial.failed, r.trial.blames_parameters, r.is_pending) for r in rows]
    assert told == [
        (True, True, False),
        (False, False, True),
        (False, False, False),
        (True, True, False),
        (False, False, False),
    ]


def test_what_a_failed_trial_of_an_export_had_measured_is_no_result(tmp_path: Path) -> None:
    point = "2,1,fine,no,,dft"
    rows = read(
        tmp_path,
        f"{HEAD},status,cause\n{point},3,2,failed,parameters\n{point},3,,Failed,device\n"
        f"{point},,,failed,parameters\n{point},3,2,done,\n{point},,,running,\n",
    )
    told = [(r.trial.failed, r.trial.blames_parameters, r.is_pending) for r in rows]
    assert told == [
        (True, True, False),
        (True, False, False),
        (True, True, False),
        (False, False, False),
        (False, False, True),
    ]
    (row,) = read(tmp_path, f"{HEAD},status\n{point},3,2,failed\n")
    assert (row.trial.failed, row.trial.blames_parameters) == (True, True)


def test_a_parameter_or_a_metric_may_be_called_status(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,status\n1,3\n")
    space = SearchSpace(parameters=(Real(name="x", low=0, high=2),))
    (row,) = rows_of(
        read_table(tmp_path / "t.csv"), space, [Metric(name="status", expression="", unit="")]
    )
    assert row.trial.outcomes["status"].value == 3.0
    word = Choice(name="status", options=("failed", "fine"))
    (tmp_path / "t.csv").write_text("x,status,y\n1,failed,2\n")
    (row,) = rows_of(
        read_table(tmp_path / "t.csv"),
        SearchSpace(parameters=(*space.parameters, word)),
        [Metric(name="y", expression="", unit="")],
    )
    assert not row.trial.failed


def test_a_bound_is_one_and_so_is_what_an_export_calls_censored(tmp_path: Path) -> None:
    point = "2,1,fine,no,,dft"
    rows = read(tmp_path, f"{HEAD},mass censored\n{point},>5,1,\n{point},5,1,below\n")
    assert rows[0].trial.outcomes["strength"] == KnownOutcome(value=5.0, censored="above")
    assert rows[1].trial.outcomes["mass"] == KnownOutcome(value=1.0, censored="below")


def test_a_word_that_does_not_say_which_bound_it_is_is_refused(tmp_path: Path) -> None:
    point = "2,1,fine,no,,dft"
    rows = "".join(f"{point},1,1,{word}\n" for word in ("0.0", "False", "", "Above", "yes", "no"))
    with pytest.raises(FileProblems) as refused:
        read(tmp_path, f"{HEAD},mass censored\n{rows}")
    assert [(p.line, p.message) for p in refused.value.problems] == [
        (6, "'yes' does not say how 'mass' is censored"),
    ]
    assert "'above' or 'below'" in refused.value.problems[0].hint


def test_a_renamed_metric_has_its_noise_beside_it(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("x,stress,stress_sd\n2,3,0.1\n")
    text = WARM.replace("table: old.csv", "table: old.csv, columns: {y: stress}")
    assert loaded(text, tmp_path).start[0].outcomes["y"].sd == 0.1
    (tmp_path / "old.csv").write_text("x,stress,y sd\n2,3,0.2\n")
    assert loaded(text, tmp_path).start[0].outcomes["y"].sd == 0.2


def test_the_sd_of_readings_of_one_sample_is_no_noise_of_an_outcome(tmp_path: Path) -> None:
    point = "2,1,fine,no,,dft"
    text = f"{HEAD},mass sd,mass samples\n{point},5,1,0.1,1\n{point},5,1,0.1,3\n{point},5,1,0.1,\n"
    found = [row.trial.outcomes["mass"] for row in read(tmp_path, text)]
    assert [(f.sd, f.n_samples) for f in found] == [(None, 1), (0.1, 3), (0.1, 1)]


def test_every_bad_cell_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    good = "2,1,fine,no,,dft,1,1,0.1,2"
    bad = [
        ("2,1,", "wide,1,", "'wide' is not a number in column 'width'"),
        (",1,fine", ",3,fine", "'3' is not a level of 'speed'"),
        ("fine", "finest", "'finest' is not a grade"),
        ("no,,", "yes,,", "an empty cell is not a number in column 'hours'"),
        ("dft", "exact", "'exact' is not a level"),
        ("dft,1,", "dft,strong,", "'strong' is not a number in column 'strength'"),
        ("dft,1,1", "dft,1,0", "'0' is not above zero in column 'mass'"),
        ("0.1,2", "-1,2", "'-1' is not a standard deviation"),
        ("0.1,2", "0.1,0.5", "'0.5' is not a number of samples"),
    ]
    lines = [good.replace(old, new, 1) for old, new, _ in bad]
    with pytest.raises(FileProblems) as refused:
        read(tmp_path, f"{HEAD},mass sd,mass samples\n" + "\n".join(lines) + "\n")
    problems: tuple[Problem, ...] = refused.value.problems
    assert [p.line for p in problems] == list(range(2, 2 + len(bad)))
    for problem, (_, _, said) in zip(problems, bad, strict=True):
        assert said in problem.message


def test_a_unit_in_a_cell_belongs_in_the_heading(tmp_path: Path) -> None:
    with pytest.raises(FileProblems) as refused:
        read(tmp_path, f"{HEAD}\n2 cm,1,fine,no,,dft,5 GPa,1\n2 cm,1,fine,no,,dft,x y,1\n")
    hints = [p.hint for p in refused.value.problems]
    assert [h.partition("'")[2].partition("'")[0] for h in hints] == [
        "[cm]",
        "[GPa]",
        "[cm]",
        "failed",
    ]


def test_what_is_no_unit_is_not_said_to_belong_in_the_heading(tmp_path: Path) -> None:
    with pytest.raises(FileProblems) as refused:
        read(tmp_path, f"{HEAD}\n2 cm,1,fine,no,,dft,09. Aug,1\n")
    hint = refused.value.problems[-1].hint
    assert hint == "empty is not measured yet, 'failed' a failed trial"


def test_what_has_no_logarithm_is_told_with_its_line(tmp_path: Path) -> None:
    space = SearchSpace(parameters=(Real(name="dose", low=0.1, high=9, unit="mM", scale="log"),))
    (tmp_path / "t.csv").write_text("dose,strength\n1,1\n0,2\n")
    with pytest.raises(FileProblems) as refused:
        rows_of(read_table(tmp_path / "t.csv"), space, METRICS[:1])
    (problem,) = refused.value.problems
    assert problem.line == 3
    assert problem.message.startswith("'0' is not above zero in column 'dose'")
    assert "linear scale" in problem.hint


WARM = """\
name: warm
space: {x: {real: [0, 10], unit: V}}
metrics: {y: {unit: MPa}}
objective: {maximise: y}
start: {table: old.csv}
budget: {trials: 5}
"""


def test_a_campaign_may_start_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("x [mV],y\n2000,3\n3000,\n5000,failed\n")
    campaign = loaded(WARM, tmp_path)
    assert [t.point for t in campaign.start] == [{"x": 2.0}, {"x": 5.0}]
    assert campaign.start[0].outcomes == {"y": KnownOutcome(value=3.0)}
    first = campaign.file_hash
    (tmp_path / "old.csv").write_text("x [mV],y\n2000,4\n")
    assert loaded(WARM, tmp_path).file_hash != first
    (tmp_path / "old.csv").write_text("volt,y\n2,4\n")
    renamed = WARM.replace("table: old.csv", "table: old.csv, columns: {x: volt}")
    assert loaded(renamed, tmp_path).start[0].point == {"x": 2.0}
    assert faults_of(renamed, campaign_schema()) == []


def test_rows_of_a_start_with_the_same_lot_are_a_block(tmp_path: Path) -> None:
    text = WARM.replace("{y: {unit: MPa}}", "{y: {unit: MPa}, lot: {}}") + "block: {metric: lot}\n"
    (tmp_path / "old.csv").write_text("x,y,lot\n2,3,7\n3,,8\n4,5,9\n5,5,\n")
    assert [t.block for t in loaded(text, tmp_path).start] == ["lot 7", "lot 9", ""]
    renamed = text.replace("table: old.csv", "table: old.csv, columns: {lot: batch}")
    assert [t.block for t in loaded(renamed, tmp_path).start] == ["", "", ""]
    (tmp_path / "old.csv").write_text("x,y,batch\n2,3,7\n")
    assert [t.block for t in loaded(renamed, tmp_path).start] == ["lot 7"]


def test_a_campaign_may_start_from_another_one(tmp_path: Path) -> None:
    campaign = loaded(WARM.replace("table: old.csv", "campaign: cold"), tmp_path)
    assert (campaign.start, campaign.start_from) == ((), "cold")


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("{}", "exactly one of table, campaign"),
        ("{table: old.csv, campaign: cold}", "exactly one of table, campaign"),
        ("{table: gone.csv}", "gone.csv"),
        ("{tabel: old.csv}", "'tabel' is not a key of the start"),
        ("{table: old.csv, columns: {z: x}}", "'z' is not a parameter or metric"),
        ("{campaign: cold, columns: {x: z}}", "'columns' are of a table"),
        ("{table: bad.csv}", r"bad.csv line 3: 'much' is not a number in column 'x'"),
        ("{table: short.csv}", "'y' is not a column of"),
    ],
)
def test_a_bad_start_gets_one_sentence(new: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("x,y\n2,3\n")
    (tmp_path / "bad.csv").write_text("x,y\n2,3\nmuch,3\n")
    (tmp_path / "short.csv").write_text("x\n2\n")
    problems = problems_of(WARM.replace("{table: old.csv}", new), tmp_path)
    assert len(problems) == 1
    assert re.search(message, problems[0].message)
    assert problems[0].line == 5


def test_a_table_is_not_held_against_a_space_with_mistakes(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("z,y\n2,3\n")
    assert "below" in problem_of("[0, 10]", "[10, 0]", tmp_path, WARM).message


CHECKED = """\
name: checked
space:
  x: {real: [0, 10], unit: V}
  kind: {choice: [a, b]}
  time: {real: [1, 60], unit: min, when: {kind: b}, otherwise: 0 min}
  humidity: {context: [20, 80], unit: percent}
constraints: [x * time <= 500 V*min]
metrics: {y: {unit: MPa}}
objective: {maximise: y}
controls: {every: 8, point: {x: 5000 mV, kind: b, time: 0.5 h}}
confirm: {control: 2}
budget: {trials: 5}
"""


def test_controls_and_the_confirmation_are_read(tmp_path: Path) -> None:
    campaign = loaded(CHECKED, tmp_path)
    point = {"x": 5.0, "kind": "b", "time": 30.0}
    assert campaign.controls == Controls(every=8, point=point)
    assert campaign.confirm == Confirmation(replicates=3, control=2)
    assert faults_of(CHECKED, campaign_schema()) == []
    shorter = CHECKED.replace("kind: b, time: 0.5 h", "kind: a")
    controls = loaded(shorter, tmp_path).controls
    assert controls is not None
    assert controls.point["time"] == 0.0


@pytest.mark.parametrize(
    ("said", "block"),
    [
        ("{every: 10}", Blocks(every=10)),
        ("{controls: true}", Blocks(controls=True)),
        ("{metric: y}", Blocks(metric="y")),
        ("{metric: humidity}", Blocks(metric="humidity")),
    ],
)
def test_what_a_block_is_can_be_said_in_three_ways(
    said: str, block: Blocks, tmp_path: Path
) -> None:
    text = CHECKED + f"block: {said}\n"
    assert loaded(text, tmp_path).block == block
    assert faults_of(text, campaign_schema()) == []


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("{}", "exactly one of every, controls, metric"),
        ("{every: 10, metric: y}", "exactly one of every, controls, metric"),
        ("{every: 0}", "expected a number above 0"),
        ("{metric: lot}", "'lot' is not a metric of this campaign"),
        ("{days: 1}", "'days' is not a key of the block"),
    ],
)
def test_a_bad_block_gets_one_sentence(said: str, message: str, tmp_path: Path) -> None:
    text = CHECKED + f"block: {said}\n"
    assert re.search(message, problem_of("trials: 5", "trials: 6", tmp_path, text).message)


def test_blocks_between_controls_need_controls(tmp_path: Path) -> None:
    text = re.sub("controls: .*", "block: {controls: true}", CHECKED)
    assert "needs controls" in problem_of("trials: 5", "trials: 6", tmp_path, text).message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("every: 8", "every: 0", "expected a number above 0"),
        ("x: 5000 mV, ", "", "there is no value of 'x'"),
        ("x: 5000 mV", "x: 5 s", "cannot be converted to 'V'"),
        ("x: 5000 mV", "x: 11", "the control point has x = 11.0, outside of the space"),
        ("time: 0.5 h", "time: 60 min, x2: 1", "'x2' is not a parameter"),
        ("x: 5000 mV", "x: 10", None),
        ("kind: b, time", "kind: c, time", "'c' is not a value of 'kind'"),
        ("time: 0.5 h", "time: 2 h", "outside of the space"),
        ("x: 5000 mV, kind: b, time: 0.5 h", "x: 10, kind: b, time: 1 h", "breaks 'x \\* time"),
        ("time: 0.5 h", "time: 0.5 h, humidity: 30", "cannot be chosen, for a control neither"),
        ("{control: 2}", "{controls: 2}", "'controls' is not a key of the confirmation"),
        ("{control: 2}", "{replicates: 0}", "expected a number above 0"),
        ("maximise: y", "prefer: true", "only the best trial by one measured goal"),
    ],
)
def test_controls_that_cannot_be_get_one_sentence(
    old: str, new: str, message: str | None, tmp_path: Path
) -> None:
    if message is None:
        assert loaded(CHECKED.replace(old, new), tmp_path).controls is not None
    else:
        assert re.search(message, problem_of(old, new, tmp_path, CHECKED).message)
