"""`emit_source` writes a function as source text for the target that is named."""

from functools import cache

from ..errors import UnknownName, closest
from ..registry import records
from . import targets
from .target import EmitRequest, Target


@cache
def emit_targets() -> dict[str, Target]:
    """Every code target, by name."""
    return {target.name: target for target in records(targets, Target)}


def emit_source(request: EmitRequest, target: str) -> str:
    """The complete source of `request` for `target`, formatted, importing nothing of ours.

    Raises:
        UnknownName: there is no such target; the closest ones are offered.
    """
    known = emit_targets()
    if target not in known:
        raise UnknownName(f"no code target is called {target!r}; {closest(target, known)}")
    return known[target].emit(request)

