"""A program whose bodies are looked at with the elementwise equations that they read written out."""

from __future__ import annotations

from sympy import Eq, Expr, Ne

from ...ir.nodes import Entry, Equation, Program, Read, reads_of, substitute
from ...ir.recurrences import members
from .rewriter import outside_conditions, size_of

WIDEST = 300
"""Nodes of a body above which no further definitions are written into it."""
SHIFT = "shift of exponents"
SCALE = "scale"
REST = "sum of exponentials but the largest"
WEIGHTED = "sum of terms but the largest"
KEPT = {SHIFT, SCALE, REST, WEIGHTED}
"""Rules of equations that stay tensors of their own."""


class View:
    """fixed: tensors that are compared for equality, whose values must not be computed in another way."""

    def __init__(self, program: Program) -> None:
        self.definitions = program.definitions
        self.members = members(program.equations)
        self.fixed = {
            r.tensor.name for e in program.equations for c in e.body.atoms(Eq, Ne) for r in reads_of(c)
        }
        self.memo: dict[Expr, Expr] = {}

    def opens(self, read: Read) -> Equation | None:
        """The equation of a read, if it can be written where it is read."""
        e = self.definitions.get(read.tensor.name)
        if e is None or e.reduce or isinstance(e.body, Entry) or e.target.kind != "real":
            return None
        return None if e.target.name in self.members or e.step.rule in KEPT else e

    def expanded(self, body: Expr, closed: frozenset[Read] = frozenset()) -> Expr:
        """A body with definitions written out, but for conditions, indices and the reads that stay `closed`."""

        def change(read: Read) -> Expr:
            if read in closed:
                return read
            return self._opened(read, closed) if closed else self._remembered(read)

        return outside_conditions(body, change)

    def _remembered(self, read: Read) -> Expr:
        if read not in self.memo:
            self.memo[read] = read
            self.memo[read] = self._opened(read, frozenset())
        return self.memo[read]

    def _opened(self, read: Read, closed: frozenset[Read]) -> Expr:
        e = self.opens(read)
        if e is None:
            return read
        inner = self.expanded(substitute(e.body, dict(zip(e.axes, read.indices, strict=True))), closed)
        return inner if size_of(inner) <= WIDEST else read

    def inside(self, body: Expr) -> list[Read]:
        """The reads of a body that can be written out, and those in what they stand for, outermost first."""
        found: dict[Read, None] = {}

        def visit(e: Expr) -> None:
            for read in sorted(e.atoms(Read), key=str):
                definition = self.opens(read)
                if definition is not None and read not in found:
                    found[read] = None
                    visit(substitute(definition.body, dict(zip(definition.axes, read.indices, strict=True))))

        visit(body)
        return list(found)
