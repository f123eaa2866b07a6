"""What a person asks of a campaign: into the inbox, or past every queue."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.engine.stopping import refuse_beyond_budget
from orchestrator.errors import InputError
from orchestrator.model.state import fold
from orchestrator.ports.journal import CampaignRow
from orchestrator.runtime.look import campaign_of, row_of, stored
from orchestrator.runtime.settling import settling
from orchestrator.runtime.stopline import STOPS_WITHIN_S, ask_to_stop
from orchestrator.settings import user_name

if TYPE_CHECKING:
    from orchestrator.journal.store import Store

ANSWER_WITHIN_S = 15.0
SAFE = "safe"
STANDS_STILL_S = 1.0
"""A process that is stopped hears it when it goes on."""


@dataclass(frozen=True)
class Answer:
    """`text` is the engine's word; `is_waiting`: no engine runs, the next run will read it."""

    text: str
    is_waiting: bool = False

    @property
    def is_safe(self) -> bool:
        """Everything that was to be stopped is safe."""
        return self.text.partition(":")[0] == SAFE

    @property
    def is_refused(self) -> bool:
        """The engine says why it will not."""
        return self.text.startswith("refused")


def wish(
    where: str | Path | None, name: str | None, kind: str, payload: Mapping[str, Any]
) -> Answer:
    """Puts a wish into the inbox, and waits for the engine's answer if one runs.

    Raises:
        InputError: a material that is to be tried cannot be described, or the budget has no trial
            left for it; nothing was wished then.
    """
    with stored(where) as store:
        row = row_of(store, name)
        if kind == "try" and isinstance(payload.get("point"), Mapping):
            state = fold(store.read(row.id))
            campaign = campaign_of(store, state)
            payload = {**payload, "point": settling(campaign.space)(payload["point"])}
            if state.finished is None:
                refuse_beyond_budget(campaign, state)
        if store.holder(row.id) is None and (ended := _ended(store, row)):
            return ended
        number = store.request(row.id, kind, dict(payload), user_name())
        deadline = time.monotonic() + ANSWER_WITHIN_S
        while store.holder(row.id) is not None:
            if (answer := store.answer(number)) is not None:
                return Answer(answer)
            if time.monotonic() > deadline:
                said = "the engine has not answered yet; it will take it when it can"
                return Answer(said, is_waiting=True)
            time.sleep(0.05)
        if (answer := store.answer(number)) is not None:
            return Answer(answer)
        said = "no engine runs now: the next `hagane run` (or `tick`) will take it"
        waits = Answer(said, is_waiting=True)
        return _ended(store, row) or waits


def _ended(store: Store, row: CampaignRow) -> Answer | None:
    if fold(store.read(row.id)).finished is None:
        return None
    return Answer(f"refused: campaign '{row.name}' has ended, nothing takes wishes any more")


def stop(where: str | Path | None, name: str | None) -> Answer:
    """Everything safe at once: by the engine's own socket, or else (an engine on another host)
    through its inbox. Without a name, of every campaign of the store that an engine runs.

    Raises:
        InputError: no engine runs.
    """
    with stored(where, to_look=True) as store:  # a disk that went read-only holds it up no more
        running = [row for row in store.campaigns() if row.holder] if name is None else []
        rows = running or [row_of(store, name)]
        held = [store.holder(row.id) for row in rows]
    if not any(held):
        raise InputError(
            f"no engine runs campaign '{rows[0].name}', so nothing was stopped",
            hint="if a device is not safe, use its own controls",
        )
    with ThreadPoolExecutor(len(rows)) as at_once:
        said = list(at_once.map(partial(_stopped, where), rows, held))
    if len(rows) == 1:
        return Answer(said[0])
    if set(said) == {SAFE}:
        return Answer(f"{SAFE}: {', '.join(row.id for row in rows)}")
    return Answer("; ".join(f"{row.id}: {one}" for row, one in zip(rows, said, strict=True)))


def _stopped(where: str | Path | None, row: CampaignRow, held: tuple[str, str] | None) -> str:
    patience_s = STANDS_STILL_S if row.is_stopped else STOPS_WITHIN_S
    said = ask_to_stop(held[1], user_name(), patience_s) if held and held[1] else None
    if said is None:
        return wish(where, row.id, "stop", {}).text
    return f"{said}; it is stopped (Ctrl-Z)" if row.is_stopped else said
