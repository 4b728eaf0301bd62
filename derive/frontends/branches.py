"""The truth of a condition while tracing: known where it is about sizes, an error where it is about numbers in arrays."""

from __future__ import annotations

from typing import Any

import sympy

from ..errors import TraceError
from ..ir.nodes import reads_of
from ..ops.elementwise.comparisons import truth
from .traced import Traced


def decide(trace: Any, x: Traced) -> bool:
    """The truth of a condition on sizes, for Python's `if`, `and`, `or`, `not`, `max` and `min`.

    Raises:
        NeedsSize: it depends on sizes that are not known.
        TraceError: it depends on the numbers in the arrays.
    """
    answer = _from_one_on(truth(trace.resolve(trace.lift(x).entry))) if not x.axes else None
    if answer in (sympy.true, sympy.false):
        return bool(answer)
    if answer is not None and not reads_of(x.entry):
        raise trace.needs_size(f"a branch on {_in_words(answer)}", answer)
    raise TraceError(
        f"a branch asks for the truth of {x}, which is known only when arrays are given\n  in {trace.line()}\n"
        "  try: np.where(condition, a, b) instead of if, np.maximum instead of max, & and | instead of and, or"
    )


def _from_one_on(condition: Any) -> Any:
    """A condition on sizes, decided where it holds or fails for all sizes from 1 on."""
    symbols = sorted((s for s in condition.free_symbols if s.is_Symbol), key=str)
    from_zero = {s: sympy.Symbol(s.name, integer=True, nonnegative=True) + 1 for s in symbols}
    found = condition.xreplace(from_zero) if condition.is_Relational and symbols else condition
    return found if found in (sympy.true, sympy.false) else condition


def _in_words(condition: Any) -> str:
    if isinstance(condition, sympy.core.relational.Relational):
        return f"{condition.lhs} {condition.rel_op} {condition.rhs}"
    return str(condition)
