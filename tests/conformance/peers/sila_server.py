"""The SiLA 2 server that labmcp-sila2 simulates (Apache-2.0): a temperature block.

It says where it listens in one line of JSON. With words it is started without any, on a free port.
"""

from __future__ import annotations

import json
import signal
import sys
import threading

from labmcp_sila2.simulator import build_server

server, port = build_server(int(sys.argv[1]) if len(sys.argv) > 1 else None)
ended = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ended.set())
server.start_insecure("127.0.0.1", port, enable_discovery=False)
print(json.dumps({"port": port}), flush=True)
ended.wait()
server.stop()
