"""NumPy's tensor functions as index equations; any module put into this folder is found."""

import sys
from functools import cache

from ...registry import home, records
from .._tensor import TensorOp


@cache
def tensor_ops() -> dict[str, TensorOp]:
    """Every record by each NumPy name it answers to."""
    return {name: op for op in records(sys.modules[__name__], TensorOp) for name in op.numpy}


def home_of(name: str) -> str:
    """The file of the record that answers to a NumPy name, where an option that is missing goes."""
    op = tensor_ops().get(name)
    return __name__.replace(".", "/") if op is None else home(sys.modules[__name__], op)
