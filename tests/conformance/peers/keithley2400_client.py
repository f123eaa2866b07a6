"""`keithley2400`, over PyVISA with CR at the ends of lines: argv PORT AMPERE."""

import json
import os
import sys

from keithley2400 import Keithley2400

resource = f"ASRL{os.path.realpath(sys.argv[1])}::INSTR"
with Keithley2400(resource, auto_discover=False) as meter:
    found: dict[str, object] = {"model": meter.model, "id": meter.idn()}
    meter.configure_measure_vi()
    meter.set_source_i(float(sys.argv[2]))
    meter.set_voltage_compliance(20.0)
    meter.output_on()
    found["volt"], found["ampere"] = meter.read_v_i()
    meter.output_off()
    found["on"], found["error"] = meter.query(":OUTP?"), meter.get_error()
print(json.dumps(found))
