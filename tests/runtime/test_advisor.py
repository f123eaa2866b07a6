"""Ask and tell, and tables from wherever they are."""

from __future__ import annotations

import json
import math
import pickle
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestrator.errors import FileProblems, InputError, PlanningError, PoolExhausted, UnknownName
from orchestrator.runtime.advisor import Advisor
from orchestrator.runtime.ask_tell import propose
from orchestrator.runtime.tables import table_of

SPACE = {
    "width": {"real": [1, 10], "unit": "mm"},
    "kind": {"choice": ["flat", "ribbed"]},
}
SOBOL = {"kind": "sobol"}


class DataFrame:
    """What pandas has, as far as it matters."""

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        self._columns = columns

    def to_dict(self, orient: str) -> Mapping[str, Sequence[Any]]:
        assert orient == "list"
        return self._columns


def test_a_frame_columns_rows_and_a_file_are_the_same_table(tmp_path: Path) -> None:
    columns = {"a": [0.1 + 0.2, None], "b": ["x", math.nan], "c": [np.float64(2.5), np.int64(3)]}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    (tmp_path / "t.csv").write_text("a,b,c\n0.30000000000000004,x,2.5\n,,3\n")
    expected = (("0.30000000000000004", "x", "2.5"), ("", "", "3"))
    for data in (DataFrame(columns), columns, rows, tmp_path / "t.csv", str(tmp_path / "t.csv")):
        table = table_of(data)  # type: ignore[arg-type]
        assert table.columns == ("a", "b", "c")
        assert table.rows == expected
    assert table_of([{"a": 1}, {"b": 2}]).rows == (("1", ""), ("", "2"))


def test_a_word_is_a_word_even_if_it_says_nothing() -> None:
    class NAType:
        """As pandas has it."""

    assert table_of({"anneal": ["none", None, "NaN", NAType()]}).texts("anneal") == (
        *("none", "", "NaN", ""),
    )


@pytest.mark.parametrize("data", [[1, 2], {"a": [1], "b": [1, 2]}])
def test_what_is_no_table_is_refused(data: Any) -> None:
    with pytest.raises(InputError):
        table_of(data)


def test_what_was_asked_for_is_in_flight_until_it_is_told() -> None:
    advisor = Advisor(SPACE, {"maximise": "strength"}, planner=SOBOL)
    first, second = advisor.ask(2)
    assert first.point != second.point
    assert len(advisor.in_flight) == 2
    assert advisor.tell({**first.point, "strength": 3.0}) == (1,)
    assert advisor.in_flight == (second.point,)
    assert advisor.tell([{**second.point, "strength": ""}]) == ()
    assert advisor.in_flight == (second.point,)
    assert advisor.tell(DataFrame({"width": [2.0], "kind": ["flat"], "strength": [1]})) == (2,)


def test_results_may_be_told_as_they_come() -> None:
    wanted = {"maximise": "strength", "subject_to": ["mass <= 5"]}
    advisor = Advisor(SPACE, wanted, planner=SOBOL)
    point = advisor.ask(1)[0].point
    assert advisor.tell({**point, "strength": None, "mass": 7}) == (1,)
    assert advisor._pending == []
    assert advisor.tell({**point, "strength": 2, "mass": None}) == (1,)
    assert {name: o.value for name, o in advisor._evaluated[0].outcomes.items()} == {
        "strength": 2.0, "mass": 7.0,
    }  # fmt: skip
    other = {"width": 2, "kind": "flat"}
    told = [{**other, "strength": s, "mass": m} for s, m in ((1, None), (3, 7), (1, 7), (4, None))]
    assert advisor.tell(told) == (2, 3, 2, 4)
    assert advisor.tell({**other, "strength": "failed", "mass": ""}) == (4,)
    assert [e.failed for e in advisor._evaluated] == [False, False, False, True]


def test_the_same_calls_give_the_same_points() -> None:
    def points(seed: int) -> list[Any]:
        advisor = Advisor(SPACE, {"maximise": "strength"}, planner=SOBOL, seed=seed)
        found = [p.point for p in advisor.ask(2)]
        advisor.tell({**found[0], "strength": 3.0})
        return [*found, *(p.point for p in advisor.ask(1))]

    assert points(0) == points(0)
    assert points(0) != points(1)


def test_units_limits_and_failures_are_as_in_a_file() -> None:
    advisor = Advisor(
        SPACE,
        {"goals": [{"maximise": "strength"}], "subject_to": ["mass <= 5 g with 95 %"]},
        metrics={"strength": {"unit": "MPa"}, "mass": {"unit": "g"}},
        constraints=["width <= 8 mm"],
        planner=SOBOL,
    )
    rows = [
        {"width [cm]": 0.2, "kind": "flat", "strength [GPa]": 1, "mass": 3},
        {"width [cm]": 0.3, "kind": "flat", "strength [GPa]": "failed", "mass": None},
    ]
    assert advisor.tell(rows) == (1, 2)
    told = advisor._evaluated
    assert told[0].point == {"width": 2.0, "kind": "flat"}
    assert told[0].outcomes["strength"].value == pytest.approx(1000.0)
    assert [e.failed for e in told] == [False, True]


def test_the_metrics_of_the_objective_need_not_be_described() -> None:
    advisor = Advisor(
        SPACE, {"minimise": ["cost", "mass"], "subject_to": ["size >= 3"]}, planner=SOBOL
    )
    with pytest.raises(UnknownName, match="'size' is not a column"):
        advisor.tell({"width": 2, "kind": "flat", "cost": 1, "mass": 1})


@pytest.mark.parametrize("limits", [["size>=3"], ["size >= 3"], ("size>=3",), "size >=3"])
def test_a_limit_names_its_metric_however_it_is_spaced_or_listed(limits: Any) -> None:
    advisor = Advisor(SPACE, {"maximise": "y", "subject_to": limits}, planner=SOBOL)
    assert [c.metric for c in advisor._campaign.objective.constraints] == ["size"]
    assert [m.name for m in advisor._campaign.metrics] == ["y", "size"]


def test_one_constraint_need_not_be_listed() -> None:
    advisor = Advisor(SPACE, {"maximise": "y"}, constraints="width <= 2 mm", planner=SOBOL)
    assert all(float(p.point["width"]) <= 2.0 for p in advisor.ask(8))


def test_a_space_may_be_said_in_numbers_of_numpy() -> None:
    space = {"a": {"real": np.array([0.0, 2.0])}, "n": {"integer": [np.int64(1), np.int64(3)]}}
    advisor = Advisor(space, {"maximise": "y"}, planner=SOBOL)
    assert [p.high for p in advisor._campaign.space.parameters] == [2.0, 3]  # type: ignore[union-attr]


def test_a_series_of_pandas_is_one_row() -> None:
    class Series:
        """As pandas has it, as far as it matters."""

        ndim = 1

        def __init__(self, row: Mapping[str, Any]) -> None:
            self._row = row

        def keys(self) -> list[str]:
            return list(self._row)

        def __iter__(self) -> Any:
            return iter(self._row.values())

        def to_dict(self, *, into: type = dict) -> Any:
            return into(self._row)

    advisor = Advisor(SPACE, {"maximise": "y"}, planner=SOBOL)
    row: Any = Series({"width": 2.0, "kind": "flat", "y": 1.0})
    assert advisor.tell(row) == (1,)
    assert advisor._evaluated[0].outcomes["y"].value == 1.0


def test_mistakes_are_told_at_once_and_nothing_is_taken() -> None:
    with pytest.raises(FileProblems) as refused:
        Advisor({"x": {"reel": [0, 1]}}, {"maximise": "y", "cots": 1})
    assert len(refused.value.problems) == 2
    advisor = Advisor(SPACE, {"maximise": "y"}, planner=SOBOL)
    with pytest.raises(FileProblems):
        advisor.tell([{"width": 2, "kind": "flat", "y": 1}, {"width": "w", "kind": "f", "y": 1}])
    assert advisor._evaluated == []


def test_a_parameter_is_no_metric() -> None:
    with pytest.raises(FileProblems, match="'width' is a parameter already"):
        Advisor(SPACE, {"maximise": "strength", "subject_to": ["width <= 5"]})


@pytest.mark.parametrize("n", [0, -1])
def test_less_than_one_point_is_no_question(n: int) -> None:
    advisor = Advisor(space={"x": {"real": [0, 1]}}, objective={"minimise": "y"})
    with pytest.raises(InputError, match="cannot be asked for"):
        advisor.ask(n)


def test_people_may_prefer_one_row_to_another() -> None:
    advisor = Advisor(SPACE, {"prefer": True}, planner=SOBOL)
    assert advisor.tell([dict(p.point) for p in advisor.ask(2)]) == (1, 2)
    advisor.prefer(2, 1)
    assert advisor._preferences == [(2, 1)]
    for pair in ((1, 1), (0, 1), (1, 3), ("1", "2"), (1.5, 2), (None, 1)):
        with pytest.raises(InputError):
            advisor.prefer(*pair)  # type: ignore[arg-type]


HUMID = {**SPACE, "humidity": {"context": [20, 80], "assumed": 40}}


def test_a_context_is_as_given_or_as_it_was_last() -> None:
    advisor = Advisor(HUMID, {"maximise": "y"}, planner={"kind": "random"})
    advisor.tell({"width": 2, "kind": "flat", "humidity": 60, "y": 1})
    with pytest.raises(UnknownName, match="'width' is not a context"):
        advisor.ask(1, context={"width": 3})
    with pytest.raises(InputError):
        advisor.ask(1, context={"humidity": "wet"})
    assert advisor.ask(1, context={"humidity": 33})[0].point["humidity"] == 33.0
    assert advisor.ask(1)[0].point["humidity"] == 60.0
    assert Advisor(HUMID, {"maximise": "y"}, planner=SOBOL).ask(1)[0].point["humidity"] == 40


TABLE = {"x": [1.0, 2.0, 3.5], "y": [3.0, 2.0, 1.0], "z": [1.0, 5.0, 2.0], "y sd": [0.1, 0.1, 0.2]}


def test_several_goals_of_a_frame() -> None:
    advice = propose(DataFrame(TABLE), 1, goal=[("minimise", "y"), ("maximise", "z")])
    assert [p.name for p in advice.task.space.parameters] == ["x"]
    assert [(g.metric, g.direction) for g in advice.task.objective.goals] == [
        ("y", "minimise"), ("maximise", "z")[::-1],
    ]  # fmt: skip
    assert advice.n_results == 3
    with pytest.raises(InputError, match="not both"):
        propose(DataFrame(TABLE), 1, goal=[("minimise", "y"), ("maximise", "y")])


def test_a_rounded_point_in_another_context_answers_what_was_asked() -> None:
    space = {
        "x": {"real": [0, 1]},
        "t": {"real": [1, 1000], "scale": "log"},
        "h": {"context": [0, 1], "assumed": 0.5},
    }
    advisor = Advisor(space, {"maximise": "y"}, planner=SOBOL)
    first, second = advisor.ask(2)
    told = {"x": round(float(first.point["x"]), 3), "t": float(f"{first.point['t']:.3g}")}
    advisor.tell({**told, "h": 0.61, "y": 1.0})
    assert advisor.in_flight == (second.point,)
    advisor.tell({"x": 0.0, "t": 1.0, "h": 0.5, "y": 1.0})
    assert advisor.in_flight == (second.point,)


PLANE = {"x": {"real": [0, 1]}, "t": {"real": [1, 1000], "scale": "log"}, "n": {"integer": [0, 9]}}


@pytest.mark.parametrize("planner", [{}, SOBOL, {"kind": "random"}])
def test_an_advisor_that_is_told_a_table_goes_on_as_propose_does(
    tmp_path: Path, planner: Any
) -> None:
    rows = [
        {"x": 0.1, "t": 10.0, "n": 1, "y": 1.0},
        {"x": 0.7, "t": 10.0, "n": 4, "y": 2.0},
        {"x": 0.1, "t": 10.0, "n": 1, "y": 1.1},
        {"x": 0.4, "t": 90.0, "n": 9, "y": None},
    ]
    campaign = {"name": "c", "space": PLANE, "metrics": {"y": {}}, "planner": planner, "seed": 5}
    campaign |= {"objective": {"maximise": "y"}, "budget": {"trials": 1}}
    file = tmp_path / "campaign.yaml"
    file.write_text(json.dumps(campaign))
    advisor = Advisor(PLANE, {"maximise": "y"}, planner=planner, seed=5)
    fresh = advisor.ask(3)
    advisor = Advisor(PLANE, {"maximise": "y"}, planner=planner, seed=5)
    advisor.tell(rows)
    again = advisor.ask(3)
    assert again == propose(rows, 3, campaign=file).proposals
    assert not {p.why for p in fresh} & {p.why for p in again}


def test_a_restarted_advisor_does_not_propose_again_what_it_was_told() -> None:
    advisor = Advisor(PLANE, {"maximise": "y"})
    asked = [p.point for p in advisor.ask(3)]
    advisor.tell([{**point, "y": i} for i, point in enumerate(asked)])
    again = Advisor(PLANE, {"maximise": "y"})
    again.tell([{**point, "y": i} for i, point in enumerate(asked)])
    assert again.ask(2) == advisor.ask(2)


def test_settings_rounded_by_the_lab_answer_what_was_asked_for() -> None:
    advisor = Advisor(PLANE, {"maximise": "y"}, planner=SOBOL)
    for proposal in advisor.ask(40):
        x, t = (float(proposal.point[name]) for name in ("x", "t"))
        advisor.tell({"x": round(x, 2), "t": float(f"{t:.2g}"), "n": proposal.point["n"], "y": 1})
    assert advisor.in_flight == ()


def test_a_told_row_answers_the_nearest_point_in_flight() -> None:
    advisor = Advisor({"x": {"real": [0, 1]}}, {"maximise": "y"}, planner=SOBOL)
    advisor.tell([{"x": x, "y": None} for x in (0.50, 0.52, 0.9)])
    advisor.tell({"x": 0.515, "y": 1.0})
    assert advisor.in_flight == ({"x": 0.5}, {"x": 0.9})
    advisor.tell({"x": 0.86, "y": 1.0})
    assert advisor.in_flight == ({"x": 0.5}, {"x": 0.9})


def test_a_point_that_will_not_be_tried_is_forgotten() -> None:
    advisor = Advisor(PLANE, {"maximise": "y"}, planner=SOBOL)
    first, second, third = (p.point for p in advisor.ask(3))
    advisor.forget({**second, "x": round(float(second["x"]), 2)})
    assert advisor.in_flight == (first, third)
    with pytest.raises(InputError, match="the point is not in flight") as refused:
        advisor.forget([first, second])
    assert "in_flight" in refused.value.hint
    assert advisor.in_flight == (first, third)
    advisor.forget(advisor.in_flight)
    advisor.forget(advisor.in_flight)
    assert advisor.in_flight == ()
    assert advisor.ask(1)[0].point not in (first, second, third)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"x": 100, "a": 0.5, "b": 0.5, "h": 40, "y": 1}, "x = 100 mm"),
        ({"x": 100, "a": 0.5, "b": 0.5, "h": 40, "y": None}, "x = 100 mm"),
        ({"x": 5, "a": 50, "b": 50, "h": 40, "y": 1}, "a = 50"),
        ({"x": 5, "a": 0.5, "b": 0.5, "h": 0.4, "y": 1}, "h = 0.4 %"),
    ],
)
def test_points_outside_of_the_space_are_remarked_upon(
    tmp_path: Path, row: dict[str, Any], words: str
) -> None:
    space = {
        "x": {"real": [0, 10], "unit": "mm"},
        "m": {"mixture": {"a": [0, 1], "b": [0, 1]}},
        "h": {"context": [20, 80], "unit": "%"},
    }
    right = {"x": 5, "a": 0.5, "b": 0.5, "h": 40, "y": 1}
    advisor = Advisor(space, {"maximise": "y"}, planner=SOBOL)
    advisor.tell(right)
    with pytest.warns(UserWarning, match="lie outside") as told:
        advisor.tell([right, row])
    said = str(told[0].message)
    assert said.startswith("1 of 2 points lie outside of the space, the first with " + words)
    assert told[0].filename == __file__
    campaign = {"name": "c", "space": space, "metrics": {"y": {}}, "planner": SOBOL}
    campaign |= {"objective": {"maximise": "y"}, "budget": {"trials": 1}}
    (tmp_path / "campaign.yaml").write_text(json.dumps(campaign))
    assert propose([right, row], 1, campaign=tmp_path / "campaign.yaml").outside == said


def test_a_context_outside_of_what_is_expected_is_remarked_upon(tmp_path: Path) -> None:
    advisor, words = Advisor(HUMID, {"maximise": "y"}, planner=SOBOL), "humidity = 2500 is not what"
    advisor.ask(1, context={"humidity": 45})
    with pytest.warns(UserWarning, match=words):
        assert advisor.ask(1, context={"humidity": 2500})[0].point["humidity"] == 2500
    campaign = {"name": "c", "space": HUMID, "metrics": {"y": {}}, "planner": SOBOL}
    campaign |= {"objective": {"maximise": "y"}, "budget": {"trials": 1}}
    (tmp_path / "campaign.yaml").write_text(json.dumps(campaign))
    rows = [{"width": 2, "kind": "flat", "y": 1}]
    told = propose(rows, 1, campaign=tmp_path / "campaign.yaml", context={"humidity": 2500})
    assert told.outside.startswith(words)


def _apart(x: float, y: float) -> float:
    return math.hypot(x - 0.3, y - 0.7)


@pytest.mark.parametrize(
    ("constraints", "excess"),
    [
        (["x >= 0.999999"], lambda x, _: 0.999999 - x),
        (["x - y <= 1e-6", "y - x <= 1e-6"], lambda x, y: abs(x - y) - 1e-6),
        (
            ["(x - 0.3)**2 + (y - 0.7)**2 <= 1e-10"],
            lambda x, y: math.hypot(x - 0.3, y - 0.7) - 1e-5,
        ),
    ],
)
def test_a_thin_band_is_found(constraints: list[str], excess: Any) -> None:
    space = {"x": {"real": [0, 1]}, "y": {"real": [0, 1]}}
    advisor = Advisor(space, {"minimise": "f"}, constraints=constraints, seed=1)
    starts = [proposal.point for proposal in advisor.ask(3)]
    assert len({tuple(point.values()) for point in starts}) == 3
    assert max(excess(point["x"], point["y"]) for point in starts) <= 1e-15


def test_what_no_point_can_be_is_said_so() -> None:
    space = {"x": {"real": [0, 1]}, "y": {"real": [0, 1]}}
    advisor = Advisor(space, {"minimise": "f"}, constraints="x + y >= 2.001")
    with pytest.raises(PlanningError, match=r"no point was found .* under x \+ y >= 2\.001"):
        advisor.ask()


@pytest.mark.parametrize("n", [0, -1, 1.5, "2", None, True])
def test_points_are_asked_for_by_a_whole_number(n: Any) -> None:
    with pytest.raises(InputError, match="points cannot be asked for"):
        Advisor(SPACE, {"maximise": "strength"}, planner=SOBOL).ask(n)
    with pytest.raises(InputError, match="points cannot be asked for"):
        propose(DataFrame(TABLE), n, goal=("minimise", "y"))


@pytest.mark.parametrize("seed", ["a", 1.5, -1, None, True])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    with pytest.raises(InputError, match="is no seed"):
        propose(DataFrame(TABLE), 1, goal=("minimise", "y"), seed=seed)
    with pytest.raises(InputError, match="is no seed"):
        Advisor(SPACE, {"maximise": "y"}, planner=SOBOL, seed=seed)


@pytest.mark.parametrize("value", [math.inf, -math.inf, np.float64(math.inf), "inf"])
def test_an_infinite_result_is_refused_and_the_point_stays_in_flight(value: Any) -> None:
    advisor = Advisor(SPACE, {"maximise": "y"}, planner=SOBOL)
    point = advisor.ask(1)[0].point
    with pytest.raises(FileProblems, match="inf' is not a number in column 'y'"):
        advisor.tell({**point, "y": value})
    assert advisor.in_flight == (point,)
    with pytest.raises(FileProblems, match="inf' is not a number in column 'width'"):
        advisor.tell({"width": value, "kind": "flat", "y": 1})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "neither a file, a DataFrame, columns, nor rows"),
        (5, "neither a file, a DataFrame, columns, nor rows"),
        ([None], "neither a file, a DataFrame, columns, nor rows"),
        ({"width": 1, "kind": "flat", "y": [3]}, "one value of 'width' where a column"),
        ({"width": [1], "kind": ["flat"], "y": np.array(3.0)}, "one value of 'y' where a column"),
        ([{"width": np.array([1.0, 2.0]), "kind": "flat", "y": 1}], "is not a number"),
    ],
)
def test_data_of_another_shape_is_refused_in_a_sentence(data: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Advisor(SPACE, {"maximise": "y"}, planner=SOBOL).tell(data)


def test_a_frame_with_two_columns_of_one_name_is_refused() -> None:
    frame = DataFrame({"width": [3.0], "kind": ["flat"]})
    frame.columns = ["width", "kind", "width"]  # type: ignore[attr-defined]  # pandas keeps one
    with pytest.raises(InputError, match="two columns are named 'width'"):
        table_of(frame)


@pytest.mark.parametrize("more", [{}, {"index_names": [None], "column_names": [None]}])
def test_a_frame_as_index_columns_and_data_is_refused(more: Any) -> None:
    """As pandas' `to_dict` gives it for `split` and `tight`: a row would be the text of a list."""
    split = {"index": [0, 1], "columns": ["width", "y"], "data": [[3.5, 1.0], [4.5, 2.0]]} | more
    with pytest.raises(InputError, match="several values in each cell of the column 'data'") as no:
        table_of(split)
    assert "to_dict('list')" in no.value.hint


def test_columns_by_row_number_are_no_columns() -> None:
    """As pandas' `to_dict` gives them where nothing is said: their keys would be the values."""
    with pytest.raises(InputError, match="'width' by its own keys") as refused:
        table_of({"width": {0: 3.5, 1: 4.5}, "strength": {0: 1.0, 1: 2.0}})  # type: ignore[dict-item]
    assert "to_dict('list')" in refused.value.hint


def test_two_threads_are_not_given_the_same_point() -> None:
    advisor = Advisor(SPACE, {"maximise": "strength"}, planner={"initial": 2})
    known = [(1.0, "flat"), (4.0, "flat"), (7.0, "ribbed"), (9.0, "ribbed"), (2.0, "ribbed")]
    advisor.tell([{"width": w, "kind": k, "strength": w * (9 - w)} for w, k in known])
    advisor = pickle.loads(pickle.dumps(advisor))
    asking = [threading.Thread(target=advisor.ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    first, second = advisor.in_flight
    assert first != second


def test_an_array_without_axes_is_its_number() -> None:
    advisor = Advisor(SPACE, {"maximise": "y"}, planner=SOBOL)
    assert advisor.tell({"width": np.array(2.0), "kind": "flat", "y": np.array(3)}) == (1,)
    assert advisor._evaluated[0].point["width"] == 2.0


def test_whole_numbers_beyond_those_of_floating_point_are_refused() -> None:
    for low, high in ((1, 10**20), (-(10**16), 3)):
        with pytest.raises(FileProblems, match="a whole number is between -1e"):
            Advisor({"x": {"integer": [low, high]}}, {"maximise": "y"})
    large = {"a": [-1e100, 2e100, 0], "y": [1, 2, 3]}
    advice = propose(large, 1, goal=("maximise", "y"))
    assert [p.kind for p in advice.task.space.parameters] == ["real"]
    assert -1e100 <= float(advice.proposals[0].point["a"]) <= 2e100


def test_dear_trials_wait_for_a_cheap_rung_where_no_budget_ends() -> None:
    advisor = Advisor(
        space={"x": {"integer": [0, 39]}, "rung": {"fidelity": {"cheap": 0.2, "fine": 20}}},
        objective={"maximise": "y"},
        planner={"initial": 3},
    )
    waves = {x: math.sin(x / 5) for x in range(40)}
    cheap = [x for x in waves if x not in (22, 23, 25)]
    advisor.tell([{"x": x, "rung": "cheap", "y": 7 + 1.7 * waves[x]} for x in cheap])
    advisor.tell([{"x": x, "rung": "fine", "y": waves[x]} for x in range(0, 36, 4) if x != 8])
    (first,) = advisor.ask(1)
    assert first.point["rung"] == "cheap"
    assert first.why.endswith("wait for the 3 left on cheap (0.6 in all)")


def test_where_all_candidates_are_in_flight_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_text("name,size\na,1\nb,2\nc,3\n")
    pool = {"pool": str(tmp_path / "pool.csv")}
    advisor = Advisor(space={"m": pool}, objective={"maximise": "y"}, metrics={"y": {}})
    advisor.ask(3)
    with pytest.raises(PoolExhausted) as told:
        advisor.ask()
    assert told.value.hint == "3 of them are in flight: tell their results, or `forget` them"
