"""`dv.scan`: the same numbers traced as run, every sequence of the examples differentiated and checked, clear errors."""

from typing import Any

import numpy as np
import pytest

import derive as dv
import sequences
from derive.errors import ShapeError, TraceError
from derive.ir.check import check_program

SIZES = {"T": 6, "m": 3, "n": 4, "k": 2, "p": 5, "batch": 2, "h": 3, "q": 3, "S": 4}


def traced(name: str) -> dv.Function:
    return dv.trace(getattr(sequences, name), **sequences.SHAPES[name])


def arrays(name: str, sizes: dict[str, int] = SIZES) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    shapes = sequences.SHAPES[name]
    return {
        a: 0.5 * rng.normal(size=[sizes.get(e) or int(e) for e in axes.split()]) for a, axes in shapes.items()
    }


@pytest.mark.parametrize("steps", [1, 2, 6])
@pytest.mark.parametrize("name", sequences.SHAPES)
def test_traced_as_run(name: str, steps: int) -> None:
    given = arrays(name, {**SIZES, "T": steps})
    assert np.allclose(traced(name)(**given), getattr(sequences, name)(**given), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", sequences.SHAPES)
def test_the_backward_pass_is_well_formed_and_passes_the_check(name: str) -> None:
    backward = dv.vjp(traced(name))
    check_program(backward.program)
    check_program(backward.presented)
    report = dv.check(backward)
    assert report.passed, report


def test_a_scan_of_one_declared_step_is_unrolled() -> None:
    f = dv.trace(sequences.ema, x="1 n", beta="")
    given = {"x": np.ones((1, 3)), "beta": 0.25}
    assert np.allclose(f(**given), sequences.ema(**given))


def test_the_number_of_steps_by_the_name_of_a_size() -> None:
    def power(A: Any, x: Any, like: Any) -> Any:
        return dv.scan(lambda v, _: (A @ v, None), x, length="T")[0]

    f = dv.trace(power, A="n n", x="n", like="T")
    rng = np.random.default_rng(0)
    A, x = rng.normal(size=(3, 3)), rng.normal(size=3)
    assert np.allclose(f(A, x, np.zeros(5)), np.linalg.matrix_power(A, 5) @ x)


def test_carry_and_results_in_containers() -> None:
    def fn(x: Any, v: Any) -> Any:
        def step(state: Any, inputs: Any) -> Any:
            a, rest = state["a"], state["rest"]
            return {"a": a + inputs[0], "rest": (a * rest[0],)}, {"seen": (a, inputs[1])}

        last, results = dv.scan(step, {"a": 1.0, "rest": (v,)}, (x, x**2))
        return last["a"], last["rest"][0], results["seen"][0], results["seen"][1]

    f = dv.trace(fn, x="T", v="")
    x = np.array([0.5, 2.0, -1.0])
    for found, expected in zip(f(x, 3.0), fn(x, 3.0), strict=True):
        assert np.allclose(found, expected)


def test_what_does_not_depend_on_the_carry_is_outside_of_the_recurrence() -> None:
    from derive.ir.recurrences import members

    f = traced("rnn")
    products = [e for e in f.program.equations if "x" in {r.tensor.name for r in e.reads}]
    assert products and not {e.target.name for e in products} & members(f.program.equations)


@pytest.mark.parametrize(
    ("fn", "error", "words"),
    [
        (lambda x: dv.scan(lambda c, v: (c, v), 0.0)[1], TraceError, "needs xs or length="),
        (lambda x: dv.scan(lambda c, v: c, 0.0, x)[1], TraceError, r"must return \(carry, y\)"),
        (
            lambda x: dv.scan(lambda c, v: ((c, c), v), 0.0, x)[1],
            TraceError,
            r"carry array.*returned \(array, array\)",
        ),
        (lambda x: dv.scan(lambda c, v: (x, v), 0.0, x)[1], ShapeError, r"shape \(\).*made it \(T\)"),
        (lambda x: dv.scan(lambda c, v: (c, v), 0.0, x[0])[1], ShapeError, "has none"),
        (lambda x: dv.scan(lambda c, v: (c, v), 0.0, (x, x[1:]))[1], ShapeError, "not equal"),
    ],
)
def test_what_cannot_be_scanned(fn: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        dv.trace(fn, x="T")


def test_an_array_of_one_step_cannot_leave_it() -> None:
    kept = []

    def fn(x: Any) -> Any:
        def step(c: Any, v: Any) -> Any:
            kept.append(np.sin(c + v))
            return c + v, v

        total, _ = dv.scan(step, 0.0, x)
        return total + kept[0]

    with pytest.raises(TraceError, match="one step was kept after its scan"):
        dv.trace(fn, x="T")


def test_numbers_are_scanned_as_well() -> None:
    total, before = dv.scan(lambda c, v: (c + v, c), 0, np.array([1, 2, 3]))
    assert total == 6 and before.tolist() == [0, 1, 3]
    with pytest.raises(ShapeError, match="no steps"):
        dv.scan(lambda c, v: (c + v, c), 0, np.zeros(0))
    with pytest.raises(ShapeError, match="not the same"):
        dv.scan(lambda c, v: (c, c), 0, (np.zeros(2), np.zeros(3)))
