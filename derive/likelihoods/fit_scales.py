"""Scales without bounds: where a learned parameter is looked for, so that no step leaves its domain.

A record is a pair of NumPy functions; the one from the scale to the parameter is traced into the loss, and its Jacobian,
which the delta method needs, is derived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy


@dataclass(frozen=True, eq=False)
class Scale:
    """parameter = natural(u) for every u.

    name: as a table calls it.
    natural: NumPy function of u, a number or a vector.  free: the way back.
    facts: the fact that the parameter is known to have.
    shorter: by how many entries a vector u is shorter than the parameter.
    entrywise: whether each entry of the parameter is made of one of u, in increasing or decreasing order.
    """

    name: str
    natural: Callable[[Any], Any]
    free: Callable[[Any], Any]
    facts: str = ""
    shorter: int = 0
    entrywise: bool = True


def _simplex(u: Any) -> Any:
    e = np.exp(np.concatenate((np.zeros(1), u)))
    return e / np.sum(e)


def _increasing(u: Any) -> Any:
    return u[:1] + np.concatenate((np.zeros(1), np.cumsum(np.exp(u[1:]))))


SCALES = (
    Scale("logits", _simplex, lambda p: np.log(p[1:] / p[0]), "simplex", 1, False),
    Scale(
        "log differences",
        _increasing,
        lambda c: np.concatenate((c[:1], np.log(np.diff(c)))),
        "increasing",
        0,
        False,
    ),
    Scale("logit", scipy.special.expit, scipy.special.logit, "probability"),
    Scale("log", np.exp, np.log, "positive"),
    Scale("identity", lambda u: u, lambda p: p),
)
IDENTITY = SCALES[-1]


def scale_of(facts: Iterable[str]) -> Scale:
    """The scale of a parameter that is declared like this: the first whose fact it has."""
    known = set(facts) | ({"positive"} if "nonnegative" in facts else set())
    return next(s for s in SCALES if not s.facts or s.facts in known)
