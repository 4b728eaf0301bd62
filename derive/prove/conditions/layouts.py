"""In which other layout a claim about a derivative holds: half of the errors in textbooks are layout errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...deadline import OutOfTime, check_time, within
from ...errors import DeriveError
from ...frontends.claim import Claim
from ...frontends.layouts import LAYOUTS, Layout
from ..ladder import proved_everywhere
from ..points.floats import may_agree

SECONDS = 4.0

Rearranged = Callable[[Layout], Claim]
"""A claim read once more, with derivatives in another layout."""


def other_layouts(rearranged: Rearranged) -> tuple[str, ...]:
    """The layouts other than ours in which a claim is proved, in words."""
    found: list[str] = []
    try:
        with within(SECONDS):
            found.extend(layout.words for layout in _search(rearranged))
    except OutOfTime:
        pass  # what was found was proved
    return tuple(found)


def _search(rearranged: Rearranged) -> Iterator[Layout]:
    for layout in LAYOUTS:
        check_time()
        try:
            program = rearranged(layout).understood.program
            if may_agree(program) and proved_everywhere(program):
                yield layout
                return
        except (DeriveError, ArithmeticError, RecursionError, ValueError):
            continue
