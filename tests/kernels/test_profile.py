"""What a profile counts and times, and what the vectoriser says."""

import ast

import numpy as np
import pytest

import derive as dv
from derive.kernels.count import FLOAT, Array, Counter, functions_of
from derive.kernels.limits import Limits
from derive.kernels.profile import least_time


def cost(source: str, **names):
    module = ast.parse(source)
    return Counter(functions_of(module), names, {}).run([s for s in module.body if not isinstance(s, ast.FunctionDef)])


def vector(*shape: int) -> Array:
    return Array(shape, 8)


def test_loops_are_multiplied_and_arrays_are_moved_once() -> None:
    found = cost("for i in range(n):\n  for j in range(m):\n    y[i] += a[i, j] * x[j]", n=30, m=20, y=vector(30), x=vector(20), a=vector(30, 20))
    assert found.flops == 2 * 30 * 20
    assert found.bytes == 8 * (30 + 30 + 20 + 30 * 20)  # y is read and written


def test_integers_cost_nothing_and_powers_are_products() -> None:
    assert cost("for i in range(2 * n, 3 * n):\n  y[2 * i + 1] = x[i] ** 3", n=10, x=vector(100), y=vector(100)).flops == 2 * 10


def test_matrix_products() -> None:
    found = cost("for b in range(4):\n  np.dot(A[b], B.T, C[b])", A=vector(4, 5, 6), B=vector(7, 6), C=vector(4, 5, 7))
    assert found.flops == found.products == 4 * 2 * 5 * 6 * 7
    assert found.bytes == 8 * (4 * 5 * 6 + 7 * 6 + 4 * 5 * 7)


def test_functions_are_entered_with_the_shapes_of_their_arguments() -> None:
    source = "def f(x):\n  s = 0.0\n  for i in range(x.shape[0]):\n    s += x[i] * x[i]\n  return s\nfor i in range(3):\n  y = f(A[i]) + 1.0"
    assert cost(source, A=vector(3, 50)).flops == 3 * (2 * 50 + 1)


def test_a_triangle_is_half_of_a_square() -> None:
    found = cost("for i in range(n):\n  for j in range(i + 1):\n    s += A[i, j]", n=101, s=FLOAT, A=vector(101, 101))
    assert found.flops == 101 * 51


def test_the_larger_branch_counts() -> None:
    found = cost("if x[0] > 0:\n  y = x[1] * x[1] * x[1]\nelse:\n  y = x[1] * x[1]", x=vector(2))
    assert found.flops == 2


def test_least_time_is_set_by_the_slowest_part() -> None:
    limits = Limits(1, 50e9, 100e9, 30e9, 70e9, 32 << 20)
    work = cost("np.dot(A, B, C)", A=vector(300, 300), B=vector(300, 300), C=vector(300, 300))
    assert least_time(work, limits, np.float64) == (2 * 300**3 / 50e9, "products")
    assert least_time(work, limits, np.float32) == (2 * 300**3 / 100e9, "products")
    moved = cost("for i in range(n):\n  y[i] = x[i]", n=10**7, x=vector(10**7), y=vector(10**7))
    assert least_time(moved, limits, np.float64) == (16e7 / 30e9, "memory")


@pytest.fixture(scope="module")
def kernel():
    f = dv.trace(lambda X, W: np.sum(np.exp(X @ W), axis=1), X="n m", W="m k")
    return f.compile()


def test_every_nest_is_timed(kernel, monkeypatch) -> None:
    limits = Limits(1, 50e9, 100e9, 30e9, 70e9, 32 << 20)
    monkeypatch.setattr("derive.kernels.profile.measured_limits", lambda threads: limits)
    found = kernel.profile(np.ones((300, 200)), np.ones((200, 100)))
    assert found.seconds == pytest.approx(sum(nest.seconds for nest in found.nests)) and found.seconds > 0
    product, loops = found.nests[0], found.nests[-1]
    assert product.products == 2 * 300 * 200 * 100 and product.seconds > 0
    assert loops.flops > 10 * 300 * 100 and not loops.products  # an exponential is its polynomial
    assert any("exp(" in text for text in loops.formulas)
    assert "300x200" in str(found) and "% products" in str(found)
    assert kernel.profile().nests[0].products == 2 * 256**3


def test_the_vectoriser_speaks_of_each_loop(kernel) -> None:
    loops = kernel.remarks().loops
    lines = kernel.source.splitlines()
    assert all(lines[r.line - 1].strip().startswith("for ") for r in loops)
    assert loops[-1].width >= 2 and "vectorised" in str(loops[-1])


def test_a_loop_that_is_not_vectorised_says_why() -> None:
    def discounted(x, w):
        return dv.scan(lambda h, x_t: (np.tanh(w * h + x_t), None), 0.0, x)[0]

    (loop,) = dv.trace(discounted, x="T", w="").compile().remarks().scalar
    assert loop.code.strip().startswith("for t in") and loop.reasons
