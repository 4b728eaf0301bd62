"""Laws made of other laws that have records of their own; `distributions_called` makes the others when they are named."""

from ._made import censored, mixture, ordinal, zero_inflated
from .gamma import EXPONENTIAL
from .logistic import GUMBEL, LOGISTIC
from .negative_binomial import NEGATIVE_BINOMIAL
from .normal import NORMAL
from .poisson import POISSON
from .weibull import WEIBULL

ZERO_INFLATED_POISSON = zero_inflated(POISSON)
ZERO_INFLATED_NEGATIVE_BINOMIAL = zero_inflated(NEGATIVE_BINOMIAL)

CENSORED_EXPONENTIAL = censored(EXPONENTIAL)
CENSORED_WEIBULL = censored(WEIBULL)
CENSORED_NORMAL = censored(NORMAL)

ORDINAL_LOGIT = ordinal(LOGISTIC, "ordinal logit")
ORDINAL_PROBIT = ordinal(NORMAL, "ordinal probit")
ORDINAL_LOGLOG = ordinal(GUMBEL, "ordinal loglog")

MIXTURE_OF_NORMAL = mixture(NORMAL)
MIXTURE_OF_POISSON = mixture(POISSON)
