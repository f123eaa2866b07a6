"""The rate of an SQM-160 by pymeasure, again and again: argv PORT N; prints JSON."""

import json
import statistics
import sys
import time

from pymeasure.adapters import SerialAdapter
from pymeasure.instruments.inficon.sqm160 import SQM160

monitor = SQM160(SerialAdapter(sys.argv[1], baudrate=19200, timeout=5))
monitor.sensor_1.rate  # noqa: B018 - the first one is slower
took, cpu = [], time.process_time()
n = int(sys.argv[2])
for _ in range(n):
    began = time.perf_counter()
    monitor.sensor_1.rate  # noqa: B018 - a property that asks
    took.append(1e6 * (time.perf_counter() - began))
print(
    json.dumps(
        {"median_us": statistics.median(took), "cpu_us": 1e6 * (time.process_time() - cpu) / n}
    )
)
