"""What can happen, as frozen data. The journal keeps nothing else.

Times: every recorded event carries campaign time `at` and wall time `wall`, both in seconds.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from orchestrator.model.attempts import AttemptLost as AttemptLost
from orchestrator.model.attempts import CalculationAwaited as CalculationAwaited
from orchestrator.model.campaign import Rule
from orchestrator.model.safety import DriverEnded as DriverEnded
from orchestrator.model.safety import GuardianActed as GuardianActed
from orchestrator.model.safety import InterlockFired as InterlockFired
from orchestrator.model.safety import MadeSafe as MadeSafe
from orchestrator.model.said import Said
from orchestrator.model.space import Point
from orchestrator.model.start import KnownTrial
from orchestrator.model.telemetry import Kept as Kept
from orchestrator.model.telemetry import Settled as Settled
from orchestrator.model.transfer import Source
from orchestrator.model.trial import FailureCause, Level, Proposal


class _Event(BaseModel):
    # "constants": without it NaN and the infinities become null and cannot be read back
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class CampaignOpened(_Event):
    """The first event: the question, word for word.

    `artifact` is the checked campaign with its tables, as JSON, by sha256 in the store; `start` are
    the trials of another campaign that were known when this one was opened, `sources` the related
    values that were fetched then.
    """

    kind: Literal["campaign_opened"] = "campaign_opened"
    name: str
    campaign_file: str
    campaign_text: str
    file_hash: str
    artifact: str = ""
    seed: int
    version: str
    start: tuple[KnownTrial, ...] = ()
    sources: tuple[Source, ...] = ()


class EngineStarted(_Event):
    """An engine took the lease. `token` fences out its predecessors.

    `declarations` are those of the resources that a file declares, as JSON.
    """

    kind: Literal["engine_started"] = "engine_started"
    token: int
    host: str
    pid: int
    user: str
    version: str
    lab_name: str
    lab_file: str
    lab_text: str
    declarations: dict[str, str] = Field(default_factory=dict)
    planner_threads: int = 1
    stop_socket: str = ""


class EngineStopped(_Event):
    """The engine let go. `is_safe`: every resource answered make_safe."""

    kind: Literal["engine_stopped"] = "engine_stopped"
    reason: Said
    is_safe: bool


class ResourceFound(_Event):
    """A resource answered identify."""

    kind: Literal["resource_found"] = "resource_found"
    resource: str
    maker: Said
    model: Said
    serial: Said = ""
    firmware: Said = ""


class TrialProposed(_Event):
    """A point was chosen, knowing the journal up to `after`, when the campaign was `now_s` old; one
    of `asked` for at once (trials of one `after`, in order). `seconds` is what each took."""

    kind: Literal["trial_proposed"] = "trial_proposed"
    trial: int
    proposal: Proposal
    after: int
    now_s: float | None = None
    seconds: float = 0.0
    asked: int = 1


class Recommended(_Event):
    """Which trial is the answer, and is to be confirmed: by the planner's model, or else the best
    one as measured (`note` says why not the model's)."""

    kind: Literal["recommended"] = "recommended"
    trial: int
    by: Literal["model", "measured"]
    note: str = ""


class PointWished(_Event):
    """A person wants a point to be tried: before the planner's next one, once there is room."""

    kind: Literal["point_wished"] = "point_wished"
    point: Point
    by: str = ""


class CandidateRefused(_Event):
    """A person wants a candidate of a pool not to be proposed any more."""

    kind: Literal["candidate_refused"] = "candidate_refused"
    pool: str
    candidate: str
    by: str = ""


class Preferred(_Event):
    """A person says which of two trials is the better one."""

    kind: Literal["preferred"] = "preferred"
    better: int
    worse: int
    by: str = ""


class SampleMade(_Event):
    """A sample came into being at a position."""

    kind: Literal["sample_made"] = "sample_made"
    sample: str
    trial: int
    position: str


class SampleMoved(_Event):
    """A person says where a sample is (moves by actions are in the actions themselves)."""

    kind: Literal["sample_moved"] = "sample_moved"
    sample: str
    target: str
    by: str


class ActionDispatched(_Event):
    """Committed before anything is sent. `parent` is the ticket of the composite it belongs to.

    An action outside of a trial (a person's, a recovery's) has no trial. An action that moves
    `sample` names `source` and `target`: the sample is believed at `target` once it is done.
    `places` is where a resource that can be asked about it was reached.
    """

    kind: Literal["action_dispatched"] = "action_dispatched"
    ticket: str
    parent: str | None = None
    trial: int | None = None
    step: str = ""
    attempt: int = 1
    resource: str
    action: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    arguments_hash: str = ""
    effect: Literal["none", "idempotent", "queryable", "irreversible"]
    sample: str | None = None
    source: str = ""
    target: str = ""
    places: tuple[str, ...] = ()


class ActionDone(_Event):
    """The raw result, committed before it is judged.

    `evidence`: returned by the driver, said by the device when asked, or decided by a person.
    """

    kind: Literal["action_done"] = "action_done"
    ticket: str
    results: dict[str, Any] = Field(default_factory=dict)
    evidence: Literal["returned", "asked", "person"] = "returned"
    note: Said = ""


class ActionFailed(_Event):
    """The action is known to have ended without its result.

    `leaves_doubt`: it may have acted; it waits for evidence or a person.
    `spoils_sample`: something irreversible was done on the way; the trial cannot be repeated on
    this sample.
    `seconds`: what a calculation took until it failed, by its own word (CPU time).
    """

    kind: Literal["action_failed"] = "action_failed"
    ticket: str
    error: str
    sentence: Said
    hint: Said = ""
    may_retry: bool = False
    blames_parameters: bool = False
    leaves_doubt: bool = False
    spoils_sample: bool = False
    seconds: float | None = None


class ActionNotDone(_Event):
    """A doubt was resolved: it did not happen."""

    kind: Literal["action_not_done"] = "action_not_done"
    ticket: str
    evidence: Literal["asked", "children", "person", "effect"]
    note: Said = ""


class Doubted(_Event):
    """A dispatch without a result was found; `known` says what is known about it."""

    kind: Literal["doubted"] = "doubted"
    ticket: str
    known: Said
    needs_person: bool


class Observed(_Event):
    """One observation, after the gate. `source`: a step, a person, or a file.

    The value is the mean of `n_samples` samples, each perhaps of several readings; only between
    two or more samples is `sd` the noise of an outcome, else it is the noise of reading.
    """

    kind: Literal["observed"] = "observed"
    trial: int
    sample: str | None = None
    position: str = ""
    metric: str
    value: float
    unit: str = ""
    sd: float | None = None
    level: Level = "sample"
    n_readings: int = 1
    n_samples: int = Field(default=1, gt=0)
    censored: Literal["above", "below"] | None = None
    source: str = ""


class ObservationInvalidated(_Event):
    """A person says that an observation (by its seq) is wrong; the surrogate forgets it."""

    kind: Literal["observation_invalidated"] = "observation_invalidated"
    observation: int
    reason: str
    by: str


class TrialDone(_Event):
    """Every metric of the objective has been observed."""

    kind: Literal["trial_done"] = "trial_done"
    trial: int


class TrialAwaits(_Event):
    """Every step is done; these metrics are observed later, by a person or from a file."""

    kind: Literal["trial_awaits"] = "trial_awaits"
    trial: int
    metrics: tuple[str, ...]


class TrialFailed(_Event):
    """The trial gives no data; it stays in the history as failed."""

    kind: Literal["trial_failed"] = "trial_failed"
    trial: int
    step: str = ""
    cause: FailureCause
    sentence: Said
    blames_parameters: bool = False


class Paused(_Event):
    """No new action until resumed. `needs_person` when the engine cannot go on by itself.

    `about`: a wish of a person, a failed step, a doubt (ends when the last one is resolved), or a
    stop or interlock, which is latched: only `resume` clears it.
    """

    kind: Literal["paused"] = "paused"
    why: Said
    by: str
    about: Literal["wish", "failure", "doubt", "latch"] = "wish"
    is_safety: bool = False

    @property
    def needs_person(self) -> bool:
        """The engine cannot go on by itself."""
        return self.about != "wish"


class Resumed(_Event):
    """Somebody lets the campaign go on."""

    kind: Literal["resumed"] = "resumed"
    by: str


class RequestTaken(_Event):
    """An inbox entry was read; what it caused follows. `refused` says why it caused nothing."""

    kind: Literal["request_taken"] = "request_taken"
    request: int
    wish: str
    payload: dict[str, Any] = Field(default_factory=dict)
    by: Said = ""
    refused: Said = ""


class Finished(_Event):
    """The campaign has ended: budget, target, no progress, pool exhausted, or a person."""

    kind: Literal["finished"] = "finished"
    why: str
    rule: Rule


Event: TypeAlias = Annotated[
    CampaignOpened
    | EngineStarted
    | EngineStopped
    | ResourceFound
    | MadeSafe
    | DriverEnded
    | GuardianActed
    | TrialProposed
    | Recommended
    | PointWished
    | CandidateRefused
    | Preferred
    | SampleMade
    | SampleMoved
    | ActionDispatched
    | ActionDone
    | ActionFailed
    | ActionNotDone
    | AttemptLost
    | CalculationAwaited
    | Doubted
    | Settled
    | Kept
    | Observed
    | ObservationInvalidated
    | TrialDone
    | TrialAwaits
    | TrialFailed
    | InterlockFired
    | Paused
    | Resumed
    | RequestTaken
    | Finished,
    Field(discriminator="kind"),
]

EVENTS: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads an event from its JSON."""


class Recorded(BaseModel):
    """An event in its place: `seq` from 1 without gaps, and the hash that chains it."""

    model_config = ConfigDict(frozen=True)
    seq: int
    at: float
    wall: float
    event: Event
    hash: str = ""
