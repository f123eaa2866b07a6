"""`minimalmodbus` works the heater and the valves on one line: argv PORT."""

import json
import sys

import minimalmodbus

heater = minimalmodbus.Instrument(sys.argv[1], 1)
valves = minimalmodbus.Instrument(sys.argv[1], 2)
heater.serial.timeout = 3
heater.write_register(1, 350.0, number_of_decimals=1, functioncode=6)
heater.write_registers(2, [1])
valves.write_bit(1, 0)
valves.write_bit(0, 1)
found = {
    "pv": heater.read_register(0, number_of_decimals=1, signed=True),
    "sp": heater.read_register(1, number_of_decimals=1),
    "registers": heater.read_registers(1, 2),
    "gate": valves.read_bit(0, functioncode=1),
    "vent": valves.read_bit(1, functioncode=1),
}
try:
    heater.read_register(77)
except minimalmodbus.IllegalRequestError as error:
    found["refused"] = str(error)
print(json.dumps(found))
