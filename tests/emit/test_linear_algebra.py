"""Linear algebra in emitted files: every primitive on every target, one factorisation for each matrix, errors that are said."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.emit.emit import emit_source
from derive.emit.factor import factored
from derive.emit.helpers import HELPERS
from derive.emit.routine import ROUTINES
from derive.emit.target import EmitRequest
from derive.ir.evaluate import evaluate
from derive.ir.nodes import Entry, Program
from tests.ops.test_linalg import CASES

from .loading import MODULES, assert_formatted, call, load, run_tests_of

L = np.linalg
PD = "n n, positive definite"


def negative_log_likelihood(mu: Any, Sigma: Any, x: Any) -> Any:
    d = x - mu
    return 0.5 * d @ L.solve(Sigma, d) + 0.5 * L.slogdet(Sigma)[1]


def marginal_likelihood(X: Any, y: Any, scale: Any, noise: Any) -> Any:
    distances = np.sum((X[:, None, :] - X[None, :, :]) ** 2, axis=-1)
    K = np.exp(-0.5 * distances / scale**2) + noise * np.eye(X.shape[0])
    return 0.5 * y @ L.solve(K, y) + 0.5 * L.slogdet(K)[1]


MORE: list[tuple[str, Callable[..., Any], dict[str, str]]] = [
    ("Gaussian likelihood", negative_log_likelihood, {"mu": "n", "Sigma": PD, "x": "n"}),
    ("marginal likelihood", marginal_likelihood, {"X": "n d", "y": "n", "scale": ", positive", "noise": ", positive"}),
    ("one vector for a stack", lambda A, b: L.solve(A, b[:, None])[..., 0], {"A": "m n n", "b": "n"}),
    ("vectors for a stack", lambda A, b: L.solve(A, b[..., None])[..., 0], {"A": "m n n", "b": "m n"}),
    ("stack of stacks", lambda A, B: L.solve(A, B), {"A": "k n n", "B": "m k n p"}),
    ("everything of one matrix", lambda A, b: L.solve(A, b) * L.det(A) + L.inv(A.T)[0] * L.slogdet(A)[1], {"A": "n n", "b": "n"}),
    ("everything of a stack", lambda A: L.inv(A) * L.det(A)[:, None, None], {"A": "m n n, positive definite"}),
    ("sign", lambda A: L.slogdet(A)[0] * L.inv(A), {"A": "n n"}),
    ("a triangle", lambda T, b: L.solve(T, b) + L.slogdet(T)[1] + L.det(T), {"T": "n n, lower triangular", "b": "n"}),
    ("an upper triangle", lambda T, B: L.solve(T, B), {"T": "n n, upper triangular", "B": "n k"}),
    ("a diagonal", lambda D, b: L.solve(D, b), {"D": "n n, diagonal", "b": "n"}),
    ("inverse of a triangle", lambda T: L.inv(T), {"T": "n n, lower triangular"}),
    ("cholesky of any matrix", lambda A: L.cholesky(A), {"A": "n n"}),
    ("cholesky of a stack", lambda A: L.cholesky(A), {"A": "k n n, positive definite"}),
    ("eigenvectors of a stack", lambda A: (lambda w, V: V * np.exp(w)[:, None, :] @ V.mT)(*L.eigh(A)), {"A": "k n n"}),
    ("power of a stack", lambda X: L.matrix_power(X, 4), {"X": "k n n"}),
    ("no power", lambda X: L.matrix_power(X, 0) @ X, {"X": "n n"}),
]  # fmt: skip
ALL = {name: (function, shapes) for name, function, shapes in [*CASES, *MORE]}


@cache
def traced(name: str) -> Any:
    """One of all functions; what its code needs is derived once for all targets."""
    function, shapes = ALL[name]
    return dv.trace(function, **shapes)


SIZES = {"n": 4, "m": 3, "k": 2, "d": 5, "b": 3, "batch": 6, "p": 2}


def inputs(program: Program, rng: np.random.Generator) -> dict[str, Any]:
    """Matrices that are far from singular and have the facts that were declared."""
    values: dict[str, Any] = {}
    for tensor in program.inputs:
        shape = tuple(int(e.subs({s: SIZES[str(s)] for s in e.free_symbols})) for e in tensor.shape)
        x = rng.standard_normal(shape)
        if len(shape) > 1 and shape[-1] == shape[-2]:
            x = x @ x.swapaxes(-1, -2) / shape[-1] + np.diag(np.arange(1.0, shape[-1] + 1))
            if not tensor.facts & {"symmetric"}:
                x = x + 0.1 * rng.standard_normal(shape)
        for fact, part in (("lower triangular", np.tril), ("upper triangular", np.triu)):
            x = part(x) if fact in tensor.facts else x
        values[tensor.name] = np.abs(x) if "positive" in tensor.facts else x
    return values


@pytest.mark.parametrize("target", MODULES)
@pytest.mark.parametrize("name", ALL)
def test_emitted_file(name: str, target: str, tmp_path: Path) -> None:
    """Its own test passes, and both passes agree with the interpreter."""
    pytest.importorskip(MODULES[target])
    f = traced(name)
    module = load(f.emit(target), tmp_path, f"{re.sub(r'[^a-z]', '_', name)}_{target}")
    run_tests_of(module)
    request = f.request
    rng = np.random.default_rng(3)
    values = inputs(request.forward, rng)
    expected = evaluate(request.forward, values)
    arguments = [values[t.name] for t in request.forward.inputs]
    found = call(module, request.name, target, arguments)
    for tensor, result in zip(request.forward.outputs, found, strict=True):
        np.testing.assert_allclose(result, expected[tensor.name], rtol=1e-10, atol=1e-10)
    assert request.backward is not None
    seeds = {s: rng.standard_normal(expected[t.name].shape) for s, t in zip(request.cotangents, request.forward.outputs, strict=True)}
    gradients = evaluate(request.backward, {**values, **seeds})
    for gradient, tensor in zip(_pulled(module, request, target, arguments, seeds), request.backward.outputs, strict=True):
        np.testing.assert_allclose(gradient, gradients[tensor.name], rtol=1e-8, atol=1e-8, err_msg=str(tensor))


def _pulled(module: Any, request: Any, target: str, arguments: list[Any], seeds: dict[str, Any]) -> list[Any]:
    """The gradients that an emitted file gives for these cotangents."""
    positions = [[t.name for t in request.forward.inputs].index(w) for w in request.wrt]
    function = getattr(module, request.name)
    single = len(seeds) == 1
    if target == "torch":
        import torch

        arrays = [torch.as_tensor(a).requires_grad_() for a in arguments]
        results = function(*arrays)
        results = results if isinstance(results, tuple) else (results,)
        given = [torch.as_tensor(s) for s in seeds.values()]
        pairs = [(r, s) for r, s in zip(results, given, strict=True) if r.requires_grad]
        found = torch.autograd.grad([r for r, _ in pairs], [arrays[p] for p in positions], [s for _, s in pairs])
        return [np.asarray(g) for g in found]
    if target == "jax":
        import jax
        import jax.numpy as jnp

        with jax.enable_x64(True):
            _, pull = jax.vjp(jax.jit(function), *map(jnp.asarray, arguments))
            given = tuple(map(jnp.asarray, seeds.values()))
            found = pull(given[0] if single else given)
        return [np.asarray(found[p]) for p in positions]
    forward = getattr(module, f"{request.name}_forward", None)
    backward = getattr(module, f"{request.name}_backward")
    names = backward.__code__.co_varnames[: backward.__code__.co_argcount]
    passed = dict(zip([t.name for t in request.forward.inputs], arguments, strict=True)) | seeds
    run = forward or function
    results = run(*arguments)
    source = Path(module.__file__).read_text()
    returned = re.search(rf"def {run.__name__}\(.*?\n    return \(?\n?(.*?)\n(?:\n|    \))", source, re.DOTALL)
    assert returned is not None
    labels = [part.strip() for part in re.split(r",\s*", returned[1].strip().rstrip(",")) if part.strip()]
    passed |= dict(zip(labels, results if isinstance(results, tuple) else (results,), strict=True))
    found = backward(*(passed[name] for name in names))
    return list(found) if isinstance(found, tuple) else [found]


def test_formatted(tmp_path: Path) -> None:
    for name, target in zip(ALL, cycle(MODULES), strict=False):
        path = tmp_path / f"{re.sub(r'[^a-z]', '_', name)}_{target}.py"
        path.write_text(traced(name).emit(target), encoding="utf-8")
    assert_formatted(tmp_path)


# -- one factorisation for each matrix


FACTORS = r"(?:lu_factor\w*|linalg\.(?:cholesky|inv|solve|det|slogdet))\("


def factorisations(source: str) -> list[str]:
    """The calls in an emitted file that factorise a matrix, those of its test and its helpers left out."""
    code = "\n\n\n".join(b for b in source.split("\n\n\n") if not re.match(r"def (_|test_|numerical)", b))
    return re.findall(FACTORS, re.sub(r'""".*?"""', "", code, flags=re.DOTALL))


@pytest.mark.parametrize("target", MODULES)
@pytest.mark.parametrize(
    "name",
    ["det", "logdet", "solve a vector", "solve a matrix", "solve stacks", "solve with a transpose", "Gaussian likelihood",
     "marginal likelihood", "everything of one matrix", "everything of a stack", "solve by Cholesky", "cholesky", "inv"],
)  # fmt: skip
def test_a_matrix_is_factorised_once_in_both_passes(name: str, target: str) -> None:
    function, shapes = ALL[name]
    assert len(factorisations(dv.trace(function, **shapes).emit(target))) == 1


@pytest.mark.parametrize("name", ["solve a triangle", "solve an upper triangle", "a triangle", "a diagonal"])
def test_a_triangle_is_not_factorised_at_all(name: str) -> None:
    function, shapes = ALL[name]
    for target in MODULES:
        assert factorisations(dv.trace(function, **shapes).emit(target)) == []


def test_columns_are_solved_together() -> None:
    function, shapes = ALL["solve a matrix"]
    assert "Y = _lu_solve(LU_A, pivots_A, B)" in dv.trace(function, **shapes).emit("numpy")
    program = dv.trace(function, **shapes).program
    assert "Y = np.linalg.solve(A, B)" in emit_source(EmitRequest("solution", program), "numpy")


def test_results_of_one_call() -> None:
    w_and_V = dv.trace(lambda A: L.eigh(A), A="n n, symmetric").emit("numpy")
    assert w_and_V.count("np.linalg.eigh(A)") == 1 and "eigvalsh" not in w_and_V
    w = dv.trace(lambda A: L.eigvalsh(A), A="n n, symmetric").program
    assert "torch.linalg.eigvalsh(A)" in emit_source(EmitRequest("spectrum", w), "torch")


@pytest.mark.parametrize("target", MODULES)
def test_every_primitive_is_spelled(target: str) -> None:
    from derive.ops.linalg import primitives

    assert all(target in record.spelling for record in primitives().values())
    assert all(target in routine.spelling for routine in ROUTINES.values())
    brought = "\n".join(HELPERS[target].values())
    for record in (*primitives().values(), *ROUTINES.values()):
        for key, text in record.spelling.items():
            if key.partition(".")[0] == target and text.startswith("_"):
                assert f"def {text.partition('(')[0]}(" in brought


def test_equal_equations_of_both_passes_stay_equal() -> None:
    for name in ALL:
        request = traced(name).request
        assert request.backward is not None
        forward, backward = factored([request.forward, request.backward])
        shared = forward.definitions.keys() & backward.definitions.keys()
        assert all(forward.definitions[n] == backward.definitions[n] for n in shared)
        assert all(len(set(e.axes)) == len(e.axes) for p in (forward, backward) for e in p.equations)
        assert not any(isinstance(r, Entry) for p in (forward, backward) for e in p.equations for r in e.reads)


# -- matrices that have no result


def test_numpy_raises(tmp_path: Path) -> None:
    solve = load(dv.trace(lambda A, b: L.solve(A, b), A="n n", b="n").emit("numpy"), tmp_path, "solve")
    with pytest.warns(match="singular|Singular"), pytest.raises(L.LinAlgError, match="singular"):
        solve.function(np.zeros((2, 2)), np.ones(2))
    root = load(dv.trace(lambda A: L.cholesky(A), A=PD).emit("numpy"), tmp_path, "root")
    with pytest.raises(L.LinAlgError, match="positive definite"):
        root.function(np.diag([1.0, -1.0]))
    gaps = load(dv.trace(lambda A: L.eigh(A).eigenvectors, A="n n").emit("numpy"), tmp_path, "gaps")
    with pytest.raises(ValueError, match="eigenvalues coincide"):
        gaps._gaps(np.linalg.eigvalsh(np.eye(2)))


def test_torch_raises(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    solve = load(dv.trace(lambda A, b: L.solve(A, b), A="n n", b="n").emit("torch"), tmp_path, "solve")
    with pytest.raises(torch.linalg.LinAlgError, match="singular"):
        solve.function(torch.zeros(2, 2), torch.ones(2))
    roots = load(dv.trace(lambda A: L.cholesky(A), A=PD).emit("torch"), tmp_path, "roots")
    with pytest.raises(torch.linalg.LinAlgError):
        roots.function(torch.diag(torch.tensor([1.0, -1.0])))


def test_jax_says_that_it_does_not(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    source = dv.trace(lambda A, b: L.solve(A, b), A="n n", b="n").emit("jax")
    assert "NaN" in source.split('"""')[1]
    module = load(source, tmp_path, "solve")
    assert not np.isfinite(np.asarray(module.function(np.zeros((2, 2)), np.ones(2)))).any()


def test_single_precision_stays(tmp_path: Path) -> None:
    for name in ("det", "solve a matrix", "everything of one matrix", "cholesky", "sqrtm", "power", "expm", "Gaussian likelihood"):
        f = traced(name)
        values = inputs(f.program, np.random.default_rng(1))
        module = load(f.emit("numpy"), tmp_path, re.sub(r"\W", "_", name) + "_single")
        found = getattr(module, f.request.name)(*(v.astype(np.float32) for v in values.values()))
        assert np.asarray(found).dtype == np.float32, name


def several(A: Any, S: Any, T: Any, b: Any, scale: Any) -> Any:
    """Every kind of factorisation in one function, so that Numba compiles each helper once."""
    x = L.solve(A, b) + L.solve(T, b)
    return x, L.slogdet(A)[1] + scale * L.det(A), L.cholesky(S) @ L.inv(A.T), L.eigvalsh(S)


def test_numba(tmp_path: Path) -> None:
    """The emitted loops of both passes, with the test that they bring along."""
    pytest.importorskip("numba")
    f = dv.trace(several, A="n n", S=PD, T="n n, lower triangular", b="n", scale="")
    source = f.emit("numba")
    module = load(source, tmp_path, "several_numba")
    run_tests_of(module)
    backward = source[source.index("def several_backward") : source.index("def numerical")]
    assert backward.count("_lu_factor(") == 1 and backward.count("_cholesky(") == 1
    with pytest.raises(L.LinAlgError, match="singular"):
        module.several_forward(np.zeros((3, 3)), np.eye(3), np.eye(3), np.ones(3), 1.0)
    (tmp_path / "format").mkdir()
    (tmp_path / "format" / "several.py").write_text(source)
    assert_formatted(tmp_path / "format", lint=False)
