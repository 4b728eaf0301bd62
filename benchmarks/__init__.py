"""Measurements: how fast derivations are, and how fast the derived kernels are beside what a user would pick instead."""

import os
import sys
from pathlib import Path

# One thread for everybody, set before any library starts its threads; workers are started with their own settings.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

EXAMPLES = str(Path(__file__).parents[1] / "examples")
if EXAMPLES not in sys.path:
    sys.path.insert(0, EXAMPLES)  # cases use its layers
