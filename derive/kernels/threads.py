"""The threads of parallel kernels: how many there are, who may use them, and that they sleep while they wait."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from ..errors import DomainError

_ONE_AT_A_TIME = threading.Lock()
_POLICY = "OMP_WAIT_POLICY"


def start_threads() -> None:
    """Start Numba's threads, unless they run.

    Those of OpenMP wait in a loop by default. Where others use the processor too, that keeps the last one from its work
    until its time slice comes, milliseconds later; threads that sleep are there after some 10 microseconds. The policy is
    read once, when the library is loaded: a user's own is kept, and ours is not left behind for others.
    """
    import numba

    if _POLICY in os.environ or "GOMP_SPINCOUNT" in os.environ:
        numba.get_num_threads()
        return
    os.environ[_POLICY] = "passive"
    try:
        numba.get_num_threads()
    finally:
        del os.environ[_POLICY]


def with_threads(function: Callable[..., Any], values: tuple[Any, ...], several: bool) -> Any:
    """Call a parallel function: one at a time, as not every threading layer takes two callers.

    several: give it all threads, not one only.

    Raises:
        DomainError: DERIVE_NUM_THREADS is no positive integer.
    """
    import numba

    config: Any = numba.config
    wanted = thread_count(config.NUMBA_NUM_THREADS) if several else 1
    with _ONE_AT_A_TIME:
        before = numba.get_num_threads()
        if before == wanted:
            return function(*values, wanted)
        numba.set_num_threads(wanted)
        try:
            return function(*values, wanted)
        finally:
            numba.set_num_threads(before)


def thread_count(available: int) -> int:
    """The number of threads for parallel kernels: DERIVE_NUM_THREADS, at most what Numba was started with.

    Raises:
        DomainError: the variable is no positive integer.
    """
    text = os.environ.get("DERIVE_NUM_THREADS", "")
    if not text:
        return available
    if not text.isdigit() or int(text) < 1:
        raise DomainError(f"DERIVE_NUM_THREADS is {text!r}; a positive integer was expected")
    return min(int(text), available)
