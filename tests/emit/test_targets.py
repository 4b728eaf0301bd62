"""Complete emitted files: their own tests pass, their gradients are those of the frameworks, their text is pleasant."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Integer, exp

from derive.emit.emit import emit_source
from derive.emit.target import EmitRequest
from derive.errors import UnknownName
from derive.ir.evaluate import evaluate
from derive.ir.nodes import Equation, Index, Program, Tensor, Where, size

from .loading import MODULES, assert_formatted, load, run_tests_of
from .requests import REQUESTS, attention, dense_tanh, equation

GOLDEN = Path(__file__).parent / "golden"
SIZES = {"n": 4, "m": 5, "d": 3, "p": 2, "batch": 6, "v": 7}
CASES = [(name, target) for name in REQUESTS for target in MODULES]


def inputs_of(request: EmitRequest, dtype: Any = np.float64) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    program = request.backward or request.forward
    values = {}
    for tensor in program.inputs:
        shape = tuple(SIZES[str(extent)] for extent in tensor.shape)
        integers = tensor.kind == "integer"
        draw = rng.integers(SIZES[str(tensor.bound)], size=shape) if integers else rng.standard_normal(shape)
        values[tensor.name] = draw if integers else np.asarray(draw, dtype)
    return values


@pytest.mark.parametrize(("name", "target"), CASES)
def test_own_tests_pass(name: str, target: str, tmp_path: Path) -> None:
    pytest.importorskip(MODULES[target])
    run_tests_of(load(emit_source(REQUESTS[name], target), tmp_path, f"{name}_{target}"))


def test_formatted(tmp_path: Path) -> None:
    for name, target in CASES:
        (tmp_path / f"{name}_{target}.py").write_text(emit_source(REQUESTS[name], target), encoding="utf-8")
    assert_formatted(tmp_path)


@pytest.mark.parametrize(("name", "target"), CASES)
def test_imports_nothing_but_the_framework(name: str, target: str) -> None:
    allowed = {
        "numpy": {"math", "numpy", "scipy"},
        "torch": {"math", "torch"},
        "jax": {"math", "jax", "numpy"},
    }
    for node in ast.walk(ast.parse(emit_source(REQUESTS[name], target))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert {n.partition(".")[0] for n in names} <= allowed[target]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.py.txt")), ids=lambda path: path.name)
def test_golden_text(path: Path) -> None:
    name, target = path.name.removesuffix(".py.txt").split(".")
    assert emit_source(REQUESTS[name], target) == path.read_text(encoding="utf-8")


# --- gradients against the interpreter and against the frameworks' own


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", REQUESTS)
def test_torch_gradients(name: str, dtype: Any, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    request = REQUESTS[name]
    module = load(emit_source(request, "torch"), tmp_path, f"{name}_torch")
    values = inputs_of(request, dtype)
    arrays = [torch.as_tensor(values[t.name]) for t in request.forward.inputs]
    wanted = [a for a, t in zip(arrays, request.forward.inputs, strict=True) if t.name in request.wrt]
    for array in wanted:
        array.requires_grad_()
    result = getattr(module, name)(*arrays)
    cotangent = torch.as_tensor(values[request.cotangents[0]])
    found = torch.autograd.grad(result, wanted, cotangent)
    plain = TORCH[name](torch, *arrays)
    expected = torch.autograd.grad(plain, wanted, cotangent)
    tolerance = 1e-10 if dtype is np.float64 else 1e-4
    for a, b in zip((result, *found), (plain, *expected), strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_allclose(a.detach(), b.detach(), rtol=tolerance, atol=tolerance)
    _assert_as_interpreted(request, values, found, tolerance)


TORCH: dict[str, Callable[..., Any]] = {
    "dense_tanh": lambda torch, X, W, b: torch.tanh(X @ W + b),
    "attention": lambda torch, Q, K, V: torch.nn.functional.scaled_dot_product_attention(Q, K, V),
    "cross_entropy": lambda torch, Z, y: torch.nn.functional.cross_entropy(Z, y),
    "embedding": lambda torch, E, tok: torch.nn.functional.embedding(tok, E),
}


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("name", REQUESTS)
def test_jax_gradients(name: str, single: bool, tmp_path: Path) -> None:
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    request = REQUESTS[name]
    module = load(emit_source(request, "jax"), tmp_path, f"{name}_jax")
    values = inputs_of(request, np.float32 if single else np.float64)
    with jax.enable_x64(not single):
        arrays = [jnp.asarray(values[t.name]) for t in request.forward.inputs]
        wanted = [p for p, t in enumerate(request.forward.inputs) if t.name in request.wrt]

        def of_wanted(function: Callable[..., Any]) -> tuple[Any, tuple[Any, ...]]:
            def moved(*chosen: Any) -> Any:
                given = dict(zip(wanted, chosen, strict=True))
                return function(*(given.get(p, a) for p, a in enumerate(arrays)))

            result, pullback = jax.vjp(moved, *(arrays[p] for p in wanted))
            return result, pullback(jnp.asarray(values[request.cotangents[0]]))

        result, found = of_wanted(jax.jit(getattr(module, name)))
        plain, expected = of_wanted(lambda *a: JAX[name](jax, *a))
    tolerance = 1e-4 if single else 1e-10
    for a, b in zip((result, *found), (plain, *expected), strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    _assert_as_interpreted(request, values, found, tolerance)


JAX: dict[str, Callable[..., Any]] = {
    "dense_tanh": lambda jax, X, W, b: jax.numpy.tanh(X @ W + b),
    "attention": lambda jax, Q, K, V: (
        jax.nn.softmax(Q @ K.T / jax.numpy.sqrt(Q.shape[1]).astype(Q.dtype)) @ V
    ),
    "cross_entropy": lambda jax, Z, y: -jax.nn.log_softmax(Z)[jax.numpy.arange(len(y)), y].mean(),
    "embedding": lambda jax, E, tok: E[tok],
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_numpy_gradients(dtype: Any, tmp_path: Path) -> None:
    request = attention()
    module = load(emit_source(request, "numpy"), tmp_path, "attention_numpy")
    values = inputs_of(request, dtype)
    Q, K, V, gO = (values[name] for name in ("Q", "K", "V", "gO"))
    O, P = module.attention_forward(Q, K, V)
    found = module.attention_backward(gO, Q, K, V, P)
    np.testing.assert_array_equal(module.attention(Q, K, V), O)
    assert {a.dtype for a in (O, P, *found)} == {np.dtype(dtype)}
    _assert_as_interpreted(request, values, found, 1e-10 if dtype is np.float64 else 1e-4)


def _assert_as_interpreted(
    request: EmitRequest, values: dict[str, Any], found: Any, tolerance: float
) -> None:
    assert request.backward is not None
    expected = evaluate(request.backward, values)
    for tensor, gradient in zip(request.backward.outputs, found, strict=True):
        np.testing.assert_allclose(gradient, expected[tensor.name], rtol=tolerance, atol=tolerance)


# --- what is saved, and what is computed


def _function(source: str, name: str) -> str:
    """The text of a function or method."""
    (node,) = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef) and n.name == name)
    return ast.unparse(node)


@pytest.mark.parametrize(
    ("target", "name"), [("numpy", "attention_backward"), ("torch", "backward"), ("jax", "attention_bwd")]
)
def test_the_backward_pass_recomputes_nothing(target: str, name: str) -> None:
    backward = _function(emit_source(attention(), target), name)
    assert "exp" not in backward and "max" not in backward
    assert "K.T" not in backward


def test_only_what_is_read_is_saved() -> None:
    assert "ctx.save_for_backward(Q, K, V, P)" in emit_source(attention(), "torch")
    assert "ctx.save_for_backward(X, W, Y)" in emit_source(dense_tanh(), "torch")
    assert "saved = (X, Y)" in emit_source(dense_tanh(wrt=("W",)), "jax")
    assert "def dense_tanh_backward(gY, W, Y):" in emit_source(dense_tanh(wrt=("X", "b")), "numpy")


def test_torch_computes_only_the_gradients_that_are_needed(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    module = load(emit_source(attention(), "torch"), tmp_path, "attention_torch")
    values = {name: torch.as_tensor(a) for name, a in inputs_of(attention()).items()}
    values["K"].requires_grad_()
    grad_function = module.attention(values["Q"], values["K"], values["V"]).grad_fn
    gradients = module.AttentionFunction.backward(grad_function, values["gO"])
    assert [g is not None for g in gradients] == [False, True, False]


def test_torch_gives_first_derivatives_only(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    module = load(emit_source(dense_tanh(), "torch"), tmp_path, "dense_torch")
    arrays = [torch.as_tensor(inputs_of(dense_tanh())[name]).requires_grad_() for name in ("X", "W", "b")]
    (gradient,) = torch.autograd.grad(module.dense_tanh(*arrays).sum(), arrays[:1], create_graph=True)
    with pytest.raises(RuntimeError, match=r"does not require grad|once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize("target", MODULES)
@pytest.mark.parametrize("wrt", [("W",), ("b", "X")])
def test_some_inputs_without_gradient(wrt: tuple[str, ...], target: str, tmp_path: Path) -> None:
    pytest.importorskip(MODULES[target])
    run_tests_of(load(emit_source(dense_tanh(wrt=wrt), target), tmp_path, f"dense_{'_'.join(wrt)}_{target}"))


@pytest.mark.parametrize("target", MODULES)
def test_a_wrong_gradient_is_caught(target: str, tmp_path: Path) -> None:
    """The test that an emitted file brings along fails if its backward pass is wrong by a factor."""
    pytest.importorskip(MODULES[target])
    request = dense_tanh()
    assert request.backward is not None
    wrong = tuple(
        replace(e, body=e.body * Integer(1001) / 1000) if e.target.name == "gb" else e
        for e in request.backward.equations
    )
    request = replace(request, backward=replace(request.backward, equations=wrong))
    module = load(emit_source(request, target), tmp_path, f"wrong_{target}")
    with pytest.raises(Exception, match=r"(?i)not equal|mismatch"):
        run_tests_of(module)


# --- requests of other kinds


n = size("n")
i, j = Index("i", n), Index("j", n)


@pytest.mark.parametrize("target", MODULES)
def test_a_function_without_backward_pass(target: str, tmp_path: Path) -> None:
    pytest.importorskip(MODULES[target])
    request = replace(attention(), backward=None, wrt=(), cotangents=())
    source = emit_source(request, target)
    load(source, tmp_path, f"plain_{target}")
    assert "backward" not in source and "custom_vjp" not in source and "def test_" not in source


@pytest.mark.parametrize("target", MODULES)
def test_names_that_are_taken(target: str, tmp_path: Path) -> None:
    """Tensors named like modules, keywords, sizes and index vectors."""
    pytest.importorskip(MODULES[target])
    module = {"numpy": "np", "torch": "torch", "jax": "jnp"}[target]
    a, b, c = Tensor(module, (n, n)), Tensor("lambda", (n,)), Tensor("i", (n,))
    masked, Y = Tensor("n", (n, n)), Tensor("math", (n,))
    gY = Tensor("gY", (n,))
    forward = (
        equation(masked, (i, j), Where(j <= i, a[i, j] + b[j], c[j])),
        equation(Y, (i,), exp(masked[i, j] / n), "sum", j),
    )
    g = equation(Tensor("g'", (n,)), (j,), Where(j <= i, gY[i] * exp(masked[i, j] / n) / n, 0), "sum", i)
    request = EmitRequest(
        "t",
        Program((a, b, c), forward, (Y,)),
        Program((a, b, c, gY), (forward[0], g), (g.target,)),
        ("lambda",),
        ("gY",),
    )
    source = emit_source(request, target)
    run_tests_of(load(source, tmp_path, f"names_{target}"))
    (tmp_path / "names.py").write_text(source, encoding="utf-8")
    assert_formatted(tmp_path)


@pytest.mark.parametrize("target", MODULES)
@pytest.mark.parametrize("single", [True, False])
def test_a_tuple_of_one(single: bool, target: str, tmp_path: Path) -> None:
    pytest.importorskip(MODULES[target])
    source = emit_source(replace(dense_tanh(), outputs_single=single), target)
    run_tests_of(load(source, tmp_path, f"tuple_{target}_{single}"))


@pytest.mark.parametrize("target", MODULES)
def test_two_outputs_and_a_constant_input(target: str, tmp_path: Path) -> None:
    """A scalar without gradient, a gradient that is constant along an axis, and a size that only an input has."""
    pytest.importorskip(MODULES[target])
    X, keep, gY, gs = (
        Tensor("X", (n, n)),
        Tensor("keep", (), facts=frozenset({"positive"})),
        Tensor("gY", (n,)),
        Tensor("gs"),
    )
    Y, s, gX = Tensor("Y", (n,)), Tensor("s"), Tensor("gX", (n, n))
    forward = (
        equation(Y, (i,), X[i, j] / keep[()], "sum", j),
        equation(s, (), Y[i] ** 2, "sum", i),
    )
    backward = (*forward, equation(gX, (i, j), (gY[i] + 2 * gs[()] * Y[i]) / keep[()]))
    request = EmitRequest(
        "sums",
        Program((X, keep), forward, (Y, s)),
        Program((X, keep, gY, gs), backward, (gX,)),
        ("X",),
        ("gY", "gs"),
        False,
    )
    source = emit_source(request, target)
    run_tests_of(load(source, tmp_path, f"sums_{target}"))
    assert_formatted(tmp_path)


def test_a_python_number_as_constant_in_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    X, keep, gY = Tensor("X", (n,)), Tensor("keep"), Tensor("gY", (n,))
    forward = (Equation(Tensor("Y", (n,)), (i,), X[i] / keep[()]),)
    backward = Program(
        (X, keep, gY), (Equation(Tensor("gX", (n,)), (i,), gY[i] / keep[()]),), (Tensor("gX", (n,)),)
    )
    request = EmitRequest(
        "drop", Program((X, keep), forward, (forward[0].target,)), backward, ("X",), ("gY",)
    )
    module = load(emit_source(request, "torch"), tmp_path, "drop_torch")
    x = torch.ones(3, dtype=torch.float64, requires_grad=True)
    module.drop(x, 0.5).sum().backward()
    np.testing.assert_array_equal(x.grad, np.full(3, 2.0))


def test_results_do_not_share_memory_with_what_was_saved(tmp_path: Path) -> None:
    X, gY = Tensor("X", (n,)), Tensor("gY", (n,))
    Y, gX = Tensor("Y", (n,)), Tensor("gX", (n,))
    backward = Program((X, gY), (Equation(gX, (i,), X[i]),), (gX,))
    request = EmitRequest(
        "f", Program((X,), (Equation(Y, (i,), X[i] ** 2 / 2),), (Y,)), backward, ("X",), ("gY",)
    )
    module = load(emit_source(request, "numpy"), tmp_path, "aliases")
    x = np.ones(3)
    assert not np.shares_memory(module.f_backward(np.ones(3), x), x)


def test_formulas_and_source_in_the_docstring() -> None:
    source = emit_source(
        replace(dense_tanh(), formulas=(r"Y = \tanh(Z)", 'gX = """gZ"""'), source="a.py:3"), "numpy"
    )
    documentation = ast.get_docstring(ast.parse(source)) or ""
    assert r"Y = \tanh(Z)" in documentation and 'gX = """gZ"""' in documentation
    assert documentation.endswith("Derived from a.py:3.")
    without = ast.get_docstring(ast.parse(emit_source(replace(dense_tanh(), formulas=()), "numpy"))) or ""
    assert "Forward:" in without and "Backward:" in without and "gW[k,j] = sum_i" in without


def test_unknown_target() -> None:
    with pytest.raises(UnknownName, match="no code target is called 'pytorch'; did you mean 'torch'"):
        emit_source(attention(), "pytorch")


def test_targets_do_not_import_their_frameworks() -> None:
    """Source for a framework can be written where it is not installed."""
    import subprocess

    code = (
        "import sys, derive.emit.emit as e; e.emit_targets(); assert not {'torch', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
