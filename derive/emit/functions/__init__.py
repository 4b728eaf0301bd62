"""Functions of scalars that kernels bring along as source, one record each; any module put into this folder is found."""

import re
import sys
from functools import cache

from ...registry import records
from ._record import KernelFunction


@cache
def kernel_functions() -> dict[str, KernelFunction]:
    """All of them by name."""
    return {record.name: record for record in records(sys.modules[__name__], KernelFunction)}


@cache
def of_library() -> frozenset[str]:
    """The names of those that stand for functions of the mathematical library where kernels are vectorised."""
    return frozenset(name for name, record in kernel_functions().items() if record.library)


def by_own(code: str) -> str:
    """Code whose calls of the mathematical library are those of the functions that stand for them."""
    return re.sub(r"(?<![\w.])math\.(\w+)\(", lambda m: f"{m[1]}(" if m[1] in of_library() else m[0], code)
