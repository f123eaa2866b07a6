"""pymeasure's SQM-160: reads rate and thickness, zeroes, reads again: argv PORT."""

import json
import sys

from pymeasure.adapters import SerialAdapter
from pymeasure.instruments.inficon.sqm160 import SQM160

monitor = SQM160(SerialAdapter(sys.argv[1], baudrate=19200, timeout=3))
found = {
    "version": monitor.firmware_version,
    "channels": monitor.number_of_channels,
    "thickness": monitor.sensor_1.thickness,
    "average_thickness": monitor.average_thickness,
    "rate": monitor.sensor_1.rate,
    "frequency": monitor.sensor_1.frequency,
}
try:
    found["sensor_2"] = monitor.sensor_2.thickness
except ConnectionError as error:
    found["sensor_2"] = str(error)
    monitor.adapter.flush_read_buffer()  # it leaves the checksum of a refusal behind
monitor.reset_thickness_rate()
found["zeroed"] = monitor.sensor_1.thickness
print(json.dumps(found))
