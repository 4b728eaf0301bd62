"""Expressions as functions, beside SymPy's own numbers."""

import math
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from sympy import And, Eq, Ge, Gt, Le, Lt, Max, Min, Ne, Not, Or, Piecewise, Rational, S, pi, sqrt

from derive.errors import UnknownName, UnsupportedOp
from derive.ir.callables import callable_of
from derive.ir.nodes import Bracket, Index, Read, Tensor, Where
from derive.ir.numbers import FLOAT32, FLOAT64, MPMATH, RATIONAL
from derive.ops._record import Elementwise
from derive.ops.elementwise import elementwise_ops
from derive.ops.elementwise.bessel import i0
from derive.ops.elementwise.piecewise import Maximum

x, y = sympy.symbols("x y", real=True)
X = np.array([0.3, 0.7, 1.4, 2.6])
PLAIN = [
    x - y / 3, x * y**-2 / sqrt(x), (x + 2) ** Rational(1, 3), x**y, 2**x, sympy.exp(-(x**2) / 2) / sqrt(2 * pi),
    sympy.sin(x + y) ** 2 + sympy.sin(x + y) * sympy.log(x + y), Max(x, y, 1) - Min(x, y, Rational(1, 2)),
    sympy.Abs(x - y) * sympy.sign(y - x), sympy.besseli(1, x), sympy.uppergamma(y, x), sympy.beta(x, y),
    Piecewise((x, x < 1), (y, Or(x > 2, Eq(y, 1))), (3, True)), sympy.polygamma(1, x) * sympy.loggamma(y), S(7) / 3,
]  # fmt: skip


@pytest.mark.parametrize("e", PLAIN, ids=str)
def test_values_are_those_of_sympy(e: sympy.Expr) -> None:
    ours = np.broadcast_to(callable_of(e, (x, y))(X, X[::-1]), X.shape)
    many, one = callable_of(e, (x, y), MPMATH), callable_of(e, (x, y))
    for a, b, got in zip(X, X[::-1], ours, strict=True):
        want = e.subs({x: sympy.Float(a, 40), y: sympy.Float(b, 40)}).evalf(30)
        assert got == pytest.approx(float(want), rel=1e-14)
        assert float(one(a, b)) == got or got == pytest.approx(float(one(a, b)), rel=1e-15)
        with mpmath.workdps(30):
            assert abs(many(mpmath.mpf(a), mpmath.mpf(b)) / mpmath.mpmathify(want) - 1) < 1e-27


def test_choices_are_made_entry_by_entry_and_of_a_number_only_one_side_is_computed() -> None:
    e = Where(And(Gt(x, 1), Not(Ge(x, 2))), sympy.log(x - 1), Bracket(Le(x, 1)) / x)
    np.testing.assert_allclose(callable_of(e, (x,))(X), [1 / 0.3, 1 / 0.7, math.log(0.4), 0])
    near = Where(Lt(x, 1), x, 1 / (x - x**2))
    assert callable_of(near, (x,), MPMATH)(mpmath.mpf(0)) == 0  # the other side would divide by 0
    assert callable_of(Where(Ne(x, 0), 1 / x, 5), (x,))(0) == 5
    with pytest.raises(ZeroDivisionError):
        callable_of(1 / x, (x,), MPMATH)(mpmath.mpf(0))
    np.testing.assert_array_equal(callable_of(Bracket(Gt(x, 1)) / (x - 1), (x,))(np.array([1.0, 2.0])), [0, 1])


def test_undefined_is_nan_or_infinite_in_floats_and_complex_in_mpmath() -> None:
    assert np.isnan(callable_of(sympy.log(x), (x,))(-1.0)) and callable_of(1 / x, (x,))(0) == np.inf
    assert np.isnan(callable_of(Piecewise((1, x < 0)), (x,))(1.0))
    z = mpmath.mpc(-1, "0.5")
    assert callable_of(sympy.log(x) / sqrt(x), (x,), MPMATH)(z) == mpmath.log(z) / mpmath.sqrt(z)
    assert mpmath.almosteq(callable_of(sympy.zeta(x), (x,), MPMATH)(z), mpmath.zeta(z))


def test_what_occurs_twice_is_computed_once() -> None:
    calls: list[str] = []

    def counted(op: Elementwise, *arguments: object) -> object:
        calls.append(op.name)
        return op.value(*arguments)

    once = x * sympy.sin(sympy.exp(x))
    callable_of(once + sympy.cos(once) + sympy.sin(sympy.exp(x)) ** 3, (x,), replace(FLOAT64, apply=counted))(X)
    assert sorted(calls) == ["cos", "exp", "sin"]


def test_numbers_are_rounded_once_or_step_by_step() -> None:
    e = sqrt(3) * pi
    stepwise = math.sqrt(3) * math.pi
    assert callable_of(e, ())() == float(e) != stepwise == callable_of(e, (), folded=False)()
    assert callable_of(x + sympy.sqrt(i0(pi)), (x,))(0) == pytest.approx(float(mpmath.sqrt(mpmath.besseli(0, mpmath.pi))))
    assert callable_of(x * pi, (x,), FLOAT32)(np.ones(2)).dtype == np.float32
    assert callable_of(x**2 / 3, (x,), RATIONAL)(0.5) == Fraction(1, 12)
    value = callable_of(pi * x, (x,), MPMATH)
    for digits in (20, 60, 20):
        with mpmath.workdps(digits):
            assert value(mpmath.mpf(1)) == +mpmath.pi


def test_reads_are_variables_too() -> None:
    read = Read(Tensor("x", (S(3),)), (Index("i", S(3)),))
    assert callable_of(Maximum(read, 0) + read**2, (read,))(-3) == 9


def test_what_has_no_value_is_named() -> None:
    with pytest.raises(UnknownName, match="y has no value here"):
        callable_of(x + y, (x,))
    for e in (sympy.Integral(sympy.exp(-(x**2)), (x, 0, y)), sympy.Function("f")(x)):
        with pytest.raises(UnsupportedOp, match="no value on arrays"):
            callable_of(e, (x, y))


@pytest.mark.parametrize("op", [op for op in elementwise_ops() if op.value], ids=lambda op: op.name)
def test_recorded_functions_take_numbers_as_they_take_arrays(op: Elementwise) -> None:
    low, high = op.domain
    arguments = [np.float64(1)] * op.constants
    arguments += [np.float64(low + (high - low) * part) for part in (0.4, 0.3, 0.7)[: op.arity - op.constants]]
    with np.errstate(all="ignore"):
        one, several = op.value(*arguments), op.value(*(np.full(3, a) for a in arguments))
    assert np.ndim(one) == 0
    np.testing.assert_array_equal(np.full(3, one), several)
