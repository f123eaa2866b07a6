"""Proposals, targets, constraints, the sampler, and the generator iqspr."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Sequence
from dataclasses import fields
from importlib.metadata import EntryPoint
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import InputError, PlanningError
from orchestrator.materials.chemistry import canonical_smiles, molecule, rdkit
from orchestrator.materials.generators.archive import Archive, Floats, Termwise
from orchestrator.materials.generators.constraints import (
    Constraints,
    synthetic_accessibility,
)
from orchestrator.materials.generators.graph_moves import GraphMoves
from orchestrator.materials.generators.iqspr import Iqspr
from orchestrator.materials.generators.language import LanguageModel
from orchestrator.materials.generators.posterior import PosteriorSampler
from orchestrator.materials.generators.preference import Preference
from orchestrator.materials.generators.proposals import Mixed, Proposal
from orchestrator.materials.generators.regrowth import Regrowth
from orchestrator.materials.generators.sampler import Sampler, resampled, schedule
from orchestrator.materials.generators.targets import Interval, Targets, log_interval
from orchestrator.materials.generators.tokens import smiles_of, tokens_of
from orchestrator.materials.generators.writing import (
    as_told,
    as_written,
    n_open_ends,
    resettled,
    settled_smiles,
    smiles_from,
)
from orchestrator.materials.generators.zinc import zinc250k
from orchestrator.materials.polymerisation import monomers_of
from orchestrator.ports.generator import Generator

MOLECULES = zinc250k(150, seed=3)
SALT = """2
Lattice="0 2.1 2.1 2.1 0 2.1 2.1 2.1 0" Properties=species:S:1:pos:R:3 pbc="T T T"
Mg 0 0 0
O 2.1 2.1 2.1
"""
POLYMERS = ["*CC*", "*CC(*)C", "*CC(*)c1ccccc1", "*CC(*)C(=O)OC", "*OCCO*", "*CCO*", "*CC(*)Cl"]


def heavy(materials: Sequence[str]) -> Floats:
    """The more atoms a molecule has, up to 30, the better."""
    n = np.array([molecule(m).GetNumAtoms() for m in materials])
    return -np.abs(n - 30.0)


class Sizes:
    """A model of two properties: how many atoms and how many rings a molecule has."""

    def predict(self, materials: Sequence[str]) -> tuple[Floats, Floats]:
        found = [molecule(m) for m in materials]
        mean = [(m.GetNumAtoms(), m.GetRingInfo().NumRings()) for m in found]
        return np.array(mean, dtype=np.float64), np.full((len(mean), 2), 0.5)


def proposals(corpus: Sequence[str]) -> list[Proposal]:
    regrowth = Regrowth(LanguageModel.fit(corpus))
    return [regrowth, GraphMoves(), Mixed([regrowth, GraphMoves()], [0.5, 0.5])]


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("corpus", [MOLECULES[:40], POLYMERS * 4], ids=["molecules", "polymers"])
def test_a_proposal_gives_canonical_molecules_with_the_ends_of_their_parents(
    corpus: list[str], which: int
) -> None:
    parents = [canonical_smiles(m) for m in corpus]
    children = proposals(parents)[which].propose(parents, Random(5))
    assert len(children) == len(parents)
    assert sum(child != parent for child, parent in zip(children, parents, strict=True)) > 5
    for child, parent in zip(children, parents, strict=True):
        assert n_open_ends(molecule(child)) == n_open_ends(molecule(parent))


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_proposal_is_the_same_for_the_same_seed(which: int) -> None:
    parents = MOLECULES[:20]
    once, again = (proposals(MOLECULES)[which].propose(parents, Random(7)) for _ in range(2))
    assert list(once) == list(again)


@pytest.mark.parametrize("corpus", [MOLECULES[:40], POLYMERS * 4], ids=["molecules", "polymers"])
def test_what_a_regrowth_remembers_does_not_change_what_it_proposes(corpus: list[str]) -> None:
    parents = [canonical_smiles(m) for m in corpus]
    model = LanguageModel.fit(parents)
    remembering = Regrowth(model)
    population: Sequence[str] = parents
    for seed in range(4):
        children = remembering.propose(population, Random(seed))
        assert children == Regrowth(model).propose(population, Random(seed))
        assert all(canonical_smiles(child) == child for child in children)
        population = children


def test_a_regrowth_remembers_so_many_molecules_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("orchestrator.materials.generators.regrowth._KEPT", 3)
    model = LanguageModel.fit(MOLECULES)
    forgetful, parents = Regrowth(model), MOLECULES[:40]
    assert forgetful.propose(parents, Random(1)) == forgetful.propose(parents, Random(1))
    assert len(forgetful._settled) == 3


def test_numbers_at_open_ends_make_no_other_polymer() -> None:
    numbered = ["[*:1]CC(C)[*:2]", "[1*]CCO[2*]", "[*:1]CCCC[*:2]"] * 3
    plain = ["*CC(C)*", "*CCO*", "*CCCC*"] * 3

    def made(units: list[str]) -> list[str]:
        model = Iqspr(units, particles=20, steps=4)
        found = model.generate(units, lambda names: np.zeros(len(names)), 20, seed=0)
        return [candidate.material for candidate in found]

    assert made(numbered) == made(plain)
    assert not any("[" in material for material in made(numbered))


def test_nearly_all_that_is_regrown_is_a_molecule() -> None:
    corpus = zinc250k(1000, seed=1)
    regrowth, rng = Regrowth(LanguageModel.fit(corpus)), Random(2)
    written = [regrowth.rewritten(tokens_of(parent), rng) for parent in corpus[:400]]
    taken = [smiles_of(text) for text in written if text]
    assert len(taken) > 200
    valid = [rdkit().MolFromSmiles(smiles) is not None for smiles in taken]
    assert sum(valid) / len(valid) >= 0.88


def test_molecules_that_no_score_drives_stay_as_large_as_those_of_the_corpus() -> None:
    corpus = zinc250k(1000, seed=1)
    regrowth, rng = Regrowth(LanguageModel.fit(corpus)), Random(2)
    population: Sequence[str] = corpus[:120]
    for _ in range(12):
        population = regrowth.propose(population, rng)
    before, after = (
        np.mean([molecule(m).GetNumAtoms() for m in group]) for group in (corpus, population)
    )
    assert 0.75 * before < after < 1.1 * before


def test_what_rdkit_writes_but_cannot_read_again_is_no_molecule() -> None:
    assert resettled("c1coccn1") is None
    assert resettled("OCC") == "CCO"
    assert settled_smiles(molecule("OCC")) == "CCO"
    # what came of a run: rings fused to a large system
    fused = "O=c1ccc2cc3nc4ccccc5ccc6cc(c1)n(cccc2c43)ccn6cc5"
    assert rdkit().MolFromSmiles(fused) is None
    assert settled_smiles(rdkit().MolFromSmiles(fused, sanitize=False)) is None
    # and few atoms, of which nine are in one ring
    large = "O=C(O)c1[nH]c(=O)cc([N+](=O)[O-])c2oc3cc(=O)n(CCF)c3nc2c(=O)n1SC(Cl)(Cl)Cl"
    found = rdkit().MolFromSmiles(large, sanitize=False)
    rdkit().FastFindRings(found)
    assert settled_smiles(found) is None


@pytest.mark.parametrize("order", [3, 10])
@pytest.mark.parametrize("corpus", [MOLECULES, POLYMERS * 4], ids=["molecules", "polymers"])
def test_what_is_not_read_a_second_time_would_be_written_as_it_is(
    corpus: list[str], order: int
) -> None:
    model, rng = LanguageModel.fit(corpus, order=order), Random(4)
    texts = (model.grow((), rng) for _ in range(1500))
    once = 0
    for text in {smiles_of(tokens) for tokens in texts if tokens}:
        found = as_told(text)
        whole = rdkit().MolFromSmiles(text)
        assert (found is None) == (whole is None)
        if found is not None:
            written = rdkit().MolToSmiles(whole)
            assert settled_smiles(found) == resettled(written)
            once += settled_smiles(found) == written
    assert once > 5


@pytest.mark.parametrize(
    "text",
    [
        "C[C]C",
        "C[CH]C",
        "[CH3]",
        "C[S]C",
        "C[NH2+]C",
        "C[C@H](N)O",
        "F/C=C/Cl",
        "c1cc[nH]c1",
        "*CC*",
    ],
)
def test_the_texts_of_a_molecule_from_its_atoms_are_those_of_rdkit(text: str) -> None:
    smiles = canonical_smiles(text)
    plain, whole = as_written(smiles), molecule(smiles)
    atoms = range(whole.GetNumAtoms())
    assert plain.GetNumAtoms() == len(atoms)
    assert [smiles_from(plain, k) for k in atoms] == [smiles_from(whole, k) for k in atoms]


@pytest.mark.parametrize("text", ["", "CC(", "nonsense"])
def test_a_text_that_has_no_atoms_is_refused_where_it_is_only_spelt(text: str) -> None:
    with pytest.raises(InputError):
        as_written(text)


def test_shares_of_a_mixture_are_kept() -> None:
    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        def propose(self, parents: Sequence[str], rng: Random) -> Sequence[str]:
            return [self.name] * len(parents)

    mixed = Mixed([Named("a"), Named("b")], [0.9, 0.1])
    children = mixed.propose(["C"] * 5000, Random(0))
    assert children.count("b") / 5000 == pytest.approx(0.1, abs=0.02)


@settings(deadline=None)  # the first call imports scipy
@given(
    mean=st.floats(-1e6, 1e6),
    sd=st.floats(1e-3, 1e3),
    low=st.floats(-1e3, 1e3),
    width=st.floats(1e-9, 1e3),
)
def test_the_likelihood_of_an_interval_is_finite_however_far_away(
    mean: float, sd: float, low: float, width: float
) -> None:
    found = log_interval(*(np.array([v]) for v in (mean, sd, low, low + width)))
    if low + width > low:
        assert np.isfinite(found).all()
        assert found[0] <= 0.0


def test_the_likelihood_falls_with_the_distance_on_both_sides() -> None:
    away = np.array([0.0, 1.0, 5.0, 30.0, 1e3, 1e6, 1e9])
    one = np.ones(7)
    above = log_interval(3.0 + away, one, 2.0 * one, 3.0 * one)
    below = log_interval(2.0 - away, one, 2.0 * one, 3.0 * one)
    assert (np.diff(above) < 0.0).all()
    assert above == pytest.approx(below, rel=1e-6)


def test_the_likelihood_near_by_is_the_difference_of_two_normal_probabilities() -> None:
    def phi(z: float) -> float:
        return 0.5 * math.erfc(-z / math.sqrt(2.0))

    found = log_interval(np.array([1.0]), np.array([2.0]), np.array([0.0]), np.array([3.0]))
    assert found[0] == pytest.approx(math.log(phi(1.0) - phi(-0.5)))
    half = log_interval(np.array([1.0]), np.array([2.0]), np.array([-np.inf]), np.array([1.0]))
    assert half[0] == pytest.approx(math.log(0.5))


def test_targets_sum_their_weighted_terms_over_models_and_properties() -> None:
    intervals = [Interval(20.0, 25.0), Interval(high=3.5, weight=2.0)]
    targets = Targets(Sizes(), intervals)
    terms = targets.terms(MOLECULES[:5])
    assert terms.shape == (5, 2)
    assert targets(MOLECULES[:5]) == pytest.approx(terms.sum(axis=1))
    light = Targets(Sizes(), [intervals[0], Interval(high=3.5)])
    assert terms[:, 1] == pytest.approx(2.0 * light.terms(MOLECULES[:5])[:, 1])
    twice = Targets([Sizes(), Sizes()], intervals * 2)
    assert twice(MOLECULES[:5]) == pytest.approx(2.0 * targets(MOLECULES[:5]))


@pytest.mark.parametrize(("low", "high"), [(3.0, 3.0), (4.0, 1.0), (-math.inf, math.inf)])
def test_an_interval_that_wants_nothing_is_refused(low: float, high: float) -> None:
    with pytest.raises(InputError):
        Interval(low, high)


def test_a_model_without_a_finite_prediction_is_named_not_hidden() -> None:
    class Broken:
        def predict(self, materials: Sequence[str]) -> tuple[Floats, Floats]:
            return np.full(len(materials), np.nan), np.ones(len(materials))

    with pytest.raises(PlanningError, match="'CCO'"):
        Targets(Broken(), [Interval(0.0)])(["CCO"])
    with pytest.raises(PlanningError, match="2 properties, 1"):
        Targets(Sizes(), [Interval(0.0)])(["CCO"])


@pytest.mark.parametrize(
    ("constraints", "allowed", "refused"),
    [
        (Constraints(include=["[OX2H]"]), "CCO", "CCN"),
        (Constraints(exclude=["[F,Cl]"]), "CCO", "CCCl"),
        (Constraints(elements=["C", "O"]), "*OCC*", "CCN"),
        (Constraints(weight=(40.0, 60.0)), "CCO", "CCCCCCO"),
        (Constraints(ring_sizes=(5, 6)), "c1ccccc1", "C1CC1"),
        (Constraints(most_sa=3.0), "c1ccccc1", "C1CC2(C1)C1C3CC1N32"),
        (Constraints(polymerisable=True), "*CC(*)c1ccccc1", "*c1ccc(*)cc1"),
        (Constraints(polymerisable=True), "*CCO*", "CCO"),
    ],
)
def test_constraints_tell_what_is_allowed(
    constraints: Constraints, allowed: str, refused: str
) -> None:
    constraints.check()
    assert constraints.allow(allowed)
    assert not constraints.allow(refused)
    (name,) = (f.name for f in fields(constraints) if getattr(constraints, f.name) != f.default)
    assert constraints.refusal(refused).startswith(name)


@pytest.mark.parametrize(
    ("constraints", "named"),
    [
        (Constraints(include=["[OX2H"]), r"'\[OX2H' is not a SMARTS"),
        (Constraints(exclude=[""]), "'' is not a SMARTS"),
        (Constraints(elements=["C", "Xq"]), "'Xq' is not an element"),
        (Constraints(weight=(300.0, 100.0)), "weights"),
        (Constraints(most_sa=0.5), r"0\.5"),
    ],
)
def test_a_constraint_that_cannot_be_meant_is_named(constraints: Constraints, named: str) -> None:
    with pytest.raises(InputError, match=named):
        constraints.check()


def test_synthetic_accessibility_is_that_of_its_paper() -> None:
    assert synthetic_accessibility("CC(=O)Oc1ccccc1C(=O)O") == pytest.approx(1.58, abs=0.01)


def test_the_schedule_ends_cold_but_for_the_exact_posterior() -> None:
    betas = schedule(51)
    assert betas[[0, 20, 30, 50]] == pytest.approx([0.01, 0.2, 2.0, 2.0])
    assert (np.diff(betas) >= 0.0).all()
    assert schedule(7, 1.0)[-1] == 1.0
    assert schedule(1) == pytest.approx([2.0])


def test_particles_are_drawn_in_proportion_to_their_weights() -> None:
    shares = np.array([0.1, 0.5, 0.0, 0.4])
    with np.errstate(divide="ignore"):
        places = resampled(np.repeat(np.log(shares), 250), Random(4))
    counts = np.bincount(np.array(places) // 250, minlength=4) / 1000
    assert counts == pytest.approx(shares, abs=0.003)


def iqspr(**options: object) -> Iqspr:
    return Iqspr(MOLECULES, **{"particles": 24, "steps": 6, **options})  # type: ignore[arg-type]


def test_iqspr_is_a_generator() -> None:
    assert isinstance(iqspr(), Generator)


def test_every_generator_of_the_distribution_can_be_loaded_and_constructed() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    corpora = {"iqspr": ["CCO"], "substitution": ["MgO"], "decoration": [SALT]}
    named = project["entry-points"]["hagane.generators"]
    assert sorted(named) == sorted(corpora)
    for name, value in named.items():
        made = EntryPoint(name, value, "hagane.generators").load()(corpora[name])
        assert isinstance(made, Generator)


@pytest.mark.parametrize("options", [{}, {"graph_share": 0.3}, {"exact": True}], ids=str)
def test_candidates_are_new_different_sorted_and_the_same_for_the_same_seed(
    options: dict[str, object],
) -> None:
    start = MOLECULES[:10]
    once, again = (iqspr(**options).generate(start, heavy, 20, seed=11) for _ in range(2))
    assert once == again
    names = [candidate.material for candidate in once]
    assert len(set(names)) == len(names) == 20
    assert not set(names) & set(start)
    assert names == [canonical_smiles(name) for name in names]
    scores = [candidate.score for candidate in once]
    assert scores == sorted(scores, reverse=True)
    assert scores == pytest.approx(heavy(names))
    assert once != iqspr(**options).generate(start, heavy, 20, seed=12)


def test_the_population_moves_into_the_target() -> None:
    def share_inside(population: Sequence[str]) -> float:
        mean, _ = Sizes().predict(population)
        return float(((np.abs(mean[:, 0] - 30) < 1.5) & (mean[:, 1] < 2.5)).mean())

    targets = Targets(Sizes(), [Interval(28.5, 31.5), Interval(high=2.5)])
    start = [m for m in MOLECULES if molecule(m).GetNumAtoms() < 22][:20]
    sampler = iqspr(particles=60, steps=20).sampler(start, targets, seed=1)
    sampler.run()
    assert share_inside(start) == 0.0
    assert share_inside(sampler.population) > 0.3


def test_parents_are_materials_that_were_scored_before() -> None:
    sampler = iqspr().sampler(MOLECULES[:5], heavy, seed=2)
    sampler.run()
    found = sampler.archive.best(10_000, without=MOLECULES[:5])
    known = {c.material for c in found} | set(MOLECULES[:5])
    assert {c.parent for c in found} <= known
    assert all(c.parent != c.material for c in found)


@pytest.mark.parametrize("options", [{}, {"graph_share": 0.3}, {"exact": True}], ids=str)
def test_a_run_that_is_resumed_equals_one_that_was_never_interrupted(
    options: dict[str, object],
) -> None:
    whole = iqspr(**options).sampler(MOLECULES[:5], heavy, seed=4)
    whole.run()
    halted = iqspr(**options).sampler(MOLECULES[:5], heavy, seed=4)
    for _ in range(3):
        halted.advance()
    written = json.dumps(halted.state())
    resumed = iqspr(**options).sampler(MOLECULES[:5], heavy, seed=4)
    resumed.restore(json.loads(written))
    resumed.run()
    assert resumed.state() == whole.state()
    with pytest.raises(InputError, match="seed 4"):
        iqspr(**options).sampler(MOLECULES[:5], heavy, seed=5).restore(json.loads(written))


def test_each_property_can_be_annealed_at_its_own_pace() -> None:
    targets = Targets(Sizes(), [Interval(28.5, 31.5), Interval(high=0.5)])
    shares = []
    for pace in ([1.0, 0.0], [0.0, 1.0]):
        betas = np.linspace(0.05, 1.0, 10)[:, None] * np.array(pace)
        sampler = iqspr(particles=60).sampler(MOLECULES[:40], targets, 0, betas)
        sampler.run()
        mean, _ = Sizes().predict(sampler.population)
        shares.append(((np.abs(mean[:, 0] - 30) < 1.6).mean(), (mean[:, 1] < 0.5).mean()))
    assert shares[0][0] > 2 * shares[1][0]
    assert shares[1][1] > 2 * shares[0][1]


def test_inverse_temperatures_for_terms_that_a_score_has_not_are_refused() -> None:
    with pytest.raises(InputError, match="for 2 terms, and the score has 1"):
        iqspr().sampler(MOLECULES[:5], heavy, 0, np.ones((3, 2))).run()
    with pytest.raises(InputError, match="negative"):
        iqspr().sampler(MOLECULES[:5], heavy, 0, np.array([-1.0]))
    with pytest.raises(InputError, match="rise to 1"):
        iqspr(exact=True).sampler(MOLECULES[:5], heavy, 0, np.array([0.5]))


class Lengthening:
    """A proposal of someone else's: one carbon more."""

    def propose(self, parents: Sequence[str], rng: Random) -> Sequence[str]:
        return [canonical_smiles(f"C{parent}") for parent in parents]


def test_any_proposal_plugs_into_the_sampler() -> None:
    sampler = Sampler(Lengthening(), Archive(heavy, lambda _: ""), schedule(5), seed=0)
    sampler.begin(["CCO"], 4)
    sampler.run()
    assert sampler.archive.best(1, without=())[0].material == "CCCCCCCO"


def test_each_material_is_scored_once() -> None:
    asked: list[str] = []

    def counting(materials: Sequence[str]) -> Floats:
        asked.extend(materials)
        return heavy(materials)

    iqspr().generate(MOLECULES[:5], counting, 5, seed=0)
    assert len(asked) == len(set(asked))


def test_a_score_that_is_not_finite_is_named() -> None:
    with pytest.raises(PlanningError, match="not finite"):
        iqspr().generate(["CCO"], lambda m: np.full(len(m), np.nan), 5, seed=0)


def test_constraints_hold_for_all_that_is_made_but_not_for_the_start() -> None:
    made = iqspr(exclude=["[F,Cl,Br,I]"], weight=[150.0, 350.0]).generate(
        ["CCCl", *MOLECULES[:5]], heavy, 50, seed=0
    )
    assert made
    limits = Constraints(exclude=["[F,Cl,Br,I]"], weight=(150.0, 350.0))
    assert all(limits.allow(candidate.material) for candidate in made)


def test_constraints_that_leave_nothing_say_how_many_they_refused() -> None:
    with pytest.raises(PlanningError, match="within the constraints") as raised:
        iqspr(weight=[0.0, 1.0]).generate(["CCO"], heavy, 5, seed=0)
    tried, refused = re.findall(
        r"of (\d+) tried, (\d+) were refused by weight 0 to 1$", _said(raised)
    )[0]
    assert int(tried) == int(refused) > 1
    with pytest.raises(PlanningError, match=r"model 0 may be made: of \d+ tried, "):
        iqspr(weight=[0.0, 1.0], exact=True).generate(["CCO"], heavy, 5, seed=0)


def test_what_was_tried_is_counted_by_the_first_constraint_that_refuses_it() -> None:
    limits = Constraints(exclude=["[N+]", "[OX2H]"])
    archive = Archive(heavy, limits.refusal)
    archive.begin(["CC", "C[NH3+]"])
    archive.add(
        ["CC", "C[NH3+]", "CCO", "OCC[NH3+]", "CO", "CC"], ["CC", "CC", "CC", "CC", "CO", "CO"]
    )
    with pytest.raises(PlanningError) as raised:
        archive.best(1, without=["CC"])
    assert _said(raised).endswith(
        ": of 4 tried, 2 were refused by exclude '[N+]', 1 was refused by exclude '[OX2H]',"
        " 1 was known already"
    )
    again = Archive(heavy, limits.refusal)
    again.restore(json.loads(json.dumps(archive.state())))
    assert again.account(["CC"]) == archive.account(["CC"])


def test_a_search_that_tries_nothing_new_says_so() -> None:
    archive = Archive(heavy, lambda _: "")
    archive.begin(["CC"])
    archive.add(["CC"], ["CC"])
    with pytest.raises(PlanningError, match="nothing was tried but what it started from"):
        archive.best(1, without=["CC"])


def _said(raised: pytest.ExceptionInfo[PlanningError]) -> str:
    return str(raised.value).splitlines()[0]


def test_what_cannot_be_used_of_corpus_and_start_is_left_out() -> None:
    odd = ["*CC", "*CC(*)C*", "0.5 *CC* | 0.5 *CCO*", "CC("]
    whole = iqspr().generate(["CCO", "CCN"], heavy, 5, seed=0)
    made = Iqspr([*MOLECULES, *odd[2:]], particles=24, steps=6)
    assert made.generate(["CCO", *odd, "CCN"], heavy, 5, seed=0) == whole


@pytest.mark.parametrize(
    ("start", "named"),
    [([], "no molecule to start"), (["CC("], r"'CC\('"), (["*CC"], r"'\*CC'"), (["C*C"], "'")],
)
def test_a_start_that_cannot_be_used_is_named(start: list[str], named: str) -> None:
    with pytest.raises(InputError, match=named):
        iqspr().generate(start, heavy, 5, seed=0)


@pytest.mark.parametrize(
    "options",
    [
        {"particles": 1},
        {"reorder": 1.5},
        {"cut": 0},
        {"graph_share": -0.1},
        {"graph_share": 0.5, "exact": True},
        {"order": 1},
        {"include": ["("]},
        {"prefer": ["c1ccccc1", "c1cc("]},
        {"preference": math.inf},
    ],
    ids=str,
)
def test_an_option_that_cannot_be_meant_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(InputError):
        iqspr(**options)


def test_molecules_are_no_start_for_what_must_be_polymerisable() -> None:
    generator = Iqspr(["CCO", "*CC*"], order=2, polymerisable=True)
    generator.refuse_start(["CCO", "*CC*"])
    with pytest.raises(InputError, match="of repeat units, and no material of the pool is one"):
        generator.refuse_start(["CCO"])


@pytest.mark.parametrize("options", [{"graph_share": 0.3}, {"exact": True}], ids=str)
def test_every_polymer_that_is_made_has_exactly_two_open_ends(options: dict[str, object]) -> None:
    generator = Iqspr(POLYMERS, particles=40, steps=8, order=4, **options)  # type: ignore[arg-type]
    made = generator.generate(POLYMERS[:3], heavy, 100, seed=0)
    assert len(made) > 5
    assert all(candidate.material.count("*") == 2 for candidate in made)


@pytest.mark.parametrize("options", [{"graph_share": 0.3}, {"exact": True}], ids=str)
def test_of_polymers_that_must_be_polymerisable_only_such_are_made(
    options: dict[str, object],
) -> None:
    generator = Iqspr(POLYMERS, particles=40, steps=6, order=4, polymerisable=True, **options)  # type: ignore[arg-type]
    made = generator.generate(POLYMERS[:3], heavy, 100, seed=0)
    assert len(made) > 2
    assert all(monomers_of(candidate.material) for candidate in made)


def test_a_preferred_fragment_is_worth_its_bonus_and_is_made_more_often() -> None:
    def flat(materials: Sequence[str]) -> Floats:
        return np.zeros(len(materials))

    start = [canonical_smiles(m) for m in MOLECULES[:40]]
    counts = []
    for preference in (0.0, 10.0):
        generator = iqspr(prefer=["[F]", "[Cl]"], preference=preference, particles=60, steps=15)
        sampler = generator.sampler(start, flat, seed=3)
        sampler.run()
        counts.append(sum("F" in m or "Cl" in m for m in sampler.population))
        for made in sampler.archive.best(50, without=start):
            has_one = "F" in made.material or "Cl" in made.material
            assert made.score == (preference if has_one else 0.0)
    assert counts[1] > 2 * counts[0]


def test_the_bonus_of_a_preferred_fragment_is_shared_by_the_terms_of_a_score() -> None:
    targets = Targets(Sizes(), (Interval(10, 20), Interval(1, 2)))
    liked = Preference.of(["[F]"], 10.0).added(targets)
    assert isinstance(liked, Termwise)
    both = ["CCF", "CCO"]
    assert liked.terms(both) - targets.terms(both) == pytest.approx(
        np.array([[5.0, 5.0], [0.0, 0.0]])
    )
    assert liked(both) - targets(both) == pytest.approx(np.array([10.0, 0.0]))
    assert Preference.of([], 10.0).added(targets) is targets


def test_a_preferred_fragment_that_is_none_is_refused_with_its_text() -> None:
    with pytest.raises(InputError, match=r"'c1cc\(' is not a SMARTS"):
        iqspr(prefer=["c1cc("])


def exact_law(model: LanguageModel, score: dict[str, float], longest: int) -> dict[str, float]:
    """The posterior of every molecule, by writing down all texts of up to `longest` tokens."""
    law: dict[str, float] = {}
    texts: list[tuple[str, ...]] = [()]
    while texts:
        text = texts.pop()
        for token in model.following(text):
            if token != "!" and len(text) < longest:
                texts.append((*text, token))
        weight = math.exp(model.log_probability(text))
        if text and weight > 0.0:
            name = canonical_smiles(smiles_of(text))
            law[name] = law.get(name, 0.0) + weight * math.exp(score.get(name, -1.0))
    total = math.fsum(law.values())
    return {name: weight / total for name, weight in law.items()}


def test_the_exact_mode_follows_the_posterior_of_a_grammar_that_can_be_written_down() -> None:
    model = LanguageModel.fit(
        ["CCO", "CO", "CCCO", "OCC", "C(O)C", "CCN", "CN", "CC(=O)N"], order=2
    )
    wanted = {"CCO": 0.5, "CN": 2.0, "CCCO": 1.5, "CO": -2.0, "CCN": 1.0, "CC": -3.0}

    def score(materials: Sequence[str]) -> Floats:
        return np.array([wanted.get(material, -1.0) for material in materials])

    longest = 7
    law = exact_law(model, wanted, longest)
    archive = Archive(score, lambda _: "")
    betas = np.linspace(0.2, 1.0, 5)
    sampler = PosteriorSampler(model, archive, betas, 1, cut=3, sweeps=4, longest=longest)
    sampler.begin(4000)
    sampler.run()
    population = sampler.population
    names = set(law) | set(population)
    shares = {name: population.count(name) / len(population) for name in names}
    distance = 0.5 * sum(abs(shares[name] - law.get(name, 0.0)) for name in names)
    prior = exact_law(model, dict.fromkeys(law, 0.0), longest)
    assert 0.5 * sum(abs(prior[name] - law[name]) for name in law) > 0.3
    assert distance <= 0.05


def test_zinc_is_drawn_by_its_seed() -> None:
    assert zinc250k(20, seed=1) == zinc250k(20, seed=1)
    assert zinc250k(20, seed=1) != zinc250k(20, seed=2)
    assert len(set(zinc250k(500, seed=1))) == 500
    with pytest.raises(InputError, match="ZINC250k has"):
        zinc250k(10**6, seed=1)


def test_what_rdkit_writes_and_cannot_read_again_is_no_candidate() -> None:
    text = "O=[N+]([O-])c1cc2c(cc1[N+](=O)[O-])=NC(=O)C(=O)C=c1oc(=O)c3ccccc3c(=O)c=1sc2C#N"
    found = as_told(text)
    assert found is not None
    assert rdkit().MolFromSmiles(smiles_from(found)) is None
    assert settled_smiles(found) is None


@pytest.mark.parametrize("exact", [False, True])
def test_no_radical_and_no_lone_counter_ion_is_made_where_the_corpus_has_none(exact: bool) -> None:
    corpus = [
        *("C[C@H](O)CC", "CC[C@@H](N)C(=O)O", "C[C@H](O)C(=O)[O-].[Na+]", "CCC(=O)[O-].[K+]"),
        *("CC(C)O", "CC[C@H](C)OC", "O[C@@H]1CCC[C@H]1C"),
    ]
    generator = Iqspr(corpus, particles=60, steps=10, order=3, exact=exact)
    sampler = generator.sampler(corpus, lambda names: np.zeros(len(names)), seed=0)
    sampler.run()
    made = [c.material for c in sampler.archive.best(10**6, without=())]
    found = [molecule(smiles) for smiles in made]
    assert all(rdkit().GetFormalCharge(one) == 0 for one in found)
    assert not any(atom.GetNumRadicalElectrons() for one in found for atom in one.GetAtoms())
    if not exact:
        assert "being a radical" in sampler.archive.account()
        assert "having a charge" in sampler.archive.account()
    begun = Iqspr([*corpus, "[CH3]", "C[NH3+]"], particles=60, steps=4, order=3)
    open_ = begun.sampler(["C[NH3+]", "[CH3]"], lambda names: np.zeros(len(names)), seed=0)
    assert set(open_.population) == {"C[NH3+]", "[CH3]"}
