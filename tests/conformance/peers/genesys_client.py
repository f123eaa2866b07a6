"""pymeasure's Genesys drives two supplies on one line, by their addresses: argv PORT."""

import json
import sys

from pymeasure.adapters import SerialAdapter
from pymeasure.instruments.tdk import TDK_Gen40_38

port = SerialAdapter(
    sys.argv[1], baudrate=9600, timeout=3, write_termination="\r", read_termination="\r"
)
supply = TDK_Gen40_38(port, address=6)
found = {"id": supply.id, "serial": supply.serial, "version": supply.version}
supply.remote = "REM"
supply.over_voltage = 20
supply.voltage_setpoint = 12
supply.current_setpoint = 38
supply.output_enabled = True
found |= {"voltage": supply.voltage, "current": supply.current, "mode": supply.mode}
supply.current_setpoint = 2
found |= {"limited": [supply.voltage, supply.current, supply.mode]}
found |= {"display": supply.display, "status": supply.status, "on": supply.output_enabled}
supply.write("PV 19.5")
found["too_high"] = supply.check_set_errors()
supply.write("PV")
found["missing"] = supply.check_set_errors()
found["unknown"] = supply.ask("NONSENSE?")
supply.address = 7
found["other"] = [supply.id, supply.output_enabled]
supply.address = 6
supply.output_enabled = False
found["off"] = supply.output_enabled
print(json.dumps(found))
