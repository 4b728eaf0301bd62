"""Distributions, one record each; any module put into this folder is found."""

import sys
from functools import cache

from ..errors import UnknownName, closest
from ..registry import records
from ._loss import LossRecord
from ._made import MAKERS, censored, mixture, ordinal, zero_inflated
from ._record import Distribution, Form, Parameter, Record, VectorDistribution

__all__ = [
    "Distribution",
    "Form",
    "LossRecord",
    "Parameter",
    "Record",
    "VectorDistribution",
    "censored",
    "distributions",
    "distributions_called",
    "loss_records",
    "mixture",
    "ordinal",
    "zero_inflated",
]


@cache
def distributions() -> list[Record]:
    """All records."""
    here = sys.modules[__name__]
    return [*records(here, Distribution), *records(here, VectorDistribution)]


@cache
def loss_records() -> list[LossRecord]:
    """Losses that have no density, or none in closed form."""
    return records(sys.modules[__name__], LossRecord)


@cache
def distributions_called(name: str) -> list[Record]:
    """The laws of numbers and of vectors that have this name, or that it says how to make: ``"censored log-normal"``.

    Raises:
        UnknownName: there is none; the message offers the closest names.  SpecError: it cannot be made of that law.
    """
    wanted = _plain(name)
    if found := [d for d in distributions() if _plain(d.name) == wanted]:
        return found
    for prefix, make in MAKERS.items():
        inner = wanted.removeprefix(_plain(prefix)).strip()
        if inner != wanted and (laws := [d for d in distributions() if _plain(d.name) == inner]):
            return [make(d) for d in laws if isinstance(d, Distribution)]
    raise UnknownName(
        f"there is no distribution {name!r}; {closest(name, {d.name for d in distributions()})}"
    )


def _plain(name: str) -> str:
    """A name of several words may be written with hyphens or, where it must be an identifier, underscores."""
    return name.replace("-", " ").replace("_", " ")
