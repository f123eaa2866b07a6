"""Samples, where they are, and the films on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulators.lab.ceramic import Film, stack

STORE = "blanks"
GRIPPER = "gripper"
SLOTS = {STORE: 100, "chamber": 1, "probe": 1, "tray": 100}


@dataclass(frozen=True)
class Grown:
    """One exposure of a sample: the film as it is (with the scatter of its run), and its story.

    `ticket` is that of the sample's placement in the chamber; `run` counts exposures of the
    target from 0; a `partial` film was ended before its time.
    """

    film: Film
    minutes: float
    run: int
    ticket: str
    partial: bool
    bad_contact: bool


@dataclass
class Sample:
    """A piece of substrate. `ticket` is that of its last placement; `arrived` orders arrivals."""

    number: int
    position: str
    ticket: str = ""
    moves: int = 0
    arrived: int = 0
    layers: list[Grown] = field(default_factory=list)

    @property
    def key(self) -> str:
        """What its scatter is drawn from: its ticket, or its number if it was moved without one."""
        return self.ticket if self.ticket.strip("0") else f"sample {self.number}"

    @property
    def film(self) -> Film:
        """All layers together."""
        return stack(layer.film for layer in self.layers)

    @property
    def has_bad_contact(self) -> bool:
        """Whether no probe will ever make contact with it."""
        return any(layer.bad_contact for layer in self.layers)

    def record(self) -> dict[str, Any]:
        """The sample as plain data; None where nothing conducts."""
        return {
            "sample": self.number,
            "position": self.position,
            "ticket": self.ticket,
            "moves": self.moves,
            "films": [_layer_record(layer) for layer in self.layers],
        }


def _layer_record(layer: Grown) -> dict[str, Any]:
    conducts = layer.film.resistivity_ohm_cm < float("inf")
    return {
        "thickness_nm": layer.film.thickness_nm,
        "resistivity_ohm_cm": layer.film.resistivity_ohm_cm if conducts else None,
        "minutes": layer.minutes,
        "run": layer.run,
        "ticket": layer.ticket,
        "partial": layer.partial,
        "bad_contact": layer.bad_contact,
    }


class Samples:
    """All samples of a lab. The store holds blanks until they are picked up."""

    def __init__(self) -> None:
        self.blanks = SLOTS[STORE]
        self.all: list[Sample] = []
        self._arrivals = 0

    def at(self, position: str) -> Sample | None:
        """The sample there; of several the one that was put there last."""
        there = [s for s in self.all if s.position == position]
        return max(there, key=lambda s: s.arrived) if there else None

    def is_full(self, position: str) -> bool:
        """Whether no slot is free there. Nothing is put back among the blanks."""
        if position == STORE:
            return True
        return sum(s.position == position for s in self.all) >= SLOTS[position]

    def take(self, position: str) -> Sample | None:
        """Into the gripper; None when there is nothing."""
        sample = self.at(position)
        if position == STORE and self.blanks > 0:
            self.blanks -= 1
            sample = Sample(len(self.all) + 1, STORE)
            self.all.append(sample)
        if sample is not None:
            sample.position = GRIPPER
        return sample

    def put(self, sample: Sample, position: str, ticket: str) -> None:
        """A sample arrives at a position, carried under a ticket."""
        sample.position, sample.ticket = position, ticket
        sample.moves += 1
        self._arrivals += 1
        sample.arrived = self._arrivals
