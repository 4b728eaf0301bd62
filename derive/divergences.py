"""The verbs of information: entropy, cross-entropy, Kullback-Leibler divergence and mutual information of laws by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import Expr, Symbol

from .distributions import VectorDistribution
from .errors import NoClosedForm
from .information.divergence import POINTS, Kind, derive, functional, together
from .information.laws import Scalar, Written, is_of_vectors, law, read_law, scalar_law
from .information.mutual import mutual
from .information.quadrature import mean_at
from .information.result import Information
from .information.spelling import function_of, infinite, on_page, right_side, spelled, sum_of
from .information.vectors import apart, derive_vectors, disagreement, log_density_lines, vector_law
from .ir.facts import Law, Spec, spec
from .texts import specs_of

Shape = tuple[Expr, ...]

__all__ = ["cross_entropy", "entropy", "kl", "law", "mutual_information"]


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


def mutual_information(joint: str, /, **shapes: Any) -> Information:
    """The mutual information of two random variables in nats, ``I(x; y) = KL(p(x, y) ‖ p(x) p(y))``.

    Args:
        joint: ``"n m, categorical(P)"`` for a table of joint probabilities; ``"normal(rho)"`` for two normal numbers with
            this correlation, ``"normal(vx, c, vy)"`` with these variances and this covariance; ``"n m, normal(Sx, C, Sy)"``
            for normal vectors x and y with the covariances Sx and Sy and the covariance C[n,m] between them.
        shapes: as for `entropy`.

    Raises:
        SpecError: it is none of these, or a correlation is not between -1 and 1.

    Example:
        >>> print(mutual_information("normal(rho)").formula)
        −log(1 − rho²) / 2
    """
    return mutual(joint, specs_of(shapes))


def _information(kind: Kind, p: str | Law, q: str | Law, shapes: dict[str, Any]) -> Information:
    specs, first, second = specs_of(shapes), read_law(p), read_law(q)
    shape = first.shape or second.shape
    if is_of_vectors(first, specs) or is_of_vectors(second, specs):
        return _of_vectors(kind, first, second, shape or _shape_of(first), specs)
    if shape:
        return _of_entries(kind, first, second, shape, specs)
    return _of_numbers(kind, *together(scalar_law(first, specs), scalar_law(second, specs)))


def _of_vectors(
    kind: Kind, first: Written, second: Written, shape: Shape, specs: dict[str, Spec]
) -> Information:
    """By the moments of a law of vectors."""
    p, q = vector_law(first, shape, specs), vector_law(second, shape, specs)
    title = _title(kind, str(first), str(second))
    if where := apart(p, q):
        return Information(
            title, infinite(_names[kind], {**p.specs, **q.specs}), "∞", (), f"infinite: {where}"
        )
    try:
        found = derive_vectors(kind, p, q, shape)
        worst = disagreement(kind, found, p, q, shape)
    except NoClosedForm as error:
        return Information(title, None, "", (), f"no closed form found: {error}")
    if worst is None:
        return Information(title, None, "", (), "no closed form found that agrees with numbers")
    lines = [
        f"{_title(kind, 'p', 'q')} = {MEANS[kind]}, x ~ {first}",
        *map(on_page, log_density_lines(p, shape)),
    ]
    if p.record is not q.record:
        lines += [line.replace("log p(x)", "log q(x)") for line in log_density_lines(q, shape)]
    lines.append(f"the mean of each product of entries of x by the moments of {first.law.name}")
    if worst == worst:
        how = "sums over all values" if p.record.discrete else "integrals"
        lines.append(f"checked: agrees with {how} at {POINTS} points, to {worst:.0e}")
    else:
        lines.append("not checked by numbers: no sum or integral here for such a law")
    return Information(title, found, right_side(found), tuple(lines))


def _of_entries(
    kind: Kind, first: Written, second: Written, shape: Shape, specs: dict[str, Spec]
) -> Information:
    """Independent entries: the sum over all of what one of them has."""
    scalars = {name: Spec((), facts=s.facts) for name, s in specs.items()}
    p, q = together(scalar_law(first, scalars), scalar_law(second, scalars))
    found = derive(kind, p, q)
    title, note = _title(kind, str(first), str(second)), "\n".join(filter(None, [found.note, _assumed(p, q)]))
    if found.value is None:
        return Information(title, None, "", found.steps, note)
    names, facts = tuple(dict.fromkeys((*p.names, *q.names))), {**p.facts, **q.facts}
    declared = {
        name: replace(specs.get(name, spec("")), facts=facts[name]) for name in names if name in facts
    }
    function = sum_of(found.value, shape, names, declared, _names[kind])
    steps = (f"entries are independent: the sum over all of one entry's {spelled(found.value)}", *found.steps)
    return Information(title, function, right_side(function), steps, note)


def _shape_of(written: Written) -> Shape:
    """The shape of one draw: "n", or "n n" of a law of matrices."""
    record = next(r for r in written.records if isinstance(r, VectorDistribution))
    return spec(record.axes.replace("k", "n")).shape


MEANS: dict[Kind, str] = {
    "entropy": "−E log p(x)", "cross-entropy": "−E log q(x)", "KL": "E[log p(x) − log q(x)]",
}  # fmt: skip


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
