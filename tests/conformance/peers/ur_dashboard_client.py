"""`universal-robots-clients`, a connection for each command: argv HOST PORT."""

import json
import sys
import time

from universal_robots_clients import dashboard_client as dashboard

host, port = sys.argv[1], int(sys.argv[2])
found = {
    "missing": dashboard.load_program(host, "nowhere.urp", port),
    "nothing": dashboard.pause_program(host, port),
    "played": dashboard.load_and_play_program(host, "blanks_to_chamber.urp", port),
    "paused": dashboard.pause_program(host, port),
    "state": dashboard.get_program_state(host, port),
    "again": dashboard.play_program(host, port),
}
end = time.monotonic() + 30
while dashboard.get_program_state(host, port).startswith("PLAYING") and time.monotonic() < end:
    time.sleep(0.02)
found["end"] = dashboard.get_program_state(host, port)
found["stopped"] = dashboard.stop_program(host, port)
found["raw"] = dashboard.send_command(host, "robotmode", port)
found["unknown"] = dashboard.send_command(host, "make coffee", port)
print(json.dumps(found))
