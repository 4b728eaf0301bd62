"""Laws made of other laws: zero-inflated counts, censored times, ordered classes, mixtures.

Each maker takes the record of a law and gives another. What follows is derived from the density of the law alone, so that it
works for any law: of counts, of numbers with a distribution function, or any law of numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import scipy
import sympy
from sympy import Eq, Expr, S

from ..errors import SpecError
from ..ir.nodes import Where
from ._entries import entrywise
from ._record import Distribution, Parameter, Record, VectorDistribution


def zero_inflated(law: Distribution) -> Distribution:
    """Counts of which some are 0 whatever the law says: with probability `inflation`, 0, else drawn from the law.

    Raises:
        SpecError: the law is not one of counts that may be 0.
    """
    if not law.discrete or "nonnegative" not in law.support or law.log_density is None:
        raise SpecError(f"zeros are added to laws of counts 0, 1, 2, ...; found the {law.name} law")
    log_density, generating, cdf = law.log_density, law.generating, law.cdf

    def inflated(x: Expr, *parameters: Expr) -> Expr:
        *own, inflation = parameters
        own_law = log_density(x, *own)
        of_x, rest = own_law.as_independent(*(s for p in own for s in p.free_symbols), as_Add=True)
        if log_density(S.Zero, *own) != rest.xreplace({x: S.Zero}):
            of_x, rest = S.Zero, own_law
        none = inflation + (1 - inflation) * sympy.exp(log_density(S.Zero, *own))
        return Where(Eq(x, 0), sympy.log(none), sympy.log(1 - inflation) + rest) + of_x

    def mixed(value: Callable[..., Expr]) -> Callable[..., Expr]:
        return lambda x, *parameters: parameters[-1] + (1 - parameters[-1]) * value(x, *parameters[:-1])

    return Distribution(
        name=f"zero-inflated {law.name}",
        parameters=(*law.parameters, Parameter("inflation", ("probability",))),
        support=law.support,
        requires=_without_last(law.requires),
        generating=generating
        and (lambda t, *p: sympy.log(mixed(lambda t, *own: sympy.exp(generating(t, *own)))(t, *p))),
        exists=_without_last(law.exists),
        log_density=inflated,
        cdf=cdf and mixed(cdf),
        discrete=True,
        bounds=_without_last(law.bounds),
        forms=law.forms,
        modelled=law.modelled,
        reference=lambda *p: _Inflated(law.reference(*p[:-1]), p[-1]),
        source="Lambert (1992), Technometrics 34, sec. 2",
    )


def _without_last(function: Callable[..., Any] | None) -> Callable[..., Any] | None:
    return function and (lambda *arguments: function(*arguments[:-1]))


class _Inflated:
    """The same law by SciPy's probabilities."""

    def __init__(self, law: Any, inflation: float) -> None:
        self._law, self._inflation = law, inflation

    def pmf(self, x: Any) -> Any:
        return np.where(x == 0, self._inflation, 0) + (1 - self._inflation) * self._law.pmf(x)

    def logpmf(self, x: Any) -> Any:
        return np.log(self.pmf(x))

    def cdf(self, x: Any) -> Any:
        return self._inflation + (1 - self._inflation) * self._law.cdf(x)

    def ppf(self, q: Any) -> Any:
        return self._law.ppf(np.maximum(np.asarray(q) - self._inflation, 0) / (1 - self._inflation)).clip(0)

    def rvs(self, size: int, random_state: Any = None) -> Any:
        rng = np.random.default_rng(random_state)
        return np.where(rng.random(size) < self._inflation, 0, self._law.rvs(size, random_state=rng))


def censored(law: Distribution) -> VectorDistribution:
    """Times of which some are only known to be longer: an observation is a time and 1 if it was observed, 0 if censored.

    ``log S(t) = log(1 - F(t))`` of all, and of an observed time ``log f(t)/S(t)``, its hazard, as well.

    Raises:
        SpecError: the law has no distribution function here.
    """
    if law.cdf is None or law.log_density is None or law.discrete:
        raise SpecError(f"censored values need a distribution function, and the {law.name} law has none here")
    log_density, cdf = law.log_density, law.cdf

    def log_survival(t: Expr, *parameters: Expr) -> Expr:
        return sympy.log(1 - cdf(t, *parameters))

    def log_hazard(t: Expr, *parameters: Expr) -> Expr:
        return log_density(t, *parameters) - log_survival(t, *parameters)

    def log_censored(x: Any, *parameters: Any) -> Any:
        time, observed = x[..., 0], x[..., 1]
        hazard = entrywise(log_hazard, time, *parameters)
        return observed * hazard + entrywise(log_survival, time, *parameters)

    return VectorDistribution(
        name=f"censored {law.name}",
        parameters=_whole(law, "whole"),
        support=("nonnegative",) if {"positive", "nonnegative"} & {*law.support} else (),
        axes="2",
        log_density=log_censored,
        forms=law.forms,
        modelled=law.modelled,
        reference=lambda *parameters: _Censored(law.reference(*map(float, parameters))),
        source="Klein and Moeschberger (2003), Survival Analysis, sec. 3.5",
    )


def _whole(law: Distribution, role: Any) -> tuple[Parameter, ...]:
    return tuple(replace(p, role=role) for p in law.parameters)


class _Censored:
    """The same law by SciPy: half of the times are censored, each at a part of it."""

    def __init__(self, law: Any) -> None:
        self._law = law

    def logpdf(self, x: Any) -> Any:
        return np.where(x[..., 1] == 1, self._law.logpdf(x[..., 0]), self._law.logsf(x[..., 0]))

    def rvs(self, size: int, random_state: Any = None) -> Any:
        rng = np.random.default_rng(random_state)
        times, observed = self._law.rvs(size, random_state=rng), rng.random(size) < 0.5
        limits = np.where(observed, np.inf, self._law.rvs(size, random_state=rng))
        return np.stack([np.minimum(times, limits), times <= limits], axis=-1)


def ordinal(law: Distribution, name: str) -> VectorDistribution:
    """Ordered classes: where a hidden number of this law falls between cutpoints, ``P(class <= j) = F(c_j - location)``.

    Raises:
        SpecError: the law has no distribution function here.
    """
    if law.cdf is None:
        raise SpecError(f"cutpoints need a distribution function, and the {law.name} law has none here")
    standard = tuple(
        S.One if "positive" in p.facts or "nonnegative" in p.facts else S.Zero for p in law.parameters
    )
    cdf = law.cdf

    def probabilities(location: Any, cutpoints: Any) -> Any:
        up_to = entrywise(lambda c, m: cdf(c - m, *standard), cutpoints, location[..., None])
        none = 0 * up_to[..., :1]
        return np.concatenate([up_to, none + 1], axis=-1) - np.concatenate([none, up_to], axis=-1)

    def reference(location: Any, cutpoints: Any) -> Any:
        up_to = law.reference(*map(float, standard)).cdf(np.asarray(cutpoints) - location)
        return scipy.stats.multinomial(1, np.diff(up_to, prepend=0, append=1))

    return VectorDistribution(
        name=name,
        parameters=(Parameter("location", (), "whole"), Parameter("cutpoints", ("increasing",), axes="k")),
        support=("one-hot",),
        axes="k+1",
        log_density=lambda x, location, cutpoints: np.sum(
            x * np.log(probabilities(location, cutpoints)), axis=-1
        ),
        discrete=True,
        reference=reference,
        source="McCullagh (1980), Journal of the Royal Statistical Society B 42, sec. 2",
    )


def mixture(law: Distribution) -> VectorDistribution:
    """One of k laws, each with its own parameters, drawn with probabilities `weights`."""
    if law.log_density is None:
        raise SpecError(f"a mixture needs a density, and the {law.name} law has none here")
    log_density = law.log_density

    def log_mixed(x: Any, *parameters: Any) -> Any:
        *own, weights = parameters
        return np.log(np.sum(weights * np.exp(entrywise(log_density, x[..., None], *own)), axis=-1))

    return VectorDistribution(
        name=f"mixture of {law.name}",
        parameters=(*_whole(law, "vector"), Parameter("weights", ("simplex",), "vector")),
        support=law.support,
        axes="",
        requires=_without_last(law.requires),
        log_density=log_mixed,
        discrete=law.discrete,
        forms={name: replace(form, axes="k") for name, form in law.forms.items()},
        modelled=law.modelled,
        reference=partial(_Mixture, law),
        source="McLachlan and Peel (2000), Finite Mixture Models, sec. 1.4",
    )


class _Mixture:
    """The same law by SciPy."""

    def __init__(self, law: Distribution, *parameters: Any) -> None:
        *own, self._weights = parameters
        self._laws = [law.reference(*map(float, each)) for each in zip(*own, strict=True)]

    def logpdf(self, x: Any) -> Any:
        parts = [p.logpmf(x) if hasattr(p, "pmf") else p.logpdf(x) for p in self._laws]
        return scipy.special.logsumexp(np.stack(parts, -1), b=self._weights, axis=-1)

    logpmf = logpdf

    def rvs(self, size: int, random_state: Any = None) -> Any:
        rng = np.random.default_rng(random_state)
        drawn = np.stack([p.rvs(size, random_state=rng) for p in self._laws])
        return drawn[rng.choice(len(self._laws), size, p=self._weights), np.arange(size)]


MAKERS: dict[str, Callable[[Distribution], Record]] = {
    "zero-inflated": zero_inflated,
    "censored": censored,
    "mixture of": mixture,
}
"""What a name may begin with that says how a law is made of another."""
