"""`matterlab-pumps` sets up a pump, draws and gives out: argv PORT."""

import json
import sys

from matterlab_pumps.tecan_xlp_pump import TecanXLPPump

pump = TecanXLPPump(
    sys.argv[1], 0, 1e-3, 3, init_valve=1, out_valve=3, fine_pos=False, connect_hardware=False
)
# its own constructor connects before it has these
pump.top_speed, pump.speed_slope = 1000, 14
pump.connect()
# an XP 3000 has half of an XLP's steps
pump._max_step = 3000
found = {"backlash": pump.report_backlash_position(), "home": pump.report_home_position()}
pump.port, pump.volume = 1, 0.5
found["drawn"] = pump.volume
pump.port, pump.volume = 2, 0.2
found["left"], found["port"] = pump.volume, pump.port
pump.report_plunger_move_counting()
found["moves"] = pump._plunger_move
print(json.dumps(found))
