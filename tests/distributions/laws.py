"""A record as a program over many draws, and points of its parameters drawn from their facts alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import sympy
from sympy import Expr
from sympy.core.relational import Relational

from derive.distributions import Distribution, Parameter, distributions
from derive.ir.evaluate import evaluate
from derive.ir.nodes import Equation, Index, Program, Read, Tensor, size
from derive.ops.elementwise import op_of_head
from derive.ops.elementwise.piecewise import domestic

LAWS = [d for d in distributions() if isinstance(d, Distribution) and d.log_density is not None]
DRAW = Index("i", size("n"))
RANGES = {"probability": (0.1, 0.9), "positive": (0.8, 3.0), "nonnegative": (0.8, 3.0), "": (-1.5, 1.5)}
LIMIT = 400
NOTHING = 1e-60
"""Less probability than counts; squares of what overflows there are no numbers."""


def point(law: Distribution, seed: int) -> tuple[float, ...]:
    """Values of the parameters, in the grid of 64ths so that they are exact fractions as well."""
    rng = np.random.default_rng(seed)
    while True:
        values = tuple(_one(p, rng) for p in law.parameters)
        if law.requires is None or all(r > 0 for r in law.requires(*map(sympy.Rational, values))):
            return values


def _one(parameter: Parameter, rng: np.random.Generator) -> float:
    fact = next((f for f in RANGES if f in parameter.facts), "")
    value = rng.uniform(*RANGES[fact])
    return float(np.ceil(3 * value)) if parameter.integer else round(value * 64) / 64


@dataclass(frozen=True)
class Symbols:
    """The read of a draw and those of the parameters."""

    x: Read
    parameters: tuple[Read, ...]


@cache
def symbols(law: Distribution) -> Symbols:
    x = Read(Tensor("x", (DRAW.extent,), facts=frozenset(law.support)), (DRAW,))
    return Symbols(x, tuple(Read(Tensor(p.name, (), facts=frozenset(p.facts)), ()) for p in law.parameters))


@cache
def log_density(law: Distribution) -> Expr:
    assert law.log_density is not None
    s = symbols(law)
    return domestic(law.log_density(s.x, *s.parameters))


@cache
def score(law: Distribution) -> tuple[Expr, ...]:
    return tuple(log_density(law).diff(p) for p in symbols(law).parameters)


@cache
def information(law: Distribution) -> tuple[tuple[Expr, ...], ...]:
    """Minus the second derivatives."""
    return tuple(tuple(-s.diff(p) for p in symbols(law).parameters) for s in score(law))


def values(
    law: Distribution, bodies: tuple[Expr, ...], x: Any, parameters: tuple[Any, ...], **numbers: Any
) -> list[Any]:
    """Expressions in `symbols` at draws x, by the reference interpreter."""
    s = symbols(law)
    targets = [Tensor(f"Y{k}", (DRAW.extent,)) for k in range(len(bodies))]
    equations = tuple(Equation(t, (DRAW,), domestic(b)) for t, b in zip(targets, bodies, strict=True))
    program = Program((s.x.tensor, *(p.tensor for p in s.parameters)), equations, tuple(targets))
    given: Mapping[str, Any] = {
        "x": x,
        **{p.tensor.name: v for p, v in zip(s.parameters, parameters, strict=True)},
    }
    with np.errstate(all="ignore"):
        found = evaluate(program, given, **numbers)
    return [found[t.name] for t in targets]


def ends(law: Distribution, parameters: tuple[float, ...]) -> tuple[float, float]:
    low, high = law.bounds(*map(sympy.Float, parameters)) if law.bounds else (-sympy.oo, sympy.oo)
    return float(low), float(high)


def rule(law: Distribution, parameters: tuple[float, ...]) -> tuple[Any, Any]:
    """Points and weights that integrate over the support: Gauss and Legendre on panels, or every whole number.

    Panels become longer away from the ends and from kinks.
    """
    low, high = ends(law, parameters)
    if law.discrete:
        x = np.arange(low, min(high, low + LIMIT) + 1)
        return x, np.ones_like(x)
    steps = np.geomspace(1e-16, 1e17, 120)
    centres = [c for c in {0.0, low, high, *_kinks(law, parameters)} if low <= c <= high and np.isfinite(c)]
    edges = np.unique(np.concatenate([centres, *(c + sign * steps for c in centres for sign in (-1, 1))]))
    edges = edges[(edges >= low) & (edges <= high)]
    nodes, weights = np.polynomial.legendre.leggauss(10)
    half = np.diff(edges)[:, None] / 2
    x = edges[:-1, None] + half * (1 + nodes)
    inside = (x > low) & (x < high)
    return x[inside], (half * weights)[inside]


def switches(law: Distribution) -> tuple[Expr, ...]:
    """What changes sign where the log-density has a kink; where there is none, a second derivative leaves nothing out."""
    body = log_density(law)
    ops = ((op_of_head(f.func), f.args) for f in body.atoms(sympy.Function))
    found = [op.kink(*args) for op, args in ops if op is not None and op.kink is not None]
    return tuple(found + [r.lhs - r.rhs for r in body.atoms(Relational)])


def _kinks(law: Distribution, parameters: tuple[float, ...]) -> list[float]:
    """Where they do: straight lines between points of a grid, once more around what is found."""
    found: list[float] = []
    for switch in switches(law):
        near = [(np.linspace(-30, 30, 601))]
        for _ in range(2):
            roots = [r for x in near for r in _roots(x, values(law, (switch,), x, parameters)[0])]
            near = [np.linspace(r - 1e-3, r + 1e-3, 20) for r in roots]
        found += roots
    return found


def _roots(x: Any, y: Any) -> list[float]:
    at = np.flatnonzero(np.sign(y[:-1]) * np.sign(y[1:]) < 0)
    return [*(x[at] - y[at] * (x[at + 1] - x[at]) / (y[at + 1] - y[at])), *x[y == 0]]


def cases() -> Iterator[tuple[Distribution, int]]:
    for law in LAWS:
        for seed in range(2):
            yield law, seed


def expect(law: Distribution, parameters: tuple[float, ...], *bodies: Any) -> list[float]:
    """Means by quadrature or summation; the first is that of 1."""
    x, weights = rule(law, parameters)
    log_p, *found = values(law, (log_density(law), *bodies), x, parameters)
    mass = weights * np.exp(log_p)
    kept = mass > NOTHING
    return [float(np.sum(mass[kept] * np.broadcast_to(f, x.shape)[kept])) for f in (np.float64(1), *found)]
