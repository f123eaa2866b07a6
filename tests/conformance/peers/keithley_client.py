"""pymeasure's Keithley 2400: measures the probe with a set current: argv PORT CURRENT."""

import json
import sys

from pymeasure.adapters import SerialAdapter
from pymeasure.instruments.keithley import Keithley2400

port = SerialAdapter(
    sys.argv[1], baudrate=9600, timeout=3, write_termination="\n", read_termination="\n"
)
meter = Keithley2400(port)
meter.reset()
meter.source_mode = "current"
meter.source_current = float(sys.argv[2])
meter.compliance_voltage = 20
meter.source_enabled = True
found = {
    "id": meter.id,
    "mode": meter.source_mode,
    "current": meter.source_current,
    "compliance": meter.compliance_voltage,
    "readings": [meter.measure_all() for _ in range(3)],
}
meter.source_enabled = False
found["on"] = meter.source_enabled
found["errors"] = meter.check_errors()
print(json.dumps(found))
