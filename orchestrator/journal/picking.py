"""How campaigns are named and found, and what is said of names that do not exist."""

from __future__ import annotations

import math
import re
import secrets
import time
from collections.abc import Collection, Sequence

from orchestrator.errors import InputError, UnknownName
from orchestrator.ports.journal import CampaignRow


def new_campaign(
    name: str, file_hash: str, taken: Collection[str], newest: float = 0.0
) -> CampaignRow:
    """A campaign without events, under an id that is not taken: `niobium-titania-3fa9c1`. It was
    created after the `newest` one of the store, whatever this computer's clock was set to."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "campaign"
    while (number := f"{slug}-{secrets.token_hex(3)}") in taken:
        pass
    moment = max(time.time(), math.nextafter(newest, math.inf))
    return CampaignRow(
        id=number,
        name=name,
        file_hash=file_hash,
        created_at=moment,
        n_events=0,
        last_event_at=moment,
    )


def pick(rows: Sequence[CampaignRow], name: str, file_hash: str | None) -> CampaignRow | None:
    """See `Store.find`; `rows` are oldest first. Raises InputError."""
    fitting = [row for row in rows if file_hash is None or row.file_hash == file_hash]
    for found in (
        [row for row in fitting if row.id == name],
        [row for row in fitting if row.name == name],
        [row for row in fitting if name and row.id.startswith(name)],
    ):
        if len({row.name for row in found}) > 1:
            ids = ", ".join(row.id for row in found[-5:])
            raise InputError(f"'{name}' could be any of {ids}", hint="write more of the id")
        if found:
            return found[-1]
    return None


def unknown_artifact(sha256: str) -> UnknownName:
    """Nothing of this name was ever stored."""
    return UnknownName("stored artifact", sha256, ())


def unknown_request(request_id: int) -> InputError:
    """Nobody asked that."""
    return InputError(
        f"there is no request {request_id} in this store",
        hint="use the number that was given when it was asked",
    )
