"""SymPy in and out: what its expressions mean, entry by entry what a program is, and back again."""

from typing import Any

import numpy as np
import pytest
import sympy
from sympy.matrices.expressions.diagonal import DiagMatrix
from sympy.matrices.expressions.hadamard import hadamard_product

import derive as dv
from derive.errors import DomainError, ParseError, ShapeError, SpecError, UnknownName, UnsupportedOp
from derive.ir.check import check_program

random = np.random.default_rng(5)
n, m = sympy.symbols("n m", integer=True, positive=True)
a, b, c = sympy.symbols("a b c")
i, j, k = sympy.symbols("i j k", integer=True)
A, B = sympy.MatrixSymbol("A", n, n), sympy.MatrixSymbol("B", n, n)
X = sympy.MatrixSymbol("X", n, m)
x, y = sympy.MatrixSymbol("x", n, 1), sympy.MatrixSymbol("y", n, 1)
r = sympy.MatrixSymbol("r", 1, n)
W, v = sympy.IndexedBase("W"), sympy.IndexedBase("v")
q = sympy.Symbol("q")
N, M = 4, 3
VALUES: dict[str, np.ndarray] = {
    "A": random.normal(size=(N, N)), "B": random.normal(size=(N, N)), "X": random.normal(size=(N, M)), "W": random.normal(size=(N, N)),
    "a": np.array(0.7), "b": np.array(1.6), "c": np.array(-0.4),
    **{name: random.uniform(0.2, 1.5, N) for name in ("x", "y", "r", "v")},
}  # fmt: skip
VA, VB, VX, VW, va, vb, vc, vx, vy, vr, vv = (VALUES[name] for name in ("A", "B", "X", "W", "a", "b", "c", "x", "y", "r", "v"))


def value(expr: Any) -> np.ndarray:
    f = dv.from_sympy(expr)
    check_program(f.program)
    return f(*(VALUES[name] for name in f.inputs))


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (a * sympy.sin(b) + sympy.exp(-(c**2) / 2) / sympy.sqrt(2 * sympy.pi), va * np.sin(vb) + np.exp(-(vc**2) / 2) / np.sqrt(2 * np.pi)),
        (sympy.Abs(c) + sympy.sign(c) + sympy.Max(a, b, c) - sympy.Min(a, 0), abs(vc) - 1 + vb),
        (sympy.Piecewise((a, c > 0), (b, (a > 0) & (c < 0)), (c, True)), vb),
        (sympy.gamma(3) * a + sympy.E + sympy.Float("0.1") + sympy.tan(a) ** b, 2 * va + np.e + 0.1 + np.tan(va) ** vb),
        (sympy.sec(a) + sympy.KroneckerDelta(1, 1) * a, 1 / np.cos(va) + va),
        (sympy.Derivative(a**3, a), 3 * va**2),
        (sympy.Matrix([a * b, a + c, 1]), np.array([va * vb, va + vc, 1])),
        (sympy.Matrix([[a, b], [c, 1]]), np.array([[va, vb], [vc, 1]])),
        (sympy.Array([[[a, b]], [[c, 1]]]), np.array([[[va, vb]], [[vc, 1]]])),
        (x.T * A * x, vx @ VA @ vx),
        (2 * A * B.T * x - y / 3, 2 * VA @ VB.T @ vx - vy / 3),
        (x * y.T + A, np.outer(vx, vy) + VA),
        (r * A + y.T, vr @ VA + vy),
        (X.T * x, VX.T @ vx),
        (A.inv() * x + A**-1 * x, 2 * np.linalg.solve(VA, vx)),
        (A**2 * x, VA @ VA @ vx),
        (sympy.log(sympy.Determinant(A * A.T)), np.linalg.slogdet(VA @ VA.T)[1]),
        (sympy.Trace(A * B.T) * a, np.trace(VA @ VB.T) * va),
        (hadamard_product(x, y) + sympy.HadamardPower(x, 3), vx * vy + vx**3),
        (sympy.Adjoint(A) * x, VA.T @ vx),
        (DiagMatrix(x) * y, vx * vy),
        (sympy.KroneckerProduct(A, B), np.kron(VA, VB)),
        ((sympy.Identity(n) + A) * x + sympy.OneMatrix(n, 1) + sympy.ZeroMatrix(n, 1), vx + VA @ vx + 1),
        (x.applyfunc(sympy.tanh), np.tanh(vx)),
        (A[0, 1] + x[2, 0] + r[0, 3], VA[0, 1] + vx[2] + vr[3]),
        (sympy.Sum(W[i, j] * v[j], (j, 0, n - 1)), VW @ vv),
        (sympy.Sum(W[i, j] * v[i] * v[j], (i, 0, n - 1), (j, 0, n - 1)), vv @ VW @ vv),
        (sympy.Sum((v[i + 1] - v[i]) ** 2, (i, 0, n - 2)), (np.diff(vv) ** 2).sum()),
        (sympy.Product(v[i], (i, 0, n - 1)) * sympy.Sum(k, (k, 1, 3)), vv.prod() * 6),
        (W[i, j] * v[i], VW * vv[:, None]),
        (sympy.Matrix([[1, 2], [3, 4]]) * sympy.Matrix([a, b]), np.array([va + 2 * vb, 3 * va + 4 * vb])),
    ],
    ids=str,
)  # fmt: skip
def test_values(expr: Any, expected: np.ndarray) -> None:
    np.testing.assert_allclose(value(expr), expected, rtol=1e-11, atol=1e-12)


def test_derivatives_stay_matrices() -> None:
    assert str(dv.grad(dv.from_sympy(x.T * A * x), "x")) == "gx = (A + A') x"
    assert str(dv.grad(dv.from_sympy(sympy.log(sympy.Determinant(A))), "A")) == "gA = A⁻ᵀ"
    f = dv.from_sympy(sympy.Sum((y[i, 0] - sympy.Sum(X[i, j] * q, (j, 0, m - 1))) ** 2, (i, 0, n - 1)))
    assert set(f.inputs) == {"X", "q", "y"}


def test_declarations_take_the_place_of_what_the_expression_says() -> None:
    assert str(dv.grad(dv.from_sympy(x.T * A * x, A="n n, symmetric"), "x")) == "gx = 2 A x"
    (tensor,) = dv.from_sympy(sympy.Symbol("s", positive=True)).program.inputs
    assert tensor.facts == {"positive"}
    assert dv.from_sympy(W[i, j], W="3 p").program.outputs[0].shape[0] == 3


@pytest.mark.parametrize(
    ("expr", "kind", "says"),
    [
        (sympy.zeta(a), UnsupportedOp, "zeta of SymPy is not supported"),
        (a + sympy.I, DomainError, "imaginary unit"),
        (sympy.Symbol("x_{1}"), SpecError, "cannot be the name of an input"),
        (sympy.Piecewise((a, a > 0)), UnsupportedOp, "last case"),
        (sympy.Sum(v[i + 1], (i, 0, n - 1)) + sympy.Sum(v[i], (i, 0, n - 1)), ShapeError, "the index"),
        (sympy.Sum(sympy.Sum(v[i], (i, 0, n - 1)) * v[i], (i, 0, n - 1)), UnsupportedOp, "try: another letter"),
        (sympy.exp(sympy.exp(sympy.exp(sympy.exp(sympy.exp(a))))), ParseError, "too large"),
    ],
    ids=str,
)  # fmt: skip
def test_what_has_no_counterpart(expr: Any, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind) as caught:
        dv.from_sympy(expr)
    assert says in str(caught.value)


# -- and out


def numbers(expr: Any, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """An explicit expression at these arrays."""
    known = {}
    for name, array in inputs.items():
        if not array.ndim:
            known |= {s: float(array) for s in expr.free_symbols if str(s) == name}
            continue
        symbol = sympy.MatrixSymbol(name, *(*array.shape, 1)[:2])
        known |= {symbol[(*place, 0)[:2]]: sympy.Float(array[place], 17) for place in np.ndindex(array.shape)}
    if isinstance(expr, sympy.Expr):
        return np.array(float(expr.xreplace(known)))
    return np.array(sympy.Array(expr).xreplace(known).applyfunc(lambda e: e.evalf(15)).tolist(), dtype=float)


PROGRAMS = [
    ("0.5*x'*A*x - log(det(B'*B))", {"x": "n", "A": "n n", "B": "n n"}), ("A*exp(x)", {}), ("norm1(A*x-y)", {}), ("norm2(A*x-y)^2", {}), ("inv(A)*x", {}),
    ("sum(log(exp(-y.*(A*x)) + vector(1)))", {}), ("tr(A*B)", {"A": "n m", "B": "m n"}), ("softmax(x)", {}), ("A \\ x", {}),
    ("max(x) + sum(relu(x - 0.5)) + sum(x > y)", {}), ("np.cumsum(x)", {"x": "n"}), ("x[1:] - x[:-1]", {"x": "n"}),
    ("sum(expm1(x) + log1p(x) + hypot(x, y) + sigmoid(x))", {}), ("A @ A.T", {"A": "n m"}), ("np.kron(A, B)", {"A": "n n", "B": "n n"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shapes"), PROGRAMS, ids=[p[0] for p in PROGRAMS])
def test_explicit_entries_and_back(text: str, shapes: dict[str, str]) -> None:
    f = dv.parse(text, **shapes)
    sizes = {str(s): 2 + position for position, s in enumerate(f.program.sizes)}
    symbols = {s: sizes[str(s)] for s in f.program.sizes}
    inputs = {t.name: random.uniform(0.2, 1.4, [int(e.subs(symbols)) for e in t.shape]) for t in f.program.inputs}
    expected = f(**inputs)
    explicit = f.to_sympy(sizes)
    np.testing.assert_allclose(numbers(explicit, inputs).reshape(np.shape(expected)), expected, rtol=1e-10)
    again = dv.from_sympy(explicit)
    check_program(again.program)
    np.testing.assert_allclose(again(**{name: inputs[name] for name in again.inputs}), expected, rtol=1e-10, atol=1e-12)


def test_a_gradient_entry_by_entry_is_sympys() -> None:
    f = dv.parse("0.5*x'*A*x + sum(tanh(A*x))")
    scalar, gradient = f.to_sympy({"n": 2}), dv.grad(f, "x").to_sympy({"n": 2})
    places = [sympy.MatrixSymbol("x", 2, 1)[p, 0] for p in range(2)]
    for place, entry in zip(places, gradient, strict=True):
        assert sympy.simplify(scalar.diff(place) - entry) == 0


def test_shapes_of_what_comes_out() -> None:
    f = dv.trace(lambda x: (x.sum(), np.outer(x, x), x[:, None, None] * x), x="n")
    number, matrix, array = f.to_sympy({"n": 2})
    assert isinstance(number, sympy.Expr) and matrix.shape == (2, 2) and array.shape == (2, 1, 2)
    assert dv.parse("x").to_sympy({"n": 3}).shape == (3, 1)


def test_integers_choose_entries() -> None:
    f = dv.trace(lambda E, t: E[t].sum(), E="v, positive", t=", integer < v")
    explicit = f.to_sympy({"v": 2})
    t = next(s for s in explicit.free_symbols if str(s) == "t")
    assert [str(explicit.subs(t, choice)) for choice in (0, 1)] == ["E[0, 0]", "E[1, 0]"]


def test_what_cannot_come_out() -> None:
    with pytest.raises(UnknownName, match=r"the sizes n need a number; try: to_sympy\(\{'n': 2\}\)"):
        dv.parse("x'*x").to_sympy()
    with pytest.raises(UnknownName, match="'k' is no size here"):
        dv.parse("x'*x").to_sympy({"n": 2, "k": 3})
    with pytest.raises(ShapeError, match="more than 20000"):
        dv.parse("x*x'").to_sympy({"n": 200})
    with pytest.raises(UnsupportedOp, match="eigh"):
        dv.trace(lambda A: np.linalg.eigh(A)[0], A="n n").to_sympy({"n": 2})


@pytest.mark.parametrize("value", ["x + 1", "__import__('os')", None, [1, 2], True, object()])
def test_what_is_no_expression_is_never_read_as_one(value: object) -> None:
    with pytest.raises(ParseError, match="an expression of SymPy is needed"):
        dv.from_sympy(value)
