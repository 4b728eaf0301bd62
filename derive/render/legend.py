"""What the symbols are and which conventions hold: shapes, kinds, facts, layout, kinks."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import preorder_traversal

from ..ir.nodes import Program, Tensor
from ..ops.elementwise import op_of_head
from .compositions import compositions
from .lines import board_lines
from .names import Names
from .scalars import scalar_tree
from .text import BOARD
from .tree import (
    Call,
    Hadamard,
    Iverson,
    Line,
    Name,
    Node,
    Position,
    Power,
    Quotient,
    Reduce,
    Spread,
    Transpose,
    Whole,
    rank,
    walk,
)  # fmt: skip

MEANINGS = {
    "unit": "I is the unit matrix",
    "power": "X^k is a product of k factors X; X² acts entry by entry",
    "pinv": "X⁺ is the pseudo-inverse",
    "logdet": "logdet(X) = log |det(X)|",
    "expm": "expm(X) is the exponential of a matrix, not of its entries",
    "sqrtm": "sqrtm(X) is the square root of a positive definite matrix, not of its entries",
    "cholesky": "L = chol(A): A = L L', L lower triangular",
    "qr": "Q, R = qr(A): A = Q R, Q' Q = I, R upper triangular",
    "eigh": "w, V = eigh(A): A = V diag(w) V', V' V = I, w ascending",
    "svd": "U, s, Vh = svd(A): A = U diag(s) Vh, U' U = Vh Vh' = I, s descending",
    "gaps": "gaps(w)[i,j] = [i ≠ j] / (w[j] − w[i])",
    "sym": "sym(Z) = (Z + Z') / 2",
    "Phi": "Φ(Z) is the lower triangle of Z with half of its diagonal",
}
"""Functions of matrices in words."""
TIES = "ties of a maximum or minimum share the gradient equally"


def render_legend(
    program: Program, forward: frozenset[str] = frozenset(), base: Program | None = None
) -> list[str]:
    """One line for each symbol, ``X: batch × n, real``, then the conventions of the printed lines.

    Args:
        program: forward equations and derived ones.
        forward: names of the tensors that the forward pass defines.
        base: the program that was differentiated; the subgradients at its kinks are stated too.
    """
    names = Names(program, forward)
    lines = board_lines(names)
    kinks = _kinks(program) if base is None else _kinks(program, base)
    return [*_symbols(names, lines), *_conventions(names, lines), *kinks]


def _symbols(names: Names, lines: list[Line]) -> Iterator[str]:
    tensors = names.program.tensors
    defined = (n.name for line in lines for n in walk(line.left) if isinstance(n, Name) and n.name in tensors)
    shown = dict.fromkeys([*(t.name for t in names.program.inputs), *defined])
    along = _broadcast(lines)
    for name in shown:
        yield f"{name}: {_describe(tensors[name], names)}{_beside(along.get(name, set()))}"


def _describe(tensor: Tensor, names: Names) -> str:
    for prefix, word in (("g", "cotangent"), ("d", "tangent")):
        variable = names.variable_of(tensor.name, prefix)
        if variable:
            return f"{_shape(tensor)}, the {word} of {variable}"
    kind: str = tensor.kind
    if tensor.bound is not None:
        kind = f"integer from 0 to {BOARD.top(scalar_tree(tensor.bound - 1))}"
    facts = [] if tensor.name in names.forward else sorted(tensor.facts)
    return ", ".join([_shape(tensor), kind, *facts])


def _shape(tensor: Tensor) -> str:
    return " × ".join(BOARD.top(scalar_tree(e)) for e in tensor.shape) or "a number"


def _broadcast(lines: list[Line]) -> dict[str, set[str]]:
    """Which vectors stand beside a matrix, and along which of its axes."""
    found: dict[str, set[str]] = {}
    for line in lines:
        for n in walk(line.right):
            if isinstance(n, Spread) and isinstance(n.arg, Name):
                found.setdefault(n.arg.name, set()).add(n.along)
    return found


def _beside(along: set[str]) -> str:
    return f"; beside a matrix one entry for each {' or '.join(sorted(along))}" if along else ""


def _conventions(names: Names, lines: list[Line]) -> Iterator[str]:
    program = names.program
    nodes = [n for line in lines if line.matrix for side in (line.left, line.right) for n in walk(side)]
    if any(not line.forward for line in lines) and names.forward != frozenset(program.definitions):
        yield "layout: a gradient has the shape of its variable"
    if any(e.step.rule == "Jacobian" for e in program.equations):
        yield "layout: a Jacobian has the axes of the output first, then those of the input"
    if any(isinstance(n, Name) and n.moments for n in nodes):
        yield "h_t is the slice of h at step t; a state has one step more than there are inputs"
    if any(isinstance(n, Transpose) for n in nodes):
        yield "X' is the transpose of X; a vector is a column"
    if any(isinstance(n, Hadamard | Quotient | Power) and rank(n) for n in nodes):
        yield "∘, /, powers and functions act entry by entry"
    if reductions := sorted({_reduction(n) for n in nodes if isinstance(n, Reduce) and n.along != "all"}):
        yield f"{', '.join(reductions)}: one number for each row (row...) or column (col...)"
    if any(isinstance(n, Iverson) for n in nodes):
        counts = "; i counts rows, j columns" if any(isinstance(n, Position) for n in nodes) else ""
        yield f"[c] is 1 where c holds, else 0{counts}"
    if any(isinstance(n, Call) and n.function == "onehot" for n in nodes):
        yield "onehot(y) has a 1 in column y[i] of row i, else 0"
    yield from _meanings(nodes)
    used = {n.function for n in nodes if isinstance(n, Whole)}
    yield from (meaning for function, meaning in MEANINGS.items() if function in used)
    if any(isinstance(n, Whole) and n.function == "inv" and isinstance(n.args[0], Transpose) for n in nodes):
        yield "X⁻ᵀ is the transpose of X⁻¹"


def _reduction(node: Reduce) -> str:
    return {"row": "row", "column": "col", "all": ""}[node.along] + node.kind


def _meanings(nodes: list[Node]) -> Iterator[str]:
    used = {_heading(n) for n in nodes}
    yield from dict.fromkeys(
        c.meaning for c in compositions() if c.meaning and _heading(_core(c.result)) in used
    )


def _heading(node: Node) -> tuple[object, ...]:
    """What a composition is recognised by where it is printed."""
    match node:
        case Call("norm"):
            return ("norm",)
        case Call(function, _, r):
            return (function, r) if "softmax" in function else (function,)
        case Reduce(kind, along):
            return (kind, along)
        case _:
            return ()


def _core(node: Node) -> Node:
    return node.base if isinstance(node, Power) else node


def _kinks(*programs: Program) -> Iterator[str]:
    equations = [e for program in programs for e in program.equations]
    heads = {node.func for e in equations for node in preorder_traversal(e.body)}
    notes = {op.note for op in (op_of_head(head) for head in heads) if op is not None and op.note}
    yield from sorted(notes)
    if any(e.target.name.startswith("ties_") for e in equations):
        yield TIES
