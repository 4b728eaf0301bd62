"""Points anywhere in the declared domain, of either sign and of any magnitude: where the sides of a claim differ after all.

`verify.sample` stays where operations are tame: near the identity, where logarithms are real. A claim that is true
only there must not pass a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import sympy

from ...deadline import check_time
from ...errors import DeriveError
from ...ir.evaluate import evaluate
from ...ir.nodes import Program
from ...ir.numbers import FLOAT64, MPMATH, Numbers
from ...verify.sample import input_sizes, needs_of, sample
from .second_opinion import NotSurvived, admitted

SIZES = (2, 3, 1, 4, 5, 7, 11)
"""Extents, handed out from another one on in every trial."""
SCALES = (1.0, 4.0, 0.4)
TRIALS = 12
MANY_SIZES = 3
"""Beyond so many sizes, the largest two are not used."""
DIGITS = 30

Arrays = dict[str, Any]


def differ(program: Program) -> bool:
    """Whether the two outputs differ at such a point, as floating point shows and many digits confirm.

    What is not defined there, or not close to a real number, says nothing.
    """
    rng = np.random.default_rng(17)
    symbols = input_sizes(program)
    sizes = SIZES[: -2 if len(symbols) > MANY_SIZES else None]
    for trial in range(TRIALS):
        check_time()
        at = {s: sizes[(trial + place) % len(sizes)] for place, s in enumerate(symbols)}
        arrays = point(program, at, rng, SCALES[trial % len(SCALES)])
        found = _values(program, arrays, FLOAT64)
        if found is None or not _apart(*found, tolerance=1e-7):
            continue
        with mpmath.workdps(DIGITS + 15):
            exact = _values(program, lifted(program, arrays), REAL)
            if exact is not None and _apart(*exact, tolerance=mpmath.mpf(10) ** -10) and counts(arrays):
                return True
    return False


def counts(arrays: Arrays) -> bool:
    """Whether what is differentiated in the claim has a derivative at this point."""
    exact = np.frompyfunc(Fraction, 1, 1)
    try:
        found = admitted(
            {n: np.asarray(exact(x), dtype=object) if x.dtype == float else x for n, x in arrays.items()}
        )
    except NotSurvived:
        return False
    return found == ""


def point(
    program: Program, sizes: Mapping[sympy.Symbol, int], rng: np.random.Generator, scale: float
) -> Arrays:
    """Arrays of the declared kinds and facts."""
    numbers = {s: sympy.Integer(n) for s, n in sizes.items()}
    needs = needs_of(program)
    found = {}
    for t in program.inputs:
        shape = tuple(int(e.xreplace(numbers)) for e in t.shape)
        if t.kind != "real":
            found[t.name] = sample(
                t, shape, rng, bound=None if t.bound is None else int(t.bound.xreplace(numbers))
            )
        else:
            facts = t.facts | needs.get(t.name, frozenset())
            found[t.name] = np.asarray(with_facts(facts, scale * rng.normal(size=shape), rng))
    return found


def with_facts(facts: frozenset[str], x: Any, rng: np.random.Generator) -> Any:
    """An array with these facts, made of random numbers."""
    n = x.shape[-1] if x.ndim else 1
    if "one-hot" in facts:
        return np.eye(n)[rng.integers(0, n, x.shape[:-1])]
    if "simplex" in facts:
        return rng.dirichlet(np.full(n, 0.7), x.shape[:-1])
    if "increasing" in facts:
        return np.sort(x, axis=-1)
    if "binary" in facts:
        return (x > 0).astype(float)
    if "orthogonal" in facts:
        signs = rng.choice([-1.0, 1.0], (*x.shape[:-2], 1, n))
        return (np.eye(n) if "diagonal" in facts else np.linalg.qr(x)[0]) * signs
    if facts & {"positive definite", "positive semidefinite"}:
        definite = "positive definite" in facts
        half = x if definite else x[..., : max(1, n // 2)]
        x = half @ np.swapaxes(half, -1, -2) / n + (0.05 * np.eye(n) if definite else 0)
    elif "symmetric" in facts:
        x = (x + np.swapaxes(x, -1, -2)) / 2
    if "probability" in facts:
        x = 1 / (1 + np.exp(-x))
    if "nonnegative" in facts:
        x = np.abs(x)
    if "lower triangular" in facts:
        x = np.tril(x)
    return np.triu(x) if "upper triangular" in facts else x


def lifted(program: Program, arrays: Arrays) -> Arrays:
    """The same point with many digits, moved by as little so that facts hold to all of them."""
    kinds = {t.name: t for t in program.inputs}
    return {
        name: polished(MPMATH.array(x), kinds[name].facts) if kinds[name].kind == "real" else x
        for name, x in arrays.items()
    }


def polished(array: Any, facts: frozenset[str]) -> Any:
    """An array on which facts hold to 16 digits, moved by as little so that they hold to all digits."""
    if "simplex" in facts:
        return array / array.sum(axis=-1, keepdims=True)
    if "orthogonal" in facts:
        eye = np.eye(array.shape[-1], dtype=int)
        for _ in range(3):  # each step doubles the digits (Newton and Schulz)
            array = array @ (3 * eye - np.swapaxes(array, -1, -2) @ array) / 2
    return array


def _values(program: Program, arrays: Arrays, numbers: Numbers) -> tuple[Any, Any] | None:
    try:
        values = evaluate(program, arrays, numbers)
    except (DeriveError, ArithmeticError, TypeError, ValueError):
        return None
    left, right = (np.asarray(values[t.name]) for t in program.outputs)
    return left, right


def _apart(left: Any, right: Any, tolerance: Any) -> bool:
    """Whether an entry that both sides have differs, beside the largest number of the point."""
    pairs = [(a, b) for a, b in zip(left.flat, right.flat, strict=True) if is_real(a) and is_real(b)]
    scale = max((max(abs(a), abs(b)) for a, b in pairs), default=0)
    return any(abs(a - b) > tolerance * max(1, scale) for a, b in pairs)


def is_real(x: Any) -> bool:
    """Whether this is a finite real number."""
    return not isinstance(x, complex | mpmath.mpc) and bool(mpmath.isfinite(x))


def _real(value: Any) -> Any:
    return mpmath.nan if isinstance(value, mpmath.mpc) else value


def _real_entries(array: Any) -> Any:
    return np.frompyfunc(_real, 1, 1)(array)


REAL = Numbers(
    "real numbers with many digits",
    object,
    MPMATH.constant,
    MPMATH.lift,
    lambda op, *args: _real_entries(MPMATH.apply(op, *args)),
    lambda base, exponent: _real_entries(MPMATH.power(base, exponent)),
)
"""As `MPMATH`, but what leaves the real numbers is no number: the logarithm of -1."""
