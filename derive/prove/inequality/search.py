"""Counterexamples to inequalities: small integers, and large, small, equal and lopsided entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
import sympy

from ...deadline import check_time
from ...errors import DeriveError
from ...ir.evaluate import evaluate
from ...ir.nodes import Program, Tensor
from ..points.counterexample import point, shrunk, sizes_in_order, violated
from ..verdict import Counterexample

Arrays = dict[str, Any]
FIXED = {"orthogonal", "one-hot", "binary"}
"""Facts that leave no entry free."""
SCALES = (Fraction(1, 100), Fraction(1, 10), Fraction(1, 2), Fraction(5), Fraction(20), Fraction(100))
CLOSE = 1e-9
"""Sides that differ by less than this, relatively, are compared rigorously."""


def counterexample(program: Program, relation: str, sizes: int, draws: int) -> Counterexample | None:
    """The first point, in order of size, at which the inequality is certainly false.

    sizes: how many assignments of sizes; draws: how many points of each, half of them extreme.
    """
    assignments = list(islice(sizes_in_order(program), sizes))
    for chosen, arrays in points(program, assignments, draws):
        check_time()
        if suspicious(program, arrays, relation):
            found = violated(program, arrays, chosen, relation)
            if found is not None:
                return shrunk(program, found, arrays, chosen, relation)
    return None


def points(
    program: Program, assignments: Sequence[Mapping[sympy.Symbol, int]], draws: int
) -> Iterator[tuple[Mapping[sympy.Symbol, int], Arrays]]:
    """Small integers with the declared facts at all sizes, then extreme points made of them."""
    rng = np.random.default_rng(3)
    plain: list[tuple[Mapping[sympy.Symbol, int], Arrays]] = []
    for sizes in assignments:
        for draw in range(draws):
            arrays = point(program, sizes, rng, draw * 2 % 40)
            if arrays is not None:
                plain.append((sizes, arrays))
                yield sizes, arrays
    for sizes, arrays in plain:
        yield sizes, {t.name: extreme(arrays[t.name], t, rng) for t in program.inputs}


def extreme(array: Any, tensor: Tensor, rng: np.random.Generator) -> Any:
    """The array with its facts, but scaled, with equal entries, or lopsided."""
    if tensor.kind != "real" or tensor.facts & FIXED:
        return array
    scale = SCALES[int(rng.integers(len(SCALES)))]
    if "simplex" in tensor.facts:
        places = rng.permuted(np.broadcast_to(np.arange(array.shape[-1]), array.shape), axis=-1)
        weights = np.frompyfunc(lambda k: (scale if scale > 1 else 1 / scale) ** int(k), 1, 1)(places)
        return weights / weights.sum(axis=-1, keepdims=True)
    if "probability" in tensor.facts:  # odds are scaled: what is scaled itself leaves its domain
        return np.asarray(array * scale / (1 - array + array * scale), dtype=object)
    if tensor.facts <= {"positive", "nonnegative"} and array.ndim:
        match int(rng.integers(3)):
            case 0:
                first = array.reshape(-1)[0]
                return np.frompyfunc(lambda _: first * scale, 1, 1)(array)
            case 1:
                factors = np.frompyfunc(lambda k: scale ** int(k), 1, 1)(rng.integers(0, 2, array.shape))
                return array * factors
    return array * scale if tensor.shape else np.asarray(array[()] * scale, dtype=object)


def suspicious(program: Program, arrays: Arrays, relation: str) -> bool:
    """Whether floating point does not show clearly that the inequality holds at this point."""
    try:
        plain = {
            n: np.asarray(a, dtype=float) if np.asarray(a).dtype == object else a for n, a in arrays.items()
        }
        with np.errstate(all="ignore"):
            values = evaluate(program, plain)
    except (DeriveError, ArithmeticError, TypeError, ValueError):
        return True
    left, right = (np.asarray(values[t.name], dtype=float) for t in program.outputs)
    low, high = (left, right) if relation in ("<", "<=") else (right, left)
    with np.errstate(all="ignore"):
        clear = high - low > CLOSE * (1 + np.abs(low) + np.abs(high))
        undefined = np.isnan(low) | np.isnan(high)
    return not bool(np.all(clear | undefined)) or bool(np.all(undefined) and left.size)
