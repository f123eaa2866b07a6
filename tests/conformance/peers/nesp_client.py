"""`NESP-Lib` infuses half a millilitre: argv PORT SILENCE (seconds; 0 is basic mode)."""

import json
import os
import sys

from nesp_lib import Port, Pump, PumpingDirection

with Port(os.path.realpath(sys.argv[1]), 19200) as port:
    # a pump that was just switched on has an alarm pending. It answers in basic mode, and the
    # library waits for ever for a packet of safe mode: so the alarm is acknowledged first
    port._transmit(b"\r")
    while port._receive(1) != b"\x03":
        pass
    pump = Pump(port, safe_mode_timeout_s=int(sys.argv[2]))
    found: dict[str, object] = {
        "model": pump.model_number,
        "firmware": pump.firmware_version,
        "silence": pump.safe_mode_timeout_s,
    }
    pump.syringe_diameter_mm = 14.43
    pump.pumping_direction = PumpingDirection.INFUSE
    pump.pumping_volume_ml = 0.5
    pump.pumping_rate_ml_per_min = 1.5
    found["diameter"], found["direction"] = pump.syringe_diameter_mm, pump.pumping_direction.name
    found["volume"], found["rate"] = pump.pumping_volume_ml, pump.pumping_rate_ml_per_min
    pump.volume_infused_clear()
    found["before"] = pump.volume_infused_ml
    pump.run(wait_while_running=False)
    running = pump.running
    pump.wait_while_running()
    found["running"] = [running, pump.running]
    found["infused"] = pump.volume_infused_ml
    print(json.dumps(found), flush=True)
    os._exit(0)  # its heartbeat's thread does not end by itself
