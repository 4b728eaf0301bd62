"""How many units of the last place the functions of stable programs lose, value and derivatives, in every way to run them.

A function is measured on points spread over all magnitudes; what an exact function would make of an argument that is
off by half a unit is no error of the function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import mpmath
import numpy as np
from sympy import Expr

from derive.calculus.slopes import stable_derivative
from derive.emit.functions import by_own
from derive.emit.loops_helpers import helpers_for
from derive.ir.evaluate import evaluate
from derive.ir.nodes import Equation, Index, Program, Read, Tensor, size
from derive.ir.numbers import FLOAT64, MPMATH, _floating
from derive.ops._record import Elementwise

ORDERS = 4
IMPORTS = "import math\nimport numpy as np\nfrom llvmlite import ir\nfrom numba import njit\nfrom numba.extending import intrinsic\nreal = np.float32"
I = Index("i", size("n"))


@dataclass(frozen=True, eq=False)
class Case:
    """A function of scalars, and where it is measured.

    make: reads -> body.  points: the arguments, one array for each.  along: which argument derivatives are taken of.
    """

    name: str
    make: Callable[..., Expr]
    points: tuple[np.ndarray, ...]
    along: int = 0
    orders: int = ORDERS


def spread(low: float, high: float, count: int = 24, both: bool = False) -> np.ndarray:
    """Points whose logarithms are spread evenly, with either sign if `both`."""
    found = np.exp(np.linspace(np.log(low), np.log(high), count)) * np.linspace(1, 1.1, count)
    return np.concatenate([found, -found]) if both else found


def within(x: np.ndarray, dtype: Any) -> np.ndarray:
    """Points of a type; magnitudes that single precision does not have become those that it has."""
    return x if dtype is np.float64 else (np.sign(x) * np.clip(np.abs(x), 1e-18, 1e18)).astype(dtype)


@cache
def program(cases: tuple[Case, ...]) -> tuple[Program, dict[str, np.ndarray]]:
    """Value and derivatives of all cases as one program, and its inputs."""
    inputs, equations, values = [], [], {}
    for case in cases:
        own = [Tensor(f"{case.name}_at{k}", (size(f"n_{case.name}"),)) for k in range(len(case.points))]
        at = Index("i", size(f"n_{case.name}"))
        inputs += own
        values |= {t.name: x for t, x in zip(own, case.points, strict=True)}
        reads = [Read(t, (at,)) for t in own]
        body = case.make(*reads)
        for order in range(case.orders):
            target = Tensor(f"{case.name}_d{order}", (size(f"n_{case.name}"),))
            equations.append(Equation(target, (at,), body))
            body = stable_derivative(body, reads[case.along])
    outputs = tuple(e.target for e in equations)
    return Program(tuple(inputs), tuple(equations), outputs), values


def interpreted(cases: tuple[Case, ...]) -> dict[str, Any]:
    own, values = program(cases)
    with np.errstate(all="ignore"):
        return dict(evaluate(own, values, FLOAT64))


def compiled(cases: tuple[Case, ...], dtype: Any = np.float64) -> dict[str, Any]:
    """The same with every function as kernels have it."""
    own, values = program(cases)
    numbers = replace(_floating(dtype), apply=lambda op, *args: kernel_function(op, args, dtype))
    with np.errstate(all="ignore"):
        return dict(evaluate(own, {name: within(x, dtype) for name, x in values.items()}, numbers))


def kernel_function(op: Elementwise, args: Sequence[Any], dtype: Any) -> Any:
    """A function on arrays, by the code that a kernel brings along for it."""
    orders, arrays = args[: op.constants], args[op.constants :]
    found = _compiled_function(op, tuple(int(np.ravel(n)[0]) for n in orders), dtype)
    broadcast = np.broadcast_arrays(*(np.asarray(a, dtype=dtype) for a in arrays))
    result = np.empty(broadcast[0].size, dtype=dtype)
    found(result, *(np.ravel(a).copy() for a in broadcast))
    return result.reshape(broadcast[0].shape)


@cache
def _compiled_function(op: Elementwise, orders: tuple[int, ...], dtype: Any) -> Any:
    names = "xyz"[: op.arity - op.constants]
    spelling = by_own(op.spelling["numba"])
    call = spelling.format(*orders, *(f"{name}[i]" for name in names))
    helpers = "\n\n".join(helpers_for(call, dtype is np.float32, True))
    loop = f"def function(w, {', '.join(names)}):\n    for i in range(w.size):\n        w[i] = {call}\n"
    source = f"{IMPORTS}\n\n{helpers}\n\n@njit(error_model='numpy')\n{loop}"
    found: dict[str, Any] = {}
    exec(source.replace("cache=True, ", ""), found)
    return found["function"]


def exact(case: Case, dtype: Any = np.float64, digits: int = 60) -> list[list[Any]]:
    """Value and derivatives to many digits, and one derivative more, for the condition."""
    more = Case(case.name, case.make, case.points, case.along, case.orders + 1)
    own, values = program((more,))
    with mpmath.workdps(digits):
        rounded = {name: MPMATH.array(within(x, dtype).astype(float)) for name, x in values.items()}
        found = evaluate(own, rounded, MPMATH)
        return [list(found[f"{case.name}_d{order}"]) for order in range(more.orders)]


def units(
    found: Sequence[Any], truth: Sequence[Any], slope: Sequence[Any], x: Sequence[Any], dtype: Any
) -> np.ndarray:
    """The error of each number in units of its last place, or of what the last place of the argument makes, if that is more."""
    errors = []
    for y, t, s, v in zip(found, truth, slope, x, strict=True):
        if not mpmath.isfinite(t) or not np.isfinite(dtype(float(t))):
            errors.append(0.0 if dtype(float(t)) == y or np.isnan(float(t)) else np.inf)
            continue
        unit = max(
            float(np.spacing(np.abs(dtype(float(t))))), float(abs(s)) * float(np.spacing(np.abs(dtype(v))))
        )
        errors.append(float(abs(mpmath.mpf(float(y)) - t) / unit) if np.isfinite(y) else np.inf)
    return np.array(errors)


def worst(
    case: Case, found: dict[str, Any], dtype: Any = np.float64
) -> list[tuple[float, tuple[float, ...]]]:
    """For every order the largest error, and where it is."""
    with np.errstate(over="ignore"):
        return _worst(case, found, dtype)


def _worst(case: Case, found: dict[str, Any], dtype: Any) -> list[tuple[float, tuple[float, ...]]]:
    truth = exact(case, dtype)
    x = within(case.points[case.along], dtype)
    result = []
    for order in range(case.orders):
        errors = units(found[f"{case.name}_d{order}"], truth[order], truth[order + 1], x, dtype)
        k = int(np.argmax(errors))
        result.append((float(errors[k]), tuple(float(p[k]) for p in case.points)))
    return result
