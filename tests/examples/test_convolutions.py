"""The layers in examples/convolutions.py beside torch's: values, gradients, kernels, and the emitted files' own tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convolutions
import derive as dv

from ..emit.loading import MODULES, load, run_tests_of

torch = pytest.importorskip("torch", reason="the references are torch's")
F = torch.nn.functional

# All different, and odd where the last entries of an axis belong to no window.
SIZES = dict(batch=2, c=3, o=4, n=11, h=9, w=8, p=3, q=2, k=5)
REFERENCES: dict[str, Callable[..., Any]] = {
    "conv1d": F.conv1d,
    "conv1d_same": lambda X, W, b: F.conv1d(X, W, b, padding="same"),
    "conv1d_strided": lambda X, W: F.conv1d(X, W, stride=2),
    "conv1d_dilated": lambda X, W: F.conv1d(X, W, dilation=2),
    "causal_conv1d": lambda X, W: F.conv1d(F.pad(X, (2, 0)), W),
    "conv2d": F.conv2d,
    "conv2d_same": lambda X, W, b: F.conv2d(X, W, b, padding=1),
    "conv2d_strided": lambda X, W: F.conv2d(X, W, stride=2, padding=1),
    "conv2d_dilated": lambda X, W: F.conv2d(X, W, dilation=2),
    "depthwise_conv2d": lambda X, W: F.conv2d(X, W[:, None], groups=X.shape[1]),
    "pointwise_conv2d": lambda X, W: F.conv2d(X, W[:, :, None, None]),
    "max_pool2d": lambda X: F.max_pool2d(X, 2),
    "overlapping_max_pool2d": lambda X: F.max_pool2d(X, 3, stride=2, padding=1),
    "average_pool2d": lambda X: F.avg_pool2d(X, 2),
    "global_average_pool": lambda X: F.adaptive_avg_pool2d(X, 1)[:, :, 0, 0],
    "global_max_pool": lambda X: F.adaptive_max_pool2d(X, 1)[:, :, 0, 0],
    "convolutional_network": lambda X, K, W, a: (
        F.adaptive_avg_pool2d(F.avg_pool2d(F.conv2d(X, K).relu(), 2), 1)[:, :, 0, 0] @ W + a
    ),
}


def arrays(name: str) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = convolutions.SHAPES[name]
    return {x: rng.normal(size=[SIZES.get(a) or int(a) for a in axes.split()]) for x, axes in shapes.items()}


@pytest.mark.parametrize("name", convolutions.SHAPES)
def test_values_and_gradients_are_those_of_torch(name: str) -> None:
    f = dv.trace(getattr(convolutions, name), **convolutions.SHAPES[name])
    values = arrays(name)
    theirs = [torch.tensor(x, requires_grad=True) for x in values.values()]
    result = REFERENCES[name](*theirs)
    seed = np.random.default_rng(1).normal(size=result.shape)
    expected = torch.autograd.grad(result, theirs, torch.tensor(seed))
    np.testing.assert_allclose(f(**values), result.detach(), rtol=1e-12, atol=1e-13)
    backward = dv.vjp(f)
    for run in (backward, backward.compile()):
        found = run(*values.values(), seed)
        for ours, their in zip(found if isinstance(found, tuple) else (found,), expected, strict=True):
            np.testing.assert_allclose(ours, their, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("target", MODULES)
@pytest.mark.parametrize(
    "name", ["conv1d_same", "conv2d", "conv2d_strided", "depthwise_conv2d", "max_pool2d"]
)
def test_emitted_files_pass_their_own_tests(name: str, target: str, tmp_path: Path) -> None:
    pytest.importorskip(MODULES[target])
    source = dv.trace(getattr(convolutions, name), **convolutions.SHAPES[name]).emit(target)
    run_tests_of(load(source, tmp_path, f"{name}_{target}"))


def test_a_convolution_reads_as_one() -> None:
    f = dv.trace(convolutions.conv1d_strided, **convolutions.SHAPES["conv1d_strided"])
    assert f.index() == "Y[b,i,j] = sum_k,l X[b,k,2j+l] W[i,k,l]"
    dilated = dv.vjp(dv.trace(convolutions.conv1d_dilated, **convolutions.SHAPES["conv1d_dilated"]))
    assert "gW[k,i,l] = sum_b,p gY[b,k,p] X[b,i,2l+p]" in dilated.index()


def test_every_layer_has_shapes_and_a_reference() -> None:
    layers = {name for name, value in vars(convolutions).items() if callable(value)} - {
        "windows", "patches", "sliding_window_view",
    }  # fmt: skip
    assert layers == set(convolutions.SHAPES) == set(REFERENCES)
