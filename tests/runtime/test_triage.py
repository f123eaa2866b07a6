"""Triage: the best candidates for people to judge, and their votes back into the campaign."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import xlsxwriter
from rich.console import Console

from orchestrator.cli.shortlisting import print_shortlist
from orchestrator.errors import FileProblems, InputError
from orchestrator.files.spreadsheet import read_spreadsheet
from orchestrator.materials.descriptors.molecule import Morgan
from orchestrator.model.campaign import Budget, Campaign, PlannerChoice, StopRules
from orchestrator.model.counts import Counts
from orchestrator.model.events import Finished, PointWished
from orchestrator.model.objective import Goal, Metric, Objective, OutcomeConstraint
from orchestrator.model.rows import Rows
from orchestrator.model.space import Described, Generation, Pool, Real, SearchSpace
from orchestrator.model.start import KnownOutcome, KnownTrial
from orchestrator.model.state import State
from orchestrator.runtime.triage import shortlist
from orchestrator.runtime.triage_sheet import shown_as, write_sheet, write_structures
from orchestrator.runtime.votes import read_votes, told_of

SMILES = ("C", "CC", "CCC", "CCCC", "CO", "CCO", "CCCO", "CCCCO", "OCCO", "c1ccccc1O")
MORGAN = {"radius": 1, "size": 64}
HEAT = Real(name="heat", low=0.0, high=100.0, unit="degC")
METRICS = (Metric(name="boiling", expression="", unit="degC"),
           Metric(name="density", expression="", unit="g/cm^3"))  # fmt: skip


def alcohols(*more: Real, described: bool = True, grows: bool = False) -> Campaign:
    """Which of ten molecules boils highest, and is light; six were measured before."""
    counts = Counts.of(Morgan(**MORGAN).describe(SMILES).astype(int).tolist())  # type: ignore[arg-type]
    said = Described(descriptor="morgan", material="smiles", options=MORGAN, counts=counts)
    target = "orchestrator.materials.descriptors.molecule:Morgan"
    pool = Pool(
        name="liquid",
        names=tuple(f"L{i}" for i in range(len(SMILES))),
        columns=() if described else ("length",),
        units=() if described else ("",),
        rows=Rows.of(() if described else [(float(len(s)),) for s in SMILES]),
        texts={"smiles": SMILES} if described else {},
        described=(said,) if described else (),
        generation=Generation(
            kind="none", target="none:None", descriptors=(target,), material="smiles", every=99
        )
        if grows
        else None,
    )
    return Campaign(
        name="alcohols",
        goal="boils high",
        space=SearchSpace(parameters=(pool, *more)),
        roles={},
        recipe=(),
        metrics=METRICS,
        objective=Objective(
            goals=(Goal(metric="boiling", direction="maximise"),),
            constraints=(OutcomeConstraint(metric="density", sense="<=", bound=1.0),),
        ),
        planner=PlannerChoice(kind="bayesian", initial=2),
        budget=Budget(trials=20),
        stop=StopRules(),
        seed=1,
        start=tuple(_measured(i, more) for i in range(6)),
    )


def _measured(i: int, more: tuple[Real, ...]) -> KnownTrial:
    smiles = SMILES[i]
    values = {"boiling": 30.0 * len(smiles) + 80.0 * smiles.count("O"), "density": 0.7 + 0.02 * i}
    return KnownTrial(
        point={"liquid": f"L{i}"} | {p.name: 20.0 + i for p in more},
        outcomes={name: KnownOutcome(value=v) for name, v in values.items()},
    )


def votes_in(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_each_candidate_comes_with_its_nearest_measured_one_and_the_chemistry() -> None:
    found = shortlist(alcohols(), State(), 3)
    assert found.remarks == ()
    assert len(found.rows) == 3
    for row in found.rows:
        assert row.material == SMILES[int(row.name[1:])]
        assert set(row.proposal.predicted) == {"boiling", "density"}
        assert row.nearest is not None
        assert row.nearest.name in {f"L{i}" for i in range(6)}
        assert row.nearest.known.outcomes["boiling"].value > 0
        assert 0 < (row.nearest.similarity or 0) <= 1
        assert not row.is_new
    (ethylene_glycol,) = [r for r in shortlist(alcohols(), State(), 9).rows if r.name == "L8"]
    assert ethylene_glycol.weight == pytest.approx(62.07, abs=0.01)


def test_a_model_that_predicts_no_better_than_the_mean_says_so() -> None:
    campaign = alcohols()
    noise = [3.0, -1.0, 2.0, -3.0, 1.0, -2.0, 3.0, -3.0, 2.0, -1.0]
    start = tuple(
        KnownTrial(point={"liquid": f"L{i % 9}"}, outcomes={"boiling": KnownOutcome(value=v)})
        for i, v in enumerate(noise)
    )
    found = shortlist(campaign.model_copy(update={"start": start}), State(), 1)
    assert found.remarks[0].startswith("Not to be relied on yet: the model predicts boiling")


def test_the_sheet_has_a_drawing_a_row_and_room_for_votes(tmp_path: Path) -> None:
    found = shortlist(alcohols(), State(), 3)
    table = read_spreadsheet(write_sheet(found, tmp_path / "triage.xlsx"))
    assert table.columns[:4] == ("rank", "drawing", "name", "material")
    assert table.columns[-2:] == ("vote", "remark")
    assert {"expected boiling [degC]", "sd of boiling [degC]", "chance to keep the limits",
            "nearest measured", "its boiling [degC]", "Tanimoto", "weight [g/mol]"} <= set(
        table.columns
    )  # fmt: skip
    assert table.texts("name") == tuple(row.name for row in found.rows)
    assert set(table.texts("vote")) == {""}


def test_a_candidate_beyond_what_was_measured_is_marked_in_the_sheet_and_in_the_list(
    tmp_path: Path,
) -> None:
    found = shortlist(alcohols(), State(), 2)
    near, far = found.rows
    notes = {k: v for k, v in near.proposal.notes.items() if k != "domain"}
    near = replace(near, proposal=near.proposal.model_copy(update={"notes": notes}))
    notes = {"domain": "outside"}
    far = replace(far, proposal=far.proposal.model_copy(update={"notes": notes}))
    found = replace(found, rows=(near, far))
    table = read_spreadsheet(write_sheet(found, tmp_path / "triage.xlsx"))
    assert table.texts("domain") == ("", "outside")
    console = Console(width=200, record=True)
    print_shortlist(found, console)
    assert console.export_text().count("outside the domain") == 1


def test_candidates_that_are_no_materials_are_listed_and_it_is_said_what_is_missing(
    tmp_path: Path,
) -> None:
    found = shortlist(alcohols(described=False), State(), 3)
    assert "nothing to be drawn" in found.remarks[0]
    table = read_spreadsheet(write_sheet(found, tmp_path / "triage.xlsx"))
    assert "drawing" not in table.columns
    assert len(table.rows) == 3
    with pytest.raises(InputError, match="no molecules to write: the pool's candidates are not"):
        write_structures(found, tmp_path / "triage.sdf")


def test_structures_are_written_with_what_is_expected_of_them(tmp_path: Path) -> None:
    found = shortlist(alcohols(), State(), 3)
    assert write_structures(found, tmp_path / "triage.sdf") == 0
    text = (tmp_path / "triage.sdf").read_text()
    assert text.count("$$$$") == 3
    assert text.count("<expected boiling [degC]>") == 3
    assert "<vote>" not in text


@pytest.mark.parametrize(
    ("campaign", "said"),
    [
        (alcohols().model_copy(update={"space": SearchSpace(parameters=(HEAT,))}), "no pool"),
        (alcohols().model_copy(update={"start": ()}), "too little has been measured"),
        (
            alcohols().model_copy(update={"planner": PlannerChoice(kind="sobol")}),
            "'sobol' has no model",
        ),
    ],
)
def test_what_cannot_be_ranked_is_refused_in_words(campaign: Campaign, said: str) -> None:
    with pytest.raises(InputError, match=said):
        shortlist(campaign, State(), 3)


def test_a_sheet_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"neither \.xlsx nor \.csv"):
        write_sheet(shortlist(alcohols(), State(), 1), tmp_path / "triage.doc")


def test_votes_are_read_from_the_sheet_that_was_written(tmp_path: Path) -> None:
    campaign = alcohols(HEAT)
    found = shortlist(campaign, State(), 4)
    table = read_spreadsheet(write_sheet(found, tmp_path / "triage.xlsx"))
    book = xlsxwriter.Workbook(str(tmp_path / "voted.xlsx"))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, table.columns)
    for number, row in enumerate(table.rows):
        cells = dict(zip(table.columns, row, strict=True))
        cells |= {"vote": ("+1", -1, "", "")[number], "remark": "why" if number == 1 else ""}
        sheet.write_row(number + 1, 0, cells.values())
    book.close()
    votes = read_votes(tmp_path / "voted.xlsx", campaign, State())
    chosen = found.rows[0].proposal.point
    # a sheet keeps sixteen digits of a number
    assert votes["wanted"] == [{**chosen, "heat": pytest.approx(chosen["heat"], rel=1e-14)}]
    assert votes["refused"] == [["liquid", found.rows[1].name]]
    assert votes["remarks"] == {found.rows[1].name: "why"}


def test_bad_votes_are_all_told_by_row_and_none_is_taken(tmp_path: Path) -> None:
    rows = [("L6", "+1"), ("L7", "maybe"), ("L77", "-1"), ("L6", "-1"), ("L8", "")]
    path = votes_in(tmp_path / "v.csv", *({"name": n, "vote": v} for n, v in rows))
    with pytest.raises(FileProblems) as caught:
        read_votes(path, alcohols(), State())
    told = [(p.line, p.message) for p in caught.value.problems]
    assert [line for line, _ in told] == [3, 4, 5]
    assert "'maybe'" in told[0][1]
    assert "'L77' is not a candidate of 'liquid'" in told[1][1]
    assert "both wanted and refused" in told[2][1]


@pytest.mark.parametrize(
    ("cell", "key"),
    [("\uff0b\uff11", "wanted"), ("+ 1", "wanted"), ("\u22121", "refused"), ("\u20131", "refused"),
     ("\uff0d\uff11", "refused")],
)  # fmt: skip
def test_a_vote_is_read_however_a_keyboard_writes_it(tmp_path: Path, cell: str, key: str) -> None:
    path = votes_in(tmp_path / "v.csv", {"name": "L6", "vote": cell})
    assert len(read_votes(path, alcohols(), State())[key]) == 1


@pytest.mark.parametrize("grade", ["0", "4", "+2", "0.5"])
def test_a_grade_is_no_vote_and_the_sheet_says_what_one_is(tmp_path: Path, grade: str) -> None:
    with pytest.raises(FileProblems) as caught:
        read_votes(votes_in(tmp_path / "v.csv", {"name": "L6", "vote": grade}), alcohols(), State())
    (problem,) = caught.value.problems
    assert f"'{grade}'" in problem.message
    assert "no grade" in problem.hint


def test_candidates_that_are_wanted_are_tried_in_the_order_of_the_rows(tmp_path: Path) -> None:
    path = votes_in(tmp_path / "v.csv", *({"name": n, "vote": "+1"} for n in ("L8", "L6", "L7")))
    wanted = read_votes(path, alcohols(), State())["wanted"]
    assert [point["liquid"] for point in wanted] == ["L8", "L6", "L7"]


def test_a_vote_without_the_other_parameters_says_what_is_missing(tmp_path: Path) -> None:
    path = votes_in(tmp_path / "v.csv", {"name": "L6", "vote": "+1"})
    with pytest.raises(FileProblems, match="there is no value of 'heat'"):
        read_votes(path, alcohols(HEAT), State())
    converted = votes_in(tmp_path / "k.csv", {"name": "L6", "vote": "1", "heat [K]": "300.15"})
    (point,) = read_votes(converted, alcohols(HEAT), State())["wanted"]
    assert point == {"liquid": "L6", "heat": pytest.approx(27.0)}


def test_a_sheet_without_votes_or_without_their_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no votes"):
        read_votes(votes_in(tmp_path / "a.csv", {"name": "L6", "vote": ""}), alcohols(), State())
    with pytest.raises(InputError, match="'vote' is not a column"):
        read_votes(votes_in(tmp_path / "b.csv", {"name": "L6"}), alcohols(), State())


def test_a_sheet_with_remarks_alone_is_taken_and_says_so(tmp_path: Path) -> None:
    campaign = alcohols(HEAT)
    rows = [{"name": n, "vote": "", "remark": r} for n, r in (("L6", "dear"), ("L6", "toxic"))]
    found = read_votes(votes_in(tmp_path / "v.csv", *rows), campaign, State())
    assert found == {"wanted": [], "refused": [], "remarks": {"L6": "dear; toxic"}}
    told = told_of(campaign, State(), found)
    assert told == "0 wanted, 0 refused; remarks on 1 of the candidates, which the journal keeps"


def test_a_vote_for_what_was_measured_or_is_wanted_already_says_so(tmp_path: Path) -> None:
    campaign = alcohols()
    state = State(wished=[PointWished(point={"liquid": "L7"}, by="a person")])
    path = votes_in(tmp_path / "v.csv", *({"name": f"L{i}", "vote": "+1"} for i in (2, 7, 8)))
    told = told_of(campaign, state, read_votes(path, campaign, state))
    assert told == (
        "2 wanted, 0 refused; tried or wanted before, and left as it is: L7; "
        "known before the first trial, and made again: L2"
    )


def test_votes_for_more_than_the_budget_has_trials_left_say_so(tmp_path: Path) -> None:
    campaign = alcohols().model_copy(update={"budget": Budget(trials=1)})
    path = votes_in(tmp_path / "v.csv", *({"name": f"L{i}", "vote": "+1"} for i in (7, 8, 9)))
    told = told_of(campaign, State(), read_votes(path, campaign, State()))
    assert told == "3 wanted, 0 refused; of those wanted 1 will be tried, for the budget is 1 trial"


def test_a_sheet_of_a_campaign_that_has_ended_says_that_no_vote_is_taken() -> None:
    state = State(finished=Finished(why="the budget of 20 trials is spent", rule="budget"))
    found = shortlist(alcohols(), state, 2)
    assert "has ended (the budget of 20 trials is spent): no vote is taken" in found.remarks[0]


def test_of_a_pool_that_grows_what_was_made_may_be_voted_on_and_a_slip_may_not(
    tmp_path: Path,
) -> None:
    campaign = alcohols(grows=True)
    made = votes_in(tmp_path / "made.csv", {"name": "CCCCCO", "vote": "-1"})
    assert read_votes(made, campaign, State())["refused"] == [["liquid", "CCCCCO"]]
    slips = votes_in(
        tmp_path / "slips.csv", {"name": "L77", "vote": "-1"}, {"name": "OCCCCC", "vote": "+1"}
    )
    with pytest.raises(FileProblems) as caught:
        read_votes(slips, campaign, State())
    assert [p.line for p in caught.value.problems] == [2, 3]
    assert "write it as 'CCCCCO'" in caught.value.problems[1].hint


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        ((1, 2, None), "General"),
        ((0.123456, 1.5), "0.000"),
        ((1234.5, 2.0), "0"),
        ((2e-7, None), "0.000E+00"),
        (("a", None), "General"),
    ],
)
def test_numbers_are_shown_with_four_digits(cells: tuple[float | None, ...], shown: str) -> None:
    assert shown_as(cells) == shown
