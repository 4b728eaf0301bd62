"""SymPy within a budget: its integrals may run for hours, and do not look at a clock."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

from ..deadline import OutOfTime, check_time

T = TypeVar("T")
MILLION = 1_000_000
EVERY = 2_000
"""Calls of functions between two looks at the clock."""
SECONDS = 60.0
"""Of processor time, for what takes long without calling anything."""


def limited(call: Callable[[], T], calls: float) -> T | None:
    """What a call gives, or None if it takes more than so many calls of Python functions, or SymPy gives up.

    Calls are counted and not seconds, so that what is found depends neither on the machine nor on what else it does;
    a million take about 0.8 s here. A tracing hook of this thread counts them: no signal, no other thread. A hook that was
    there, of a debugger, is put back afterwards. An outer limit, `deadline.within`, holds as well.

    Raises:
        OutOfTime: the outer limit has passed.
    """
    until, left = time.thread_time() + SECONDS, calls

    def look(frame: Any, event: str, arg: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0 or (left % EVERY == 0 and time.thread_time() > until):
            raise OutOfTime("the budget is spent")

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
