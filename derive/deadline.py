"""A time limit that long loops look at themselves: no signal and no thread, so it works in every process.

What is counted is processor time of the thread: how much is found does not depend on what else the machine does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_until: ContextVar[float] = ContextVar("until", default=float("inf"))
_patience: ContextVar[float] = ContextVar("patience", default=1.0)


class OutOfTime(TimeoutError):
    """The time limit of a block `within` has passed."""


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """A block in which `check_time` raises once this much time has passed; an earlier limit around it stays in force.

    Args:
        seconds: of processor time from now on; None for no limit of its own.
    """
    limit = _until.get()
    if seconds is not None:
        limit = min(limit, time.thread_time() + seconds * _patience.get())
    token = _until.set(limit)
    try:
        yield
    finally:
        _until.reset(token)


@contextmanager
def patient(factor: float) -> Iterator[None]:
    """A block in which every limit that begins there is so many times longer."""
    token = _patience.set(_patience.get() * factor)
    try:
        yield
    finally:
        _patience.reset(token)


def check_time() -> None:
    """Called in loops that may run long.

    Raises:
        OutOfTime: the limit of the innermost block has passed.
    """
    if time.thread_time() > _until.get():
        raise OutOfTime("the time limit has passed")
