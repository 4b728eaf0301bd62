"""Recurrences are found, put in order, computed step by step, and refused where no axis is a time."""

from dataclasses import replace

import numpy as np
import pytest
import sympy
from sympy import Eq

from derive.ir.check import IllFormed, check_program
from derive.ir.evaluate import evaluate
from derive.ir.nodes import Equation, Index, Program, Tensor, Where, size
from derive.ir.numbers import MPMATH, RATIONAL
from derive.ir.recurrences import Circular, Recurrence, blocks, in_order, members

T, n = size("T"), size("n")
x, w = Tensor("x", (T,)), Tensor("w")
h, z = Tensor("h", (T + 1,)), Tensor("z", (T,))
s, t = Index("s", T + 1), Index("t", T)

LINEAR = Equation(z, (t,), w[()] * h[t] + x[t])
STATE = Equation(h, (s,), Where(Eq(s, 0), sympy.S(2), z[s - 1]))
FORWARD = Program((x, w), (LINEAR, STATE), (h,))
BACKWARD = Program(
    (x, w),
    (Equation(z, (t,), w[()] * h[t + 1] + x[t]), Equation(h, (s,), Where(Eq(s, T), sympy.S(2), z[s]))),
    (h,),
)


def by_hand(weight: float, inputs: list[float]) -> list[float]:
    values = [2.0]
    for value in inputs:
        values.append(weight * values[-1] + value)
    return values


def test_a_recurrence_is_computed_step_by_step() -> None:
    check_program(FORWARD)
    values = evaluate(FORWARD, {"x": [1.0, 2.0, 3.0], "w": 0.5})
    assert values["h"].tolist() == by_hand(0.5, [1.0, 2.0, 3.0])


def test_it_runs_backward_where_it_reads_ahead() -> None:
    (block,) = blocks(BACKWARD.equations)
    assert isinstance(block, Recurrence) and not block.forward
    values = evaluate(BACKWARD, {"x": [3.0, 2.0, 1.0], "w": 0.5})
    assert values["h"].tolist() == by_hand(0.5, [1.0, 2.0, 3.0])[::-1]


@pytest.mark.parametrize("numbers", [RATIONAL, MPMATH], ids=lambda s: s.name)
def test_in_every_number_system(numbers: object) -> None:
    values = evaluate(FORWARD, {"x": [1, 2, 3], "w": 0.5}, numbers)  # type: ignore[arg-type]
    assert [float(v) for v in values["h"]] == by_hand(0.5, [1.0, 2.0, 3.0])


def test_an_equation_may_read_itself_two_steps_before() -> None:
    f = Tensor("f", (T,))
    fibonacci = Equation(f, (t,), Where(sympy.Le(t, 1), sympy.S(1), f[t - 1] + f[t - 2]))
    program = Program((x,), (fibonacci,), (f,))
    check_program(program)
    assert evaluate(program, {"x": np.zeros(8)})["f"].tolist() == [1, 1, 2, 3, 5, 8, 13, 21]


def test_the_time_need_not_be_the_first_axis() -> None:
    y, total, i = Tensor("y", (n, T)), Tensor("total", (n, T)), Index("i", n)
    running = Equation(total, (i, t), y[i, t] + Where(Eq(t, 0), sympy.S(0), total[i, t - 1]))
    (block,) = blocks((running,))
    assert isinstance(block, Recurrence) and block.places == {"total": 1}
    values = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(
        evaluate(Program((y,), (running,), (total,)), {"y": values})["total"], values.cumsum(1)
    )


def test_members_are_put_side_by_side_and_in_order() -> None:
    other = Equation(Tensor("q", (T,)), (t,), x[t] ** 2)
    after = Equation(Tensor("r", (T,)), (t,), h[t + 1] * Tensor("q", (T,))[t])
    mixed = (after, STATE, other, LINEAR)
    assert in_order(mixed)[-1] == after
    check_program(Program((x, w), in_order(mixed), (after.target,)))
    assert members(mixed) == {"h", "z"}


def test_a_program_that_needs_no_order_is_left_alone() -> None:
    equations = (Equation(z, (t,), x[t] * w[()]), Equation(Tensor("q", (T,)), (t,), z[t] ** 2))
    assert in_order(equations) == equations


@pytest.mark.parametrize(
    ("equations", "why"),
    [
        ((Equation(z, (t,), z[t] + x[t]),), "reads its own result, and no axis is a time"),
        ((Equation(z, (t,), z[T - 1 - t] + x[t]),), "not a constant number of steps away"),
        (
            (LINEAR, replace(STATE, body=z[s] + z[s - 1])),
            "along t: at one and the same step z, h need each other",
        ),
        ((Equation(w_state := Tensor("v"), (), 2 * w_state[()]),), "no axis is a time"),
    ],
    ids=["own step", "mirrored", "same step", "no axis"],
)
def test_what_cannot_be_ordered_is_refused(equations: tuple[Equation, ...], why: str) -> None:
    with pytest.raises(Circular, match=why):
        check_program(Program((x, w), equations, (equations[0].target,)))


def test_the_order_of_a_recurrence_is_checked() -> None:
    with pytest.raises(IllFormed, match="must stand together and in this order"):
        check_program(replace(FORWARD, equations=(STATE, LINEAR)))
    between = Equation(Tensor("q", (T,)), (t,), x[t] ** 2)
    with pytest.raises(IllFormed, match="must stand together and in this order"):
        check_program(replace(FORWARD, equations=(LINEAR, between, STATE)))
