"""What this machine can do at most: the rate of matrix products, and the bandwidth of its memory and of its cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import cycle, repeat
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from .cache import load_function

L3 = Path("/sys/devices/system/cpu/cpu0/cache/index3/size")
UNITS = {"K": 1 << 10, "M": 1 << 20}
PIECE = 1 << 22
"""Bytes that one timed call goes through; over a larger array the calls go on with the next piece."""
TRIAD = '''"""Reads two arrays and writes a third, block by block."""

import numpy as np
from numba import njit, prange


@njit(cache=True, fastmath=True, nogil=True{parallel})
def triad(a, b, c, blocks):
    n = len(a)
    for block in prange(blocks):
        for i in range(block * n // blocks, (block + 1) * n // blocks):
            c[i] = a[i] + 3.0 * b[i]
'''


@dataclass(frozen=True)
class Limits:
    """Measured with so many threads, in operations and bytes per second; `cache` is the size of the last cache in bytes."""

    threads: int
    double: float
    single: float
    memory: float
    cached: float
    cache: int

    def products(self, dtype: Any) -> float:
        """Operations per second of a matrix product."""
        return self.single if np.dtype(dtype) == np.float32 else self.double

    def bandwidth(self, size: float) -> float:
        """Bytes per second of a loop that moves so many."""
        return self.cached if size <= self.cache else self.memory


@cache
def measured_limits(threads: int = 1) -> Limits:
    """The limits of this machine, measured once in a process, in about two seconds."""
    cache_size = cache_bytes()
    return Limits(
        threads,
        product_rate("float64", threads),
        product_rate("float32", threads),
        triad_rate(6 * cache_size, threads),
        triad_rate(cache_size // 4, threads),
        cache_size,
    )


def cache_bytes() -> int:
    """The size of the last level of cache; 32 MiB where the system does not say."""
    try:
        text = L3.read_text(encoding="utf-8").strip()
        return int(text[:-1]) * UNITS[text[-1]]
    except (OSError, ValueError, KeyError, IndexError):
        return 32 << 20


def undisturbed(calls: Iterator[Callable[[], Any]], seconds: float = 0.3) -> float:
    """The time of a call that others do not disturb: a tenth of all calls are faster.

    Calls of a millisecond or so: a longer one never has the processor for itself on a busy machine.
    """
    next(calls)()
    found: list[float] = []
    end = perf_counter() + seconds
    while perf_counter() < end or len(found) < 20:
        call = next(calls)
        start = perf_counter()
        call()
        found.append(perf_counter() - start)
    return float(np.quantile(found, 0.1))


def product_rate(dtype: str, threads: int) -> float:
    """Operations per second of NumPy's matrix product, with the threads that its library was started with."""
    n = 256 if threads == 1 else 768
    rng = np.random.default_rng(0)
    A, B = (rng.standard_normal((n, n)).astype(dtype) for _ in range(2))
    out = np.empty_like(A)
    return 2 * n**3 / undisturbed(repeat(lambda: np.matmul(A, B, out=out)))


def triad_rate(size: int, threads: int) -> float:
    """Bytes per second of c = a + 3 b, as reads and writes are counted, over arrays that take `size` bytes together."""
    import numba
    from numba import types

    real = types.Array(types.float64, 1, "C")
    source = TRIAD.format(parallel=", parallel=True" if threads > 1 else "")
    triad = load_function(source, "triad", (real, real, real, types.intp))
    a, b, c = (np.full(size // 24, value) for value in (1.0, 2.0, 0.0))
    step = min(len(a), PIECE // 24)
    starts = range(0, len(a) - step + 1, step)
    pieces = [[x[start : start + step] for x in (a, b, c)] for start in starts]
    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        return 24 * step / undisturbed(partial(triad, *piece, threads) for piece in cycle(pieces))
    finally:
        numba.set_num_threads(before)
