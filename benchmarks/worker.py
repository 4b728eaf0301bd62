"""`python -m benchmarks.worker JOB`: run the cases of one job in a process of its own, a line of JSON for each record.

A job is JSON: cases, dtypes, threads, peers, seconds; or `compile`, to do only that.
The process was started with its number of threads, see `suite`.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from contextlib import suppress
from typing import Any

JOB = {"cases": [], "dtypes": ["float64"], "threads": 1, "peers": [], "seconds": 0.3, "compile": False}


def environment(threads: int) -> dict[str, str]:
    """The variables that a worker is started with: every library reads some of them when it is loaded."""
    names = "OPENBLAS_NUM_THREADS OMP_NUM_THREADS MKL_NUM_THREADS NUMBA_NUM_THREADS DERIVE_NUM_THREADS NPROC"
    found = {**os.environ, **dict.fromkeys(names.split(), str(threads))}
    found["JAX_PLATFORMS"] = "cpu"
    return found


def confine(threads: int) -> None:
    """Keep the process to so many processors: jax has no other setting for the number of its threads."""
    if hasattr(os, "sched_setaffinity"):
        available = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, available[-threads:])


def main() -> None:
    """Run the job that stands in the arguments."""
    job = {**JOB, **json.loads(sys.argv[1])}
    if job["compile"]:
        compile_only(job)
        return
    confine(job["threads"])
    from .case import all_cases
    from .measure import measure
    from .peers._record import Setting

    by_name = {case.name: case for case in all_cases()}
    for name in job["cases"]:
        for dtype in job["dtypes"]:
            setting = Setting(dtype, job["threads"])
            try:
                say(measure(by_name[name], setting, job["peers"], job["seconds"]))
            except Exception as error:
                text = f"{type(error).__name__}: {error}"
                say({"case": name, "dtype": dtype, "threads": job["threads"], "error": text,
                     "group": by_name[name].group, "trace": traceback.format_exc()[-1500:]})  # fmt: skip


def compile_only(job: dict[str, Any]) -> None:
    """Fill the cache of kernels, so that what is timed later waits for no compiler; failures show up there."""
    from .case import all_cases

    by_name = {case.name: case for case in all_cases()}
    for name in job["cases"]:
        for dtype in job["dtypes"]:
            with suppress(Exception):
                by_name[name].derived.compile(dtype, parallel=job["threads"] > 1)
            say({"case": name, "dtype": dtype})


def say(record: dict[str, Any]) -> None:
    print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
