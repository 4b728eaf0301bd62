"""The record of a tensor operation: the NumPy functions it answers to, and its lowering to index equations."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class TensorOp:
    """A NumPy function or method that becomes index equations while tracing.

    numpy: dotted names it answers to, ``"numpy.sum"``; a name without a dot is a method of arrays.
    lower: ``(trace, *args, **kwargs)`` in NumPy's own signature -> traced value; it names the options it knows,
        so that an option it does not know is an error.
    source: where the meaning is defined.
    """

    name: str
    numpy: tuple[str, ...]
    lower: Callable[..., Any]
    source: str = "NumPy reference"


def tensor_op(*numpy: str, source: str = "NumPy reference") -> Callable[[Callable[..., Any]], TensorOp]:
    """Make the decorated lowering a record that answers to these NumPy functions."""

    def record(lower: Callable[..., Any]) -> TensorOp:
        return TensorOp(lower.__name__.strip("_"), numpy, lower, source)

    return record
