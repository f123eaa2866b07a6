"""One script per planner, each to be run in an environment of its own: `play.py` has the loop.

One thread each: said here, before numpy or torch is imported.
"""

import os

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
