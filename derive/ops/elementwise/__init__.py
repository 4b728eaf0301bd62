"""Functions of scalars, one record each; any module put into this folder is found."""

import sys
from functools import cache

from ...registry import home, records
from .._record import Elementwise


@cache
def elementwise_ops() -> list[Elementwise]:
    return records(sys.modules[__name__], Elementwise)


@cache
def op_of_head(head: type) -> Elementwise | None:
    """The record of a SymPy function class, as it occurs in bodies."""
    return next((op for op in elementwise_ops() if op.head is head), None)


@cache
def op_of_numpy(name: str) -> Elementwise | None:
    """The record that answers to a NumPy or SciPy function, such as ``"numpy.tanh"``."""
    return next((op for op in elementwise_ops() if name in op.numpy), None)


def home_of(op: Elementwise) -> str:
    """The file of a record, where a spelling that is missing goes."""
    return home(sys.modules[__name__], op)
