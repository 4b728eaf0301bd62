"""What an input may be: an interval, words and axes, read from ``"n, -1e4..1e4"``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import SpecError, UnknownName, closest
from ..ir.facts import IMPLIES, Spec, spec, with_facts
from ..ir.nodes import Kind, Tensor

NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?|[+-]?inf"
RANGE = re.compile(rf"(?:(integer)\s+)?({NUMBER})\s*\.\.\s*({NUMBER})")
SMALLEST, LARGEST = 1e-300, 1e300
INTERVALS: dict[str, tuple[float, float]] = {
    "simplex": (SMALLEST, 1.0),
    "probability": (SMALLEST, float(np.nextafter(1, 0))),
    "binary": (0.0, 1.0),
    "positive": (SMALLEST, 1e4),
    "nonnegative": (0.0, 1e4),
    "": (-1e4, 1e4),
}
"""Where an input of which this word is known is looked at if nothing is said; the first word that is known counts."""


@dataclass(frozen=True)
class Domain:
    """The values of one input: entries from `low` to `high`, both included, and what is declared about the array."""

    name: str
    low: float
    high: float
    spec: Spec

    @property
    def whole(self) -> bool:
        """Whether entries are whole numbers."""
        return self.spec.kind != "real" or "binary" in self.spec.facts

    @property
    def simplex(self) -> bool:
        return "simplex" in self.spec.facts

    def within(self, dtype: Any) -> Domain:
        """The part of the domain that numbers of this type reach, down to the smallest normal ones."""
        about = np.finfo(dtype)
        least = max(SMALLEST, float(about.tiny) * 4)
        most = min(LARGEST, float(about.max) / 4)
        low = min(max(self.low, -most), most)
        high = min(max(self.high, -most), most)
        low = least if 0 < low < least else low
        return replace(self, low=low, high=max(low, high))

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}"


def parse_domain(name: str, given: Any, tensor: Tensor | None = None) -> Domain:
    """The domain of one input.

    Args:
        name: of the input.
        given: axes, an interval and facts separated by commas, ``"n, -1e4..1e4"``, ``"integer 0..100"``, ``"n, simplex"``,
            ``"positive"``; or a pair of numbers, or a `Spec`; None for what is known from `tensor`.
        tensor: the input of a function that was traced before; its axes and facts stay.

    Raises:
        SpecError: it cannot be read, is empty, or contradicts the facts.
    """
    interval, declared = _read(name, given)
    if tensor is not None:
        facts = with_facts(tensor.facts, *declared.facts)
        declared = Spec(tensor.shape, tensor.kind, facts, tensor.bound)
    if interval is None:
        interval = _known(declared)
    low, high = interval
    if not low <= high:
        raise SpecError(f'the domain of {name} is empty: {low:g}..{high:g}; try: {name}="{high:g}..{low:g}"')
    if math.isinf(low) and low == high:
        raise SpecError(f"the domain of {name} holds no number: {low:g}..{high:g}")
    lowest, highest = _known(declared) if declared.facts else (-math.inf, math.inf)
    if (declared.facts & {"positive", "nonnegative"} and low < 0) or (
        "positive" in declared.facts and high <= 0
    ):
        raise SpecError(
            f"{name} was declared {', '.join(sorted(declared.facts))}, but its domain is {low:g}..{high:g}"
        )
    if declared.facts & {"simplex", "probability", "binary"} and (high > 1 or low > highest or high < lowest):
        raise SpecError(
            f"{name} was declared {', '.join(sorted(declared.facts))}, but its domain is {low:g}..{high:g}"
        )
    if declared.kind != "real" and (low != math.floor(low) or high != math.floor(high)):
        raise SpecError(f"{name} is {declared.kind}, but its domain is {low:g}..{high:g}; try: whole numbers")
    return Domain(name, low, high, declared if tensor is not None else _with_signs(declared, low, high))


def _with_signs(declared: Spec, low: float, high: float) -> Spec:
    """What an interval says about signs is known in the trace."""
    words = ["positive"] if low > 0 else ["nonnegative"] if low >= 0 else []
    words += ["probability"] if low > 0 and high < 1 else []
    return replace(declared, facts=with_facts(declared.facts, *words))


def _read(name: str, given: Any) -> tuple[tuple[float, float] | None, Spec]:
    match given:
        case None:
            return None, Spec(())
        case Spec():
            return None, given
        case (int() | float() as low, int() | float() as high):
            return (float(low), float(high)), Spec(())
        case str():
            return _read_text(name, given)
    raise SpecError(
        f'the domain of {name} is an interval such as "-1e4..1e4", a pair of numbers, or words; found {given!r}'
    )


def _read_text(name: str, text: str) -> tuple[tuple[float, float] | None, Spec]:
    parts = [" ".join(part.split()) for part in text.split(",")]
    interval: tuple[float, float] | None = None
    kind: Kind = "real"
    words: list[str] = []
    axes = ""
    for place, part in enumerate(parts):
        if match := RANGE.fullmatch(part):
            if interval is not None:
                raise SpecError(f"the domain of {name} has two intervals: {text!r}")
            interval = (float(match[2]), float(match[3]))
            kind = "integer" if match[1] else kind
        elif ".." in part:
            raise SpecError(f'cannot read the interval {part!r} of {name}; try: {name}="-1e4..1e4"')
        elif place == 0 and part not in IMPLIES and part.split(" ")[0] not in ("integer", "boolean"):
            axes = part
        elif part:
            words.append(part)
    try:
        declared = spec(axes, *words)
    except SpecError as error:
        raise SpecError(f"the domain {text!r} of {name}: {error}") from None
    return interval, replace(declared, kind=kind) if kind != "real" else declared


def _known(declared: Spec) -> tuple[float, float]:
    """The interval of an input of which only facts are known."""
    if declared.kind == "boolean":
        return 0.0, 1.0
    if declared.kind == "integer":
        bound = declared.bound
        return 0.0, float(bound) - 1 if bound is not None and bound.is_Integer else 100.0
    return next(interval for word, interval in INTERVALS.items() if not word or word in declared.facts)


def domains_of(inputs: Mapping[str, Tensor | None], given: Mapping[str, Any]) -> dict[str, Domain]:
    """The domain of every input, in their order.

    Raises:
        UnknownName: a domain for what is no input.
    """
    for name in given:
        if name not in inputs:
            raise UnknownName(f"there is no input {name!r}; {closest(name, inputs)}")
    return {name: parse_domain(name, given.get(name), tensor) for name, tensor in inputs.items()}
