"""Inequalities: what is true is proved for all sizes, what is false is refuted, and no false one near a true one is proved."""

from __future__ import annotations

import itertools
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

import derive as dv
from derive.deadline import within
from derive.errors import ParseError
from derive.frontends.claim import understand_claim
from derive.ir.facts import spec
from derive.ir.nodes import NAMES, Bracket, Index, Program, Read
from derive.prove.forms.atoms import Applied, Grow, Total
from derive.prove.forms.polynomial import Polynomial
from derive.prove.inequality.certificate import certificate, exactly
from derive.prove.inequality.completed import completed_squares
from derive.prove.inequality.decide import proved_inequality
from derive.prove.inequality.forms import Forms
from derive.prove.inequality.goal import Goal, Known
from derive.prove.inequality.lemmas import LEMMAS
from derive.prove.inequality.scene import scenes
from derive.prove.inequality.search import extreme
from derive.prove.inequality.signs import Signs
from derive.prove.verify import verify_text

PATIENCE = 2.0
"""Seconds for a proof that should not be found; those of true claims take less."""
PD = "n n, positive definite"
WEIGHTS = "n, simplex"
TRUE: list[tuple[str, dict[str, str]]] = [
    # squares
    ("x'*x >= 0", {}),
    ("0 <= x'*A'*A*x", {}),
    ("2*a*b <= a^2 + b^2", {}),
    ("12*a*b <= 4*a^2 + 9*b^2", {}),
    ("(a - d)^2 + 4*b^2 >= 0", {}),
    ("a*b + b*c + c*a <= a^2 + b^2 + c^2", {}),
    ("sqrt(a*b) <= (a + b)/2", {"a": ", positive", "b": ", positive"}),
    ("norm2(X*w - y)^2 + 3*w'*w >= 0", {}),
    ("mean(x)^2 <= mean(x.^2)", {"x": "n"}),
    ("x'*x + 1 > 0", {}),
    # Cauchy-Schwarz and norms
    ("(x'*y)^2 <= (x'*x)*(y'*y)", {}),
    ("abs(x'*y) <= norm2(x)*norm2(y)", {}),
    ("x'*y/(norm2(x)*norm2(y)) <= 1", {}),
    ("-1 <= x'*y/(norm2(x)*norm2(y))", {}),
    ("g'*d/norm2(d) <= g'*g/norm2(g)", {"g": "n", "d": "n"}),
    ("tr(A'*B)^2 <= tr(A'*A)*tr(B'*B)", {"A": "n m", "B": "n m"}),
    ("norm2(A*B) <= norm2(A)*norm2(B)", {"A": "n m", "B": "m k"}),
    ("norm2(A*x) <= norm2(A)*norm2(x)", {"A": "n m", "x": "m"}),
    ("norm2(x + y) <= norm2(x) + norm2(y)", {}),
    ("norm2(A + B) <= norm2(A) + norm2(B)", {"A": "n m", "B": "n m"}),
    ("max(abs(x)) <= norm2(x)", {"x": "n"}),
    ("norm2(x) <= sum(abs(x))", {"x": "n"}),
    ("sum(abs(x)) <= sqrt(n)*norm2(x)", {"x": "n"}),
    ("norm2(x) <= sqrt(n)*max(abs(x))", {"x": "n"}),
    ("n^2/sum(1./x) <= sum(x)", {"x": "n, positive"}),
    # definite matrices
    ("x'*A*x >= 0", {"A": "n n, positive semidefinite"}),
    ("x'*inv(A)*x >= 0", {"A": PD}),
    ("2*x'*A*y <= x'*A*x + y'*A*y", {"A": PD}),
    ("(x'*A*y)^2 <= (x'*A*x)*(y'*A*y)", {"A": PD}),
    ("tr(A*B) >= 0", {"A": PD, "B": "n n, positive semidefinite"}),
    ("det(A) > 0", {"A": PD}),
    # kinks
    ("abs(a + b) <= abs(a) + abs(b)", {}),
    ("abs(sum(x)) <= sum(abs(x))", {}),
    ("sum(abs(x + y)) <= sum(abs(x)) + sum(abs(y))", {"x": "n", "y": "n"}),
    ("mean(x) <= max(x)", {"x": "n"}),
    ("p'*x <= max(x)", {"p": WEIGHTS, "x": "n"}),
    # exponentials and logarithms
    ("1 + x <= exp(x)", {"x": "n"}),
    ("log(a) <= a - 1", {}),
    ("max(0, x) <= log(1 + exp(x))", {"x": ""}),
    ("max(x) <= log(sum(exp(x)))", {"x": "n"}),
    ("log(sum(exp(x))) <= max(x) + log(n)", {"x": "n"}),
    ("0 < sigmoid(x)", {"x": "n"}),
    ("sigmoid(x) < 1", {"x": "n"}),
    ("-1 < tanh(x)", {"x": "n"}),
    ("tanh(x) < 1", {"x": "n"}),
    ("exp(x)/sum(exp(x)) <= 1", {"x": "n"}),
    ("exp(x)/sum(exp(x)) > 0", {"x": "n"}),
    ("sigmoid(x).*(1 - sigmoid(x)) <= 1/4", {"x": "n"}),
    ("p <= 1", {"p": WEIGHTS}),
    # Jensen and Gibbs
    ("exp(p'*x) <= p'*exp(x)", {"x": "n", "p": WEIGHTS}),
    ("p'*log(x) <= log(p'*x)", {"x": "n, positive", "p": WEIGHTS}),
    ("p'*sqrt(x) <= sqrt(p'*x)", {"x": "n, positive", "p": WEIGHTS}),
    ("1/(p'*x) <= p'*(1./x)", {"x": "n, positive", "p": WEIGHTS}),
    ("(p'*x)^2 <= p'*x.^2", {"x": "n", "p": WEIGHTS}),
    ("sum(p.*log(p./q)) >= 0", {"p": WEIGHTS, "q": WEIGHTS}),
    ("-sum(p.*log(p)) <= log(n)", {"p": WEIGHTS}),
    ("-sum(p.*log(p)) <= -sum(p.*log(q))", {"p": WEIGHTS, "q": WEIGHTS}),
    ("-sum(p.*log(p)) >= 0", {"p": WEIGHTS}),
    ("sum(a.*log(a./b)) >= sum(a)*log(sum(a)/sum(b))", {"a": "n, positive", "b": "n, positive"}),
    ("sum(p.*log(2*p./(p + q)))/2 + sum(q.*log(2*q./(p + q)))/2 >= 0", {"p": WEIGHTS, "q": WEIGHTS}),
    ("sum(p.*log(2*p./(p + q)))/2 + sum(q.*log(2*q./(p + q)))/2 <= log(2)", {"p": WEIGHTS, "q": WEIGHTS}),
    ("sum(q.*log(j./q)) <= log(sum(j))", {"q": WEIGHTS, "j": "n, positive"}),
    ("p'*z - sum(p.*log(p)) <= log(sum(exp(z)))", {"p": WEIGHTS, "z": "n"}),
    ("log(sum(p.^2./q)) >= sum(p.*log(p./q))", {"p": WEIGHTS, "q": WEIGHTS}),
    ("q'*(p./q).^2 >= 1", {"p": WEIGHTS, "q": "n, simplex, positive"}),
    ("exp(p'*log(x)) <= p'*x", {"p": WEIGHTS, "x": "n, positive"}),
    ("norm1(p - q) <= 2", {"p": WEIGHTS, "q": WEIGHTS}),
    ("sum((sqrt(p) - sqrt(q)).^2) <= norm1(p - q)", {"p": WEIGHTS, "q": WEIGHTS}),
    ("p'*(x >= c) <= exp(-t*c)*(p'*exp(t*x))", {"p": WEIGHTS, "x": "n", "c": "", "t": ", positive"}),
    ("c*log(sum(exp(x/c))) <= max(x) + c*log(n)", {"x": "n", "c": ", positive"}),
    ("log(1 + exp(x)) <= max(x, 0) + log(2)", {"x": ""}),
    ("x*y <= exp(x) + y*log(y) - y", {"x": "", "y": ", positive"}),
    ("tr(A)^2 <= n*tr(A'*A)", {"A": "n n"}),
    ("p'*x > 0", {"p": WEIGHTS, "x": "n, positive"}),
    ("x'*y <= x'*A*x/2 + y'*inv(A)*y/2", {"x": "n", "y": "n", "A": PD}),
    ("tr(A*B*A*B) >= 0", {"A": PD, "B": "n n, symmetric"}),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "shapes"), TRUE, ids=[c for c, _ in TRUE])
def test_true_for_all_sizes(claim: str, shapes: dict[str, str]) -> None:
    verdict = dv.verify(claim, **shapes)
    assert (verdict.status, verdict.level) == ("PROVED", "all sizes"), str(verdict)
    assert verdict.evidence


FALSE: list[tuple[str, dict[str, str]]] = [
    ("x'*x > 0", {}),
    ("x'*A*x >= 0", {"A": "n n, symmetric"}),
    ("x'*A*x > 0", {"A": PD}),
    ("3*a*b <= a^2 + b^2", {}),
    ("13*a*b <= 4*a^2 + 9*b^2", {}),
    ("sqrt(a*b) < (a + b)/2", {"a": ", positive", "b": ", positive"}),
    ("mean(x)^2 < mean(x.^2)", {"x": "n"}),
    ("sum(x)^2 <= sum(x.^2)", {"x": "n"}),
    ("(x'*y)^2 < (x'*x)*(y'*y)", {}),
    ("abs(x'*y) <= norm2(x)*norm2(y)*99/100", {}),
    ("norm2(x + y) <= norm2(x) + norm2(y)/2", {}),
    ("norm2(x) <= max(abs(x))", {"x": "n"}),
    ("sum(abs(x)) <= norm2(x)", {"x": "n"}),
    ("norm2(x) <= sqrt(n)*max(x)", {"x": "n"}),
    ("abs(a + b) <= abs(a) + b", {}),
    ("abs(sum(x)) >= sum(abs(x))", {}),
    ("1 + x < exp(x)", {"x": "n"}),
    ("1 + 11*x/10 <= exp(x)", {"x": "n"}),
    ("log(a) <= a - 11/10", {}),
    ("max(x) >= log(sum(exp(x)))", {"x": "n"}),
    ("log(sum(exp(x))) <= max(x) + log(n)/2", {"x": "n"}),
    ("exp(x)/sum(exp(x)) < 1", {"x": "n"}),
    ("sigmoid(x).*(1 - sigmoid(x)) < 1/4", {"x": "n"}),
    ("sigmoid(x).*(1 - sigmoid(x)) <= 24/100", {"x": "n"}),
    ("p < 1", {"p": WEIGHTS}),
    ("exp(p'*x) >= p'*exp(x)", {"x": "n", "p": WEIGHTS}),
    ("exp(p'*x) <= p'*exp(x)", {"x": "n", "p": "n, positive"}),
    ("sum(p.*log(p./q)) > 0", {"p": WEIGHTS, "q": WEIGHTS}),
    ("sum(p.*log(p./q)) >= 0", {"p": WEIGHTS, "q": "n, positive"}),
    ("-sum(p.*log(p)) <= log(n)/2", {"p": WEIGHTS}),
    ("-sum(p.*log(p)) < log(n)", {"p": WEIGHTS}),
    ("-sum(p.*log(q)) <= -sum(p.*log(p))", {"p": WEIGHTS, "q": WEIGHTS}),
    ("tr(A*B) >= 0", {"A": PD, "B": "n n, symmetric"}),
    ("tr(A*B) > 0", {"A": PD, "B": "n n, positive semidefinite"}),
    ("det(A) >= 0", {"A": "n n, symmetric"}),
    ("det(A) >= 1", {"A": PD}),
    ("-sum(p.*log(p)) >= 1/100", {"p": WEIGHTS}),
    ("sum(a.*log(a./b)) > sum(a)*log(sum(a)/sum(b))", {"a": "n, positive", "b": "n, positive"}),
    ("sum(p.*log(2*p./(p + q)))/2 + sum(q.*log(2*q./(p + q)))/2 <= log(2)/2", {"p": WEIGHTS, "q": WEIGHTS}),
    ("sum(q.*log(j./q)) <= log(sum(j))", {"q": "n, positive", "j": "n, positive"}),
    ("norm1(p - q) <= 19/10", {"p": WEIGHTS, "q": WEIGHTS}),
    ("p'*(x >= c) <= exp(-t*c)*(p'*exp(t*x))", {"p": WEIGHTS, "x": "n", "c": "", "t": ""}),
    ("c*log(sum(exp(x/c))) <= max(x) + c*log(n)/2", {"x": "n", "c": ", positive"}),
    ("p'*x > 0", {"p": WEIGHTS, "x": "n, nonnegative"}),
    ("log(1 + exp(x)) <= max(x, 0) + log(2)/2", {"x": ""}),
    ("tr(A)^2 <= tr(A'*A)", {"A": "n n"}),
    ("x'*y <= x'*A*x/2 + y'*A*y/2", {"x": "n", "y": "n", "A": PD}),
    ("tr(A*B*A*B) >= 0", {"A": "n n, symmetric", "B": "n n, symmetric"}),
    ("tr(A*B*A*B) >= 0", {"A": "n n, positive definite", "B": "n n"}),
    ("x'*x + exp(c)*x'*x > 0", {"x": "n", "c": ""}),
    ("sum(exp(x[1:]) - x[1:]) > 0", {"x": "n"}),
    ("sum(x[1:]) > -1", {"x": "n"}),
    ("sum(x[1:]) > 0", {"x": "n, positive"}),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "shapes"), FALSE, ids=[c for c, _ in FALSE])
def test_false_with_a_counterexample_and_without_a_proof(claim: str, shapes: dict[str, str]) -> None:
    specs = {n: spec(s) for n, s in shapes.items()}
    verdict = verify_text(claim, specs, explained=False)
    assert verdict.status == "REFUTED" and verdict.counterexample is not None, str(verdict)
    understood = understand_claim(claim, specs)
    with within(PATIENCE):
        assert proved_inequality(understood.understood.program, understood.relation) is None


def mutants(claim: str) -> list[str]:
    """The relation strict or turned round, a number or a factor changed, a function exchanged."""
    found = [claim.replace(" <= ", " + 1/50 <= "), claim.replace(" >= ", " - 1/50 >= ")]
    found += [claim.replace("<=", ">="), claim.replace(">=", "<="), claim.replace("<=", "<"), claim.replace(">=", ">")]
    for old, new in (("^2", "^3"), ("exp(", "abs("), ("log(", "exp("), ("abs(", "("), ("norm2(", "sum("), ("max(", "mean("),
                     ("sqrt(", "("), ("sum(", "mean("), ("+", "-"), ("-", "+"), ("2*", "5*"), ("1/4", "1/5"), ("'*", "'*2*")):  # fmt: skip
        found += [claim.replace(old, new, 1), new.join(claim.rsplit(old, 1))]
    return [m for m in dict.fromkeys(found) if m != claim]


MOST_MUTANTS = 12
"""False ones for each claim with ``--mutants all``, else one for every third: a search that fails is long."""
FACTS = (", positive definite", ", positive semidefinite", ", simplex", ", positive")


@pytest.mark.parametrize(("claim", "shapes"), TRUE, ids=[c for c, _ in TRUE])
def test_no_false_mutant_is_proved(claim: str, shapes: dict[str, str], pytestconfig: pytest.Config) -> None:
    some = pytestconfig.getoption("--mutants") == "some"
    if some and TRUE.index((claim, shapes)) % 3:
        pytest.skip("with --mutants all")
    most = 1 if some else MOST_MUTANTS
    declared = [shapes, *({n: s.replace(f, "") for n, s in shapes.items()} for f in FACTS)]
    cases = [(m, shapes) for m in mutants(claim)] + [(claim, d) for d in declared[1:] if d != shapes]
    tried = 0
    for mutant, own in cases:
        if tried == most:
            break
        try:
            understood = understand_claim(mutant, {n: spec(s) for n, s in own.items()})
        except ParseError:
            continue
        program, relation = understood.understood.program, understood.relation
        if relation != "==" and _false_somewhere(program, relation):
            tried += 1
            with within(PATIENCE):
                assert proved_inequality(program, relation) is None, f"{mutant} {own}"


def _false_somewhere(program: Program, relation: str) -> bool:
    """By floating point at random points, apart from everything that the verifier draws."""
    from derive.ir.evaluate import evaluate
    from derive.verify.sample import plan_sizes, sample_inputs

    rng = np.random.default_rng(5)
    for sizes, scale in itertools.product(plan_sizes(program, 6), (0.3, 1.5, 6.0)):
        arrays = sample_inputs(program, sizes, rng, (-scale, scale))
        with np.errstate(all="ignore"):
            values = evaluate(program, arrays)
        left, right = (np.asarray(values[t.name], dtype=float) for t in program.outputs)
        low, high = (left, right) if relation in ("<", "<=") else (right, left)
        if np.any(low - high > 1e-9 * (1 + abs(low) + abs(high))):
            return True
    return False


# -- the truth of the lemmas, by numbers of another kind

NAMED = [*TRUE, ("max(x, y) <= abs(x) + abs(y)", {"x": "n", "y": "n"}), ("sum(y.*x) <= sum(abs(x))", {"x": "n", "y": "n, binary"})]


@pytest.mark.parametrize(("claim", "shapes"), NAMED, ids=[c for c, _ in NAMED])
def test_what_is_taken_as_known_is_true(claim: str, shapes: dict[str, str]) -> None:
    program = understand_claim(claim, {n: spec(s) for n, s in shapes.items()}).understood.program
    goal = _goal(program)
    signs = Signs(goal)
    knowns = list(completed_squares(goal, signs))
    for scene in scenes(goal, signs):
        for lemma in LEMMAS:
            found = [k for known in lemma.instances(scene) for k in ((known,) if lemma.whole else scene.summed(known))]
            knowns += found[:12]
    rng = np.random.default_rng(8)
    with mpmath.workdps(30):
        for _ in range(3):
            numbers = Numbers(rng)
            for known in knowns[:80]:
                for places in numbers.places(goal.free):
                    value = numbers.value(known.form.expression(), places)
                    assert mpmath.isnan(value) or value > -mpmath.mpf(10) ** -20, f"{known.why}: {value}"


def _goal(program: Program) -> Goal:
    forms = Forms(program)
    axes = tuple(Index(NAMES[p], e) for p, e in enumerate(program.outputs[0].shape))
    left, right = (forms.entry(Read(t, axes)) for t in program.outputs)
    return Goal(right - left, False, forms, axes)


class Numbers:
    """Values of canonical forms at random arrays: an interpreter of its own, sum by sum."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng, self.arrays = rng, {}  # type: ignore[var-annotated]
        self.sizes = {name: int(rng.integers(1, 4)) for name in ("n", "m", "k", "p")}

    def size(self, extent: Any) -> int:
        return int(extent.subs({s: self.sizes.setdefault(s.name, 2) for s in extent.free_symbols}))

    def places(self, indices: tuple[Index, ...]) -> Any:
        return (dict(zip(indices, v, strict=True)) for v in itertools.product(*(range(self.size(i.extent)) for i in indices)))

    def array(self, tensor: Any) -> Any:
        if tensor.name not in self.arrays:
            shape = tuple(self.size(e) for e in tensor.shape)
            x = self.rng.uniform(-2, 2, shape)
            if "simplex" in tensor.facts:
                x = np.exp(3 * x) / np.exp(3 * x).sum(axis=-1, keepdims=True)
            elif "binary" in tensor.facts:
                x = (x > 0).astype(float)
            elif "nonnegative" in tensor.facts:
                x = np.abs(x)
            elif tensor.facts & {"positive definite", "positive semidefinite"}:
                x = x @ x.T
            self.arrays[tensor.name] = x
        return self.arrays[tensor.name]

    def value(self, e: Any, places: dict[Index, int]) -> Any:
        match e:
            case Read():
                return mpmath.mpf(float(self.array(e.tensor)[tuple(int(self.value(i, places)) for i in e.indices)]))
            case Index():
                return places[e]
            case Total():
                return mpmath.fsum(self.value(e.body, places | more) for more in self.places(e.bound))
            case Grow():
                return mpmath.exp(self.value(e.args[0], places))
            case Applied() if str(e.args[0]) in ("max", "min"):
                chosen = max if str(e.args[0]) == "max" else min
                return chosen(self.value(e.args[2][0].body, places | more) for more in self.places(e.args[2][0].bound))
            case Applied():
                A = self.array(next(iter(e.args[2].atoms(Read))).tensor)
                if str(e.args[0]) == "det":
                    return mpmath.mpf(float(np.linalg.det(A)))
                return mpmath.mpf(float(np.linalg.inv(A)[tuple(int(self.value(i, places)) for i in e.places)]))
            case Bracket():
                return mpmath.nan
            case sympy.Symbol():
                return mpmath.mpf(self.size(e))
        if e.is_number:
            return mpmath.mpmathify(sympy.N(e, 30))
        args = [self.value(a, places) for a in e.args]
        if any(mpmath.isnan(a) for a in args):
            return mpmath.nan
        match e:
            case sympy.Add():
                return mpmath.fsum(args)
            case sympy.Mul():
                return mpmath.fprod(args)
            case sympy.Pow():
                result = mpmath.power(*args) if args[0] or args[1] > 0 else mpmath.nan
                return result if isinstance(result, mpmath.mpf) else mpmath.nan
            case sympy.log():
                return mpmath.log(args[0]) if args[0] > 0 else mpmath.nan
        return {"Absolute": abs, "Maximum": max, "Minimum": min}[e.func.__name__](*args)


# -- certificates are exact

a, b = (Polynomial.of(sympy.Symbol(name, real=True)) for name in "ab")


def test_a_certificate_adds_up() -> None:
    square = Known((a - b).power(2), "(a - b)^2")
    found = certificate((a - b).power(2).scaled(sympy.Rational(1, 3)), [square, Known(a.power(2), "a^2")], False)
    assert found is not None and [(c, k.why) for c, k in found] == [(sympy.Rational(1, 3), "(a - b)^2")]
    assert certificate(a * b, [square, Known(a.power(2), "a^2")], False) is None


def test_what_nearly_adds_up_is_no_certificate() -> None:
    almost = (a - b).power(2) + Polynomial.number(sympy.Rational(-1, 10**12))
    assert certificate(almost, [Known((a - b).power(2), "s"), Known(Polynomial.number(1), "1", strict=True)], False) is None
    assert exactly(almost, [Known((a - b).power(2), "s")], list(almost.terms)) is None


def test_equality_is_no_strict_inequality() -> None:
    assert certificate(Polynomial.number(0), [Known(a.power(2), "a^2")], True) is None
    assert certificate(a.power(2), [Known(a.power(2), "a^2")], True) is None


# -- what a verdict says


def test_what_would_make_it_true() -> None:
    assert "A is positive semidefinite" in dv.verify("x'*A*x >= 0", A="n n").holds_when
    assert dv.verify("sum(abs(x)) <= sum(x)").holds_when == ("x is nonnegative",)


def test_evidence_can_be_checked_by_hand() -> None:
    assert dv.verify("(x'*y)^2 <= (x'*x)*(y'*y)").evidence == (
        "(sum_i x[i]^2) (sum_i y[i]^2) - (sum_i x[i] y[i])^2 = 1/2 sum_i,j (x[i] y[j] - x[j] y[i])^2 >= 0"
    )
    assert "log(r) >= 1 - 1/r with r = p[i]/q[i], times p[i]" in dv.verify("sum(p.*log(p./q)) >= 0", p=WEIGHTS, q=WEIGHTS).evidence


def test_a_number_is_compared_with_every_entry() -> None:
    assert dv.verify("0 <= x", x="n, positive").status == "PROVED"
    verdict = dv.verify("x <= 1", x="n, positive")
    assert verdict.status == "REFUTED" and verdict.counterexample is not None


def test_what_is_not_proved_is_tested_and_says_how() -> None:
    verdict = dv.verify("det(A) <= tr(A)^n", A=PD)
    assert verdict.status == "TESTED" and "points" in verdict.level and "no proof" in verdict.evidence


def test_a_power_that_is_a_variable() -> None:
    """The sign of such a power is asked for while conditions of a false inequality are looked for."""
    claim = "sum(abs(x + y).^p)^(1/p) <= sum(abs(x).^p)^(1/p) + sum(abs(y).^p)^(1/p)"
    assert dv.verify(claim, x="n", y="n", p=", positive").status == "REFUTED"


@pytest.mark.parametrize("axes", ["", "n"])
def test_extreme_points_keep_probabilities_in_their_domain(axes):
    """What is scaled is the odds: a counterexample outside of the domain would refute what is true."""
    tensor, rng = spec(axes, "probability").tensor("p"), np.random.default_rng(0)
    shape = (3,) if axes else ()
    array = np.full(shape, sympy.Rational(2, 3), dtype=object)
    for _ in range(40):
        found = np.ravel(extreme(array, tensor, rng))
        assert all(0 < p < 1 for p in found)
