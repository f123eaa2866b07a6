"""`pfeiffer-turbo` drives two turbo pumps on one line: argv PORT."""

import json
import sys
import time

from pfeiffer_turbo import TC110
from pfeiffer_turbo.errors import PfeifferProtocolError
from pfeiffer_turbo.transport import SerialTransport

line = SerialTransport(sys.argv[1], timeout_s=3.0)
first, second = TC110(line, address=1), TC110(line, address=2)
found = {
    "name": first.elec_name,
    "firmware": first.fw_version,
    "nominal_hz": [first.nominal_speed, second.nominal_speed],
    "error": first.error_code,
    "at_rest": [first.actual_spd, second.actual_spd],
}
first.start()
end = time.monotonic() + 60
while not first.set_spd_att and time.monotonic() < end:
    time.sleep(0.02)
found["at_speed"] = [first.actual_spd, second.actual_spd]
found["attained"] = [first.set_spd_att, second.set_spd_att]
found["voltage"] = first.drv_voltage
first.stop()
found["station"] = first.pumpg_statn
end = time.monotonic() + 60
while first.actual_spd > 100 and time.monotonic() < end:
    time.sleep(0.02)
found["coasted_to"] = first.actual_spd
try:
    first.set_rot_spd = 1
except PfeifferProtocolError as error:  # it takes the refusal's word for a number
    found["refused"] = str(error)
print(json.dumps(found))
