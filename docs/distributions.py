"""The laws as a page: their parameters and forms, and the loss that each stands for, all of it printed by `derive`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from derive import likelihood
from derive.distributions import (
    Distribution,
    LossRecord,
    Parameter,
    Record,
    VectorDistribution,
    distributions,
    loss_records,
)

from .operations import table

INTRODUCTION = """\
# Distributions and their losses

Made by `python -m docs` from the records in `derive/distributions`; a test says when it is out of date. A record holds the
logarithm of the density as it stands in books; losses, gradients, scores, informations and estimates are derived from it.
`dv.likelihood("poisson", link="log")` gives a loss; `print(loss)` its derivation. Any density of your own does as well: a
formula `"exp(-abs(y-mu)/b)/(2*b)"`, a NumPy function or a SymPy expression.
"""
MADE = """\
## Laws made of laws

`"zero-inflated poisson"`, `"censored weibull"`, `"mixture of normal"`: the first words go with any law that they fit. Zeros
may be added to any law of counts; values censored for any law with a distribution function (an observation is a time, and 1
if it was observed, 0 if only known to be longer); mixtures made of any law of numbers. In Python they are
`derive.distributions.zero_inflated`, `censored`, `ordinal` and `mixture`, from record to record.
"""
WITHOUT = """\
## Losses without a density

What is used like a negative log-likelihood and is none, or whose density has no closed form.
"""


def document() -> str:
    """The page, in Markdown."""
    numbers = [d for d in distributions() if isinstance(d, Distribution) and d.log_density is not None]
    arrays = [d for d in distributions() if isinstance(d, VectorDistribution) and d.log_density is not None]
    parts = [INTRODUCTION, "## Losses <- laws of numbers", "", *_losses(numbers)]
    parts += [
        "## Losses <- laws of vectors and matrices, and of parameters that are vectors",
        "",
        *_losses(arrays),
    ]
    parts += [
        "## Parameters",
        "",
        *_parameters([*numbers, *arrays]),
        MADE,
        WITHOUT,
        *_without(loss_records()),
    ]
    return "\n".join(parts).rstrip("\n") + "\n"


def _losses(laws: Iterable[Record]) -> list[str]:
    return table(
        ["law", "link", "loss of one observation", "gradient by the raw output z"], map(loss_row, laws)
    )


def loss_row(law: Record) -> list[str]:
    """A law with its default link, its loss and the gradient, as they are printed."""
    matrix = next((p for p in law.parameters if p.name == law.modelled and p.role == "matrix"), None)
    found = likelihood(law, **({} if matrix is None else {"raw": ", ".join(matrix.facts)}))
    (given,) = found.setting.raws
    return [law.name, f"{given.name}: {given.link}", _code(found.example), _code(found.example_gradient)]


def _code(printed: object) -> str:
    return "<br>".join(f"`{line}`" for line in str(printed).splitlines())


def _parameters(laws: Iterable[Record]) -> list[str]:
    return table(["law", "of", "parameters", "other forms", "source"], map(parameter_row, laws))


def parameter_row(law: Record) -> list[str]:
    """What a law is drawn as, and what it is given."""
    kind = "whole numbers" if law.discrete else "numbers"
    if isinstance(law, VectorDistribution) and law.axes:
        kind = f"`{law.axes}`"
    support = f"{kind}, {', '.join(law.support)}" if law.support else kind
    forms = [_declared(Parameter(name, form.facts, axes=form.axes)) for name, form in law.forms.items()]
    return [law.name, support, ", ".join(map(_declared, law.parameters)), ", ".join(forms), law.source]


def _declared(parameter: Parameter) -> str:
    roles = {"vector": "k", "matrix": "k k", "whole": "", "entry": ""}
    axes = roles[parameter.role] if parameter.axes is None else parameter.axes
    words = [*([axes] if axes else []), *parameter.facts, *(["whole number"] if parameter.integer else [])]
    return f"{parameter.name} ({', '.join(words)})" if words else parameter.name


def _without(records: Iterable[LossRecord]) -> list[str]:
    return table(["loss", "parameters", "what it stands for", "source"], _statements(records))


def _statements(records: Iterable[LossRecord]) -> Iterator[list[str]]:
    for r in records:
        yield [r.name, ", ".join(map(_declared, r.parameters)), r.statement, r.source]
