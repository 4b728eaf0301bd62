"""A SymPy formula applied to the entries of traced arrays: how laws of arrays are made of laws of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sympy import Expr


def entrywise(formula: Callable[..., Expr], *arrays: Any) -> Any:
    """The formula at each entry, with NumPy's broadcasting."""
    return arrays[0].owner.elementwise(formula, arrays, "entry", np.dtype(float))
