"""`labmcp-cavro` draws, gives out and is refused: argv PORT ADDRESS."""

import json
import sys

from labmcp import open_transport
from labmcp_cavro.driver import CavroError, CavroPump

transport = open_transport(
    f"serial://{sys.argv[1]}", baudrate=9600, read_termination="\x03\r\n", write_termination="\r"
)
try:
    pump = CavroPump(transport, address=sys.argv[2], syringe_ul=1000.0, model="xcalibur")
    found: dict[str, object] = {"firmware": pump.identify()["firmware"]}
    try:
        pump.move_plunger("A", 100, 1400, 10.0)
    except CavroError as error:
        found["refused"] = error.code
    pump.initialize(force=0, input_port=1, output_port=3)
    found["after_init"] = pump.plunger_steps()
    found["inlet"] = pump.move_valve("I1")
    found["drawn"] = pump.move_plunger("A", 1500, 6000 - 200, 60.0).position_steps
    found["outlet"] = pump.move_valve("I2")
    found["given"] = pump.move_plunger("D", 900, 1400, 60.0).position_steps
    found["speed"], found["mode"] = pump.top_speed(), pump.mode()
    try:
        pump.move_plunger("A", 3500, 1400, 10.0)
    except CavroError as error:
        found["too_far"] = error.code
    found["ready"] = pump.terminate().ready
    print(json.dumps(found))
finally:
    transport.close()
