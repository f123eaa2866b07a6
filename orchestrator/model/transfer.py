"""Sources: what other data know of a question that has few of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.errors import InputError
from orchestrator.model.space import Point, Pool, SetAside

SourceModel: TypeAlias = Literal["process", "multitask", "networks"]
"""What learns a source: a Gaussian process; also one of the metric and the source together; or
small neural networks, whose last hidden layer may help too."""
MOST_VALUES: Mapping[SourceModel, int] = {
    "process": 1500,
    "multitask": 1500,
    "networks": 20_000,
}
"""Values of a source that are used by what learns them; of more, as many are drawn."""
LEAST_OF_NETWORKS = 30
"""Values of a source."""


class _Frozen(BaseModel):
    # "constants": these are parts of events, whose floats must be read back as they were
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Source(_Frozen):
    """n values of a related quantity, which may help to predict the metric `helps`.

    They are known at `points` of the campaign's space; or of `materials`, a pool that is described
    as the pool `parameter` of the space is. `quantity` says what the values are, in `unit`; on a
    log scale all are above zero. `model` is what learns them. `left_out` are the rows of its table,
    the file `table`, that gave none or do not stand for themselves.
    """

    name: str
    helps: str
    quantity: str
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"
    model: SourceModel = "process"
    values: tuple[float, ...]
    points: tuple[Point, ...] = ()
    parameter: str = ""
    materials: Pool | None = None
    table: str = ""
    left_out: tuple[SetAside, ...] = ()


def refuse_few(source: Source) -> Source:
    """The source. Raises InputError where it has too few values for networks."""
    if source.model == "networks" and len(source.values) < LEAST_OF_NETWORKS:
        raise InputError(
            f"the source '{source.name}' has {len(source.values)} values, "
            f"networks need {LEAST_OF_NETWORKS} at least",
            hint="leave 'model' away: a Gaussian process learns of few",
        )
    return source


class SourceWanted(_Frozen):
    """A source that is fetched when the campaign is opened: the trials of a `campaign` of the
    store, or `n_trials` of this one that are played on the twins of a `lab` file. `metric` is the
    one whose values are taken."""

    kind: Literal["campaign", "simulator"]
    name: str
    helps: str
    metric: str
    model: SourceModel = "process"
    n_trials: int = Field(default=64, gt=0)
