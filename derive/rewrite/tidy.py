"""One walk over a program that leaves it equal and shorter: inlined, value-numbered, sums in normal form, nothing dead."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Eq, Expr, Ne, S

from ..calculus.differentiate import new_name
from ..deadline import check_time
from ..ir.nodes import (
    Bracket,
    Entry,
    Equation,
    Index,
    Program,
    Read,
    Tensor,
    Where,
    fresh_indices,
    indices_of,
    reads_of,
    substitute,
)
from ..ir.recurrences import in_order, members, split_off
from .algebra import (
    cancelled,
    flattened,
    is_orthogonal,
    is_rearranged,
    is_symmetric,
    normal_entry,
    operand_names,
    oriented,
    split_factor,
    widened,
)
from .deltas import has_delta, is_delta, reads_whole, solve_deltas
from .factor import cost, simplify, split_sizes
from .measure import count_uses, prune
from .memory import Memory
from .recognise import recognise
from .spans import shrunk
from .sums import Term, normal_sum, sum_facts
from .values import canonical


@dataclass(frozen=True)
class Policy:
    """What a walk may do.

    inline: whether to put an elementwise equation that is read once into its reader, although it broadcasts.
    keep: names that stay equations of their own.
    frozen: names of the equations whose sums stay as they were written (the forward pass).
    reserved: names that new equations must not take.
    constraints: whether a declared equation between entries (the rows of a simplex sum to 1) may be used. What is
        differentiated once more must not use it: a derivative leaves the set on which it holds.
    """

    inline: bool
    keep: frozenset[str]
    frozen: frozenset[str]
    reserved: frozenset[str] = frozenset()
    constraints: bool = False


def tidy(program: Program, policy: Policy) -> Program:
    """Walk until nothing changes."""
    futile: set[Any] = set()
    for _ in range(8):
        after = prune(_Walk(program, policy, futile).run())
        if after.equations == program.equations:
            return after
        program = after
    return program


DEAR = 6.0
"""Scalar operations from which a value is not computed twice for the sake of a shorter program."""


class _Walk:
    def __init__(self, program: Program, policy: Policy, futile: set[Any]) -> None:
        self.program, self.policy = program, policy
        self.futile = futile  # sums that did not get shorter by writing definitions out, in an earlier walk
        self.uses = count_uses(program.equations)
        self.readers: dict[str, Equation] = {r.tensor.name: e for e in program.equations for r in e.reads}
        self.outputs = {t.name for t in program.outputs}
        self.taken = dict.fromkeys((*program.tensors, *map(str, program.sizes), *policy.reserved), 1)
        self.compared = {
            r.tensor.name for e in program.equations for c in e.body.atoms(Eq, Ne) for r in reads_of(c)
        }
        self.whole, self.scalable = operand_names(program.equations)
        declared = program.inputs if policy.constraints else ()
        self.symmetric = {t.name for t in declared if "symmetric" in t.facts}
        self.orthogonal = {t.name for t in declared if "orthogonal" in t.facts}
        self.memory = Memory()
        self.new: dict[str, Equation] = {}
        self.read_by_new: Counter[str] = Counter()
        self.inlined: dict[str, tuple[tuple[Index, ...], Expr]] = {}
        self.facts: dict[tuple[str, int], Expr] = {}
        self.members = members(program.equations)
        defined: set[str] = set()
        self.states: set[str] = set()
        for equation in program.equations:
            self.states |= {r.tensor.name for r in equation.reads} & self.members - defined
            defined.add(equation.target.name)

    def run(self) -> Program:
        for equation in self.program.equations:
            check_time()
            self.process(equation)
        return replace(self.program, equations=in_order(self.new.values()))

    def process(self, equation: Equation) -> None:
        if isinstance(equation.body, Entry):
            self.application(equation, equation.body)
            return
        body = oriented(self.put_inlined(equation.body), equation.axes, self.symmetric)
        body = recognise(self.memory.put_values(body))
        if equation.target.name in self.members and equation.reduce is None:
            body = self.look_up_advanced(replace(equation, body=body))
        elif self.members and equation.reduce == "sum":
            body, bound = shrunk(body, equation.bound)
            equation = replace(equation, bound=bound)
        if equation.reduce is None:
            self.elementwise(equation, body)
        elif equation.reduce == "sum" and equation.target.name not in self.policy.frozen:
            self.summation(equation, body)
        else:
            self.emit(replace(equation, body=simplify(body)))

    def look_up_advanced(self, equation: Equation) -> Expr:
        """The body with values of the step before: what ``[s > 0]`` keeps to s = t + 1 is looked up as of t."""
        found = split_off(equation)
        if found is None:
            return equation.body
        s, first, initial, rest = found
        t, shift = Index(s.name, s.extent - 1), int(first == 0)
        ahead = substitute(rest, {s: t + shift})
        known = self.memory.put_values(ahead)
        if known == ahead:
            return equation.body
        return Where(Eq(s, first), initial, recognise(substitute(known, {t: s - shift})))

    # -- primitives

    def application(self, equation: Equation, e: Entry) -> None:
        """A primitive's result: a factor of what it is linear in comes out, then its operand is put in order."""
        inlined = [split_factor(self.put_inlined(operand)) for operand in e.operands]
        parameters = [self.put_inlined(p) for p in e.parameters]
        operands = [oriented(read, equation.axes, self.symmetric) for _, read in inlined]
        body = normal_entry(Entry(e.primitive, e.output, operands, e.places, parameters), self.new)
        factor = sympy.Mul(*(c for c, _ in inlined))
        if factor == 1 and isinstance(body, Entry):
            self.emit(replace(equation, body=body))
        elif factor == 1:
            self.elementwise(equation, self.put_inlined(body))
        else:
            name = new_name(f"{equation.target.name}_{e.primitive}", self.taken)
            whole = replace(equation.target, name=name, facts=frozenset())
            self.uses[name] += 1
            self.emit(replace(equation, target=whole, body=body))
            self.elementwise(equation, factor * self.put_inlined(whole[equation.axes]))

    # -- elementwise equations

    def elementwise(self, equation: Equation, body: Expr) -> None:
        if has_delta(body):
            body = sympy.Add(*(solve_deltas(t, ())[0] for t in sympy.Add.make_args(sympy.expand_mul(body))))
        body = self.as_multiple(equation, simplify(body))
        equation = replace(equation, body=body, reduce=None, bound=())
        if self.absorb(equation) or self.to_inline(equation):
            return
        self.emit(equation)

    def as_multiple(self, equation: Equation, body: Expr) -> Expr:
        """A sum that is a number times a tensor, ``m/2 - x/2`` beside ``v = x - m``, as that."""
        name = equation.target.name
        if name in self.compared or (equation.step.named and name in self.policy.frozen):
            return body
        found = self.memory.multiple(body)
        return found[0] if found is not None and set(found[1].order) == set(equation.axes) else body

    def absorb(self, equation: Equation) -> bool:
        """``T = c R`` with R a sum that only T reads becomes the sum itself, c inside."""
        number, rest = split_sizes(equation.body)
        if not isinstance(rest, Read) or rest.tensor.name not in self.new:
            return False
        source = self.new[rest.tensor.name]
        read_elsewhere = self.uses[source.target.name] > 1 or self.read_by_new[source.target.name]
        single = (
            not read_elsewhere and source.target.name not in self.outputs | self.policy.keep | self.states
        )
        if (
            source.reduce != "sum"
            or not single
            or set(rest.indices) != set(equation.axes)
            or len(rest.indices) != len(equation.axes)
        ):
            return False
        if source.step.named and source.target.name in self.policy.frozen:
            return False
        self.read_by_new.subtract(r.tensor.name for r in self.new.pop(source.target.name).reads)
        self.memory.forget(source.target.name)
        renaming, bound = self.rename_into(source, rest.indices, equation.axes)
        merged = replace(equation, body=number * substitute(source.body, renaming), reduce="sum", bound=bound)
        self.emit(replace(merged, step=replace(source.step, named=equation.step.named)))
        return True

    @staticmethod
    def rename_into(
        source: Equation, places: tuple[Expr, ...], axes: tuple[Index, ...]
    ) -> tuple[dict[Any, Any], tuple[Index, ...]]:
        fresh = fresh_indices([b.extent for b in source.bound], avoid=axes)
        return dict(zip(source.axes, places, strict=True)) | dict(
            zip(source.bound, fresh, strict=True)
        ), fresh

    def to_inline(self, equation: Equation) -> bool:
        """Whether an elementwise equation vanishes into its readers; if so it is remembered for them."""
        name, body = equation.target.name, equation.body
        if name in self.outputs or name in self.policy.keep or equation.target.kind != "real":
            return False
        if name in self.whole and not is_rearranged(body, equation.axes, name in self.scalable):
            return False  # a primitive takes whole arrays, or their transposes
        if name in self.states or (name in self.members and has_delta(body)):
            return False  # it is kept from step to step
        if name in self.compared and not isinstance(body, Read):
            return False  # what is compared for equality must be one stored value, not computed twice
        alias = isinstance(split_sizes(body)[1], Read) or not reads_of(body)
        visible = equation.step.named and name in self.policy.frozen
        if alias and isinstance(body, Read) and set(body.indices) == set(equation.axes):
            self.also(body.tensor.name, equation)
        if not (
            has_delta(body)
            or (alias and not visible)
            or (self.uses[name] == 1 and not visible and self.cheap_to_inline(equation))
        ):
            return False
        if has_delta(body):
            body = self.without_dear_parts(equation)
        self.inlined[name] = (equation.axes, body)
        for read in reads_of(body):
            self.uses[read.tensor.name] += max(self.uses[name] - 1, 0)
        return True

    def without_dear_parts(self, equation: Equation) -> Expr:
        """The body with what its deltas multiply as equations of their own, where it is dear: only the deltas travel."""
        terms = []
        for term in sympy.Add.make_args(equation.body):
            deltas = [f for f in sympy.Mul.make_args(term) if is_delta(f)]
            rest = sympy.Mul(*(f for f in sympy.Mul.make_args(term) if f not in deltas))
            if cost(rest) > DEAR and not has_delta(rest) and reads_whole(rest):
                axes = tuple(i for i in equation.axes if i in indices_of(rest))
                name = new_name(f"{equation.target.name}_part", self.taken)
                target = Tensor(name, tuple(i.extent for i in axes))
                self.emit(Equation(target, axes, rest, step=replace(equation.step, rule="factor of a delta")))
                self.uses[name] += 1
                rest = self.put_inlined(target[axes])
            terms.append(sympy.Mul(*deltas, rest))
        return sympy.Add(*terms)

    def also(self, name: str, equation: Equation) -> None:
        """Note that an equation about to vanish is equal to the one called `name`."""
        if name in self.new:
            source = self.new[name]
            names = dict.fromkeys((*source.step.also, equation.target.name, *equation.step.also))
            self.new[name] = replace(source, step=replace(source.step, also=tuple(names)))

    def cheap_to_inline(self, equation: Equation) -> bool:
        """Read once, and not computed more often in the reader than here, unless it is mere arithmetic."""
        reader = self.readers[equation.target.name]
        (read,) = [r for r in reader.reads if r.tensor == equation.target]
        if not all(isinstance(i, Index) or self.is_shift(i, equation) for i in read.indices):
            return False
        broadcasts = (
            any(indices_of(r) != set(equation.axes) for r in equation.reads) and len(equation.axes) > 0
        )
        same = indices_of(read) == set(reader.indices)
        if not self.policy.inline:
            return same and not broadcasts and reader.reduce is None
        if has_delta(reader.body) and cost(equation.body) > DEAR:
            return False
        return same or cost(equation.body) < DEAR

    def is_shift(self, place: Expr, equation: Equation) -> bool:
        """Whether a place is some steps away along the time of a recurrence."""
        steps = any((place - i).is_Integer for i in indices_of(place))
        return self.policy.inline and equation.target.name in self.members and steps

    def put_inlined(self, body: Expr) -> Expr:
        mapping: dict[Expr, Expr] = {}
        for read in reads_of(body):
            if read.tensor.name in self.inlined:
                axes, inner = self.inlined[read.tensor.name]
                mapping[read] = substitute(inner, dict(zip(axes, read.indices, strict=True)))
        return substitute(body, mapping)

    # -- sums

    def summation(self, equation: Equation, body: Expr) -> None:
        if self.whole or self.orthogonal:
            body = cancelled(body, equation.bound, self.new, self.orthogonal)
            if (wide := widened(body, equation.bound, self.new, self.orthogonal)) is not None:
                equation = replace(equation, body=wide[0], bound=wide[1])
                body = wide[0]
        done, left = self.through_definitions(
            body, equation.bound, normal_sum(body, equation.bound, self.known_sum)
        )
        if done == 0 and len(left) == 1:
            (term,) = left
            constant, free = split_sizes(term.factor)
            if free == 1:
                self.emit(replace(equation, body=constant * simplify(term.summand), bound=term.bound))
                return
        total = done + sympy.Add(*(term.factor * self.pure_sum(equation, term) for term in left))
        self.elementwise(equation, self.memory.put_values(total))

    def through_definitions(
        self, body: Expr, bound: tuple[Index, ...], found: tuple[Expr, list[Term]]
    ) -> tuple[Expr, list[Term]]:
        """The same sum with derived elementwise tensors written out, if facts then leave no more to be summed."""
        mapping: dict[Expr, Expr] = {}
        for read in body.atoms(Read):
            source = self.new.get(read.tensor.name)
            if source is None or source.reduce or isinstance(source.body, Entry):
                continue
            if source.target.name not in self.members | self.policy.frozen:
                mapping[read] = substitute(source.body, dict(zip(source.axes, read.indices, strict=True)))
        question = (body, bound, frozenset(mapping.items()))
        if not mapping or question in self.futile:
            return found
        inner = normal_sum(substitute(body, mapping), bound, self.known_sum)
        price_in, price_out = (sum(cost(t.summand) for t in left) for _, left in (inner, found))
        known = not inner[1] or (inner[0] == 0 and len(inner[1]) <= len(found[1]) and price_in <= price_out)
        if not known:
            self.futile.add(question)
        return inner if known else found

    def pure_sum(self, equation: Equation, term: Term) -> Expr:
        """A read of an equation for the summand, new unless there is one."""
        number, summand = split_sizes(simplify(term.summand))
        value = self.known_sum(summand, term.bound)
        if value is None:
            free = tuple(i for i in equation.axes if i in indices_of(summand))
            name = new_name(f"{equation.target.name}_sum", self.taken)
            target = Tensor(name, tuple(i.extent for i in free))
            self.emit(
                Equation(target, free, summand, "sum", term.bound, replace(equation.step, rule="hoisted sum"))
            )
            self.uses[name] += 1
            value = self.put_inlined(target[free])
        return number * value

    def known_sum(self, summand: Expr, bound: tuple[Index, ...]) -> Expr | None:
        """The value of a pure sum: from facts, or from an equation that already computes it."""
        reduced, left = sum_facts(summand, bound, self.fact)
        if not left:
            return reduced
        if left != bound:
            return None
        found = canonical(summand, bound)
        if found.key not in self.memory.sums:
            return None
        value = self.memory.sums[found.key]
        self.uses[value.tensor.name] += 1
        return value.read(found) * value.number

    def fact(self, read: Read, axis: int) -> Expr | None:
        """The sum of a tensor over one axis, where it is a known constant."""
        if self.policy.constraints and axis == read.tensor.rank - 1 and "simplex" in read.tensor.facts:
            return S.One
        return self.facts.get((read.tensor.name, axis))

    def find_facts(self, equation: Equation) -> None:
        """Prove what the entries add up to along the axes it broadcasts over: 1 for softmax rows, 0 if centred."""
        atoms = equation.body.atoms(Read)
        if equation.body.has(Bracket):
            return
        for axis, index in enumerate(equation.axes):
            inside = {index in indices_of(r) for r in atoms}
            if inside != {True, False}:
                continue
            done, left = normal_sum(equation.body, (index,), self.known_sum)
            if not left and sympy.expand(done).is_number:
                self.facts[equation.target.name, axis] = sympy.expand(done)

    # -- value numbering

    def emit(self, equation: Equation) -> None:
        """Append an equation unless an earlier one has the same value; remember its value for later ones."""
        name = equation.target.name
        keep = name in self.outputs | self.policy.keep | self.states
        whole = canonical(equation.body, equation.bound)
        key: Any = (equation.reduce, whole.key)
        chain = flattened(equation, self.new)
        if chain is not None and key not in self.memory.values and ("chain", chain.key) in self.memory.values:
            whole, key = chain, ("chain", chain.key)
        if (
            key in self.memory.values
            and equation.reads
            and not (equation.step.named and name in self.policy.frozen)
            and name not in self.policy.frozen & self.outputs
        ):
            same = self.memory.values[key].read(whole)
            tensor = same.tensor
            self.uses[tensor.name] += self.uses[name]
            self.also(tensor.name, equation)
            if keep:
                self.new[name] = replace(equation, body=same, reduce=None, bound=())
                self.read_by_new[tensor.name] += 1
            else:
                self.inlined[name] = (equation.axes, same)
            return
        self.new[name] = equation
        if not equation.reads:
            return
        if is_symmetric(equation, self.symmetric):
            self.symmetric.add(name)
        if is_orthogonal(equation, self.orthogonal):
            self.orthogonal.add(name)
        self.read_by_new.update(r.tensor.name for r in equation.reads)
        self.memory.learn(equation, key, whole, chain, state=name in self.states)
        if equation.reduce is None and not isinstance(equation.body, Entry):
            self.find_facts(equation)
