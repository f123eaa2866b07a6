"""Zaber's earlier library `zaber.serial` drives the second stage of a chain: argv PORT."""

import json
import sys
import time

from zaber.serial import AsciiDevice, AsciiSerial

port = AsciiSerial(sys.argv[1], timeout=5)
stage = AsciiDevice(port, 2)
before = stage.send("get pos")
stage.home()
stage.move_abs(420000)
found = {
    "before": [before.reply_flag, before.warning_flag, before.checksum is not None],
    "pos": stage.get_position(),
    "status": stage.get_status(),
}
stage.axis(1).send("move abs 3000000")
stage.stop()
end = time.monotonic() + 10
while stage.get_status() == "BUSY" and time.monotonic() < end:
    time.sleep(0.02)
after = stage.send("")
found["after"] = [after.warning_flag, stage.get_position() < 3000000]
refused = stage.send("get no.such.setting")
found["refused"] = [refused.reply_flag, refused.data]
port.close()
print(json.dumps(found))
