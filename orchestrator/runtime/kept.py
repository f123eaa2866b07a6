"""What instruments left of the trials beside their results, such as traces of a process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import InputError
from orchestrator.model.state import State

if TYPE_CHECKING:
    from orchestrator.journal.store import Store


def export_kept(store: Store, state: State, folder: Path) -> list[Path]:
    """Writes each text that was kept into a folder, as `trial-7-TICKET-process.csv`.

    Raises:
        InputError: nothing was kept, or the folder cannot be written.
        JournalError: an artifact is gone, or is not what was stored.
    """
    if not state.kept:
        raise InputError(
            "nothing was kept beside the results so far",
            hint="a sputter tool keeps the trace of each film where 'trace' is not zero",
        )
    written = []
    for kept in state.kept:
        trial = "by-hand" if kept.trial is None else f"trial-{kept.trial}"
        path = folder / f"{trial}-{kept.parent}-{kept.name}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(store.get_artifact(kept.artifact))
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}") from error
        written.append(path)
    return written
