"""The parts that emitted files share: bodies of functions, returns, docstrings, unpacking."""

from __future__ import annotations

from collections.abc import Sequence

from ..ir.nodes import Equation, Tensor
from .arrays import statements
from .dialect import Dialect
from .layout import WIDTH, docstring, enclosed, indented, lines_of
from .plan import Plan
from .scope import MissingSize, Scope


class Body:
    """The statements of one function; sizes and index vectors are known once all equations are compiled."""

    def __init__(self, dialect: Dialect, plan: Plan, arguments: Sequence[Tensor], equations: Sequence[Equation]) -> None:
        self.plan = plan
        self.scope = Scope(dialect, plan.names, arguments)
        self.statements = {e.target.name: statements(self.scope, e) for e in equations}
        self.prelude = self.scope.prelude()

    def lines(self, depth: int, only: Sequence[Equation]) -> list[str]:
        """The statements of some of the equations, for a place indented `depth` times, not yet indented."""
        room = WIDTH - 4 * depth
        fresh = self.plan.names.fresh
        return [line for e in only for s in self.statements[e.target.name] for line in lines_of(s, room, fresh)]


def forward_body(dialect: Dialect, plan: Plan, depth: int) -> list[str]:
    body = Body(dialect, plan, plan.inputs, plan.forward)
    return body.prelude + body.lines(depth, plan.forward)


def with_sizes(dialect: Dialect, plan: Plan) -> Plan:
    """The plan, keeping what the backward pass needs to know its sizes."""
    while plan.request.backward is not None:
        try:
            backward_body(dialect, plan)
            return plan
        except MissingSize as missing:
            plan = plan.keeping(missing.symbol)
    return plan


def backward_body(dialect: Dialect, plan: Plan) -> Body:
    return Body(dialect, plan, (*plan.cotangents, *plan.kept, *plan.saved), plan.backward)


# --- lines


def returned(items: Sequence[str], room: int) -> list[str]:
    """``return a, b``"""
    flat = f"return {', '.join(items)}"
    return [flat] if len(flat) <= room else ["return (", *(f"    {item}," for item in items), ")"]


def unpacked(names: Sequence[str], value: str, room: int) -> list[str]:
    """``a, b = value``, with ``(a,) = value`` for one."""
    left = f"({names[0]},)" if len(names) == 1 else ", ".join(names)
    if len(f"{left} = {value}") <= room:
        return [f"{left} = {value}"]
    return ["(", *(f"    {name}," for name in names), f") = {value}"]


def tuple_text(items: Sequence[object]) -> str:
    """``(a, b)``, and ``(a,)`` for one."""
    return f"({', '.join(map(str, items))}{',' if len(items) == 1 else ''})"


def assigned_tuple(name: str, items: Sequence[str], room: int) -> list[str]:
    """``name = (a, b)``"""
    flat = f"{name} = {tuple_text(items)}"
    return [flat] if len(flat) <= room else [f"{name} = (", *(f"    {item}," for item in items), ")"]


def called(function: str, arguments: Sequence[str], room: int, prefix: str = "") -> list[str]:
    lines = enclosed(f"{prefix}{function}(", arguments, ")", room)
    return lines or [f"{prefix}{function}({', '.join(arguments)})"]


# --- docstrings


def module_docstring(plan: Plan, what: str) -> list[str]:
    """The opening of a file: what it holds, the formulas, where it comes from."""
    request = plan.request
    block = "\n".join(line.rstrip() for formula in request.formulas or _equations(plan) for line in formula.split("\n"))
    parts = [f"{request.name}{what}.", block]
    if request.source and "\n" not in request.source:
        parts.append(f"Derived from {request.source}.")
    return docstring([p for p in parts if p], WIDTH)


def _equations(plan: Plan) -> list[str]:
    """The equations of both passes, as text."""
    forward = ["Forward:", *(f"    {e}" for e in plan.forward)]
    return [*forward, "", "Backward:", *(f"    {e}" for e in plan.backward)] if plan.request.backward else forward


def shapes(plan: Plan, tensors: Sequence[Tensor]) -> str:
    """``Q (n, d), K (m, d)``"""
    return ", ".join(_shape(plan, t) for t in tensors)


def _shape(plan: Plan, tensor: Tensor) -> str:
    kind = {"integer": " of integers", "boolean": " of booleans"}.get(tensor.kind, "")
    if not tensor.shape:
        return plan.name(tensor)
    sizes = ", ".join(str(extent) for extent in tensor.shape)
    return f"{plan.name(tensor)} ({sizes}){kind}"


def forward_docstring(plan: Plan, depth: int, saved: Sequence[Tensor] = ()) -> list[str]:
    text = f"{shapes(plan, plan.outputs)} from {shapes(plan, plan.inputs)}"
    if saved:
        text += f"; with {' and '.join(_listed(plan, saved))}, which the backward pass reads"
    return docstring([f"{text}."], WIDTH - 4 * depth)


def backward_docstring(plan: Plan, depth: int) -> list[str]:
    """Which gradients a backward function gives."""
    gradients = " and ".join(_listed(plan, plan.gradients))
    noun = "gradient" if len(plan.gradients) == 1 else "gradients"
    text = f"The {noun} {gradients} for {shapes(plan, plan.cotangents)}."
    return docstring([text], WIDTH - 4 * depth)


def _listed(plan: Plan, tensors: Sequence[Tensor]) -> list[str]:
    names = [plan.name(t) for t in tensors]
    return [", ".join(names[:-1]), names[-1]] if len(names) > 1 else names


def definition(head: Sequence[str], doc: Sequence[str], *body: str) -> list[str]:
    """A function from its signature, docstring and statements."""
    return [*head, *indented([*doc, *body])]


def file(*blocks: Sequence[str]) -> str:
    """The blocks of a file, functions two lines apart; the docstring and the imports one."""
    first, imports, *rest = blocks
    text = "\n".join([*first, "", *imports])
    return text + "".join("\n\n\n" + "\n".join(block) for block in rest if block) + "\n"
