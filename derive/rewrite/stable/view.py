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
KEPT = {SHIFT, SCALE}
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
        self.folds: dict[Expr, Read] = {}

    def opens(self, read: Read) -> Equation | None:
        """The equation of a read, if it can be written where it is read."""
        e = self.definitions.get(read.tensor.name)
        if e is None or e.reduce or isinstance(e.body, Entry) or e.target.kind != "real":
            return None
        return None if e.target.name in self.members or e.step.rule in KEPT else e

    def expanded(self, body: Expr) -> Expr:
        """A body with definitions written out, but for conditions and indices."""

        def change(read: Read) -> Expr:
            if read not in self.memo:
                self.memo[read] = read
                e = self.opens(read)
                if e is not None:
                    inner = self.expanded(substitute(e.body, dict(zip(e.axes, read.indices, strict=True))))
                    if size_of(inner) <= WIDEST:
                        self.memo[read] = inner
                        if size_of(inner) > 3:
                            self.folds.setdefault(inner, read)
            return self.memo[read]

        return outside_conditions(body, change)

    def folded(self, body: Expr) -> Expr:
        """A body with reads again where a definition stands in it as a whole."""
        if body in self.folds:
            return self.folds[body]
        if body.is_Atom or isinstance(body, Read) or not self.folds:
            return body
        args = [self.folded(a) if isinstance(a, Expr) else a for a in body.args]
        return body if all(a is b for a, b in zip(args, body.args, strict=True)) else body.func(*args)
