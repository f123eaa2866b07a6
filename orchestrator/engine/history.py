"""The campaign as the planner sees it."""

from __future__ import annotations

from orchestrator.engine.study import Study
from orchestrator.model.campaign import Campaign
from orchestrator.model.objective import Metric
from orchestrator.model.state import State, TrialState
from orchestrator.model.trial import TrialStatus
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome, PlanningTask


def task_of(campaign: Campaign) -> PlanningTask:
    """The question that does not change during a campaign."""
    wanted = wanted_metrics(campaign)
    return PlanningTask(
        space=campaign.space,
        metrics=tuple(MetricScale(name=m.name, unit=m.unit, scale=m.scale) for m in wanted),
        objective=campaign.objective,
        planner=campaign.planner,
        seed=campaign.seed,
    )


def history_of(study: Study, state: State) -> History:
    """What is known now: ended trials in the order of their numbers, and points in flight.

    Noise of reading is not passed on as the noise of an outcome: readings of one film are not
    films, and the surrogate infers the scatter between films.
    """
    names = [m.name for m in wanted_metrics(study.campaign)]
    evaluated, pending = [], []
    for trial in state.trials.values():
        outcomes = _outcomes(trial, names)
        if trial.status is TrialStatus.FAILED:
            evaluated.append(
                Evaluated(
                    trial=trial.number,
                    point=trial.proposal.point,
                    outcomes=outcomes,
                    failed=True,
                    blames_parameters=trial.blames_parameters,
                )
            )
        elif len(outcomes) == len(names):
            evaluated.append(
                Evaluated(trial=trial.number, point=trial.proposal.point, outcomes=outcomes)
            )
        elif trial.status.is_terminal:
            continue
        else:
            pending.append(trial.proposal.point)
    n_proposed = sum(t.proposal.source != "person" for t in state.trials.values())
    return History(evaluated=tuple(evaluated), pending=tuple(pending), n_proposed=n_proposed)


def wanted_metrics(campaign: Campaign) -> list[Metric]:
    """The metrics that the objective speaks of, those to optimise first."""
    return [campaign.metric(n) for n in campaign.objective.metrics]


def _outcomes(trial: TrialState, names: list[str]) -> dict[str, Outcome]:
    outcomes = {}
    for name in names:
        seen = trial.observed(name)
        if seen is not None:
            outcomes[name] = Outcome(value=seen.event.value, censored=seen.event.censored)
    return outcomes
