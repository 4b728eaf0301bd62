"""A recurrence as statements: arrays for what other steps read, the initial values, and a loop over the steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Expr, Ge, Le, Symbol
from sympy.core.relational import Relational
from sympy.logic.boolalg import And

from ..ir.nodes import Bracket, Equation, Index, Program, Read, indices_of, reads_of, substitute
from ..ir.recurrences import TIMES, Recurrence
from ..rewrite.steps import Loop, Part, steps_of, stored, without_time
from .arrays import statements
from .code import ADD, Atom, Code, Method, call, chain, subscript
from .inline import inlined
from .layout import Block, Line, Statement
from .placement import shape_code
from .scalars import Printer
from .scope import Scope


def recurrence_statements(scope: Scope, block: Recurrence, program: Program) -> list[Line]:
    """The statements of a recurrence; `program` says which of its values are needed afterwards."""
    return _Writer(scope, block, program).run()


@dataclass(frozen=True)
class Place:
    """An array that a statement assigns to, as it is written; ``h[t + 1]`` of ``h``."""

    text: str
    array: str = ""
    items: str = ""


class _Writer:
    def __init__(self, scope: Scope, block: Recurrence, program: Program) -> None:
        self.scope, self.block = scope, block
        self.kept = stored(block, program)
        self.members = {e.target.name: e for e in block.equations}
        self.axes = block.times
        self.passing = {name: self.axes[name] for name in self.members if name not in self.kept}
        self.times: dict[Index, Symbol] = {}
        self.places: dict[str, Place] = {}
        self.functional = not scope.dialect.copy

    def run(self) -> list[Line]:
        made: list[Line] = []
        self.scope.look_at(sympy.Tuple(*(r for r in self.reads() if r.tensor.name not in self.members)))
        for name, e in self.members.items():
            if name in self.kept:
                text = self.scope.dialect.zeros.format(
                    shape=shape_code(self.scope, e), like=self.scope.template()
                )
                made.append(Statement(f"{self.scope.names.tensors[name]} =", Atom(text)))
        return [*made, *self.parts(steps_of(self.block, self.kept))]

    def reads(self) -> list[Read]:
        """All that the members read."""
        return [r for e in self.members.values() for r in e.reads]

    def parts(self, parts: Iterable[Part]) -> list[Line]:
        """Statements and loops in their order."""
        found: list[Line] = []
        run: list[Equation] = []
        for part in parts:
            if isinstance(part, Loop):
                found += self.plain(run)
                found += self.loop(part)
                run = []
            else:
                run.append(part)
        return found + self.plain(run)

    # -- loops

    def loop(self, loop: Loop) -> list[Line]:
        depth = len(self.times)
        name = self.scope.names.of_loop(TIMES[depth % len(TIMES)], depth)
        symbol = Symbol(name, integer=True, nonnegative=True)
        self.scope.names.sizes[symbol] = name
        self.times[loop.time] = symbol
        body = self.parts(loop.parts)
        del self.times[loop.time]
        self.scope.symbols.pop(symbol, None)
        count = self.integer(loop.time.extent)
        if not self.functional:
            steps = f"range({count})" if loop.forward else f"reversed(range({count}))"
            return [Block(f"for {name} in {steps}:", tuple(body))]
        return self.function(loop, name, depth, body)

    def function(self, loop: Loop, name: str, depth: int, body: list[Line]) -> list[Line]:
        """A loop where arrays never change: a function of what it carries."""
        own = dict.fromkeys(e.target.name for e in loop.statements if e.target.name in self.kept)
        carried = [self.scope.names.tensors[n] for n in own]
        names, count = self.scope.names, self.integer(loop.time.extent)
        step = names.of_loop("step", depth)
        all_of = ", ".join(carried)
        argument = carried[0] if len(carried) == 1 else names.of_loop("carry", depth)
        counter = name if loop.forward else names.of_loop("done", depth)
        opening = [] if len(carried) == 1 else [Statement(f"{all_of} =", Atom(argument))]
        if not loop.forward:
            opening.append(Statement(f"{name} =", Atom(f"{self.integer(loop.time.extent - 1)} - {counter}")))
        closing = Statement("return", Atom(all_of))
        first = all_of if len(carried) == 1 else f"({all_of})"
        looped = call("jax.lax.fori_loop", "0", count, step, first)
        return [
            Block(f"def {step}({counter}, {argument}):", (*opening, *body, closing)),
            Statement(f"{all_of} =", looped),
        ]

    def integer(self, e: Expr) -> str:
        return Printer(self.scope, (), exact=True).code(e).text

    # -- statements

    def plain(self, equations: list[Equation]) -> list[Line]:
        """Equations at one step, one after the other; short values go where they are used."""
        now, later = [], {}
        for e in map(self.at_step, equations):
            always, sometimes = self.split(e)
            now.append(always)
            later[e.target.name] = sometimes
        for e in now:
            self.scope.codes.pop(e.target.name, None)
        changed = {name for name, lines in later.items() if lines}
        lines = inlined(self.scope, now, self.needed_later(now) | changed)
        found: list[Line] = []
        for e in now:
            found += [self.assigned(s) for s in lines.get(e.target.name, [])]
            found += later[e.target.name]
        return found

    def needed_later(self, now: list[Equation]) -> set[str]:
        """The local values that statements in other loops of a step read as well."""
        own = {e.target.name for e in now}
        return {
            name
            for name in own & self.members.keys()
            if sum(any(r.tensor.name == name for r in e.reads) for e in self.members.values())
            > sum(any(r.tensor.name == name for r in e.reads) for e in now)
        }

    def at_step(self, e: Equation) -> Equation:
        """The equation over the axes that are left, its times as numbers, what it defines as a place."""
        times = dict(self.times)
        body, left = without_time(substitute(e.body, times), self.passing), substitute(e.lhs, times)
        axes = tuple(i for i in e.axes if i in left.indices)
        name = e.target.name
        if name in self.kept:
            items = [":" if isinstance(p, Index) else self.integer(p) for p in left.indices]
            array = self.scope.names.tensors[name]
            while items and items[-1] == ":":
                items.pop()
            place = Place(array + subscript(items), array, ", ".join(items))
            name = f"{name}@{len(self.places)}"
            self.places[place.text] = place
            self.scope.names.tensors[name] = place.text
        target = replace(e.target, name=name, shape=tuple(i.extent for i in axes))
        return Equation(target, axes, body, e.reduce, e.bound, e.step)

    def assigned(self, s: Statement) -> Line:
        """An assignment into an array, where arrays never change: a new array."""
        place = self.places.get(s.left.removesuffix(" ="))
        if place is None or not place.items or not self.functional:
            return s
        return Statement(f"{place.array} =", Method(Atom(place.array), f".at[{place.items}].set", (s.right,)))

    # -- conditions on times

    def split(self, e: Equation) -> tuple[Equation, list[Line]]:
        """What holds at every step, and ``if t > 0:`` in front of what is added at some of them."""
        brackets = [b for b in e.body.atoms(Bracket) if _about_times(b)]
        if self.functional or not brackets:
            return e, []
        groups: dict[Any, list[Expr]] = {sympy.true: []}
        for term in sympy.Add.make_args(sympy.expand_mul(e.body) if e.body.is_Mul else e.body):
            factors = sympy.Mul.make_args(term)
            own = [f for f in factors if f in brackets]
            rest = sympy.Mul(*(f for f in factors if f not in own))
            groups.setdefault(And(*(f.condition for f in own)), []).append(rest)
        always = replace(e, body=sympy.Add(*groups.pop(sympy.true)))
        if always.body == 0:
            always = replace(always, reduce=None, bound=())
        more = {c: statements(self.scope, replace(e, body=sympy.Add(*terms))) for c, terms in groups.items()}
        text = self.scope.names.tensors[e.target.name]
        if any(len(s) != 1 or s[0].left != f"{text} =" for s in more.values()):
            return e, []
        blocks = [Block(f"if {self.head(c)}:", (self.added(text, s.right),)) for c, (s,) in more.items()]
        return always, list(blocks)

    def added(self, text: str, more: Code) -> Statement:
        """An addition to an array that is ours, in place; to a local value, which may be a view, not."""
        if text in self.places:
            return Statement(f"{text} +=", more)
        return Statement(f"{text} =", chain(ADD, Atom(text), [("+", more)]))

    def head(self, condition: Any) -> str:
        """``t > 0`` for ``t - 1 >= 0``."""
        if isinstance(condition, Relational):
            for time in condition.free_symbols & set(self.times.values()):
                difference = sympy.expand(condition.lhs - condition.rhs)
                bound = time - difference
                if time not in bound.free_symbols and isinstance(condition, Ge | Le):
                    shift = -1 if isinstance(condition, Ge) else 1
                    limit = self.integer(sympy.expand(bound + shift))
                    return f"{time} {'>' if shift < 0 else '<'} {limit}"
        return Printer(self.scope, ()).condition(condition).text


def _about_times(e: Expr) -> bool:
    """Whether a bracket or a choice asks for nothing but the time."""
    condition = e.args[0]
    return not indices_of(condition) and not reads_of(condition)
