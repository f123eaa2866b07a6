"""Serves an instrument that other people simulate, line by line on a TCP port: argv KIND.

It prints the port's number, and ends when its standard input does.
"""

import contextlib
import socket
import sys
import threading
from collections.abc import Callable


def cavro() -> tuple[bytes, bytes, Callable[[str], str | list[str] | None]]:
    from labmcp_cavro.simulator import CavroSimulator

    return b"\r", b"\x03\r\n", CavroSimulator(standard_steps=3000, valve_ports=4, speed=20.0).handle


def balance() -> tuple[bytes, bytes, Callable[[str], str | list[str] | None]]:
    from labmcp_mettler_toledo.simulator import MTSICSSimulator

    return b"\r\n", b"\r\n", MTSICSSimulator(load_g=52.1873).handle


def infuser() -> tuple[bytes, bytes, Callable[[str], str | list[str] | None]]:
    from labmcp_new_era.simulator import NewEraSimulator

    return b"\r", b"\x03", NewEraSimulator(speed=20.0).handle


def plate() -> tuple[bytes, bytes, Callable[[str], str | list[str] | None]]:
    from labmcp_ika.simulator import IKASimulator

    return b"\r\n", b"\r\n", IKASimulator(time_scale=30.0).handle


def photometer() -> tuple[bytes, bytes, Callable[[str], str | list[str] | None]]:
    from labmcp_thorlabs_pm.simulator import ThorlabsPMSimulator

    meter = ThorlabsPMSimulator("S120C")
    # as somebody left it
    meter.handle("SENS:POW:UNIT DBM")
    return b"\n", b"\n", meter.handle


def scale() -> tuple[bytes, bytes, Callable[[str], str | list[str] | None]]:
    from mtsics.core.state import ScaleState
    from mtsics.profiles import load
    from mtsics.protocol.engine import MTSICSEngine

    state = ScaleState(config=load("mt-xs204"))
    engine = MTSICSEngine(state)

    def handle(line: str) -> str:
        words = line.split()
        if words[:1] == ["LOAD"]:  # a word of this script, in place of a hand
            state.set_weight(float(words[1]))
            return "LOAD A"
        return engine.handle(line).removesuffix("\r\n")

    return b"\r\n", b"\r\n", handle


def serve(
    server: socket.socket,
    ends: bytes,
    ended: bytes,
    handle: Callable[[str], str | list[str] | None],
) -> None:
    while True:
        client, _ = server.accept()
        pending = b""
        with client, contextlib.suppress(OSError):
            while data := client.recv(4096):
                pending += data
                while ends in pending:
                    line, _, pending = pending.partition(ends)
                    replies = handle(line.decode("ascii"))
                    for reply in [replies] if isinstance(replies, str) else replies or []:
                        client.sendall(reply.encode("ascii") + ended)


facts = globals()[sys.argv[1]]()
with socket.create_server(("127.0.0.1", 0)) as server:
    threading.Thread(target=serve, args=(server, *facts), daemon=True).start()
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
