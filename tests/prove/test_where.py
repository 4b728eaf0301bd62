"""Definitions in claims: in any order, checked, and what one can differentiate by."""

import numpy as np
import pytest

import derive as dv
from derive.errors import ParseError, ShapeError
from derive.frontends.claim import understand_claim

ATTENTION = {"Q": "n d", "K": "m d", "V": "m l", "G": "n l"}
FORWARD = ["S = Q*K'/sqrt(d)", "P = softmax(S, axis=1)", "O = P*V"]
SCORES = "P.*(gP - sum(gP.*P, axis=1)*vector(1)')"

TRUE: list[tuple[str, dict[str, str]]] = [
    ("a == x'*x where a = sum(x.^2)", {"x": "n"}),
    ("y == 2*x where y = z + x; z = x", {"x": "n"}),
    ("grad(sum(y.^2), y) == 2*y where y = A*x", {"A": "m n", "x": "n"}),
    ("grad(sum(y.^2), x) == 2*A'*y where y = A*x", {"A": "m n", "x": "n"}),
    ("grad(x'*y, y) == x where y = A*x", {"A": "n n", "x": "n"}),  # x itself is held fixed
    ("grad(x'*y, x) == (A + A')*x where y = A*x", {"A": "n n", "x": "n"}),
    ("hessian(sum(y.^3), y) == 6*diag(y) where y = A*x", {"A": "m n", "x": "n"}),
    ("jacobian(tanh(y), y) == diag(1 - h.^2) where h = tanh(y); y = A*x", {"A": "m n", "x": "n"}),
    ("jacobian(h, x) == jacobian(h, y)*jacobian(y, x) where h = tanh(y); y = A*x", {"A": "m n", "x": "n"}),
    ("jvp(h, y, A*v) == jvp(h, x, v) where h = tanh(y); y = A*x", {"A": "m n", "x": "n", "v": "n"}),
    ("vjp(h, x, g) == A'*vjp(h, y, g) where h = tanh(y); y = A*x", {"A": "m n", "x": "n", "g": "m"}),
    ("vjp(f, x, g) == grad(sum(g.*f), x) where f = exp(A*x)", {"A": "m n", "x": "n", "g": "m"}),
    ("vjp(x @ W, W, g) == np.einsum('btn,btm->nm', x, g)", {"x": "b t n", "W": "n m", "g": "b t m"}),
    ("grad(sum(s.^2), s) == 2*s where s = x'*A", {"A": "m n", "x": "m"}),  # a row, as s is
    ("grad(sum(s.*X), s) == X where s = X", {"X": "m n"}),  # another name, and another variable
    (f"grad(sum(G.*O), S) == {SCORES} where gP = G*V'; {'; '.join(reversed(FORWARD))}", ATTENTION),
    (f"vjp(O, Q, G) == {SCORES}*K/sqrt(d) where gP = G*V'\n {chr(10).join(FORWARD)}", ATTENTION),
    ("h2 == tanh(a*tanh(a*x)) where h1 = tanh(a*x)\n h2 = tanh(\n  a*h1)", {"x": "n", "a": ""}),
    ("sum(where(x > 0, x, y)) == sum(where(x > 0, x, 2*x)) where y = 2*x", {"x": "n"}),
    ("n*y == sum(x) where y = mean(x)", {"x": "n"}),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "shapes"), TRUE, ids=[c for c, _ in TRUE])
def test_proved(claim: str, shapes: dict[str, str]) -> None:
    verdict = dv.verify(claim, **shapes)
    assert (verdict.status, verdict.level) == ("PROVED", "all sizes"), str(verdict)
    again = dv.verify(verdict.claim, **(verdict.variables or {}))
    assert (again.status, again.claim) == (verdict.status, verdict.claim)


FALSE: list[tuple[str, dict[str, str]]] = [
    ("grad(x'*y, y) == (A + A')*x where y = A*x", {"A": "n n", "x": "n"}),
    ("grad(x'*y, x) == y where y = A*x", {"A": "n n", "x": "n"}),
    ("grad(sum(s.*X), s) == 2*X where s = X", {"X": "m n"}),
    ("jvp(h, y, v) == jvp(h, x, v) where h = tanh(y); y = A*x", {"A": "n n", "x": "n", "v": "n"}),
    ("vjp(A*x, x, g) == A*g", {"A": "n n", "x": "n", "g": "n"}),
    (f"grad(sum(G.*O), S) == P.*gP where gP = G*V'; {'; '.join(FORWARD)}", ATTENTION),
]


@pytest.mark.parametrize(("claim", "shapes"), FALSE, ids=[c for c, _ in FALSE])
def test_refuted(claim: str, shapes: dict[str, str]) -> None:
    assert dv.verify(claim, **shapes).status == "REFUTED"


def test_by_what_is_defined_it_is_what_torch_retains() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    text = f"grad(sum(G.*tanh(O)) + sum(S.^3), S) where {'; '.join(FORWARD)}"
    function = dv.parse(text, **ATTENTION)
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=shape) for name, shape in zip("QKVG", [(3, 2), (4, 2), (4, 5), (3, 5)], strict=True)}
    q, k, v, g = (torch.tensor(a, requires_grad=True) for a in arrays.values())
    scores = q @ k.T / 2**0.5
    scores.retain_grad()
    loss = (g * torch.tanh(torch.softmax(scores, 1) @ v)).sum() + (scores**3).sum()
    loss.backward()
    np.testing.assert_allclose(function(**{name: arrays[name] for name in function.inputs}), scores.grad, rtol=1e-12)


def test_what_holds_is_said_with_the_names_that_were_defined() -> None:
    verdict = dv.verify("grad(sum(exp(y).*y), x) == A*exp(y) where y = A*x", A="n n", x="n")
    assert verdict.corrected == "grad(sum(exp(y).*y), x) == A'*(exp(y).*(1 + y)) where y = A*x"


def test_the_claim_is_kept_with_what_it_defines() -> None:
    claim = understand_claim("(a)*(x) == (b)\nwhere\n b =\n (a)*(x)\n", {})
    assert str(claim) == "(a)*(x) == (b) where b = (a)*(x)"


# -- bad input


@pytest.mark.parametrize(
    ("claim", "character", "words"),
    [
        ("a == b where a = b; b = a", 14, r"a is defined by itself \(a -> b -> a\)"),
        ("a == x where a = a + x", 14, r"a is defined by itself \(a -> a\)"),
        ("a == x where a = x; a = 2*x", 21, "a is defined a second time.*character 14"),
        ("a == x where a = x; b = x", 21, "b is defined and never used"),
        ("a == x where a = x; b = c; c = x", 21, "b is defined and never used"),
        ("a == x where a = x; x = 3", 21, "x is defined but is declared as a variable"),
        ("a == x where a = x; n = 3", 21, "n is defined but is the size of an axis"),
        ("mean == x where mean = x", 17, "mean is defined but is a function"),
        ("pi == x where pi = x", 15, "pi is defined but is a constant"),
        ("np == x where np = x", 15, "np is defined but is a module"),
        ("grad(sum(exp(x)), y) == y where y = exp(x)", 19, "does not use y"),
        ("grad(sum(x), 2*y) == y where y = exp(x)", 14, "write its name"),
        ("a == x; a = x", 7, "definitions come after the word where"),
        ("a == x where a = x, b = x", 19, "expected ';'"),
        ("a == x where a + x", 16, "expected '='"),
        ("a == x where", 13, "expected a name"),
        ("a == x where 2 = a", 14, "expected a name"),
        ("a == x where a' = x", 15, "expected '='"),
        ("x where a = x", 1, "a relation between two formulas"),
        ("a(2) == x where a = x", 1, "a is an array, not a function"),
    ],
)
def test_what_is_wrong_and_where(claim: str, character: int, words: str) -> None:
    with pytest.raises(ParseError, match=words) as caught:
        dv.verify(claim, x="n")
    line, carets = str(caught.value).split("\n")[-2:]
    assert line == f"  {claim}" and carets.index("^") - 1 == character


def test_too_many() -> None:
    many = "; ".join(f"a{k} = a{k + 1}" for k in range(100))
    assert dv.verify(f"a0 == x where {many}; a100 = x".replace("a99 = a100; ", "").replace("a100", "a99"), x="n").status
    with pytest.raises(ParseError, match="more than 100 definitions"):
        dv.verify(f"a0 == x where {many}; a100 = x", x="n")


def test_numbers_cannot_grow_through_definitions() -> None:
    with pytest.raises(ParseError, match="too large"):
        dv.verify("x*d == x where a = 9^9; b = a^a; c = b^b; d = c^c", x="n")


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("vjp(A*x, x, x) == x", "the cotangent"),
        ("vjp(A*x, x, A) == x", "the cotangent has 2 axes, and should have 1"),
        ("jvp(A*x, x, 1) == x", "the direction has 0 axes, and should have 1"),
    ],
)
def test_a_cotangent_has_the_shape_of_the_function(claim: str, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        dv.verify(claim, A="m n", x="n")


# -- shapes that are sums of sizes


def test_sizes_at_which_an_array_has_no_shape_are_left_out() -> None:
    verdict = dv.verify("vjp(np.correlate(x, w, 'valid'), x, g) == np.correlate(g, w, 'full')", x="n", w="k")
    assert verdict.status == "REFUTED" and verdict.counterexample is not None
    sizes = verdict.counterexample.sizes
    assert sizes["n"] >= sizes["k"]


def test_an_axis_that_is_a_sum_is_declared_again() -> None:
    verdict = dv.verify("vjp(np.pad(x, (1, 2)), x, g) == g[:-3]", x="n", g="n+3")
    assert verdict.status == "REFUTED" and verdict.variables == {"x": "n", "g": "n+3"}
    assert dv.verify(verdict.claim, **verdict.variables).status == "REFUTED"
