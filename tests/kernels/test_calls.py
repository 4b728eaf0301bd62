"""What a kernel accepts, and what it says when it does not."""

import pickle
import re
import resource
import threading
import tracemalloc
import weakref

import numpy as np
import pytest
from numba import types
from sympy import Eq, exp

from derive.errors import DomainError, ShapeError, UnknownName
from derive.ir.nodes import Bracket, Equation, Index, Program, Tensor, size
from derive.kernels.compile import compile_program
from derive.kernels.kernel import Kernel
from derive.kernels.threads import thread_count

n, m, d, v = map(size, ("n", "m", "d", "v"))
i, j, k, a = Index("i", n), Index("j", m), Index("k", d), Index("a", v)
X, W, b, Y = Tensor("X", (n, d)), Tensor("W", (d, m)), Tensor("b", (m,)), Tensor("Y", (n, m))
RNG = np.random.default_rng(3)


def affine() -> Program:
    Z = Tensor("Z", (n, m))
    product = Equation(Z, (i, j), X[i, k] * W[k, j], "sum", (k,))
    return Program((X, W, b), (product, Equation(Y, (i, j), Z[i, j] + b[j])), (Y,))


@pytest.fixture(scope="module")
def dense() -> Kernel:
    return compile_program(affine(), "dense")


@pytest.fixture(scope="module")
def look_up() -> Kernel:
    E, tok, y = Tensor("E", (v, d)), Tensor("tok", (n,), "integer"), Tensor("y", (n, d))
    return compile_program(Program((E, tok), (Equation(y, (i, k), E[tok[i], k]),), (y,)), "look_up")


def arrays() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2)), RNG.normal(size=2)


def test_by_position_and_by_name(dense):
    x, w, c = arrays()
    np.testing.assert_allclose(dense(x, w, c), x @ w + c)
    np.testing.assert_allclose(dense(x, b=c, W=w), x @ w + c)


def test_a_number_in_an_array_without_axes_never_reaches_the_compiled_code(monkeypatch):
    """Numba would refuse it, with a message that takes it longer than many a kernel runs."""
    c, x, y = Tensor("c", ()), Tensor("x", (n,)), Tensor("y", (n,))
    scaled = compile_program(Program((c, x), (Equation(y, (i,), c[()] * x[i]),), (y,)), "scaled", single=True)
    given = []
    run = scaled._run
    monkeypatch.setattr(scaled, "_run", lambda *values: given.append(type(values[0])) or run(*values))
    for _ in range(2):
        np.testing.assert_array_equal(scaled(np.array(2.0), np.ones(3)), [2.0, 2.0, 2.0])
        np.testing.assert_array_equal(scaled(np.float64(2.0), np.ones(3)), [2.0, 2.0, 2.0])
    assert given == [np.float64] * 4


def test_any_memory_layout(dense):
    x, w, c = arrays()
    frozen = x.copy()
    frozen.flags.writeable = False
    raw = np.zeros(x.nbytes + 1, dtype=np.uint8)
    unaligned = raw[1:].view(np.float64).reshape(x.shape)
    unaligned[:] = x
    strided = np.repeat(x, 2, axis=1)[:, ::2]
    swapped = x.astype(">f8")
    for same in (frozen, unaligned, strided, np.asfortranarray(x), swapped, x.tolist(), x[::-1][::-1]):
        np.testing.assert_allclose(dense(same, w, c), x @ w + c)


def test_integers_are_promoted_and_never_truncated(dense):
    x, w = np.arange(12).reshape(3, 4), np.ones((4, 2), dtype=bool)
    np.testing.assert_allclose(dense(x, w, np.array([0.5, 0.25], dtype=np.float16)), x @ w + [0.5, 0.25])


def test_the_arguments_are_left_alone(dense):
    x, w, c = arrays()
    before = x.copy(), w.copy(), c.copy()
    dense(x, w, c)
    for now, then in zip((x, w, c), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_results_do_not_share_memory(dense):
    x, w, c = arrays()
    first = dense(x, w, c)
    kept = first.copy()
    dense(x + 1, w, c)
    np.testing.assert_array_equal(first, kept)


def test_large_results_are_used_again_only_when_nobody_holds_them(dense):
    x, w, c = RNG.normal(size=(400, 3)), RNG.normal(size=(3, 50)), RNG.normal(size=50)
    first = dense(x, w, c)
    view, kept = dense(2 * x, w, c)[10:20], weakref.ref(dense(3 * x, w, c))
    held = {first.__array_interface__["data"][0], view.base.__array_interface__["data"][0]}
    for shift in range(6):
        again = dense(x + shift, w, c)
        assert again.__array_interface__["data"][0] not in held
        np.testing.assert_allclose(again, (x + shift) @ w + c)
    assert kept() is None
    np.testing.assert_allclose(first, x @ w + c)
    np.testing.assert_allclose(view, (2 * x @ w + c)[10:20])
    places = [dense(x, w, c).__array_interface__["data"][0] for _ in range(4)]
    assert len(set(places)) <= 2
    again = dense(x, w, c)
    again.shape = (50, 400)
    del again
    assert all(dense(x, w, c).shape == (400, 50) for _ in range(3))
    assert len(pickle.dumps(dense._buffers)) < first.nbytes


def test_outs_of_their_own():
    x, y, z = Tensor("x", (n,)), Tensor("y", (n,)), Tensor("z", (n,))
    program = Program((x,), (Equation(y, (i,), exp(x[i])), Equation(z, (i,), x[i] ** 2)), (y, z))
    room = np.empty(6)
    with pytest.raises(DomainError, match="out for z overlaps the array for another output"):
        compile_program(program, "two")(np.zeros(4), out=(room[:4], room[2:]))


def test_out(dense):
    x, w, c = arrays()
    room = np.empty((3, 2))
    assert dense(x, w, c, out=room) is room
    np.testing.assert_allclose(room, x @ w + c)
    with pytest.raises(ShapeError, match=r"out for Y has shape \(2, 3\), not \(3, 2\)"):
        dense(x, w, c, out=np.empty((2, 3)))
    with pytest.raises(DomainError, match="contiguous, writeable array of float64"):
        dense(x, w, c, out=np.empty((3, 2), np.float32))
    square = np.eye(2)
    with pytest.raises(DomainError, match="overlaps an input"):
        dense(square, square.copy(), c, out=square)


def test_float32_rounds_doubles_and_returns_float32():
    kernel = compile_program(affine(), "dense", dtype=np.float32)
    x, w, c = arrays()
    found = kernel(x, w, c)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, x @ w + c, rtol=1e-5, atol=1e-6)


def test_float32_computes_in_float32():
    """No double in the loops: what comes and goes as a single must not pass through a double."""
    x, y = Tensor("x", (n,)), Tensor("y", (n,))
    body = exp(x[i]) / n + x[i] ** 2 / 3 + (i + 1) * Bracket(Eq(x[i], 0)) / 7
    kernel = compile_program(Program((x,), (Equation(y, (i,), body),), (y,)), "single", dtype=np.float32)
    module: dict = {}
    exec(kernel.source.replace("cache=True, ", ""), module)
    function = module["single"]
    function.compile((types.Array(types.float32, 1, "C", readonly=True), types.Array(types.float32, 1, "C")))
    arithmetic = re.findall(r" = (f\w+ .*)", function.inspect_llvm(function.signatures[0]))
    assert any("float" in line for line in arithmetic)
    assert not [line for line in arithmetic if "double" in line]


def test_scalars_have_the_type_of_the_kernel():
    x, s, t = Tensor("x", (n,)), Tensor("s"), Tensor("t")
    program = Program((x, t), (Equation(s, (), t[()] * x[i] / n, "sum", (i,)),), (s,))
    for dtype in (np.float64, np.float32):
        found = compile_program(program, "mean", dtype=dtype)([1, 2, 3], 2)
        assert type(found) is dtype and found == 4


def test_axes_that_disagree_are_named(dense):
    x, w, c = arrays()
    with pytest.raises(ShapeError, match=r"W has shape \(5, 2\): its axis 0 is d = 5, but d = 4 in X"):
        dense(x, np.ones((5, 2)), c)
    with pytest.raises(ShapeError, match=r"b has shape \(\) .*rank 0, not 1"):
        dense(x, w, 1.0)
    dense(x, w, c)  # and nothing is lost


def test_names(dense):
    x, w, c = arrays()
    with pytest.raises(UnknownName, match="missing: b"):
        dense(x, w)
    with pytest.raises(UnknownName, match="takes 3 arrays"):
        dense(x, w, c, c)
    with pytest.raises(UnknownName, match="no input 'w'; known: W, X, b"):
        dense(x, w=w, b=c)
    with pytest.raises(UnknownName, match="'X' twice"):
        dense(x, w, X=x)


def test_numbers_that_are_not_real(dense):
    x, w, c = arrays()
    with pytest.raises(DomainError, match="X is complex"):
        dense(x + 1j, w, c)
    with pytest.raises(DomainError, match="numbers were expected"):
        dense(np.full((3, 4), "a"), w, c)
    with pytest.raises(DomainError, match="numbers were expected"):
        dense(np.full((3, 4), None), w, c)


def test_indices_are_checked(look_up):
    E = RNG.normal(size=(5, 2))
    np.testing.assert_array_equal(look_up(E, [0, 4]), E[[0, 4]])
    np.testing.assert_array_equal(look_up(E, np.array([0.0, 4.0])), E[[0, 4]])
    for wrong in (-1, 5, 2**40):
        with pytest.raises(DomainError, match=rf"tok\[1\] is {wrong}, but it is an index below v = 5"):
            look_up(E, np.array([0, wrong]))
    for wrong in (0.5, np.nan, np.inf, 1e300):
        with pytest.raises(DomainError, match=r"tok was declared integer but tok\[0\] is"):
            look_up(E, np.array([wrong, 1.0]))
    assert look_up(E, np.zeros(0, dtype=int)).shape == (0, 2)
    with pytest.raises(ShapeError, match="E has an axis of length 0"):
        look_up(np.zeros((0, 2)), [0])


def test_nothing_is_read_of_an_empty_axis():
    x, y = Tensor("x", (n, m)), Tensor("y", (m,))
    kernel = compile_program(Program((x,), (Equation(y, (j,), x[0, j]),), (y,)), "first_row")
    with pytest.raises(ShapeError, match="length 0"):
        kernel(np.zeros((0, 3)))


def test_sizes_that_are_no_axis_by_themselves():
    x, w, y = Tensor("x", (n + d - 1,)), Tensor("w", (d,)), Tensor("y", (n,))
    kernel = compile_program(Program((x, w), (Equation(y, (i,), x[i + k] * w[k], "sum", (k,)),), (y,)), "convolve")
    data, weights = RNG.normal(size=10), RNG.normal(size=3)
    np.testing.assert_allclose(kernel(data, weights), np.convolve(data, weights[::-1], "valid"))
    with pytest.raises(ShapeError):
        kernel(data[:2], weights)


def test_other_types_are_refused():
    with pytest.raises(DomainError, match="float64 or float32"):
        compile_program(affine(), "dense", dtype=np.float16)


def test_names_that_python_keeps_for_itself():
    x, y = Tensor("lambda", (n,)), Tensor("np", (n,))
    program = Program((x,), (Equation(y, (i,), exp(x[i]) * n),), (y,))
    np.testing.assert_allclose(compile_program(program, "for")(np.zeros(2)), [2, 2])


def test_two_threads(dense):
    x, w, c = RNG.normal(size=(50, 40)), RNG.normal(size=(40, 30)), RNG.normal(size=30)
    wrong: list[float] = []

    def work(shift: float) -> None:
        for _ in range(200):
            error = np.abs(dense(x + shift, w, c) - ((x + shift) @ w + c)).max()
            if error > 1e-10:
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(s,)) for s in (0.0, 1.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_number_of_threads(monkeypatch):
    monkeypatch.delenv("DERIVE_NUM_THREADS", raising=False)
    assert thread_count(4) == 4
    monkeypatch.setenv("DERIVE_NUM_THREADS", "2")
    assert thread_count(4) == 2 and thread_count(1) == 1
    monkeypatch.setenv("DERIVE_NUM_THREADS", "none")
    with pytest.raises(DomainError, match="DERIVE_NUM_THREADS is 'none'"):
        thread_count(4)


def test_no_memory_is_lost_in_ten_thousand_calls(dense):
    """Neither Python's (objects, arrays) nor the process's (what compiled code asks the system for)."""
    x, w, c = RNG.normal(size=(40, 3)), RNG.normal(size=(3, 40)), RNG.normal(size=40)
    out = np.empty((40, 40))

    def call(times):
        for _ in range(times):
            dense(x, w, c)
            dense(x, w, c, out=out)

    tracemalloc.start()
    try:
        call(2000)  # Python keeps up to 2000 freed tuples of each length
        held, peak = tracemalloc.get_traced_memory()[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        call(5000)
        assert tracemalloc.get_traced_memory()[0] - held < 10_000
    finally:
        tracemalloc.stop()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 16_000  # kilobytes; one result has 13
