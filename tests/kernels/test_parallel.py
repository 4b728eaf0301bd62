"""Parallel kernels give what serial ones give, whatever the number of threads."""

import os
import threading

import numpy as np
import pytest
from sympy import exp, sqrt

from derive.emit import loops_parallel
from derive.ir.evaluate import evaluate
from derive.ir.nodes import Bracket, Equation, Index, Program, Tensor, size
from derive.kernels import kernel as kernel_module
from derive.kernels import threads
from derive.kernels.compile import compile_program
from derive.kernels.kernel import Kernel

n, m, v, p = map(size, ("n", "m", "v", "p"))
i, j = Index("i", n), Index("j", m)


def rows_and_columns() -> Program:
    """Row statistics with buffers, column sums and maxima, a number over all, and a scatter."""
    X, g, tok = Tensor("X", (n, m)), Tensor("g", (m,)), Tensor("tok", (n,), "integer", bound=v)
    mu, E, Z, P = Tensor("mu", (n,)), Tensor("E", (n, m)), Tensor("Z", (n,)), Tensor("P", (n, m))
    columns, top, total, counts = Tensor("columns", (m,)), Tensor("top", (m,)), Tensor("total"), Tensor("counts", (v, m))
    room = Tensor("room", (v,))
    a = Index("a", v)
    return Program(
        (X, g, tok, room),
        (
            Equation(mu, (i,), X[i, j] / m, "sum", (j,)),
            Equation(E, (i, j), exp(X[i, j] - mu[i])),
            Equation(Z, (i,), E[i, j], "sum", (j,)),
            Equation(P, (i, j), g[j] * E[i, j] / Z[i]),
            Equation(columns, (j,), P[i, j] / sqrt(n), "sum", (i,)),
            Equation(top, (j,), P[i, j], "max", (i,)),
            Equation(total, (), P[i, j] ** 2, "sum", (i, j)),
            Equation(counts, (a, j), Bracket(_eq(a, tok[i])) * P[i, j], "sum", (i,)),
        ),
        (P, columns, top, total, counts),
    )


def _eq(a, b):
    from sympy import Eq

    return Eq(a, b)


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops_parallel, "PARALLEL_FROM", 0)
        return compile_program(rows_and_columns(), "rows", parallel=True)


def inputs(rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(rows)
    return {
        "X": rng.normal(size=(rows, 5)), "g": rng.normal(size=5), "tok": rng.integers(3, size=rows), "room": np.zeros(3),
    }  # fmt: skip


def agrees(kernel: Kernel, rows: int) -> None:
    values = inputs(rows)
    expected = evaluate(kernel.program, values)
    for found, tensor in zip(kernel(**values), kernel.program.outputs, strict=True):
        np.testing.assert_allclose(found, expected[tensor.name], rtol=1e-12, atol=1e-14, err_msg=tensor.name)


def test_it_is_parallel(kernel):
    assert kernel.parallel and "prange(blocks)" in kernel.source
    scatter = kernel.source[kernel.source.index("# counts") :]
    assert "prange" not in scatter  # two rows may add to the same place


@pytest.mark.parametrize("count", ["1", "2", "7"])
@pytest.mark.parametrize("rows", [1, 2, 3, 64])
def test_number_of_threads_and_rows(kernel, rows, count, monkeypatch):
    monkeypatch.setenv("DERIVE_NUM_THREADS", count)
    agrees(kernel, rows)


def test_callers_on_several_threads(kernel):
    failures: list[BaseException] = []

    def work(rows: int) -> None:
        try:
            for _ in range(20):
                agrees(kernel, rows)
        except BaseException as failure:
            failures.append(failure)

    callers = [threading.Thread(target=work, args=(rows,)) for rows in (8, 9)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    assert not failures


def test_blas_stays_outside_of_parallel_loops(agree, monkeypatch):
    monkeypatch.setattr(loops_parallel, "PARALLEL_FROM", 0)
    Q, K, S, E, Z = (Tensor(name, (p, n, m)) for name in "QKSEZ")
    S = Tensor("S", (p, n, n))
    E, Z = Tensor("E", (p, n, n)), Tensor("Z", (p, n))
    b, c = Index("b", p), Index("c", n)
    program = Program(
        (Q, K),
        (
            Equation(S, (b, i, c), Q[b, i, j] * K[b, c, j], "sum", (j,)),
            Equation(E, (b, i, c), exp(S[b, i, c])),
            Equation(Z, (b, i), E[b, i, c], "sum", (c,)),
        ),
        (E, Z),
    )
    source = agree(program, {"p": 2, "n": 5, "m": 3}, {"p": 1, "n": 1, "m": 1}, parallel=True).source
    loop = source[source.index("prange(blocks)") :]
    assert "np.dot" in source and "np.dot" not in loop


def test_threads_are_not_woken_for_little_work(monkeypatch):
    """One turn more than the limit, and they are; with either number of threads the value is the same."""
    monkeypatch.setattr(loops_parallel, "PARALLEL_FROM", 1000)
    x, y = Tensor("x", (n,)), Tensor("y", (n,))
    square = compile_program(Program((x,), (Equation(y, (i,), x[i] ** 2),), (y,)), "square", parallel=True)
    asked = []

    def with_threads(function, values, several):
        asked.append(several)
        return threads.with_threads(function, values, several)

    monkeypatch.setattr(kernel_module, "with_threads", with_threads)
    for length in (0, 1, 1000, 1001):
        values = np.arange(float(length))
        for _ in range(2):
            np.testing.assert_array_equal(square(values), values**2)
    assert asked == [False] * 6 + [True] * 2


def test_threads_sleep_while_they_wait_and_the_environment_is_left_alone(monkeypatch):
    found = []
    monkeypatch.setattr("numba.get_num_threads", lambda: found.append(os.environ.get("OMP_WAIT_POLICY")))
    for own in (None, "active"):
        if own is None:
            monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
        else:
            monkeypatch.setenv("OMP_WAIT_POLICY", own)
        threads.start_threads()
        assert os.environ.get("OMP_WAIT_POLICY") == own
    assert found == ["passive", "active"]
