"""Where one side of an equality has a value and the other has none: ``log(x^2) == 2 log(x)`` for a negative x.

A gap counts if it is more than a boundary: it is looked for at random points, which miss every boundary. That x/x is 1 but
for x = 0, and p log p is 0 at p = 0, are left as conventions; and what a claim inverts or factorises is taken to be
invertible, or positive definite, there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import mpmath
import numpy as np
import sympy

from ...deadline import check_time
from ...errors import DeriveError
from ...ir.evaluate import evaluate
from ...ir.nodes import Entry, Program
from ...ir.slots import operand_facts
from ...ops.elementwise.exponential import log1p
from ...ops.linalg import primitives
from ...verify.sample import input_sizes
from ..verdict import Counterexample
from .anywhere import DIGITS, REAL, SCALES, counts, is_real, lifted
from .anywhere import point as random_point
from .counterexample import Arrays, point, readable, sizes_in_order
from .second_opinion import admitted

NO_VALUE = "no value"
RANDOM = 18
SMALL = 13
EXTENTS = (2, 1, 3)
"""Points: random ones to see whether there is a gap, small ones of each choice of sizes to show it. Arrays are small: a side
has a value only where all of its entries do."""
PARTIAL = (sympy.log, log1p, sympy.asin, sympy.acos, sympy.acosh, sympy.atanh)
"""Functions that have no value on more than a boundary of the real numbers."""


def gaping(program: Program) -> bool:
    """Whether, at a random point of the domain, one output has a value at an entry where the other has none."""
    if not any(map(_needs_more, _expressions(program))):
        return False
    rng = np.random.default_rng(23)
    symbols = input_sizes(program)
    for trial in range(RANDOM):
        check_time()
        at = {s: EXTENTS[(trial + place) % len(EXTENTS)] for place, s in enumerate(symbols)}
        arrays = random_point(program, at, rng, SCALES[trial // len(EXTENTS) % len(SCALES)])
        if _place(program, lifted(program, arrays)) is not None and counts(arrays):
            return True
    return False


def smallest_gap(program: Program) -> Counterexample | None:
    """The first small point with a gap, of a program of which `gaping` says that there is one."""
    rng = np.random.default_rng(3)
    for sizes in sizes_in_order(program):
        for draw in range(0, 3 * SMALL, 3):
            check_time()
            arrays = point(program, sizes, rng, draw)
            if arrays is not None and all(np.all(x != 0) for x in arrays.values()):
                found = gap_at(program, arrays, sizes)
                if found is not None:
                    return found
    return None


def gap_at(program: Program, arrays: Arrays, sizes: Mapping[sympy.Symbol, int]) -> Counterexample | None:
    """The gap at a point of fractions, with the value of the side that has one."""
    found = _place(program, {n: _real_numbers(x) for n, x in arrays.items()})
    if found is None or admitted(arrays) is None:
        return None
    place, left, right = found
    plain = {str(s): n for s, n in sizes.items()}
    entries = {name: readable(x) for name, x in arrays.items()}
    return Counterexample(plain, entries, place, _text(left), _text(right), "one side has no value")


def total_on(program: Program) -> bool:
    """Whether every operation of a program has a value for all values of its arguments with their declared facts."""
    return not any(_needs_more(e) or _on_a_boundary(e) for e in _expressions(program))


def _expressions(program: Program) -> Iterator[Any]:
    return (e for equation in program.equations for e in sympy.preorder_traversal(equation.body))


def _needs_more(e: Any) -> bool:
    """Whether this is a logarithm, a root or the like of what may be negative."""
    if isinstance(e, sympy.Pow):
        return not (e.exp.is_integer or e.base.is_nonnegative)
    return isinstance(e, PARTIAL) and not (e.args[0].is_nonnegative and isinstance(e, sympy.log | log1p))


def _on_a_boundary(e: Any) -> bool:
    """Whether this is a division, the logarithm of 0 or a result of linear algebra that may not exist."""
    if isinstance(e, Entry):
        fact = primitives()[e.primitive].needs
        return bool(fact) and e.primitive not in ("det", "slogdet") and fact not in operand_facts(e.operands[0])
    if isinstance(e, sympy.Pow):
        return not (e.base.is_positive or e.exp.is_positive)
    return isinstance(e, sympy.tan) or (isinstance(e, sympy.log) and not e.args[0].is_positive)


def _place(program: Program, arrays: Arrays) -> tuple[tuple[int, ...], Any, Any] | None:
    """The first entry at which one output alone has a value, and both."""
    try:
        with mpmath.workdps(DIGITS + 15), np.errstate(all="ignore"):
            values = evaluate(program, arrays, REAL)
    except (DeriveError, ArithmeticError, TypeError, ValueError):
        return None
    left, right = (np.asarray(values[t.name]) for t in program.outputs)
    for place in np.ndindex(*left.shape):
        if is_real(left[place]) != is_real(right[place]):
            return place, left[place], right[place]
    return None


def _real_numbers(x: Any) -> Any:
    """Fractions as numbers with many digits; integers as they are."""
    with mpmath.workdps(DIGITS + 15):
        lift = np.frompyfunc(lambda v: mpmath.mpf(v.numerator) / v.denominator, 1, 1)
        return np.asarray(lift(x), dtype=object) if np.asarray(x).dtype == object else x


def _text(value: Any) -> str:
    return str(mpmath.nstr(value, 8)) if is_real(value) else NO_VALUE
