"""Matrix notation where it exists, index notation elsewhere, line by line."""

from __future__ import annotations

from ..ir.nodes import Program
from .lines import WIDTH, laid_out, printed_lines
from .names import Names
from .text import BOARD


def render_matrix(program: Program, forward: frozenset[str] = frozenset(), width: int = WIDTH) -> list[str]:
    """The lines that a person would write on a board.

    Args:
        program: forward equations and derived ones.
        forward: names of the tensors that the forward pass defines.
        width: definitions that are used once move into their reader up to this length.

    Returns:
        Lines such as ``gS = P ∘ (gP − rowsum(gP ∘ P))`` or, where there is no matrix notation,
        ``Y[i] = sum_k w[k] X[i+k]``.
    """
    return laid_out(printed_lines(Names(program, forward), width), BOARD)


def render_parts(program: Program, forward: frozenset[str] = frozenset()) -> tuple[list[str], list[str]]:
    """The lines of `render_matrix` in two parts: of the forward pass, and derived ones."""
    lines = printed_lines(Names(program, forward))
    ahead, derived = (
        laid_out([line for line in lines if line.forward is part], BOARD) for part in (True, False)
    )
    return ahead, derived
