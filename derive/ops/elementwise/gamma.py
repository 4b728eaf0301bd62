"""The logarithm of the gamma function, its derivatives, and what is made of it."""

from typing import Any

import numpy as np
import sympy
from scipy import special
from sympy import Expr, Function, S

from .._record import Elementwise
from .special import POSITIVE_DOMAIN, spelled

LARGEST = 1000
"""SymPy writes the gamma functions of whole and half numbers out, as factorials and harmonic sums, however large."""
WRITTEN_OUT = frozenset({sympy.gamma, sympy.loggamma, sympy.polygamma})


def moderate(x: Expr) -> Expr:
    """A large rational as a float, of which SymPy takes the value at once."""
    x = sympy.sympify(x, strict=True)
    return sympy.Float(x, 30) if x.is_Rational and abs(x) > LARGEST else x


def loggamma(x: Expr) -> Expr:
    """log |Gamma(x)|."""
    return sympy.loggamma(moderate(x))


def polygamma(order: Expr, x: Expr) -> Expr:
    """The derivative of this order of the digamma function."""
    return sympy.polygamma(order, moderate(x))


def _log_gamma(x: Any) -> Any:
    return special.loggamma(x) if x.dtype.kind == "c" else special.gammaln(x)


GAMMALN = Elementwise(
    "gammaln", loggamma, ("scipy.special.gammaln",), head=sympy.loggamma,
    value=_log_gamma,
    high_precision=lambda mp, x: mp.re(mp.loggamma(x)), spelling=spelled("gammaln", "torch.lgamma", "math.lgamma"),
    latex=r"\log\Gamma\left({0}\right)", domain=POSITIVE_DOMAIN, note="for x > 0", source="DLMF 5.2.1",
)  # fmt: skip


class log_factorial(Function):
    """log(n!), of which SymPy would make the logarithm of a gamma function that overflows."""

    is_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return polygamma(S.Zero, self.args[0] + 1)


LOG_FACTORIAL = Elementwise(
    "log_factorial", log_factorial, ("derive.special.log_factorial",), head=log_factorial,
    value=lambda n: _log_gamma(n + 1.0), high_precision=lambda mp, n: mp.re(mp.loggamma(n + 1)),
    definition=lambda n: loggamma(n + 1),
    spelling={"numpy": "gammaln({0} + 1.0)", "jax": "jax.scipy.special.gammaln({0} + 1.0)",
              "torch": "torch.lgamma({0} + 1.0)", "numba": "math.lgamma({0} + 1.0)"},
    latex=r"\log {0}!", domain=POSITIVE_DOMAIN, note="for n > -1", source="DLMF 5.4.1",
)  # fmt: skip


def _polygamma(order: Any, x: Any) -> Any:
    return special.polygamma(np.asarray(order).real.astype(int), x)


POLYGAMMA = Elementwise(
    "polygamma", polygamma, ("scipy.special.polygamma",), head=sympy.polygamma, value=_polygamma, arity=2,
    high_precision=lambda mp, order, x: mp.polygamma(int(order), x), analytic=False, domain=POSITIVE_DOMAIN,
    spelling={"numpy": "polygamma({0}, {1})", "torch": "torch.polygamma({0}, {1})",
              "jax": "jax.scipy.special.polygamma({0}, {1})", "numba": "polygamma_{0}({1})"},
    constants=1, latex=r"\psi^{{({0})}}\left({1}\right)", note="for a constant order and x > 0", source="DLMF 5.15.1",
)  # fmt: skip
DIGAMMA = Elementwise(
    "digamma", lambda x: polygamma(S.Zero, x), ("scipy.special.psi", "scipy.special.digamma"),
    domain=POSITIVE_DOMAIN, source="DLMF 5.2.2",
)  # fmt: skip


def betaln(a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
    """log B(a, b)."""
    return loggamma(a) + loggamma(b) - loggamma(a + b)


LOGGAMMA = Elementwise(
    "loggamma", loggamma, ("scipy.special.loggamma",), domain=POSITIVE_DOMAIN, note="for x > 0",
    source="DLMF 5.2.1",
)  # fmt: skip
GAMMA = Elementwise(
    "gamma", lambda x: sympy.exp(loggamma(x)), ("scipy.special.gamma",), head=sympy.gamma, value=special.gamma,
    high_precision=lambda mp, x: mp.gamma(x),
    spelling={"numpy": "gamma({0})", "torch": "_gamma({0})", "jax": "jax.scipy.special.gamma({0})",
              "numba": "math.gamma({0})"},
    latex=r"\Gamma\left({0}\right)", domain=POSITIVE_DOMAIN, note="for x > 0", source="DLMF 5.2.1",
)  # fmt: skip
RGAMMA = Elementwise(
    "rgamma", lambda x: sympy.exp(-loggamma(x)), ("scipy.special.rgamma",), domain=POSITIVE_DOMAIN,
    note="for x > 0", source="DLMF 5.2.1",
)  # fmt: skip
BETALN = Elementwise(
    "betaln", betaln, ("scipy.special.betaln",), arity=2, domain=POSITIVE_DOMAIN, note="for a, b > 0",
    source="DLMF 5.12.1",
)  # fmt: skip
BETA = Elementwise(
    "beta", lambda a, b: sympy.exp(betaln(a, b)), ("scipy.special.beta",), arity=2, domain=POSITIVE_DOMAIN,
    note="for a, b > 0", source="DLMF 5.12.1",
)  # fmt: skip
