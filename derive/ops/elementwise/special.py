"""Special functions of statistics and information theory."""

from typing import Any

import sympy
from scipy import special
from sympy import Expr, Function, Or, S

from ...ir.nodes import Bracket, Where
from .._record import Elementwise
from ._heads import OfReal
from .exponential import log1p
from .tails import ierfcx, mills

POSITIVE_DOMAIN = (0.2, 3.0)


class erfcx(OfReal):
    """exp(x^2) erfc(x), which falls as slowly as 1 / x."""

    is_positive = True
    at_zero = S.One

    def fdiff(self, argindex: int = 1) -> Expr:
        return 2 * self.args[0] * self - 2 / sympy.sqrt(sympy.pi)


class log_ndtr(OfReal):
    """The logarithm of the normal distribution function, accurate far into the left tail."""

    at_zero = -sympy.log(2)

    def fdiff(self, argindex: int = 1) -> Expr:
        return sympy.sqrt(2 / sympy.pi) / erfcx(-self.args[0] / sympy.sqrt(2))


class ndtr(OfReal):
    """The normal distribution function; not written with erfc, which SymPy turns into 2 - erfc on the left."""

    is_positive = True
    at_zero = S.Half

    def fdiff(self, argindex: int = 1) -> Expr:
        return sympy.exp(-(self.args[0] ** 2) / 2) / sympy.sqrt(2 * sympy.pi)


class ndtri(Function):
    """The inverse of the normal distribution function."""

    is_real = True

    @classmethod
    def eval(cls, p: Any) -> Expr | None:
        return S.Zero if p == S.Half else None

    def fdiff(self, argindex: int = 1) -> Expr:
        return sympy.sqrt(2 * sympy.pi) * sympy.exp(self**2 / 2)


def spelled(name: str, torch: str = "", numba: str = "") -> dict[str, str]:
    """The spelling of one of SciPy's functions, by its name there and on the other targets."""
    found = {"numpy": f"{name}({{0}})", "jax": f"jax.scipy.special.{name}({{0}})"}
    found |= {"torch": f"{torch}({{0}})"} if torch else {}
    return found | ({"numba": f"{numba}({{0}})"} if numba else {})


def _log_ndtr_exact(mp: Any, x: Any) -> Any:
    below = mp.erfc(abs(x) / mp.sqrt(2)) / 2
    return mp.log(below) if x < 0 else mp.log1p(-below)


ERF = Elementwise(
    "erf", sympy.erf, ("scipy.special.erf",), head=sympy.erf, value=special.erf,
    high_precision=lambda mp, x: mp.erf(x), spelling=spelled("erf", "torch.erf", "math.erf"),
    latex=r"\operatorname{{erf}}\left({0}\right)", source="DLMF 7.2.1",
)  # fmt: skip
ERFC = Elementwise(
    "erfc", sympy.erfc, ("scipy.special.erfc",), head=sympy.erfc, value=special.erfc,
    high_precision=lambda mp, x: mp.erfc(x), spelling=spelled("erfc", "torch.erfc", "math.erfc"),
    latex=r"\operatorname{{erfc}}\left({0}\right)", source="DLMF 7.2.2",
)  # fmt: skip
ERFCX = Elementwise(
    "erfcx", erfcx, ("scipy.special.erfcx",), head=erfcx, value=special.erfcx,
    high_precision=lambda mp, x: mp.exp(x * x) * mp.erfc(x), definition=lambda x: sympy.exp(x**2) * sympy.erfc(x),
    slopes=lambda x: (-2 * ierfcx(S.One, x),),
    spelling=spelled("erfcx", "torch.special.erfcx", "erfcx"), latex=r"\operatorname{{erfcx}}\left({0}\right)",
    note="the slope 2 x erfcx(x) - 2 / sqrt(pi) loses digits as x^2 grows", source="DLMF 7.2.3",
)  # fmt: skip
ERFINV = Elementwise(
    "erfinv", sympy.erfinv, ("scipy.special.erfinv",), head=sympy.erfinv, value=special.erfinv, analytic=False,
    high_precision=lambda mp, x: mp.erfinv(x), spelling=spelled("erfinv", "torch.erfinv", "erfinv"),
    latex=r"\operatorname{{erf}}^{{-1}}\left({0}\right)", domain=(-0.8, 0.8), source="DLMF 7.17.1",
)  # fmt: skip
ERFCINV = Elementwise(
    "erfcinv", lambda y: -ndtri(y / 2) / sympy.sqrt(2), ("scipy.special.erfcinv",), domain=(0.2, 1.8),
    source="DLMF 7.17.1",
)  # fmt: skip
NDTR = Elementwise(
    "ndtr", ndtr, ("scipy.special.ndtr",), head=ndtr, value=special.ndtr,
    definition=lambda x: (1 + sympy.erf(x / sympy.sqrt(2))) / 2,
    high_precision=lambda mp, x: mp.erfc(-x / mp.sqrt(2)) / 2,
    spelling={"numpy": "ndtr({0})", "torch": "torch.special.ndtr({0})", "jax": "jax.scipy.special.ndtr({0})",
              "numba": "ndtr({0})"},
    latex=r"\Phi\left({0}\right)", source="DLMF 7.1.1",
)  # fmt: skip
NDTRI = Elementwise(
    "ndtri", ndtri, ("scipy.special.ndtri",), head=ndtri, value=special.ndtri, analytic=False,
    high_precision=lambda mp, p: mp.sqrt(2) * mp.erfinv(2 * p - 1),
    spelling=spelled("ndtri", "torch.special.ndtri", "ndtri"),
    latex=r"\Phi^{{-1}}\left({0}\right)", domain=(0.1, 0.9), source="DLMF 7.17.1",
)  # fmt: skip
LOG_NDTR = Elementwise(
    "log_ndtr", log_ndtr, ("scipy.special.log_ndtr",), head=log_ndtr, value=special.log_ndtr,
    high_precision=_log_ndtr_exact,
    definition=lambda x: sympy.log(sympy.erfc(-x / sympy.sqrt(2)) / 2), slopes=lambda x: (mills(S.Zero, x),),
    spelling=spelled("log_ndtr", "torch.special.log_ndtr", "log_ndtr"),
    latex=r"\log\Phi\left({0}\right)", source="derived: the logarithm of ndtr",
)  # fmt: skip


def xlogy(x: Expr, y: Expr) -> Expr:
    """x log(y), and 0 where both are 0; its slope in x is log(y) also at x = 0."""
    return Bracket(Or(sympy.Ne(x, 0), sympy.Gt(y, 0))) * x * sympy.log(y)


def xlog1py(x: Expr, y: Expr) -> Expr:
    """x log(1 + y), and 0 where x = 0 and y = -1."""
    return Bracket(Or(sympy.Ne(x, 0), sympy.Gt(y, -1))) * x * log1p(y)


def entr(x: Expr) -> Expr:
    """-x log(x), 0 at 0, -inf below."""
    return Where(sympy.Lt(x, 0), S.NegativeInfinity, -xlogy(x, x))


def rel_entr(x: Expr, y: Expr) -> Expr:
    """x log(x / y) for positive x and y, 0 for x = 0 <= y, inf elsewhere."""
    both = sympy.And(sympy.Gt(x, 0), sympy.Gt(y, 0))
    none = sympy.And(sympy.Eq(x, 0), sympy.Ge(y, 0))
    return Where(both, x * (sympy.log(x) - sympy.log(y)), Where(none, S.Zero, S.Infinity))


XLOGY = Elementwise(
    "xlogy",
    xlogy,
    ("scipy.special.xlogy",),
    arity=2,
    domain=POSITIVE_DOMAIN,
    source="derived: lim x log(x) = 0",
)
XLOG1PY = Elementwise(
    "xlog1py", xlog1py, ("scipy.special.xlog1py",), arity=2, domain=POSITIVE_DOMAIN,
    source="derived: lim x log(x) = 0",
)  # fmt: skip
ENTR = Elementwise(
    "entr",
    entr,
    ("scipy.special.entr",),
    domain=POSITIVE_DOMAIN,
    source="Boyd and Vandenberghe (2004), ex. 3.2",
)
REL_ENTR = Elementwise(
    "rel_entr", rel_entr, ("scipy.special.rel_entr",), arity=2, domain=POSITIVE_DOMAIN,
    source="Boyd and Vandenberghe (2004), ex. 3.19",
)  # fmt: skip
KL_DIV = Elementwise(
    "kl_div", lambda x, y: rel_entr(x, y) - x + y, ("scipy.special.kl_div",), arity=2, domain=POSITIVE_DOMAIN,
    source="Boyd and Vandenberghe (2004), ex. 3.13",
)  # fmt: skip
