"""Writes a NeXus file by the NeXus organisation's own package. `nexus_writer.py FILE`"""

import json
import sys

import numpy as np
from nexusformat.nexus import NXdata, NXentry, NXfield, NXroot

x = np.linspace(24.0, 26.0, 41)
y = np.round(500 / (1 + ((x - 25.3) / 0.1) ** 2))
axis = NXfield(x, name="two_theta", units="degree")
root = NXroot(NXentry(NXdata(NXfield(y, name="counts", units="counts"), axis), title="films-1"))
root["entry/data"].set_default()
root.save(sys.argv[1], "w")
print(json.dumps({"x": x.tolist(), "y": y.tolist()}))
