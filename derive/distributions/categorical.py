"""One of n classes, as a vector that is 1 at the class and 0 elsewhere."""

from collections.abc import Sequence
from typing import Any

import sympy
from scipy import stats
from sympy import Expr

from ..ir.nodes import Bracket
from ._record import Entries, Parameter, VectorDistribution


def _moment(places: Sequence[Any], p: Entries) -> Expr:
    """``p_i [i = j] [i = k] ...``: a product of entries is 0 unless all are the same."""
    same = (Bracket(sympy.Eq(places[0], other)) for other in places[1:])
    return sympy.Mul(p(places[0]), *same)


CATEGORICAL = VectorDistribution(
    name="categorical",
    parameters=(Parameter("p", ("simplex",), "vector"),),
    support=("one-hot",),
    moment=_moment,
    one_hot=True,
    reference=lambda p: stats.multinomial(1, p),
    source="Johnson, Kotz and Balakrishnan (1997), Discrete Multivariate Distributions, ch. 35",
)
