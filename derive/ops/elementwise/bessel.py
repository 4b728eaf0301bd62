"""Modified Bessel functions of the first kind, of orders 0 and 1, also scaled by exp(-|x|)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special
from sympy import Eq, Expr, Rational, S

from ...ir.nodes import Where
from .._record import Elementwise
from ._heads import OfReal
from .piecewise import Sign


def _over(bessel: Expr, x: Expr) -> Expr:
    """I1(x) / x, which is 1/2 at 0."""
    return Where(Eq(x, 0), Rational(1, 2), bessel / x)


class i0(OfReal):
    """I0(x)."""

    is_positive = True
    at_zero = S.One

    def fdiff(self, argindex: int = 1) -> Expr:
        return i1(self.args[0])


class i1(OfReal):
    """I1(x)."""

    at_zero = S.Zero

    def fdiff(self, argindex: int = 1) -> Expr:
        return i0(self.args[0]) - _over(self, self.args[0])


class i0e(OfReal):
    """exp(-|x|) I0(x)."""

    is_positive = True
    at_zero = S.One

    def fdiff(self, argindex: int = 1) -> Expr:
        return i1e(self.args[0]) - Sign(self.args[0]) * self


class i1e(OfReal):
    """exp(-|x|) I1(x)."""

    at_zero = S.Zero

    def fdiff(self, argindex: int = 1) -> Expr:
        x = self.args[0]
        return i0e(x) - _over(self, x) - Sign(x) * self


def _value(order: int, scaled: bool) -> Callable[[Any], Any]:
    """SciPy's function, continued to complex numbers; |x| continues as x or -x."""
    real = getattr(special, f"i{order}" + "e" * scaled)

    def value(x: Any) -> Any:
        if not np.iscomplexobj(x):
            return real(x)
        turn = np.exp(-1j * np.sign(x.real) * x.imag)
        return special.ive(order, x) * turn if scaled else special.iv(order, x)

    return value


def _record(
    order: int, scaled: bool, head: type, source: str, note: str = "", kink: Any = None
) -> Elementwise:
    name = f"i{order}" + "e" * scaled
    latex = rf"I_{order}\left({{0}}\right)"
    return Elementwise(
        name, head, (f"scipy.special.{name}", *(["numpy.i0"] if name == "i0" else [])), head=head,
        value=_value(order, scaled),
        high_precision=lambda mp, x: mp.besseli(order, x) * (mp.exp(-abs(x)) if scaled else 1),
        spelling={"numpy": f"{name}({{0}})", "torch": f"torch.special.{name}({{0}})",
                  "jax": f"jax.scipy.special.{name}({{0}})", "numba": f"bessel_{name}({{0}})"},
        latex=rf"e^{{{{-\left|{{0}}\right|}}}} {latex}" if scaled else latex, kink=kink, note=note, source=source,
    )  # fmt: skip


I0 = _record(0, False, i0, "DLMF 10.25.2")
I1 = _record(1, False, i1, "DLMF 10.25.2")
I0E = _record(0, True, i0e, "DLMF 10.25.2", "i0e'(0) = 0, between the slopes 1 and -1 beside it", lambda x: x)
I1E = _record(1, True, i1e, "DLMF 10.25.2")
