"""What a peer is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from ..case import Arrays, Case

Call = Callable[[], Any]


@dataclass(frozen=True)
class Setting:
    """How everybody runs: precision and threads."""

    dtype: str = "float64"
    threads: int = 1


@dataclass(frozen=True)
class Peer:
    """A library that can run cases.

    name: in the tables.
    build: the call for a case on these arrays, and a note that says what is run if that is not plain; None if the case
        cannot be run.
    needs: the package to be installed.
    counts: it is one of those that goals are measured against; hand-written code is not.
    """

    name: str
    build: Callable[[Case, Arrays, Setting], Call | tuple[Call, str] | None]
    needs: str
    counts: bool = True

    @property
    def installed(self) -> bool:
        return find_spec(self.needs) is not None


def flat(results: Any) -> list[Any]:
    """Results of nested tuples, lists and dicts in a row."""
    if isinstance(results, Mapping):
        results = list(results.values())
    if isinstance(results, tuple | list):
        return [x for part in results for x in flat(part)]
    return [results]
