"""An oven with an HTTP interface, served by aiohttp (Apache-2.0): other people's idea of HTTP.

It says where it listens in one line of JSON. `POST /slow` is done, and never answered in time;
`POST /drop` is done, and the connection is closed; `/count` says how often each was done.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

STATE: dict[str, Any] = {"temperature": 21.5, "setpoint": 20.0, "heating": False, "fault": "none"}
RUNS: dict[str, dict[str, Any]] = {}
COUNT = {"slow": 0, "drop": 0}


async def about(request: web.Request) -> web.StreamResponse:
    reply = web.StreamResponse(headers={"Content-Type": "application/json"})
    reply.enable_chunked_encoding()
    await reply.prepare(request)
    for part in ('{"model": ', '"OV-1", "serial": ', '"0042"}'):
        await reply.write(part.encode())
    return reply


async def state(request: web.Request) -> web.Response:
    return web.json_response(STATE)


async def setpoint(request: web.Request) -> web.Response:
    STATE.update(setpoint=(await request.json())["celsius"], heating=True)
    return web.Response(status=204)


async def heating(request: web.Request) -> web.Response:
    STATE["heating"] = (await request.json())["is_on"]
    return web.json_response({})


async def begin(request: web.Request) -> web.Response:
    told = await request.json()
    if told["id"] in RUNS:
        raise web.HTTPConflict
    RUNS[told["id"]] = {"state": "finished", "peak": 180.5}
    return web.json_response({}, status=201)


async def run(request: web.Request) -> web.Response:
    found = RUNS.get(request.match_info["ticket"])
    if found is None:
        raise web.HTTPNotFound
    return web.json_response(found)


async def slow(request: web.Request) -> web.Response:
    COUNT["slow"] += 1
    await asyncio.sleep(60)
    return web.json_response({})


async def drop(request: web.Request) -> web.Response:
    COUNT["drop"] += 1
    assert request.transport is not None
    request.transport.close()
    return web.json_response({})


async def count(request: web.Request) -> web.Response:
    return web.json_response(COUNT)


async def away(request: web.Request) -> web.Response:
    raise web.HTTPFound("/count")


async def main() -> None:
    app = web.Application()
    app.add_routes(
        [
            web.get("/about", about),
            web.get("/state", state),
            web.put("/setpoint", setpoint),
            web.put("/heating", heating),
            web.post("/runs", begin),
            web.get("/runs/{ticket}", run),
            web.post("/slow", slow),
            web.post("/drop", drop),
            web.get("/count", count),
            web.get("/away", away),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    print(json.dumps({"port": site._server.sockets[0].getsockname()[1]}), flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
