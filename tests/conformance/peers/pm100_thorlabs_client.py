"""`ThorlabsPM100`, over PyVISA: long words, limits, registers, and many readings: argv PORT."""

import json
import os
import sys

import pyvisa
from ThorlabsPM100 import ThorlabsPM100

resource = f"ASRL{os.path.realpath(sys.argv[1])}::INSTR"
inst = pyvisa.ResourceManager("@py").open_resource(
    resource, timeout=3000, read_termination="\n", write_termination="\n"
)
meter = ThorlabsPM100(inst=inst)
correction = meter.sense.correction
found = {
    "wavelengths": [correction.minimum_wavelength, correction.maximum_wavelength],
    "ranges": [
        meter.sense.power.dc.range.minimum_upper,
        meter.sense.power.dc.range.maximum_upper,
    ],
}
correction.wavelength = 550
meter.sense.average.count = 100
meter.sense.power.dc.range.auto = "ON"
meter.input.pdiode.filter.lpass.state = 1
correction.loss.input.magnitude = 0
meter.configure.scalar.power()
found["wavelength"] = correction.wavelength
found["averaging"] = meter.sense.average.count
found["filter"] = meter.input.pdiode.filter.lpass.state
found["powers"] = sorted({meter.read for _ in range(50)})
meter.initiate.immediate()
found["fetched"] = meter.fetch
found["events"] = [meter.status.questionable.event, meter.status.measurement.condition]
found["error"] = meter.system.error.next
correction.wavelength = 5
found["refused"] = meter.system.error.next
found["still"] = correction.wavelength
inst.close()
print(json.dumps(found))
