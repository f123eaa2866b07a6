"""Known results of the same crystal in another cell (`ports.reuse.Matches`)."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from orchestrator.errors import InputError
from orchestrator.executor.known import KnownResults
from orchestrator.ports.reuse import Match
from orchestrator.settings import data_directory


@dataclass(frozen=True)
class KnownMatches:
    """Looks through the results of one kind, which are few: of one formula, task and method."""

    results: KnownResults

    def find(self, kind: str, structure: str, key: str) -> Match | None:
        """See `ports.reuse`."""
        noted = self.results.noted(kind)
        if not noted or self.results.get(key) is not None:
            return None
        from orchestrator.materials.descriptors.sameness import Primitive
        from orchestrator.materials.descriptors.structure_text import crystal_of

        try:
            wanted = Primitive.of(crystal_of(structure))
        except InputError:
            return None
        for other in noted:
            request, result = self.results.request(other), self.results.get(other)
            if request is None or result is None:
                continue
            text = request.get("arguments", {}).get("structure", "")
            with contextlib.suppress(InputError):
                if wanted.is_same(Primitive.of(crystal_of(text))):
                    return Match(other, result)
        return None

    def note(self, kind: str, key: str) -> None:
        """See `ports.reuse`; what cannot be noted is only not found again."""
        with contextlib.suppress(OSError):
            self.results.note(kind, key)


def known_matches() -> KnownMatches:
    """Over the results that all campaigns of this user share."""
    return KnownMatches(KnownResults(data_directory() / "results"))
