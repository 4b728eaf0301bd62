"""Every linear-algebra primitive: its value in three number systems, and its derivatives of first and second order."""

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.linalg

import derive as dv
from derive.errors import DomainError, ShapeError
from derive.ir.check import check_program
from derive.ir.evaluate import evaluate
from derive.ir.nodes import Entry
from derive.ir.numbers import MPMATH
from derive.ops.linalg import primitives

L = np.linalg
PD = "n n, positive definite"
CASES: list[tuple[str, Callable[..., Any], dict[str, str]]] = [
    ("inv", L.inv, {"a": "n n"}),
    ("inv of a stack", lambda X: L.inv(X), {"X": "3 n n"}),
    ("det", lambda X: L.det(X), {"X": "n n"}),
    ("det of a stack", lambda X: L.det(X), {"X": "b n n"}),
    ("logdet", lambda X: L.slogdet(X)[1], {"X": "n n"}),
    ("logdet by name", lambda X: L.slogdet(X).logabsdet, {"X": "n n"}),
    ("solve a vector", lambda A, b: L.solve(A, b), {"A": "n n", "b": "n"}),
    ("solve a matrix", lambda A, B: L.solve(A, B), {"A": "n n", "B": "n k"}),
    ("solve stacks", lambda A, B: L.solve(A, B), {"A": "b n n", "B": "b n k"}),
    ("solve a stack with one matrix", lambda A, B: L.solve(A, B), {"A": "n n", "B": "b n k"}),
    ("solve with a transpose", lambda A, b: L.solve(A.T, b), {"A": "n n", "b": "n"}),
    ("solve a triangle", lambda A, b: scipy.linalg.solve_triangular(A, b, lower=True), {"A": "n n", "b": "n"}),
    ("solve an upper triangle", lambda A, b: scipy.linalg.solve_triangular(A, b, trans=1), {"A": "n n", "b": "n"}),
    ("solve by Cholesky", lambda A, b: scipy.linalg.cho_solve(scipy.linalg.cho_factor(A), b), {"A": PD, "b": "n"}),
    ("cholesky", lambda A: L.cholesky(A), {"A": PD}),
    ("cholesky of a sum", lambda A: L.cholesky(A @ A.T + np.eye(3)), {"A": "3 k"}),
    ("qr", lambda A: L.qr(A), {"A": "4 3"}),
    ("eigenvalues", lambda A: L.eigvalsh(A), {"A": "n n, symmetric"}),
    ("eigenvalues of any matrix", lambda A: L.eigvalsh(A), {"A": "n n"}),
    ("function of a symmetric matrix", lambda A: (lambda w, V: V * np.exp(w) @ V.T)(*L.eigh(A)), {"A": "n n, symmetric"}),
    ("squares of eigenvectors", lambda A: L.eigh(A).eigenvectors[0] ** 2, {"A": "n n, symmetric"}),
    ("singular values", lambda A: L.svd(A, compute_uv=False), {"A": "m n"}),
    ("singular vectors", lambda A: (lambda U, s, V: U * s**2 @ V)(*L.svd(A, full_matrices=False)), {"A": "m n"}),
    ("the orthogonal factor", lambda A: (lambda U, s, V: U @ V)(*L.svd(A, full_matrices=False)), {"A": "5 3"}),
    ("pinv, tall", lambda A: L.pinv(A), {"A": "4 3"}),
    ("pinv, wide", lambda A: L.pinv(A), {"A": "2 4"}),
    ("expm", lambda A: scipy.linalg.expm(A), {"A": "n n"}),
    ("sqrtm", lambda A: scipy.linalg.sqrtm(A), {"A": PD}),
    ("power", lambda X: L.matrix_power(X, 5), {"X": "n n"}),
    ("negative power", lambda X: L.matrix_power(X, -2), {"X": "n n"}),
]  # fmt: skip
IDS = [name for name, _, _ in CASES]


def traced(function: Callable[..., Any], shapes: dict[str, str]) -> dv.Function:
    f = dv.trace(function, **shapes)
    check_program(f.program)
    return f


@pytest.mark.parametrize(("name", "function", "shapes"), CASES, ids=IDS)
def test_value_and_first_derivatives(name: str, function: Callable[..., Any], shapes: dict[str, str]) -> None:
    f = traced(function, shapes)
    for derivative in (dv.vjp(f), dv.jvp(f)):
        check_program(derivative.program)
        report = dv.check(derivative)
        assert report.passed, f"{derivative.index()}\n{report}"


@pytest.mark.parametrize(("name", "function", "shapes"), CASES, ids=IDS)
def test_second_derivatives(name: str, function: Callable[..., Any], shapes: dict[str, str]) -> None:
    f = dv.trace(_summed(function, len(shapes)), **dict(zip("AB", shapes.values(), strict=False)))
    report = dv.check(dv.hvp(f))
    assert report.passed, str(report)


def _summed(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    def total(found: Any) -> Any:
        return sum(np.sum(np.sin(y)) for y in (found if isinstance(found, tuple) else (found,)))

    return (lambda A: total(function(A))) if count == 1 else (lambda A, B: total(function(A, B)))


def test_every_primitive_is_reached_by_a_case() -> None:
    reached = {
        e.body.primitive
        for _, function, shapes in CASES
        for e in traced(function, shapes).program.equations
        if isinstance(e.body, Entry)
    }
    assert reached >= set(primitives()) - {"gaps"}  # gaps stands in derivatives alone


@pytest.mark.parametrize("name", sorted(primitives()))
def test_floats_agree_with_many_digits(name: str) -> None:
    """The two implementations of a value share no code."""
    record = primitives()[name]
    rng = np.random.default_rng(5)
    arrays = []
    for axes in record.operands:
        sizes = {"m": 4, "n": 3}
        array = rng.standard_normal([sizes[a] for a in axes.split()])
        square = len(axes.split()) == 2 and record.needs in ("positive definite", "symmetric")
        arrays.append(array @ array.T + np.eye(3) if square else array)
    parameters = [np.asarray(3)] if name == "power" else []
    with mpmath.workdps(40):
        exact = MPMATH.linear_algebra(record, [MPMATH.array(a) for a in arrays], parameters)
    for value, digits in zip(record.value(*arrays, *parameters), exact, strict=True):
        np.testing.assert_allclose(np.asarray(value), digits.astype(float), rtol=1e-12, atol=1e-13)


def test_every_source_is_named() -> None:
    assert all(record.source for record in primitives().values())


# -- where there is no derivative


def test_a_singular_matrix_is_an_error_and_never_nan() -> None:
    f = dv.trace(lambda X: L.inv(X), X="n n")
    with pytest.raises(DomainError, match="singular"):
        f(np.ones((3, 3)))
    with pytest.raises(DomainError, match="singular"):
        dv.trace(lambda X, b: L.solve(X, b), X="n n", b="n")(np.zeros((2, 2)), np.ones(2))
    with pytest.raises(DomainError, match="singular"):
        dv.grad(dv.trace(lambda X: L.det(X), X="n n"))(np.zeros((2, 2)))


def test_an_indefinite_matrix_has_no_cholesky_factor() -> None:
    with pytest.raises(DomainError, match=r"least eigenvalue is -1"):
        dv.trace(lambda X: L.cholesky(X), X="n n")(np.diag([1.0, -1.0]))


def test_equal_eigenvalues_have_no_eigenvectors_to_differentiate() -> None:
    f = dv.vjp(dv.trace(lambda X: L.eigh(X).eigenvectors, X="n n"))
    with pytest.raises(DomainError, match="eigenvalues 0 and 1 coincide"):
        f(np.eye(3), np.ones((3, 3)))
    values = dv.vjp(dv.trace(lambda X: L.eigvalsh(X), X="n n"))
    np.testing.assert_allclose(values(np.eye(3), np.ones(3)), np.eye(3), atol=1e-14)


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match="inv: the axes"):
        dv.trace(lambda X: L.inv(X), X="m n")
    with pytest.raises(ShapeError, match="a square matrix"):
        dv.trace(lambda x: L.det(x), x="n")
    with pytest.raises(ShapeError, match="solve: the axes"):
        dv.trace(lambda X, b: L.solve(X, b), X="n n", b="k")


# -- what stays one equation


def test_one_factorisation_for_all_results_and_both_passes() -> None:
    f = dv.vjp(dv.trace(lambda A: L.inv(A) @ L.inv(A), A="n n"))
    assert sum(isinstance(e.body, Entry) for e in f.program.equations) == 1


def test_evaluation_names_every_result() -> None:
    f = dv.trace(lambda A: L.eigh(A), A="n n, symmetric")
    A = np.array([[2.0, 1.0], [1.0, 3.0]])
    values = evaluate(f.program, {"A": A})
    w, V = (values[name] for name in f.outputs)
    np.testing.assert_allclose(V @ np.diag(w) @ V.T, A, atol=1e-14)
