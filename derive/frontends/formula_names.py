"""What the names in a formula stand for: constants, and functions by the records of operations."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache

import numpy as np
import sympy

from ..ops.elementwise import elementwise_ops, op_of_numpy
from ..ops.tensor import tensor_ops

PREFIXES = {
    "numpy": ("", "np.", "numpy."),
    "numpy.linalg": ("", "linalg.", "np.linalg.", "numpy.linalg."),
    "scipy.special": ("", "special.", "scipy.special."),
    "scipy.linalg": ("", "linalg.", "scipy.linalg."),
    "derive.special": ("", "special.", "dv.special."),
}
"""How the functions of a library may be written; a bare name means the first library that has it."""

LINEAR_ALGEBRA = ("inv", "det", "slogdet", "solve", "pinv", "cholesky", "matrix_power", "matrix_norm", "lstsq")
"""Names that are known to be NumPy's, whether or not they have a record."""

ALIASES = {
    "tr": "numpy.trace", "asin": "numpy.arcsin", "acos": "numpy.arccos", "atan": "numpy.arctan", "atan2": "numpy.arctan2",
    "asinh": "numpy.arcsinh", "acosh": "numpy.arccosh", "atanh": "numpy.arctanh", "abs": "numpy.absolute",
}  # fmt: skip
"""MATLAB's and matrixcalculus.org's names for NumPy's functions."""

DERIVATIVES = {"grad": 2, "jacobian": 2, "hessian": 2, "jvp": 3, "vjp": 3}
"""Functions of a formula that differentiate, and how many arguments they take."""

MEANS = ("expectation", "variance", "covariance")
"""Functions of a formula that integrate random variables out."""

OWN = ("norm1", "norm2", "logdet", "relu", "vec", "vector", "matrix", "transpose", *DERIVATIVES, *MEANS)
"""Functions of formulas that are written with others; see `formula_lower`."""

CONSTANTS = {
    "pi": sympy.pi, "np.pi": sympy.pi, "np.e": sympy.E, "inf": sympy.oo, "np.inf": sympy.oo,
    "np.euler_gamma": sympy.EulerGamma,
}  # fmt: skip

OF_TWO = {"max": "numpy.maximum", "min": "numpy.minimum"}
"""Functions that compare their arguments when they are given two."""

UNLIKE = {
    "var": "MATLAB divides by n-1, NumPy by n: write np.var(x), or np.var(x, ddof=1)",
    "std": "MATLAB divides by n-1, NumPy by n: write np.std(x), or np.std(x, ddof=1)",
    "ones": "ones(n) is a matrix in MATLAB and a vector in NumPy: write vector(1), matrix(1) or np.ones(n)",
    "zeros": "zeros(n) is a matrix in MATLAB and a vector in NumPy: write vector(0), matrix(0) or np.zeros(n)",
    "cumsum": "of a matrix it runs along columns in MATLAB and over all entries in NumPy: write np.cumsum(A, axis=0)",
    "cumprod": "of a matrix it runs along columns in MATLAB and over all entries in NumPy: write np.cumprod(A, axis=0)",
}
"""Bare names that mean one thing in MATLAB and another in NumPy: in MATLAB style they must be spelled out."""

BY_ENTRY = {"numpy.where", "numpy.clip"}
"""Tensor operations whose arguments must have one shape."""

OPTIONS = {
    "axis", "axes", "axis1", "axis2", "keepdims", "ddof", "ord", "full_matrices", "k", "n", "offset", "shift", "min", "max",
}  # fmt: skip
"""Options of functions that a formula may set."""


@cache
def functions() -> dict[str, str]:
    """Every way to write a function -> the name that records answer to."""
    dotted = [n for n in tensor_ops() if "." in n]
    dotted += [n for op in elementwise_ops() for n in op.numpy]
    dotted += [f"numpy.linalg.{n}" for n in LINEAR_ALGEBRA]
    table: dict[str, str] = dict(ALIASES)
    for library, prefixes in PREFIXES.items():
        for name in dotted:
            front, _, bare = name.rpartition(".")
            if front == library:
                for prefix in prefixes:
                    table.setdefault(prefix + bare, name)
    for op in elementwise_ops():
        if op.numpy:
            table.setdefault(op.name, op.numpy[0])
    for alias, ufunc in vars(np).items():
        if isinstance(ufunc, np.ufunc) and f"np.{ufunc.__name__}" in table:
            for prefix in ("np.", "numpy."):
                table.setdefault(prefix + alias, table[f"np.{ufunc.__name__}"])
    return table


def methods() -> set[str]:
    """The methods of arrays that have a record."""
    return {name for name in tensor_ops() if "." not in name}


def is_elementwise(name: str) -> bool:
    """Whether a function works entry by entry, so that all its arguments are arrays."""
    return name not in tensor_ops() and op_of_numpy(name) is not None


def canonical(name: str) -> str:
    """``np.foo`` in full, for a function that has no record."""
    return "numpy." + name.removeprefix("np.") if name.startswith("np.") else name


def near(name: str) -> str:
    """The functions whose names are like this one, as the end of a message."""
    return near_of(name, {*(n for n in functions() if "." not in n), *OWN})


def near_of(name: str, names: Iterable[str]) -> str:
    """The names that are like this one, as the end of a message; nothing if there are none."""
    found = get_close_matches(name, sorted(names), cutoff=0.6)
    return "; did you mean " + " or ".join(found) + "?" if found else ""
