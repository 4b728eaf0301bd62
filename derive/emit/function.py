"""The parts that emitted files share: bodies of functions, returns, docstrings, unpacking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..ir.nodes import Equation, Program, Tensor
from ..ir.recurrences import blocks
from .code import Atom, Suffix
from .dialect import Dialect
from .inline import inlined
from .layout import WIDTH, Block, Line, Statement, docstring, enclosed, indented, lines_of, signature
from .plan import Plan
from .prelude import MissingSize, prelude
from .recurrences import recurrence_statements
from .scope import Scope

WIDEST = 72
"""A tuple of arguments that is longer gets a name."""


class Body:
    """The statements of one function; sizes and index vectors are known once all equations are compiled."""

    def __init__(
        self,
        dialect: Dialect,
        plan: Plan,
        arguments: Sequence[Tensor],
        equations: Sequence[Equation],
        results: Sequence[Tensor],
    ) -> None:
        self.plan = plan
        self.scope = Scope(dialect, plan.names, arguments)
        self.scope.outside = tuple(arguments) == plan.inputs
        self.statements = _statements(self.scope, Program(tuple(arguments), tuple(equations), tuple(results)))
        shared = {plan.name(t) for t in plan.cotangents}
        for name in self.statements.keys() & {t.name for t in results}:
            self.statements[name] = [_own(s, dialect, shared) for s in self.statements[name]]
        self.prelude = prelude(self.scope)

    def lines(self, depth: int, only: Sequence[Equation]) -> list[str]:
        """The statements of some of the equations, for a place indented `depth` times, not yet indented."""
        room = WIDTH - 4 * depth
        fresh = self.plan.names.fresh
        kept = [s for e in only for s in self.statements.get(e.target.name, [])]
        return [line for statement in kept for line in lines_of(statement, room, fresh)]


def _statements(scope: Scope, program: Program) -> dict[str, list[Line]]:
    """The statements of each equation, by target; those of a recurrence stand with the first of its members."""
    found: dict[str, list[Line]] = {}
    plain: list[Equation] = []
    for block in (*blocks(program.equations), None):
        if isinstance(block, Equation):
            plain.append(block)
            continue
        own = {e.target.name for e in plain}
        elsewhere = {r.tensor.name for e in program.equations if e.target.name not in own for r in e.reads}
        found.update(inlined(scope, plain, elsewhere | {t.name for t in program.outputs}))  # type: ignore[arg-type]
        plain = []
        if block is not None:
            found[block.equations[0].target.name] = recurrence_statements(scope, block, program)
    return found


def _own(statement: Line, dialect: Dialect, shared: set[str]) -> Line:
    """A result that is not another array or a view of one; what comes from the caller may be passed on."""
    if isinstance(statement, Block):
        return statement
    root = statement.right
    while isinstance(root, Suffix) and not root.copies:
        root = root.base
    if not isinstance(root, Atom) or root.name in shared or not (root.name.isidentifier() and dialect.copy):
        return statement
    return Statement(statement.left, Suffix(statement.right, dialect.copy, copies=True))


def forward_body(dialect: Dialect, plan: Plan, depth: int) -> list[str]:
    body = Body(dialect, plan, plan.inputs, plan.forward, (*plan.outputs, *plan.saved))
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
    arguments = (*plan.cotangents, *plan.kept, *plan.saved)
    return Body(dialect, plan, arguments, plan.backward, plan.gradients)


# --- lines


def output_items(plan: Plan) -> list[str]:
    """What the function returns: one item, unless a tuple of one is asked for."""
    names = [plan.name(t) for t in plan.outputs]
    return names if plan.request.outputs_single or len(names) > 1 else [tuple_text(names)]


def returned(items: Sequence[str], room: int, always_tuple: bool = False) -> list[str]:
    """``return a, b``"""
    flat = f"return {tuple_text(items) if always_tuple and len(items) == 1 else ', '.join(items)}"
    return [flat] if len(flat) <= room else ["return (", *(f"    {item}," for item in items), ")"]


def unpacked(names: Sequence[str], value: str, room: int) -> list[str]:
    """``a, b = value``, with ``(a,) = value`` for one."""
    left = f"({names[0]},)" if len(names) == 1 else ", ".join(names)
    if len(f"{left} = {value}") <= room:
        return [f"{left} = {value}"]
    return ["(", *(f"    {name}," for name in names), f") = {value}"]


def assigned_nothing(names: Sequence[str], room: int) -> list[str]:
    """``a = b = None``, on as many lines as it takes."""
    lines: list[str] = []
    group: list[str] = []
    for name in names:
        if group and len(" = ".join([*group, name, "None"])) > room:
            lines.append(" = ".join([*group, "None"]))
            group = []
        group.append(name)
    return [*lines, " = ".join([*group, "None"])]


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


def inner_name(plan: Plan) -> str:
    """What a test calls a function of its own."""
    return "function" if plan.request.name != "function" else "tested"


def holding(plan: Plan, held: Mapping[str, str]) -> list[str]:
    """For a test: the function of inputs that are held to what was declared of them."""
    names = [plan.name(t) for t in plan.inputs]
    given = [held[t.name].format(x=plan.name(t)) if t.name in held else plan.name(t) for t in plan.inputs]
    return [*signature(inner_name(plan), names, 80), *indented(called(plan.request.name, given, 76, "return "))]


# --- docstrings


def module_docstring(plan: Plan, what: str, note: str = "") -> list[str]:
    """The opening of a file: what it holds, the formulas, a note, where it comes from."""
    request = plan.request
    block = "\n".join(
        line.rstrip() for formula in request.formulas or _equations(plan) for line in formula.split("\n")
    )
    parts = [f"{request.title}{what}.", block, note]
    if request.source and "\n" not in request.source:
        parts.append(f"Derived from {request.source}.")
    return docstring([p for p in parts if p], WIDTH)


def _equations(plan: Plan) -> list[str]:
    """The equations of both passes, as text."""
    forward = ["Forward:", *(f"    {e}" for e in plan.forward)]
    return (
        [*forward, "", "Backward:", *(f"    {e}" for e in plan.backward)]
        if plan.request.backward
        else forward
    )


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


def text_of(blocks: Sequence[Sequence[str]]) -> str:
    """The lines of all blocks as one text."""
    return "\n".join(line for block in blocks for line in block)


def file(*blocks: Sequence[str]) -> str:
    """The blocks of a file, functions two lines apart; the docstring and the imports one."""
    first, imports, *rest = blocks
    imports = imports[:-1] if imports and not imports[-1] else imports
    text = "\n".join([*first, "", *imports] if imports else first)
    return text + "".join("\n\n\n" + "\n".join(block) for block in rest if block) + "\n"
