"""Random equations: sums of products of entries of random tensors, functions of them, brackets, one reduction."""

from __future__ import annotations

import hypothesis.strategies as st
import sympy
from sympy import Expr, Rational, S

from derive.ir.nodes import Bracket, Equation, Index, Program, Read, Tensor, Where, size
from derive.ops.elementwise.exponential import sigmoid

INDICES = tuple(Index(name, size(extent)) for name, extent in zip("ijkl", ("n", "m", "d", "n"), strict=True))
SHAPES = [
    (),
    ("n",),
    ("m",),
    ("d",),
    ("n", "m"),
    ("m", "d"),
    ("n", "n"),
    ("d", "n"),
    ("m", "n"),
    ("n", "m", "d"),
]
INPUTS = tuple(Tensor(f"{'xABC'[len(s)]}{p}", tuple(size(e) for e in s)) for p, s in enumerate(SHAPES))
COEFFICIENTS = [
    S.One,
    S(-1),
    S(2),
    Rational(1, 2),
    Rational(-1, 3),
    1 / size("n"),
    1 / sympy.sqrt(size("d")),
    Rational(1, 100),
]


@st.composite
def entries(draw: st.DrawFn, tensors: tuple[Tensor, ...], rank: int = 3) -> Expr:
    tensor = draw(st.sampled_from([t for t in tensors if t.rank <= rank]))
    places = [draw(st.sampled_from([i for i in INDICES if i.extent == e])) for e in tensor.shape]
    return Read(tensor, places)


@st.composite
def factors(draw: st.DrawFn, tensors: tuple[Tensor, ...]) -> Expr:
    entry = draw(entries(tensors))
    other = draw(entries(tensors, rank=2))
    ways = [
        entry, entry, entry, entry**2, sympy.tanh(entry), sigmoid(other), sympy.exp(-other), entry - other, 1 - entry**2,
        1 / (1 + other**2), sympy.sqrt(1 + other**2), Where(sympy.Gt(other, 0), entry, S.Zero),
        Bracket(sympy.Gt(entry, other)), Bracket(sympy.Le(*draw(st.sampled_from(PAIRS)))),
    ]  # fmt: skip
    return draw(st.sampled_from(ways))


PAIRS = [(INDICES[0], INDICES[3]), (INDICES[3], INDICES[0] + 1), (INDICES[1], S(1))]


@st.composite
def equations(draw: st.DrawFn, tensors: tuple[Tensor, ...], name: str) -> Equation:
    terms = [
        draw(st.sampled_from(COEFFICIENTS))
        * sympy.Mul(*draw(st.lists(factors(tensors), min_size=1, max_size=3)))
        for _ in range(draw(st.integers(1, 2)))
    ]
    body = sympy.Add(*terms)
    free = draw(st.lists(st.sampled_from(INDICES), unique=True, max_size=2))
    used = Equation(Tensor(name), (), body).reads
    mentioned = {i for r in used for i in r.indices} | {i for b in body.atoms(Bracket) for i in _bare(b)}
    bound = tuple(i for i in INDICES if i in mentioned and i not in free)
    reduce = draw(st.sampled_from(["sum", "sum", "sum", "max"])) if bound else None
    return Equation(Tensor(name, tuple(i.extent for i in free)), tuple(free), body, reduce, bound)  # type: ignore[arg-type]


def _bare(bracket: Expr) -> set[Index]:
    return {a for a in sympy.preorder_traversal(bracket) if isinstance(a, Index)}


@st.composite
def programs(draw: st.DrawFn, length: int = 4) -> Program:
    """A few equations, each reading inputs and earlier results; the last is the output."""
    tensors, made = INPUTS, []
    for position in range(draw(st.integers(1, length))):
        equation = draw(equations(tensors, f"T{position}"))
        made.append(equation)
        tensors = (*tensors, equation.target, equation.target)
    return Program(INPUTS, tuple(made), (made[-1].target,))
