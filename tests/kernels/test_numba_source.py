"""The Numba source that a user pastes: it runs alone, its own test passes, and it is pleasant to read."""

import ast
import importlib.util
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Eq, exp, tanh

from derive.emit.emit import emit_source
from derive.emit.loops_layout import fitted
from derive.emit.target import EmitRequest
from derive.ir.nodes import Bracket, Equation, Index, Program, Tensor, size

n, m, d, v = map(size, ("n", "m", "d", "v"))
i, j, k, a = Index("i", n), Index("j", m), Index("k", d), Index("a", v)


def dense_tanh() -> EmitRequest:
    X, W, b, gY = Tensor("X", (n, d)), Tensor("W", (d, m)), Tensor("b", (m,)), Tensor("gY", (n, m))
    Z, Y, gZ = Tensor("Z", (n, m)), Tensor("Y", (n, m)), Tensor("gZ", (n, m))
    gX, gW, gb = Tensor("gX", (n, d)), Tensor("gW", (d, m)), Tensor("gb", (m,))
    forward = (
        Equation(Z, (i, j), X[i, k] * W[k, j], "sum", (k,)),
        Equation(Y, (i, j), tanh(Z[i, j] + b[j])),
    )  # fmt: skip
    backward = (
        *forward,
        Equation(gZ, (i, j), gY[i, j] * (1 - Y[i, j] ** 2)),
        Equation(gX, (i, k), gZ[i, j] * W[k, j], "sum", (j,)),
        Equation(gW, (k, j), X[i, k] * gZ[i, j], "sum", (i,)),
        Equation(gb, (j,), gZ[i, j], "sum", (i,)),
    )
    return EmitRequest(
        "dense_tanh", Program((X, W, b), forward, (Y,)), Program((X, W, b, gY), backward, (gX, gW, gb)),
        wrt=("X", "W", "b"), cotangents=("gY",), formulas=("gZ = gY ∘ (1 - Y²)",), source="layers.py:7",
    )  # fmt: skip


def softmax() -> EmitRequest:
    X, gP = Tensor("X", (n, m)), Tensor("gP", (n, m))
    M, E, Z, P = Tensor("M", (n,)), Tensor("E", (n, m)), Tensor("Z", (n,)), Tensor("P", (n, m))
    q, gX = Tensor("q", (n,)), Tensor("gX", (n, m))
    forward = (
        Equation(M, (i,), X[i, j], "max", (j,)),
        Equation(E, (i, j), exp(X[i, j] - M[i])),
        Equation(Z, (i,), E[i, j], "sum", (j,)),
        Equation(P, (i, j), E[i, j] / Z[i]),
    )
    backward = (
        *forward,
        Equation(q, (i,), P[i, j] * gP[i, j], "sum", (j,)),
        Equation(gX, (i, j), P[i, j] * (gP[i, j] - q[i])),
    )
    return EmitRequest(
        "softmax", Program((X,), forward, (P,)), Program((X, gP), backward, (gX,)), wrt=("X",), cotangents=("gP",)
    )


def look_up() -> EmitRequest:
    """Integers, a number without axes, and two outputs."""
    E, t, tok = Tensor("E", (v, d)), Tensor("t"), Tensor("tok", (n,), "integer", bound=v)
    Y, s, gY, gs = Tensor("Y", (n, d)), Tensor("s"), Tensor("gY", (n, d)), Tensor("gs")
    gE, gt = Tensor("gE", (v, d)), Tensor("gt")
    forward = (Equation(Y, (i, k), t[()] * E[tok[i], k]), Equation(s, (), t[()] ** 2))
    backward = (
        Equation(gE, (a, k), t[()] * Bracket(Eq(a, tok[i])) * gY[i, k], "sum", (i,)),
        Equation(Tensor("c"), (), E[tok[i], k] * gY[i, k], "sum", (i, k)),
        Equation(gt, (), Tensor("c")[()] + 2 * t[()] * gs[()]),
    )
    return EmitRequest(
        "look_up", Program((E, t, tok), forward, (Y, s)), Program((E, t, tok, gY, gs), backward, (gE, gt)),
        wrt=("E", "t"), cotangents=("gY", "gs"), outputs_single=False,
    )  # fmt: skip


REQUESTS = [dense_tanh, softmax, look_up]


def load(request: EmitRequest, folder: Path) -> tuple[str, Any]:
    text = emit_source(request, "numba")
    path = folder / f"{request.name}_numba.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return text, module


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda f: f.__name__)
def test_its_own_test_passes(request_, tmp_path):
    request = request_()
    text, module = load(request, tmp_path)
    getattr(module, f"test_{request.name}_backward")()
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [str(node.module)])
    }  # fmt: skip
    assert imported <= {"math", "numpy", "numba", "llvmlite"}


def test_its_own_test_would_catch_an_error(tmp_path):
    request = dense_tanh()
    text = emit_source(request, "numba").replace("gY[i, j]\n", "1.001 * gY[i, j]\n")
    assert "1.001" in text
    module: dict[str, Any] = {}
    exec(text.replace("cache=True, ", ""), module)
    with pytest.raises(AssertionError):
        module["test_dense_tanh_backward"]()


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda f: f.__name__)
def test_it_is_formatted(request_, tmp_path):
    if find_spec("ruff") is None:
        pytest.skip("ruff is not installed")
    path = tmp_path / "emitted.py"
    path.write_text(emit_source(request_(), "numba"), encoding="utf-8")
    lint = ["check", "--isolated", "--select", "F,W,I,E501", "--line-length", "88"]
    for arguments in (["format", "--check", "--isolated"], lint):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, "--no-cache", str(path)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_formulas_are_in_the_docstring(tmp_path):
    text, module = load(dense_tanh(), tmp_path)
    assert "gZ = gY ∘ (1 - Y²)" in module.__doc__ and "layers.py:7" in module.__doc__
    assert module.dense_tanh_forward.__doc__ == "Y (n, m) from X (n, d), W (d, m), b (m)."
    assert "gW = X.T @ gZ" in text and "# gW[k,j] = sum_i X[i,k]*gZ[i,j]" in text


def test_indices_are_checked_there_too(tmp_path):
    _, module = load(look_up(), tmp_path)
    with pytest.raises(IndexError, match=r"tok must be in 0 \.\. v - 1"):
        module.look_up_forward(np.ones((3, 2)), 1.0, np.array([3]))


def test_a_function_without_derivative(tmp_path):
    request = softmax()
    alone = EmitRequest("sigmoid", request.forward)  # the name of a helper
    text = emit_source(alone, "numba")
    module: dict[str, Any] = {}
    exec(text.replace("cache=True, ", ""), module)
    found = module["sigmoid1"](np.array([[0.0, 0.0], [np.log(3), 0.0]]))
    np.testing.assert_allclose(found, [[0.5, 0.5], [0.75, 0.25]])


@pytest.mark.parametrize(
    "line",
    [
        "    x = " + " + ".join(f"first_{k} * second_{k}" for k in range(8)),
        "    y[i, j] = function(" + ", ".join(f"argument_{k}" for k in range(12)) + ")",
        "    return " + ", ".join(f"gradient_{k}" for k in range(12)),
        "    if " + " and ".join(f"condition_{k} < bound_{k}" for k in range(6)) + ":",
        "    np.dot(" + ", ".join(f"matrix_{k}.reshape(rows, columns)" for k in range(3)) + ")",
        "    z = 2 * (1 + math.tanh(" + " * ".join(f"factor_{k}" for k in range(9)) + ")) * value",
    ],
)
def test_long_lines_say_the_same_when_they_are_broken(line):
    def meaning(text: str) -> str:
        return ast.dump(ast.parse("def f():\n" + text + ("\n        pass" if text.endswith(":") else "")))

    lines = fitted(line)
    assert len(lines) > 1 and max(map(len, lines)) <= 88
    assert meaning("\n".join(lines)) == meaning(line)


def test_a_choice_behind_a_sign_stays_a_number() -> None:
    terms = " + ".join(f"x[i] * {k}" for k in range(12))
    (head, *inner, last) = fitted(f"    w[i] = -({terms} if x[i] < 1 else {terms})")
    assert head.strip() == "w[i] = -(" and last.strip() == ")"
    assert not any(line.endswith(",") for line in inner)
