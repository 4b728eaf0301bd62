"""SymPy within a time limit: its integrals may run for hours, and do not look at a clock."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

from ..deadline import OutOfTime, check_time

T = TypeVar("T")
EVERY = 2_000
"""Calls of functions between two looks at the clock."""


def limited(call: Callable[[], T], seconds: float) -> T | None:
    """What a call gives, or None if it takes more processor time than this, or SymPy gives up.

    A tracing hook of this thread counts function calls and looks at the clock of the thread: no signal, no other thread.
    A hook that was there, of a debugger, is put back afterwards. An outer limit, `deadline.within`, holds as well.

    Raises:
        OutOfTime: the outer limit has passed.
    """
    until, calls = time.thread_time() + seconds, 0

    def look(frame: Any, event: str, arg: Any) -> None:
        nonlocal calls
        calls += 1
        if calls % EVERY == 0 and time.thread_time() > until:
            raise OutOfTime("the time limit has passed")

    before = sys.gettrace()
    sys.settrace(look)
    try:
        return call()
    except OutOfTime:
        return None
    except (
        ValueError,
        TypeError,
        NotImplementedError,
        ArithmeticError,
        AttributeError,
        KeyError,
        RecursionError,
        IndexError,
    ):
        return None  # what SymPy raises where it has no rule
    finally:
        sys.settrace(before)
        check_time()
