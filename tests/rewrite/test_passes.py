"""Each pass leaves every value as it is, and gives the form a person would write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy

from derive.calculus.jvp import jvp
from derive.calculus.vjp import vjp
from derive.ir.check import check_program
from derive.ir.evaluate import evaluate
from derive.ir.nodes import Bracket, Equation, Index, Program, Tensor, Where, size
from derive.ops.elementwise.exponential import sigmoid, softplus
from derive.ops.elementwise.piecewise import Absolute
from derive.rewrite.conditions import bounds, decide, in_range, simplify_brackets
from derive.rewrite.deltas import has_delta, solve_deltas
from derive.rewrite.derived import derived, names_of, prepare, present
from derive.rewrite.eliminate import eliminate, readings
from derive.rewrite.factor import cost, factor, simplify
from derive.rewrite.measure import prune
from derive.rewrite.recognise import recognise
from derive.rewrite.share import share
from derive.rewrite.sums import normal_sum, split, sum_facts
from derive.rewrite.tidy import Policy, tidy
from derive.rewrite.values import canonical

from ..calculus.functions import RULES, Case

n, m = size("n"), size("m")
i, j, k, l = Index("i", n), Index("j", n), Index("k", m), Index("l", m)
X, A, x, y, z, t = (
    Tensor("X", (n, m)),
    Tensor("A", (n, n)),
    Tensor("x", (n,)),
    Tensor("y", (n,)),
    Tensor("z", (m,)),
    Tensor("t"),
)
E = Tensor("E", (n * m,))
p = Tensor("p", (n,), facts=frozenset({"positive"}))
tok = Tensor("tok", (m,), "integer", bound=n)
INPUTS = (X, A, x, y, z, t, E, p, tok)
Eq = sympy.Eq


def arrays(sizes: tuple[int, int] = (5, 3)) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    value = {n: sizes[0], m: sizes[1]}
    drawn = {q.name: rng.uniform(0.3, 1.7, [int(e.subs(value)) for e in q.shape]) for q in INPUTS}
    return drawn | {"tok": rng.integers(sizes[0], size=sizes[1])}


def summed(body: Any, axes: tuple[Index, ...], bound: tuple[Index, ...]) -> Program:
    out = Tensor("out", tuple(a.extent for a in axes))
    return Program(INPUTS, (Equation(out, axes, sympy.sympify(body), "sum", bound),), (out,))


def value(
    body: Any, axes: tuple[Index, ...], bound: tuple[Index, ...] = (), sizes: tuple[int, int] = (5, 3)
) -> Any:
    return evaluate(summed(body, axes, bound), arrays(sizes))["out"]


def same(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


# --- conditions


@pytest.mark.parametrize(
    ("condition", "decided"),
    [
        (i >= 0, True),
        (i <= n - 1, True),
        (i < n, True),
        (i > n - 1, False),
        (i < 0, False),
        (i + 1 > 0, True),
        (i >= 1, None),
        (i <= j, None),
        (Eq(i, n), False),
        (sympy.Ne(i, -1), True),
        (Eq(i, j), None),
        (i * m + k < n * m, True),
        (i * m + k >= 0, True),
        (sympy.Mod(i, m) < m, None),
        (sympy.Mod(i, m) <= m - 1, True),
        (sympy.floor(Index("f", n * m) / m) <= n - 1, True),
        (x[i] > 0, None),
        (sympy.Not(i < 0), True),
        (sympy.And(i >= 0, i <= j), None),
    ],
)
def test_conditions_are_decided_where_the_ranges_allow(condition: Any, decided: bool | None) -> None:
    if decided is None:
        assert decide(condition) not in (True, False, sympy.true, sympy.false)
    else:
        assert bool(decide(condition)) is decided


def test_ranges() -> None:
    assert bounds(2 * i + 3 * k - 1) == (-1, 2 * n + 3 * m - 6)
    assert bounds(n - 1 - i) == (0, n - 1)
    assert bounds(i * j) is None and bounds(i + tok[k]) is None
    assert in_range(i, j) == sympy.true and in_range(tok[k], i) == sympy.true
    assert in_range(i + 1, j) == (i <= n - 2) or in_range(i + 1, j) == (i + 1 <= n - 1)


def test_brackets_that_always_hold_vanish() -> None:
    assert simplify_brackets(Bracket(i <= n - 1) * x[i] + Bracket(i < 0) * y[i]) == x[i]
    assert simplify_brackets(Bracket(sympy.Ne(Bracket(i > j), 0))) == Bracket(i > j)


# --- deltas

DELTAS: list[tuple[Any, tuple[Index, ...], tuple[Index, ...], Any]] = [
    (Bracket(Eq(i, j)) * x[j], (i,), (j,), x[i]),
    (Bracket(Eq(i, j)) * A[i, j] * y[j], (i,), (j,), A[i, i] * y[i]),
    (Bracket(Eq(j, tok[k])) * X[j, k], (k,), (j,), X[tok[k], k]),
    (Bracket(Eq(j, n - 1 - i)) * x[j], (i,), (j,), x[n - 1 - i]),
    (Bracket(Eq(i, j + 1)) * x[j], (i,), (j,), None),
    (Bracket(Eq(i, tok[k])) * z[k], (i,), (k,), None),
    (Bracket(Eq(Index("f", n * m), i * m + k)) * X[i, k], (Index("f", n * m),), (i, k), None),
    (Bracket(Eq(i, j)) * Bracket(Eq(j, k)) * x[i], (k,), (i, j), None),
    (Bracket(j <= i) * Bracket(Eq(i, j)) * x[j], (i,), (j,), x[i]),
]


@pytest.mark.parametrize("case", DELTAS, ids=lambda c: str(c[0]))
@pytest.mark.parametrize("sizes", [(5, 3), (2, 4), (1, 1)])
def test_a_delta_takes_a_sum_away(case: Any, sizes: tuple[int, int]) -> None:
    body, axes, bound, expected = case
    solved, left = solve_deltas(body, bound)
    same(value(solved, axes, left, sizes), value(body, axes, bound, sizes))
    if expected is not None:
        assert solved == expected and left == ()


def test_deltas_are_told_from_masks() -> None:
    assert has_delta(x[i] * Bracket(Eq(i, j)) + 1)
    assert not has_delta(x[i] * Bracket(i <= j)) and not has_delta(Bracket(Eq(x[i], 0)))


# --- sums

SUMS: list[tuple[Any, tuple[Index, ...], tuple[Index, ...]]] = [
    (x[i] * A[i, j] * y[j], (i,), (j,)),
    ((x[i] + y[j]) * A[i, j], (i,), (j,)),
    ((x[i] - y[j]) ** 2, (i,), (j,)),
    (x[i] * (X[i, k] - z[k]) ** 2, (k,), (i,)),
    (2 * t[()], (i,), (j, k)),
    (A[i, j] * (Bracket(Eq(j, i)) - x[j]), (i,), (j,)),
    (Bracket(j <= i) * A[i, j] + x[i], (i,), (j,)),
    (X[i, k] * X[j, k] / n, (i, j), (k,)),
    (Where(x[j] > 1, A[i, j], x[i]), (i,), (j,)),
]


@pytest.mark.parametrize("case", SUMS, ids=lambda c: str(c[0]))
@pytest.mark.parametrize("full", [False, True])
def test_a_sum_in_normal_form_is_the_sum(case: Any, full: bool) -> None:
    body, axes, bound = case
    terms = split(body, bound, full)
    same(sum(value(term.factor * term.summand, axes, term.bound) for term in terms), value(body, axes, bound))


def test_free_factors_go_out_and_facts_go_in() -> None:
    (term,) = split(x[i] * A[i, j] * y[j], (j,))
    assert (term.factor, term.summand, term.bound) == (x[i], A[i, j] * y[j], (j,))
    rows_sum_to_one = lambda read, axis: sympy.S.One if (read.tensor, axis) == (A, 1) else None  # noqa: E731
    assert sum_facts(A[i, j] * x[i], (j,), rows_sum_to_one) == (x[i], ())
    assert sum_facts(A[i, j] * x[j], (j,), rows_sum_to_one) == (A[i, j] * x[j], (j,))
    done, left = normal_sum(A[i, j] * (y[i] - x[j]), (j,), lambda s, b: sympy.S.One if s == A[i, j] else None)
    assert done == y[i] and [term.summand for term in left] == [A[i, j] * x[j]]


# --- scalar expressions

BODIES: list[tuple[Any, Any]] = [
    (x[i] * y[i] + x[i] * t[()], x[i] * (y[i] + t[()])),
    (-x[i] - y[i], -(x[i] + y[i])),
    (x[i] / p[i] - y[i] / p[i], (x[i] - y[i]) / p[i]),
    (2 * x[i] + 4 * y[i], 2 * (x[i] + 2 * y[i])),
    (x[i] * (1 - y[i]) - x[i] * (1 - y[i]) ** 2, None),
    (sympy.exp(x[i]) * y[i] + sympy.exp(x[i]), None),
    ((x[i] + y[i]) ** 2 - x[i] ** 2, None),
    (Bracket(Eq(i, j)) * x[i] - Bracket(Eq(i, j)) * y[i] - x[i] * x[j], None),
    (1 / (x[i] * p[i]) + y[i] / (x[i] ** 2 * p[i]), None),
]


@pytest.mark.parametrize("case", BODIES, ids=lambda c: str(c[0]))
def test_the_shorter_form_has_the_same_value(case: Any) -> None:
    body, expected = case
    for found in (simplify(body), factor(body)):
        same(value(found, (i, j)), value(body, (i, j)))
    assert cost(simplify(body)) <= cost(body)
    if expected is not None:
        assert simplify(body) == expected


NAMED = [
    (1 / (1 + sympy.exp(-x[i])), sigmoid(x[i])),
    ((1 + sympy.exp(x[i])) ** -2, sigmoid(-x[i]) ** 2),
    (sympy.log(1 + sympy.exp(x[i] - y[i])), softplus(x[i] - y[i])),
    (sympy.exp(x[i]) / (1 + sympy.exp(x[i])), sigmoid(x[i])),
    (sympy.sqrt(x[i] ** 2), Absolute(x[i])),
    (sympy.tanh(x[i]), sympy.tanh(x[i])),
]


@pytest.mark.parametrize(("body", "expected"), NAMED)
def test_compositions_with_a_name_are_recognised(body: Any, expected: Any) -> None:
    assert recognise(body) == expected
    reference = body.replace(sympy.Abs, Absolute)
    same(value(recognise(body), (i,)), value(reference, (i,)))


def test_values_that_differ_in_the_names_of_indices_have_one_key() -> None:
    assert canonical(A[i, j] * x[j], (j,)).key == canonical(A[j, i] * x[i], (i,)).key
    assert canonical(A[i, j] * x[j], (j,)).key != canonical(A[i, j] * x[j], (i,)).key
    assert canonical(A[i, j]).key == canonical(A[j, i]).key
    assert canonical(A[i, j] + A[j, i]).key == canonical(A[j, i] + A[i, j]).key
    assert canonical(X[i, k]).key != canonical(A[i, j]).key
    found = canonical(A[j, i] * x[i])
    assert set(found.order) == {i, j}


# --- whole programs


def equation(name: str, axes: tuple[Index, ...], body: Any, bound: tuple[Index, ...] = ()) -> Equation:
    target = Tensor(name, tuple(a.extent for a in axes))
    return Equation(target, axes, sympy.sympify(body), "sum" if bound else None, bound)


def program(*equations: Equation, outputs: int = 1) -> Program:
    return Program(INPUTS, equations, tuple(e.target for e in equations[-outputs:]))


def assert_same_outputs(before: Program, after: Program, inputs: dict[str, Any]) -> None:
    check_program(after)
    expected, found = evaluate(before, inputs), evaluate(after, inputs)
    for a, b in zip(before.outputs, after.outputs, strict=True):
        same(found[b.name], expected[a.name])


def test_a_value_computed_twice_is_shared() -> None:
    s, r = Tensor("s", (n,)), Tensor("r", (n,))
    before = program(
        equation("s", (i,), sympy.exp(x[i]) * y[i]),
        equation("r", (j,), 1 / (1 + sympy.exp(x[j]))),
        equation("q", (i,), s[i] * r[i] * sympy.exp(x[i])),
    )
    after = share(before)
    assert str(after).count("exp(") == 1
    assert_same_outputs(before, after, arrays())


def test_dead_equations_go_and_equal_ones_are_one() -> None:
    u, v = Tensor("u", (n,)), Tensor("v", (n,))
    before = program(
        equation("u", (i,), A[i, j] * x[j], (j,)),
        equation("v", (j,), A[j, i] * x[i], (i,)),
        equation("w", (i,), z[k], (k,)),
        equation("q", (i,), u[i] * v[i]),
    )
    assert [e.target.name for e in prune(before).equations] == ["u", "v", "q"]
    after = tidy(before, Policy(inline=True, keep=frozenset(), frozen=frozenset()))
    assert [e.target.name for e in after.equations] == ["u", "q"]
    assert str(after.equations[-1].body) == "u[i]**2"
    assert_same_outputs(before, after, arrays())


def test_a_quotient_is_read_backwards_where_that_is_shorter() -> None:
    e, s, P = (
        Tensor("e", (n,), facts=frozenset({"positive"})),
        Tensor("s", (), facts=frozenset({"positive"})),
        Tensor("P", (n,)),
    )
    forward = (
        Equation(e, (i,), sympy.exp(x[i])),
        Equation(s, (), e[i], "sum", (i,)),
        Equation(P, (i,), e[i] / s[()]),
    )
    (reading,) = [r for r in readings(forward[-1]) if r.tensor == e]
    assert reading.value == P[i] * s[()]
    before = Program(INPUTS, (*forward, equation("q", (i,), e[i] * y[i] / s[()])), (Tensor("q", (n,)),))
    policy = Policy(inline=True, keep=frozenset(), frozen=frozenset({"e", "s", "P"}))
    after = eliminate(replace(before, outputs=(*before.outputs, P)), policy)
    assert str(after.definitions["q"].body) == "P[i]*y[i]"
    assert_same_outputs(replace(before, outputs=(*before.outputs, P)), after, arrays())


def number(rule: Any) -> str:
    return str(rule[0].__code__.co_firstlineno)


@pytest.mark.parametrize("rule", RULES, ids=number)
def test_derivatives_keep_their_values(rule: Any) -> None:
    case = Case(*rule)
    base = prepare(case.program)
    assert_same_outputs(case.program, base, case.inputs)
    assert_same_outputs(case.program, present(base), case.inputs)
    raw = vjp(base, case.wrt, {t.name: None for t in base.outputs})
    given = case.inputs | {f"g{name}": v for name, v in case.cotangents.items()}
    assert_same_outputs(raw, derived(raw, base), given)
    raw = jvp(base, case.wrt)
    assert_same_outputs(raw, derived(raw, base), case.inputs | {f"d{w}": v for w, v in case.tangents.items()})


def test_softmax_comes_out_as_in_the_books() -> None:
    case = Case(lambda x: (lambda e: e / e.sum())(np.exp(x - x.max())), {"x": "n"})
    base = prepare(case.program)
    result = derived(vjp(base, ("x",), {t.name: None for t in base.outputs}), base)
    own = [e for e in result.equations if e.target.name not in names_of(base)]
    assert len(own) == 2
    assert own[0].reduce == "sum" and {r.tensor.name for r in own[0].reads} == {"gY", "Y"}
    assert cost(own[1].body) <= 3


# --- the tests notice what is wrong


@pytest.mark.parametrize(
    "spoil",
    [
        lambda b: -b,
        lambda b: b * (1 + sympy.Rational(1, 10**9)),
        lambda b: b.subs(n, n + 1) + Bracket(Eq(i, 0)) / 10**6,
    ],
)
def test_a_pass_that_changes_a_value_would_be_noticed(spoil: Callable[[Any], Any]) -> None:
    before = program(equation("q", (i,), x[i] * y[i] / n))
    after = replace(before, equations=(replace(before.equations[0], body=spoil(before.equations[0].body)),))
    with pytest.raises(AssertionError):
        assert_same_outputs(before, after, arrays())
