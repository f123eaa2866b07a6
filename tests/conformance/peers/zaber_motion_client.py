"""Zaber's own `zaber-motion` drives a stage by generic commands, with checksums: argv URL_OR_PORT.

Its typed axis needs an online database of devices, which is not asked.
"""

import json
import sys
import time

from zaber_motion import CommandFailedException
from zaber_motion.ascii import Connection, WarningFlags

where = sys.argv[1]
if where.startswith("socket://"):
    host, _, port = where.removeprefix("socket://").rpartition(":")
    connection = Connection.open_tcp(host, int(port))
else:
    connection = Connection.open_serial_port(where)
flags = {
    name: value
    for name, value in vars(WarningFlags).items()
    if isinstance(value, str) and len(value) == 2
}
with connection as line:
    first = line.get_device(1)
    found = {
        "flags": sorted(flags.values()),
        "before": sorted(first.warnings.get_flags()),
        "serial": line.generic_command("get system.serial", 1).data,
        "both": [r.device_address for r in line.generic_command_multi_response("", 0)]
        if hasattr(line, "generic_command_multi_response")
        else [],
    }
    line.generic_command("home", 1, 1)
    end = time.monotonic() + 20
    while line.generic_command("", 1, 1).status == "BUSY" and time.monotonic() < end:
        time.sleep(0.02)
    found["homed"] = sorted(first.warnings.get_flags())
    found["moving"] = line.generic_command("move abs 2099738", 1, 1).status
    while line.generic_command("", 1, 1).status == "BUSY" and time.monotonic() < end:
        time.sleep(0.02)
    found["pos"] = line.generic_command("get pos", 1, 1).data
    try:
        line.generic_command("move abs 99999999", 1, 1)
    except CommandFailedException as error:
        found["rejected"] = str(error)
print(json.dumps(found))
