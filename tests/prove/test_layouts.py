"""Claims that hold in another layout say in which; derivatives by symmetric matrices say how they are meant."""

import re

import numpy as np
import pytest

import derive as dv
from derive.errors import ParseError, SidesDiffer
from derive.frontends.layouts import LAYOUTS

AXB = {"A": "m n", "X": "n p", "B": "p q"}
NAMED: list[tuple[str, dict[str, str], str]] = [
    ("jacobian(A*x, x) == A'", {"A": "m n", "x": "n"}, "denominator layout, where the gradients"),
    ("jacobian(A*x, x) == A'", {"A": "n n", "x": "n"}, "denominator layout, where the gradients"),
    ("grad(a'*X*b, X) == b*a'", {"a": "n", "X": "n m", "b": "m"}, "numerator layout, where a gradient by a matrix"),
    ("grad(tr(A*X), X) == A", {"A": "n n", "X": "n n"}, "numerator layout, where a gradient by a matrix"),
    ("jacobian(t*A, t) == A'", {"A": "m n", "t": ""}, "denominator layout, where the derivative by a scalar"),
    ("jacobian(A*X*B, X) == kron(B', A)", AXB, "numerator layout for vec, which stacks columns: d vec(F) / d vec(X)'"),
    ("jacobian(A*X*B, X) == kron(A, B')", AXB, "numerator layout for vec of rows"),
    ("jacobian(A*X*B, X) == kron(B, A')", AXB, "denominator layout for vec, which stacks columns"),
    ("jacobian(A*X*B, X) == kron(A', B)", AXB, "denominator layout for vec of rows"),
    ("kron(B', A)*ravel(X) == ravel(A*X*B)", {"A": "n n", "X": "n n", "B": "n n"}, "ravel is read as vec"),
    ("grad(logdet(X), X) == 2*inv(X) - eye(n).*inv(X)", {"X": "n n, symmetric"}, "tied=True"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "shapes", "words"), NAMED, ids=[f"{c} {list(s.values())}" for c, s, _ in NAMED])
def test_the_layout_is_named(claim: str, shapes: dict[str, str], words: str) -> None:
    verdict = dv.verify(claim, **shapes)
    assert verdict.status == "REFUTED"
    assert words in verdict.holds_when[0]


@pytest.mark.parametrize("claim", ["jacobian(A*x, x) == 2*A'", "jacobian(A*X*B, X) == kron(B, A)", "tr(A*X*B) == A"])
def test_what_fits_in_no_layout_is_an_error(claim: str) -> None:
    with pytest.raises(SidesDiffer) as caught:
        dv.verify(claim, **{n: s for n, s in {**AXB, "x": "n", **({"B": "p m"} if "tr" in claim else {})}.items() if n in claim})
    assert isinstance(caught.value, ParseError)


def test_arrangements_are_those_of_vec() -> None:
    """The Jacobian of A X B by numbers, stacked by NumPy, is what each layout of matrices by matrices says."""
    rng = np.random.default_rng(2)
    A, B = rng.normal(size=(2, 3)), rng.normal(size=(4, 5))
    J = np.einsum("ik,lj->ijkl", A, B)
    columns, rows = np.kron(B.T, A), np.kron(A, B.T)
    expected = {"which stacks columns": columns, "vec of rows": rows}
    for layout in (x for x in LAYOUTS if x.ranks == (2, 2) and len(x.groups) == 2):
        shape = [int(np.prod([J.shape[a] for a in group])) for group in (layout.order[:2], layout.order[2:])]
        matrix = next(m for words, m in expected.items() if words in layout.words)
        matrix = matrix if "numerator" in layout.words else matrix.T
        np.testing.assert_allclose(J.transpose(layout.order).reshape(shape), matrix)


# -- tied entries (Petersen and Pedersen 2012, sec. 2.8)


@pytest.mark.parametrize(
    "claim",
    [
        "grad(tr(A*X), X, tied=True) == A + A' - diag(diag(A))",
        "grad(logdet(X), X, tied=True) == 2*inv(X) - eye(n).*inv(X)",
        "grad(det(X), X, tied=True) == det(X)*(2*inv(X) - eye(n).*inv(X))",
        "grad(a'*X*a, X, tied=True) == 2*a*a' - diag(a.*a)",
        "grad(logdet(X), X, tied=False) == inv(X)",
    ],
)
def test_tied_entries(claim: str) -> None:
    shapes = {"A": "n n", "X": "n n, symmetric", "a": "n"}
    assert dv.verify(claim, **{n: s for n, s in shapes.items() if re.search(rf"\b{n}\b", claim)}).status == "PROVED"


def test_how_a_derivative_by_a_symmetric_matrix_is_meant_is_said() -> None:
    free = dv.verify("grad(tr(X), X) == eye(n)", X="n n, symmetric")
    assert "takes the entries of the symmetric X as independent" in free.understood
    tied = dv.verify("grad(tr(X), X, tied=True) == eye(n)", X="n n, symmetric")
    assert "X[i,j] and X[j,i] are one variable" in tied.understood
    assert not dv.verify("grad(tr(X), X) == eye(n)", X="n n").understood


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("grad(tr(X), X, tied=True) == eye(n)", "declared symmetric"),
        ("grad(tr(X), X, tied=2) == eye(n)", "True or False"),
        ("grad(tr(X), X, tie=True) == eye(n)", "no option tie"),
        ("hessian(tr(X), X, tied=True) == X", "no option tied"),
    ],
)
def test_tied_is_asked_for_as_it_can_be(claim: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        dv.verify(claim, X="n n")
