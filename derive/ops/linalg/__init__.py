"""Linear-algebra primitives, one record each; any module put into this folder is found."""

import sys
from functools import cache
from typing import Any

from ...ir.nodes import Entry
from ...registry import records
from .._primitive import Primitive


@cache
def primitives() -> dict[str, Primitive]:
    """Every primitive by name."""
    return {record.name: record for record in records(sys.modules[__name__], Primitive)}


def symbol_of(body: Any) -> tuple[str, ...]:
    """What a tensor with this definition is called if nobody named it: ``V`` for eigenvectors; mostly nothing."""
    return primitives()[body.primitive].symbols[body.output :][:1] if isinstance(body, Entry) else ()
