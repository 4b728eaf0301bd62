"""`python -m benchmarks.limits THREADS`: what this machine can do at most, as JSON: matrix products and bandwidth."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

L3 = Path("/sys/devices/system/cpu/cpu0/cache/index3/size")
SUFFIXES = {"K": 1 << 10, "M": 1 << 20}


def cache_bytes() -> int:
    """The size of the last level of cache; 32 MiB where the system does not say."""
    try:
        text = L3.read_text().strip()
        return int(text[:-1]) * SUFFIXES[text[-1]]
    except (OSError, ValueError, KeyError, IndexError):
        return 32 << 20


def best(call: Any, seconds: float = 0.4) -> float:
    """The shortest of the runs that fit into this time."""
    call()
    found, end = [], perf_counter() + seconds
    while perf_counter() < end or len(found) < 3:
        start = perf_counter()
        call()
        found.append(perf_counter() - start)
    return min(found)


def gemm_rate(dtype: str, n: int = 1024) -> float:
    """Floating point operations per second of NumPy's matrix product."""
    rng = np.random.default_rng(0)
    A, B = (rng.standard_normal((n, n)).astype(dtype) for _ in range(2))
    out = np.empty_like(A)
    return 2 * n**3 / best(lambda: np.matmul(A, B, out=out))


def triad_rate(size: int, threads: int) -> float:
    """Bytes per second of c = a + 3 b over arrays that take `size` bytes together, as reads and writes are counted."""
    from numba import njit, prange, set_num_threads

    set_num_threads(threads)

    @njit(parallel=threads > 1, fastmath=True)
    def triad(a: Any, b: Any, c: Any, blocks: int, times: int) -> None:
        n = len(a)
        for block in prange(blocks):
            for _ in range(times):
                for i in range(block * n // blocks, (block + 1) * n // blocks):
                    c[i] = a[i] + 3.0 * b[i]

    a, b, c = (np.full(size // 24, value) for value in (1.0, 2.0, 0.0))
    times = max(1, (1 << 28) // size)
    return a.nbytes * 3 * times / best(lambda: triad(a, b, c, threads, times))


def limits(threads: int) -> dict[str, Any]:
    """The limits with so many threads."""
    cache = cache_bytes()
    return {
        "gemm float64": gemm_rate("float64"),
        "gemm float32": gemm_rate("float32"),
        "DRAM bytes per second": triad_rate(6 * cache, threads),
        "L3 bytes per second": triad_rate(cache // 4, threads),
        "cache bytes": cache,
    }


def limit_lines(found: dict[str, Any]) -> list[str]:
    """Markdown: a row for each number of threads."""
    lines = ["| threads | dgemm, GFLOP/s | sgemm, GFLOP/s | DRAM, GB/s | L3, GB/s |", "|---|---|---|---|---|"]
    for threads, here in found.items():
        keys = ("gemm float64", "gemm float32", "DRAM bytes per second", "L3 bytes per second")
        lines.append(f"| {threads} | " + " | ".join(f"{here[k] / 1e9:.0f}" for k in keys) + " |")
    return [*lines, ""]


if __name__ == "__main__":
    from .worker import confine

    confine(int(sys.argv[1]))
    print(json.dumps(limits(int(sys.argv[1]))))
