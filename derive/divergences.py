"""The verbs of information: entropy, cross-entropy, Kullback-Leibler divergence and mutual information of laws by name."""

from __future__ import annotations

from typing import Any

from sympy import Expr, Symbol

from .errors import SpecError
from .information.divergence import Kind, derive, functional, together
from .information.laws import Scalar, is_of_vectors, law, read_law, scalar_law
from .information.quadrature import mean_at
from .information.result import Information
from .information.spelling import function_of, spelled
from .ir.facts import Law
from .texts import specs_of

__all__ = ["cross_entropy", "entropy", "kl", "law"]


def entropy(p: str | Law, /, **shapes: Any) -> Information:
    """The entropy of a law in nats, ``H(p) = -E log p(x)``; of a density the differential entropy, which may be negative.

    Args:
        p: a law as text, ``"normal(mu, sigma^2)"``, its parameters formulas or other forms by name, ``"normal(mu,
            sigma=s)"``; with axes in front for arrays, ``"n, normal(mu, Sigma)"``, ``"n, categorical(p)"``; or what
            `law` gives.
        shapes: declarations of the names in it, as for `trace`; a name is a scalar if nothing is said.

    Returns:
        An `Information`: its `function` of the parameters, the steps of its derivation; without a closed form its values
        are found by quadrature, with a bound of the error.

    Raises:
        UnknownName: there is no such law.  SpecError: it has other parameters.  DomainError: one is outside its domain.

    Example:
        >>> print(entropy("exponential(rate)").formula)
        1 − log(rate)
    """
    return _information("entropy", p, p, shapes)


def cross_entropy(p: str | Law, q: str | Law, /, **shapes: Any) -> Information:
    """The cross-entropy in nats, ``H(p, q) = -E log q(x)`` for x of the law p; infinite where q gives 0 to what p has.

    Arguments and errors as for `kl`.
    """
    return _information("cross-entropy", p, q, shapes)


def kl(p: str | Law, q: str | Law, /, **shapes: Any) -> Information:
    """The Kullback-Leibler divergence of q from p in nats, ``KL(p ‖ q) = E log p(x) - log q(x)`` for x of the law p.

    Args:
        p, q: laws as for `entropy`, of one family or of two.
        shapes: as for `entropy`.

    Returns:
        An `Information`; infinite, with a note, where p has values that q cannot have.

    Raises:
        UnknownName: there is no such law.  SpecError: it has other parameters.  DomainError: one is outside its domain.

    Example:
        >>> print(kl("poisson(a)", "poisson(b)").formula)
        a log(a / b) + b − a
    """
    return _information("KL", p, q, shapes)


def _information(kind: Kind, p: str | Law, q: str | Law, shapes: dict[str, Any]) -> Information:
    specs, (first, second) = specs_of(shapes), (read_law(p), read_law(q))
    if first.shape is not None or second.shape is not None or is_of_vectors(first, specs):
        raise SpecError("laws of vectors are not read yet; try: a law of numbers")
    return _of_numbers(kind, *together(scalar_law(first, specs), scalar_law(second, specs)))


def _of_numbers(kind: Kind, p: Scalar, q: Scalar) -> Information:
    found, x = derive(kind, p, q), p.variable
    g = functional(kind, p, q, x)
    names = tuple(dict.fromkeys((*p.names, *q.names)))
    facts = {**p.facts, **q.facts}
    return Information(
        title=_title(kind, str(p.written), str(q.written)),
        function=None if found.value is None else function_of(found.value, names, facts, _names[kind]),
        formula=_spelled(found.value, g, x, p, names),
        steps=found.steps,
        note="\n".join(filter(None, [found.note, _assumed(p, q)])),
        _quadrature=lambda point: mean_at(g, x, p, point),
        _names=names,
    )


def _spelled(value: Expr | None, g: Expr, x: Symbol, p: Scalar, names: tuple[str, ...]) -> str:
    """A closed form, else the number if nothing is left open."""
    if value is not None:
        return spelled(value)
    return "" if names else str(mean_at(g, x, p, {}))


_names: dict[Kind, str] = {"entropy": "entropy", "cross-entropy": "cross_entropy", "KL": "kl"}


def _title(kind: Kind, p: str, q: str) -> str:
    match kind:
        case "entropy":
            return f"H({p})"
        case "cross-entropy":
            return f"H({p}, {q})"
        case "KL":
            return f"KL({p} ‖ {q})"


def _assumed(p: Scalar, q: Scalar) -> str:
    """What is taken to be positive though nobody said so: a standard deviation where the variance is its square."""
    names = dict.fromkeys((*p.assumed, *q.assumed))
    return f"for {', '.join(names)} > 0" if names else ""
