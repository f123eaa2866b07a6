"""`labmcp-thorlabs-pm` sets up a power meter, reads and zeroes it: argv PORT."""

import json
import sys

from labmcp import open_transport
from labmcp.errors import InstrumentProtocolError
from labmcp_thorlabs_pm.driver import ThorlabsPowerMeter

transport = open_transport(
    f"serial://{sys.argv[1]}", baudrate=115200, read_termination="\n", write_termination="\n"
)
meter = ThorlabsPowerMeter(transport)
found: dict[str, object] = dict(meter.identify())
found["wavelengths"] = meter.wavelength_range_nm()
found["wavelength"] = meter.set_wavelength_nm(550)
found["averaging"] = meter.set_averaging(100)
found["unit"], found["auto"] = meter.power_unit(), meter.auto_range()
found["range"] = meter.set_range_w(5e-3)
found["zero"] = meter.zero()
found["power"] = meter.power_w()
transport.write("SENS:POW:UNIT DBM")
found["in_dbm"] = meter.power_w()
try:
    meter.set_wavelength_nm(2000)
except InstrumentProtocolError as error:
    found["refused"] = str(error)
transport.close()
print(json.dumps(found))
