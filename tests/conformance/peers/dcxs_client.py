"""pymeasure's AJA DCXS: sets an exposure, strikes, reads everything: argv PORT."""

import json
import sys
import time

from pymeasure.adapters import SerialAdapter
from pymeasure.instruments.aja import DCXS

supply = DCXS(SerialAdapter(sys.argv[1], baudrate=38400, timeout=3))
supply.regulation_mode = "power"
supply.setpoint = 150
supply.shutter_delay = 0
supply.deposition_time_min = 900
supply.deposition_time_sec = 30
supply.enabled = True
time.sleep(0.1)
names = (
    "id setpoint regulation_mode shutter_delay deposition_time_min deposition_time_sec enabled "
    "power voltage current shutter_state remaining_deposition_time_min fault_code active_gun "
    "material software_version"
)
found = {name: getattr(supply, name) for name in names.split()}
supply.enabled = False
found["enabled_after"] = supply.enabled
print(json.dumps(found))
