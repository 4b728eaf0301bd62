"""Points of a domain at which digits are lost: its ends, powers of ten, neighbours of 0 and 1, equal and extreme entries."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import sympy

from .domain import Domain

Point = dict[str, Any]
NEAR = (2.0**-52, 2.0**-40, 2.0**-26, 2.0**-12, 2.0**-5)
"""How far from an end, from 1 and from each other numbers are looked at."""
LENGTH = 4
"""Entries along an axis whose size is a symbol."""


def sample(domains: Mapping[str, Domain], count: int, seed: int, dtype: Any = np.float64) -> list[Point]:
    """At most `count` points of the product of the domains, hard ones first, as arrays of `dtype`.

    Scalars alone are taken from `line`, in all combinations as far as they go; arrays are made of one such list by
    `arrays`. The rest is drawn at random, by logarithm.
    """
    rng = np.random.default_rng(seed)
    domains = {name: d.within(dtype) for name, d in domains.items()}
    choices = [_choices(d, rng, dtype, count) for d in domains.values()]
    found: dict[Any, Point] = {}
    for values in _combinations(choices, rng, count):
        point = dict(zip(domains, values, strict=True))
        found.setdefault(tuple((np.shape(v), np.asarray(v).tobytes()) for v in values), point)
        if len(found) >= count:
            break
    return list(found.values())


def _combinations(
    choices: list[list[Any]], rng: np.random.Generator, count: int
) -> Iterator[tuple[Any, ...]]:
    """One input: its list. Several: ends with ends, equal values, and then pairs at random."""
    if len(choices) == 1:
        yield from ((value,) for value in choices[0])
        return
    yield from itertools.islice(itertools.product(*(c[:3] for c in choices)), count // 4)
    for value in choices[0][3 : count // 8]:
        yield tuple(value if any(_same(value, c) for c in other) else other[0] for other in choices)
    while True:
        for _ in range(count):
            yield tuple(options[rng.integers(len(options))] for options in choices)
        if all(len(options) == 1 for options in choices):
            return
        count = 4


def _same(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and bool(np.all(a == b))


def _choices(domain: Domain, rng: np.random.Generator, dtype: Any, count: int) -> list[Any]:
    if domain.spec.shape:
        return arrays(domain, rng, dtype, count)
    return list(line(domain, rng, dtype, count))


def line(domain: Domain, rng: np.random.Generator, dtype: Any, count: int) -> Any:
    """Numbers of an interval: its ends, 0, powers spread over both signs, neighbours of ends and of 1, random ones.

    Whole numbers: the ends, small ones, powers.
    """
    low, high = domain.low, domain.high
    tiny = max(1e-300, float(np.finfo(dtype).tiny) * 4)
    magnitudes = [np.geomspace(max(low, tiny), high, 25)] if high > tiny else []
    magnitudes += [-np.geomspace(max(-high, tiny), -low, 25)] if -low > tiny else []
    near = [side * (1 + sign * e) for side in (low, high, 1.0, -1.0) for sign in (1, -1) for e in NEAR]
    ends = [low, high, 0.0]
    rest = np.concatenate(
        [*magnitudes, near, [1.0, -1.0, 0.5, 2.0, -0.5, -2.0], _drawn(low, high, tiny, rng, count)]
    )
    rest = rng.permutation(rest)
    values = np.concatenate([ends, rest])
    if domain.whole:
        values = np.concatenate([ends, [1.0, 2.0, 3.0, 10.0], np.round(rest)])
        values = values.astype(np.int64 if domain.spec.kind != "real" else dtype)
    with np.errstate(over="ignore", under="ignore"):
        values = values.astype(values.dtype if domain.spec.kind != "real" else dtype)
    values = values[(values >= low) & (values <= high)]
    _, first = np.unique(values, return_index=True)
    return values[np.sort(first)]


def _drawn(low: float, high: float, tiny: float, rng: np.random.Generator, count: int) -> Any:
    """Half uniform, half with uniform logarithms of the size."""
    uniform = low / 2 + (high / 2 - low / 2) * rng.random(count)
    uniform = uniform + low / 2
    largest = max(abs(low), abs(high), tiny)
    least = max(low, -high, tiny)
    sizes = (
        np.exp(rng.uniform(np.log(least), np.log(largest), count))
        if least < largest
        else np.full(count, largest)
    )
    middling = (
        np.exp(rng.uniform(np.log(max(least, 1e-3)), np.log(min(largest, 1e3)), count))
        if least < 1e3 and largest > 1e-3
        else sizes
    )
    signs = np.where((low < 0) & (high > 0), rng.choice([-1.0, 1.0], count), 1.0 if high > 0 else -1.0)
    return np.concatenate([uniform, signs * sizes, signs * middling])


def arrays(domain: Domain, rng: np.random.Generator, dtype: Any, count: int) -> list[Any]:
    """Arrays of a domain: all entries equal, nearly equal, one large among small ones, all scales, ascending, random."""
    shape = shape_of(domain)
    scalar = line(Domain(domain.name, domain.low, domain.high, domain.spec), rng, dtype, count)
    found: list[Any] = []
    for value in scalar[:8]:
        found.append(np.full(shape, value))
    for k in range(count):
        kind = k % 6
        pick = scalar[rng.integers(len(scalar), size=shape)]
        one = scalar[rng.integers(len(scalar))]
        if kind == 0:
            pick = np.full(shape, one)
            pick.flat[rng.integers(pick.size)] = scalar[rng.integers(len(scalar))]
        elif kind == 1 and not domain.whole:
            pick = one * (1 + rng.choice(NEAR) * rng.standard_normal(shape))
        elif kind == 2 and not domain.whole:
            scale = min(abs(float(one)), 1e6) * 10.0 ** -rng.integers(4)
            pick = one + scale * rng.standard_normal(shape)
        elif kind == 3 and not domain.whole:
            pick = rng.standard_normal(shape)
        found.append(np.clip(pick, domain.low, domain.high))
    found = [np.asarray(a).astype(scalar.dtype) for a in found]
    return [_on_simplex(a) for a in found] if domain.simplex else found


def shape_of(domain: Domain) -> tuple[int, ...]:
    """The sizes of an array to look at: a small number for every symbol."""
    return tuple(
        int(e.xreplace(dict.fromkeys(e.free_symbols, sympy.Integer(LENGTH)))) for e in domain.spec.shape
    )


def _on_simplex(a: Any) -> Any:
    total = a.sum(-1, keepdims=True, dtype=np.float64)
    return np.where(total > 0, a / np.where(total > 0, total, 1), 1 / a.shape[-1]).astype(a.dtype)
