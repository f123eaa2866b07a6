"""Kinds of parameters, mixtures, conditions and known constraints of a campaign file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_campaign_file import loaded, problem_of, problems_of
from test_schema import faults_of

from orchestrator.files.schema import campaign_schema
from orchestrator.model.expression import compile_expression
from orchestrator.model.space import (
    Choice,
    Condition,
    Context,
    Fidelity,
    Integer,
    KnownConstraint,
    Mixture,
    Ordinal,
    Pool,
    Real,
    parameter_units,
)

WIDE = """\
name: wide
space:
  oxygen:   {real: [0.1, 2], unit: Pa, noise: 20 mPa}
  argon:    {real: [0.1, 2], unit: Pa, scale: log, noise: 5 %}
  grade:    {ordinal: [coarse, fine, finest]}
  speed:    {ordinal: [1, 2, 5, 10], unit: mm/s, scale: log}
  solvent:
    choice: {water: {polarity: 10.2, boiling: 100}, ethanol: {polarity: 5.2, boiling: 351.5 K}}
    units: {boiling: degC}
  alloy: {mixture: {Cu: [0, 50], Ni: [10, 100], Zn: [0, 100]}, total: 100, unit: at.%,
          present: [2, 3], least: 5}
  anneal:   {choice: [none, short, long]}
  heat:     {real: [200, 500], unit: degC, when: {anneal: [short, long]}, otherwise: 25 degC}
  ramps:    {integer: [1, 5], when: {anneal: long}}
  level:    {fidelity: {emt: 1, dft: 100}}
  humidity: {context: [20, 80], unit: percent, assumed: 45}
constraints:
  - oxygen + argon <= 3 Pa
  - 2 Pa >= argon
  - Ni >= 2 * Cu
  - solvent.boiling - heat <= 50 K
metrics:
  strength: {unit: MPa}
objective: {maximise: strength}
budget: {trials: 5}
"""


def test_whole_numbers_may_be_bound_by_an_equation(tmp_path: Path) -> None:
    text = WIDE.replace("- 2 Pa >= argon", "- ramps + cycles >= 5\n  - ramps + cycles <= 5")
    text = text.replace("  level:", "  cycles:   {integer: [1, 5]}\n  level:")
    assert len(loaded(text, tmp_path).space.constraints) == 5


def test_every_kind_of_parameter_is_read(tmp_path: Path) -> None:
    space = loaded(WIDE, tmp_path).space
    assert space["oxygen"] == Real(name="oxygen", low=0.1, high=2, unit="Pa", setting_sd=0.02)
    argon = space["argon"]
    assert isinstance(argon, Real)
    assert argon.setting_sd == pytest.approx(0.0212, abs=1e-4)
    assert space["grade"] == Ordinal(name="grade", levels=("coarse", "fine", "finest"))
    assert space["speed"] == Ordinal(
        name="speed", levels=(1.0, 2.0, 5.0, 10.0), unit="mm/s", scale="log"
    )
    solvent = space["solvent"]
    assert isinstance(solvent, Pool)
    assert (solvent.names, solvent.columns) == (("water", "ethanol"), ("polarity", "boiling"))
    assert solvent.units == ("", "degC")
    assert solvent.rows[0] == (10.2, 100.0)
    assert solvent.rows[1] == pytest.approx((5.2, 78.35))
    assert (solvent.source, solvent.sha256) == ("", "")
    assert space["Cu"] == Real(name="Cu", low=0, high=50, unit="at.%")
    assert space.mixtures == (
        Mixture(name="alloy", components=("Cu", "Ni", "Zn"), total=100, present=(2, 3), least=5),
    )
    assert space["anneal"] == Choice(name="anneal", options=("none", "short", "long"))
    assert space.conditions == (
        Condition(name="heat", parent="anneal", values=("short", "long"), otherwise=25.0),
        Condition(name="ramps", parent="anneal", values=("long",), otherwise=1),
    )
    assert space["ramps"] == Integer(name="ramps", low=1, high=5)
    assert space["level"] == Fidelity(name="level", levels=("emt", "dft"), costs=(1.0, 100.0))
    assert space["humidity"] == Context(
        name="humidity", low=20, high=80, assumed=45, unit="percent"
    )
    assert "alloy" not in space.names


def test_known_constraints_become_what_must_not_be_above_zero(tmp_path: Path) -> None:
    space = loaded(WIDE, tmp_path).space
    first = space.constraints[0]
    assert first == KnownConstraint(
        text="oxygen + argon <= 3 Pa", expression="(oxygen + argon) - '3 Pa'", unit="Pa"
    )
    values = {"oxygen": 2.0, "argon": 1.5, "Ni": 20.0, "Cu": 15.0}
    values |= {"heat": 25.0, "solvent.boiling": 100.0}
    units = parameter_units(space)
    excess = [
        compile_expression(c.expression, units, c.unit).evaluate(values) for c in space.constraints
    ]
    assert excess == pytest.approx([0.5, -0.5, 10.0, 25.0])


def test_defaults_are_the_widest_that_there_is(tmp_path: Path) -> None:
    text = WIDE.replace(", total: 100, unit: at.%,\n          present: [2, 3], least: 5", "")
    text = text.replace("[10, 100], Zn: [0, 100]", "[0.1, 1], Zn: [0, 1]").replace(
        "[0, 50]", "[0, 1]"
    )
    text = text.replace(", otherwise: 25 degC", "").replace(", assumed: 45", "")
    text = text.replace("  - Ni >= 2 * Cu\n", "")
    space = loaded(text, tmp_path).space
    assert space.mixtures == (
        Mixture(name="alloy", components=("Cu", "Ni", "Zn"), total=1.0, present=(1, 3)),
    )
    assert space.conditions[0].otherwise == 200.0
    humidity = space["humidity"]
    assert isinstance(humidity, Context)
    assert humidity.assumed == 50.0


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        ("noise: 20 mPa", "noise: 20 nm", "cannot be converted to 'Pa'", ""),
        ("noise: 20 mPa", "noise: 0.02", "the noise of 'oxygen' needs a unit", "'0.02 Pa'"),
        ("noise: 20 mPa", "noise: -1 Pa", "is not below zero", ""),
        ("noise: 5 %", "noise: 0.1 Pa", "on a log scale the noise is a share", "'5 %'"),
        ("noise: 5 %", "noise: 0.1", "needs a unit", "'5 %'"),
        ("[coarse, fine, finest]", "[coarse]", "at least 2 entries", ""),
        ("[coarse, fine, finest]", "[coarse, coarse]", "stands twice in the order", ""),
        ("[1, 2, 5, 10]", "[1, 5, 2]", "not in ascending order", "least first"),
        ("[1, 2, 5, 10]", "[0, 1]", "every level must be above zero", ""),
        ("[coarse, fine, finest]", "[coarse, 5]", "expected a text, found 5", "quote"),
        ("ethanol: {polarity: 5.2, ", "ethanol: {", "'ethanol' has no 'polarity'", "every word"),
        ("boiling: 351.5 K", "boiling: 3 nm", "cannot be converted to 'degC'", ""),
        ("units: {boiling: degC}", "units: {boilin: degC}", "not a number that des", "'boiling'"),
        ("Cu: [0, 50]", "Cu: [-1, 50]", "less than nothing of 'Cu'", ""),
        ("Cu: [0, 50]", "Cu: [50, 5]", "the lower bound 50 is not below", ""),
        ("Zn: [0, 100]}", "grade: [0, 100]}", "the name 'grade' is used twice", ""),
        ("total: 100", "total: 0", "a total above zero", ""),
        ("present: [2, 3]", "present: [0, 3]", "0 to 3 cannot be present", "[1, 3]"),
        ("present: [2, 3]", "present: [2, 4]", "2 to 4 cannot be present", "[1, 3]"),
        ("present: [2, 3], least: 5", "present: [2, 2], least: 55", "no mixture of 2", "widen"),
        ("when: {anneal: long}", "when: {aneal: long}", "'aneal' is not a choice of", "'anneal'"),
        ("when: {anneal: long}", "when: {speed: '1'}", "'speed' is not a choice of", "anneal"),
        ("when: {anneal: long}", "when: {anneal: lng}", "'lng' is not a word of", "'long'"),
        ("when: {anneal: long}", "when: {}", "exactly one choice", ""),
        ("when: {anneal: long}", "otherwise: 2", "says nothing without 'when'", ""),
        ("otherwise: 25 degC", "otherwise: 25 Pa", "cannot be converted to 'degC'", ""),
        ("{emt: 1, dft: 100}", "{emt: 1}", "at least 2 entries", ""),
        ("{emt: 1, dft: 100}", "[emt]", "at least 2 entries", ""),
        ("{emt: 1, dft: 100}", "[emt, emt]", "stands twice in the fidelity", ""),
        ("{emt: 1, dft: 100}", "{emt: 1, dft: 0}", "a number above 0", ""),
        ("  level:", "  exact: {fidelity: {a: 1, b: 2}}\n  level:", "'exact' is one already", ""),
        ("assumed: 45", "assumed: 45 nm", "cannot be converted to 'percent'", ""),
        ("[20, 80]", "[80, 20]", "the lower bound 80 is not below", ""),
        ("oxygen + argon <= 3 Pa", "oxygen + argon == 3 Pa", "is not a constraint", "'mixture'"),
        ("oxygen + argon <= 3 Pa", "oxygen + argon", "is not a constraint", "write"),
        ("oxygen + argon <= 3 Pa", "1 Pa <= oxygen <= 3 Pa", "not a constraint", "two"),
        ("oxygen + argon <= 3 Pa", "oxygen < 3 Pa", "not a constraint", "write"),
        ("oxygen + argon <= 3 Pa", "oxygen + argon <= 3", "has no unit", ""),
        ("oxygen + argon <= 3 Pa", "oxygen + argon <= 3 nm", "'3 nm' in .* is in 'nm'", ""),
        ("oxygen + argon <= 3 Pa", "oxigen <= 3 Pa", "'oxigen' is not a name", "'oxygen'"),
        ("oxygen + argon <= 3 Pa", "1 Pa <= 3 Pa", "names no parameter", ""),
        ("oxygen + argon <= 3 Pa", "grade <= 3", "'grade' .* is a text", ""),
        ("oxygen + argon <= 3 Pa", "2 * heat <= 500 degC", "does not compare temp", "in K"),
        ("oxygen + argon <= 3 Pa", "5", "a constraint is a text", ""),
        ("2 Pa >= argon", "3 Pa<=argon+oxygen\n  - argon + oxygen <= 3 Pa",
         "'3 Pa<=argon.oxygen' and 'argon . oxygen <= 3 Pa' are one equation", "'mixture'"),
        ("oxygen + argon <= 3 Pa", "Ni >= 20", "'20' in '20 <= Ni' has no unit", "at.%"),
        ("oxygen + argon <= 3 Pa", "strength <= 3 MPa", "'strength' is not a name", ""),
        ("  grade:", "  previous: {real: [0, 1]}\n  grade:", "'previous' cannot be a name", ""),
        ("  grade:", "  alloy2: {real: [0, 1]}\n  Zn: {choice: [a, b]}\n  grade:",
         "the name 'Zn' is used twice", ""),
    ],
)  # fmt: skip
def test_a_bad_space_gets_one_sentence_with_its_hint(
    old: str, new: str, message: str, hint: str, tmp_path: Path
) -> None:
    problem = problem_of(old, new, tmp_path, WIDE)
    assert re.search(message, problem.message), problem.message
    assert hint in problem.hint
    assert problem.line > 1


def test_a_condition_hangs_on_a_choice_that_always_is(tmp_path: Path) -> None:
    text = WIDE.replace("[none, short, long]}", "[none, short, long], when: {kind: a}}")
    problems = problems_of(
        text.replace("  anneal:", "  kind: {choice: [a, b]}\n  anneal:"), tmp_path
    )
    assert {p.message for p in problems} == {"'anneal' exists only sometimes itself"}


@pytest.mark.parametrize(
    ("mixture", "message"),
    [
        ("{a: [60, 70], b: [50, 60]}", "the lower bounds sum to 110, above the total of 100"),
        ("{a: [0, 40], b: [0, 50]}", "the upper bounds sum to 90, below the total of 100"),
        ("{a: [0, 60], b: [0, 60], c: [0, 60]}, present: [1, 1]", "no mixture of 1 to 1"),
        ("{a: [1, 60], b: [1, 60], c: [0, 60]}, present: [1, 1]", "2 components have a lower"),
        ("{a: [1, 4], b: [0, 100]}, least: 5", "'a' is always there, but never up to 'least'"),
    ],
)
def test_an_impossible_mixture_is_refused(mixture: str, message: str, tmp_path: Path) -> None:
    text = (
        f"name: m\nspace: {{m: {{mixture: {mixture}, total: 100}}}}\nmetrics: {{y: {{}}}}\n"
        "objective: {maximise: y}\nbudget: {trials: 5}\n"
    )
    (problem,) = problems_of(text, tmp_path)
    assert message in problem.message


def test_bounds_above_one_want_to_know_what_they_sum_to(tmp_path: Path) -> None:
    text = (
        "name: m\nspace: {m: {mixture: {a: [0, 60], b: [0, 80]}, unit: '%'}}\n"
        "metrics: {y: {}}\nobjective: {maximise: y}\nbudget: {trials: 5}\n"
    )
    problem, _ = problems_of(text, tmp_path)
    assert "'a' reaches 60, but without 'total' all sum to 1" in problem.message
    assert problem.hint == "say what they sum to, such as 'total: 100'"
    assert loaded(text.replace("80]}", "80]}, total: 100"), tmp_path)


def test_a_broken_parameter_is_no_second_mistake_in_a_constraint(tmp_path: Path) -> None:
    problem = problem_of("{real: [0.1, 2], unit: Pa, noise", "{real: [2, 1], unit: Pa, noise",
                         tmp_path, WIDE)  # fmt: skip
    assert "the lower bound 2" in problem.message


def test_a_pools_content_and_an_inline_choice_belong_to_the_campaign(tmp_path: Path) -> None:
    first = loaded(WIDE, tmp_path).file_hash
    assert loaded(WIDE.replace("polarity: 10.2", "polarity: 10.3"), tmp_path).file_hash != first


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Cu: [0, 50]", "Cu: [0]"),
        ("{emt: 1, dft: 100}", "{emt: 0, dft: 100}"),
        ("noise: 5 %", "nois: 5 %"),
        ("when: {anneal: long}", "when: [anneal]"),
    ],
)
def test_the_schema_knows_the_kinds_of_parameters(old: str, new: str) -> None:
    assert faults_of(WIDE, campaign_schema()) == []
    assert faults_of(WIDE.replace(old, new), campaign_schema())


ROOM = """\
name: room
space:
  x: {real: [0, 10], unit: V}
  humidity: {context: [20, 80], unit: percent, value: =measure.sd / measure.mean}
  wear: {context: [0, 1]}
roles: {probe: FourPointProbe}
recipe:
  - measure: {do: probe.sheet_resistance}
metrics: {sheet: {value: =measure.mean, unit: ohm/sq}}
objective: {minimise: sheet}
budget: {trials: 5}
"""


def test_a_context_is_measured_as_a_metric_of_its_name(tmp_path: Path) -> None:
    campaign = loaded(ROOM, tmp_path)
    assert campaign.metric("humidity").expression == "measure.sd / measure.mean"
    assert campaign.metric("humidity").unit == "percent"
    assert campaign.metric("wear").expression == ""
    assert [m.name for m in campaign.awaited] == ["sheet", "humidity"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("=measure.sd / measure.mean", "=measure.mean", "cannot be converted to 'percent'"),
        ("=measure.sd / measure.mean", "=measures.sd", "'measures.sd' is not a name"),
        ("=measure.sd / measure.mean", "40", "expected an expression|expected a text"),
        ("metrics: {", "metrics: {humidity: {unit: percent}, ", "is a metric of that name already"),
    ],
)
def test_a_context_that_cannot_be_measured_is_refused(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    assert re.search(message, problem_of(old, new, tmp_path, ROOM).message)


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        ("{integer: [1, 5], when", "{integer: [1, 5], scale: log, when", "has no scale", "ordinal"),
        ("integer: [1, 5]", "integer: [5, 5]", "5 is not below", "write it in the recipe"),
    ],
)
def test_what_no_integer_can_be_is_told_with_what_can(
    old: str, new: str, message: str, hint: str, tmp_path: Path
) -> None:
    problem = problem_of(old, new, tmp_path, WIDE)
    assert message in problem.message
    assert hint in problem.hint
