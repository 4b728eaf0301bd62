"""Kernels against the reference interpreter; all of them cached in a folder of this run."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from derive.ir.evaluate import evaluate
from derive.ir.nodes import Program
from derive.kernels.compile import compile_program
from derive.kernels.kernel import Kernel

Agree = Callable[..., Kernel]


@pytest.fixture(scope="session", autouse=True)
def cache_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DERIVE_CACHE_DIR", str(tmp_path_factory.mktemp("kernels")))
        yield


def sample(program: Program, sizes: dict[str, int], rng: np.random.Generator) -> dict[str, Any]:
    """Random inputs: reals of both signs, integers below their bound, booleans."""
    values: dict[str, Any] = {}
    for tensor in program.inputs:
        named = {symbol: sizes[str(symbol)] for extent in tensor.shape for symbol in extent.free_symbols}
        shape = tuple(int(extent.subs(named)) for extent in tensor.shape)
        if tensor.kind == "integer":
            assert tensor.bound is not None
            bound = tensor.bound.subs({symbol: sizes[str(symbol)] for symbol in tensor.bound.free_symbols})
            values[tensor.name] = rng.integers(max(1, int(bound)), size=shape)
        elif tensor.kind == "boolean":
            values[tensor.name] = rng.random(shape) < 0.5
        else:
            values[tensor.name] = rng.normal(size=shape)
    return values


@pytest.fixture
def agree() -> Agree:
    """Compile a program and compare it with the interpreter for several values of its sizes."""

    def check(program: Program, *sizes: dict[str, int], tolerance: float = 1e-12, **options: Any) -> Kernel:
        kernel = compile_program(program, "kernel", single=False, **options)
        for chosen in sizes:
            values = sample(program, chosen, np.random.default_rng(7))
            expected = evaluate(program, values)
            for found, tensor in zip(kernel(**values), program.outputs, strict=True):
                np.testing.assert_allclose(found, expected[tensor.name], rtol=tolerance, atol=tolerance, err_msg=str(tensor))
        return kernel

    return check
