"""Distributions, one record each; any module put into this folder is found."""

import sys
from functools import cache

from ..errors import UnknownName, closest
from ..registry import records
from ._record import Distribution, Form, Parameter, Record, VectorDistribution

__all__ = [
    "Distribution",
    "Form",
    "Parameter",
    "Record",
    "VectorDistribution",
    "distributions",
    "distributions_called",
]


@cache
def distributions() -> list[Record]:
    """All records."""
    here = sys.modules[__name__]
    return [*records(here, Distribution), *records(here, VectorDistribution)]


def distributions_called(name: str) -> list[Record]:
    """The laws of numbers and of vectors that have this name.

    Raises:
        UnknownName: there is none; the message offers the closest names.
    """
    found = [d for d in distributions() if _plain(d.name) == _plain(name)]
    if not found:
        raise UnknownName(
            f"there is no distribution {name!r}; {closest(name, {d.name for d in distributions()})}"
        )
    return found


def _plain(name: str) -> str:
    """A name of several words may be written with hyphens or, where it must be an identifier, underscores."""
    return name.replace("-", " ").replace("_", " ")
