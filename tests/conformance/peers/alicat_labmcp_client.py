"""`labmcp-alicat` identifies a flow controller, sets its flow and reads it: argv PORT UNIT FLOW."""

import dataclasses
import json
import sys
import time

from labmcp import open_transport
from labmcp_alicat.driver import AlicatDevice

transport = open_transport(
    f"serial://{sys.argv[1]}", baudrate=19200, read_termination="\r", write_termination="\r"
)
try:
    device = AlicatDevice(transport, sys.argv[2])
    device.initialise()
    found = dict(device.identity.info)
    found["set"] = dataclasses.asdict(device.set_setpoint(float(sys.argv[3])))
    time.sleep(0.1)
    found["frame"] = {v.key: v.value for v in device.poll().values}
    print(json.dumps(found))
finally:
    transport.close()
