"""`labmcp-new-era` begins an infusion and stops it on the way: argv PORT."""

import json
import sys
import time

from labmcp import InstrumentProtocolError, open_transport
from labmcp_new_era.driver import NewEraPump

transport = open_transport(
    f"serial://{sys.argv[1]}", baudrate=19200, read_termination="\x03", write_termination="\r"
)
try:
    pump = NewEraPump(transport)
    found: dict[str, object] = dict(pump.identify())
    pump.set_diameter(14.43)
    pump.command("VOLUL")
    pump.clear_dispensed()
    plan = pump.start_pumping("INF", 0.5, 1.0)
    found["plan"] = [plan.volume_text, plan.rate_text]
    try:
        pump.command("DIA14.43")
        found["refused"] = False
    except InstrumentProtocolError:
        found["refused"] = True
    time.sleep(0.3)
    found["stopped"] = pump.stop().state
    found["infused"] = pump.dispensed()[0]
    print(json.dumps(found))
finally:
    transport.close()
