"""Programs that are run without losing digits or leaving the range of numbers; one record per rule, found by this folder."""

import sys
from functools import cache

from ...registry import records
from ._rule import Rule


@cache
def stable_rules() -> tuple[Rule, ...]:
    """Every rule for scalar expressions, in the order in which they are tried at a node."""
    return tuple(records(sys.modules[__name__], Rule))
