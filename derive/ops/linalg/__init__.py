"""Linear-algebra primitives, one record each; any module put into this folder is found."""

import sys
from functools import cache

from ...registry import records
from .._primitive import Primitive


@cache
def primitives() -> dict[str, Primitive]:
    """Every primitive by name."""
    return {record.name: record for record in records(sys.modules[__name__], Primitive)}
