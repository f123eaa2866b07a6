"""Campaign files: the shipped one becomes a model, bad ones become lists of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_kinds import CAPABILITIES, PLANNERS, capability

from orchestrator.errors import FileProblems, Problem
from orchestrator.files.campaign import load_campaign
from orchestrator.model.campaign import Campaign
from orchestrator.model.expression import compile_expression
from orchestrator.model.recipe import OnFailure

SHIPPED = Path(__file__).parents[2] / "campaigns" / "niobium_titania" / "campaign.yaml"

SMALL = """\
name: small
space:
  x: {real: [0, 10], unit: V}
  n: {integer: [1, 5]}
  metal: {choice: [Cu, Ni]}
roles:
  {probe: FourPointProbe, calculator: AlloyCalculation, chamber: Sputtering, arm: SampleTransfer}
recipe:
  - measure: {do: probe.sheet_resistance, repeats: =n}
  - relax: {do: calculator.relax, a: =metal, b: Pt, ordering: L1_0}
metrics:
  energy: {value: =relax.formation_energy, unit: eV}
  tension: {value: "=max(x, 2 * x)", unit: mV, min: 0, max: 30 V}
objective: {maximise: energy}
budget: {trials: 5}
"""


def loaded(text: str, folder: Path) -> Campaign:
    path = folder / "campaign.yaml"
    path.write_text(text, encoding="utf-8")
    return load_campaign(path, capability, tuple(CAPABILITIES), PLANNERS)


def problems_of(text: str, folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(FileProblems) as caught:
        loaded(text, folder)
    return caught.value.problems


def problem_of(old: str, new: str, folder: Path, text: str = SMALL) -> Problem:
    """The only problem that replacing `old` by `new` brings about."""
    assert text.count(old) == 1
    problems = problems_of(text.replace(old, new), folder)
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]


def test_the_shipped_campaign_becomes_a_model() -> None:
    campaign = load_campaign(SHIPPED, capability, tuple(CAPABILITIES), PLANNERS)
    assert campaign.name == "niobium-titania"
    assert campaign.space.names == ("oxygen", "temperature", "power", "argon")
    deposit = campaign.step("deposit")
    arguments = {argument.name: argument for argument in deposit.arguments}
    assert arguments["oxygen"].expression == "oxygen"
    assert arguments["duration"].literal == 20.0
    assert campaign.budget.time_s == 3 * 86400.0
    assert campaign.objective.direction == "minimise"
    (constraint,) = campaign.objective.constraints
    assert (constraint.metric, constraint.sense, constraint.bound) == ("thickness", ">=", 120.0)
    assert campaign.text == SHIPPED.read_text()


def test_expressions_of_the_model_compile_as_they_stand() -> None:
    campaign = load_campaign(SHIPPED, capability, tuple(CAPABILITIES), PLANNERS)
    resistivity = campaign.metric("resistivity")
    units = {"measure.mean": "ohm/sq", "deposit.thickness": "nm"}
    expression = compile_expression(resistivity.expression, units, resistivity.unit)
    value = expression.evaluate({"measure.mean": 50.0, "deposit.thickness": 200.0})
    assert value == pytest.approx(1e-3)


def test_all_that_a_file_may_say_is_read(tmp_path: Path) -> None:
    text = SMALL.replace(
        "repeats: =n}", "repeats: 3, retries: 2, timeout: 5 min, on_failure: pause}"
    )
    text += (
        "stop: {target: 100 meV, no_progress: 5, failures_in_a_row: 2}\n"
        "planner: {kind: sobol, initial: 0, scramble: true, depth: 3}\n"
        "in_flight: 2\nseed: 7\n"
    )
    campaign = loaded(text, tmp_path)
    step = campaign.step("measure")
    assert (step.retries, step.timeout_s, step.on_failure) == (2, 300.0, OnFailure.PAUSE)
    assert step.arguments[0].literal == 3
    assert isinstance(step.arguments[0].literal, int)
    assert campaign.stop.target == pytest.approx(0.1)
    assert (campaign.stop.no_progress, campaign.stop.failures_in_a_row) == (5, 2)
    assert campaign.planner.options == {"scramble": True, "depth": 3}
    assert isinstance(campaign.planner.options["depth"], int)
    assert (campaign.in_flight, campaign.seed) == (2, 7)
    tension = campaign.metric("tension")
    assert (tension.low, tension.high) == (0.0, 30_000.0)


def test_a_campaign_without_a_recipe_is_for_tables_and_people(tmp_path: Path) -> None:
    text = (
        "name: by-hand\nspace: {x: {real: [0, 1]}}\nmetrics: {strength: {unit: MPa}}\n"
        "objective: {maximise: strength}\nbudget: {trials: 5}\n"
    )
    campaign = loaded(text, tmp_path)
    assert campaign.recipe == ()
    assert campaign.metric("strength").expression == ""


def test_comments_and_spaces_do_not_change_the_hash_but_content_does(tmp_path: Path) -> None:
    first = loaded(SMALL, tmp_path).file_hash
    assert (
        loaded("# a comment\n" + SMALL.replace("[0, 10]", "[ 0.0,  1e1 ]"), tmp_path).file_hash
        == first
    )
    assert loaded(SMALL.replace("[0, 10]", "[0, 11]"), tmp_path).file_hash != first


def test_every_mistake_is_reported_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = SMALL.replace("unit: V", "unit: Vv").replace("trials: 5", "trials: 0")
    text = text.replace("relax.formation_energy", "relax.energie") + "colour: red\n"
    problems = problems_of(text, tmp_path)
    assert [p.line for p in problems] == [3, 12, 15, 16]
    assert all(p.column > 0 for p in problems)


def test_a_mistake_is_reported_once_not_where_its_name_is_used(tmp_path: Path) -> None:
    problem = problem_of("{real: [0, 10], unit: V}", "{real: [0, 10], unit: Vv}", tmp_path)
    assert "'Vv' is not a known unit" in problem.message
    problem = problem_of("do: calculator.relax", "do: calculator.relaxe", tmp_path)
    assert problem.message == "'relaxe' is not an action of the role 'calculator'"
    assert problem.hint == "did you mean 'relax'?"


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        ("trials: 5", "trails: 5", "'trails' is not a key of the budget", "'trials'"),
        ("name: small", "nme: small", "'nme' is not a key of a campaign", "'name'"),
    ],
)
def test_a_misspelt_key_is_found_with_its_hint(
    old: str, new: str, message: str, hint: str, tmp_path: Path
) -> None:
    problems = problems_of(SMALL.replace(old, new), tmp_path)
    assert (problems[0].message, problems[-1].message).count(message) == 1
    assert any(hint in p.hint for p in problems)
    assert any("is missing" in p.message for p in problems)


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        ("[0, 10]", "[10, 0]", "the lower bound 10 is not below the upper bound 0", ""),
        ("[0, 10], unit: V", "[0, 10], unit: V, scale: log", "both bounds must be above zero", ""),
        ("[0, 10]", "[0]", "expected at least 2 entries, found a list of 1", ""),
        ("[0, 10]", "[0, .inf]", "expected a finite number, found inf", ""),
        ("[0, 10]", "[0, ten]", "expected a number, found 'ten'", ""),
        ("{real: [0, 10]", "{reel: [0, 10]", "'x' needs exactly one of real", "'real'"),
        ("unit: V", "unti: V", "'unti' is not a key of a parameter", "'unit'"),
        ("[Cu, Ni]", "[Cu, Cu]", "a word stands twice", ""),
        ("[Cu, Ni]", "[Cu, 5]", "expected a text, found 5", "quote it"),
        ("  n: {", "  log: {integer: [1, 2]}\n  n: {", "'log' cannot be a name", "function"),
        ("  n: {", "  x.y: {integer: [1, 2]}\n  n: {", "'x.y' cannot be a name", "letters"),
        ("calculator: AlloyCalculation", "calculator: AlloyCalc", "is not a capability", "Alloy"),
        ("do: probe.sheet", "do: prob.sheet", "'prob' is not a role", "'probe'"),
        ("do: probe.sheet_resistance", "do: measure", "expected ROLE.ACTION", ""),
        ("repeats: =n", "repets: =n", "'repets' is not an argument of", "'repeats'"),
        ("repeats: =n", "repeats: =x", "is in 'V' where a number without unit", ""),
        ("repeats: =n", "repeats: =x/x", "takes a whole number", ""),
        ("repeats: =n", "repeats: 2.5", "takes a whole number, not 2.5", ""),
        ("repeats: =n", "repeats: 2000", "takes at most 1000", "widen"),
        ("repeats: =n", "repeats: 3 V", "where a number without unit is needed", ""),
        ("integer: [1, 5]", "integer: [0, 5]", "the space of 'n' reaches 0, but", "narrow"),
        ("repeats: =n", "repeats: 3, retries: -1", "expected a number not below 0", ""),
        ("repeats: =n", "repeats: 3, timeout: 5 V", "cannot be converted to 's'", ""),
        ("repeats: =n", "repeats: 3, timeout: 0 s", "not a time above zero", ""),
        ("repeats: =n", "repeats: 3, on_failure: panic", "expected fail_trial, pause or", ""),
        ("b: Pt, ", "", "calculator.relax needs its argument 'b'", ""),
        ("b: Pt", "b: 5", "takes a word, not 5", "quote"),
        ("b: Pt", "b: =x", "is a number where a text is needed", ""),
        ("a: =metal", "a: =metl", "'metl' is not a name that can be used here", "'metal'"),
        (
            "- relax:",
            "- metal: {do: probe.sheet_resistance}\n  - relax:",
            "the name 'metal' is used twice",
            "",
        ),
        ("=relax.formation_energy", "=relax.energies", "is not a name", "'relax.energy'"),
        ("=relax.formation_energy", "relax.energy", "expected an expression after '='", ""),
        ("=relax.formation_energy", "=x", "cannot be converted to 'eV'", ""),
        ("=relax.formation_energy", '"=().__class__"', "is refused", "only arithmetic"),
        ("=relax.formation_energy", "=__import__('os')", "is refused", "only arithmetic"),
        ("=relax.formation_energy", "=measure.readings", "is a list of numbers", ""),
        ("=relax.formation_energy", "=metal", "is a text, which", ""),
        ("min: 0, max: 30 V", "max: 30 V, min: 31 V", "least tension is above the greatest", ""),
        ("=relax.formation_energy", "=relax.energy / 0", "it divides by zero", ""),
        ("name: small", "name: 'small '", "no space at its ends", ""),
        ("[Cu, Ni]", "[Cu, '']", "expected a text that is not empty, found ''", ""),
        ("max: 30 V", "max: 30 nm", "cannot be converted to 'mV'", ""),
        ("maximise: energy", "maximise: enrgy", "is not a metric of this campaign", "'energy'"),
        ("maximise: energy", "maximize: energy", "not a key of the objective", "'maximise'"),
        ("{trials: 5}", "{trials: 5, time: 2 V}", "cannot be converted to 's'", ""),
        ("{trials: 5}", "{trials: '5'}", "expected a whole number, found '5'", ""),
        ("name: small", "name: a/b", "expected a name of letters, digits", ""),
        ("budget: {trials: 5}\n", "", "'budget' is missing", ""),
        ("relax: {do:", "relax: {doo:", "'do' is missing", "is 'doo' meant to be it?"),
        ("relax: {do:", "relax: {act:", "'do' is missing", "for instance do: "),
        ("a: =metal", "a: !!python/name:os.system x", "the tag '!!python/name:os.system'", ""),
    ],
)
def test_a_bad_value_gets_one_sentence_with_its_hint(
    old: str, new: str, message: str, hint: str, tmp_path: Path
) -> None:
    problem = problem_of(old, new, tmp_path)
    assert message in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("stop: {target: 5}\n", "the target needs a unit: 'energy' is in 'eV'"),
        ("stop: {target: 5 nm}\n", "cannot be converted to 'eV'"),
        ("stop: {targt: 5 eV}\n", "'targt' is not a stop rule"),
        ("planner: {kind: bayes}\n", "'bayes' is not a kind of planner"),
        ("planner: {initial: many}\n", "expected a whole number, found 'many'"),
        ("seed: x\n", "expected a whole number, found 'x'"),
        ("in_flight: 0\n", "expected a number above 0, found 0"),
        ("seed: 1\nseed: 2\n", "the key 'seed' stands here a second time"),
        ("interlocks: []\n", "'interlocks' is not a key of a campaign"),
    ],
)
def test_a_bad_section_gets_one_sentence(section: str, message: str, tmp_path: Path) -> None:
    (problem,) = problems_of(SMALL + section, tmp_path)
    assert message in problem.message


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ("energy > 5 eV", "is not a constraint"),
        ("energy", "is not a constraint"),
        ("enrgy >= 5 eV", "is not a metric of this campaign"),
        ("energy >= 5 nm", "cannot be converted to 'eV'"),
        ("energy >= 5", "has no unit"),
    ],
)
def test_a_bad_constraint_gets_one_sentence(constraint: str, message: str, tmp_path: Path) -> None:
    new = f"{{maximise: energy, subject_to: [{constraint}]}}"
    problem = problem_of("{maximise: energy}", new, tmp_path)
    assert message in problem.message


DEPOSIT = """\
  - take: {do: arm.place, sample: new, at: chamber}
  - deposit:
      {do: chamber.deposit, oxygen: 1 sccm, temperature: 30 degC, power: 5 W, argon: 1 Pa,
       duration: 20 min}
metrics:
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("duration: 20 min", "duration: 20", "'duration' needs a unit: it is taken in 'min'"),
        ("duration: 20 min", "duration: 20 nm", "cannot be converted to 'min'"),
        ("duration: 20 min", "duration: -1 h", "the value is -60 min, but"),
        ("power: 5 W", "power: =x", "cannot be converted to 'W'"),
        ("power: 5 W", "power: =deposit.rate", "is not a name that can be used here"),
        ("power: 5 W", "power: five", "'five' is not a quantity"),
        ("sample: new", "sample: old", "takes the word 'new'"),
        ("at: chamber", "at: =metal", "takes a word, not an expression"),
        ("at: chamber", "at: 5", "takes a word, not 5"),
        ("- deposit:", "- take: {do: arm.move, to: tray}\n  - deposit:", "'take' is used twice"),
        ("sample: new, ", "", "'take' moves a sample, but no step before it takes one"),
        ("sample: new", "sample: new, source: tray", "a sample is taken from where it is"),
        (
            "- deposit:",
            "- move: {do: arm.move, sample: new, to: tray}\n  - deposit:",
            "'take' has taken the sample of the trial, which has one",
        ),
    ],
)
def test_a_bad_argument_gets_one_sentence(old: str, new: str, message: str, tmp_path: Path) -> None:
    text = SMALL.replace("metrics:\n", DEPOSIT)
    assert loaded(text, tmp_path).step("deposit").arguments[4].literal == 20.0
    assert message in problem_of(old, new, tmp_path, text).message


def test_a_step_that_cannot_be_read_may_be_the_one_that_takes_the_sample(tmp_path: Path) -> None:
    move = "  - move: {do: arm.move, to: tray}\nmetrics:\n"
    text = SMALL.replace("metrics:\n", DEPOSIT.replace("metrics:\n", move))
    assert (
        "'plaec' is not an action" in problem_of("arm.place", "arm.plaec", tmp_path, text).message
    )


def test_a_lab_file_in_the_place_of_a_campaign_is_told_in_one_sentence() -> None:
    with pytest.raises(FileProblems) as caught:
        load_campaign(SHIPPED.with_name("twins.yaml"), capability, tuple(CAPABILITIES), PLANNERS)
    (problem,) = caught.value.problems
    assert (problem.message, problem.hint) == (
        "it is a lab file, not a campaign file",
        "it is named with --lab FILE",
    )


def test_a_bare_number_is_neither_per_cent_nor_degrees(tmp_path: Path) -> None:
    text = SMALL.replace("energy: {", "share: {unit: '%', max: 80 %}\n  energy: {").replace(
        "{maximise: energy}", "{maximise: energy, subject_to: [share <= 90 %]}"
    )
    problem = problem_of("[share <= 90 %]", "[share <= 90]", tmp_path, text)
    assert problem.message == "'90' has no unit where one like '%' is needed"


def test_an_expression_cut_at_its_comma_says_how_to_write_it(tmp_path: Path) -> None:
    problems = problems_of(SMALL.replace('"=max(x, 2 * x)"', "=max(x, 2 * x)"), tmp_path)
    assert any("quote an expression that contains a comma" in p.hint for p in problems)


@pytest.mark.parametrize(
    "step", ["5", "{do: probe.sheet_resistance}", "{a: {do: x.y}, b: 5}", "measure"]
)
def test_a_step_is_one_name_with_its_action(step: str, tmp_path: Path) -> None:
    text = SMALL.replace("metrics:\n", f"  - {step}\nmetrics:\n")
    (problem,) = problems_of(text, tmp_path)
    assert (problem.line, problem.column) == (11, 5)


def test_a_section_of_the_wrong_shape_is_one_problem(tmp_path: Path) -> None:
    assert "expected a mapping" in problem_of("{trials: 5}", "5", tmp_path).message
    text = SMALL.replace("metrics:\n", "  extra: 5\nmetrics:\n")
    assert "it is not YAML" in problems_of(text, tmp_path)[0].message


def test_a_capability_that_cannot_be_loaded_is_a_problem_at_its_role(tmp_path: Path) -> None:
    from orchestrator.errors import InputError

    def broken(name: str) -> dict[str, object]:
        raise InputError(f"the capability '{name}' cannot be loaded")

    path = tmp_path / "campaign.yaml"
    path.write_text(SMALL)
    with pytest.raises(FileProblems, match="cannot be loaded") as caught:
        load_campaign(path, broken, tuple(CAPABILITIES), PLANNERS)  # type: ignore[arg-type]
    assert {p.line for p in caught.value.problems} == {7}


def test_a_key_of_the_wrong_shape_shows_how_it_may_be_written(tmp_path: Path) -> None:
    problem = problem_of("{real: [0, 10], unit: V}", "{mixture: [Cu, Ni]}", tmp_path)
    assert problem.message == "expected a mapping, found a list of 2"
    assert problem.hint == "for instance mixture: {Cu: [0, 50], Ni: [10, 100], Zn: [0, 100]}"


@pytest.mark.parametrize(
    ("parameter", "hint"),
    [
        ("{choice: [a, 2]}", "quote it, or write `ordinal` for numbers in their order"),
        ("{real: [0, 1 cm]}", "write the number alone, and its unit once: `unit: ...`"),
    ],
)
def test_what_was_meant_by_a_value_of_another_kind_is_said(
    parameter: str, hint: str, tmp_path: Path
) -> None:
    assert problem_of("{real: [0, 10], unit: V}", parameter, tmp_path).hint == hint


def test_one_rule_that_is_no_list_is_told_how_to_be_one(tmp_path: Path) -> None:
    problem = problem_of("budget:", "constraints: x <= 5 V\nbudget:", tmp_path)
    assert (problem.message, problem.hint) == (
        "expected a list, found 'x <= 5 V'",
        "write it as a list, in [ ]",
    )


def test_a_metric_cannot_have_the_name_of_a_parameter(tmp_path: Path) -> None:
    text = "name: twice\nspace: {x: {real: [0, 1]}}\nmetrics:\n  x: {}\n"
    text += "objective: {maximise: x}\nbudget: {trials: 3}\n"
    (problem,) = problems_of(text, tmp_path)
    assert problem.message == "'x' is a parameter already, so that it cannot be a metric too"
    assert problem.line == 4
