"""Special functions of statistics and activation functions."""

import sympy
from scipy import special

from .._record import Elementwise

ERF = Elementwise(
    "erf", sympy.erf, ("scipy.special.erf",), head=sympy.erf, value=special.erf,
    high_precision=lambda mp, x: mp.erf(x),
    spelling={"numpy": "erf({0})", "torch": "torch.erf({0})", "jax": "jax.scipy.special.erf({0})",
              "numba": "math.erf({0})"},
    latex=r"\operatorname{{erf}}\left({0}\right)", source="DLMF 7.2.1",
)  # fmt: skip
ERFC = Elementwise(
    "erfc", sympy.erfc, ("scipy.special.erfc",), head=sympy.erfc, value=special.erfc,
    high_precision=lambda mp, x: mp.erfc(x),
    spelling={"numpy": "erfc({0})", "torch": "torch.erfc({0})", "jax": "jax.scipy.special.erfc({0})",
              "numba": "math.erfc({0})"},
    latex=r"\operatorname{{erfc}}\left({0}\right)", source="DLMF 7.2.2",
)  # fmt: skip
NDTR = Elementwise(
    "ndtr", lambda x: sympy.erfc(-x / sympy.sqrt(2)) / 2, ("scipy.special.ndtr",), source="DLMF 7.1"
)
LOGIT = Elementwise(
    "logit", lambda p: sympy.log(p / (1 - p)), ("scipy.special.logit",), domain=(0.1, 0.9),
    source="derived: the inverse of the sigmoid",
)  # fmt: skip
