"""`labmcp-pfeiffer-tpg` identifies the gauge and reads it in two units: argv PORT."""

import json
import sys

from labmcp import InstrumentProtocolError, open_transport
from labmcp_pfeiffer_tpg.driver import TPGController

transport = open_transport(
    f"serial://{sys.argv[1]}", baudrate=9600, read_termination="\r\n", write_termination="\r"
)
try:
    gauge = TPGController(transport)
    found = {**gauge.identify(), "ids": gauge.gauge_ids(), "unit": gauge.unit()}
    found["hectopascal"] = gauge.pressure(1).value
    gauge.set_unit("Pa")
    found["pascal"] = gauge.pressure(1).value
    try:
        gauge.query("NON")
    except InstrumentProtocolError as error:
        found["refused"] = str(error)
    print(json.dumps(found))
finally:
    transport.close()
