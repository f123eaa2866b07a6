"""A small campaign about solvents, made through the real event models: what was known before,
measured, in flight, and made by a generator. Invented for tests of reports."""

from __future__ import annotations

from orchestrator.model import events as ev
from orchestrator.model.campaign import Budget, Campaign, PlannerChoice, StopRules
from orchestrator.model.counts import Counts
from orchestrator.model.objective import Goal, Metric, Objective
from orchestrator.model.rows import Rows
from orchestrator.model.space import Described, Generation, Pool, SearchSpace
from orchestrator.model.start import KnownOutcome, KnownTrial
from orchestrator.model.state import State, fold
from orchestrator.model.trial import Neighbour, Prediction, Proposal

SOLVENTS = {"water": "O", "ethanol": "CCO", "hexane": "CCCCCC", "benzene": "c1ccccc1"}
COUNTS = ((1, 0, 0), (1, 2, 0), (0, 6, 0), (0, 0, 6))
"""Oxygen, aliphatic and aromatic carbon: a descriptor that can be checked by hand."""
MADE = "CCOCC"


def solvents(*, grows: bool = True) -> Campaign:
    """The campaign; its pool has the four solvents."""
    generation = Generation(
        kind="none", target="nowhere:None", descriptors=("nowhere:None",), material="smiles"
    )
    pool = Pool(
        name="solvent",
        names=tuple(SOLVENTS),
        columns=(),
        units=(),
        rows=Rows.of(()),
        texts={"smiles": tuple(SOLVENTS.values())},
        described=(Described(descriptor="atoms", material="smiles", counts=Counts.of(COUNTS)),),
        generation=generation if grows else None,
    )
    return Campaign(
        name="solvents",
        goal="a solvent that boils low",
        space=SearchSpace(parameters=(pool,)),
        roles={},
        recipe=(),
        metrics=(Metric(name="boiling", expression="", unit="degC"),),
        objective=Objective(goals=(Goal(metric="boiling", direction="minimise"),)),
        planner=PlannerChoice(kind="bayesian", initial=1),
        budget=Budget(trials=9),
        stop=StopRules(),
        seed=1,
        start=(
            KnownTrial(point={"solvent": "water"}, outcomes={"boiling": KnownOutcome(value=100.0)}),
        ),
        source="campaign.yaml",
        text="",
        file_hash="",
    )


def solvent_events(made: str = MADE) -> list[ev.Event]:
    """Hexane was measured, what a generator made is in flight and lies outside the domain."""
    near = Neighbour(trial=1, distance=0.25)
    return [
        ev.CampaignOpened(
            name="solvents",
            campaign_file="campaign.yaml",
            campaign_text="",
            file_hash="",
            seed=1,
            version="0",
        ),
        _proposed(1, "hexane", nearest=Neighbour(trial=-1, distance=0.5)),
        ev.Observed(trial=1, metric="boiling", value=68.7, unit="degC"),
        ev.TrialDone(trial=1),
        _proposed(2, made, nearest=near, notes={"domain": "outside"}),
    ]


def solvent_state(made: str = MADE) -> State:
    """The state after these events."""
    return fold(
        ev.Recorded(seq=i, at=float(i), wall=float(i), event=event)
        for i, event in enumerate(solvent_events(made), 1)
    )


def _proposed(trial: int, name: str, **more: object) -> ev.TrialProposed:
    proposal = Proposal(
        point={"solvent": name},
        source="pool",
        why="expected to boil low",
        predicted={"boiling": Prediction(mean=70.0, sd=5.0)},
    ).model_copy(update=more)
    return ev.TrialProposed(trial=trial, proposal=proposal, after=trial)
