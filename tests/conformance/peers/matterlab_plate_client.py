"""`matterlab-hotplates` heats, stirs and stands by: argv PORT."""

import json
import sys

from matterlab_hotplates import IKAHotplate

# a pseudo-terminal passes eight bits
plate = IKAHotplate(sys.argv[1], parity="none", bytesize=8)
found = {"cold": plate.temp}
plate.temp, plate.rpm = 60.0, 300
found["warm"], found["rpm"] = plate.temp, plate.rpm
try:
    plate.temp = 500.0
except ValueError as error:
    found["refused"] = str(error)
plate.stand_by()
found["rpm_after"] = plate.rpm
print(json.dumps(found))
