"""pymeasure's MKS 937B reads a gauge controller: argv PORT."""

import json
import sys

from pymeasure.adapters import SerialAdapter
from pymeasure.instruments.mksinst.mks937b import MKS937B, Unit

port = SerialAdapter(
    sys.argv[1], baudrate=9600, timeout=3, write_termination=";FF", read_termination=";"
)
gauge = MKS937B(port)
found = {"serial": gauge.serial, "unit": gauge.unit, "torr": gauge.ch_1.pressure}
gauge.unit = Unit.Pa
found["pascal"] = gauge.ch_1.pressure
found["all"] = gauge.all_pressures
found["power"] = gauge.ch_3.power_enabled
gauge.ch_3.power_enabled = True
found["power_then"] = gauge.ch_3.power_enabled
found["cold_cathode"] = [gauge.ch_3.pressure, gauge.ch_3.ion_gauge_status]
found["pirani_then"] = gauge.ch_1.pressure
found["no_ion_gauge"] = gauge.ch_1.ion_gauge_status
gauge.unit = Unit.Torr
print(json.dumps(found))
