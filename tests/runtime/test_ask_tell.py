"""A table of results in, points to try out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from orchestrator.engine.history import task_of
from orchestrator.errors import FileProblems, InputError, UnitMismatch, UnknownName
from orchestrator.files.columns import column_of, split_header
from orchestrator.files.table import read_table
from orchestrator.model.campaign import Blocks
from orchestrator.model.space import Choice, Integer, Real
from orchestrator.runtime.ask_tell import Advice, blocks_in, history_from, propose
from orchestrator.runtime.load import read_campaign
from orchestrator.runtime.observing import observation
from orchestrator.runtime.replay import replay

CAMPAIGN = """\
name: beams
space:
  width: {real: [1, 10], unit: mm}
  ribs:  {integer: [0, 9]}
  kind:  {choice: [flat, ribbed]}
metrics:
  strength: {unit: MPa}
  mass: {unit: g}
objective: {maximise: strength, subject_to: [mass <= 5 g]}
planner: {kind: sobol}
budget: {trials: 10}
seed: 3
"""


def written(tmp_path: Path, text: str, name: str = "results.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def asked(tmp_path: Path, text: str, n: int = 2, **settings: Any) -> Advice:
    study = written(tmp_path, CAMPAIGN, "beams.yaml")
    return propose(written(tmp_path, text), n, campaign=study, **settings)


def test_a_spreadsheet_is_a_table_of_results(tmp_path: Path) -> None:
    rows: list[list[object]] = [["width [cm]", "ribs", "kind", "strength", "mass"]]
    rows += [[0.25, 3, "flat", 7.5, 2], [0.5, 4, "ribbed", None, None], [1, 0, "flat", "failed", 4]]
    with xlsxwriter.Workbook(str(tmp_path / "results.xlsx")) as book:
        sheet = book.add_worksheet()
        for place, row in enumerate(rows):
            sheet.write_row(place, 0, row)
    study = written(tmp_path, CAMPAIGN, "beams.yaml")
    advice = propose(tmp_path / "results.xlsx", 1, campaign=study)
    assert (advice.n_results, advice.n_pending, advice.outside) == (2, 1, "")


@pytest.mark.parametrize(
    ("column", "name", "unit"),
    [
        ("temperature [degC]", "temperature", "degC"),
        ("temperature", "temperature", ""),
        (" rate[ nm/min ] ", "rate", "nm/min"),
        ("share []", "share", ""),
        ("odd ]name", "odd ]name", ""),
    ],
)
def test_a_header_is_a_name_and_perhaps_a_unit(column: str, name: str, unit: str) -> None:
    assert split_header(column) == (name, unit)


def test_a_column_is_found_with_or_without_its_unit(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "a [s],b,a2\n1,2,3\n"))
    assert [column_of(table, n) for n in ("a", "a [s]", "b")] == ["a [s]", "a [s]", "b"]
    with pytest.raises(UnknownName, match="'c' is not a column"):
        column_of(table, "c")
    twice = read_table(written(tmp_path, "a [s],a [min]\n1,2\n"))
    with pytest.raises(InputError, match="two columns named 'a'"):
        column_of(twice, "a")


def test_with_a_campaign_its_space_and_objective_hold(tmp_path: Path) -> None:
    advice = asked(tmp_path, "width,ribs,kind,strength,mass\n2,1,flat,3,1\n", n=3)
    assert (advice.n_results, advice.n_pending, advice.is_assumed) == (1, 0, False)
    assert len(advice.proposals) == 3
    for proposal in advice.proposals:
        assert 1 <= float(proposal.point["width"]) <= 10
        assert proposal.point["kind"] in ("flat", "ribbed")


def test_who_only_asks_what_is_next_says_no_budget(tmp_path: Path) -> None:
    text = CAMPAIGN.replace("budget: {trials: 10}\n", "")
    assert "budget" not in text
    study = written(tmp_path, text, "beams.yaml")
    data = written(tmp_path, "width,ribs,kind,strength,mass\n2,1,flat,3,1\n")
    assert len(propose(data, 2, campaign=study).proposals) == 2
    with pytest.raises(FileProblems, match="'budget' is missing"):
        read_campaign(study)
    empty = written(tmp_path, text + "budget: {trials: 0}\n", "beams.yaml")
    with pytest.raises(FileProblems, match="a number above 0"):
        propose(data, 2, campaign=empty)


def test_proposals_are_a_function_of_the_table(tmp_path: Path) -> None:
    text = "width,ribs,kind,strength,mass\n2,1,flat,3,1\n"
    assert asked(tmp_path, text) == asked(tmp_path, text)
    more = asked(tmp_path, text + "3,1,flat,3,1\n")
    assert more.proposals[0].point == asked(tmp_path, text).proposals[1].point


def history(tmp_path: Path, text: str) -> Any:
    task = asked(tmp_path, "width,ribs,kind,strength,mass\n2,1,flat,3,1\n").task
    return history_from(read_table(written(tmp_path, text)), task)


def test_units_in_the_header_are_converted(tmp_path: Path) -> None:
    text = "width [cm],ribs,kind,strength [kPa],mass [kg]\n0.25,1,flat,3000,0.002\n"
    (row,) = history(tmp_path, text).evaluated
    assert row.point["width"] == 2.5
    assert row.outcomes["strength"].value == pytest.approx(3.0)
    assert row.outcomes["mass"].value == pytest.approx(2.0)
    with pytest.raises(UnitMismatch, match=r"column 'width \[K\]' is in 'K'"):
        history(tmp_path, text.replace("[cm]", "[K]"))
    with pytest.raises(InputError, match="furlung"):
        history(tmp_path, text.replace("[cm]", "[furlung]"))


def test_a_row_without_a_result_is_a_point_in_flight(tmp_path: Path) -> None:
    text = "width,ribs,kind,strength,mass\n2,1,flat,3,1\n3,2,ribbed,,\n"
    known = history(tmp_path, text)
    assert [e.trial for e in known.evaluated] == [1]
    assert [p["width"] for p in known.pending] == [3.0]
    assert known.n_proposed == 2


def test_a_row_with_some_of_its_results_counts_for_these(tmp_path: Path) -> None:
    text = "width,ribs,kind,strength,mass\n2,1,flat,3,1\n4,3,flat,5,\n4,3,flat,,50\n"
    known = history(tmp_path, text)
    assert [set(e.outcomes) for e in known.evaluated] == [
        {"strength", "mass"}, {"strength"}, {"mass"},
    ]  # fmt: skip
    assert known.pending == ()
    assert asked(tmp_path, text).n_partial == 2


LIMITED = """\
name: limited
space: {x: {real: [0, 10]}, z: {real: [0, 1]}}
metrics: {y: {}, q: {}}
objective: {maximise: y, subject_to: [q <= 5]}
planner: {initial: 2}
budget: {trials: 20}
"""


def test_where_a_limit_is_known_to_be_broken_nothing_is_proposed(tmp_path: Path) -> None:
    study = written(tmp_path, LIMITED, "limited.yaml")
    text = "x,z,y,q\n1,.1,3,1\n2,.5,4,2\n3,.9,5,3\n8,.4,6,4\n9,.5,,50\n9.5,.4,,60\n"
    proposals = propose(written(tmp_path, text), 2, campaign=study).proposals
    assert all(float(proposal.point["x"]) < 8 for proposal in proposals)


def test_a_point_beyond_the_space_counts_as_what_it_is(tmp_path: Path) -> None:
    known = history(tmp_path, "width,ribs,kind,strength,mass\n20,1,flat,3,1\n")
    assert known.evaluated[0].point["width"] == 20.0
    assert len(asked(tmp_path, "width,ribs,kind,strength,mass\n20,1,flat,3,1\n").proposals) == 2


def test_results_in_another_unit_than_the_campaign_are_told(tmp_path: Path) -> None:
    file = tmp_path / "campaign.yaml"
    file.write_text(
        "name: glass\ngoal: strong glass\nspace:\n"
        "  dose: {real: [1, 100], unit: mM, scale: log}\n"
        "  blend: {mixture: {a: [0, 1], b: [0, 1]}}\n"
        'metrics: {y: {unit: ""}}\nobjective: {maximise: y}\nbudget: {trials: 9}\n'
    )
    right = "dose,a,b,y\n1,0.33,0.67,1\n100.5,0.5,0.505,2\n"
    assert propose(written(tmp_path, right), 1, campaign=file).outside == ""
    percent = propose(written(tmp_path, right + "9,50,50,3\n"), 1, campaign=file).outside
    assert percent.startswith("1 of 3 points lie outside of the space, the first with a = 50:")
    sums = propose(written(tmp_path, right + "9,0.5,0.9,3\n"), 1, campaign=file).outside
    assert "'blend' with a sum of 1.4 instead of 1" in sums
    molar = propose(written(tmp_path, right + "0.02,0.5,0.5,3\n"), 1, campaign=file).outside
    assert "dose = 0.02 mM" in molar


def test_what_was_known_before_is_named_by_its_place_in_the_start(tmp_path: Path) -> None:
    written(tmp_path, "x,y\n0.5,1\n0.9,2\n", "old.csv")
    text = "name: c\nspace: {x: {real: [0, 1]}}\nmetrics: {y: {}}\nobjective: {maximise: y}\n"
    text += "planner: {initial: 2}\nstart: {table: old.csv}\nbudget: {trials: 9}\n"
    file = written(tmp_path, text, "campaign.yaml")
    (proposal,) = propose(written(tmp_path, "x,y\n0.1,0.5\n"), 1, campaign=file).proposals
    assert proposal.nearest is not None
    assert proposal.nearest.trial == -1
    assert "nearest is result 2 of the start (" in proposal.why


def test_every_bad_cell_is_named_with_its_line_at_once(tmp_path: Path) -> None:
    text = (
        "width,ribs,kind,strength,mass\n"
        "2,1,flat,3,1\n"
        "wide,1,flat,3,1\n"
        "2,1.5,flat,3,1\n"
        "2,1,round,3,1\n"
        "2,1,flat,strong,1\n"
        "2,,flat,3,inf\n"
    )
    with pytest.raises(FileProblems) as refused:
        history(tmp_path, text)
    said = [(p.line, p.message) for p in refused.value.problems]
    assert said == [
        (3, "'wide' is not a number in column 'width'"),
        (4, "'1.5' is not a whole number in column 'ribs'"),
        (5, "'round' is not a kind"),
        (6, "'strong' is not a number in column 'strength'"),
        (7, "an empty cell is not a number in column 'ribs'"),
        (7, "'inf' is not a number in column 'mass'"),
    ]
    assert "did you mean" in refused.value.problems[2].hint or refused.value.problems[2].hint


def test_a_missing_column_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(UnknownName) as refused:
        asked(tmp_path, "widht,ribs,kind,strength,mass\n2,1,flat,3,1\n")
    assert refused.value.hint == "did you mean 'widht'?"


def test_all_columns_that_are_missing_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileProblems) as refused:
        asked(tmp_path, "width,rips,kind,strenght,mass\n2,1,flat,3,1\n")
    assert [p.hint for p in refused.value.problems] == [
        "did you mean 'rips'?",
        "did you mean 'strenght'?",
    ]


def test_a_unit_that_does_not_exist_is_told_with_its_column(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="column 'strength \\[HV\\]': 'HV' is not a known unit"):
        asked(tmp_path, "width,ribs,kind,strength [HV],mass\n2,1,flat,3,1\n")


def test_marks_between_thousands_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileProblems, match=r"'1\.013,25' is not a number") as refused:
        asked(tmp_path, 'width,ribs,kind,strength,mass\n2,1,flat,"1.013,25",1\n')
    assert refused.value.problems[0].hint == "write it without marks between thousands"


def test_a_result_that_no_other_one_explains_is_told(tmp_path: Path) -> None:
    rows = [f"{x},{3 * x + 100}\n" for x in range(1, 15)]
    (tmp_path / "r.csv").write_text("x,y\n" + "".join(rows))
    whole = propose(tmp_path / "r.csv", 1, goal=("maximise", "y")).proposals[0]
    assert "unlike" not in whole.notes
    rows[6] = "7,0.121\n"
    (tmp_path / "r.csv").write_text("x,y\n" + "".join(rows))
    wrong = propose(tmp_path / "r.csv", 1, goal=("maximise", "y")).proposals[0]
    assert str(wrong.notes["unlike"]).startswith("trial 7 has 0.121, expected y 12")


FREE = "temperature [degC],n,kind,note free\n25,1,a,1.5\n100,2,b,\n50,3,a,\n"


def test_without_a_campaign_the_table_says_what_may_be_varied(tmp_path: Path) -> None:
    path = written(tmp_path, FREE)
    advice = propose(path, 1, goal=("maximise", "note free"))
    assert advice.is_assumed
    assert (advice.n_results, advice.n_pending) == (1, 2)
    assert advice.task.space.parameters == (
        Integer(name="temperature", low=25, high=100, unit="degC"),
        Integer(name="n", low=1, high=3),
        Choice(name="kind", options=("a", "b")),
    )
    real = propose(
        written(tmp_path, FREE.replace("25,1", "25.0,1")), 1, goal=("minimise", "note free")
    )
    assert real.task.space["temperature"] == Real(
        name="temperature", low=25.0, high=100.0, unit="degC"
    )
    assert real.task.objective.direction == "minimise"


def test_the_order_of_rows_changes_no_word_of_the_space(tmp_path: Path) -> None:
    header, *rows = FREE.splitlines()
    turned = "\n".join([header, *reversed(rows)]) + "\n"
    spaces = [
        propose(written(tmp_path, text), 1, goal=("maximise", "note free")).task.space
        for text in (FREE.replace("1,a", "1,b").replace("2,b", "2,a"), turned)
    ]
    assert spaces[0] == spaces[1]


def test_a_goal_that_goes_no_known_way_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    way: Any = "maximize"
    with pytest.raises(UnknownName, match="'maximize' is not a direction of a goal") as refused:
        propose(written(tmp_path, FREE), 1, goal=(way, "note free"))
    assert "maximise" in (refused.value.hint or "")


@pytest.mark.parametrize("goal", ["y", {"maximise": "y"}, [("maximise", "y", 1)], [3], ("y",)])
def test_what_is_no_goal_is_told_with_how_it_is_written(tmp_path: Path, goal: Any) -> None:
    with pytest.raises(InputError, match="is not a goal") as refused:
        propose(written(tmp_path, FREE), 1, goal=goal)
    assert "('maximise', 'COLUMN')" in refused.value.hint


@pytest.mark.parametrize(
    ("text", "goal", "said"),
    [
        (FREE, None, "does not say what is wanted"),
        (FREE, "nothing", "'nothing' is not a column"),
        ("y\n1\n2\n", "y", "no column beside 'y'"),
        ("x,y\n1,1\n1,2\n", "y", "one value only"),
        ("x,y\n1,1\n1;5,2\n3,3\n", "y", "column 'x' has '1;5'"),
        ("x,y\n1,1\n,2\n3,3\n", "y", "column 'x' has an empty cell"),
        ("x,y\na,1\n,2\nb,3\n", "y", "an empty cell where a word is expected, line 3"),
        ("x [s],x [min],y\n1,1,1\n2,2,2\n", "y", "two columns named 'x'"),
        ("x,y\n1,good\n2,bad\n", "y", "'good' is not a number"),
    ],
    ids=[
        "no goal",
        "unknown goal",
        "nothing to vary",
        "one value",
        "typo",
        "gap",
        "gap among words",
        "twice",
        "words",
    ],
)
def test_a_table_that_does_not_say_enough_is_refused(
    tmp_path: Path, text: str, goal: str | None, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        propose(written(tmp_path, text), 1, goal=("maximise", goal) if goal else None)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (('"1,5"', '"2,5"', '"3,5"'), "write a decimal point"),
        (("10%", "20%", "30%"), r"heading: '\[%\]'"),
        (("1\u00a0000", "2\u00a0000", "3\u00a0000"), "write '1000'"),
        (('"1 000,5"', '"2 000,5"', '"3 000,5"'), "write '1000.5'"),
        (("100 degC", "200 degC", "room"), r"heading: '\[degC\]'"),
    ],
)
def test_numbers_in_a_form_that_is_none_are_no_words(
    tmp_path: Path, cells: tuple[str, ...], said: str
) -> None:
    text = "x,y\n" + "".join(f"{cell},{i}\n" for i, cell in enumerate(cells))
    with pytest.raises(InputError, match="column 'x' has '1") as refused:
        propose(written(tmp_path, text), 1, goal=("maximise", "y"))
    assert re.search(said, refused.value.hint or "")


def test_words_that_begin_with_a_number_are_said_to_be_words(tmp_path: Path) -> None:
    steel = propose(written(tmp_path, "x,y\n304L,1\n17-4PH,2\n"), 1, goal=("maximise", "y"))
    assert steel.remarks == ("x is taken as words: '304L', '17-4PH'",)
    coats = propose(written(tmp_path, "x,y\n2 coats,1\nnone,2\n"), 1, goal=("maximise", "y"))
    assert coats.remarks == ()


@pytest.mark.parametrize("column", ["y sd", "y_sd", "y SD", "y-std"])
def test_the_noise_of_a_goal_is_no_parameter_however_it_is_written(
    tmp_path: Path, column: str
) -> None:
    text = f"x,y,{column}\n1,1,0.1\n2,3,0.2\n"
    advice = propose(written(tmp_path, text), 1, goal=("maximise", "y"))
    assert [p.name for p in advice.task.space.parameters] == ["x"]
    known = history_from(read_table(tmp_path / "results.csv"), advice.task)
    assert [e.outcomes["y"].sd for e in known.evaluated] == [0.1, 0.2]


def test_what_may_be_noise_and_is_taken_as_a_parameter_is_said(tmp_path: Path) -> None:
    text = "x,y,y_err\n1,1,0.1\n2,3,0.2\n"
    (said,) = propose(written(tmp_path, text), 1, goal=("maximise", "y")).remarks
    assert said == "y_err is taken as a parameter: the noise of y would be 'y sd'"


@pytest.mark.parametrize("numbers", [(0, 1, 2, 3, 4), (49, 50, 51, 53, 54)])
def test_a_column_that_numbers_the_rows_is_said_to_be_taken_as_a_parameter(
    tmp_path: Path, numbers: tuple[int, ...]
) -> None:
    rows = list(zip(numbers, (60, 90, 75, 80, 65), (3, 1, 4, 1, 5), strict=True))
    text = "entry,t,y\n" + "".join(f"{n},{t},{y}\n" for n, t, y in rows)
    (said,) = propose(written(tmp_path, text), 1, goal=("maximise", "y")).remarks
    assert said == "entry numbers the rows and is taken as a parameter: leave it out if it is none"
    scan = "t,y\n" + "".join(f"{n},{y}\n" for n, _, y in rows)
    assert propose(written(tmp_path, scan), 1, goal=("maximise", "y")).remarks == ()
    mixed = "entry,t,y\n" + "".join(f"{n},{t},{y}\n" for n, t, y in reversed(rows))
    assert propose(written(tmp_path, mixed), 1, goal=("maximise", "y")).remarks == ()


def test_words_that_name_the_rows_are_told(tmp_path: Path) -> None:
    rows = "".join(f"S-{i},{'ab'[i % 2]},{i % 3},{i % 4}\n" for i in range(6))
    advice = propose(written(tmp_path, f"sample,kind,x,y\n{rows}"), 1, goal=("maximise", "y"))
    said = "sample has another word in each row: leave it out if it only names them"
    assert advice.remarks == (said,)


def test_a_column_that_pandas_had_to_name_is_refused(tmp_path: Path) -> None:
    table = {"Unnamed: 0": [7, 3, 17], "x": [1, 2, 3], "y": [1, 2, 3]}
    with pytest.raises(InputError, match="'Unnamed: 0' has no name in the file") as refused:
        propose(table, 1, goal=("maximise", "y"))
    assert "leave it out" in refused.value.hint


def test_columns_that_a_frame_was_grouped_by_are_parameters() -> None:
    pandas = pytest.importorskip("pandas")
    rows = {"T": [1, 1, 2, 3], "gas": ["Ar", "Ar", "N2", "Ar"], "y": [1.0, 3.0, 2.0, 4.0]}
    grouped = pandas.DataFrame(rows).groupby(["T", "gas"]).mean()
    plain = {"T": [1, 2, 3], "gas": ["Ar", "N2", "Ar"], "y": [2.0, 2.0, 4.0]}
    goal = ("maximise", "y")
    assert propose(grouped, 1, goal=goal).proposals == propose(plain, 1, goal=goal).proposals
    with pytest.raises(InputError, match="two columns are named 'T'"):
        propose(grouped.assign(T=1), 1, goal=goal)


def test_a_frame_without_rows_says_so() -> None:
    with pytest.raises(InputError, match="the data has no rows"):
        propose({"x": [], "y": []}, 1, goal=("maximise", "y"))


def test_words_that_go_together_in_every_row_are_said(tmp_path: Path) -> None:
    rows = "KOAc,[K+],DMAc,1\nCsOAc,[Cs+],DMAc,2\nKOAc,[K+],xylene,3\n"
    (said,) = propose(
        written(tmp_path, f"base,base_smiles,solvent,y\n{rows}"), 1, goal=("maximise", "y")
    ).remarks
    assert said.startswith("base_smiles goes with base in every row: leave one of them out")
    other = rows + "KOAc,[Cs+],DMAc,4\n"
    assert (
        propose(
            written(tmp_path, f"base,base_smiles,solvent,y\n{other}"), 1, goal=("maximise", "y")
        ).remarks
        == ()
    )


def test_columns_that_are_not_used_are_said_with_what_may_be_meant(tmp_path: Path) -> None:
    text = LOTS.replace("[0, 10]}", "[0, 10]}, humidity: {context: [20, 80]}")
    study = written(tmp_path, text.replace("block:", "# block:"), "humid.yaml")
    table = written(tmp_path, "x,humidty,y,y_sd,lot,note,status,cause\n1,30,2,0.1,7,good,done,\n")
    (said,) = propose(table, 1, campaign=study).remarks
    assert said == "not used: humidty (did you mean 'humidity'?), note"


def test_materials_are_found_in_the_column_of_the_pools_own_table(tmp_path: Path) -> None:
    pytest.importorskip("rdkit", reason="needs the extra 'materials'")
    written(tmp_path, "name,smiles\nethanol,CCO\nbenzene,c1ccccc1\n", "pool.csv")
    text = "name: c\nspace: {m: {pool: pool.csv, smiles: smiles, descriptor: morgan}}\n"
    text += "metrics: {heat: {}}\nobjective: {maximise: heat}\nbudget: {trials: 3}\n"
    study = written(tmp_path, text, "c.yaml")
    advice = propose(written(tmp_path, "smiles,heat,price\nOCC,2,1\n"), 1, campaign=study)
    assert advice.proposals[0].point == {"m": "benzene"}
    assert advice.remarks == ("not used: price",)


def test_candidates_are_found_in_the_column_that_names_them_in_the_pools_own_table(
    tmp_path: Path,
) -> None:
    made = written(tmp_path, "id,weight,y\na,1,2\nb,2,5\nc,4,3\n", "made.csv")
    text = "name: c\nspace: {m: {pool: made.csv, name: id}}\nmetrics: {y: {}}\n"
    study = written(
        tmp_path, f"{text}objective: {{maximise: y}}\nbudget: {{trials: 3}}\n", "c.yaml"
    )
    assert len(replay(made, study, seeds=1).curves[0]) == 3
    one = written(tmp_path, "id,y\nb,5\n")
    assert propose(one, 1, campaign=study).proposals[0].point["m"] in ("a", "c")
    text = text.replace("{m:", "{m: {pool: made.csv, name: id}, n:")
    study = written(
        tmp_path, f"{text}objective: {{maximise: y}}\nbudget: {{trials: 3}}\n", "c.yaml"
    )
    with pytest.raises(FileProblems, match="'m' is not a column") as refused:
        propose(one, 1, campaign=study)
    assert "'id' may be the column of 'n', too" in str(refused.value)


def test_a_column_of_materials_that_may_be_those_of_two_pools_is_neithers(tmp_path: Path) -> None:
    pytest.importorskip("rdkit", reason="needs the extra 'materials'")
    written(tmp_path, "name,smiles\nethanol,CCO\nbenzene,c1ccccc1\n", "pool.csv")
    pool = "{pool: pool.csv, smiles: smiles, descriptor: morgan}"
    text = f"name: c\nspace: {{m: {pool}, solvent: {pool}}}\n"
    text += "metrics: {heat: {}}\nobjective: {maximise: heat}\nbudget: {trials: 3}\n"
    study = written(tmp_path, text, "c.yaml")
    with pytest.raises(FileProblems, match="'m' is not a column") as refused:
        propose(written(tmp_path, "smiles,heat\nOCC,2\n"), 1, campaign=study)
    assert "'smiles' may be the column of 'solvent', too" in str(refused.value)
    one = written(tmp_path, "m,smiles,heat\nethanol,c1ccccc1,2\n")
    assert propose(one, 1, campaign=study).n_results == 1


def test_fewer_points_than_were_asked_for_are_said(tmp_path: Path) -> None:
    written(tmp_path, "name,weight\na,1\nb,2\nc,4\n", "pool.csv")
    text = "name: c\nspace: {x: {pool: pool.csv}}\nmetrics: {y: {}}\nobjective: {maximise: y}\n"
    study = written(tmp_path, text + "budget: {trials: 9}\n", "c.yaml")
    advice = propose(written(tmp_path, "x,y\na,1\n"), 4, campaign=study)
    assert sorted(p.point["x"] for p in advice.proposals) == ["b", "c"]
    assert advice.remarks == ("2 of the 4 points: nothing else is left to be tried",)
    assert propose(written(tmp_path, "x,y\na,1\n"), 2, campaign=study).remarks == ()


def test_a_source_that_only_a_run_fetches_is_named(tmp_path: Path) -> None:
    file = tmp_path / "campaign.yaml"
    file.write_text(
        "name: films\ngoal: strong films\nspace: {x: {real: [0, 9]}}\n"
        'metrics: {y: {unit: ""}}\nobjective: {maximise: y}\nbudget: {trials: 9}\n'
        "transfer: [{campaign: older}]\n"
    )
    table = written(tmp_path, "x,y\n1,1\n2,3\n")
    assert propose(table, 1, campaign=file).left_out == ("campaign older",)
    assert propose(table, 1, goal=("maximise", "y")).left_out == ()


LOTS = """\
name: lots
space: {x: {real: [0, 10]}}
metrics: {y: {}, lot: {}}
objective: {maximise: y}
block: {metric: lot}
planner: {kind: sobol}
budget: {trials: 20}
"""


def test_rows_of_a_table_are_in_the_blocks_of_the_campaign(tmp_path: Path) -> None:
    table = read_table(
        written(tmp_path, "x,y,lot\n1,1,20260101\n2,,7\n3,3,20260102\n4,4,\n5,5,B\n")
    )
    study = read_campaign(written(tmp_path, LOTS, "lots.yaml"))
    blocks, said = blocks_in(table, study)
    assert (list(blocks), said) == (["lot 20260101", "lot 7", "lot 20260102", "", "lot B"], "")
    known = history_from(table, task_of(study), blocks)
    assert [e.block for e in known.evaluated] == ["lot 20260101", "lot 20260102", "", "lot B"]
    counted = study.model_copy(update={"block": Blocks(every=2)})
    assert [*blocks_in(table, counted)[0]] == [f"trials from {n}" for n in (1, 1, 3, 3, 5)]


def test_a_proposal_knows_lots_of_different_level(tmp_path: Path) -> None:
    text = "x,y,lot\n1,1,1\n2,2,1\n3,3,1\n4,4,1\n6,12,2\n7,11,2\n8,10,2\n9,9,2\n"
    with_lots = LOTS.replace("kind: sobol", "initial: 2")
    proposed = []
    for study in (with_lots, with_lots.replace("block:", "# block:")):
        file = written(tmp_path, study, "lots.yaml")
        proposed.append(propose(written(tmp_path, text), 1, campaign=file).proposals[0].point)
    assert proposed[0] != proposed[1]


@pytest.mark.parametrize(
    ("block", "said"),
    [("{metric: lot}", "has no column 'lot'"), ("{controls: true}", "came after which control")],
)
def test_blocks_that_a_table_does_not_tell_are_said(tmp_path: Path, block: str, said: str) -> None:
    text = LOTS.replace("{metric: lot}", block) + "controls: {every: 4, point: {x: 5}}\n"
    study = written(tmp_path, text, "lots.yaml")
    (remark,) = propose(written(tmp_path, "x,y\n1,1\n2,3\n"), 1, campaign=study).remarks
    assert said in remark


def test_an_observation_is_a_value_or_the_mean_of_a_column(tmp_path: Path) -> None:
    assert observation("mass", "3 g", None) == {"metric": "mass", "value": "3 g"}
    path = written(tmp_path, "mass [kg]\n0.001\n0.002\n0.003\n")
    told = observation("mass", None, path)
    assert (told["value"], told["n_readings"]) == ("0.002 kg", 3)
    assert told["source"].startswith("file results.csv sha256 ")
    assert (told["n_samples"], told["sd"].split()[1]) == (3, "kg")
    assert float(told["sd"].split()[0]) == pytest.approx(0.001 / 3**0.5)
    assert "sd" not in observation("mass", None, path, "reading")
    for value, file in ((None, None), ("3 g", path)):
        with pytest.raises(InputError, match="either --value or --file"):
            observation("mass", value, file)
    with pytest.raises(UnknownName):
        observation("length", None, path)


def test_an_alloy_without_the_column_of_its_main_metal_is_told_what_to_add(tmp_path: Path) -> None:
    text = "name: c\nspace: {m: {mixture: {Fe: [50, 100], C: [0, 2]}, total: 100}}\n"
    text += "metrics: {y: {}}\nobjective: {maximise: y}\n"
    table = written(tmp_path, "C,y\n1,2\n2,3\n")
    with pytest.raises(UnknownName) as told:
        propose(table, 1, campaign=written(tmp_path, text, "c.yaml"))
    assert "if 'Fe' is the rest of a mixture, add a column of what is left" in told.value.hint
