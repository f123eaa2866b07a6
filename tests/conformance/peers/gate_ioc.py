"""A gate valve as an IOC of caproto (BSD).

`gate_ioc.py PREFIX` says that it is ready in one line of JSON. `PREFIX:sample` takes a second to be
reached, and its put completes then; `PREFIX:count` says how often it was put; `PREFIX:broken` is in
INVALID alarm.
"""

from __future__ import annotations

import asyncio
import json
import sys

from caproto import AlarmSeverity, AlarmStatus, ChannelType
from caproto.server import PVGroup, pvproperty, run


class Gate(PVGroup):
    """Valve, pressure, sample position."""

    model = pvproperty(value="GV-1", max_length=20, report_as_string=True)
    valve = pvproperty(value=0)
    mode = pvproperty(value="OFF", enum_strings=["OFF", "ON"], dtype=ChannelType.ENUM)
    pressure = pvproperty(value=2.5e-4)
    trace = pvproperty(value=[1.0, 2.0, 3.0])
    sample = pvproperty(value=0.0)
    count = pvproperty(value=0)
    broken = pvproperty(value=1.0, alarm_group="broken")

    @sample.putter
    async def sample(self, instance, value):  # type: ignore[no-untyped-def]
        await self.count.write(self.count.value + 1)
        await asyncio.sleep(1.0)
        return value

    @broken.startup
    async def broken(self, instance, async_lib):  # type: ignore[no-untyped-def]
        await instance.alarm.write(severity=AlarmSeverity.INVALID_ALARM, status=AlarmStatus.READ)


async def ready(async_lib) -> None:  # type: ignore[no-untyped-def]
    print(json.dumps({"prefix": sys.argv[1]}), flush=True)


run(Gate(prefix=f"{sys.argv[1]}:").pvdb, startup_hook=ready, interfaces=["127.0.0.1"])
