"""pymeasure's CXN strikes an RF plasma, and leaves it burning without a word: argv PORT WATTS."""

import json
import sys

from pymeasure.adapters import SerialAdapter
from pymeasure.instruments.tcpowerconversion import CXN

supply = CXN(SerialAdapter(sys.argv[1], baudrate=38400, timeout=3))
found = {
    "id": supply.id,
    "firmware": supply.firmware_version,
    "frequency": supply.frequency,
    "power_limit": supply.power_limit,
    "tuner": supply.tuner,
}
try:
    supply.setpoint = 50
except ValueError as error:
    found["without_control"] = str(error)
supply.request_control()
try:
    supply.setpoint = int(sys.argv[2])
except ValueError as error:
    found["misspelt"] = str(error)
found["setpoint"] = supply.setpoint
supply.rf_enabled = True
supply.ping()
found["on"] = supply.rf_enabled
found["status"] = int(supply.status)
found["power"] = supply.power
found["bias"] = supply.dc_voltage
print(json.dumps(found))
