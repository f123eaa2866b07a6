"""A collinear four-point probe on a small square sample.

The sheet resistance of an infinite film follows from V/I with pi/ln 2 = 4.5324. On a square of
10 mm with 1 mm between the probes (centred, parallel to a side) the factor is 4.2209 [Smits 1958,
table for a/d = 1, d/s = 10]; a driver that takes 4.5324 finds 7.4 % too much.
"""

from __future__ import annotations

import math

INFINITE_FACTOR = math.pi / math.log(2.0)
SQUARE_FACTOR = 4.2209
