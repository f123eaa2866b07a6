"""A deck of PyLabRobot on the STAR's chatterbox backend, which says what it would do."""

from __future__ import annotations

from typing import Any

from pylabrobot.liquid_handling import LiquidHandler
from pylabrobot.liquid_handling.backends.hamilton.STAR_chatterbox import STARChatterboxBackend
from pylabrobot.resources import (
    PLT_CAR_L5AC_A00,
    TIP_CAR_480_A00,
    cor_96_wellplate_360uL_Fb,
    hamilton_96_tiprack_300uL_filter,
    set_tip_tracking,
    set_volume_tracking,
)
from pylabrobot.resources.hamilton import STARLetDeck


def handler() -> Any:
    """A handler with a rack of tips, and a plate with 200 ul in its first well."""
    set_tip_tracking(enabled=True)
    set_volume_tracking(enabled=True)
    deck = STARLetDeck()
    tips = TIP_CAR_480_A00(name="tip carrier")
    tips[0] = hamilton_96_tiprack_300uL_filter(name="tips")
    deck.assign_child_resource(tips, rails=3)
    plates = PLT_CAR_L5AC_A00(name="plate carrier")
    plates[0] = cor_96_wellplate_360uL_Fb(name="plate")
    deck.assign_child_resource(plates, rails=15)
    deck.get_resource("plate")["A1"][0].tracker.set_volume(200)
    return LiquidHandler(backend=STARChatterboxBackend(), deck=deck)
