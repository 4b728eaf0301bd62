"""What a program is equal to: balls of more and more digits, until every entry of a result is known to 64 bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import flint
import mpmath
import numpy as np
import sympy
from sympy import Expr

from ..ir.evaluate import evaluate
from ..ir.nodes import Equation, Program, Tensor, reads_of, substitute
from ..ir.numbers import NotExact
from ..ops._record import Elementwise
from ..ops.elementwise.special import erfcx
from ..prove.points.balls import precision
from ..prove.points.fields import BALL, BALLS, COMPOSED

LEVELS = (128, 512, 2048, 8192, 32768, 65536)
"""Binary digits tried one after the other; exp(-1e4) beside 1 needs 14,427."""
WANTED = 64
"""Binary digits that an entry must have."""
NOTHING = flint.arb(2) ** -1150
"""What no floating-point number can be told from 0."""
CLOSE = (-1300, -1400, -1350)
"""Powers of two by which a point is moved where the formula has no value, such as 0/0, but may have a limit."""
Exact = Any
"""An array of balls; NaN where there is no value."""

MORE: dict[str, Callable[..., flint.arb]] = {
    "hypot": lambda a, b: (a * a + b * b).sqrt(),
    "erfcx": lambda x: (x * x).exp() * x.erfc(),
    "log_ndtr": lambda x: ((-x / flint.arb(2).sqrt()).erfc() / 2).log(),
    "ndtri": lambda p: -flint.arb(2).sqrt() * (2 * p).erfcinv(),
    "i0": lambda x: x.bessel_i(flint.arb(0)),
    "i1": lambda x: x.bessel_i(flint.arb(1)),
    "i0e": lambda x: x.bessel_i(flint.arb(0)) * (-abs(x)).exp(),
    "i1e": lambda x: x.bessel_i(flint.arb(1)) * (-abs(x)).exp(),
}
"""Operations that are made of others here."""


def _apply(op: Elementwise, *args: Any) -> Any:
    """An operation on balls; one that arb does not know by mpmath, at the ends and the middle of each ball."""
    if op.name in COMPOSED or op.name in BALLS or (op.definition is not None and op.name not in MORE):
        return BALL.apply(op, *args)
    return np.frompyfunc(MORE.get(op.name) or (lambda *xs: _by_mpmath(op, *xs)), op.arity, 1)(*args)


def _by_mpmath(op: Elementwise, *args: flint.arb) -> flint.arb:
    reference = op.high_precision
    if reference is None:
        raise NotExact(f"{op.name} has no reference of many digits")
    if not all(x.is_finite() for x in args):
        return flint.arb.nan()
    places = [args, [x.lower() for x in args], [x.upper() for x in args]]
    try:
        with mpmath.workprec(flint.ctx.prec + 20):
            found = [_ball(reference(mpmath.mp, *(_number(x) for x in place))) for place in places]
    except (ZeroDivisionError, ValueError, TypeError, OverflowError):
        return flint.arb.nan()
    hull = found[0].union(found[1]).union(found[2])
    return hull + abs(hull) * flint.arb(0, 1) * flint.arb(2) ** (5 - flint.ctx.prec)


def _number(x: flint.arb) -> Any:
    man, exp = x.mid().man_exp()
    return mpmath.mp.ldexp(mpmath.mpf(int(man)), int(exp))


def _ball(x: Any) -> flint.arb:
    if not mpmath.isfinite(x) or mpmath.im(x):
        return flint.arb.nan()
    sign, man, exp, _ = mpmath.mpf(x)._mpf_
    return flint.arb(-int(man) if sign else int(man)) * flint.arb(2) ** int(exp)


EXACT = replace(BALL, apply=_apply)


def exact(program: Program, point: Mapping[str, Any], levels: tuple[int, ...] = LEVELS) -> list[Exact]:
    """The outputs of a program at one point, each entry to `WANTED` bits.

    Entries that have no value there are replaced by their limit, if it is the same from several sides, else by NaN.
    """
    found, whole = _enclosed(sharp(program), point, levels)
    if whole:
        return found
    beside = [_enclosed(sharp(program), moved, levels)[0] for moved in _moved(point)]
    return [_with_limits(*arrays) for arrays in zip(found, *beside, strict=True)]


def _enclosed(
    program: Program, point: Mapping[str, Any], levels: tuple[int, ...]
) -> tuple[list[Exact], bool]:
    outputs: list[Exact] = []
    with precision(levels[0]):
        lifted = {name: _lifted(value) for name, value in point.items()}
    for bits in levels:
        with precision(bits):
            try:
                values = evaluate(program, lifted, EXACT)
            except (NotExact, ZeroDivisionError, ValueError):
                continue
            outputs = [np.asarray(values[t.name], dtype=object) for t in program.outputs]
            if all(known(x) for array in outputs for x in array.ravel()):
                return outputs, True
    nan = flint.arb.nan()
    if not outputs:  # balls that always overlap could not be compared, as at a tie of max(0.1 x, 0.1 y)
        floats = {name: np.asarray(v) if v.dtype != object else v.astype(float) for name, v in lifted.items()}
        values = evaluate(program, floats)
        return [entrywise(lambda x: nan, values[t.name]) for t in program.outputs], False
    return [entrywise(lambda x: x if known(x) else nan, a) for a in outputs], False


def entrywise(function: Callable[..., Any], *arrays: Any) -> Any:
    """A function of numbers on arrays of objects; the result is an array also where it has no axes."""
    return np.asarray(np.frompyfunc(function, len(arrays), 1)(*arrays), dtype=object)


def _lifted(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype == object or array.dtype.kind in "iub":
        return array
    return entrywise(lambda x: flint.arb(float(x)), array)


def known(x: Any) -> bool:
    """Whether a ball is a number, and small beside it or beside every floating-point number."""
    if isinstance(x, int | np.integer):
        return True
    if not x.is_finite():
        return False
    return bool(x.is_exact() or x.rel_accuracy_bits() >= WANTED or x.abs_upper() < NOTHING)


def _moved(point: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The point moved by little into the domain's interior: zeros up, everything else by a little in its last place."""
    return [_shifted(point, power, side) for power, side in zip(CLOSE, (1, 1, -1), strict=True)]


def _shifted(point: Mapping[str, Any], power: int, side: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, (name, value) in enumerate(point.items()):
        array = np.asarray(value)
        if array.dtype.kind in "iub":
            found[name] = array
            continue
        with precision(LEVELS[2]):
            step = flint.arb(2) ** power
            moved = [
                flint.arb(float(x))
                + side * step * (1 + number + 3 * place) * (abs(flint.arb(float(x))) if x else 1)
                for place, x in enumerate(array.ravel())
            ]
        whole = np.empty(len(moved), dtype=object)
        whole[:] = moved
        found[name] = whole.reshape(array.shape)
    return found


def _with_limits(found: Exact, *beside: Exact) -> Exact:
    return entrywise(_limit, found, *beside)


def _limit(x: Any, *beside: Any) -> Any:
    if known(x):
        return x
    near = [y for y in beside if known(y)]
    if len(near) < 2:
        return x
    with precision(LEVELS[0]):
        if all(bool(abs(y) < NOTHING) for y in near):
            return flint.arb(0)
        spread = max(abs(a - near[0]) for a in near)
        return near[0].mid() if bool(spread < abs(near[0]) * flint.arb(2) ** -200) else x


COMPLEMENTS: dict[type, Callable[[Expr], Expr]] = {
    sympy.erf: lambda u: sympy.exp(-(u**2)) * erfcx(-u),  # SymPy turns erfc(-u) into 2 - erfc(u)
    sympy.tanh: lambda u: 2 / (1 + sympy.exp(-2 * u)),
}
"""f -> 1 + f of odd functions f that tend to 1: beside 1, erf(1e4) would need 1.4e8 digits."""


@lru_cache(maxsize=256)
def sharp(program: Program) -> Program:
    """The same program with 1 - erf(u) as erfc(u) and its kin."""
    known = {e.target: e for e in program.equations if type(e.body) in COMPLEMENTS and not e.bound}
    equations = tuple(replace(e, body=_sharp(_inlined(e.body, known))) for e in program.equations)
    return replace(program, equations=equations)


def _inlined(body: Expr, known: Mapping[Tensor, Equation]) -> Expr:
    reads = [r for r in reads_of(body) if r.tensor in known]
    return substitute(
        body,
        {
            r: substitute(known[r.tensor].body, dict(zip(known[r.tensor].axes, r.indices, strict=True)))
            for r in reads
        },
    )


def _sharp(body: Expr) -> Expr:
    if not body.has(*COMPLEMENTS):
        return body
    return body.replace(lambda e: e.is_Add and e.has(*COMPLEMENTS), _complement)


def _complement(e: Expr) -> Expr:
    """``a + a f(u)`` as ``a (1 + f(u))``, ``a - a f(u)^2`` as ``a (1 + f(u)) (1 + f(-u))``."""
    terms = list(e.args)
    for term in terms:
        for factor in sympy.Mul.make_args(term):
            base, power = factor.as_base_exp()
            if type(base) not in COMPLEMENTS or power not in (1, 2):
                continue
            rest, (u,) = term / factor, base.args
            above, below = (COMPLEMENTS[type(base)](side * u) for side in (1, -1))
            for other, product in (
                ((-rest, -above * below),) if power == 2 else ((rest, above), (-rest, -below))
            ):
                if other in terms:
                    left = sympy.Add(*(t for t in terms if t is not term and t is not other and t != other))
                    return _sharp(left + rest * product)
    return e
