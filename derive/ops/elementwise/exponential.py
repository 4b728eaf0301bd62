"""exp, log and their well-conditioned companions."""

from typing import Any

import numpy as np
import sympy
from sympy import Expr, Function, Rational, S

from ...ir.nodes import Where
from .._record import Elementwise
from ._heads import OfReal
from .hyperbolic import sech2
from .piecewise import Absolute


class log1p(Function):
    """log(1 + x), accurate near 0."""

    is_real = True

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        if x.is_zero:
            return S.Zero
        return softplus(x.args[0]) if isinstance(x, sympy.exp) else None

    def fdiff(self, argindex: int = 1) -> Expr:
        return 1 / (1 + self.args[0])


class expm1(OfReal):
    """exp(x) - 1, accurate near 0."""

    at_zero = S.Zero

    def fdiff(self, argindex: int = 1) -> Expr:
        return sympy.exp(self.args[0])


class sigmoid(OfReal):
    """1 / (1 + exp(-x)), without overflow."""

    is_positive = True
    at_zero = S.Half

    def fdiff(self, argindex: int = 1) -> Expr:
        return self * (1 - self)


class softplus(OfReal):
    """log(1 + exp(x)), without overflow."""

    is_positive = True
    at_zero = sympy.log(2)

    def fdiff(self, argindex: int = 1) -> Expr:
        return sigmoid(self.args[0])


class LogAddExp(Function):
    """log(exp(a) + exp(b)), shifted by the larger of the two."""

    is_real = True
    nargs = 2

    def fdiff(self, argindex: int = 1) -> Expr:
        a, b = self.args
        return sigmoid(a - b) if argindex == 1 else sigmoid(b - a)


def logaddexp(a: Expr, b: Expr) -> Expr:
    """log(exp(a) + exp(b)): softplus when one side is constant, else shifted by the second argument."""
    return a + softplus(b - a) if a.is_number else b + softplus(a - b)


def _logaddexp(a: Any, b: Any) -> Any:
    """log(exp(a) + exp(b)), shifted by the larger of the two."""
    gap = np.where(a == b, 0.0, np.abs(a - b))
    return np.where(a > b, a, b) + np.log1p(np.exp(-gap))


def _call(numpy: str, math: str) -> dict[str, str]:
    """The spelling of a function that every target has, by its name in NumPy and in Python's math module."""
    torch, jax = numpy.replace("np.", "torch."), numpy.replace("np.", "jnp.")
    return {
        "numpy": f"{numpy}({{0}})",
        "torch": f"{torch}({{0}})",
        "jax": f"{jax}({{0}})",
        "numba": f"{math}({{0}})",
    }


EXP = Elementwise(
    "exp", sympy.exp, ("numpy.exp",), head=sympy.exp, value=np.exp, high_precision=lambda mp, x: mp.exp(x),
    spelling=_call("np.exp", "math.exp"), latex=r"\exp\left({0}\right)", source="DLMF 4.2.19",
)  # fmt: skip
LOG = Elementwise(
    "log", sympy.log, ("numpy.log",), head=sympy.log, value=np.log, high_precision=lambda mp, x: mp.log(x),
    spelling=_call("np.log", "math.log"), latex=r"\log\left({0}\right)", domain=(0.2, 3.0), source="DLMF 4.2.2",
)  # fmt: skip
LOG1P = Elementwise(
    "log1p", log1p, ("numpy.log1p", "scipy.special.log1p"), head=log1p, value=np.log1p,
    high_precision=lambda mp, x: mp.log1p(x), definition=lambda x: sympy.log(1 + x),
    spelling=_call("np.log1p", "math.log1p"),
    latex=r"\log\left(1 + {0}\right)", domain=(-0.8, 3.0), source="DLMF 4.2.2",
)  # fmt: skip
EXPM1 = Elementwise(
    "expm1", expm1, ("numpy.expm1", "scipy.special.expm1"), head=expm1, value=np.expm1,
    high_precision=lambda mp, x: mp.expm1(x), definition=lambda x: sympy.exp(x) - 1,
    spelling=_call("np.expm1", "math.expm1"),
    latex=r"\left(e^{{{0}}} - 1\right)", source="DLMF 4.2.19",
)  # fmt: skip
EXP2 = Elementwise(
    "exp2", lambda x: sympy.exp(x * sympy.log(2)), ("numpy.exp2", "scipy.special.exp2"), source="DLMF 4.2.26"
)
EXP10 = Elementwise(
    "exp10", lambda x: sympy.exp(x * sympy.log(10)), ("scipy.special.exp10",), source="DLMF 4.2.26"
)
LOG2 = Elementwise(
    "log2", lambda x: sympy.log(x) / sympy.log(2), ("numpy.log2",), domain=(0.2, 3.0), source="DLMF 4.2.21"
)
LOG10 = Elementwise(
    "log10", lambda x: sympy.log(x) / sympy.log(10), ("numpy.log10",), domain=(0.2, 3.0), source="DLMF 4.2.21"
)


def _sigmoid_value(x: Any) -> Any:
    if np.iscomplexobj(x):
        return 1 / (1 + np.exp(-x))
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1.0) / (1 + e)


def _softplus_value(x: Any) -> Any:
    if not np.iscomplexobj(x):
        return np.logaddexp(0, x)
    return np.where(x.real > 0, x, 0) + np.log1p(np.exp(np.where(x.real > 0, -x, x)))


SIGMOID = Elementwise(
    "sigmoid", sigmoid, ("scipy.special.expit",), head=sigmoid, value=_sigmoid_value,
    high_precision=lambda mp, x: 1 / (1 + mp.exp(-x)),
    spelling={"numpy": "expit({0})", "torch": "torch.sigmoid({0})", "jax": "jax.nn.sigmoid({0})",
              "numba": "sigmoid({0})"},
    definition=lambda x: 1 / (1 + sympy.exp(-x)), slopes=lambda x: (sech2(x / 2) / 4,),
    latex=r"\sigma\left({0}\right)", source="derived: the inverse of the logit",
)  # fmt: skip
SOFTPLUS = Elementwise(
    "softplus", softplus, ("scipy.special.softplus",), head=softplus, value=_softplus_value,
    high_precision=lambda mp, x: mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x)),
    spelling={"numpy": "np.logaddexp(0, {0})", "torch": "torch.nn.functional.softplus({0}, threshold=50)",
              "jax": "jax.nn.softplus({0})", "numba": "softplus({0})"},
    definition=lambda x: sympy.log(1 + sympy.exp(x)),
    latex=r"\operatorname{{softplus}}\left({0}\right)", source="Dugas et al. (2001), eq. 5",
)  # fmt: skip
LOG_EXPIT = Elementwise(
    "log_expit",
    lambda x: -softplus(-x),
    ("scipy.special.log_expit",),
    source="derived: log(1 / (1 + exp(-x)))",
)
LOGIT = Elementwise(
    "logit", lambda p: sympy.log(p) - log1p(-p), ("scipy.special.logit",), domain=(0.1, 0.9),
    source="derived: the inverse of the sigmoid",
)  # fmt: skip
LOGADDEXP = Elementwise(
    "logaddexp",
    logaddexp,
    ("numpy.logaddexp",),
    head=LogAddExp,
    value=_logaddexp,
    high_precision=lambda mp, a, b: max(a, b) + mp.log1p(mp.exp(-abs(a - b))) if a != b else a + mp.log(2),
    definition=lambda a, b: sympy.log(sympy.exp(a) + sympy.exp(b)),
    spelling={
        "numpy": "np.logaddexp({0}, {1})",
        "torch": "torch.logaddexp({0}, {1})",
        "jax": "jnp.logaddexp({0}, {1})",
        "numba": "logaddexp({0}, {1})",
    },
    arity=2,
    analytic=False,
    source="derived: softplus of the difference, shifted",
)
LOGADDEXP2 = Elementwise(
    "logaddexp2", lambda a, b: logaddexp(a * sympy.log(2), b * sympy.log(2)) / sympy.log(2), ("numpy.logaddexp2",),
    arity=2, source="derived: logaddexp in base 2",
)  # fmt: skip


def exprel(x: Expr) -> Expr:
    """(exp(x) - 1) / x; its Taylor polynomial for |x| < 1/4, where the quotient and its derivatives lose digits."""
    series: Expr = S.One
    for k in range(13, 1, -1):
        series = 1 + series * x / k
    return Where(sympy.Lt(Absolute(x), Rational(1, 4)), series, expm1(x) / x)


EXPREL = Elementwise(
    "exprel",
    exprel,
    ("scipy.special.exprel",),
    note="NaN at infinity",
    source="derived: the mean of exp between 0 and x",
)
