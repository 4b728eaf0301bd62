"""`likelihood`: from a density and links to its loss; start reading here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .constants import without_constants
from .density import density_of
from .example import example_of
from .loss import Loss
from .setting import WORDS, Setting, setting_of


def likelihood(
    density: Any,
    link: str | Mapping[str, str] | None = None,
    *,
    raw: str | Mapping[str, str] = "",
    **parameters: Any,
) -> Loss:
    """The loss that a density stands for: its negative log-likelihood as a function of the raw outputs of a network.

    Args:
        density: the name of a law, ``"poisson"``, or a density of one's own: a formula, ``"exp(-abs(y-mu)/b)/(2*b)"``, a
            SymPy expression, or a NumPy function of the observation and the parameters. What is observed is called y (or x).
        link: the name of a link, for the parameter that models are usually about; for several parameters, each a raw output
            of its own, a dictionary ``{"mean": "identity", "sigma": "log"}``. Left out, it follows from the domain.
        raw: facts that hold for the raw outputs by construction, such as ``"positive"``.
        parameters: for the other parameters, or other forms of them (sigma or precision in place of variance), a number,
            "known" (a number that is given to the loss, the default for counts) or "learned" (the default for others).

    Raises:
        UnknownName: no such law, link or parameter.  DomainError: a number that a parameter cannot have, a link whose
        values do not fit, a density that is none.  SpecError: what is given for a parameter cannot be read.

    Example:
        >>> print(likelihood("bernoulli", "logit").example)
        loss = softplus(z) − z y
    """
    own = (
        not isinstance(density, str)
        or not density.replace("_", "").replace("-", "").replace(" ", "").isalpha()
    )
    facts = {n: _facts(v) for n, v in parameters.items() if own and isinstance(v, str) and v not in WORDS}
    values = {n: v for n, v in parameters.items() if n not in facts}
    law = density_of(density, facts, _words(link, parameters))
    return loss_of(setting_of(law, link, raw, values))


def _facts(words: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in words.split(",") if part.strip())


def _words(link: Any, parameters: Mapping[str, Any]) -> set[str]:
    """What a call says of the parameters: their names, and the range of a link that only vectors have."""
    links = link.values() if isinstance(link, Mapping) else [link]
    names = {*parameters, *(link if isinstance(link, Mapping) else ())}
    return names | ({"simplex"} if "softmax" in links else set())


def loss_of(setting: Setting) -> Loss:
    """The loss of a law whose parameters are given."""
    whole = example_of(setting)
    example, dropped = without_constants(whole, {g.symbol for g in setting.parts("raw", "learned")})
    return Loss(setting, example, whole, dropped)
