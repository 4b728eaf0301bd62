"""A program at given sizes as explicit SymPy: an expression for every entry of its outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from math import prod
from typing import Any

import sympy
from sympy import Expr, S

from ..errors import ShapeError, UnknownName, UnsupportedOp
from ..ir.nodes import Bracket, Entry, Index, Program, Read, Slot, Tensor, Where, indices_of
from ..ops.elementwise import op_of_head

MOST_ENTRIES = 20_000
"""Entries of all tensors together, and terms of a sum."""

HEADS: dict[str, Callable[..., Expr]] = {
    "maximum": sympy.Max, "minimum": sympy.Min, "abs": sympy.Abs, "sign": sympy.sign, "floor": sympy.floor,
    "atan2": sympy.atan2, "i0": lambda x: sympy.besseli(0, x), "i1": lambda x: sympy.besseli(1, x),
    "i0e": lambda x: sympy.exp(-sympy.Abs(x)) * sympy.besseli(0, x),
    "i1e": lambda x: sympy.exp(-sympy.Abs(x)) * sympy.besseli(1, x),
    "ndtri": lambda x: sympy.sqrt(2) * sympy.erfinv(2 * x - 1),
}  # fmt: skip
"""Our functions in SymPy's, by the names of their records; others by the definition in their record, or SymPy's own."""

PRIMITIVES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "inv": lambda A: (A.inv(),), "det": lambda A: (A.det(),), "solve": lambda A, b: (A.inv() * b,),
    "slogdet": lambda A: (sympy.sign(A.det()), sympy.log(sympy.Abs(A.det()))),
    "cholesky": lambda A: (A.cholesky(hermitian=False),), "pinv": lambda A: ((A.T * A).inv() * A.T,),
    "power": lambda A, k: (A**k,), "expm": lambda A: (A.exp(),),
}  # fmt: skip


def to_sympy(program: Program, sizes: Mapping[str, int]) -> list[Any]:
    """The outputs: an expression, a Matrix (a vector is one column), or an Array of more axes.

    Inputs are symbols: a scalar ``a``, entries ``x[0, 0]`` and ``A[0, 1]`` of a MatrixSymbol, ``T[0, 1, 2]`` of an
    IndexedBase for more axes; `from_sympy` reads them all.

    Raises:
        UnknownName: a size is missing, or is none of the program.
        ShapeError: there are too many entries.  UnsupportedOp: SymPy has no counterpart.
    """
    known = {str(s) for s in program.sizes}
    if missing := sorted(known - sizes.keys()):
        given = ", ".join(f"{name!r}: 2" for name in missing)
        raise UnknownName(f"the sizes {', '.join(missing)} need a number; try: to_sympy({{{given}}})")
    if wrong := sorted(sizes.keys() - known):
        raise UnknownName(f"{wrong[0]!r} is no size here; sizes are {', '.join(sorted(known)) or 'none'}")
    explicit = _Explicit(program, {s: sympy.Integer(sizes[str(s)]) for s in program.sizes})
    return [explicit.array(t) for t in program.outputs]


class _Explicit:
    """Entries on demand, each computed once; a recurrence reads its earlier steps like anything else."""

    def __init__(self, program: Program, sizes: Mapping[sympy.Symbol, sympy.Integer]) -> None:
        self.program, self.sizes = program, sizes
        self.definitions = program.definitions
        self.entries: dict[tuple[str, tuple[int, ...]], Expr] = {}
        self.results: dict[Any, tuple[Any, ...]] = {}

    def shape(self, tensor: Tensor) -> tuple[int, ...]:
        shape = tuple(int(e.subs(self.sizes)) for e in tensor.shape)
        self._bounded(shape, f"{tensor.name} has")
        return shape

    def _bounded(self, shape: tuple[int, ...], what: str) -> None:
        if prod(shape) > MOST_ENTRIES or len(self.entries) > MOST_ENTRIES:
            count = max(prod(shape), len(self.entries))
            raise ShapeError(f"{what} {count} entries, more than {MOST_ENTRIES}; try: smaller sizes")

    def array(self, tensor: Tensor) -> Any:
        shape = self.shape(tensor)
        entries = [self.entry(tensor, place) for place in product(*map(range, shape))]
        if not shape:
            return entries[0]
        if len(shape) > 2:
            return sympy.ImmutableDenseNDimArray(entries, shape)
        return sympy.Matrix(shape[0], shape[1] if len(shape) == 2 else 1, entries)

    def entry(self, tensor: Tensor, place: tuple[int, ...]) -> Expr:
        key = (tensor.name, place)
        if key not in self.entries:
            if not all(0 <= p < n for p, n in zip(place, self.shape(tensor), strict=True)):
                raise ShapeError(f"{tensor.name}{list(place)} lies outside of its axes; try: larger sizes")
            made = tensor.name in self.definitions
            self.entries[key] = self.defined(tensor.name, place) if made else self.symbol(tensor, place)
        return self.entries[key]

    def symbol(self, tensor: Tensor, place: tuple[int, ...]) -> Expr:
        shape = self.shape(tensor)
        if not shape:
            return sympy.Symbol(tensor.name, real=True, positive="positive" in tensor.facts or None)
        if len(shape) > 2:
            return sympy.IndexedBase(tensor.name, shape=shape)[place]
        rows, columns = (*shape, 1)[:2]
        return sympy.MatrixSymbol(tensor.name, rows, columns)[(*place, 0)[:2]]

    def defined(self, name: str, place: tuple[int, ...]) -> Expr:
        """An entry by its equation."""
        equation = self.definitions[name]
        at = dict(zip(equation.axes, map(sympy.Integer, place), strict=True))
        if not equation.bound:
            return self.value(equation.body, at)
        ranges = [range(int(b.extent.subs(self.sizes))) for b in equation.bound]
        self._bounded(tuple(map(len, ranges)), f"the {equation.reduce} for {name} runs over")
        terms = [
            self.value(equation.body, {**at, **dict(zip(equation.bound, map(sympy.Integer, k), strict=True))})
            for k in product(*ranges)
        ]
        joined = {"sum": sympy.Add, "prod": sympy.Mul, "max": sympy.Max, "min": sympy.Min}
        return joined[str(equation.reduce)](*terms)

    def value(self, e: Any, at: Mapping[Index, Expr]) -> Any:
        """An expression with numbers for the indices."""
        match e:
            case Index():
                return at[e]
            case Read():
                return self.read(e, at)
            case Bracket(condition=condition):
                return self.chosen(self.value(condition, at), lambda: S.One, lambda: S.Zero)
            case Where(args=(condition, a, b)):
                return self.chosen(self.value(condition, at), lambda: self.value(a, at), lambda: self.value(b, at))
            case Entry():
                return self.primitive(e, at)
            case sympy.Mul():
                brackets = [self.value(f, at) for f in e.args if isinstance(f, Bracket)]
                if S.Zero in brackets:
                    return S.Zero
                return sympy.Mul(*brackets, *(self.value(f, at) for f in e.args if not isinstance(f, Bracket)))
        if not e.args:
            return self.sizes.get(e, e)
        args = [self.value(a, at) for a in e.args]
        op = op_of_head(e.func)
        if op is not None and op.name in HEADS:
            return HEADS[op.name](*args)
        if op is not None and op.definition is not None:
            return self.value(op.definition(*args), at)
        if op is not None and e.func.__module__.startswith("derive."):
            raise UnsupportedOp(f"{op.name} has no counterpart in SymPy")
        return e.func(*args)

    def chosen(self, condition: Any, a: Callable[[], Expr], b: Callable[[], Expr]) -> Expr:
        if condition in (sympy.true, sympy.false):
            return a() if condition == sympy.true else b()
        return sympy.Piecewise((a(), condition), (b(), True))

    def read(self, read: Read, at: Mapping[Index, Expr]) -> Expr:
        """An entry; at a place that depends on integers in an input, a choice between all of them."""
        places = [self.value(p, at) for p in read.indices]
        for axis, place in enumerate(places):
            if not place.is_Integer:
                cases = range(self.shape(read.tensor)[axis])
                behind = read.indices[axis + 1 :]
                options = [self.read(Read(read.tensor, (*places[:axis], sympy.Integer(k), *behind)), at) for k in cases]
                pieces = [(value, sympy.Eq(place, k)) for value, k in zip(options, cases, strict=True)]
                return sympy.Piecewise(*pieces[:-1], (options[-1], True))
        return self.entry(read.tensor, tuple(map(int, places)))

    def primitive(self, e: Entry, at: Mapping[Index, Expr]) -> Expr:
        """An entry of an inverse, a determinant, ..."""
        if e.primitive not in PRIMITIVES:
            raise UnsupportedOp(f"{e.primitive} entry by entry has no counterpart in SymPy")
        around = {i: v for i, v in at.items() if i in indices_of(e) - set(e.places)}
        key = (e.args[0], e.args[2], tuple(sorted(((i.name, v) for i, v in around.items()), key=str)))
        if key not in self.results:
            parameters = [self.value(p, at) for p in e.parameters]
            self.results[key] = PRIMITIVES[e.primitive](*(self.operand(r, at) for r in e.operands), *parameters)
        result = self.results[key][e.output]
        places = tuple(int(at[i]) for i in e.places)
        return result[(*places, 0)[:2]] if places else result

    def operand(self, read: Read, at: Mapping[Index, Expr]) -> Any:
        """The matrix (or vector, as a column) that a primitive takes whole."""
        shape = self.shape(read.tensor)
        axes = {i.number: axis for axis, i in enumerate(read.indices) if isinstance(i, Slot)}

        def entry(*place: int) -> Expr:
            indices = [
                sympy.Integer(place[i.number]) if isinstance(i, Slot) else self.value(i, at) for i in read.indices
            ]
            return self.entry(read.tensor, tuple(map(int, indices)))

        if len(axes) == 1:
            return sympy.Matrix([entry(k) for k in range(shape[axes[0]])])
        return sympy.Matrix(shape[axes[0]], shape[axes[1]], entry)
