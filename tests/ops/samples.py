"""What a sample call of a tensor operation is, and the sizes it is tried at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SIZES = (
    {"n": 3, "m": 4, "k": 2},
    {"n": 1, "m": 3, "k": 5},
    {"n": 4, "m": 1, "k": 3},
    {"n": 5, "m": 5, "k": 1},
)


@dataclass(frozen=True)
class Sample:
    """A function that uses the NumPy names in `uses`, and the axes of its arguments.

    `least` is the smallest size for which the function is defined.
    """

    uses: str
    fn: Callable[..., Any]
    axes: dict[str, str]
    least: int = 1


SAMPLES: list[Sample] = []


def calls(uses: str, *functions: Callable[..., Any], least: int = 1, **axes: str) -> None:
    SAMPLES.extend(Sample(uses, fn, axes, least) for fn in functions)
