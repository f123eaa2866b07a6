"""The names of materials in a pool, whatever their spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator import plugins
from orchestrator.model.space import Pool

if TYPE_CHECKING:
    from orchestrator.planner.naming import Naming


def naming_of(pool: Pool) -> Naming:
    """The names of a pool that has a descriptor.

    Raises:
        InputError: a descriptor is not installed here.
    """
    from orchestrator.planner.naming import Naming

    return Naming(pool, [plugins.descriptor(d.descriptor, d.options) for d in pool.described])
