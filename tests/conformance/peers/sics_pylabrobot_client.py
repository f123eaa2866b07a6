"""PyLabRobot's backend of a Mettler Toledo balance weighs, tares and zeroes: argv PORT."""

import asyncio
import json
import os
import sys

from pylabrobot.scales.mettler_toledo_backend import (
    MettlerToledoError,
    MettlerToledoWXS205SDUBackend,
)


async def main():
    scale = MettlerToledoWXS205SDUBackend(port=os.path.realpath(sys.argv[1]))
    await scale.setup()
    found = {
        "serial": scale.serial_number,
        "gram": await scale.read_weight(),
        "at_once": await scale.read_weight(0),
        "after": await scale.read_weight(0.5),
        "tared": (await scale.tare())[:2],
        "net": await scale.read_weight(),
        "tare": await scale.request_tare_weight(),
        "cleared": await scale.clear_tare(),
        "shown": await scale.set_display_text("STIR"),
        "back": await scale.set_weight_display(),
        "many": len([await scale.read_weight(0) for _ in range(50)]),
    }
    try:
        await scale.zero(0)
        found["zero"] = "done"
    except MettlerToledoError as error:
        found["zero"] = str(error)
    try:
        await scale.send_command("XYZ")
    except MettlerToledoError as error:
        found["refused"] = str(error)
    await scale.stop()
    print(json.dumps(found))


asyncio.run(main())
