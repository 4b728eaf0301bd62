"""A time limit that long loops look at themselves: no signal and no thread, so it works in every process.

What is counted is processor time of the thread: how much is found does not depend on what else the machine does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_until: ContextVar[float] = ContextVar("until", default=float("inf"))


class OutOfTime(TimeoutError):
    """The time limit of a block `within` has passed."""


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """A block in which `check_time` raises once this much time has passed; an earlier limit around it stays in force.

    Args:
        seconds: of processor time from now on; None for no limit of its own.
    """
    limit = _until.get() if seconds is None else min(_until.get(), time.thread_time() + seconds)
    token = _until.set(limit)
    try:
        yield
    finally:
        _until.reset(token)


def check_time() -> None:
    """Called in loops that may run long.

    Raises:
        OutOfTime: the limit of the innermost block has passed.
    """
    if time.thread_time() > _until.get():
        raise OutOfTime("the time limit has passed")
