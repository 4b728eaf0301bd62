"""Linear algebra in kernels: every case of the primitives at several sizes, forward and backward, against the interpreter."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import derive as dv
from derive.emit.loops_linalg import SOURCES
from derive.errors import DomainError
from derive.ir.evaluate import evaluate
from derive.ir.nodes import Entry, Program, Tensor
from derive.ir.tensors import with_tensors
from derive.kernels.compile import compile_program
from derive.kernels.kernel import Kernel
from derive.ops.linalg import primitives
from derive.pairs import forward_and_backward
from tests.emit.test_linear_algebra import ALL

L = np.linalg
SIZES = (1, 2, 7, 60)
GROUPS = {
    "inverses": ("inv", "negative", "everything", "sign", "det", "logdet"),
    "systems": ("solve", "vector", "stack of stacks", "triang", "diagonal"),
    "likelihoods": ("likelihood", "cholesky", "sqrtm"),
    "spectra": ("eig", "sym", "singular", "orthogonal", "pinv"),
    "functions": ("power", "expm", "qr"),
}
BROAD = {"singular vectors", "the orthogonal factor", "qr", "pinv, tall"}  # at least as many rows as columns


def both_passes(name: str) -> Program:
    """The outputs and the gradients of a case as one program, its tensors named after the case."""
    function, shapes = ALL[name]
    f = dv.trace(function, **shapes)
    forward, backward, _ = forward_and_backward(f.program, tuple(shapes))
    equations = {e.target.name: e for e in (*forward.equations, *backward.equations)}
    program = Program(backward.inputs, tuple(equations.values()), (*forward.outputs, *backward.outputs))
    prefix = re.sub(r"\W", "_", name)
    tensors = {t for p in (forward, backward, program) for t in (*p.tensors.values(), *p.outputs)}
    return with_tensors(program, {t: replace(t, name=f"{prefix}_{t.name}") for t in tensors})


def joined(programs: Sequence[Program]) -> Program:
    """Programs that have nothing in common, as one: what they call is compiled once."""
    return Program(
        tuple(t for p in programs for t in p.inputs),
        tuple(e for p in programs for e in p.equations),
        tuple(t for p in programs for t in p.outputs),
    )


def group_of(name: str) -> str:
    return next(g for g, words in reversed(GROUPS.items()) if any(w in name for w in words))


def inputs(program: Program, n: int, rng: np.random.Generator) -> dict[str, Any]:
    """Well-conditioned matrices that have the facts that were declared; cotangents are any numbers."""
    values = {}
    for tensor in program.inputs:
        sizes = {"n": n, "m": n + 2, "k": 2, "d": 3, "b": 2, "p": 2, "batch": 3}
        shape = tuple(int(e.subs({s: sizes[str(s)] for s in e.free_symbols})) for e in tensor.shape)
        values[tensor.name] = regular(tensor, shape, rng)
    return values


def regular(tensor: Tensor, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    x = rng.standard_normal(shape)
    if len(shape) > 1 and shape[-1] == shape[-2] and "_g" not in tensor.name:
        n = shape[-1]
        x = (x @ x.swapaxes(-1, -2) / n + np.diag(np.arange(1.0, n + 1))) / (1 + n / 8)
        if not tensor.facts & {"symmetric"}:
            x = x + 0.1 * rng.standard_normal(shape) / n
    for fact, part in (("lower triangular", np.tril), ("upper triangular", np.triu)):
        x = part(x) if fact in tensor.facts else x
    return np.abs(x) + 0.5 if "positive" in tensor.facts else x


NAMES: dict[str, list[str]] = {}
for case in ALL:
    NAMES.setdefault(group_of(case), []).append(case)


@pytest.fixture(scope="module", params=NAMES)
def compiled(request: pytest.FixtureRequest) -> tuple[Kernel, Program]:
    program = joined([both_passes(name) for name in NAMES[request.param]])
    return compile_program(program, request.param, single=False), program


def test_every_case_at_every_size(compiled: tuple[Kernel, Program]) -> None:
    kernel, program = compiled
    for n in SIZES:
        values = inputs(program, n, np.random.default_rng(n))
        expected = evaluate(program, values)
        for tensor, found in zip(program.outputs, kernel(**values), strict=True):
            wanted = expected[tensor.name]
            scale = max(1.0, float(np.max(np.abs(wanted), initial=0)))
            np.testing.assert_allclose(found / scale, wanted / scale, rtol=1e-9, atol=1e-10, err_msg=f"{tensor} at n={n}")


def test_every_case_is_in_a_group() -> None:
    assert sum(map(len, NAMES.values())) == len(ALL)


# -- single precision, threads, errors

FEW = ["solve stacks", "marginal likelihood", "everything of one matrix", "sqrtm", "power", "det of a stack"]


@pytest.mark.parametrize("options", [{"dtype": np.float32}, {"parallel": True}], ids=["single", "parallel"])
def test_options(options: dict[str, Any]) -> None:
    program = joined([both_passes(name) for name in FEW])
    kernel = compile_program(program, "few", single=False, **options)
    values = inputs(program, 40, np.random.default_rng(2))
    values = {name: v.astype(np.float32).astype(float) for name, v in values.items()}
    expected = evaluate(program, values)
    tolerance = 1e-9 if options.get("parallel") else 2e-3
    for tensor, found in zip(program.outputs, kernel(**values), strict=True):
        assert np.asarray(found).dtype == (np.float64 if options.get("parallel") else np.float32)
        scale = max(1.0, float(np.max(np.abs(expected[tensor.name]))))
        np.testing.assert_allclose(found / scale, expected[tensor.name] / scale, atol=tolerance, err_msg=str(tensor))


ERRORS: list[tuple[Callable[..., Any], dict[str, str], list[Any], str]] = [
    (lambda A, b: L.solve(A, b), {"A": "n n", "b": "n"}, [np.ones((3, 3)), np.ones(3)], "singular"),
    (lambda A: L.cholesky(A), {"A": "n n, positive definite"}, [np.diag([1.0, -1.0])], "least eigenvalue is -1"),
    (lambda A: scipy.linalg.sqrtm(A), {"A": "n n, positive definite"}, [-np.eye(2)], "not positive definite"),
    (lambda A: L.inv(A), {"A": "k n n"}, [np.stack([np.eye(2), np.zeros((2, 2))])], "singular"),
]  # fmt: skip


def test_matrices_without_a_result() -> None:
    equations = [dv.trace(function, **shapes) for function, shapes, _, _ in ERRORS]
    for f, (_, _, arguments, message) in zip(equations, ERRORS, strict=True):
        with pytest.raises(DomainError, match=message):
            f.compile()(*arguments)
    gradient = dv.vjp(dv.trace(lambda A: L.eigh(A).eigenvectors, A="n n"))
    with pytest.raises(DomainError, match="coincide"):
        gradient.compile()(np.eye(3), np.ones((3, 3)))


def test_a_kernel_factorises_each_matrix_once() -> None:
    function, shapes = ALL["everything of one matrix"]
    source = dv.vjp(dv.trace(function, **shapes)).compile().kernel.source
    body = source[source.rindex("@njit") :]
    assert body.count("_lu_factor(") == 1 and body.count("_lu_solve(") == 2 and body.count("_lu_inverse(") == 1
    triangle = dv.vjp(dv.trace(lambda T, b: L.solve(T, b), T="n n, lower triangular", b="n")).compile().kernel.source
    assert "_lu_factor" not in triangle


def test_every_primitive_and_helper_is_reached() -> None:
    entries = [e.body for name in ALL for e in both_passes(name).equations if isinstance(e.body, Entry)]
    assert {e.primitive for e in entries} == set(primitives())
    unreached = {"_invert_upper"}
    assert all(f"def {name}(" in text for name, text in SOURCES.items()) and unreached < set(SOURCES)


def test_large_systems_against_lapack() -> None:
    rng = np.random.default_rng(0)
    A, B = rng.standard_normal((301, 301)) + 20 * np.eye(301), rng.standard_normal((301, 40))
    X = dv.trace(lambda A, B: L.solve(A, B), A="n n", B="n k").compile()(A, B)
    np.testing.assert_allclose(X, L.solve(A, B), rtol=1e-10, atol=1e-12)
    S = A @ A.T
    np.testing.assert_allclose(dv.trace(L.cholesky, a="n n, positive definite").compile()(S), L.cholesky(S), rtol=1e-9, atol=1e-9)


def test_a_determinant_whose_permutation_nothing_reads():
    kernel = dv.trace(lambda A: np.linalg.slogdet(A)[1], A="n n").compile()
    A = np.array([[0.0, 2.0, 1.0], [3.0, 1.0, 4.0], [1.0, 5.0, 9.0]])
    assert kernel(A) == pytest.approx(np.log(abs(np.linalg.det(A))), rel=1e-14)
