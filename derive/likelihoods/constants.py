"""Which additive terms of a negative log-likelihood are constant: those that nothing learned reaches."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import sympy
from sympy import Add, Expr, Mul, S

from ..function import Function
from ..ir.nodes import Entry, Equation, Index, Program, Read, Tensor, reads_of
from ..ir.tensors import prune
from ..rewrite.derived import names_of, prepare, present
from .logarithms import in_terms
from .scalars import function_of, scalar_of
from .textbook import textbook


@dataclass(frozen=True)
class Dropped:
    """A term that no learned thing changes.

    term: a function of what it depends on.
    inputs: the names of these; empty for a number.
    """

    term: Function
    inputs: tuple[str, ...]


def without_constants(loss: Function, learned: Collection[str]) -> tuple[Function, tuple[Dropped, ...]]:
    """The loss of one example as a textbook writes it, and the terms that are the same whatever is learned.

    Args:
        loss: of numbers or of arrays, its output a number.
        learned: names of the inputs that are learned or computed by something that is learned.
    """
    if all(t.rank == 0 for t in loss.program.tensors.values()):
        return _of_numbers(loss, learned)
    return _of_arrays(loss, learned)


def _of_numbers(loss: Function, learned: Collection[str]) -> tuple[Function, tuple[Dropped, ...]]:
    terms = Add.make_args(in_terms(scalar_of(loss.program)))
    kept = [t for t in terms if _names(t) & set(learned)]
    inputs = loss.program.inputs
    example = function_of(loss.name, inputs, {"loss": textbook(Add(*kept))})
    by_inputs: dict[frozenset[str], list[Expr]] = {}
    for t in terms:
        if t not in kept and t != 0:
            by_inputs.setdefault(frozenset(_names(t)), []).append(t)
    dropped = []
    for names, group in sorted(by_inputs.items(), key=lambda item: sorted(item[0])):
        used = [t for t in inputs if t.name in names]
        dropped.append(
            Dropped(function_of("constant", used, {"c": textbook(Add(*group))}), tuple(t.name for t in used))
        )
    return example, tuple(dropped)


def _names(expr: Expr) -> set[str]:
    return {r.tensor.name for r in expr.atoms(Read)}


def _of_arrays(loss: Function, learned: Collection[str]) -> tuple[Function, tuple[Dropped, ...]]:
    program = present(loss.program)
    depends = _dependence(program)
    (output,) = program.outputs
    terms = _terms(program, Read(output, ()))
    constant = [t for t in terms if not t.reached(depends) & set(learned)]
    if not constant:
        return loss, ()
    example = _sum_of(program, [t for t in terms if t not in constant], output.name)
    groups: dict[frozenset[str], list[_Term]] = {}
    for t in constant:
        groups.setdefault(frozenset(t.reached(depends)), []).append(t)
    dropped = []
    for names, group in sorted(groups.items(), key=lambda item: sorted(item[0])):
        used = tuple(t for t in program.inputs if t.name in names)
        term = replace(_sum_of(program, group, "c"), inputs=used)
        dropped.append(Dropped(_function(replace(loss, name="constant"), term), tuple(t.name for t in used)))
    return _function(loss, example), tuple(dropped)


@dataclass(frozen=True)
class _Term:
    """A factor times a sum over indices, or times nothing."""

    factor: Expr
    body: Expr = S.One
    bound: tuple[Index, ...] = ()

    def reached(self, depends: dict[str, set[str]]) -> set[str]:
        """The inputs that it depends on."""
        reads = {*reads_of(self.factor), *reads_of(self.body)}
        return set().union(*(depends[r.tensor.name] for r in reads))


def _terms(program: Program, value: Expr) -> list[_Term]:
    """A number as a sum of terms: sums of numbers written out, sums over indices by the terms of what is summed."""
    found: list[_Term] = []
    for term in Add.make_args(sympy.expand_mul(value)):
        numbers = [
            f for f in Mul.make_args(term) if isinstance(f, Read) and f.tensor.name in program.definitions
        ]
        equation = program.definitions[numbers[0].tensor.name] if len(numbers) == 1 else None
        factor = term / numbers[0] if numbers else term
        if (
            equation is None
            or equation.axes
            or equation.body.has(Entry)
            or equation.reduce not in (None, "sum")
        ):
            found.append(_Term(term))
        elif equation.reduce is None:
            found += _terms(program, factor * equation.body)
        else:
            parts = Add.make_args(sympy.expand_mul(equation.body))
            found += [_Term(factor, part, equation.bound) for part in parts]
    return found


def _sum_of(program: Program, terms: list[_Term], name: str) -> Program:
    """A program for the sum of these terms."""
    taken = {*program.tensors, *map(str, program.sizes)}
    free = (n for n in (f"S{k}" for k in range(1, 999)) if n not in taken)
    sums: dict[tuple[Expr, tuple[Index, ...]], list[Expr]] = {}
    total = S.Zero
    for t in terms:
        if t.bound:
            sums.setdefault((t.factor, t.bound), []).append(t.body)
        else:
            total += t.factor * t.body
    equations = [e for e in program.equations if e.target not in program.outputs]
    for (factor, bound), bodies in sums.items():
        equations.append(Equation(Tensor(next(free)), (), Add(*bodies), "sum", bound))
        total += factor * equations[-1].lhs
    output = Tensor(name)
    equations.append(Equation(output, (), total))
    return prune(replace(program, equations=tuple(equations), outputs=(output,)))


def _dependence(program: Program) -> dict[str, set[str]]:
    """For each tensor the inputs that it depends on."""
    found = {t.name: {t.name} for t in program.inputs}
    for e in program.equations:
        found[e.target.name] = set().union(*(found[r.tensor.name] for r in reads_of(e.body)))
    return found


def _function(loss: Function, program: Program) -> Function:
    program = prepare(program)
    return replace(loss, program=program, forward=names_of(program), _kernels={})
