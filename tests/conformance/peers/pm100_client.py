"""pymeasure's Thorlabs PM100USB over a line: sets the wavelength and reads the power: argv PORT."""

import json
import sys

from pymeasure.adapters import SerialAdapter
from pymeasure.instruments.thorlabs import ThorlabsPM100USB

port = SerialAdapter(
    sys.argv[1], baudrate=115200, timeout=3, write_termination="\n", read_termination="\n"
)
meter = ThorlabsPM100USB(port)
meter.wavelength = 550
found = {
    "id": meter.id,
    "sensor": meter.sensor_name,
    "is_power": meter.is_power_sensor,
    "settable": meter.wavelength_settable,
    "low": meter.wavelength_min,
    "high": meter.wavelength_max,
    "wavelength": meter.wavelength,
    "power": meter.power,
}
print(json.dumps(found))
