"""What was changed of a learned potential: read, and applied to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.errors import InputError


def read_tuned(path: Path, model: str) -> dict[str, Any]:
    """What was changed of a model. Raises InputError: it is no such file, or of another model."""
    try:
        found = json.loads(path.read_text())
        of = found["model"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "the action `fine_tune` of a sevennet writes one"
        raise InputError(f"'{path}' holds no tuned potential", hint=hint) from error
    if of != model:
        raise InputError(f"'{path.name}' was tuned from {of}, not from {model}")
    return dict(found)


def apply(calculator: Any, change: Mapping[str, Any]) -> None:
    """Changes the last layers of a SevenNet: w by a change of the last layer but one along the last
    one's weights, the shifts of elements as they are said."""
    import torch
    from ase.data import atomic_numbers

    modules = calculator.model._modules
    first = modules["reduce_input_to_hidden"].linear.weight
    last = modules["reduce_hidden_to_energy"].linear.weight
    w = torch.tensor(change["w"], dtype=torch.float64)
    n_features, n_hidden = len(w), last.numel()
    norm = (n_features * n_hidden) ** -0.5  # e3nn divides each layer by the root of its inputs
    with torch.no_grad():
        along = last.double() / (norm * (last.double() ** 2).sum())
        first += torch.outer(w, along.flatten()).flatten().to(first.dtype)
        shift = modules["rescale_atomic_energy"].shift
        for element, more in change["shifts"].items():
            shift[calculator.type_map[atomic_numbers[element]]] += more
