"""The verb `accuracy`: a function on a domain, each form of it and of its derivatives, against exact values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import api, texts
from ..errors import SpecError, UnknownName
from ..function import Function
from ..ir.facts import Spec
from .domain import Domain, domains_of
from .epsilon import epsilons
from .errors import Reference
from .findings import findings
from .measure import DERIVATIVES, NUMBERS, Measured, derivatives, measure, rules_of, runs
from .report import Accuracy
from .sample import sample

POINTS = 150


def accuracy(
    f: Function | Callable[..., Any] | str,
    domain: Mapping[str, Any] | str | tuple[float, float] | None = None,
    *,
    wrt: str | Sequence[str] | None = None,
    of: Sequence[str] = DERIVATIVES,
    dtypes: Sequence[str] = ("float64", "float32"),
    points: int = POINTS,
    seed: int = 0,
) -> Accuracy:
    """The digits that a formula and its derivatives lose over a domain, as written and as run, beside exact values.

    An error is counted in ulps of the exact value, after what rounding each input by half an ulp would do: it is
    ``|computed - f(x)| / (ulp(f(x)) + sum_i |f(x_i +- ulp(x_i)/2) - f(x)|)``, of the worst entry.

    Args:
        f: a `Function`, a NumPy function, or a formula as text.
        domain: for each input an interval, words of `spec`, or both after its axes: ``{"x": "-1e4..1e4"}``,
            ``"integer 0..100"``, ``"n, 1e-300..1"``, ``"n, simplex"``, ``"positive"``, ``(0, 1)``; without a name for
            a function of one input. What is left out follows from the facts, or is -1e4..1e4.
        wrt: the inputs to differentiate by; default: all real ones.
        of: which of "value", "gradient", "Hessian"; of an array the gradient is the Jacobian.
        dtypes: "float64", "float32".
        points: how many points are looked at; those at which the formula has no value, nor a limit, do not count.
        seed: of the points that are drawn at random.

    Returns:
        A report: `report["gradient", "stable"]` has the worst point, the median and the failures; `report.findings` the
        operations that lose digits; `report.epsilons` the constants that bound or bias the answer; `report.plot(path)`.

    Raises:
        SpecError: a domain cannot be read, is empty, or contradicts a fact.  UnknownName: no such input.

    Numerics: exact values are balls (python-flint) of as many digits as it takes.

    Source: the operation to blame is found as in Panchekha et al. (2015), Automatically Improving Accuracy, sec. 4.3.

    Example:
        >>> report = accuracy("sqrt(x + 1) - sqrt(x)", "1..1e15", of=["value"], points=60)
        >>> print(report.findings[0].kind)
        cancellation
    """
    function, domains = understood(f, domain)
    if isinstance(points, bool) or not isinstance(points, int) or points < 1:
        raise SpecError(f"points is a number of points, at least 1; found {points!r}")
    if unknown := [d for d in dtypes if d not in NUMBERS]:
        raise SpecError(f"dtypes are {', '.join(NUMBERS)}; found {unknown[0]!r}")
    names = _wrt(function, wrt)
    found: list[Measured] = []
    for derivative, g in derivatives(function, names, of).items():
        reference = Reference(g.program)
        for dtype in dtypes:
            at = sample(domains, points, seed, NUMBERS[dtype].dtype)
            found += [
                measure(form, derivative, dtype, run, reference, at) for form, run in runs(g, dtype).items()
            ]
    naive = next((m for m in found if (m.form, m.derivative) == ("naive", "value")), None)
    blamed = findings(function.program, naive) if naive else ()
    constants = epsilons(function.program, domains)
    return Accuracy(function, domains, tuple(found), blamed, constants, rules_of(function))


def understood(f: Any, domain: Any) -> tuple[Function, dict[str, Domain]]:
    """What is measured as a `Function`, and the domain of each of its inputs.

    Raises:
        SpecError, UnknownName: about the domain.
    """
    if isinstance(f, Function):
        tensors = {t.name: t for t in f.program.inputs}
        return f, domains_of(tensors, _named(domain, list(tensors)))
    if isinstance(f, str):
        names = list(texts.parse(f).inputs) if not isinstance(domain, Mapping) else list(domain)
        given = _named(domain, names)
        specs = {name: d.spec for name, d in domains_of(dict.fromkeys(given), given).items()}
        function = texts.parse(f, **specs)
        missing = {t.name: t for t in function.program.inputs if t.name not in specs}
        return function, {
            **domains_of(dict.fromkeys(given), given),
            **domains_of(missing, {}),
        }
    if not callable(f):
        raise SpecError(
            f"accuracy takes a Function, a NumPy function or a formula as text; found {type(f).__name__}"
        )
    names = list(inspect.signature(f).parameters)
    domains = domains_of(dict.fromkeys(names), _named(domain, names))
    specs = {name: d.spec for name, d in domains.items()}
    function = api.trace(f, **specs)
    if not isinstance(function, Function):
        raise SpecError(f'{function.name}() needs numbers for its sizes; try: numbers as axes, "3, -1..1"')
    return function, {t.name: domains[t.name] for t in function.program.inputs}


def _named(domain: Any, names: list[str]) -> Mapping[str, Any]:
    """The domain by the names of inputs."""
    if domain is None:
        return {}
    if isinstance(domain, Mapping):
        return domain
    if isinstance(domain, str | tuple | Spec) and len(names) == 1:
        return {names[0]: domain}
    raise UnknownName(
        f"there are {len(names)} inputs ({', '.join(names)}), so each domain needs its name; "
        f'try: {{"{names[0] if names else "x"}": "-1e4..1e4"}}'
    )


def _wrt(f: Function, wrt: str | Sequence[str] | None) -> list[str]:
    real = [t.name for t in f.program.inputs if t.kind == "real" and "binary" not in t.facts]
    if wrt is None:
        return real
    names = [wrt] if isinstance(wrt, str) else list(wrt)
    for name in names:
        if name not in f.inputs:
            raise UnknownName(f"{f.name}() has no input {name!r}; it has {', '.join(f.inputs)}")
    return names
