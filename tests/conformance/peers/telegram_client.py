"""`pfeiffer-vacuum-protocol`, made for gauges, reads a drive unit: argv PORT ADDRESS."""

import json
import sys

import pfeiffer_vacuum_protocol as pvp
import serial

address = int(sys.argv[2])
with serial.Serial(sys.argv[1], 9600, timeout=0.5) as port:
    found = {
        "error": pvp.read_error_code(port, address).name,
        "version": pvp.read_software_version(port, address),
    }
    asked = {
        "type": lambda: pvp.read_gauge_type(port, address),
        "pressure": lambda: pvp.read_pressure(port, address),
        "setpoint": lambda: pvp.write_pressure_setpoint(port, address, 1),
        "nobody": lambda: pvp.read_error_code(port, address + 100),
    }
    for name, ask in asked.items():
        try:
            found[name] = ask()
        except ValueError as error:
            found[name] = str(error)
print(json.dumps(found))
