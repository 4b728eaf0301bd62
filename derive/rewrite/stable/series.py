"""Functions of one variable that lose their digits near 0, such as f(x) / x: their Taylor polynomial there.

Nothing is recognised: whether digits are lost is measured, the coefficients are Cauchy's integrals, and the polynomial is
compared with the function before it is used.
"""

from __future__ import annotations

from collections.abc import Set
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import Add, Expr, Float, Integer, Mul

from ...errors import DeriveError
from ...ir.callables import callable_of
from ...ir.nodes import Bracket, Index, Read, Where, reads_of
from ...ir.numbers import MPMATH
from ...ops.elementwise import op_of_head
from ...ops.elementwise.gamma_differences import gammaln_diff, polygamma_diff
from ...ops.elementwise.piecewise import Absolute, Maximum, Minimum, Sign
from .known import Known
from .rewriter import size_of

T = sympy.Symbol("t")
LARGEST = 120
"""Nodes of an expression above which it is not looked at."""
DIGITS = 60
CIRCLE = 64
"""Points of a circle around 0 on which a function is looked at."""
RADII = (1.0, 0.5, 0.25, 0.1)
"""Where the polynomial may end."""
PROBES = (0.0, 1e-300, 1e-30, -1e-12, 1e-9, -1e-6, 1e-4, 1e-2)
NEAREST = 1e-50
"""Closer to 0 it is only asked whether there is a value: exact ones would need many digits."""
SLOW = (sympy.loggamma, sympy.gamma, sympy.polygamma, gammaln_diff, polygamma_diff)
"""Functions with a pole at 0, whose exact values take long."""
LOST = 1e-12
"""A relative error from which digits are lost."""


Conditions = Set[Any]


def with_polynomials(e: Any, known: Known, written: Conditions = frozenset()) -> Any:
    """An expression with a polynomial beside each part of one variable that loses digits near 0, or is 0 / 0 there.

    written: conditions of the program as it was given; a choice by any other was made by a rule, between equal forms.
    """
    if isinstance(e, Read | Bracket | Index) or not isinstance(e, Expr) or not reads_of(e):
        return e
    if isinstance(e, Where):
        return Where(e.args[0], *(with_polynomials(a, known, written) for a in e.args[1:]))
    if (found := _polynomial(e, known, written)) is not None:
        return found
    if e.is_Add or e.is_Mul:
        for x in reads_of(e):
            own = [a for a in e.args if x in reads_of(a) and len(reads_of(a)) == 1]
            if 1 < len(own) < len(e.args) and (found := _polynomial(e.func(*own), known, written)) is not None:
                return e.func(found, *(with_polynomials(a, known, written) for a in e.args if a not in own))
    args = [with_polynomials(a, known, written) for a in e.args]
    return e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)


def _polynomial(e: Expr, known: Known, written: Conditions) -> Expr | None:
    """A choice between a polynomial near 0 and the expression, if that is needed."""
    x = _variable(e, written)
    if x is None or not _may_cancel(e, x):
        return None
    found = taylor(e.xreplace({x: T}), known.positive(x))
    if found is None:
        return None
    radius, coefficients = found
    near = sympy.Lt(Absolute(x), sympy.nsimplify(radius))
    return Where(near, _horner(coefficients, x), e)


def _variable(e: Expr, written: Conditions) -> Expr | None:
    """What an expression is a smooth function of: the only entry that it reads, or a part in which all entries stand."""
    if any(w.args[0] in written for w in e.atoms(Where)):
        return None
    smooth = far(e)
    if size_of(smooth) > LARGEST or smooth.has(Bracket, Index, Absolute, Sign, Maximum, Minimum, *SLOW):
        return None
    reads = reads_of(e)
    if any(r.tensor.kind != "real" for r in reads):
        return None
    candidates = reads if len(reads) == 1 else _arguments(e)
    for x in candidates:
        rest = e.xreplace({x: T})
        if not reads_of(rest) and rest.free_symbols == {T}:
            return x
    return None


def far(e: Any) -> Any:
    """The closed form of an expression in which rules have made choices: it stands last in each."""
    if isinstance(e, Read):
        return e
    if isinstance(e, Where):
        return far(e.args[-1])
    return e.func(*map(far, e.args)) if e.args else e


def _arguments(e: Expr) -> list[Expr]:
    """The arguments of functions that read several entries, the shortest first."""
    found = {
        a for f in e.atoms(sympy.Function) for a in f.args if isinstance(a, Expr) and len(reads_of(a)) > 1
    }
    return sorted(found, key=lambda a: (size_of(a), str(a)))


def _horner(coefficients: tuple[Expr, ...], x: Expr) -> Expr:
    """The polynomial in x, in powers of x^2 where it is even or odd."""
    least = next(k for k, c in enumerate(coefficients) if c != 0)
    rest = coefficients[least:]
    stride = 2 if all(c == 0 for c in rest[1::2]) else 1
    total: Expr = sympy.S.Zero
    for c in reversed(rest[::stride]):
        total = Mul(total, x**stride, evaluate=True) + c if total.is_number else Add(c, x**stride * total)
    return x**least * total if least else total


def _may_cancel(e: Expr, x: Expr) -> bool:
    """Whether there is something to be measured: a function beside a sum or a division."""
    if not any(isinstance(f, sympy.Function) and f.has(x) for f in sympy.preorder_traversal(e)):
        return False
    return any(
        p.is_Add or (p.is_Pow and p.exp.is_negative)
        for p in sympy.preorder_traversal(e)
        if isinstance(p, Expr)
    )


FAILS = (DeriveError, ValueError, ArithmeticError, TypeError, AttributeError, mpmath.libmp.NoConvergence)
"""What is raised where a function has no value, or none that is known."""


@lru_cache(maxsize=2000)
def taylor(e: Expr, positive: bool) -> tuple[float, tuple[Expr, ...]] | None:
    """A radius and the coefficients of the Taylor polynomial in `T`; None where the expression is good, or not analytic."""
    try:
        exact = callable_of(defined(far(e)), (T,), MPMATH)
        rough = callable_of(e, (T,))
        bad = any(_bad(exact, rough, p) for p in PROBES if not (positive and p < 0))
    except FAILS:
        return None
    for radius in RADII if bad else ():
        with mpmath.workdps(DIGITS):
            kept = _fitted(exact, radius)
            if kept is not None:
                return radius, tuple(map(_constant, kept))
    return None


def _fitted(exact: Any, radius: float) -> list[Any] | None:
    """The coefficients of a polynomial that is the function up to a radius, if there is one."""
    try:
        found = _coefficients(exact, 2 * radius)
        kept = None if found is None else _enough(found, radius)
        return kept if kept is not None and _agrees(exact, kept, radius) else None
    except FAILS:
        return None


def defined(e: Expr) -> Expr:
    """The expression in functions that have complex values everywhere."""
    if not e.args:
        return e
    e = e.func(*map(defined, e.args))
    op = op_of_head(e.func)
    return defined(op.definition(*e.args)) if op is not None and op.definition is not None else e


def _bad(exact: Any, rough: Any, p: float) -> bool:
    """Whether digits are lost at a point, or nothing comes out."""
    got = float(rough(p))
    if abs(p) < NEAREST:
        return not np.isfinite(got)
    with mpmath.workdps(DIGITS + int(4 * abs(np.log10(abs(p))))):
        want = exact(mpmath.mpf(p))
    if not mpmath.isfinite(want) or abs(want) > 1e300:
        return False
    return not np.isfinite(got) or (abs(want) > 1e-290 and abs(got - want) > LOST * abs(want))


def _coefficients(exact: Any, radius: float) -> list[Any] | None:
    """Cauchy's integrals over a circle."""
    points = [mpmath.expjpi(mpmath.mpf(2 * j) / CIRCLE) for j in range(CIRCLE)]
    values = [exact(radius * p) for p in points]
    if not all(mpmath.isfinite(v) for v in values):
        return None
    found = []
    for k in range(CIRCLE // 2):
        total = mpmath.fsum(v * points[(-j * k) % CIRCLE] for j, v in enumerate(values)) / CIRCLE
        found.append(mpmath.re(total) / mpmath.mpf(radius) ** k)
    largest = max(abs(c) * mpmath.mpf(radius) ** k for k, c in enumerate(found))
    return [
        c if abs(c) * mpmath.mpf(radius) ** k > largest * mpmath.mpf(10) ** -25 else mpmath.mpf(0)
        for k, c in enumerate(found)
    ]


def _enough(coefficients: list[Any], radius: float) -> list[Any] | None:
    """As many coefficients as a double can tell apart."""
    sizes = [abs(c) * mpmath.mpf(radius) ** k for k, c in enumerate(coefficients)]
    first = next((s for s in sizes if s > 0), None)
    if first is None:
        return None
    last = max(k for k, s in enumerate(sizes) if s > first * mpmath.mpf(2) ** -56)
    return coefficients[: last + 1] if last < len(sizes) - 2 else None


def _agrees(exact: Any, kept: list[Any], radius: float) -> bool:
    """Whether the polynomial is the function, to all digits."""
    for part in (1.0, -0.9, 0.5, -0.25, 0.01):
        x = mpmath.mpf(radius) * part
        want = exact(x)
        got = mpmath.polyval(kept[::-1], x)
        if not abs(got - want) <= abs(want) * mpmath.mpf(2) ** -53:
            return False
    return True


def _constant(c: Any) -> Expr:
    """A coefficient as a small fraction where it is one, else as a float."""
    ratio = sympy.Rational(str(mpmath.nstr(c, 40))).limit_denominator(10**6) if c else Integer(0)
    close = abs(mpmath.mpf(ratio.p) / ratio.q - c) <= abs(c) * mpmath.mpf(10) ** -20
    return ratio if close and ratio.q < 10**6 else Float(float(c))
