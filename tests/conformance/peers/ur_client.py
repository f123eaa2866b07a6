"""`ur-rtde`'s DashboardClient loads and plays a program: argv HOST PORT."""

import json
import sys
import time

from dashboard_client import DashboardClient

client = DashboardClient(sys.argv[1], int(sys.argv[2]))
client.connect()
found = {
    "mode": client.robotmode(),
    "safety": client.safetystatus(),
    "remote": client.isInRemoteControl(),
    "serial": client.getSerialNumber(),
    "model": client.getRobotModel(),
}
client.loadURP("blanks_to_chamber.urp")
found["loaded"] = client.getLoadedProgram()
client.play()
found["running"] = client.running()
found["state"] = client.programState()
end = time.monotonic() + 10
while client.running() and time.monotonic() < end:
    time.sleep(0.02)
found["running_after"] = client.running()
client.disconnect()
print(json.dumps(found))
