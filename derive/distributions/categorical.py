"""One of n classes, as a vector that is 1 at the class and 0 elsewhere; how often each class was drawn; random weights."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy
import sympy
from sympy import Expr

from ..ir.nodes import Bracket
from ._record import Entries, Parameter, VectorDistribution
from .beta import BETA

Sum = Callable[[Entries], Expr]


def _same(places: Sequence[Any]) -> Expr:
    return sympy.Mul(*(Bracket(sympy.Eq(places[0], other)) for other in places[1:]))


def _moment(places: Sequence[Any], total: Sum, p: Entries) -> Expr:
    """``p_i [i = j] [i = k] ...``: a product of entries is 0 unless all are the same."""
    return p(places[0]) * _same(places)


def _cumulant(places: Sequence[Any], p: Entries) -> Expr:
    """As moments of the one vector give them: ``k(S) = m(S) - sum k(B) m(S - B)`` over the blocks B of the first entry."""
    first, *others = places
    found = p(first) * _same(places)
    for mask in range(2 ** len(others) - 1):
        block = [first, *(o for k, o in enumerate(others) if mask >> k & 1)]
        rest = [o for k, o in enumerate(others) if not mask >> k & 1]
        found -= _cumulant(block, p) * p(rest[0]) * _same(rest)
    return found


def _weights(places: Sequence[Any], total: Sum, a: Entries) -> Expr:
    """Polya's urn: each draw adds one to the weight of its class."""
    above = (a(i) + sum(Bracket(sympy.Eq(i, j)) for j in places[:m]) for m, i in enumerate(places))
    whole = total(a)
    return sympy.Mul(*above) / sympy.Mul(*(whole + m for m in range(len(places))))


SOURCE = "Johnson, Kotz and Balakrishnan (1997), Discrete Multivariate Distributions, ch. 35"

CATEGORICAL = VectorDistribution(
    name="categorical",
    parameters=(Parameter("p", ("simplex",), "vector"),),
    support=("one-hot",),
    moment=_moment,
    one_hot=True,
    log_density=lambda x, p: np.sum(x * np.log(p), axis=-1),
    discrete=True,
    reference=lambda p: scipy.stats.multinomial(1, p),
    source=SOURCE,
)

MULTINOMIAL = VectorDistribution(
    name="multinomial",
    parameters=(Parameter("trials", ("positive",), "whole", integer=True), Parameter("p", ("simplex",), "vector")),
    support=("nonnegative",),
    cumulant=lambda places, total, trials, p: trials() * _cumulant(places, p),
    generating=lambda a, total, trials, p: trials() * sympy.log(total(lambda i: p(i) * sympy.exp(a(i)))),
    log_density=lambda x, trials, p: (
        scipy.special.gammaln(trials + 1) + np.sum(x * np.log(p) - scipy.special.gammaln(x + 1), axis=-1)
    ),
    discrete=True,
    modelled="p",
    reference=lambda trials, p: scipy.stats.multinomial(round(float(trials)), p),
    source=SOURCE,
)

DIRICHLET = VectorDistribution(
    name="dirichlet",
    parameters=(Parameter("concentration", ("positive",), "vector"),),
    support=("simplex", "positive"),
    moment=_weights,
    marginal=BETA,
    marginal_parameters=lambda i, total, a: (a(i), total(a) - a(i)),
    log_density=lambda x, concentration: (
        np.sum((concentration - 1) * np.log(x) - scipy.special.gammaln(concentration), axis=-1)
        + scipy.special.gammaln(np.sum(concentration, axis=-1))
    ),
    reference=lambda a: scipy.stats.dirichlet(a),
    source="Kotz, Balakrishnan and Johnson (2000), Continuous Multivariate Distributions 1, ch. 49",
)
