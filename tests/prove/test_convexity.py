"""Convexity: proved by rules and second derivatives, refuted on a chord, and never claimed across a kink or a gap."""

from __future__ import annotations

import re

import numpy as np
import pytest

import derive as dv
from derive.deadline import within
from derive.errors import DomainError, ParseError
from derive.frontends.claim import understand_claim
from derive.ir.facts import spec
from derive.prove.inequality.convexity import curved, on_chords
from derive.prove.verify import verify_text

PATIENCE = 2.0
"""Seconds for a proof that should not be found; those of true claims take less."""
PD = "n n, positive definite"
FACTORS = {"Y": "n m", "U": "n k", "V": "m k"}
TRUE: list[tuple[str, dict[str, str]]] = [
    ("convex(x'*A*x, x)", {"A": PD}),
    ("convex(norm2(X*w - y)^2, w)", {}),
    ("convex(mean((X*w - y).^2), w)", {"X": "n m", "y": "n"}),
    ("convex(norm2(X*w - y)^2/2 + c*w'*w, w)", {"c": ", positive"}),
    ("convex(norm2(X*w - y)^2 + c*sum(abs(w)), w)", {"c": ", positive"}),
    ("convex(log(sum(exp(x))), x)", {"x": "n"}),
    ("convex(log(sum(exp(z))) - y'*z, z)", {}),
    ("convex(sum(log(sum(exp(X*W), axis=1))) - tr(Y'*X*W), W)", {}),
    ("convex(sum(log(1 + exp(-y.*(X*w)))), w)", {}),
    ("convex(sum(exp(X*w) - y.*(X*w)), w)", {}),
    ("convex(sum(max(0, 1 - y.*(X*w))) + w'*w, w)", {}),
    ("convex(sum(max(0, 1 - y.*(X*w)).^2), w)", {}),
    ("convex(norm2(A*x - b), x)", {"A": "m n", "b": "m"}),
    ("convex(max(A*x + b), x)", {"A": "m n", "b": "m"}),
    ("convex(exp(x'*x), x)", {}),
    ("convex(sqrt(1 + x'*x), x)", {}),
    ("convex(sum(sqrt(1 + (A*x - b).^2)), x)", {"A": "m n", "b": "m"}),
    ("convex(a^4, a)", {}),
    ("convex(1/a, a)", {"a": ", positive"}),
    ("convex(x'*x/t, x, t)", {"t": ", positive"}),
    ("convex(norm2(Y - U*V')^2, U)", FACTORS),
    ("convex(-logdet(A), A)", {"A": PD}),
    ("convex(tr(inv(A)), A)", {"A": PD}),
    ("convex(a'*inv(A)*a, A)", {"A": PD, "a": "n"}),
    ("convex(sum(p.*log(p./q)), p, q)", {"p": "n, simplex", "q": "n, simplex"}),
    ("concave(-sum(p.*log(p)), p)", {"p": "n, simplex"}),
    ("concave(sum(log(x)), x)", {"x": "n"}),
    ("concave(sum(sqrt(x)), x)", {"x": "n"}),
    ("concave(min(x), x)", {"x": "n"}),
    ("concave(x'*a + sum(x), x)", {"a": "n"}),
]


@pytest.mark.parametrize(("claim", "shapes"), TRUE, ids=[c for c, _ in TRUE])
def test_true_for_all_sizes(claim: str, shapes: dict[str, str]) -> None:
    verdict = dv.verify(claim, **shapes)
    assert (verdict.status, verdict.level) == ("PROVED", "all sizes"), str(verdict)
    assert verdict.evidence


FALSE: list[tuple[str, dict[str, str]]] = [
    ("convex(x'*A*x, x)", {}),
    ("convex(a^3, a)", {}),
    ("convex(1/a, a)", {}),
    ("convex(1/a^2, a)", {}),
    ("convex(log(a^2), a)", {}),
    ("concave(log(a^2), a)", {}),
    ("convex(-abs(a), a)", {}),
    ("convex(min(a, 1), a)", {}),
    ("convex(abs(abs(a) - 1), a)", {}),
    ("convex(max(a, 0) - 2*max(a - 1, 0), a)", {}),
    ("convex(a*b, a, b)", {}),
    ("convex(tanh(a), a)", {}),
    ("convex(sigmoid(a), a)", {}),
    ("convex(sqrt(x'*A*x), x)", {"A": "n n, symmetric"}),
    ("convex(norm2(x)^2 - 2*norm2(x), x)", {"x": "n"}),
    ("convex(log(1 + x'*x), x)", {"x": "n"}),
    ("convex(sqrt(1 + x'*x) - norm2(x), x)", {"x": "n"}),
    ("convex(sqrt(a*b), a, b)", {"a": ", positive", "b": ", positive"}),
    ("convex(sqrt(a + b), a, b)", {"a": ", positive", "b": ", positive"}),
    ("convex(sqrt(x'*M*x), x)", {"x": "n, positive", "M": "n n, positive"}),
    ("convex(sqrt(x'*x + (x'*x)^2/4) - x'*x, x)", {"x": "n"}),
    ("convex(exp(-x'*x), x)", {"x": "n"}),
    ("convex(norm2(Y - U*V')^2, U, V)", FACTORS),
    ("convex(norm2(y - W2*tanh(W1*x))^2, W1, W2)", {"y": "m", "W2": "m k", "W1": "k n", "x": "n"}),
    ("convex(norm2(y - V*max(0, U*x))^2, U)", {"y": "m", "V": "m k", "U": "k n", "x": "n"}),
    ("convex(where(a < 0, 0, 1), a)", {}),
    ("convex(where(abs(a) <= 1, a^2/2, 2*abs(a) - 3/2 - (abs(a) - 1)^2), a)", {}),
    ("convex(where(abs(a) <= 1, a^2, abs(a)/2), a)", {}),
    ("convex(x'*x + c*sum(abs(x)), x)", {"x": "n"}),
    ("convex(det(A), A)", {"A": PD}),
    ("concave(logdet(A) + tr(A*A), A)", {"A": PD}),
    ("convex(log(sum(exp(x))), x) ".replace("convex", "concave"), {"x": "n"}),
]


@pytest.mark.parametrize(("claim", "shapes"), FALSE, ids=[c for c, _ in FALSE])
def test_false_on_a_chord_and_without_a_proof(claim: str, shapes: dict[str, str]) -> None:
    specs = {n: spec(s) for n, s in shapes.items()}
    verdict = verify_text(claim, specs, explained=False)
    assert verdict.status == "REFUTED" and verdict.counterexample is not None, str(verdict)
    understood = understand_claim(claim, specs)
    program = understood.understood.program
    variables = [t for t in program.inputs if t.name in understood.wrt]
    with within(PATIENCE):
        assert not curved(program, understood.relation, variables)


@pytest.mark.parametrize(("claim", "shapes"), TRUE, ids=[c for c, _ in TRUE])
def test_the_opposite_is_not_proved(claim: str, shapes: dict[str, str]) -> None:
    turned = claim.replace("convex(", "CC(").replace("concave(", "convex(").replace("CC(", "concave(")
    understood = understand_claim(turned, {n: spec(s) for n, s in shapes.items()})
    program = understood.understood.program
    variables = [t for t in program.inputs if t.name in understood.wrt]
    affine = claim == "concave(x'*a + sum(x), x)"
    with within(PATIENCE):
        assert bool(curved(program, understood.relation, variables)) == affine


@pytest.mark.parametrize(("claim", "shapes"), TRUE, ids=[c for c, _ in TRUE])
def test_no_mutant_that_is_false_somewhere_is_proved(claim: str, shapes: dict[str, str]) -> None:
    for old, new in ((" + ", " - "), (" - ", " + "), ("^2", "^3"), ("exp(", "tanh("), ("log(", "sin("), ("max(", "min("), ("'*", "'*(-1)*")):
        for mutant in {claim.replace(old, new, 1), new.join(claim.rsplit(old, 1))} - {claim}:
            try:
                understood = understand_claim(mutant, {n: spec(s) for n, s in shapes.items()})
            except ParseError:
                continue
            program = understood.understood.program
            variables = [t for t in program.inputs if t.name in understood.wrt]
            if understood.wrt and _false_on_a_chord(program, understood.relation, variables):
                with within(PATIENCE):
                    assert not curved(program, understood.relation, variables), mutant


def _false_on_a_chord(program, kind, variables) -> bool:  # type: ignore[no-untyped-def]
    """By floating point at random points, apart from everything that the verifier draws."""
    from derive.ir.evaluate import evaluate
    from derive.verify.sample import plan_sizes, sample_inputs

    chord = on_chords(program, variables)
    rng = np.random.default_rng(6)
    for sizes in plan_sizes(chord, 6):
        for scale in (0.3, 1.5, 6.0):
            with np.errstate(all="ignore"):
                values = evaluate(chord, sample_inputs(chord, sizes, rng, (-scale, scale)))
            middle, mean = (float(np.asarray(values[t.name])) for t in chord.outputs)
            excess = middle - mean if kind == "convex" else mean - middle
            if excess > 1e-8 * (1 + abs(middle) + abs(mean)):
                return True
    return False


def test_the_counterexample_is_one() -> None:
    found = dv.verify("convex(a^3, a)").counterexample
    assert found is not None
    ends = [float(found.arrays[name]) for name in ("a_1", "a_2")]
    assert np.mean(ends) ** 3 > np.mean([e**3 for e in ends])


def test_the_second_derivative_in_the_evidence_is_the_hessian_form() -> None:
    """The line of the evidence, read again as numbers, beside a finite difference of the function."""
    verdict = dv.verify("convex(log(sum(exp(x))), x)", x="n")
    assert "dx[i]^2 exp(x[i])" in verdict.evidence and "= 1/2 sum_i,j" in verdict.evidence
    rng = np.random.default_rng(2)
    x, dx, h = rng.normal(size=5), rng.normal(size=5), 1e-4
    f = lambda t: np.log(np.sum(np.exp(x + t * dx)))  # noqa: E731
    difference = (f(h) - 2 * f(0) + f(-h)) / h**2
    p, total = np.exp(x), np.exp(x).sum()
    square = sum(p[i] * p[j] * (dx[i] / total - dx[j] / total) ** 2 for i in range(5) for j in range(5)) / 2
    assert np.isclose(square, difference, rtol=1e-5)


def test_what_is_not_proved_is_tested_and_says_so() -> None:
    verdict = dv.verify("convex(sum(huber(1, X*w - y)), w)")
    assert verdict.status in ("TESTED", "PROVED")
    if verdict.status == "TESTED":
        assert "chords" in verdict.level and "no proof" in verdict.evidence


def test_kinks_are_not_passed_over() -> None:
    """The second derivative of a broken line is 0 wherever it exists."""
    for claim in ("concave(sum(abs(x)), x)", "concave(max(x), x)", "convex(sum(sign(x)), x)", "concave(sum(huber(1, x)), x)"):
        assert dv.verify(claim, x="n").status == "REFUTED"


@pytest.mark.parametrize(
    ("claim", "shapes", "error", "words"),
    [
        ("convex(x'*x)", {}, ParseError, "takes a function and its variables"),
        ("convex(x'*x, 2*x)", {}, ParseError, "write their names"),
        ("convex(x'*x, y)", {}, ParseError, "y is no variable of the function"),
        ("convex(A*x, x)", {"A": "m n", "x": "n"}, ParseError, "should be a number|needs a scalar"),
        ("convex(tr(Q), Q)", {"Q": "n n, orthogonal"}, DomainError, "declared 'invertible'|declared 'orthogonal'"),
        ("convex(sum(k), k)", {"k": "n, integer < m"}, DomainError, "k is integer"),
    ],
)
def test_no_claim(claim: str, shapes: dict[str, str], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as raised:
        dv.verify(claim, **shapes)
    assert re.search(words, str(raised.value))
