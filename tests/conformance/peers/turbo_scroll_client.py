"""`pyPfeifferVacuumHighscrollProtocol` reads a drive unit: argv PORT ADDRESS.

Made for scroll pumps, which speak the same telegrams.
"""

import json
import sys

from pypfeiffervacuumhighscrollprotocol import pyPfeifferVacuumHighscrollProtocol as HighScroll
from serial import Serial

with Serial(sys.argv[1], 9600, timeout=3) as line:
    address = int(sys.argv[2])
    names = (
        "actual_rotation_hz",
        "actual_rotation_rpm",
        "setpoint_rotation_rpm",
        "nominal_rotation_rpm",
        "gauge_type",
        "motor_current",
        "motor_power",
        "motor_voltage",
        "temp_electronic",
        "temp_motor",
        "software_version",
    )
    found = {name: getattr(HighScroll, f"read_{name}")(line, address) for name in names}
    found["error"] = HighScroll.read_error_code(line, address).name
    try:
        HighScroll.read_pressure(line, address)
    except ValueError as error:
        found["no_gauge"] = str(error)
print(json.dumps(found))
