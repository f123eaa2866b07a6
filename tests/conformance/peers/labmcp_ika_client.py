"""`labmcp-ika` heats, stirs, arms watchdog 1 and goes away: argv PORT."""

import json
import sys
import time

from labmcp import open_transport
from labmcp_ika.driver import IKAStirrer

transport = open_transport(
    f"serial://{sys.argv[1]}", baudrate=9600, read_termination="\r\n", write_termination=" \r\n"
)
plate = IKAStirrer(transport)
found: dict[str, object] = dict(plate.identify())
plate.enable_watchdog(1, 20, keepalive_interval_s=5)
plate.set_temperature(80.0)
plate.set_speed(400)
plate.start_heater()
plate.start_motor()
time.sleep(0.3)
found["setpoint"], found["speed"] = plate.temperature_setpoint_c(), plate.speed_rpm()
state = plate.watchdog_state()
found["watchdog"] = {key: state[key] for key in ("mode", "timeout_s", "last_error")}
plate.close()
print(json.dumps(found))
