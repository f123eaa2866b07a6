"""A simulated device by other people behind a TCP port: argv KIND.

alicat: labmcp-alicat's flow controller, unit A, 200 sccm argon; tpg: labmcp-pfeiffer-tpg's TPG 362
with a Pirani and cold cathode at 1 and a Pirani at 2; ppt: pfeiffer-vacuum-protocol's PPT 100.
Prints the port, and what was asked and set as soon as its input is closed.
"""

import json
import socketserver
import sys
import threading

from labmcp_alicat.simulator import AlicatSimulator
from labmcp_pfeiffer_tpg.simulator import TPGSimulator
from pfeiffer_vacuum_protocol.mock import PPT100

alicat = AlicatSimulator(full_scale=200.0, gas=1, zero_offset=0.0)
tpg, ppt = TPGSimulator("TPG362"), PPT100()
asked, pending = [], b""


def in_lines(answer):
    """Lines ended by CR, as they come whole."""

    def receive(data):
        global pending
        *whole, pending = (pending + data).split(b"\r")
        asked.extend(line.decode() for line in whole)
        return b"".join(answer(line) for line in whole)

    return receive


def from_alicat(line):
    answer = alicat.handle(line.decode())
    parts = [answer] if isinstance(answer, str) else answer or []
    return b"".join(part.encode() + b"\r" for part in parts)


receive = {
    "alicat": in_lines(from_alicat),
    "tpg": tpg.handle_bytes,
    "ppt": in_lines(lambda line: ppt.get_response(line + b"\r")),
}[sys.argv[1]]


class Line(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(4096):
            self.request.sendall(receive(data))


with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Line) as server:
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    print(json.dumps({"asked": asked or tpg.log, "setpoint": alicat.setpoint}))
    server.shutdown()
