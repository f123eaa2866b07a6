"""A node of MADSci (MIT): a mixer, on the port that it is given.

It says that it is ready in one line of JSON, once it answers. MADSci reads its annotations as
objects, so they must not be texts.
"""

import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time

folder = tempfile.mkdtemp()
os.chdir(folder)
os.environ |= {"HOME": folder, "OTEL_SDK_DISABLED": "true"}

from madsci.common.types.action_types import ActionFailed  # noqa: E402
from madsci.common.types.node_types import RestNodeConfig  # noqa: E402
from madsci.node_module.helpers import action  # noqa: E402
from madsci.node_module.rest_node_module import RestNode  # noqa: E402

port = int(sys.argv[1])


class Mixer(RestNode):  # type: ignore[misc]
    """Mixes, and counts how often."""

    n_mixed = 0
    speed = 0.0

    def state_handler(self) -> None:
        self.node_state = {"speed": self.speed, "n_mixed": self.n_mixed}

    @action  # type: ignore[untyped-decorator]
    def set_speed(self, speed: float) -> float:
        """Sets the speed."""
        self.speed = speed
        return speed

    @action  # type: ignore[untyped-decorator]
    def mix(self, duration: float) -> float:
        """Mixes for a while."""
        self.n_mixed += 1
        time.sleep(duration)
        if duration > 5:
            return ActionFailed(errors=["the bearing is hot"])  # type: ignore[return-value]
        return 10 * duration


def tell() -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            print(json.dumps({"port": port}), flush=True)
            return
        except OSError:
            time.sleep(0.05)


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
threading.Thread(target=tell, daemon=True).start()
Mixer(
    node_config=RestNodeConfig(
        node_name="mixer",
        module_name="mixer",
        node_url=f"http://127.0.0.1:{port}",
        state_update_interval=0.05,
        enable_registry_resolution=False,
        enable_rate_limiting=False,
    )
).start_node()
