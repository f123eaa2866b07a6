"""Looking at campaigns in a store, running or not, without disturbing them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from orchestrator.errors import InputError, JournalError, UnknownName
from orchestrator.journal import is_there, open_store
from orchestrator.model.campaign import Campaign
from orchestrator.model.events import Recorded
from orchestrator.model.state import State, fold
from orchestrator.ports.journal import CampaignRow

if TYPE_CHECKING:
    from orchestrator.journal.store import Store


@dataclass(frozen=True)
class Seen:
    """A campaign in a store: its row, its file as it was started, and its state."""

    row: CampaignRow
    campaign: Campaign
    state: State


@contextmanager
def stored(where: str | Path | None, *, to_look: bool = False) -> Iterator[Store]:
    """The store, closed afterwards. Nothing is made by looking at it. `to_look`: one that may not
    be written will do.

    Raises:
        InputError: there is no store of that name.
        JournalError: it cannot be opened.
    """
    exists = is_there(where)
    if where is not None and not exists:
        raise InputError(
            f"there is no store {where}", hint="check the path; `hagane run` makes a new one"
        )
    store = open_store(where if exists else "memory:", to_look=to_look)
    try:
        yield store
    finally:
        store.close()


def row_of(store: Store, name: str | None) -> CampaignRow:
    """The newest campaign of that name or id; the newest of all when no name is given.

    Raises:
        UnknownName: there is none.
    """
    rows = store.campaigns()
    if name is None:
        if not rows:
            raise InputError("the store holds no campaign yet", hint="start one: `hagane run`")
        return max(rows, key=lambda r: r.last_event_at)
    row = store.find(name)
    if row is None:
        raise UnknownName("campaign in this store", name, {r.name for r in rows})
    return row


def campaigns(where: str | Path | None) -> list[CampaignRow]:
    """Every campaign of a store, newest last."""
    with stored(where, to_look=True) as store:
        return list(store.campaigns())


def look(where: str | Path | None, name: str | None) -> Seen:
    """A campaign as it stands now. Raises UnknownName, JournalError."""
    with stored(where, to_look=True) as store:
        row = row_of(store, name)
        state = fold(store.read(row.id))
        return Seen(row, campaign_of(store, state), state)


def campaign_of(store: Store, state: State) -> Campaign:
    """The campaign as it was started: neither its file nor its tables are needed any more.

    Raises:
        InputError: it has no event yet.
        JournalError: another version began it, and this one cannot read what it wrote.
    """
    if state.opened is None:
        raise InputError(
            "the campaign has no event yet", hint="`hagane run` begins it, or goes on with it"
        )
    stored = store.get_artifact(state.opened.artifact)
    try:
        return Campaign.model_validate_json(stored)
    except ValidationError as error:
        first = error.errors()[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}"
        raise JournalError(
            f"campaign '{state.opened.name}' was begun by another version of Hagane, and this one "
            f"cannot read it ({why})",
            hint="go on with the version that began it; `hagane events` and `hagane export "
            "--whole` read it here, too",
        ) from error


def events(where: str | Path | None, name: str | None, after: int = 0) -> list[Recorded]:
    """A campaign's events with seq > `after`."""
    with stored(where, to_look=True) as store:
        return list(store.read(row_of(store, name).id, after))
