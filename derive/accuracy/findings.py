"""Where digits are lost: the operation of a naive formula whose own error is the largest, and what kind of loss it is.

Every operation is run alone, in floating point, on operands that are exact but for their last rounding. What it adds to
the error of the result at a point where the whole formula is wrong is its share; the operation with the largest share is
the one to blame. This is the local error of Herbie (Panchekha et al. 2015, PLDI), with no list of patterns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import flint
import numpy as np
import sympy
from sympy import Expr

from ..ir.evaluate import evaluate
from ..ir.nodes import Bracket, Entry, Equation, Index, Program, Read, Tensor, Where, indices_of, substitute
from ..prove.points.balls import precision
from .exact import EXACT, entrywise, known
from .measure import Measured, Trial

BITS = 4096
"""Binary digits of the exact operands."""
SHARE = 1e3
"""Ulps that an operation must add to be blamed."""
TRIED = 6
"""Bad points looked at."""


@dataclass(frozen=True)
class Finding:
    """An operation that loses digits.

    operation: as it is written; kind: overflow, underflow, cancellation, division by 0, ...; where: the user's line.
    """

    operation: str
    kind: str
    point: dict[str, Any]
    ulps: float
    where: str = ""

    def __str__(self) -> str:
        from .report import point_text

        line = f"  ({self.where})" if self.where else ""
        return f"{self.operation}: {self.kind} at {point_text(self.point)}{line}"


def findings(program: Program, measured: Measured) -> tuple[Finding, ...]:
    """The operations to blame at the points where `measured`, the naive value, is wrong; each once."""
    bad = sorted((t for t in measured.trials if t.ulps > SHARE), key=lambda t: -t.ulps)
    chosen = [t for t in bad if t.ulps == inf][:TRIED] + [t for t in bad if t.ulps < inf][:TRIED]
    apart = exploded(program)
    found: dict[tuple[str, str], Finding] = {}
    for trial in chosen:
        blamed = _blamed(apart, trial)
        if blamed is not None:
            found.setdefault((blamed.operation, blamed.kind), blamed)
    return tuple(found.values())


def exploded(program: Program) -> Program:
    """The same program with every operation an equation of its own."""
    equations: list[Equation] = []
    count = 0

    def part(e: Expr, equation: Equation) -> Expr:
        nonlocal count
        if (
            not isinstance(e, Expr)
            or not e.args
            or isinstance(e, Read | Index | Bracket | Entry)
            or not e.has(Read)
        ):
            return e
        axes = tuple(i for i in equation.indices if i in indices_of(e))
        count += 1
        target = Tensor(f"_{count}", tuple(i.extent for i in axes))
        equations.append(
            replace(equation, target=target, axes=axes, body=whole(e, equation), reduce=None, bound=())
        )
        return target[axes] if axes else Read(target, ())

    def whole(e: Expr, equation: Equation) -> Expr:
        if isinstance(e, Read | Index | Bracket | Entry) or not e.args:
            return e
        keep = 1 if isinstance(e, Where) else 0
        args = [a if k < keep else part(a, equation) for k, a in enumerate(e.args)]
        return e.func(*args)

    for equation in program.equations:
        body = equation.body
        if isinstance(body, Entry):
            equations.append(equation)
        elif equation.reduce:
            equations.append(replace(equation, body=part(body, equation)))
        else:
            equations.append(replace(equation, body=whole(body, equation)))
    return replace(program, equations=tuple(equations))


def _blamed(program: Program, trial: Trial) -> Finding | None:
    """The operation with the largest error of its own at one point."""
    try:
        with precision(BITS):
            lifted = {n: _balls(v) for n, v in trial.point.items()}
            values = evaluate(program, lifted, EXACT)
    except ArithmeticError:
        return None
    rounded = {name: _floats(value) for name, value in values.items()}
    worst: tuple[float, Equation, str] | None = None
    for equation in program.equations:
        operands = {r.tensor for r in equation.reads}
        alone = Program(tuple(sorted(operands, key=str)), (equation,), (equation.target,))
        try:
            result = evaluate(alone, {t.name: rounded[t.name] for t in operands})[equation.target.name]
        except Exception:  # sizes that no operand shows
            continue
        share, kind = _share(
            np.asarray(result), values[equation.target.name], [rounded[t.name] for t in operands], equation
        )
        if share > SHARE and (worst is None or share > worst[0]):
            worst = (share, equation, kind)
    if worst is None:
        return None
    share, equation, kind = worst
    return Finding(_written(equation, program), kind, trial.point, share, equation.step.where)


def _share(result: Any, right: Any, operands: list[Any], equation: Equation) -> tuple[float, str]:
    worst, kind = 0.0, ""
    balls: Any = np.asarray(right, dtype=object)
    for place in np.ndindex(balls.shape):
        ball, value = balls[place], result[place]
        if not known(ball):
            continue
        with precision(BITS):
            e = flint.arb(ball)
            size = float(abs(e).mid())
            if not np.isfinite(value):
                share = 1e300
                word = _nonfinite(size, operands, equation)
            elif value == 0 and not e.is_zero() and size < np.finfo(float).tiny:
                share, word = 1e299, "underflow"
            else:
                ulp = flint.arb(math.ulp(max(size, float(np.finfo(float).tiny))))
                share, word = float((abs(flint.arb(float(value)) - e) / ulp).mid()), _finite(equation)
        if share > worst:
            worst, kind = share, word
    return worst, kind


def _nonfinite(size: float, operands: list[Any], equation: Equation) -> str:
    if size > np.finfo(float).max or np.isinf(size):
        return "overflow"
    zero = any(np.any(o == 0) for o in operands)
    if any(np.any(~np.isfinite(o)) for o in operands):
        return "a quotient or difference of what overflowed"
    return "logarithm or quotient of what was rounded to 0" if zero else "no number"


def _finite(equation: Equation) -> str:
    if equation.body.is_Add or equation.reduce == "sum":
        return "cancellation"
    if isinstance(equation.body, sympy.log):
        return "logarithm of what was rounded near 1"
    return "rounding of the argument is magnified"


def _written(equation: Equation, program: Program) -> str:
    """An operation in terms of the inputs."""
    body = equation.body
    inner = {e.target: e for e in program.equations if e.target.name.startswith("_")}

    def back(e: Any) -> Any:
        if isinstance(e, Read) and e.tensor in inner:
            source = inner[e.tensor]
            return back(substitute(source.body, dict(zip(source.axes, e.indices, strict=True))))
        if isinstance(e, Read | Index | Bracket) or not getattr(e, "args", ()):
            return e
        return e.func(*(back(a) for a in e.args))

    head = f"{equation.reduce}_{','.join(i.name for i in equation.bound)} " if equation.reduce else ""
    text = str(back(body))
    return f"{head}({text})" if head and back(body).is_Add else head + text


def _balls(value: Any) -> Any:
    array = np.asarray(value)
    return array if array.dtype.kind in "iub" else entrywise(lambda x: flint.arb(float(x)), array)


def _floats(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype != object:
        return array
    return entrywise(_float, array).astype(np.float64)


def _float(x: Any) -> float:
    return float(x.mid()) if not isinstance(x, int) else float(x)
