"""What holds in the place of a false claim: written in its own notation, it is read again and proved."""

from functools import cache

import pytest

import derive as dv
from derive.frontends.claim import understand_claim
from derive.ir.facts import Spec, spec
from derive.prove.catalog.entries import entries
from derive.prove.corrected import corrected
from derive.render.formula import formula_text

AB = {"A": "n n", "B": "n n"}
SAID: list[tuple[str, dict[str, str], str]] = [
    ("grad(x'*A*x, x) == 2*A*x", {}, "grad(x'*A*x, x) == (A + A')*x"),
    ("grad(x @ A @ x, x) == 2*A @ x", {}, "grad(x @ A @ x, x) == (A + A.T) @ x"),
    ("2*A*x == grad(x'*A*x, x)", {}, "(A + A')*x == grad(x'*A*x, x)"),
    ("grad(tr(A*X*B), X) == A*B", {**AB, "X": "n n"}, "grad(tr(A*X*B), X) == A'*B'"),
    ("grad(np.trace(A @ X @ B), X) == A @ B", {**AB, "X": "n n"}, "grad(np.trace(A @ X @ B), X) == A.T @ B.T"),
    ("grad(a @ X @ b, X) == np.outer(b, a)", {"a": "n", "X": "n n", "b": "n"}, "grad(a @ X @ b, X) == np.outer(a, b)"),
    ("(A*B)' == A'*B'", AB, "(A*B)' == B'*A'"),
    ("A'*B' == (A*B)'", AB, "B'*A' == (A*B)'"),
    ("(A @ B).T == A.T @ B.T", AB, "(A @ B).T == B.T @ A.T"),
    ("inv(A*B) == inv(A)*inv(B)", AB, "inv(A*B) == inv(B)*inv(A)"),
    ("det(c*A) == c*det(A)", {"A": "n n", "c": ""}, "det(c*A) == c^n*det(A)"),
    ("tr(kron(A, A)) == tr(A*A)", {"A": "n n"}, "tr(kron(A, A)) == tr(A)^2"),
    ("jvp(inv(X), X, V) == -inv(X)*V", {"X": "n n", "V": "n n"}, "jvp(inv(X), X, V) == -inv(X)*V*inv(X)"),
    ("hessian(norm2(x), x) == eye(n)/norm2(x)", {"x": "n"}, "hessian(norm2(x), x) == eye(n)/norm2(x) - x*x'/norm2(x)^3"),
    ("grad(sum(log(x)), x) == x", {"x": "n"}, "grad(sum(log(x)), x) == 1./x"),
    ("grad(np.sum(np.log(x)), x) == x", {"x": "n"}, "grad(np.sum(np.log(x)), x) == 1/x"),
    ("jacobian(p, x) == p*p' where p = softmax(x)", {"x": "n"}, "jacobian(p, x) == diag(p) - p*p' where p = softmax(x)"),
    ("vjp(y, x, g) == A*g where y = A*x", {"A": "n n", "x": "n", "g": "n"}, "vjp(y, x, g) == A'*g where y = A*x"),
    (
        "grad(sum(G.*O), S) == P.*D where D = G*V'; O = P*V; P = softmax(S, axis=1); S = Q*K'",
        {"Q": "n d", "K": "m d", "V": "m l", "G": "n l"},
        "grad(sum(G.*O), S) == P.*(G*V' - sum(P.*(G*V'), axis=1)*vector(1)') "
        "where O = P*V; P = softmax(S, axis=1); S = Q*K'",
    ),
    (
        "vjp(Z, X, G) == G / s where Z = X / s; s = np.sqrt((X**2).mean(axis=0) + c)",
        {"X": "b n", "G": "b n", "c": ", positive"},
        "vjp(Z, X, G) == (G - Z*np.mean(Z*G, axis=0))/s where Z = X / s; s = np.sqrt((X**2).mean(axis=0) + c)",
    ),
    ("A*B == B*A", AB, ""),
    ("det(A + B) == det(A) + det(B)", AB, ""),
    ("(A + B)*x == A*x", {**AB, "x": "n"}, ""),
    ("x'*x <= 0", {"x": "n"}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "shapes", "said"), SAID, ids=[c for c, _, _ in SAID])
def test_what_holds_is_said_in_the_notation_of_the_claim(claim: str, shapes: dict[str, str], said: str) -> None:
    verdict = dv.verify(claim, **shapes)
    assert verdict.status == "REFUTED"
    assert verdict.corrected == said
    if said:
        assert dv.verify(said, **(verdict.variables or {})).status == "PROVED"


ERRATA = [e for e in entries() if e.level in ("REFUTED", "CONDITIONAL") and "==" in e.claim][::3]
"""Every third of the catalog's."""


@cache
def said_of(number: int) -> tuple[str, dict[str, Spec]]:
    entry = ERRATA[number]
    claim = understand_claim(entry.statement, {name: spec(axes) for name, axes in entry.variables.items()})
    program = claim.understood.program
    declared = {t.name: Spec(t.shape, t.kind, t.facts, t.bound) for t in program.inputs}
    return corrected(claim, program, lambda text: understand_claim(text, declared)), declared


@pytest.mark.parametrize("number", range(len(ERRATA)), ids=[e.id for e in ERRATA])
def test_corrections_in_the_catalog_are_proved(number: int) -> None:
    """What is not a claim, since the grammar has no words for it, is an equation with one sign."""
    text, declared = said_of(number)
    if " == " not in text:
        pytest.skip("nothing is said, or in matrix notation only")
    again = dv.verify(text, **declared)
    assert again.status == "PROVED", str(again)


def test_most_derivatives_in_the_catalog_are_corrected() -> None:
    names = ("grad(", "jacobian(", "hessian(", "jvp(")
    said = [said_of(n)[0] for n, e in enumerate(ERRATA) if e.claim.startswith(names)]
    assert sum(" == " in text for text in said) >= 0.9 * len(said) > 15


WRITTEN = [
    ("x'*A*y", "x'*A*y", "x @ A @ y"),
    ("x*y'*A", "x*y'*A", "np.outer(x, y) @ A"),
    ("-(A*x)/2 + 3*y", "3*y - A*x/2", "3*y - A @ x/2"),
    ("sum(A.*B)*x", "sum(A.*B)*x", "np.sum(A*B)*x"),
    ("exp(x./(y + 1))", "exp(x./(1 + y))", "np.exp(x/(1 + y))"),
    ("(A + B)'*inv(A)", "(A + B)'*inv(A)", "(A + B).T @ np.linalg.inv(A)"),
    ("x.^2 - 2*sqrt(y)", "x.^2 - 2*sqrt(y)", "x**2 - 2*np.sqrt(y)"),
]


@pytest.mark.parametrize(("formula", "matlab", "numpy"), WRITTEN, ids=[f for f, _, _ in WRITTEN])
def test_a_formula_is_written_as_it_is_read(formula: str, matlab: str, numpy: str) -> None:
    shapes = {name: axes for name, axes in {**AB, "x": "n", "y": "n"}.items() if name in formula}
    program = dv.simplify(dv.parse(formula, **shapes)).program
    assert formula_text(program, columns=True) == matlab
    assert formula_text(program, columns=False) == numpy
    for text in (matlab, numpy):
        assert dv.verify(dv.parse(text, **shapes), dv.parse(formula, **shapes)).status == "PROVED"
