"""`alicat` sets the flow and reads the state of one unit: argv PORT UNIT FLOW."""

import asyncio
import json
import os
import sys

from alicat import FlowController


async def main(port: str, unit: str, flow: float) -> None:
    async with FlowController(port, unit) as controller:
        await controller.set_flow_rate(flow)
        await asyncio.sleep(0.1)
        print(json.dumps(await controller.get() | {"firmware": await controller.get_firmware()}))


# it takes a path for a serial port only where it begins with /dev
asyncio.run(main(os.path.realpath(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
