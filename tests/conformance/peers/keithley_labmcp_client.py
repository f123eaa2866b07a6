"""`labmcp-keithley-smu` sources a current through the probe and measures: argv PORT CURRENT."""

import json
import sys

from labmcp import open_transport
from labmcp_keithley_smu.driver import open_smu

transport = open_transport(
    f"serial://{sys.argv[1]}", baudrate=9600, read_termination="\n", write_termination="\n"
)
meter = open_smu(transport, "2400", None)
try:
    found = meter.identify()
    meter.configure("current", float(sys.argv[2]), 20.0)
    meter.set_remote_sense(True)
    meter.set_output(True)
    status, reading = meter.measure()
    found |= {
        "source": status.source,
        "level": status.level,
        "compliance": status.compliance,
        "volt": reading.voltage_v,
        "ampere": reading.current_a,
        "in_compliance": reading.in_compliance,
        "four_wire": status.remote_sense,
    }
    meter.set_output(False)
    found["on"] = meter.output_state()
    found["errors"] = meter.error_list()
    print(json.dumps(found))
finally:
    transport.close()
