"""How a program is narrowed down to what is assumed of its inputs: facts declared, or definitions that have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product

import sympy
from sympy import Expr, S

from ...calculus.differentiate import new_name
from ...ir.facts import implied
from ...ir.nodes import Bracket, Entry, Equation, Program, Read, Slot, Tensor, fresh_indices, size, substitute
from ...ir.tensors import resized, with_tensors
from .dependence import rational_in
from .size_one import at_size_one

Cases = tuple[Program, ...]
"""Programs that cover everything a hypothesis allows: the claim holds under it if it holds in each."""
MOST_READS = 4
"""Reads of a matrix of which every subset is tried as reads of its transpose."""


def _tensor(program: Program, name: str) -> Tensor | None:
    return next((t for t in program.inputs if t.name == name), None)


# -- facts that are declared


def fact(fact: str) -> Callable[..., Iterator[Cases]]:
    """A word of `ir.facts`, with all that follows from it."""

    def impose(program: Program, name: str) -> Iterator[Cases]:
        tensor = _tensor(program, name)
        if tensor is not None and fact not in tensor.facts:
            known = tensor.facts | implied(tensor.shape, fact)
            yield (with_tensors(program, {tensor: replace(tensor, facts=known)}),)

    return impose


def each(impose: Callable[..., Iterator[Cases]]) -> Callable[..., Iterator[Cases]]:
    """The same of several variables."""

    def imposed(program: Program, *names: str) -> Iterator[Cases]:
        for name in names:
            (program,) = next(impose(program, name), (program,))
        yield (program,)

    return imposed


# -- definitions that range over all that has a property

Definition = Callable[["Defining"], Expr]


class Defining:
    """One input of a program on its way to become a tensor with a definition."""

    def __init__(self, program: Program, tensor: Tensor) -> None:
        self.program, self.tensor = program, tensor
        self.taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
        self.inputs: list[Tensor] = []
        self.equations: list[Equation] = []
        self.axes = fresh_indices(tensor.shape)

    def input(self, letter: str, *shape: Expr, facts: str = "") -> Tensor:
        """A new input."""
        known = implied(shape, facts) if facts else frozenset()
        self.inputs.append(Tensor(new_name(letter, self.taken), shape, facts=known))
        return self.inputs[-1]

    def inverse(self, matrix: Tensor) -> Tensor:
        """A new tensor, the inverse of a matrix."""
        target = Tensor(new_name("inverse", self.taken), matrix.shape)
        i, j = fresh_indices(target.shape)
        self.equations.append(Equation(target, (i, j), Entry("inv", 0, (matrix[Slot(0), Slot(1)],), (i, j))))
        return target

    def sum(self, body: Expr, *bound: Expr) -> Read:
        """A new scalar."""
        target = Tensor(new_name("total", self.taken))
        self.equations.append(Equation(target, (), body, "sum", bound))
        return target[()]

    def with_body(self, body: Expr, *bound: Expr) -> Program:
        """The program with this definition in the place of the input."""
        target = replace(self.tensor, facts=frozenset())
        own = Equation(target, self.axes, body, "sum" if bound else None, bound)
        rest = with_tensors(self.program, {self.tensor: target})
        inputs = (*(t for t in rest.inputs if t != target), *self.inputs)
        if _sizes(self.tensor.shape) - {s for t in inputs for s in _sizes(t.shape)}:
            shape_only = replace(target, name=new_name(target.name, self.taken))
            inputs = (*inputs, shape_only)  # nothing reads it, but it says how large the array is
        return Program(inputs, (*self.equations, own, *rest.equations), rest.outputs)


def _sizes(shape: tuple[Expr, ...]) -> set[Expr]:
    return {s for e in shape for s in e.free_symbols}


def defined(*bodies: Callable[[Defining], Program]) -> Callable[..., Iterator[Cases]]:
    """An input ranges over what these definitions give, one case each."""

    def impose(program: Program, name: str) -> Iterator[Cases]:
        tensor = _tensor(program, name)
        if tensor is not None:
            yield tuple(body(Defining(program, tensor)) for body in bodies)

    return impose


def _unit(d: Defining) -> Expr:
    return Bracket(sympy.Eq(*d.axes))


def skew(d: Defining) -> Program:
    i, j = d.axes
    K = d.input("K", *d.tensor.shape)
    return d.with_body(K[i, j] - K[j, i])


def multiple_of_unit(d: Defining) -> Program:
    return d.with_body(d.input("c")[()] * _unit(d))


def idempotent(d: Defining) -> Program:
    """``P diag(e) P^-1`` with entries of e that are 0 or 1: every idempotent matrix is diagonalisable over the reals."""
    n = d.tensor.shape[0]
    return _similar(d, d.input("P", n, n), d.input("e", n, facts="binary"))


def projection(d: Defining) -> Program:
    """``Q diag(e) Q'``, by the spectral theorem."""
    n = d.tensor.shape[0]
    return _congruent(d, d.input("Q", n, n, facts="orthogonal"), d.input("e", n, facts="binary"))


def _similar(d: Defining, P: Tensor, values: Tensor) -> Program:
    """``P diag(values) P^-1``."""
    return _similar_by(d, P, d.inverse(P), values)


def _similar_by(d: Defining, P: Tensor, inverse: Tensor, values: Tensor) -> Program:
    (k,) = fresh_indices(values.shape, d.axes)
    i, j = d.axes
    return d.with_body(P[i, k] * values[k] * inverse[k, j], k)


def _congruent(d: Defining, Q: Tensor, values: Tensor) -> Program:
    (k,) = fresh_indices(values.shape, d.axes)
    i, j = d.axes
    return d.with_body(Q[i, k] * values[k] * Q[j, k], k)


def unit_norm(d: Defining) -> Program:
    """``y / norm(y)``."""
    y = d.input("y", *d.tensor.shape)
    (k,) = fresh_indices(d.tensor.shape, d.axes)
    return d.with_body(y[d.axes] / sympy.sqrt(d.sum(y[k] ** 2, k)))


def centred(d: Defining) -> Program:
    y = d.input("y", *d.tensor.shape)
    (k,) = fresh_indices(d.tensor.shape, d.axes)
    return d.with_body(y[d.axes] - d.sum(y[k], k) / d.tensor.shape[0])


def constant(d: Defining) -> Program:
    return d.with_body(d.input("c")[()])


def number(value: int) -> Callable[[Defining], Program]:
    return lambda d: d.with_body(S(value))


def identity(d: Defining) -> Program:
    return d.with_body(_unit(d))


# -- two variables


def of_two(define: Callable[[Program, Tensor, Tensor], Iterator[Cases]]) -> Callable[..., Iterator[Cases]]:
    def impose(program: Program, first: str, second: str) -> Iterator[Cases]:
        a, b = _tensor(program, first), _tensor(program, second)
        if a is not None and b is not None and a.shape == b.shape:
            yield from define(program, a, b)

    return impose


def orthogonal_vectors(program: Program, x: Tensor, y: Tensor) -> Iterator[Cases]:
    """``y = z - (x'z / x'x) x``, which is all that is orthogonal to an x other than 0; and x = 0."""
    if x.facts or y.facts:
        return
    d = Defining(program, y)
    z = d.input("z", *y.shape)
    (k,) = fresh_indices(y.shape, d.axes)
    share = d.sum(x[k] * z[k], k) / d.sum(x[k] ** 2, k)
    yield d.with_body(z[d.axes] - share * x[d.axes]), Defining(program, x).with_body(S.Zero)


def multiple(facts: str) -> Callable[[Program, Tensor, Tensor], Iterator[Cases]]:
    """``y = c x``, or x = 0."""

    def define(program: Program, x: Tensor, y: Tensor) -> Iterator[Cases]:
        if not x.facts and not y.facts:
            d = Defining(program, y)
            yield (
                d.with_body(d.input("c", facts=facts)[()] * x[d.axes]),
                Defining(program, x).with_body(S.Zero),
            )

    return define


def commuting(program: Program, A: Tensor, B: Tensor) -> Iterator[Cases]:
    """``A = P diag(a) P^-1``, ``B = P diag(b) P^-1``; of two symmetric matrices ``Q diag(a) Q'``, ``Q diag(b) Q'``.

    The second covers every commuting pair, by the spectral theorem. The first does not, but pairs that are diagonalised
    together are dense among the commuting pairs over the complex numbers (Motzkin and Taussky 1955), and these pairs are
    an irreducible variety. So a claim that is rational in the entries of A and B, and true for the real pairs of this
    form, has a numerator that vanishes for all real P, a, b, thus for all complex ones, and on the closure: it is true
    wherever it has a value. For claims that are not rational nothing is said.
    """
    if "symmetric" in A.facts & B.facts:
        if (A.facts | B.facts) <= {"symmetric", "invertible"}:
            d = Defining(program, A)
            n = A.shape[0]
            Q, a, b = d.input("Q", n, n, facts="orthogonal"), d.input("a", n), d.input("b", n)
            first = _congruent(d, Q, a)
            yield (_congruent(Defining(first, _named(first, B.name)), Q, b),)
        return
    if (A.facts | B.facts) <= {"invertible"} and rational_in(program, {A.name, B.name}):
        yield (_commuting_pair(program, A, B),)


def _commuting_pair(program: Program, A: Tensor, B: Tensor) -> Program:
    d = Defining(program, A)
    n = A.shape[0]
    P, a, b = d.input("P", n, n), d.input("a", n), d.input("b", n)
    inverse = d.inverse(P)
    first = _similar_by(d, P, inverse, a)
    second = Defining(first, _named(first, B.name))
    program = _similar_by(second, P, inverse, b)
    # the second definition must stand behind the inverse that it reads
    defined = {e.target: e for e in program.equations}
    order = sorted(
        program.equations, key=lambda e: (e.target != inverse, e.target.name not in (A.name, B.name))
    )
    assert len(defined) == len(order)
    return replace(program, equations=tuple(order))


def normal(program: Program, name: str) -> Iterator[Cases]:
    """A matrix commutes with its transpose: reads of it are read from a matrix B that commutes with it, transposed.

    For a normal A the pair (A, A') commutes. If some of the reads of A in a claim are replaced by reads of an independent
    B at transposed places, and the claim then holds for all commuting A and B, it holds for B = A', where it is what it
    was. Any choice of reads will do, so each is tried.
    """
    A = _tensor(program, name)
    if A is None or A.facts - {"invertible"} or not rational_in(program, {name}):
        return
    reads = [(n, r) for n, e in enumerate(program.equations) for r in e.reads if r.tensor == A]
    if len(reads) < 2 or any(isinstance(i, Slot) for _, r in reads for i in r.indices):
        return
    taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
    B = Tensor(new_name("B", taken), A.shape)
    written = tuple(_as_transposed(program.equations[n], r) for n, r in reads)
    every = product((False, True), repeat=len(reads)) if len(reads) <= MOST_READS else ()
    for chosen in dict.fromkeys((written, *every)):
        if all(chosen) or not any(chosen):
            continue
        equations = list(program.equations)
        for (n, r), other in zip(reads, chosen, strict=True):
            if other:
                turned = B[r.indices[1], r.indices[0]]
                equations[n] = replace(equations[n], body=substitute(equations[n].body, {r: turned}))
        both = Program((*program.inputs, B), tuple(equations), program.outputs)
        yield (_commuting_pair(both, A, B),)


def _as_transposed(equation: Equation, read: Read) -> bool:
    """Whether a factor of a product of matrices looks as if it was transposed: its rows are the columns of the product."""
    first, last = (equation.axes[0], equation.axes[-1]) if equation.axes else (None, None)
    return first == read.indices[1] or (last == read.indices[0] and len(equation.axes) == 2)


def _named(program: Program, name: str) -> Tensor:
    return next(t for t in program.inputs if t.name == name)


def same(program: Program, A: Tensor, B: Tensor) -> Iterator[Cases]:
    if A.facts == B.facts:
        d = Defining(program, B)
        yield (d.with_body(A[d.axes]),)


# -- sizes


def one(program: Program, name: str) -> Iterator[Cases]:
    yield (at_size_one(resized(program, {size(name): S.One})),)


def equal_sizes(program: Program, first: str, second: str) -> Iterator[Cases]:
    yield (resized(program, {size(first): size(second)}),)
