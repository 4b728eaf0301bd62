"""Claims and their verdicts: what is true is proved, what is false is refuted, and nothing false is ever proved."""

import json

import numpy as np
import pytest

import derive as dv
from derive.errors import ParseError, ShapeError, UnknownName

SQUARE = {"A": "n n", "B": "n n"}
TRUE: list[tuple[str, dict[str, str]]] = [
    ("grad(x'*A*x, x) == (A + A')*x", {}),
    ("grad(x @ A @ x, x) == (A + A.T) @ x", {}),
    ("grad(x'*A*x, x) == 2*A*x", {"A": "n n, symmetric"}),
    ("hessian(x'*A*x, x) == A + A'", {}),
    ("jacobian(A*x, x) == A", {}),
    ("grad(tr(A*X*B), X) == A'*B'", {}),
    ("grad(tr(X'*A*X), X) == (A + A')*X", {}),
    ("grad(norm2(A*x - b)^2, x) == 2*A'*(A*x - b)", {"b": "m"}),
    ("grad(norm2(x), x) == x/norm2(x)", {}),
    ("grad(log(sum(exp(x))), x) == exp(x)/sum(exp(x))", {}),
    ("grad(sum(log(1 + exp(-y.*(X*w)))), w) == -X'*(y./(1 + exp(y.*(X*w))))", {}),
    ("grad(logdet(X), X) == inv(X)'", {}),
    ("grad(det(X), X) == det(X)*inv(X)'", {}),
    ("grad(a'*inv(X)*b, X) == -inv(X)'*a*b'*inv(X)'", {"a": "n", "b": "n", "X": "n n"}),
    ("jvp(inv(X), X, dX) == -inv(X)*dX*inv(X)", {"X": "n n", "dX": "n n"}),
    ("tr(A*B) == tr(B*A)", {}),
    ("tr(A*B*A*B) == sum((A*B).*(A*B)')", SQUARE),
    ("inv(A*B) == inv(B)*inv(A)", SQUARE),
    ("inv(A') == inv(A)'", {"A": "n n"}),
    ("logdet(A*B) == logdet(A) + logdet(B)", SQUARE),
    ("(A*B)' == B'*A'", {}),
    ("norm2(x - y)^2 == x'*x - 2*x'*y + y'*y", {}),
    ("kron(A, B)*kron(C, D) == kron(A*C, B*D)", {"A": "m n", "B": "p q", "C": "n r", "D": "q s"}),
    ("x'*(A.*B)*y == tr(diag(x)*A*diag(y)*B')", {"A": "m n", "B": "m n", "x": "m", "y": "n"}),
    ("mean((x - mean(x)).^2) == mean(x.^2) - mean(x)^2", {"x": "n"}),
    ("exp(x + c)/sum(exp(x + c)) == exp(x)/sum(exp(x))", {"x": "n", "c": ""}),
    ("log(sum(exp(x - c))) + c == log(sum(exp(x)))", {"x": "n", "c": ""}),
    ("tanh(x) == 2*sigmoid(2*x) - 1", {"x": "n"}),
    ("tanh(a + b) == (tanh(a) + tanh(b))/(1 + tanh(a)*tanh(b))", {}),
    ("sigmoid(x).*(1 - sigmoid(x)) == exp(-x)./(1 + exp(-x)).^2", {"x": "n"}),
    ("sum(sigmoid(x).*(1 - sigmoid(x))) == sum(exp(-x)./(1 + exp(-x)).^2)", {"x": "n"}),
    ("log(1 + exp(x)) - log(1 + exp(-x)) == x", {"x": "n"}),
    ("sum(p.*log(p./q)) == sum(-p.*log(q)) - sum(-p.*log(p))", {"p": "n, positive", "q": "n, positive"}),
    ("sum(p) == 1", {"p": "n, simplex"}),
    ("inv(A + u*v') == inv(A) - inv(A)*u*v'*inv(A)/(1 + v'*inv(A)*u)", {"A": "n n", "u": "n", "v": "n"}),
    ("inv(A + U*C*V) == inv(A) - inv(A)*U*inv(inv(C) + V*inv(A)*U)*V*inv(A)", {"A": "n n", "U": "n k", "C": "k k", "V": "k n"}),
    ("inv(A + B) == inv(A) - inv(A)*inv(inv(A) + inv(B))*inv(A)", SQUARE),
    ("inv(inv(A) + inv(B)) == A*inv(A + B)*B", SQUARE),
    ("A - A*inv(A + B)*A == B - B*inv(A + B)*B", SQUARE),
    ("X'*inv(X*X' + c*eye(n)) == inv(X'*X + c*eye(m))*X'", {"X": "n m", "c": ""}),
    ("grad(logdet(X'*A*X), X) == A*X*inv(X'*A*X) + A'*X*inv(X'*A'*X)", {"X": "n m", "A": "n n"}),
    ("grad(tr(inv(X'*C*X)*A), X) == -(C*X*inv(X'*C*X))*(A + A')*inv(X'*C*X)", {"X": "n m", "C": "n n, symmetric", "A": "m m"}),
    ("A\\b == inv(A)*b", {"A": "n n", "b": "n"}),
    ("Q'*Q*x == x", {"Q": "n n, orthogonal"}),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "shapes"), TRUE, ids=[c for c, _ in TRUE])
def test_true_for_all_sizes(claim: str, shapes: dict[str, str]) -> None:
    verdict = dv.verify(claim, **shapes)
    assert (verdict.status, verdict.level) == ("PROVED", "all sizes"), str(verdict)


FALSE: list[tuple[str, dict[str, str]]] = [
    ("grad(x'*A*x, x) == 2*A*x", {}),
    ("grad(x'*A*x, x) == 2*A'*x", {}),
    ("grad(tr(A*X*B), X) == A*B", {**SQUARE, "X": "n n"}),
    ("grad(tr(A*X), X) == A", {"A": "n n", "X": "n n"}),
    ("grad(logdet(X), X) == inv(X)", {"X": "n n"}),
    ("grad(det(X), X) == inv(X)'", {"X": "n n"}),
    ("A*B == B*A", SQUARE),
    ("inv(A*B) == inv(A)*inv(B)", SQUARE),
    ("tr(A*B) == tr(A)*tr(B)", SQUARE),
    ("det(A + B) == det(A) + det(B)", SQUARE),
    ("(A*B)' == A'*B'", SQUARE),
    ("exp(a + b) == exp(a) + exp(b)", {}),
    ("tr(A*A'*A*A') == tr(A*A*A'*A')", {"A": "n n"}),
    ("tr(A)^2 == tr(A*A)", {"A": "n n"}),
    ("sqrt(x.^2) == x", {"x": "n"}),
    ("log(x.^2) == 2*log(abs(x)) + 1", {"x": "n"}),
    ("norm2(x) == norm1(x)", {"x": "n"}),
    ("exp(x)/sum(exp(x)) == exp(2*x)/sum(exp(2*x))", {"x": "n"}),
    ("sum(x./sum(exp(x))) == sum(x)", {"x": "n"}),
    ("sum(p) == 1", {"p": "n, positive"}),
    ("log(sum(exp(x))) <= max(x)", {"x": "n"}),
    ("inv(A)' == inv(A)", {"A": "n n"}),
    ("A*inv(A + B)*B == A*inv(A + B)*A", SQUARE),
    ("inv(A + B) == inv(A) + inv(B)", SQUARE),
    ("sum(x./(y*sum(z))) == sum(x)", {"x": "n", "y": "", "z": "n"}),
    ("log(s*s) == log(s)", {"s": ", positive"}),
    ("exp(s) == 1 + s", {"s": ", binary"}),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "shapes"), FALSE, ids=[c for c, _ in FALSE])
def test_false_with_a_counterexample(claim: str, shapes: dict[str, str]) -> None:
    verdict = dv.verify(claim, **shapes)
    assert verdict.status == "REFUTED", str(verdict)
    found = verdict.counterexample
    assert found is not None and max(found.sizes.values(), default=1) <= 2
    left, right = claim.replace("==", "|").replace("<=", "|").split("|")
    arrays = {name: np.array(value, dtype=float) for name, value in found.arrays.items()}
    declared = {name: ",".join([" ".join(map(str, np.shape(a)))]) for name, a in arrays.items()}
    sides = [
        dv.parse(side, **{n: d for n, d in declared.items() if n in _names(side)}) for side in (left, right)
    ]
    values = [np.asarray(f(**{n: arrays[n] for n in f.inputs}))[found.place] for f in sides]
    assert not np.isclose(*values) or "<=" in claim


def _names(side: str) -> set[str]:
    return set(dv.parse(side).inputs)


# -- what a verdict says


def test_what_would_make_it_true() -> None:
    verdict = dv.verify("grad(x'*A*x, x) == 2*A*x")
    assert verdict.holds_when == ("A is symmetric",)  # a matrix of size 1 is symmetric
    assert verdict.corrected == "grad(x'*A*x, x) == (A + A')*x"


def test_the_other_layout_is_named() -> None:
    verdict = dv.verify("grad(tr(A*X), X) == A", A="n n", X="n n")
    assert "in the numerator layout" in verdict.holds_when[0]


def test_a_verdict_is_no_truth_value() -> None:
    with pytest.raises(TypeError, match="REFUTED"):
        bool(dv.verify("x'*y == 0"))


def test_a_verdict_can_be_kept_and_checked_again() -> None:
    kept = json.loads(dv.verify("grad(x'*A*x, x) == 2*A*x").to_json())
    again = dv.verify(kept["claim"], **kept["variables"])
    assert again.status == kept["status"] == "REFUTED"
    assert again.counterexample is not None and kept["counterexample"]["sizes"] == {"n": 2}


def test_tested_says_how_far() -> None:
    verdict = dv.verify("det(A + u*v') == det(A)*(1 + v'*inv(A)*u)", A="n n", u="n", v="n")
    assert verdict.status in ("PROVED", "TESTED")
    assert verdict.level


# -- functions


def test_two_functions() -> None:
    f = dv.trace(lambda X: np.trace(X @ X.T), X="n m")
    g = dv.trace(lambda X: np.sum(X**2), X="n m")
    assert dv.verify(f, g).status == "PROVED"
    with pytest.raises(UnknownName, match="same inputs"):
        dv.verify(f, dv.trace(lambda Y: np.sum(Y), Y="n m"))


def test_a_hand_written_gradient() -> None:
    loss = dv.trace(lambda W, x, y: np.sum((W @ x - y) ** 2) / 2, W="m n", x="n", y="m")
    right = dv.verify_gradient(loss, lambda W, x, y: (np.outer(W @ x - y, x), W.T @ (W @ x - y)), ["W", "x"])
    assert right.status == "PROVED"
    wrong = dv.verify_gradient(loss, lambda W, x, y: np.outer(y - W @ x, x), "W")
    assert wrong.status == "REFUTED" and wrong.counterexample is not None
    assert set(wrong.counterexample.sizes.values()) == {1}


# -- bad input


@pytest.mark.parametrize(
    ("claim", "error", "words"),
    [
        ("x'*x", ParseError, "a relation between two formulas"),
        ("tr(A) == A", ShapeError, "a scalar, the right side a matrix"),
        ("grad(inv(A)*x, x) == inv(A)", ParseError, "grad needs a scalar"),
        ("grad(x'*x, 2) == x", ParseError, "by a variable"),
        ("grad(x'*x) == x", ParseError, "takes 2 arguments"),
        ("jvp(x'*x, x) == x", ParseError, "takes 3 arguments"),
    ],
)
def test_no_claim(claim: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        dv.verify(claim)


def test_a_hand_written_gradient_of_nested_parameters() -> None:
    shapes = {"W": "m n", "b": "m"}
    loss = dv.trace(lambda p, x: np.sum(np.tanh(p["W"] @ x + p["b"])), p=shapes, x="n")

    def right(p, x):  # type: ignore[no-untyped-def]
        slope = 1 - np.tanh(p["W"] @ x + p["b"]) ** 2
        return {"W": np.outer(slope, x), "b": slope}

    assert dv.verify_gradient(loss, right, "p").status == "PROVED"
    assert dv.verify_gradient(loss, lambda p, x: {**right(p, x), "b": -right(p, x)["b"]}, "p").status == "REFUTED"
