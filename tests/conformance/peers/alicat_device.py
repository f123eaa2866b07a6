"""labmcp-alicat's simulated flow controller of 200 sccm argon behind a TCP port.

Prints the port, and what was asked and set as soon as its input is closed.
"""

import json
import socketserver
import sys
import threading

from labmcp_alicat.simulator import AlicatSimulator

device = AlicatSimulator(full_scale=200.0, gas=1, zero_offset=0.0)
asked = []


class Line(socketserver.BaseRequestHandler):
    def handle(self):
        pending = b""
        while data := self.request.recv(4096):
            *whole, pending = (pending + data).split(b"\r")
            for line in whole:
                asked.append(line.decode())
                answer = device.handle(line.decode())
                for part in [answer] if isinstance(answer, str) else answer or []:
                    self.request.sendall(part.encode() + b"\r")


with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Line) as server:
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    print(json.dumps({"asked": asked, "setpoint": device.setpoint}))
    server.shutdown()
