"""The reference interpreter: every node in every number system, sizes from shapes, ranges of reads."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

from derive.errors import DomainError, ShapeError, UnknownName, UnsupportedOp
from derive.ir.evaluate import evaluate
from derive.ir.nodes import Bracket, Equation, Index, Program, Tensor, Where, size
from derive.ir.numbers import COMPLEX128, FLOAT32, FLOAT64, MPMATH, RATIONAL, NotExact, Numbers
from derive.ir.places import shortest_places
from derive.ir.sizes import interval, presuppositions, solve_sizes
from derive.ops.elementwise.piecewise import Absolute, Maximum

n, m, q = size("n"), size("m"), size("q")
i, j, k = Index("i", n), Index("j", m), Index("k", m)
A, x, t = Tensor("A", (n, m)), Tensor("x", (m,)), Tensor("t")
tok, mask = Tensor("tok", (n,), "integer", bound=m), Tensor("mask", (n,), "boolean")
SYSTEMS = [FLOAT64, FLOAT32, COMPLEX128, RATIONAL, MPMATH]


def one(
    body: Any, axes: Any, reduce: Any = None, bound: Any = (), inputs: Any = (A, x, t, tok, mask)
) -> Program:
    out = Tensor("Y", tuple(a.extent for a in axes))
    return Program(inputs, (Equation(out, tuple(axes), sympy.sympify(body), reduce, tuple(bound)),), (out,))


def values() -> dict[str, Any]:
    rng = np.random.default_rng(3)
    draw = lambda *shape: rng.integers(1, 9, shape) / 4  # noqa: E731 - exact in every system
    return {
        "A": draw(3, 4),
        "x": draw(4),
        "t": np.array(0.5),
        "tok": np.array([2, 0, 3]),
        "mask": np.array([True, False, True]),
    }


V = values()
ROWS = np.arange(3)
BODIES: list[tuple[Any, tuple[Index, ...], Any, tuple[Index, ...], Any]] = [
    (A[i, j] * x[j] + t[()], (i, j), None, (), V["A"] * V["x"] + 0.5),
    (A[i, j] * x[j], (i,), "sum", (j,), V["A"] @ V["x"]),
    (A[i, j] / x[j] ** 2, (j, i), None, (), (V["A"] / V["x"] ** 2).T),
    (A[i, j], (), "sum", (i, j), V["A"].sum()),
    (A[i, j], (j,), "max", (i,), V["A"].max(axis=0)),
    (A[i, j], (i,), "min", (j,), V["A"].min(axis=1)),
    (A[i, j], (i,), "prod", (j,), V["A"].prod(axis=1)),
    (A[i, tok[i]], (i,), None, (), V["A"][ROWS, V["tok"]]),
    (A[i, m - 1 - j], (i, j), None, (), V["A"][:, ::-1]),
    (
        A[sympy.Mod(i + 1, n), sympy.floor(j / 2)],
        (i, j),
        None,
        (),
        V["A"][(ROWS + 1) % 3][:, np.arange(4) // 2],
    ),
    (A[0, j] * n + m, (j,), None, (), V["A"][0] * 3 + 4),
    (Bracket(sympy.Le(j, i)) * A[i, j], (i, j), None, (), np.tril(V["A"])),
    (Bracket(sympy.Eq(j, tok[i])), (i, j), None, (), (np.arange(4) == V["tok"][:, None]) * 1.0),
    (Bracket(sympy.Eq(j, i + 1)) * A[i, j], (i,), "sum", (j,), V["A"][ROWS, ROWS + 1]),
    (Where(A[i, j] > x[j], A[i, j], -x[j]), (i, j), None, (), np.where(V["A"] > V["x"], V["A"], -V["x"])),
    (
        Where(sympy.And(sympy.Ne(mask[i], 0), sympy.Not(j < 1)), A[i, j], 0),
        (i, j),
        None,
        (),
        np.where(V["mask"][:, None] & (np.arange(4) >= 1), V["A"], 0),
    ),
    (
        Where(sympy.Or(sympy.Eq(j, 0), sympy.Eq(i, 0)), A[i, j], 0),
        (i, j),
        None,
        (),
        np.where((np.arange(4) == 0) | (ROWS[:, None] == 0), V["A"], 0),
    ),
    (
        mask[i] + mask[i] + tok[i] ** 2 + 1 / (1 + tok[i]),
        (i,),
        None,
        (),
        2.0 * V["mask"] + V["tok"] ** 2 + 1 / (1 + V["tok"]),
    ),
    (
        Maximum(A[i, j], x[j]) + Absolute(t[()] - x[j]),
        (i, j),
        None,
        (),
        np.maximum(V["A"], V["x"]) + abs(0.5 - V["x"]),
    ),
    (i * A[i, j] + j, (i, j), None, (), ROWS[:, None] * V["A"] + np.arange(4)),
    (x[j] * t[()], (), "sum", (i, j), 3 * V["x"].sum() * 0.5),
    (sympy.Rational(1, 3) * x[Where(j < 2, j + 1, 0)], (j,), None, (), V["x"][[1, 2, 0, 0]] / 3),
]


@pytest.mark.parametrize("numbers", SYSTEMS, ids=lambda s: s.name)
@pytest.mark.parametrize("case", range(len(BODIES)))
def test_every_node_in_every_number_system(case: int, numbers: Numbers) -> None:
    body, axes, reduce, bound, expected = BODIES[case]
    found = np.asarray(evaluate(one(body, axes, reduce, bound), V, numbers)["Y"])
    assert found.shape == np.shape(expected)
    assert found.dtype == (object if numbers.dtype is object else np.dtype(numbers.dtype))
    rtol = 1e-6 if numbers is FLOAT32 else 1e-15
    np.testing.assert_allclose(np.real(found).astype(float), expected, rtol=rtol)


def test_rationals_are_exact_and_say_when_they_are_left() -> None:
    found = evaluate(one(x[j] / 3, (j,)), V, RATIONAL)["Y"]
    assert found.tolist() == [Fraction(v) / 3 for v in V["x"]]
    for body in (sympy.exp(x[j]), sympy.sqrt(x[j]), x[j] * sympy.pi, x[j] ** t[()]):
        with pytest.raises(NotExact):
            evaluate(one(body, (j,)), V, RATIONAL)
    with pytest.raises(NotExact):
        evaluate(one(x[j], (j,)), V | {"x": [1, np.inf, 2, 3]}, RATIONAL)
    assert evaluate(one(sympy.sqrt(m) * x[j], (j,)), V, RATIONAL)["Y"].tolist() == [
        2 * Fraction(v) for v in V["x"]
    ]


def test_many_digits() -> None:
    with mpmath.workdps(40):
        found = evaluate(one(sympy.exp(x[j]) * sympy.pi, (j,)), V, MPMATH)["Y"]
        assert abs(found[0] - mpmath.exp(mpmath.mpf(V["x"][0])) * mpmath.pi) < mpmath.mpf("1e-38")


def test_a_bracket_is_a_strong_zero() -> None:
    body = Bracket(sympy.Ne(x[j], 0)) * sympy.log(x[j])
    found = evaluate(one(body, (j,)), V | {"x": [0.0, 1.0, np.e, 2.0]})["Y"]
    np.testing.assert_allclose(found, [0, 0, 1, np.log(2)])


def test_infinities_and_nan() -> None:
    found = evaluate(one(Where(x[j] > 1, x[j], -sympy.oo), (j,)), V | {"x": [0.5, 2.0, np.nan, 3.0]})["Y"]
    np.testing.assert_array_equal(found, [-np.inf, 2, -np.inf, 3])
    np.testing.assert_array_equal(evaluate(one(x[j] * sympy.nan, (j,)), V)["Y"], [np.nan] * 4)
    assert evaluate(one(1 / (n - 3), ()), V)["Y"] == np.inf


def test_integer_inputs_are_promoted() -> None:
    found = evaluate(one(x[j] / 2, (j,)), V | {"x": np.array([1, 2, 3, 5])})["Y"]
    assert found.tolist() == [0.5, 1, 1.5, 2.5]


def test_what_has_no_value_is_refused() -> None:
    with pytest.raises(UnsupportedOp, match="zeta"):
        evaluate(one(sympy.zeta(x[j]), (j,)), V)


# --- sizes


def sizes_of(shapes: dict[str, tuple[int, ...]], *inputs: Tensor) -> Any:
    return solve_sizes(Program(inputs, (), ()), {name: np.ones(shape) for name, shape in shapes.items()})


def test_sizes_are_read_from_shapes() -> None:
    B = Tensor("B", (2 * q, m + 1, sympy.Integer(3)))
    assert sizes_of({"A": (3, 4)}, A) == {n: 3, m: 4}
    assert sizes_of({"A": (3, 4), "B": (6, 5, 3)}, A, B) == {n: 3, m: 4, q: 3}
    assert sizes_of({"B": (6, 5, 3)}, B) == {q: 3, m: 4}
    assert sizes_of({"C": (12,), "A": (3, 4)}, Tensor("C", (n * q,)), A) == {n: 3, m: 4, q: 4}


@pytest.mark.parametrize(
    ("shapes", "inputs", "words"),
    [
        ({"A": (3,)}, (A,), ["A has shape (3,)", "[n, m]", "rank 1, not 2"]),
        ({"A": (3, 4), "x": (5,)}, (A, x), ["x has shape (5,): its axis 0 is m = 5", "m = 4 in A (axis 1)"]),
        ({"S": (3, 4)}, (Tensor("S", (n, n)),), ["its axis 1 is n = 4", "n = 3 in S (axis 0)"]),
        ({"B": (5,)}, (Tensor("B", (2 * q,)),), ["must be 2*q for a positive integer q, not 5"]),
        ({"B": (4,), "x": (5,)}, (Tensor("B", (m + 1,)), x), ["must be m + 1 = 6, not 4"]),
        ({"B": (4,)}, (Tensor("B", (sympy.Integer(3),)),), ["must be 3, not 4"]),
        ({"B": (6,)}, (Tensor("B", (n * q,)),), ["leaves", "unknown"]),
    ],
)
def test_shapes_that_do_not_fit(shapes: Any, inputs: Any, words: list[str]) -> None:
    with pytest.raises(ShapeError) as caught:
        sizes_of(shapes, *inputs)
    for word in words:
        assert word in str(caught.value)


def test_a_missing_input_is_named() -> None:
    with pytest.raises(UnknownName, match="'x'"):
        sizes_of({"A": (3, 4)}, A, x)


def test_unconditional_reads_must_stay_inside() -> None:
    window = Index("w", m - 2)
    second = one(x[window + 2] - x[window], (window,))
    assert [str(p.value) for p in presuppositions(second)] == ["m - 2"]
    evaluate(second, V)
    with pytest.raises(ShapeError, match="m - 2 must not be negative, but m = 1"):
        evaluate(second, V | {"A": np.ones((3, 1)), "x": np.ones(1), "tok": np.zeros(3, int)})
    with pytest.raises(ShapeError, match="m = 4"):
        evaluate(one(x[m - 5] * t[()], ()), V)


def test_conditional_reads_may_leave_their_range() -> None:
    found = evaluate(one(Where(sympy.Ge(j, 1), x[j - 1], 7), (j,)), V)["Y"]
    assert found.tolist() == [7, *V["x"][:3]]


def test_indices_from_data_are_checked() -> None:
    free = Tensor("tok", (n,), "integer")
    with pytest.raises(DomainError, match=r"tok \(integer < m\) holds 4 at \[1\]"):
        evaluate(one(x[tok[i]], (i,)), V | {"tok": np.array([0, 4, 1])})
    with pytest.raises(DomainError, match="less than 4"):
        evaluate(one(x[free[i]], (i,), inputs=(A, x, free)), V | {"tok": np.array([0, 4, 1])})
    with pytest.raises(DomainError, match="-1"):
        evaluate(one(x[free[i]], (i,), inputs=(A, x, free)), V | {"tok": np.array([0, -1, 1])})


def test_an_index_shorter_than_the_axis_reads_its_beginning() -> None:
    two = Index("p", sympy.Integer(2))
    assert evaluate(one(x[two], (two,)), V)["Y"].tolist() == V["x"][:2].tolist()
    assert evaluate(one(A[i, two], (), "sum", (i, two)), V)["Y"] == V["A"][:, :2].sum()


@pytest.mark.parametrize(
    ("e", "limits"),
    [
        (i, (0, n - 1)),
        (3 - i, (4 - n, 3)),
        (i * m + j, (0, n * m - 1)),
        (sympy.floor(i / 2), (0, sympy.floor((n - 1) / 2))),
        (sympy.Mod(i + 7, m), (0, m - 1)),
        (n - 1, (n - 1, n - 1)),
        (2 * j + i, (0, 2 * m + n - 3)),
    ],
)
def test_intervals_of_index_expressions(e: Any, limits: tuple[Any, Any]) -> None:
    found = interval(e)
    assert found is not None
    assert all(sympy.expand(a - b) == 0 for a, b in zip(found, limits, strict=True))


def test_intervals_that_are_not_known() -> None:
    assert interval(i * j) is None and interval(tok[i]) is None and interval((m - n) * i) is None


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (sympy.floor((i * m + j) / m), i),
        (sympy.Mod(i * m + j, m), j),
        (m * sympy.floor(i / m) + sympy.Mod(i, m), i),
        (2 * m * sympy.floor(i / m) + 2 * sympy.Mod(i, m) + 1, 2 * i + 1),
        (sympy.floor(j / 2), sympy.floor(j / 2)),
        (sympy.Mod(j, m), j),
        (sympy.floor(i / m), sympy.floor(i / m)),
    ],
)
def test_places_in_shortest_form(place: Any, expected: Any) -> None:
    T = Tensor("T", (n * m,))
    assert shortest_places(2 * T[place]) == 2 * T[expected]


# --- the tests notice what is wrong


def test_a_wrong_number_system_would_be_noticed() -> None:
    from dataclasses import replace

    wrong = replace(FLOAT64, power=lambda base, exponent: FLOAT64.power(base, exponent) * (1 + 1e-9))
    with pytest.raises(AssertionError):
        test_every_node_in_every_number_system(2, wrong)
