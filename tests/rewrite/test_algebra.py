"""Matrix identities that simplification knows, each where a user meets it: in a derivative or in a function itself."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import derive as dv
from derive.errors import NotDifferentiable, UnknownName
from derive.ir.check import check_program
from derive.ir.nodes import Entry

L = np.linalg
rng = np.random.default_rng(8)
PD = "n n, positive definite"


def lines(f: dv.Function) -> list[str]:
    check_program(f.presented)
    return [str(e) for e in f.presented.equations]


def applied(f: dv.Function) -> list[str]:
    """The primitives that a function applies, in order."""
    return [e.body.primitive for e in f.presented.equations if isinstance(e.body, Entry)]


# -- functions that simplify to another


SIMPLE: list[tuple[str, Callable[..., Any], dict[str, str], list[str]]] = [
    ("A A^-1 B", lambda A, B: A @ L.inv(A) @ B, {"A": "n n", "B": "n k"}, ["Y[i,k] = B[i,k]"]),
    ("B A^-1 A", lambda A, B: B @ L.inv(A) @ A, {"A": "n n", "B": "k n"}, ["Y[i,k] = B[i,k]"]),
    ("A' (A')^-1 b", lambda A, b: A.T @ (L.inv(A.T) @ b), {"A": "n n", "b": "n"}, ["Y[i] = b[i]"]),
    ("A solve(A, b)", lambda A, b: A @ L.solve(A, b), {"A": "n n", "b": "n"}, ["Y[i] = b[i]"]),
    ("the inverse of the inverse", lambda A: L.inv(L.inv(A)), {"A": "n n"}, ["Y[i,j] = A[i,j]"]),
    ("((A')^-1)'", lambda A: L.inv(A.T).T - L.inv(A), {"A": "n n"}, ["Y[i,j] = 0"]),
    ("V'V", lambda A: (lambda V: V.T @ V)(L.eigh(A).eigenvectors), {"A": "n n"}, ["Y[i,k] = [Eq(i, k)]"]),
    ("QQ' of a declared Q", lambda Q: Q @ Q.T, {"Q": "n n, orthogonal"}, ["Y[i,k] = [Eq(i, k)]"]),
    ("S - S' of a symmetric S", lambda S: S - S.T, {"S": "n n, symmetric"}, ["Y[i,j] = 0"]),
    ("tr ABC - tr CAB", lambda A, B, C: np.trace(A @ B @ C) - np.trace(C @ A @ B), {"A": "n m", "B": "m k", "C": "k n"}, ["Y = 0"]),
    ("logdet AB - logdet A - logdet B", lambda A, B: L.slogdet(A @ B)[1] - L.slogdet(A)[1] - L.slogdet(B)[1],
     {"A": "n n", "B": "n n"}, ["Y = 0"]),
    ("logdet A^-1 + logdet A", lambda A: L.slogdet(L.inv(A))[1] + L.slogdet(A)[1], {"A": "n n"}, ["Y = 0"]),
    ("det A' - det A", lambda A: L.det(A.T) - L.det(A), {"A": "n n"}, ["Y = 0"]),
    ("(AB)^-1 - B^-1 A^-1", lambda A, B: L.inv(A @ B) - L.inv(B) @ L.inv(A), {"A": "n n", "B": "n n"}, ["Y[i,j] = 0"]),
    ("AB (AB)^-1", lambda A, B: A @ B @ L.inv(A @ B), {"A": "n n", "B": "n n"}, ["Y[i,k] = [Eq(i, k)]"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "function", "shapes", "expected"), SIMPLE, ids=[c[0] for c in SIMPLE])
def test_simplifies_to(name: str, function: Callable[..., Any], shapes: dict[str, str], expected: list[str]) -> None:
    f = dv.trace(function, **shapes)
    simple = dv.simplify(f)
    assert lines(simple) == expected


SAME: list[tuple[str, Callable[..., Any], dict[str, str], tuple[str, ...], list[str]]] = [
    ("Sylvester", lambda U, V: L.slogdet(np.eye(U.shape[0]) + U @ V.T)[1], {"U": "n k", "V": "n k"}, ("k",), ["slogdet"]),
    ("Sylvester, det, with a factor", lambda U, V, c: L.det(c * np.eye(U.shape[0]) + U @ V.T), {"U": "n k", "V": "n k", "c": ""}, ("k",), ["det"]),
    ("Woodbury", lambda U, c: L.inv(c * np.eye(U.shape[0]) + U @ U.T), {"U": "n k", "c": ""}, ("k",), ["inv"]),
    ("a multiple", lambda A, c: L.slogdet(c * A)[1], {"A": "n n", "c": ""}, (), ["slogdet"]),
    ("a triangle", lambda A: L.slogdet(L.cholesky(A))[1], {"A": PD}, (), ["cholesky"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "function", "shapes", "small", "primitives"), SAME, ids=[c[0] for c in SAME])
def test_same_values_from_smaller_matrices(
    name: str, function: Callable[..., Any], shapes: dict[str, str], small: tuple[str, ...], primitives: list[str]
) -> None:
    f = dv.trace(function, **shapes)
    simple = dv.simplify(f, small=small)
    check_program(simple.program)
    assert applied(simple) == primitives
    sizes = {"n": 5, "k": 2}
    arrays = {key: rng.standard_normal([sizes[a] for a in axes.split(",")[0].split()]) for key, axes in shapes.items()}
    if "positive definite" in shapes.get("A", ""):
        arrays["A"] = arrays["A"] @ arrays["A"].T + np.eye(5)
    np.testing.assert_allclose(simple(**arrays), f(**arrays), rtol=1e-11)
    if small:
        (core,) = [e for e in simple.presented.equations if isinstance(e.body, Entry)]
        assert {str(n) for n in core.body.operands[0].tensor.shape} == {"k"}


def test_an_update_of_unknown_rank_stays() -> None:
    f = dv.trace(lambda U, V: L.slogdet(np.eye(U.shape[0]) + U @ V.T)[1], U="n k", V="n k")
    (entry,) = [e.body for e in dv.simplify(f).presented.equations if isinstance(e.body, Entry)]
    assert {str(n) for n in entry.operands[0].tensor.shape} == {"n"}
    with pytest.raises(UnknownName, match="no size 'q'"):
        dv.simplify(f, small=["q"])


# -- derivatives in their textbook form


def test_log_determinant() -> None:
    assert lines(dv.grad(dv.trace(lambda X: L.slogdet(X)[1], X="n n")))[-1] == "gX[i,j] = M[j,i]"
    assert lines(dv.grad(dv.trace(lambda X: L.slogdet(X)[1], X="n n, symmetric")))[-1] == "gX[i,j] = M[i,j]"


def test_log_determinant_of_a_product_by_each_factor() -> None:
    """X^-T of each factor alone: nothing is left of the other."""
    found = dv.grad(dv.trace(lambda A, B: L.slogdet(A @ B)[1], A="n n", B="n n"), "A")
    assert applied(found) == ["inv"]
    assert all("B" not in line for line in lines(found))


def test_gaussian_log_likelihood() -> None:
    """Sigma: (t t' - Sigma^-1) / 2 with t = Sigma^-1 (x - mu), one solve for everything."""
    f = dv.trace(
        lambda S, x, mu: -0.5 * (x - mu) @ L.solve(S, x - mu) - 0.5 * L.slogdet(S)[1], S=PD, x="n", mu="n"
    )
    g = dv.grad(f)
    assert applied(g) == ["solve", "inv"]
    found = lines(g)
    assert "gS[i,j] = -M[i,j]/2 + t[i]*t[j]/2" in found
    assert "gx[i] = -t[i]" in found
    assert dv.check(g).passed


def test_trace_of_a_power_and_of_the_exponential() -> None:
    power = dv.grad(dv.trace(lambda X: np.trace(L.matrix_power(X, 5)), X="n n"))
    assert lines(power) == ["M[i,j] = power(X; 4)[j,i]", "gX[i,j] = 5*M[i,j]"]
    exponential = dv.grad(dv.trace(lambda X: np.trace(scipy.linalg.expm(X)), X="n n"))
    assert lines(exponential)[-1] == "gX[i,j] = Z[j,i]"


def test_rayleigh_quotient() -> None:
    g = dv.grad(dv.trace(lambda A, x: x @ A @ x / (x @ x), A="n n, symmetric", x="n"), "x")
    assert lines(g)[-1] == "gx[i] = 2*(-Y*x[i] + z[i])/v"


def test_declared_symmetry_is_used_for_presentation_only() -> None:
    """A second derivative leaves the symmetric matrices, so the program that is differentiated must not use it."""
    f = dv.trace(lambda A, x: x @ A @ x, A="n n, symmetric", x="n")
    g = dv.grad(f, "x")
    assert len(g.presented.equations) == 2
    mixed = dv.vjp(dv.trace(lambda A, x: A @ x + A.T @ x, A="n n", x="n"), "A")
    again = dv.vjp(g, "A")
    A, x, v = rng.standard_normal((4, 4)), rng.standard_normal(4), rng.standard_normal(4)
    np.testing.assert_allclose(again(A + A.T, x, v), mixed(A + A.T, x, v), rtol=1e-12)


def test_proven_symmetry_saves_a_transpose() -> None:
    f = dv.trace(lambda A, b: L.solve(A.T @ A + np.eye(A.shape[1]), A.T @ b), A="m n", b="m")
    entries = [e.body for e in dv.vjp(f).presented.equations if isinstance(e.body, Entry)]
    assert len({e.operands[0] for e in entries}) == 1


# -- tied entries


def test_log_determinant_with_tied_entries() -> None:
    """2 X^-1 - diag(X^-1), as the books have it."""
    f = dv.trace(lambda X: L.slogdet(X)[1], X=PD)
    g = dv.grad(f, "X", tied=True)
    X = rng.standard_normal((4, 4))
    X = X @ X.T + np.eye(4)
    inverse = L.inv(X)
    np.testing.assert_allclose(g(X), 2 * inverse - np.diag(np.diag(inverse)), rtol=1e-10)
    assert "one variable" in str(g)
    assert dv.check(g).passed


def test_tied_entries_against_differences() -> None:
    def f(A: Any, B: Any) -> Any:
        return np.sum(np.sin(A @ B) * A)

    g = dv.grad(dv.trace(f, A="n n, symmetric", B="n n"), "A", tied=True)
    A, B = rng.standard_normal((3, 3)), rng.standard_normal((3, 3))
    A = A + A.T
    expected = np.zeros((3, 3))
    for i, j in np.ndindex(3, 3):
        step = np.zeros((3, 3), dtype=complex)
        step[i, j] = step[j, i] = 1e-30j
        expected[i, j] = f(A + step, B).imag / 1e-30
    np.testing.assert_allclose(g(A, B), expected, rtol=1e-12)
    report = dv.check(g)
    assert report.passed, str(report)


def test_a_wrong_tie_is_caught() -> None:
    g = dv.grad(dv.trace(lambda A, x: x @ A @ x, A="n n, symmetric", x="n"), "A", tied=True)
    free = dv.grad(g.origin.base, "A")
    assert not dv.check(type(g)(**{**vars(g), "program": free.program, "_kernels": {}})).passed


def test_only_symmetric_inputs_can_be_tied() -> None:
    with pytest.raises(NotDifferentiable, match="declared symmetric"):
        dv.grad(dv.trace(lambda A: np.sum(A), A="n n"), tied=True)
