"""`pylablib` (GPL-3, a process of its own) reads the Pfeiffer gauge in three units: argv PORT."""

import json
import sys

import serial
from pylablib.devices.Pfeiffer import TPG260

# it does not end the output that a gauge sends by itself after power-up
with serial.Serial(sys.argv[1], 9600, timeout=0.3) as port:
    port.write(b"\x03")
    while port.read(100):
        pass
gauge = TPG260((sys.argv[1], 9600))
try:
    found = {"status": gauge.get_channel_status(1)}
    # it does not know the hectopascal that a TPG 361 is delivered with
    for unit in ("torr", "pa", "mbar"):
        gauge.set_units(unit)
        found[unit] = gauge.get_pressure(1, display_units=True)
        found[f"{unit}_said"] = gauge.get_units()
        found[f"{unit}_in_pascal"] = gauge.get_pressure(1)
    print(json.dumps(found))
finally:
    gauge.close()
