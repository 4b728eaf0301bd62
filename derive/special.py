"""Functions of stable programs that neither NumPy nor SciPy has: on arrays, and while a function is traced.

``dv.special.log1mexp(x)`` is ``log(1 - exp(-x))`` to the last digits; ``dir(dv.special)`` names all of them, and
docs/operations.md says what each is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import UnknownName, closest
from .frontends.traced import Traced
from .ops._record import Elementwise
from .ops.elementwise import elementwise_ops

PREFIX = "derive.special."


def _function(op: Elementwise) -> Callable[..., Any]:
    """The function of a record, of arrays or of what stands for them in a trace."""

    def function(*arguments: Any) -> Any:
        for x in arguments:
            if isinstance(x, Traced):
                return x.owner.innermost().call(PREFIX + op.name, arguments, {})
        if op.value is None:
            raise UnknownName(f"{op.name} has no value on arrays")
        with np.errstate(all="ignore"):
            return op.value(*map(np.asarray, arguments))[()]

    function.__name__ = function.__qualname__ = op.name
    function.__module__ = __name__
    function.__doc__ = op.head.__doc__ if op.head else op.source
    return function


_FUNCTIONS = {op.name: _function(op) for op in elementwise_ops() if PREFIX + op.name in op.numpy}


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    if name.startswith("_"):
        raise AttributeError(name)
    raise AttributeError(f"derive.special has no {name!r}; {closest(name, _FUNCTIONS)}")


def __dir__() -> list[str]:
    return sorted(_FUNCTIONS)
