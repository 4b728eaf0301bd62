"""Each form of equation as array source: its text, and its values in every framework and precision."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

from derive.emit.emit import emit_source
from derive.emit.target import EmitRequest
from derive.ir.evaluate import evaluate
from derive.ir.nodes import Program

from .forms import FORMS, SIZES, Form
from .loading import MODULES, assert_formatted, call, load

JAX_SINGLE = {"scaled", "gelu", "leakyp", "maskI", "relupe", "onehot2", "arange", "const", "scatter"}
"""Forms that JAX also runs in float32: compiling each operation takes its time."""


def inputs_of(program: Program, dtype: Any) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    values = {}
    for tensor in program.inputs:
        shape = tuple(int(sympy.sympify(extent).subs(SIZES)) for extent in tensor.shape)
        if tensor.kind == "integer":
            values[tensor.name] = rng.integers(int(tensor.bound.subs(SIZES)), size=shape)
        elif tensor.kind == "boolean":
            values[tensor.name] = rng.random(shape) < 0.5
        elif "positive" in tensor.facts:
            values[tensor.name] = np.asarray(rng.uniform(0.5, 1.5, shape), dtype)
        else:
            values[tensor.name] = np.asarray(rng.standard_normal(shape), dtype)
    return values


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_numpy_text(form: Form) -> None:
    source = emit_source(EmitRequest("f", form.program), "numpy")
    body = source.split('"""\n')[-1].rstrip().split("\n")
    assert tuple(line[4:] for line in body) == (*form.statements, "return R")


@pytest.mark.parametrize("target", MODULES)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_values_and_types(form: Form, target: str, tmp_path: Path) -> None:
    pytest.importorskip(MODULES[target])
    program = form.program
    module = load(emit_source(EmitRequest("f", program), target), tmp_path, f"{form.name}_{target}")
    precisions = [(np.float64, 1e-10), (np.float32, 2e-4)]
    for dtype, tolerance in precisions[: 1 if target == "jax" and form.name not in JAX_SINGLE else 2]:
        values = inputs_of(program, dtype)
        expected = np.asarray(evaluate(program, values)["R"])
        (found,) = call(module, "f", target, [values[t.name] for t in program.inputs], dtype)
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
        assert found.shape == expected.shape
        if form.equation.target.kind == "real":
            assert found.dtype == dtype


def test_formatted(tmp_path: Path) -> None:
    for form in FORMS:
        for target in MODULES:
            source = emit_source(EmitRequest("f", form.program), target)
            (tmp_path / f"{form.name}_{target}.py").write_text(source, encoding="utf-8")
    assert_formatted(tmp_path)


def test_no_identity_is_built() -> None:
    """Deltas become additions at places, never a dense identity."""
    for form in FORMS:
        source = emit_source(EmitRequest("f", form.program), "numpy")
        assert not re.search(r"np\.(eye|identity)", source), form.name


def test_a_selection_keeps_infinities_out() -> None:
    """A factor that is infinite where the bracket is 0 does not spoil the sum."""
    form = next(form for form in FORMS if form.name == "causalsum")
    environment: dict[str, Any] = {}
    exec(emit_source(EmitRequest("f", form.program), "numpy"), environment)
    values = inputs_of(form.program, np.float64)
    values["A"] = np.where(np.tri(4) > 0, values["A"], np.inf)
    found = environment["f"](*(values[t.name] for t in form.program.inputs))
    np.testing.assert_allclose(found, evaluate(form.program, values)["R"])
