"""The stage that yaqd-fakes simulates (LGPL-3), as a daemon of yaq; it is ours and ends with us.

It says where it listens in one line of JSON, once it answers.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
folder = Path(tempfile.mkdtemp())
config = folder / "config.toml"
config.write_text(
    f'[stage]\nport = {port}\nunits = "mm"\nvelocity = 20.0\nlimits = [0.0, 100.0]\n'
    'make = "Fakes"\nmodel = "ST-1"\nserial = "77"\n'
)
program = Path(sys.executable).with_name("yaqd-fake-continuous-hardware")
environment = os.environ | {"XDG_DATA_HOME": str(folder), "HOME": str(folder)}
daemon = subprocess.Popen(
    [sys.executable, str(program), "--config", str(config)], env=environment, stdout=sys.stderr
)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
try:
    while daemon.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    print(json.dumps({"port": port}), flush=True)
    daemon.wait()
finally:
    daemon.kill()
    daemon.wait()
