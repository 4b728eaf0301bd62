"""Random points of a program's declared domain, at several sizes that are all different."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from ..errors import SpecError, UnknownName, closest
from ..ir.facts import IMPLIES
from ..ir.nodes import Entry, Program, Read, Tensor
from ..ops.elementwise import op_of_head
from ..ops.linalg import primitives
from .batch import Arrays

Range = tuple[float, float]
PLAIN: Range = (-1.2, 1.2)
POSITIVE: Range = (0.2, 3.0)
SIZES = (3, 5, 2, 7, 4, 6, *range(8, 60))
MANY = 4
GRID = 128
"""Denominator of the inputs in exact arithmetic."""


def _transpose(A: Any) -> Any:
    return np.swapaxes(A, -1, -2)


def _eye(A: Any) -> Any:
    return np.eye(A.shape[-1])


def _signs(A: Any) -> Any:
    """A diagonal of 1 and -1, the signs of the own one: determinants of both signs, matrices that are not definite."""
    return np.where(A < 0, -1.0, 1.0) * _eye(A)


def _one_hot(x: Any) -> Any:
    return (np.arange(x.shape[-1]) == np.argmax(x, axis=-1)[..., None]).astype(float)


def _softmax(x: Any) -> Any:
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)


FACTS: dict[str, Callable[[Any], Any]] = {
    "nonnegative": np.abs,
    "positive": lambda x: 0.2 + np.abs(x),
    "probability": lambda x: 1 / (1 + np.exp(-x)),
    "binary": lambda x: (x > 0).astype(float),
    "lower triangular": np.tril,
    "upper triangular": np.triu,
    "diagonal": lambda A: A * _eye(A),
    "symmetric": lambda A: (A + _transpose(A)) / 2,
    "invertible": lambda A: _signs(A) + A / (2 * np.sqrt(A.shape[-1])),
    "positive semidefinite": lambda A: A[..., :1] * _transpose(A[..., :1]),
    "positive definite": lambda A: A @ _transpose(A) / A.shape[-1] + _eye(A) / 2,
    "orthogonal": lambda A: np.linalg.qr(A)[0],
    "simplex": _softmax,
    "one-hot": _one_hot,
    "increasing": lambda x: np.cumsum(0.3 + np.abs(x), axis=-1) - np.sum(np.abs(x), axis=-1, keepdims=True),
}
"""For each fact, a map of arrays on which the facts above it hold to arrays on which it holds as well."""

REPAIRS: dict[str, Callable[[Any], Any] | None] = {
    "simplex": lambda x: x / x.sum(axis=-1, keepdims=True),
    "positive semidefinite": lambda A: A[..., :1] * _transpose(A[..., :1]),
    "orthogonal": None,
}
"""How a fact is restored after rounding to fractions; None where it cannot be. Others survive rounding."""


def sample(
    tensor: Tensor,
    shape: tuple[int, ...],
    rng: np.random.Generator,
    values: Range = PLAIN,
    bound: int | None = None,
) -> Any:
    """One random array with the kind and the facts of `tensor`.

    Raises:
        SpecError: a fact that has no entry in `FACTS`.
    """
    if tensor.kind == "boolean":
        return rng.integers(0, 2, shape).astype(bool)
    if tensor.kind == "integer":
        return rng.integers(0, 5 if bound is None else bound, shape)
    if unknown := sorted(tensor.facts - FACTS.keys()):
        raise SpecError(
            f"no sampler for the fact {unknown[0]!r} of {tensor.name}; {closest(unknown[0], FACTS)}"
        )
    array = rng.uniform(*values, shape)
    generating = tensor.facts - {implied for fact in tensor.facts for implied in IMPLIES[fact]}
    for fact, make in FACTS.items():
        if fact in generating:
            array = make(array)
    return array


def sample_inputs(
    program: Program,
    sizes: Mapping[sympy.Symbol, int],
    rng: np.random.Generator,
    fallback: Range | None = None,
) -> Arrays:
    """Random arrays for every input of `program`, each in the domain of the operations that read it.

    `fallback` replaces the range of inputs that carry no facts and no domain of their own.
    """
    domains, needs = domains_of(program), needs_of(program)
    found = {}
    for tensor in program.inputs:
        tensor = replace(tensor, facts=tensor.facts | needs.get(tensor.name, frozenset()))
        shape = tuple(_integer(extent, sizes) for extent in tensor.shape)
        bound = None if tensor.bound is None else _integer(tensor.bound, sizes)
        values = domains.get(tensor.name) or fallback or PLAIN
        found[tensor.name] = sample(tensor, shape, rng, values, bound)
    return found


def needs_of(program: Program) -> dict[str, frozenset[str]]:
    """For inputs that a primitive takes whole: the fact without which it has no result."""
    found: dict[str, frozenset[str]] = {}
    inputs = {t.name for t in program.inputs}
    for equation in program.equations:
        if isinstance(equation.body, Entry):
            needs = primitives()[equation.body.primitive].needs
            operand = equation.body.operands[0]
            if needs in IMPLIES and operand.tensor.name in inputs and not operand.tensor.facts & KNOWN_REGULAR:
                found[operand.tensor.name] = found.get(operand.tensor.name, frozenset()) | {needs, *IMPLIES[needs]}
    return found


KNOWN_REGULAR = {"positive definite", "orthogonal"}
"""Facts whose samples need no more to be regular."""


def domains_of(program: Program) -> dict[str, Range]:
    """For inputs that are read directly by an operation of restricted domain: where they may be sampled."""
    found: dict[str, Range] = {}
    inputs = {t.name for t in program.inputs if t.kind == "real"}
    for equation in program.equations:
        for node in sympy.preorder_traversal(equation.body):
            for argument, domain in _restricted(node):
                if isinstance(argument, Read) and argument.tensor.name in inputs:
                    low, high = found.get(argument.tensor.name, domain)
                    found[argument.tensor.name] = max(low, domain[0]), min(high, domain[1])
    return {name: (low, high) for name, (low, high) in found.items() if low < high}


def _restricted(node: Any) -> Iterable[tuple[Any, Range]]:
    if isinstance(node, sympy.Pow) and not (node.exp.is_Integer and node.exp.is_positive):
        return [(node.base, POSITIVE)]
    op = op_of_head(node.func) if isinstance(node, sympy.Function) else None
    if op is None or op.domain == (-3.0, 3.0):
        return []
    return [(argument, op.domain) for argument in node.args]


def fractions(program: Program, inputs: Arrays) -> Arrays | None:
    """`inputs` rounded to small fractions that still have their facts; None where that is impossible."""
    found = {}
    for tensor in program.inputs:
        array = inputs[tensor.name]
        if tensor.kind != "real":
            found[tensor.name] = array
            continue
        exact = _to_fraction(np.asarray(array))
        for fact, repair in REPAIRS.items():
            if fact in tensor.facts:
                if repair is None:
                    return None
                exact = repair(exact)
        found[tensor.name] = np.asarray(exact, dtype=object)
    return found


def _to_fraction(array: Any) -> Any:
    exact = np.empty(array.shape, dtype=object)
    for position, value in np.ndenumerate(array):
        exact[position] = Fraction(round(float(value) * GRID), GRID)
    return exact


def plan_sizes(
    program: Program, shapes: int | Sequence[Mapping[str, int]], preferred: Sequence[int] = SIZES
) -> list[dict[sympy.Symbol, int]]:
    """Sizes for the symbols of `program`, all different; in every second trial one axis is 1.

    Args:
        shapes: how many trials, or the sizes of each trial by name.
        preferred: sizes to choose from, in this order.

    Raises:
        UnknownName: a named size that the program does not have, or one that is not given.
    """
    symbols = input_sizes(program)
    if not isinstance(shapes, int):
        return [_named(symbols, given) for given in shapes]
    if not symbols:
        return [{}] * shapes
    fixed = {int(e) for t in program.inputs for e in t.shape if e.is_Integer}
    free = [value for value in preferred if value not in fixed]
    return [_assign(symbols, free, trial) for trial in range(shapes)]


def _assign(symbols: Sequence[sympy.Symbol], free: Sequence[int], trial: int) -> dict[sympy.Symbol, int]:
    """Sizes of one trial, others in each. In every second one an axis is 1: the last, the one before, ...;
    with many symbols always, so that products of sizes stay small."""
    count = len(symbols)
    if count > MANY:
        values = [1, *sorted(free[: count - 1])]
        turn = trial % count
        values = values[turn:] + values[:turn]
    else:
        values = list(free[trial : trial + count])
        if trial % 2 and (count > 1 or trial == 1):
            values[-(trial + 1) // 2 % count] = 1
    return dict(zip(symbols, values, strict=True))


def _named(symbols: Sequence[sympy.Symbol], given: Mapping[str, int]) -> dict[sympy.Symbol, int]:
    known = {s.name: s for s in symbols}
    for name in [*given, *known]:
        if name not in known:
            raise UnknownName(f"no axis is called {name!r}; {closest(name, known)}")
        if name not in given:
            raise UnknownName(f"no size given for the axis {name!r}; given: {dict(given)}")
    return {known[name]: int(value) for name, value in given.items()}


def input_sizes(program: Program) -> list[sympy.Symbol]:
    """The symbolic sizes of the inputs, in order of first appearance."""
    found: dict[sympy.Symbol, None] = {}
    for tensor in program.inputs:
        for extent in (*tensor.shape, *((tensor.bound,) if tensor.bound is not None else ())):
            for symbol in sorted(extent.free_symbols, key=str):
                found.setdefault(symbol)
    return list(found)


def _integer(extent: Expr, sizes: Mapping[sympy.Symbol, int]) -> int:
    return int(extent.xreplace({symbol: sympy.Integer(value) for symbol, value in sizes.items()}))
