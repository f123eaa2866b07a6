"""`umodbus` works the heater and the valves on one line: argv PORT."""

import json
import sys

from serial import Serial
from umodbus import exceptions
from umodbus.client.serial import rtu


def refused(message):
    try:
        rtu.send_message(message, line)
    except exceptions.ModbusError as error:
        return type(error).__name__
    return ""


with Serial(sys.argv[1], timeout=3) as line:
    rtu.send_message(rtu.write_multiple_registers(1, 1, [3500, 1]), line)
    rtu.send_message(rtu.write_single_coil(2, 0, 1), line)
    rtu.send_message(rtu.write_multiple_coils(2, 0, [1, 0]), line)
    found = {
        "registers": rtu.send_message(rtu.read_holding_registers(1, 0, 4), line),
        "coils": rtu.send_message(rtu.read_coils(2, 0, 2), line),
        "too_hot": refused(rtu.write_single_register(1, 1, 9000)),
        "nowhere": refused(rtu.read_holding_registers(1, 77, 1)),
        "no_inputs": refused(rtu.read_input_registers(1, 0, 1)),
        "too_many": refused(rtu.read_holding_registers(1, 3, 2)),
    }
print(json.dumps(found))
