"""`ika` heats, stirs and arms the watchdog: argv PORT.

It opens the port with 7 bits and even parity, which a pseudo-terminal does not emulate.
"""

import json
import os
import sys
import time

import serial
from ika.abc import IKADevice
from ika.magnetic_stirrer import MagneticStirrer


def eight_bits(port: str, baudrate: int, *_: object) -> serial.Serial:
    return serial.Serial(port, baudrate, timeout=5)


sys.modules["ika.abc"].Serial = eight_bits  # type: ignore[attr-defined]
plate = MagneticStirrer(os.path.realpath(sys.argv[1]))
# its read_device_name compares with a name that still has its CR, and fails on every device
name = IKADevice._send_and_receive(plate, plate.READ_THE_DEVICE_NAME).strip()
found: dict[str, object] = {"name": name}
found["before"] = plate.hotplate_sensor_temperature()
plate.set_target_temperature(80)
plate.set_target_stir_rate(400)
plate.start_heating()
plate.start_stirring()
found["target"], found["speed_target"] = plate.target_temperature(), plate.target_stir_rate()
found["safety"] = plate.hardware_safety_temperature()
time.sleep(0.5)
found["after"], found["speed"] = plate.hotplate_sensor_temperature(), plate.stir_rate()
found["watchdog"] = plate._send_and_receive(plate.WATCHDOG_MODE_2 + "60 ")
plate._send_and_receive(plate.WATCHDOG_MODE_2 + "0 ")
plate.stop_heating()
plate.stop_stirring()
print(json.dumps(found))
