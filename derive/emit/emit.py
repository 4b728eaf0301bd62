"""`emit_source` writes a function as source text for the target that is named."""

from functools import cache

from ..errors import UnknownName, UnsupportedOp, closest
from ..ir.nodes import Program
from ..ir.recurrences import recurrences
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
    if target == "numba":
        refuse_recurrences(request.forward, f"code for {target}")
    return known[target].emit(request)


def refuse_recurrences(program: Program, what: str) -> None:
    """Raise UnsupportedOp for a program with a recurrence."""
    for block in recurrences(program.equations):
        names = ", ".join(e.target.name for e in block.equations)
        raise UnsupportedOp(
            f"{what} cannot have recurrences yet; found one of {names}; try: call the function itself"
        )
