"""What was taken for granted in a formula with derivatives, in words."""

from __future__ import annotations

from collections.abc import Iterable

from ..ir.nodes import Program
from .formula_names import DERIVATIVES
from .formula_tree import Call, Name, Node, walk

TIED = "tied"
"""The option of ``grad`` by which entries of a symmetric matrix are one variable; as in `derive.grad`."""


def conventions(trees: Iterable[Node], program: Program) -> tuple[str, ...]:
    """How derivatives by matrices that were declared symmetric are meant."""
    symmetric = {t.name for t in program.inputs if "symmetric" in t.facts}
    found: dict[str, None] = {}
    for call in (n for tree in trees for n in walk(tree) if isinstance(n, Call) and n.function in DERIVATIVES):
        variable = call.args[1] if len(call.args) > 1 else None
        if not isinstance(variable, Name) or variable.name not in symmetric:
            continue
        x = variable.name
        if is_tied(call):
            found[f"in grad(..., {x}, tied=True) the entries {x}[i,j] and {x}[j,i] are one variable"] = None
        elif call.function == "grad":
            found[f"grad(..., {x}) takes the entries of the symmetric {x} as independent; tied=True ties them"] = None
        else:
            found[f"{call.function}(..., {x}) takes the entries of the symmetric {x} as independent"] = None
    return tuple(found)


def is_tied(call: Call) -> bool:
    """Whether ``tied=True`` is among the options."""
    return any(name == TIED and isinstance(value, Name) and value.name == "True" for name, value in call.options)
