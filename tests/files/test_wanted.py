"""What a campaign file wants: goals, limits, costs, reasons to stop."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_campaign_file import loaded, problem_of, problems_of
from test_schema import faults_of

from orchestrator.files.schema import campaign_schema
from orchestrator.model.expression import compile_expression
from orchestrator.model.objective import Goal, Objective, OutcomeConstraint

FILM = """\
name: film
space:
  temperature: {real: [20, 500], unit: degC}
  kind: {choice: [a, b]}
metrics:
  strength: {unit: MPa}
  mass: {unit: g}
  gap: {unit: eV}
  resistivity: {unit: ohm*cm, scale: log}
objective: {maximise: strength}
budget: {trials: 5}
"""


def objective_of(text: str, tmp_path: Path) -> Objective:
    return loaded(FILM.replace("{maximise: strength}", text), tmp_path).objective


@pytest.mark.parametrize(
    ("text", "goals"),
    [
        ("{maximise: strength}", (Goal(metric="strength", direction="maximise"),)),
        (
            "{minimise: [mass, gap], maximise: strength}",
            (
                Goal(metric="mass", direction="minimise"),
                Goal(metric="gap", direction="minimise"),
                Goal(metric="strength", direction="maximise"),
            ),
        ),
        (
            "{goals: [{maximise: strength, worst: 0.1 GPa}, {match: gap, to: 1500 meV}]}",
            (
                Goal(metric="strength", direction="maximise", worst=100.0),
                Goal(metric="gap", direction="match", low=1.5, high=1.5),
            ),
        ),
        (
            "{match: gap, between: [1.4 eV, 1600 meV]}",
            (Goal(metric="gap", direction="match", low=1.4, high=1.6),),
        ),
        ("{prefer: true}", (Goal(metric="preference", direction="maximise"),)),
    ],
)
def test_goals_are_read_in_their_order(text: str, goals: tuple[Goal, ...], tmp_path: Path) -> None:
    assert objective_of(text, tmp_path).goals == goals
    assert faults_of(FILM.replace("{maximise: strength}", text), campaign_schema()) == []


def test_a_limit_may_have_a_confidence(tmp_path: Path) -> None:
    text = "{maximise: strength, subject_to: [mass <= 5 g, gap >= 1 eV with 95 %]}"
    assert objective_of(text, tmp_path).constraints == (
        OutcomeConstraint(metric="mass", sense="<=", bound=5.0),
        OutcomeConstraint(metric="gap", sense=">=", bound=1.0, confidence=0.95),
    )


@pytest.mark.parametrize(
    ("cost", "unit", "expected"),
    [
        ("=20 min + abs(temperature - previous.temperature) / '5 K/min'", "min", 30.0),
        ("=1 + (temperature - 20 degC) / 100 K", "", 1.8),
        ("=30 K + temperature - 20 degC", "K", 110.0),
    ],
)
def test_a_cost_is_an_expression_of_this_point_and_the_one_before(
    cost: str, unit: str, expected: float, tmp_path: Path
) -> None:
    objective = objective_of(f'{{maximise: strength, cost: "{cost}"}}', tmp_path)
    assert objective.cost_unit == unit
    units = {"temperature": "degC", "previous.temperature": "degC"}
    values = {"temperature": 100.0, "previous.temperature": 50.0}
    expression = compile_expression(objective.cost, units, objective.cost_unit)
    assert expression.evaluate(values) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{subject_to: [mass <= 5 g]}", "does not say what is wanted", "minimise, maximise"),
        ("{maximise: [strength, strength]}", "two goals for 'strength'", ""),
        ("{maximise: strength, minimise: strength}", "two goals for 'strength'", ""),
        ("{maximise: [strength, mas]}", "'mas' is not a metric", "'mass'"),
        ("{goals: [{maximise: strength, minimise: mass}]}", "exactly one of minimise", ""),
        ("{goals: [{worst: 5 MPa}]}", "exactly one of minimise", ""),
        ("{goals: [{maximise: strength, worst: 5}]}", "the worst value needs a unit", "'5 MPa'"),
        ("{goals: [{maximise: strength, worst: 5 g}]}", "cannot be converted to 'MPa'", ""),
        ("{goals: [{minimise: mass, to: 5 g}]}", "nothing without 'match'", ""),
        ("{minimise: mass, to: 5 g}", "nothing without 'match'", ""),
        ("{match: gap}", "a match needs either 'to' or 'between'", "1.5 eV"),
        ("{match: gap, to: [1 eV, 2 eV]}", "found a list of 2", "between: [low, high]"),
        ("{match: gap, to: 1 eV, between: [1 eV, 2 eV]}", "either 'to' or 'between'", ""),
        ("{match: gap, between: [2 eV, 1 eV]}", "the lower bound 2 is not below", ""),
        ("{match: gap, between: [2 eV]}", "at least 2 entries", ""),
        ("{match: gap, to: 2}", "the value to match needs a unit", "'2 eV'"),
        ("{match: resistivity, to: 0 ohm*cm}", "on a log scale, where 0", ""),
        ("{prefer: true, maximise: strength}", "cannot both say what is wanted", ""),
        ("{prefer: yes}", "expected", ""),
        ("{maximise: strength, subject_to: [mass <= 5 g with 5 %]}", "not a confidence", ""),
        (
            "{maximise: strength, subject_to: [mass <= 5 g, gap >= 1 eV, mass >= 1 kg]}",
            "no 'mass' is both >= 1000 g and <= 5 g",
            "",
        ),
        ("{maximise: strength, subject_to: [mass <= 5 g with]}", "'with' is not a known unit", ""),
        ("{maximise: strength, cost: 20 min}", "expected an expression after '='", ""),
        ("{maximise: strength, cost: =temperature}", "a temperature is no cost", ""),
        ("{maximise: strength, cost: =temperature - previous.temperature}", "cost nothing", "="),
        ("{maximise: strength, cost: =temperature - 20 degC}", r"nothing at temperature = 20", "="),
        ("{maximise: strength, cost: =99 K + 20 degC - temperature}", "cost nothing", "="),
        ("{maximise: strength, cost: =kind}", "is a text", ""),
        ("{maximise: strength, cost: =strength}", "'strength' is not a name", ""),
        ("{maximise: strength, cost: =1 + previous.temprature / 1 K}", "is not a name", "previous"),
        ("{maximise: strength, cost: =20 min + temperature / 5 K}", "'temperature", ""),
    ],
)
def test_a_bad_objective_gets_one_sentence_with_its_hint(
    text: str, message: str, hint: str, tmp_path: Path
) -> None:
    problem = problem_of("{maximise: strength}", text, tmp_path, FILM)
    assert re.search(message, problem.message), problem.message
    assert hint in problem.hint


def test_a_cost_need_not_be_above_zero_where_no_trial_can_be(tmp_path: Path) -> None:
    space = "  m: {mixture: {a: [0, 1], b: [0, 1]}}\n  z: {real: [0, 1], unit: min}\n"
    film = FILM.replace("  kind:", space + "  kind:")
    limited = film.replace("metrics:", 'constraints: ["z >= 0.1 min"]\nmetrics:')
    cost = "{maximise: strength, cost: =3 * a + 2 * b}"
    assert loaded(film.replace("{maximise: strength}", cost), tmp_path).objective.cost
    cost = "{maximise: strength, cost: =z}"
    assert loaded(limited.replace("{maximise: strength}", cost), tmp_path).objective.cost
    (problem,) = problems_of(film.replace("{maximise: strength}", cost), tmp_path)
    assert problem.message == "a trial like the one before it would cost nothing at z = 0"


def test_preference_is_no_name_for_a_metric_beside_a_preference(tmp_path: Path) -> None:
    text = FILM.replace("{maximise: strength}", "{prefer: true}")
    (problem,) = problems_of(text.replace("gap:", "preference:"), tmp_path)
    assert "what people say of trials" in problem.message
    alone = re.sub(r"metrics:.*?objective", "objective", text, flags=re.DOTALL)
    assert [m.name for m in loaded(alone, tmp_path).metrics] == ["preference"]
    (problem,) = problems_of(alone.replace("prefer: true", "maximise: x"), tmp_path)[1:]
    assert "'x' is not a metric" in problem.message


@pytest.mark.parametrize(
    ("objective", "rule", "gain"),
    [
        ("{maximise: gap}", "10 meV", 0.01),
        ("{minimise: resistivity}", "10 %", 0.0414),
        ("{match: gap, to: 1 eV}", "0.1 eV", 0.1),
    ],
)
def test_little_to_gain_is_a_difference_or_a_share(
    objective: str, rule: str, gain: float, tmp_path: Path
) -> None:
    text = FILM.replace("{maximise: strength}", objective) + f"stop: {{little_to_gain: {rule}}}\n"
    assert loaded(text, tmp_path).stop.little_to_gain == pytest.approx(gain, abs=1e-4)
    assert faults_of(text, campaign_schema()) == []


@pytest.mark.parametrize(
    ("objective", "rule", "message"),
    [
        ("{maximise: gap}", "little_to_gain: 0.1", "the gain needs a unit"),
        ("{maximise: gap}", "little_to_gain: 0 eV", "a gain is above zero"),
        ("{minimise: resistivity}", "little_to_gain: 1e-3 ohm*cm", "a gain is a share"),
        ("{maximise: [gap, mass]}", "little_to_gain: 1 eV", "is for one goal"),
        ("{maximise: [gap, mass]}", "target: 1 eV", "is for one goal"),
        ("{prefer: true}", "no_progress: 5", "needs a metric to go by"),
    ],
)
def test_a_stop_rule_that_could_never_hold_is_refused(
    objective: str, rule: str, message: str, tmp_path: Path
) -> None:
    text = FILM.replace("{maximise: strength}", objective) + f"stop: {{{rule}}}\n"
    (problem,) = problems_of(text, tmp_path)
    assert message in problem.message
