"""Generating functions, half-lines and powers of every law, against quadrature and summation."""

import itertools

import mpmath
import pytest
import sympy
from scipy import special

from derive.distributions import Distribution
from derive.moments.cumulants import cumulant

from .laws import LAWS, expect, point, symbols

TILTS = (sympy.Rational(2, 5), sympy.Rational(1, 15), sympy.Rational(1, 200))


@pytest.mark.parametrize("record", [d for d in LAWS if d.generating is not None], ids=lambda d: d.name)
def test_generating_functions(record: Distribution) -> None:
    """Against the mean of exp(t x) by quadrature or summation; cumulants are its derivatives; tilting is translation."""
    assert record.generating is not None
    parameters, t = list(map(sympy.Rational, point(record, 3))), sympy.Symbol("t", real=True)
    at = next(a for a in TILTS if record.exists is None or record.exists(2 * a, *parameters) > 0)
    log_mass = record.generating(t, *parameters)
    _, expected = expect(record, point(record, 3), sympy.exp(at * symbols(record).x))
    assert float(sympy.exp(log_mass.subs(t, at))) == pytest.approx(expected, rel=1e-6)
    with mpmath.workdps(60):
        near = sympy.lambdify(t, log_mass, "mpmath")
        slopes = [mpmath.diff(near, mpmath.mpf("1e-12"), k) for k in (1, 2, 3)]
    for k, slope in enumerate(slopes, start=1):
        assert float(slope) == pytest.approx(float(cumulant(record, k, parameters)), rel=1e-6, abs=1e-6)
    if record.tilted is not None:
        s = at / 3
        tilted = record.generating(s, *record.tilted(at, *parameters))
        assert float(tilted) == pytest.approx(
            float(log_mass.subs(t, at + s) - log_mass.subs(t, at)), rel=1e-12
        )


@pytest.mark.parametrize("record", LAWS, ids=lambda d: d.name)
def test_half_lines_powers_and_values(record: Distribution) -> None:
    parameters = list(map(sympy.Rational, point(record, 3)))
    reference = record.reference(*point(record, 3))
    if record.above is not None:
        for k, c in itertools.product(range(5), (sympy.Rational(-1, 2), sympy.S.Zero, sympy.Rational(3, 4))):
            expected = reference.expect(lambda x, k=k: x**k, lb=float(c))
            assert float(record.above(k, c, *parameters)) == pytest.approx(expected, rel=1e-7)
    if record.erf is not None:
        a, b = sympy.Rational(7, 5), sympy.Rational(-1, 3)
        for k in range(5):
            expected = reference.expect(lambda x, k=k: x**k * special.erf(1.4 * x - 1 / 3))
            assert float(record.erf(k, a, b, *parameters)) == pytest.approx(expected, rel=1e-7)
    if record.power is not None and record.power_exists is not None:
        for r in (sympy.Rational(-1, 2), sympy.Rational(3, 2), sympy.S(2), sympy.S(-1)):
            if record.power_exists(r, *parameters) <= 0:
                continue
            expected = reference.expect(lambda x, r=r: x ** float(r))
            assert float(record.power(r, *parameters)) == pytest.approx(expected, rel=1e-5)
    if record.values is not None:
        for value, probability in record.values(*parameters):
            assert float(probability) == pytest.approx(reference.pmf(float(value)))
