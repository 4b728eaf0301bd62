"""The smallest point at which two outputs differ: sizes from 1 up, small integers, rigorous values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import sympy

from ...deadline import check_time
from ...errors import DeriveError
from ...ir.evaluate import evaluate
from ...ir.nodes import Program
from ...ir.numbers import RATIONAL, Numbers
from ...verify.sample import input_sizes, needs_of, sample
from ..verdict import Counterexample
from .balls import precision
from .exact_facts import HOLDS, have_facts
from .fields import BALL
from .second_opinion import KINKED, admitted

RELATIONS: dict[str, Any] = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip
DRAWS = 40
LARGEST = 4
"""Points for each choice of sizes, and the largest size tried."""
PATIENCE = 4
FEW, FEWEST = 8, 2
"""How much longer is searched where the inputs have so few entries in all; an equality that is false differs almost
everywhere, but for powers of two scalars that are real at few points."""
SCREENED = 6
"""Points for each choice of sizes where the claim is known to be false at most points of some sizes."""
SIMPLE = tuple(map(Fraction, ("0", "1", "-1", "2", "-2", "1/2", "-1/2")))
"""What the entries of a counterexample are made where that is possible, the simplest first."""
LARGE, MOST_ENTRIES = (5, 7, 9), 150
"""Larger sizes, which are tried where the inputs have no more entries than that."""
ORDINARY, PRECISE = 53, 400
"""Binary digits of balls: usually, and where both sides are very close."""

Arrays = dict[str, Any]


def smallest_counterexample(program: Program, relation: str, screened: bool = False) -> Counterexample | None:
    """The first point, in order of size, at which the relation between the two outputs is certainly false.

    screened: whether points are left out where both sides agree in floating point: for what is known to be false by more.
    """
    rng = np.random.default_rng(1)
    kinked = None
    for sizes in sizes_in_order(program):
        entries = _entries(program, sizes)
        patient = entries <= (FEWEST if relation == "==" else FEW)
        draws = DRAWS * PATIENCE if patient else SCREENED if screened and entries > FEW else DRAWS
        for draw in range(draws):
            arrays = point(program, sizes, rng, draw % DRAWS)
            if arrays is None or (screened and _agree_in_floats(program, arrays)):
                continue
            found = violated(program, arrays, sizes, relation)
            if found is not None and KINKED not in found.evidence:
                return shrunk(program, found, arrays, sizes, relation)
            kinked = kinked or found
        if kinked is not None:
            return kinked
    return None if screened else _far_or_close(program, relation, rng)


def _far_or_close(program: Program, relation: str, rng: np.random.Generator) -> Counterexample | None:
    """A counterexample of larger sizes, or one that many digits are needed for; a few points are tried."""
    large = [s for s in _large_sizes(program) if _entries(program, s) <= MOST_ENTRIES]
    small = list(itertools.islice(sizes_in_order(program), FEW))
    for bits, choices in ((ORDINARY, large), (PRECISE, small)):
        for sizes, draw in itertools.product(choices, range(0, DRAWS, DRAWS // 4)):
            check_time()
            arrays = point(program, sizes, rng, draw)
            if arrays is not None:
                with precision(bits):
                    found = violated(program, arrays, sizes, relation)
                if found is not None:
                    return found
    return None


def _large_sizes(program: Program) -> Iterator[dict[sympy.Symbol, int]]:
    symbols = input_sizes(program)
    for first in LARGE if symbols else ():
        yield {symbol: first + place for place, symbol in enumerate(symbols)}


def _entries(program: Program, sizes: Mapping[sympy.Symbol, int]) -> int:
    """How many numbers all inputs have in all."""
    return int(sum(sympy.Mul(*t.shape).xreplace({s: sympy.Integer(n) for s, n in sizes.items()}) for t in program.inputs))


def sizes_in_order(program: Program) -> Iterator[dict[sympy.Symbol, int]]:
    """All assignments of 1, 2, 3, 4 to the sizes, those with the smallest sum first, where every input has a shape."""
    symbols = input_sizes(program)
    choices = itertools.product(range(1, LARGEST + 1), repeat=len(symbols))
    for values in itertools.islice(sorted(choices, key=lambda v: (sum(v), max(v, default=0))), 200):
        sizes = dict(zip(symbols, values, strict=True))
        if all(extent.xreplace(sizes) >= 0 for t in program.inputs for extent in t.shape):
            yield sizes


def point(
    program: Program, sizes: Mapping[sympy.Symbol, int], rng: np.random.Generator, draw: int
) -> Arrays | None:
    """Small integers with the declared facts; where these are no integers, rationals near random numbers."""
    found: Arrays = {}
    needs = needs_of(program)
    for tensor in program.inputs:
        shape = tuple(int(e.xreplace({s: sympy.Integer(n) for s, n in sizes.items()})) for e in tensor.shape)
        if tensor.kind != "real":
            bound = None if tensor.bound is None else int(tensor.bound.xreplace(dict(sizes)))
            found[tensor.name] = sample(tensor, shape, rng, bound=bound)
            continue
        facts = tensor.facts | needs.get(tensor.name, frozenset())
        made = _integers(shape, facts, rng, draw)
        if made is None:
            return None
        found[tensor.name] = made
    return found


def _integers(shape: tuple[int, ...], facts: frozenset[str], rng: np.random.Generator, draw: int) -> Any:
    """An array of small integers, in later draws of halves and thirds as well, on which the facts hold exactly.

    None if this draw made none.
    """
    broken = draw >= DRAWS // 2 and bool(draw % 2)
    top = 1 + (draw - DRAWS // 2 if broken else draw) // 10
    values = rng.integers(-top if not facts & {"positive", "nonnegative"} else 0, top + 1, shape)
    values = values + 1 if "positive" in facts else values
    if "binary" in facts:
        values = values % 2
    parts = int(rng.integers(2, 4)) if broken and "binary" not in facts else 1
    fractions = np.frompyfunc(lambda value: Fraction(int(value), parts), 1, 1)
    exact = np.asarray(fractions(values), dtype=object)
    if "probability" in facts:
        exact = np.asarray(exact / (1 + exact), dtype=object)
    if "simplex" in facts:
        if "one-hot" in facts:
            hot = rng.integers(0, shape[-1], shape[:-1])
            exact = (np.arange(shape[-1]) == np.asarray(hot)[..., None]).astype(int) * Fraction(1)
        else:
            whole = (np.abs(exact) + Fraction(1)) ** (1 if draw < DRAWS // 2 else 3)
            exact = whole / whole.sum(axis=-1, keepdims=True)
    if "increasing" in facts:
        exact = np.asarray(np.cumsum(np.abs(exact) + Fraction(1), axis=-1) - top * shape[-1], dtype=object)
    if "diagonal" in facts:
        exact = exact * np.eye(shape[-1], dtype=int)
    elif "lower triangular" in facts:
        exact = exact * np.tri(shape[-1], dtype=int)
    elif "upper triangular" in facts:
        exact = exact * np.tri(shape[-1], dtype=int).T
    elif "positive semidefinite" in facts or "positive definite" in facts:
        exact = exact @ np.swapaxes(exact, -1, -2)
    elif "orthogonal" in facts:
        exact = _orthogonal(exact, rng, reflected=bool(draw % 2))
    elif "symmetric" in facts:
        exact = np.where(np.tri(shape[-1], dtype=bool), exact, np.swapaxes(exact, -1, -2))
    if "positive definite" in facts or ("invertible" in facts and "orthogonal" not in facts and draw % 2):
        exact = exact + np.eye(shape[-1], dtype=int) * Fraction(1)
    return exact if have_facts(exact, facts) else None


def _orthogonal(directions: Any, rng: np.random.Generator, reflected: bool) -> Any:
    """Permutations with signs, or those after a reflection ``I - 2 v v' / v'v``, whose entries are fractions."""
    n = directions.shape[-1]
    plain = np.eye(n, dtype=int)[rng.permutation(n)] * rng.choice([-1, 1], n) * Fraction(1)
    v = directions[..., :1]
    squares = (v * v).sum(axis=-2, keepdims=True)
    if not reflected or not (squares != 0).all():
        return np.broadcast_to(plain, directions.shape)
    return plain @ (np.eye(n, dtype=int) - 2 * v * np.swapaxes(v, -1, -2) / squares)


def violated(
    program: Program, arrays: Arrays, sizes: Mapping[sympy.Symbol, int], relation: str
) -> Counterexample | None:
    """The counterexample at this point, if exact or ball arithmetic shows that the relation is false there."""
    for numbers, evidence in ((RATIONAL, "exact"), (BALL, "disjoint balls")):
        try:
            with np.errstate(all="ignore"):
                values = evaluate(program, _lifted(arrays, numbers), numbers)
        except (DeriveError, ArithmeticError, TypeError, ValueError):
            continue
        left, right = (np.asarray(values[t.name]) for t in program.outputs)
        for place in np.ndindex(*left.shape):
            a, b = left[place], right[place]
            if _surely_false(a, b, relation):
                about = admitted(arrays)
                if about is None:
                    return None
                plain = {str(s): n for s, n in sizes.items()}
                shown = {name: readable(x) for name, x in arrays.items()}
                how = f"{evidence}, {about}" if about else evidence
                return Counterexample(plain, shown, place, *_texts(a, b), how)
        if numbers is RATIONAL:
            return None
    return None


def _agree_in_floats(program: Program, arrays: Arrays) -> bool:
    """Whether both outputs are finite and the same up to rounding."""
    plain = {n: x.astype(float) if np.asarray(x).dtype == object else x for n, x in arrays.items()}
    try:
        with np.errstate(all="ignore"):
            values = evaluate(program, plain)
    except (DeriveError, ArithmeticError, TypeError, ValueError):
        return False
    left, right = (np.asarray(values[t.name]) for t in program.outputs)
    return bool(np.isfinite(left).all() and np.allclose(left, right, rtol=1e-9, atol=1e-12))


def _lifted(arrays: Arrays, numbers: Numbers) -> Arrays:
    """Exact fractions as numbers of the system."""
    lift = np.frompyfunc(numbers.lift, 1, 1)
    return {
        n: np.asarray(lift(x), dtype=object) if np.asarray(x).dtype == object else x
        for n, x in arrays.items()
    }


def _surely_false(a: Any, b: Any, relation: str) -> bool:
    """Whether the relation is false for all numbers of both balls; a ball that is not finite says nothing."""
    if isinstance(a, flint.arb) or isinstance(b, flint.arb):
        a, b = flint.arb(a), flint.arb(b)
        if not (a.is_finite() and b.is_finite()):
            return False
        opposite = {
            "==": lambda: not a.overlaps(b),
            "<=": lambda: a > b,
            "<": lambda: a >= b,
            ">=": lambda: a < b,
            ">": lambda: a <= b,
        }
        return bool(opposite[relation]()) if relation in opposite else False
    return not RELATIONS[relation](a, b)


def shrunk(
    program: Program, found: Counterexample, arrays: Arrays, sizes: Mapping[sympy.Symbol, int], relation: str
) -> Counterexample:
    """Entries made simpler as long as the claim stays false and the facts hold."""
    facts = {t.name: t.facts for t in program.inputs if t.kind == "real" and t.facts <= HOLDS.keys()}
    current = {n: np.array(x, dtype=object) if n in facts else x for n, x in arrays.items()}
    for name, own in facts.items():
        for place in [()] if "simplex" in own else np.ndindex(*np.shape(current[name])):
            for simpler in _simpler(current[name], place, own):
                if not have_facts(simpler, own):
                    continue
                trial = {**current, name: simpler}
                better = violated(program, trial, sizes, relation)
                if better is not None and (KINKED in found.evidence or KINKED not in better.evidence):
                    current, found = trial, better
                    break
    return found


def _simpler(array: Any, place: tuple[int, ...], facts: frozenset[str]) -> Iterator[Any]:
    """The array with a simpler number in one place, and in the place across of a symmetric matrix; simpler weights."""
    if "simplex" in facts:
        most = max((x.denominator for x in array.flat), default=1)
        yield from (_weights(array, parts) for parts in range(1, min(most, 7)))
        return
    for value in SIMPLE:
        if _effort(array[place]) <= _effort(value):
            return
        simpler = array.copy()
        simpler[place] = value
        if "symmetric" in facts:
            simpler[(*place[:-2], place[-1], place[-2])] = value
        yield simpler


def _weights(array: Any, parts: int) -> Any:
    """Weights near these in so many equal parts; they add up to 1 since the largest takes what is left."""
    rounded = np.frompyfunc(lambda x: Fraction(round(x * parts), parts), 1, 1)(array)
    largest = np.expand_dims(np.argmax(array.astype(float), axis=-1), -1)
    rest = 1 - rounded.sum(axis=-1, keepdims=True) + np.take_along_axis(rounded, largest, -1)
    np.put_along_axis(rounded, largest, rest, -1)
    return rounded


def _effort(x: Any) -> tuple[int, Fraction, bool]:
    """What makes a number hard to read: its denominator first, then its size, then its sign."""
    return x.denominator, abs(x), x < 0


def readable(x: Any) -> Any:
    return (
        np.vectorize(lambda v: int(v) if Fraction(v).denominator == 1 else str(v), otypes=[object])(x)
        if np.size(x)
        else x
    )


def _texts(a: Any, b: Any) -> tuple[str, str]:
    """Both values, with so many digits that they are seen to differ."""
    if not (isinstance(a, flint.arb) or isinstance(b, flint.arb)):
        return str(a), str(b)
    middles = [flint.arb(x).mid() for x in (a, b)]
    shown = ([x.str(digits, radius=False) for x in middles] for digits in (8, 16, 32, 64, 120))
    left, right = next((pair for pair in shown if pair[0] != pair[1]), [str(x) for x in middles])
    return left, right
