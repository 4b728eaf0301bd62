"""What is counted in a program: which equations it needs, how often a tensor is read, what the equations cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..ir.nodes import Entry, Equation
from ..ir.tensors import prune as prune
from .factor import cost


def count_uses(equations: Iterable[Equation]) -> Counter[str]:
    """How often each tensor is read: once for each different read in each equation."""
    return Counter(r.tensor.name for e in equations for r in e.reads)


def price(equations: Iterable[Equation]) -> float:
    """A cost in scalar operations at sizes of about eight, to choose between equal forms."""
    return sum(_nest(e) for e in equations)


def _nest(e: Equation) -> float:
    """A primitive costs a few products of its matrices."""
    if isinstance(e.body, Entry):
        return 3 * 8.0 ** min(len(e.indices) + len(e.body.operands), 4)
    return (cost(e.body) + 1.0) * 8.0 ** min(len(e.indices), 4) + 4
