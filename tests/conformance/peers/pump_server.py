"""A pump as an OPC UA server of asyncua (LGPL-3). It says where it listens in one line of JSON.

Its method Dispense keeps the ticket that came with it and counts; one of more than 50 ml fails on
the way, one of 40 ml takes a minute.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys

from asyncua import Server, ua, uamethod

URI = "urn:acme:pump"


def argument(name: str | None, kind: int) -> ua.Argument:
    return ua.Argument(Name=name, DataType=ua.NodeId(kind), ValueRank=-1)


async def main() -> None:
    server = Server()
    await server.init()
    if len(sys.argv) > 1:
        port = int(sys.argv[1])
    else:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    await server.register_namespace("urn:another")
    index = await server.register_namespace(URI)
    pump = await server.nodes.objects.add_object(ua.NodeId("Pump", index), f"{index}:Pump")

    async def variable(name: str, value: object, kind: ua.VariantType):  # type: ignore[no-untyped-def]
        node = await pump.add_variable(
            ua.NodeId(f"Pump.{name}", index), f"{index}:{name}", ua.Variant(value, kind)
        )
        await node.set_writable()
        return node

    await variable("Model", "PU-7", ua.VariantType.String)
    await variable("Serial", "0815", ua.VariantType.String)
    flow = await variable("Flow", 0.0, ua.VariantType.Float)
    await variable("Running", False, ua.VariantType.Boolean)
    last = await variable("LastTicket", "", ua.VariantType.String)
    count = await variable("Count", 0, ua.VariantType.UInt32)
    pressure = await variable("Pressure", 1.5, ua.VariantType.Double)
    broken = ua.DataValue(
        ua.Variant(0.0, ua.VariantType.Double), ua.StatusCode(ua.StatusCodes.BadSensorFailure)
    )

    @uamethod
    async def dispense(parent: ua.NodeId, volume: float, ticket: str) -> float:
        await count.write_value(ua.Variant(await count.read_value() + 1, ua.VariantType.UInt32))
        if volume > 50:
            raise RuntimeError("the tube burst")
        if volume == 40:
            await asyncio.sleep(60)
        await last.write_value(ticket)
        return 0.99 * volume

    @uamethod
    async def fail(parent: ua.NodeId) -> None:
        await pressure.write_value(broken)

    @uamethod
    async def tune(parent: ua.NodeId, speed: float) -> None:
        await flow.write_value(ua.Variant(speed, ua.VariantType.Float))

    takes = [
        argument("volume", ua.ObjectIds.Double),
        argument("ticket", ua.ObjectIds.String),
    ]
    gives = [argument("delivered", ua.ObjectIds.Double)]
    await pump.add_method(
        ua.NodeId("Pump.Dispense", index), f"{index}:Dispense", dispense, takes, gives
    )
    await pump.add_method(ua.NodeId("Pump.Fail", index), f"{index}:Fail", fail, [], [])
    nameless = [argument(None, ua.ObjectIds.Double)]
    await pump.add_method(ua.NodeId("Pump.Tune", index), f"{index}:Tune", tune, nameless, [])
    async with server:
        print(json.dumps({"port": port}), flush=True)
        await asyncio.Event().wait()


asyncio.run(main())
