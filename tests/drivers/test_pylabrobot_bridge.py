"""A liquid handler of PyLabRobot, declared, on the STAR's chatterbox backend."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from bridge_fakes import content, declared
from driver_fakes import bench

from drivers.conformance.specimens import Promise, Specimen
from orchestrator.errors import DeviceRefused, InputError, LimitExceeded

pytest.importorskip("pylabrobot", reason="PyLabRobot is not installed (hagane[pylabrobot], test)")


def play(deed: Callable[[Any], Awaitable[None]], device: str = "our_deck:handler") -> None:
    async def main() -> None:
        cls = declared("pylabrobot", "handler.yaml").cls
        handler = cls(bench("handler"), device=device, address="plr://star")
        try:
            await handler.open()
            await deed(handler)
        finally:
            await handler.close()

    asyncio.run(main())


def test_liquid_is_carried_from_well_to_well(capsys: pytest.CaptureFixture[str]) -> None:
    async def deed(handler: Any) -> None:
        assert (await handler.identify()).model == "STAR"
        await handler.take_tip()
        assert await handler.has_tip() == 1
        await handler.aspirate(volume=120.0)
        await handler.dispense(volume=120.0)
        await handler.return_tip()
        assert await handler.has_tip() == 0
        deck = handler._client._machine.deck
        volumes = [deck.get_resource("plate")[w][0].tracker.get_used_volume() for w in ("A1", "B1")]
        assert volumes == [80.0, 120.0]

    play(deed)


def test_what_its_trackers_refuse_was_not_done() -> None:
    async def deed(handler: Any) -> None:
        with pytest.raises(DeviceRefused, match="NoTipError"):
            await handler.aspirate(volume=10.0)
        await handler.take_tip()
        with pytest.raises(DeviceRefused, match="TooLittleLiquidError"):
            await handler.aspirate(volume=250.0)
        with pytest.raises(LimitExceeded):
            await handler.aspirate(volume=301.0)

    play(deed)


def test_a_device_that_cannot_be_imported_is_a_mistake_of_the_lab() -> None:
    async def deed(handler: Any) -> None:
        raise AssertionError("it was opened")

    with pytest.raises(InputError, match="cannot be imported"):
        play(deed, device="our_deck:robot")


@pytest.fixture
def specimens() -> dict[str, Specimen]:
    options = {"device": "our_deck:handler", "address": "plr://star"}
    arguments = {"aspirate": {"volume": 120.0}, "dispense": {"volume": 120.0}}
    return {"pylabrobot": Specimen(dict, options, arguments, content("handler.yaml"))}


@pytest.mark.drivers("pylabrobot")
def test_it_keeps(promise: Promise) -> None:
    promise.keep()
