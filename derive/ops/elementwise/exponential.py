"""exp, log and their well-conditioned companions."""

from typing import Any

import numpy as np
import sympy
from scipy import special
from sympy import Expr, Function, S

from .._record import Elementwise


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


class expm1(Function):
    """exp(x) - 1, accurate near 0."""

    is_real = True

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        return S.Zero if x.is_zero else None

    def fdiff(self, argindex: int = 1) -> Expr:
        return sympy.exp(self.args[0])


class sigmoid(Function):
    """1 / (1 + exp(-x)), without overflow."""

    is_real = True
    is_positive = True

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        return S.Half if x.is_zero else None

    def fdiff(self, argindex: int = 1) -> Expr:
        return self * (1 - self)


class softplus(Function):
    """log(1 + exp(x)), without overflow."""

    is_real = True
    is_positive = True

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        return sympy.log(2) if x.is_zero else None

    def fdiff(self, argindex: int = 1) -> Expr:
        return sigmoid(self.args[0])


def logaddexp(a: Expr, b: Expr) -> Expr:
    """log(exp(a) + exp(b)): softplus when one side is constant, else shifted by the second argument."""
    return a + softplus(b - a) if a.is_number else b + softplus(a - b)


EXP = Elementwise(
    "exp", sympy.exp, ("numpy.exp",), head=sympy.exp, value=np.exp, high_precision=lambda mp, x: mp.exp(x),
    spelling={"numpy": "np.exp({0})", "torch": "torch.exp({0})", "jax": "jnp.exp({0})", "numba": "math.exp({0})"},
    latex=r"\exp\left({0}\right)", source="DLMF 4.2.19",
)  # fmt: skip
EXP2 = Elementwise("exp2", lambda x: sympy.exp(x * sympy.log(2)), ("numpy.exp2",))
LOG = Elementwise(
    "log", sympy.log, ("numpy.log",), head=sympy.log, value=np.log, high_precision=lambda mp, x: mp.log(x),
    spelling={"numpy": "np.log({0})", "torch": "torch.log({0})", "jax": "jnp.log({0})", "numba": "math.log({0})"},
    latex=r"\log\left({0}\right)", domain=(0.2, 3.0), source="DLMF 4.2.2",
)  # fmt: skip
LOG2 = Elementwise("log2", lambda x: sympy.log(x) / sympy.log(2), ("numpy.log2",), domain=(0.2, 3.0))
LOG10 = Elementwise("log10", lambda x: sympy.log(x) / sympy.log(10), ("numpy.log10",), domain=(0.2, 3.0))
LOG1P = Elementwise(
    "log1p", log1p, ("numpy.log1p",), head=log1p, value=np.log1p, high_precision=lambda mp, x: mp.log1p(x),
    spelling={"numpy": "np.log1p({0})", "torch": "torch.log1p({0})", "jax": "jnp.log1p({0})",
              "numba": "math.log1p({0})"},
    latex=r"\log\left(1 + {0}\right)", domain=(-0.8, 3.0), source="DLMF 4.2.2",
)  # fmt: skip
EXPM1 = Elementwise(
    "expm1", expm1, ("numpy.expm1",), head=expm1, value=np.expm1, high_precision=lambda mp, x: mp.expm1(x),
    spelling={"numpy": "np.expm1({0})", "torch": "torch.expm1({0})", "jax": "jnp.expm1({0})",
              "numba": "math.expm1({0})"},
    latex=r"\left(e^{{{0}}} - 1\right)", source="DLMF 4.2.19",
)  # fmt: skip


def _sigmoid_value(x: Any) -> Any:
    return 1 / (1 + np.exp(-x)) if np.iscomplexobj(x) else special.expit(x)


def _softplus_value(x: Any) -> Any:
    if not np.iscomplexobj(x):
        return np.logaddexp(0, x)
    return np.where(x.real > 0, x, 0) + np.log1p(np.exp(np.where(x.real > 0, -x, x)))


SIGMOID = Elementwise(
    "sigmoid", sigmoid, ("scipy.special.expit",), head=sigmoid, value=_sigmoid_value,
    high_precision=lambda mp, x: 1 / (1 + mp.exp(-x)),
    spelling={"numpy": "expit({0})", "torch": "torch.sigmoid({0})", "jax": "jax.nn.sigmoid({0})",
              "numba": "sigmoid({0})"},
    latex=r"\sigma\left({0}\right)", source="derived: the inverse of the logit",
)  # fmt: skip
SOFTPLUS = Elementwise(
    "softplus", softplus, (), head=softplus, value=_softplus_value,
    high_precision=lambda mp, x: mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x)),
    spelling={"numpy": "np.logaddexp(0, {0})", "torch": "torch.nn.functional.softplus({0}, threshold=50)",
              "jax": "jax.nn.softplus({0})", "numba": "softplus({0})"},
    latex=r"\operatorname{{softplus}}\left({0}\right)", source="Dugas et al. (2001), eq. 5",
)  # fmt: skip
LOGADDEXP = Elementwise("logaddexp", logaddexp, ("numpy.logaddexp",), arity=2)
