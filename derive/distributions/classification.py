"""Losses of two classes that are no negative log-likelihood of any law of the labels."""

import sympy
from sympy import Expr

from ..ops.elementwise.piecewise import Maximum
from ._loss import LossRecord
from ._record import Parameter


def _focal(y: Expr, p: Expr, focus: Expr) -> Expr:
    """``-(1 - q)^focus log(q)`` for the probability q of the class that is there."""
    return -y * (1 - p) ** focus * sympy.log(p) - (1 - y) * p**focus * sympy.log(1 - p)


def _tilted(y: Expr, p: Expr, focus: Expr) -> Expr:
    """Cross-entropy less `focus` times the entropy of the prediction."""
    entropy = -p * sympy.log(p) - (1 - p) * sympy.log(1 - p)
    return -y * sympy.log(p) - (1 - y) * sympy.log(1 - p) - focus * entropy


FOCAL = LossRecord(
    name="focal",
    parameters=(Parameter("p", ("probability",)), Parameter("focus", ("positive",))),
    support=("binary",),
    values=(0, 1),
    loss=_focal,
    requires=lambda p, focus: (focus - 1,),
    bound=_tilted,
    fixed=("focus",),
    statement=(
        "No law of the labels has this negative log-likelihood: exp(-loss) of both labels does not add up to a constant. "
        "For a focus of 1 or more it is at least the cross-entropy less focus times the entropy of the prediction: it is "
        "cross-entropy with a reward for doubt."
    ),
    source="Lin et al. (2017), ICCV, eq. 4; the bound: Mukhoti et al. (2020), NeurIPS, sec. 4",
)

HINGE = LossRecord(
    name="hinge",
    parameters=(Parameter("margin"),),
    values=(-1, 1),
    loss=lambda y, margin: Maximum(1 - y * margin, 0),
    statement=(
        "No law of the labels has this negative log-likelihood: exp(-loss) of both labels adds up to 2 exp(-1) at the "
        "margin 0 and to 1 + exp(-2) at 1."
    ),
    source="Cortes and Vapnik (1995), Machine Learning 20; the statement: Sollich (2002), Machine Learning 46, sec. 2",
)
