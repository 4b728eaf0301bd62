"""Which additive terms of a negative log-likelihood are constant: those that nothing learned reaches."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import sympy
from sympy import Add, Expr

from ..function import Function
from ..ir.nodes import Equation, Program, Read, Tensor
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
    last = program.definitions[output.name]
    terms = Add.make_args(sympy.expand_mul(last.body)) if last.reduce in (None, "sum") else (last.body,)
    constant = [t for t in terms if not _reached(t, depends) & set(learned)]
    if not constant:
        return loss, ()
    kept = Add(*(t for t in terms if t not in constant))
    example = _with_last(loss, program, replace(last, body=kept))
    groups: dict[frozenset[str], list[Expr]] = {}
    for t in constant:
        groups.setdefault(frozenset(_reached(t, depends)), []).append(t)
    dropped = []
    for names, group in sorted(groups.items(), key=lambda item: sorted(item[0])):
        term = _with_last(loss, program, replace(last, target=Tensor("c"), body=Add(*group)))
        dropped.append(
            Dropped(replace(term, name="constant"), tuple(t.name for t in program.inputs if t.name in names))
        )
    return example, tuple(dropped)


def _dependence(program: Program) -> dict[str, set[str]]:
    """For each tensor the inputs that it depends on."""
    found = {t.name: {t.name} for t in program.inputs}
    for e in program.equations:
        found[e.target.name] = _reached(e.body, found)
    return found


def _reached(body: Expr, depends: dict[str, set[str]]) -> set[str]:
    from ..ir.nodes import reads_of

    return set().union(*(depends[r.tensor.name] for r in reads_of(body)))


def _with_last(loss: Function, program: Program, last: Equation) -> Function:
    equations = tuple(last if e.target in program.outputs else e for e in program.equations)
    changed = prepare(replace(program, equations=equations, outputs=(last.target,)))
    return replace(loss, program=changed, forward=names_of(changed), _kernels={})
