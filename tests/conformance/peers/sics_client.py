"""`labmcp-mettler-toledo` identifies, weighs, tares and zeroes: argv PORT."""

import json
import sys

from labmcp import InstrumentProtocolError, open_transport
from labmcp_mettler_toledo.driver import MTSICSBalance

transport = open_transport(
    f"serial://{sys.argv[1]}", baudrate=9600, read_termination="\r\n", write_termination="\r\n"
)
try:
    balance = MTSICSBalance(transport)
    found: dict[str, object] = dict(balance.identify())
    weight = balance.weight()
    found["gram"], found["unit"], found["stable"] = weight.value, weight.unit, weight.stable
    found["at_once"] = balance.weight(stable=False).value
    found["tare"] = balance.tare().value
    found["net"] = balance.weight().value
    found["preset"] = balance.preset_tare(1.5, "g").value
    balance.clear_tare()
    found["zeroed"] = balance.zero()
    found["serial_after_reset"] = balance.reset()
    try:
        balance.command("XX")
    except InstrumentProtocolError as error:
        found["refused"] = str(error)
    print(json.dumps(found))
finally:
    transport.close()
