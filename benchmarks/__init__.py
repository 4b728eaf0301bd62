"""Measurements: how fast derivations are, and how fast the derived kernels are beside what a user would pick instead."""

import os

# One thread for everybody, set before any library starts its threads: shared cores make more of them meaningless.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
