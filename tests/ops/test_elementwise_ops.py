"""Every elementwise record is what it says: value, derivatives, complex values, spellings, kinks, sources."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from scipy import special

from derive.emit.helpers import helper_blocks
from derive.ir.evaluate import evaluate
from derive.ir.nodes import Equation, Index, Program, Read, Tensor, size
from derive.ir.numbers import COMPLEX128, FLOAT64, MPMATH, Numbers
from derive.ops._record import Elementwise
from derive.ops.elementwise import elementwise_ops, op_of_head, op_of_numpy

OPS = elementwise_ops()
HEADS = [op for op in OPS if op.head is not None]
NAMED = [op for op in OPS if op.numpy]
DISCRETE = {"isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit"}
EXTREMES = np.array([0.0, 1.0, -1.0, 0.5, 2.5, -3.5, np.inf, -np.inf, np.nan, 1e-300, -1e-9])
EDGES = {"exprel": np.isfinite, **dict.fromkeys(["gamma", "loggamma", "rgamma"], lambda x: x > 0)}
"""Where among the extremes a record does not give what its note says."""
I = Index("i", size("n"))
INPUTS = tuple(Tensor(name, (size("n"),)) for name in ("x", "y", "z"))


def reads(op: Elementwise) -> tuple[Read, ...]:
    return tuple(t[I] if k >= op.constants else sympy.S.One for k, t in enumerate(INPUTS[: op.arity]))


def run(op: Elementwise, body: Any, points: Any, numbers: Numbers = FLOAT64) -> Any:
    """The values of an expression of the reads of `op` at arrays of arguments."""
    target = Tensor("w", (size("n"),))
    inputs = INPUTS[: op.arity]
    program = Program(inputs, (Equation(target, (I,), body),), (target,))
    return evaluate(program, dict(zip("xyz", points, strict=False)), numbers)["w"]


def points(op: Elementwise, count: int = 7) -> list[np.ndarray]:
    """Arguments within the domain, on a grid of 1/64 so that no two are close to a kink; a constant is 1."""
    rng = np.random.default_rng(len(op.name))
    low, high = op.domain
    found = [np.round(rng.uniform(low, high, count) * 64) / 64 + 1 / 512 * (k + 1) for k in range(op.arity)]
    return [np.ones(count) for _ in range(op.constants)] + found[op.constants :]


def applied(op: Elementwise) -> Any:
    """The operation on its reads: its own node where it has one."""
    return op.make(*reads(op)) if op.head is None or op.name in DISCRETE else op.head(*reads(op))


def differentiable(op: Elementwise) -> list[int]:
    return list(range(op.constants, op.arity))


def name_of(op: Elementwise) -> str:
    return op.name


def numpy_function(name: str) -> Callable[..., Any]:
    module, _, function = name.rpartition(".")
    return getattr(import_module(module), function)


# --- value


def check_value(op: Elementwise) -> None:
    for name in op.numpy:
        arguments = points(op)
        if name == "scipy.special.polygamma":
            arguments[0] = arguments[0].astype(int)
        with np.errstate(all="ignore"):
            expected = numpy_function(name)(*arguments)
        np.testing.assert_allclose(
            run(op, applied(op), points(op)), expected, rtol=3e-14, atol=1e-14, err_msg=name
        )


@pytest.mark.parametrize("op", NAMED, ids=name_of)
def test_value_is_that_of_the_function_it_answers_to(op: Elementwise) -> None:
    check_value(op)


@pytest.mark.parametrize("op", [op for op in NAMED if op.arity == 1], ids=name_of)
def test_value_at_the_edges(op: Elementwise) -> None:
    edges = EXTREMES[EDGES.get(op.name, np.isreal)(EXTREMES)]
    with np.errstate(all="ignore"):
        expected = numpy_function(op.numpy[0])(edges)
    np.testing.assert_allclose(run(op, applied(op), [edges]), expected, rtol=1e-13, atol=1e-300)
    assert op.note or op.name not in EDGES


@pytest.mark.parametrize("op", HEADS, ids=name_of)
def test_value_to_many_digits(op: Elementwise) -> None:
    assert op.value is not None and op.high_precision is not None
    with mpmath.workdps(50):
        exact = run(op, op.head(*reads(op)), points(op), MPMATH)
    found = op.value(*points(op))
    np.testing.assert_allclose(found, [float(v) for v in exact], rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("op", [op for op in HEADS if op.rational], ids=name_of)
def test_exact_value_on_fractions(op: Elementwise) -> None:
    from fractions import Fraction

    exact = [op.rational(*(Fraction(v) for v in row)) for row in zip(*points(op), strict=True)]
    np.testing.assert_array_equal(op.value(*points(op)), [float(v) for v in exact])


# --- derivatives


def quotients(op: Elementwise, body: Any, k: int, step: str = "1e-15") -> list[Any]:
    """Central differences of the body in argument k, to 50 digits."""
    above, below = points(op), points(op)
    above[k] = np.array([mpmath.mpf(v) + mpmath.mpf(step) for v in above[k]], dtype=object)
    below[k] = np.array([mpmath.mpf(v) - mpmath.mpf(step) for v in below[k]], dtype=object)
    difference = run(op, body, above, MPMATH) - run(op, body, below, MPMATH)
    return [d / (2 * mpmath.mpf(step)) for d in difference]


def check_derivatives(op: Elementwise, diff: Callable[[Any, Any], Any] = sympy.diff) -> None:
    """First and second derivatives by SymPy against difference quotients of the body."""
    with mpmath.workdps(50):
        for k in differentiable(op):
            body, read = applied(op), reads(op)[k]
            for _ in range(2):
                slope = diff(body, read)
                found, expected = run(op, slope, points(op), MPMATH), quotients(op, body, k)
                for value, quotient in zip(found, expected, strict=True):
                    assert abs(value - quotient) <= mpmath.mpf("1e-20") * (1 + abs(quotient)), (op.name, k)
                body = slope


@pytest.mark.parametrize("op", OPS, ids=name_of)
def test_derivatives(op: Elementwise) -> None:
    check_derivatives(op)


@pytest.mark.parametrize("op", [op for op in HEADS if op.analytic], ids=name_of)
def test_complex_value_carries_the_derivative(op: Elementwise) -> None:
    for k in differentiable(op):
        arguments: list[Any] = points(op)
        arguments[k] = arguments[k] + 1e-30j
        value = np.asarray(run(op, op.head(*reads(op)), arguments, COMPLEX128))
        np.testing.assert_allclose(value.real, op.value(*points(op)), rtol=2e-14, atol=1e-15)
        slope = run(op, op.head(*reads(op)).diff(reads(op)[k]), points(op))
        np.testing.assert_allclose(value.imag / 1e-30, slope, rtol=1e-12, atol=1e-14)


KINKS = [("abs", (0.0,)), ("maximum", (1.5, 1.5)), ("minimum", (1.5, 1.5))]


@pytest.mark.parametrize(("name", "at"), KINKS)
def test_the_slope_at_a_kink_is_a_subgradient(name: str, at: tuple[float, ...]) -> None:
    (op,) = [op for op in OPS if op.name == name]
    assert op.kink is not None and op.note
    assert op.kink(*map(sympy.Float, at)).is_zero
    for k in range(op.arity):
        here = [np.array([v, v, v]) for v in at]
        here[k] = at[k] + np.array([-0.5, 0.0, 0.5])
        low, slope, high = run(op, applied(op).diff(reads(op)[k]), here)
        assert min(low, high) <= slope <= max(low, high)
    total = sum(run(op, applied(op).diff(r), [np.array([v]) for v in at])[0] for r in reads(op))
    assert total == (0 if name == "abs" else 1)


@pytest.mark.parametrize("op", [op for op in OPS if op.kink], ids=name_of)
def test_kinks_come_with_their_convention(op: Elementwise) -> None:
    assert op.note
    assert op.kink is not None and op.kink(*reads(op)).has(Read)


# --- what is written about it


def brought_along(target: str, names: dict[str, Any], code: str) -> dict[str, Any]:
    """The helpers that some code calls."""
    found = dict(names)
    if target != "numba":
        exec("\n".join(line for block in helper_blocks(code, target) for line in block), found)
    return found


def spelled(op: Elementwise, target: str, names: dict[str, Any], *arguments: Any) -> Any:
    code = op.spelling[target].format(*(f"a{k}" if k >= op.constants else "1" for k in range(op.arity)))
    names = {**names, **brought_along(target, names, code)}
    return eval(code, {}, {**names, **{f"a{k}": a for k, a in enumerate(arguments)}})


@pytest.mark.parametrize("op", HEADS, ids=name_of)
def test_spelling_for_numpy(op: Elementwise) -> None:
    found = spelled(op, "numpy", {"np": np, "math": math, **vars(special)}, *points(op))
    np.testing.assert_allclose(found, op.value(*points(op)), rtol=1e-15)


@pytest.mark.parametrize(
    "op", [op for op in HEADS if op.spelling.get("numba", "").startswith(("math.", "np."))], ids=name_of
)
def test_spelling_for_numba(op: Elementwise) -> None:
    """Those that are not functions which kernels bring along."""
    found = [spelled(op, "numba", {"np": np, "math": math}, *row) for row in zip(*points(op), strict=True)]
    np.testing.assert_allclose(found, op.value(*points(op)), rtol=1e-14, atol=1e-15)


def test_spelling_for_torch() -> None:
    torch = pytest.importorskip("torch", reason="the spellings are torch's")
    for op in HEADS:
        if "torch" in op.spelling:
            arguments: list[Any] = [torch.tensor(p) for p in points(op)]
            expected = op.value(*points(op))
            found = spelled(op, "torch", {"torch": torch, "math": math}, *arguments)
            np.testing.assert_allclose(
                found, expected, rtol=1e-9 if op.name == "polygamma" else 1e-12, err_msg=op.name
            )


def test_spelling_for_jax() -> None:
    jax = pytest.importorskip("jax", reason="the spellings are jax's")
    import_module("jax.scipy.special")
    ops = [op for op in HEADS if "jax" in op.spelling]

    def every(arguments: list[Any]) -> list[Any]:
        names = {"jax": jax, "jnp": jax.numpy, "math": math}
        return [spelled(op, "jax", names, *given) for op, given in zip(ops, arguments, strict=True)]

    given = [points(op) for op in ops]
    with jax.enable_x64(True):
        for op, found in zip(ops, jax.jit(every)(given), strict=True):
            np.testing.assert_allclose(found, op.value(*points(op)), rtol=1e-11, err_msg=op.name)


@pytest.mark.parametrize("op", OPS, ids=name_of)
def test_record_is_complete(op: Elementwise) -> None:
    assert op.source
    assert op.numpy or op.head
    if op.head is not None:
        assert "numpy" in op.spelling
        assert op_of_head(op.head) is op
    if op.latex is not None:
        written = op.latex.format(*"xyz"[: op.arity])
        assert written.count("{") == written.count("}")
        assert all(a in written for a in "xyz"[: op.arity])


def test_each_function_is_answered_by_one_record() -> None:
    names = [name for op in OPS for name in op.numpy]
    assert len(names) == len(set(names))
    assert all(callable(numpy_function(name)) for name in names if name != "scipy.special.softplus")
    assert op_of_numpy("numpy.tanh") is not None and op_of_numpy("numpy.tanhh") is None


WITHOUT_RECORD = {
    "bitwise_and", "bitwise_count", "bitwise_or", "bitwise_xor", "frexp", "gcd", "invert", "isnat", "lcm",
    "ldexp", "left_shift", "nextafter", "right_shift", "spacing",
}  # fmt: skip
LOWERED = {"divmod", "modf", "matmul", "matvec", "vecdot", "vecmat"}


def test_every_ufunc_of_numpy_is_accounted_for() -> None:
    ufuncs = {f.__name__ for f in vars(np).values() if isinstance(f, np.ufunc)}
    records = {name.removeprefix("numpy.") for op in OPS for name in op.numpy}
    assert ufuncs - records == WITHOUT_RECORD | LOWERED


# --- the tests notice what is wrong


def test_a_wrong_value_would_be_noticed() -> None:
    (op,) = [op for op in OPS if op.name == "square"]
    with pytest.raises(AssertionError):
        check_value(replace(op, make=lambda x: x**2 * (1 + sympy.Rational(1, 10**12))))


@pytest.mark.parametrize("wrong", [lambda d: -d, lambda d: 2 * d, lambda d: d + sympy.Rational(1, 10**15)])
def test_a_wrong_derivative_would_be_noticed(wrong: Callable[[Any], Any]) -> None:
    (op,) = [op for op in OPS if op.name == "tanh"]
    with pytest.raises(AssertionError):
        check_derivatives(op, lambda body, read: wrong(sympy.diff(body, read)))
