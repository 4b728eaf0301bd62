"""Before a claim about a derivative is refuted, the derivative is confirmed by differences of what it is a derivative of."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.frontends import formula_derivatives
from derive.frontends.claim import understand_claim
from derive.ir.facts import spec
from derive.ir.nodes import Program
from derive.prove.points.second_opinion import NotSurvived, confirmed

DERIVATIVES: list[tuple[str, dict[str, str]]] = [
    ("grad(x'*A*x, x) == x", {"A": "n n", "x": "n"}),
    ("jacobian(exp(A*x), x) == A", {"A": "n n", "x": "n"}),
    ("jacobian(A*X, X) == jacobian(X*A, X)", {"A": "n n", "X": "n n"}),
    ("hessian(exp(a'*x), x) == a*a'", {"a": "n", "x": "n"}),
    ("jvp(inv(X), X, V) == V", {"X": "n n", "V": "n n"}),
    ("vjp(A*x, x, g) == g", {"A": "n n", "x": "n", "g": "n"}),
    ("grad(logdet(X), X, tied=True) == X", {"X": "n n, symmetric"}),
    ("grad(sum(exp(y).*y), y) == y where y = A*x", {"A": "n n", "x": "n"}),
    ("grad(sum(grad(sum(x.^3), x)), x) == x", {"x": "n"}),
]  # fmt: skip
POINT = {
    "A": [[1, 2], [0, 1]], "X": [[2, 1], [1, 3]], "V": [[1, 0], [2, 1]], "x": [1, 2], "a": [1, -1], "g": [2, 1], "y": [1, 1],
}  # fmt: skip


def _point(names: dict[str, str]) -> dict[str, Any]:
    exact = np.frompyfunc(Fraction, 1, 1)
    return {name: exact(np.array(POINT[name])) for name in names}


def _wrong(rule: Callable[..., Program]) -> Callable[..., Program]:
    """A rule of differentiation whose result is twice as large."""

    def doubled(*given: Any) -> Program:
        program = rule(*given)
        outputs = {t.name for t in program.outputs}
        equations = tuple(
            replace(e, body=2 * e.body) if e.target.name in outputs else e for e in program.equations
        )
        return replace(program, equations=equations)

    return doubled


@pytest.mark.parametrize(("claim", "shapes"), DERIVATIVES, ids=[c for c, _ in DERIVATIVES])
def test_what_is_right_survives_and_what_is_wrong_does_not(
    claim: str, shapes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = {name: spec(axes) for name, axes in shapes.items()}
    guards = understand_claim(claim, specs).guards
    assert guards is not None and guards.derivatives
    assert confirmed(guards, _point(shapes)) == ""
    for name in ("vjp", "jvp"):
        monkeypatch.setattr(formula_derivatives, name, _wrong(getattr(formula_derivatives, name)))
    wrong = understand_claim(claim, specs).guards
    assert wrong is not None
    with pytest.raises(NotSurvived, match="does not survive"):
        confirmed(wrong, _point(shapes))


def test_a_wrong_derivative_of_ours_refutes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dv.verify("grad(x'*x, x) == 4*x", x="n").status == "REFUTED"
    monkeypatch.setattr(formula_derivatives, "vjp", _wrong(formula_derivatives.vjp))
    verdict = dv.verify("grad(x'*x, x) == 2*x", x="n")
    assert verdict.status == "UNKNOWN" and "does not survive" in verdict.evidence


@pytest.mark.parametrize(
    ("claim", "shapes"),
    [
        ("grad(log(x), x) == 1/abs(x)", {"x": ""}),  # below 0 there is no logarithm
        ("grad(sum(log(x)), x) == 1./abs(x)", {"x": "n"}),
        ("grad(log(1 - x), x)*abs(1 - x) == -1", {"x": ""}),
    ],
)
def test_points_without_a_derivative_refute_nothing(claim: str, shapes: dict[str, str]) -> None:
    assert dv.verify(claim, **shapes).status != "REFUTED"


def test_a_kink_is_said_and_avoided() -> None:
    only = dv.verify("grad(sum(relu(x)), x) == (x >= 0)", x="n").counterexample
    assert only is not None and "at a kink" in only.evidence
    other = dv.verify("grad(sum(relu(x)), x) == 2*(x >= 0)", x="n").counterexample
    assert other is not None and other.evidence == "exact"


def test_a_saved_counterexample_needs_a_derivative_as_well() -> None:
    text = dv.verify("grad(log(x), x) == 2/x", x="").to_json()
    assert dv.recheck(text).confirmed
    outside = text.replace('"x": ""', '"x": ""').replace("== 2/x", "== 1/abs(x)")
    assert not dv.recheck(outside).confirmed
