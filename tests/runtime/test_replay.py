"""The planner against a table of experiments that were really made."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from orchestrator.errors import FileProblems, InputError, UnitMismatch, UnknownName
from orchestrator.files.table import read_table
from orchestrator.runtime.load import read_campaign
from orchestrator.runtime.replay import Replayed, replay
from orchestrator.runtime.replay_table import settings_of
from orchestrator.runtime.replay_truth import OneGoal, random_within, truth_of

CAMPAIGN = """\
name: beams
space:
  width: {real: [1, 10], unit: mm}
  kind: {choice: [flat, ribbed]}
metrics:
  strength: {unit: MPa}
objective: {DIRECTION: strength}
planner: {kind: random}
budget: {trials: 100}
"""
ROWS = [
    ("1", "flat", 5.0),
    ("1", "flat", 7.0),
    ("2", "flat", 1.0),
    ("2", "ribbed", 9.0),
    ("3", "flat", 3.0),
    ("3", "ribbed", 4.0),
]


def table(
    tmp_path: Path, rows: list[tuple[object, ...]], header: str = "width,kind,strength"
) -> Path:
    path = tmp_path / "beams.csv"
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def campaign(tmp_path: Path, direction: str = "maximise", text: str = CAMPAIGN) -> Path:
    path = tmp_path / "beams.yaml"
    path.write_text(text.replace("DIRECTION", direction))
    return path


def replayed(
    tmp_path: Path, direction: str = "maximise", seeds: int = 3, limit: int | None = None
) -> Replayed:
    path = campaign(tmp_path, direction)
    return replay(table(tmp_path, list(ROWS)), path, seeds=seeds, limit=limit)


def test_rows_of_one_setting_are_repeats_of_one_experiment(tmp_path: Path) -> None:
    settings = replayed(tmp_path).settings
    assert settings.measured == (((5.0,), (7.0,)), ((1.0,),), ((9.0,),), ((3.0,),), ((4.0,),))
    assert settings.means == ((6.0,), (1.0,), (9.0,), (3.0,), (4.0,))


@pytest.mark.parametrize(
    ("direction", "ranked"), [("maximise", [2, 0, 4, 3, 1]), ("minimise", [1, 3, 4, 0, 2])]
)
def test_the_best_setting_has_the_best_mean(
    tmp_path: Path, direction: str, ranked: list[int]
) -> None:
    truth = truth_of(replayed(tmp_path).settings, read_campaign(campaign(tmp_path, direction)))
    assert isinstance(truth, OneGoal)
    assert truth.ranked == ranked


def test_a_proposal_is_answered_with_one_of_its_repeats_at_a_time(tmp_path: Path) -> None:
    answers: set[float] = set()
    path, study = table(tmp_path, list(ROWS)), campaign(tmp_path)
    replay(path, study, seeds=30, progress=lambda seed, n, value: answers.add(value))
    assert answers == {5.0, 7.0, 1.0, 9.0, 3.0, 4.0}


def test_each_setting_is_tried_once_and_the_best_is_reached_in_the_end(tmp_path: Path) -> None:
    done = replayed(tmp_path)
    assert done.limit == 5
    assert all(len(curve) == 5 and curve[-1] == 9.0 for curve in done.curves)
    assert all(list(c) == sorted(c) for c in done.curves)
    least = replayed(tmp_path, "minimise")
    assert all(c[-1] == 1.0 and list(c) == sorted(c, reverse=True) for c in least.curves)


def test_a_replay_is_a_function_of_its_seeds(tmp_path: Path) -> None:
    assert replayed(tmp_path).curves == replayed(tmp_path).curves
    assert len(set(replayed(tmp_path, seeds=12).curves)) > 1


@pytest.mark.parametrize("direction", ["minimise", "maximise"])
def test_the_random_curve_is_the_exact_mean_over_all_orders(tmp_path: Path, direction: str) -> None:
    done = replayed(tmp_path, direction)
    better = min if direction == "minimise" else max
    orders = list(itertools.permutations(m for (m,) in done.settings.means))
    for n in range(1, 6):
        exact = sum(Fraction(better(order[:n])) for order in orders) / len(orders)
        assert done.random_curve[n - 1] == pytest.approx(float(exact))


@pytest.mark.parametrize(("n", "k"), [(5, 1), (5, 2), (6, 3), (4, 4)])
def test_the_random_count_is_the_exact_mean_over_all_orders(n: int, k: int) -> None:
    counts = [
        next(i + 1 for i, item in enumerate(order) if item < k)
        for order in itertools.permutations(range(n))
    ]
    assert random_within(n, k, n) == pytest.approx((n + 1) / (k + 1))
    for most in range(1, n + 1):
        exact = np.mean([min(c, most) for c in counts])
        assert random_within(n, k, most) == pytest.approx(float(exact))


def test_the_factor_compares_what_was_needed_within_the_same_limit(tmp_path: Path) -> None:
    done = replayed(tmp_path, seeds=6, limit=2)
    for needed in done.needed:
        counts = [2 if c is None else c for c in needed.counts]
        assert needed.random_mean == pytest.approx(3.0)
        expected = random_within(5, 1, 2) / float(np.mean(counts))
        assert needed.factor == pytest.approx(expected)
        assert needed.interval[0] <= needed.factor <= needed.interval[1]


def test_a_planner_that_never_gets_there_is_not_called_fast(tmp_path: Path) -> None:
    """With the limit counted as if the goal had been reached, it would look faster than random."""
    rows = [(str(i), "flat", float(i)) for i in range(1, 201)]
    text = CAMPAIGN.replace("[1, 10]", "[1, 200]")
    done = replay(table(tmp_path, rows), campaign(tmp_path, "maximise", text), seeds=4, limit=5)
    best = done.needed[1]
    if all(c is None for c in best.counts):
        assert best.factor <= 1.0
    assert best.factor < 2.0


def test_the_limit_is_the_budget_where_none_is_given(tmp_path: Path) -> None:
    text = CAMPAIGN.replace("trials: 100", "trials: 3")
    done = replay(table(tmp_path, list(ROWS)), campaign(tmp_path, text=text), seeds=1)
    assert (done.limit, len(done.curves[0]), len(done.random_curve)) == (3, 3, 3)


def test_units_in_the_header_are_converted(tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = [(0.1, "flat", 0.002), (0.2, "ribbed", 0.005)]
    path = table(tmp_path, rows, "width [cm],kind,strength [GPa]")
    settings = settings_of(read_table(path), read_campaign(campaign(tmp_path)), {})
    assert [row[0] for row in settings.pool.rows] == [1.0, 2.0]
    assert [m for (m,) in settings.means] == pytest.approx([2.0, 5.0])
    with pytest.raises(UnitMismatch, match=r"column 'width \[s\]' is in 's'"):
        replay(table(tmp_path, rows, "width [s],kind,strength"), campaign(tmp_path))


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    path = table(tmp_path, list(ROWS), "w_mm,form,s")
    columns = {"width": "w_mm", "kind": "form", "strength": "s"}
    done = replay(path, campaign(tmp_path), columns=columns, seeds=1)
    assert len(done.settings.means) == 5
    with pytest.raises(UnknownName, match="'kind' is not a column"):
        replay(path, campaign(tmp_path), columns={"width": "w_mm"})
    with pytest.raises(UnknownName, match="'widht'"):
        replay(path, campaign(tmp_path), columns={**columns, "widht": "w_mm"})


def test_words_become_one_column_each_and_a_log_scale_its_logarithm(tmp_path: Path) -> None:
    text = CAMPAIGN.replace("unit: mm", "unit: mm, scale: log")
    path = campaign(tmp_path, text=text)
    settings = settings_of(read_table(table(tmp_path, list(ROWS))), read_campaign(path), {})
    assert settings.pool.columns == ("width", "kind=flat", "kind=ribbed")
    assert settings.pool.rows[2] == (pytest.approx(math.log10(2)), 0.0, 1.0)


def test_a_pool_is_described_by_its_numbers(tmp_path: Path) -> None:
    (tmp_path / "metals.csv").write_text("name,radius,colour\nCu,1.28,red\nAu,1.44,yellow\n")
    text = CAMPAIGN.replace(
        "{choice: [flat, ribbed]}", "{pool: metals.csv, columns: {radius: angstrom}}"
    )
    rows: list[tuple[object, ...]] = [(1, "Cu", 2.0), (2, "Au", 3.0)]
    settings = settings_of(
        read_table(table(tmp_path, rows)), read_campaign(campaign(tmp_path, text=text)), {}
    )
    assert settings.pool.columns == ("width", "kind.radius")
    assert settings.pool.rows == ((1.0, 1.28), (2.0, 1.44))
    rows.append((3, "Pb", 1.0))
    with pytest.raises(FileProblems, match=":4: 'Pb' is not a candidate of 'kind'"):
        replay(table(tmp_path, rows), campaign(tmp_path, text=text))


@pytest.mark.parametrize(
    ("text", "row", "said"),
    [
        (CAMPAIGN, ("wide", "flat", 1.0), ":8: column 'width' has 'wide'"),
        (CAMPAIGN, (1, "flat", "nan"), ":8: column 'strength' has 'nan'"),
        (
            CAMPAIGN.replace("unit: mm", "unit: mm, scale: log"),
            (0, "flat", 1.0),
            ":8: column 'width' has 0 where the scale is logarithmic",
        ),
        (
            CAMPAIGN.replace("unit: MPa", "unit: MPa, scale: log"),
            (1, "flat", -1.0),
            ":8: column 'strength' has -1.0 where the scale is logarithmic",
        ),
    ],
    ids=["text", "nan", "log of zero", "log metric"],
)
def test_a_cell_that_cannot_be_used_is_named_with_its_line(
    tmp_path: Path, text: str, row: tuple[object, ...], said: str
) -> None:
    with pytest.raises(FileProblems, match=said):
        replay(table(tmp_path, [*ROWS, row]), campaign(tmp_path, text=text))


LIMITED = CAMPAIGN.replace("{DIRECTION: strength}", "GOALS").replace(
    "  strength: {unit: MPa}\n", "  strength: {unit: MPa}\n  weight: {unit: kg, scale: log}\n"
)
WEIGHED = [
    ("1", "flat", 5.0, 2.0),
    ("1", "flat", 7.0, 4.0),
    ("2", "flat", 1.0, 1.0),
    ("2", "ribbed", 9.0, 30.0),
    ("3", "flat", 3.0, 1.5),
    ("3", "ribbed", 4.0, ""),
    ("4", "flat", 2.0, 6.0),
]
"""Of a beam without a weight nothing is known."""


def weighed(tmp_path: Path, goals: str, **words: int) -> Replayed:
    beams = table(tmp_path, list(WEIGHED), "width,kind,strength,weight")
    return replay(beams, campaign(tmp_path, text=LIMITED.replace("GOALS", goals)), **words)


def test_settings_that_do_not_keep_a_limit_are_not_looked_for(tmp_path: Path) -> None:
    done = weighed(tmp_path, "{maximise: strength, subject_to: [weight <= 5 kg]}", seeds=4)
    assert done.settings.metrics == ("strength", "weight")
    assert len(done.settings.means) == 5
    assert all(curve[-1] == 6.0 for curve in done.curves)
    feasible = {(6.0, 3.0), (1.0, 1.0), (3.0, 1.5)}
    for n in range(1, 6):
        orders = itertools.permutations(done.settings.means)
        best = [max([1.0, *(m[0] for m in o[:n] if m in feasible)]) for o in orders]
        assert done.random_curve[n - 1] == pytest.approx(float(np.mean(best)))
    for needed in done.needed:
        assert needed.random_mean == pytest.approx(3.0)
    with pytest.raises(InputError, match="no setting of the table keeps the limits"):
        weighed(tmp_path, "{maximise: strength, subject_to: [weight <= 0.5 kg]}")


def test_of_several_goals_the_share_of_the_hypervolume_is_counted(tmp_path: Path) -> None:
    goals = "{goals: [{maximise: strength, worst: 0 MPa}, {minimise: weight, worst: 100 kg}]}"
    done = weighed(tmp_path, goals, seeds=4)
    assert done.quantity == "share of the table's hypervolume"
    for curve in done.curves:
        assert list(curve) == sorted(curve)
        assert curve[-1] == pytest.approx(1.0)
    # corners of strength by decades of weight: the beam of 9 MPa and 30 kg, then 6 MPa and 3 kg ...
    logs = [math.log10(100 / w) for w in (30.0, 3.0, 1.5, 1.0)]
    strips = zip((9.0, 6.0, 3.0, 1.0), np.diff([0.0, *logs]), strict=True)
    whole = sum(strength * width for strength, width in strips)
    row = done.settings.means.index((6.0, 3.0))
    alone = truth_of(done.settings, done.campaign).course([row])
    assert alone[0] == pytest.approx(6.0 * logs[1] / whole)
    half, most = done.needed
    assert (half.goal, most.goal) == ("50% of the hypervolume", "90% of the hypervolume")
    assert all(a <= b for a, b in zip(half.counts, most.counts, strict=True) if a and b)
    assert 1.0 <= half.random_mean <= most.random_mean <= 5.0
    assert done.random_curve[-1] == pytest.approx(1.0)


def test_preferences_are_not_in_a_table_and_costs_are_left_out(tmp_path: Path) -> None:
    done = weighed(tmp_path, "{maximise: strength, cost: =width}", seeds=1)
    assert "costs are left out" in done.remark
    with pytest.raises(InputError, match="a table holds no preferences"):
        weighed(tmp_path, "{prefer: true}")


MATERIALS = """\
name: solvents
space:
  solvent: {pool: solvents.csv, smiles: smiles, descriptor: morgan}
  width: {real: [0, 10], unit: mm}
metrics: {strength: {unit: MPa}}
objective: {maximise: strength}
budget: {trials: 4}
planner: {initial: 2}
"""


def test_a_described_pool_is_replayed_by_its_description_and_rows_without_a_result_are_left_out(
    tmp_path: Path,
) -> None:
    pytest.importorskip("rdkit", reason="needs the extra 'materials'")
    (tmp_path / "solvents.csv").write_text("name,smiles\nethanol,CCO\nbenzene,c1ccccc1\n")
    made = tmp_path / "made.csv"
    made.write_text(
        "solvent,width,strength\nethanol,1,2\nbenzene,1,3\nethanol,2,\nbenzene,1,5\nethanol,5,1\n"
    )
    study = read_campaign(campaign(tmp_path, text=MATERIALS))
    settings = settings_of(read_table(made), study, {})
    assert settings.pool.columns == ("width",)
    assert settings.measured == (((2.0,),), ((3.0,), (5.0,)), ((1.0,),))
    (said,) = settings.pool.described
    assert said.counts is not None
    assert said.counts.only([0]) == said.counts.only([2])
    assert said.counts.only([0]) != said.counts.only([1])
    alone = MATERIALS.replace("  width: {real: [0, 10], unit: mm}\n", "")
    settings = settings_of(read_table(made), read_campaign(campaign(tmp_path, text=alone)), {})
    assert settings.pool.names == ("ethanol", "benzene")
    made.write_text("solvent,width,strength\nethanol,1,\n")
    with pytest.raises(InputError, match="no result in column 'strength'"):
        replay(made, campaign(tmp_path, text=alone))


def test_a_pool_that_grows_is_replayed_without_what_would_be_made(tmp_path: Path) -> None:
    smiles = ["CCO", "CCC", "CCN", "CCCC", "CCF", "CCCl", "COC", "CC=O"]
    rows = [(f"m{i}", text) for i, text in enumerate(smiles)]
    (tmp_path / "pool.csv").write_text("name,smiles\n" + "".join(f"{n},{t}\n" for n, t in rows))
    text = (
        "name: growing\nspace:\n  molecule:\n    pool: pool.csv\n    smiles: smiles\n"
        "    descriptor: morgan\n    generate: {kind: iqspr, every: 2, candidates: 5}\n"
        "metrics: {heat: {}}\nobjective: {maximise: heat}\n"
        "planner: {kind: bayesian, initial: 4}\nbudget: {trials: 8}\n"
    )
    answers = table(tmp_path, [(n, float(i)) for i, (n, _) in enumerate(rows)], "molecule,heat")
    played = replay(answers, campaign(tmp_path, text=text), seeds=1)
    assert played.settings.pool.generation is None
    assert len(played.curves[0]) == len(smiles)
    assert played.remark == "generate is switched off: a replay is answered by its table alone"


def test_results_are_found_by_material_and_not_of_what_the_pool_sets_aside(tmp_path: Path) -> None:
    pytest.importorskip("rdkit", reason="needs the extra 'materials'")
    solvents = "smiles,price\nCCO,1\nc1ccccc1,2\nC1CC,3\nOCC,4\n"
    (tmp_path / "solvents.csv").write_text(solvents)
    text = MATERIALS.replace("  width: {real: [0, 10], unit: mm}\n", "").replace(
        "smiles: smiles", "name: smiles, smiles: smiles"
    )
    made = tmp_path / "made.csv"
    made.write_text("smiles,strength\nOCC,2\nC1CC,9\nc1ccccc1,3\nCCO,4\n")
    played = replay(made, campaign(tmp_path, text=text), seeds=1, limit=1)
    assert played.settings.pool.names == ("CCO", "c1ccccc1")
    assert played.settings.measured == (((2.0,), (4.0,)), ((3.0,),))
    assert played.remark == "1 row is of a candidate that is set aside"
    made.write_text("smiles,width,strength\nOCC,2,1\nC1CC,2,9\nCCO,2,3\nCCO,3,4\n")
    beside = MATERIALS.replace("smiles: smiles", "name: smiles, smiles: smiles")
    settings = settings_of(read_table(made), read_campaign(campaign(tmp_path, text=beside)), {})
    assert settings.measured == (((1.0,), (3.0,)), ((4.0,),))
    made.write_text("smiles,strength\nOCC,2\nCCOC,9\n")
    with pytest.raises(FileProblems) as wrong:
        replay(made, campaign(tmp_path, text=text))
    assert ":3: 'CCOC' is no candidate of 'solvent' that solvents.csv has" in str(wrong.value)
    assert "OCC" not in str(wrong.value).replace("CCOC", "")  # a spelling of the table itself
    made.write_text("smiles,strength\nC1CC,9\n")
    with pytest.raises(InputError, match="no result of a candidate that was not set aside"):
        replay(made, campaign(tmp_path, text=text))
    made.write_text("material,strength\nCCO,2\n")
    with pytest.raises(UnknownName) as refused:
        replay(made, campaign(tmp_path, text=text))
    assert "--columns solvent=COLUMN" in refused.value.hint


def test_a_replay_does_not_tell_the_model_the_answers_unless_that_is_asked_for(
    tmp_path: Path,
) -> None:
    (tmp_path / "oils.csv").write_text("oil,chain,strength\na,3,1\nb,5,7\nc,8,2\n")
    text = CAMPAIGN.split("space:")[0] + "space: {oil: {pool: oils.csv}}\n"
    text += CAMPAIGN[CAMPAIGN.index("metrics:") :]
    played = replay(tmp_path / "oils.csv", campaign(tmp_path, text=text), seeds=1)
    assert played.settings.pool.columns == ("chain",)
    assert played.remark == ""
    told = text.replace("oils.csv}", "oils.csv, columns: {chain: '', strength: MPa}}")
    remark = replay(tmp_path / "oils.csv", campaign(tmp_path, text=told), seeds=1).remark
    assert remark.endswith("describes the candidates and is a metric: the model is told its values")
    (tmp_path / "oils.csv").write_text("oil,chain,strength [MPa]\na,3,1\nb,5,7\nc,8,2\n")
    told = told.replace("strength: MPa}", "'strength [MPa]': MPa}")
    remark = replay(tmp_path / "oils.csv", campaign(tmp_path, text=told), seeds=1).remark
    assert "'strength [MPa]' of oils.csv describes the candidates and is a metric" in remark


def test_settings_that_are_equally_good_are_all_the_best(tmp_path: Path) -> None:
    rows = [(str(n), "flat", 1.0 if n % 3 == 0 else 0.0) for n in range(1, 10)]
    played = replay(table(tmp_path, rows), campaign(tmp_path), seeds=2)
    top, best = played.needed
    assert best.goal == "the best (3 settings)"
    assert top.goal == "one of the top 5% (3 settings)"
    assert best.random_mean == top.random_mean == (9 + 1) / (3 + 1)
    assert best.counts == top.counts
    assert all(count is not None and count <= 7 for count in best.counts)


def test_rows_that_the_pool_sets_aside_are_found_by_material_in_its_own_table(
    tmp_path: Path,
) -> None:
    pytest.importorskip("rdkit", reason="needs the extra 'materials'")
    made = tmp_path / "solvents.csv"
    made.write_text("i,smiles,strength\n0,CCO,1\n1,C1CC,9\n2,c1ccccc1,3\n")
    text = MATERIALS.replace("  width: {real: [0, 10], unit: mm}\n", "")
    played = replay(made, campaign(tmp_path, text=text), seeds=1)
    assert played.settings.measured == (((1.0,),), ((3.0,),))
    assert played.remark == "1 row is of a candidate that is set aside"


def test_a_replay_says_so_where_the_column_of_a_metric_describes_the_candidates(
    tmp_path: Path,
) -> None:
    made = tmp_path / "oils.csv"
    made.write_text("oil,chain,measured strength [MPa]\na,3,1\nb,5,7\nc,8,2\n")
    text = CAMPAIGN.split("space:")[0] + "space: {oil: {pool: oils.csv}}\n"
    text += CAMPAIGN[CAMPAIGN.index("metrics:") :]
    columns = {"strength": "measured strength"}
    played = replay(made, campaign(tmp_path, text=text), columns=columns, seeds=1)
    assert "oil: 'measured strength [MPa]' of oils.csv describes the candidates" in played.remark


def test_a_unit_in_parentheses_that_is_another_one_is_refused(tmp_path: Path) -> None:
    made = tmp_path / "oils.csv"
    text = CAMPAIGN.split("space:")[0] + "space: {chain: {real: [1, 9]}}\n"
    text += CAMPAIGN[CAMPAIGN.index("metrics:") :]
    for header, said in (("GPa", "may be in 'GPa', and is to be in 'MPa'"), ("MPa", ""), ("x", "")):
        made.write_text(f"chain,strength ({header})\n3,1\n5,7\n8,2\n")
        columns = {"strength": f"strength ({header})"}
        if said:
            with pytest.raises(InputError, match=said):
                replay(made, campaign(tmp_path, text=text), columns=columns, seeds=1)
        else:
            replay(made, campaign(tmp_path, text=text), columns=columns, seeds=1)
