"""Derivatives through time: against torch's autograd, torch's own layers, complex steps; truncated, and of second order."""

from typing import Any

import numpy as np
import pytest

import derive as dv
import sequences
from derive.errors import NotDifferentiable
from derive.ir.check import check_program

torch = pytest.importorskip("torch")


def traced(name: str) -> dv.Function:
    return dv.trace(getattr(sequences, name), **sequences.SHAPES[name])


def arrays(name: str, steps: int = 7) -> dict[str, np.ndarray]:
    sizes = {"T": steps, "m": 3, "n": 4, "k": 2, "p": 5, "batch": 2, "h": 3, "q": 3, "S": 4}
    rng = np.random.default_rng(5)
    shapes = sequences.SHAPES[name]
    return {
        a: 0.5 * rng.normal(size=[sizes.get(e) or int(e) for e in axes.split()]) for a, axes in shapes.items()
    }


def tensors(given: dict[str, np.ndarray]) -> dict[str, Any]:
    return {name: torch.tensor(value, requires_grad=True) for name, value in given.items()}


def rnn_in_torch(x: Any, W: Any, U: Any, b: Any, h0: Any, every: int = 10**9) -> Any:
    h, found = h0, []
    for t, x_t in enumerate(x):
        h = h.detach() if t and t % every == 0 else h
        h = torch.tanh(W @ h + U @ x_t + b)
        found.append(h)
    return torch.stack(found)


@pytest.mark.parametrize("every", [1, 2, 3, 7, 100])
def test_truncated_as_with_detach(every: int) -> None:
    given = arrays("rnn")
    backward = dv.vjp(traced("rnn"), truncate=every)
    assert str(backward).startswith(f"truncated: no cotangent passes back in front of step {every}")
    gY = np.random.default_rng(2).normal(size=(7, 4))
    inputs = tensors(given)
    rnn_in_torch(**inputs, every=every).backward(torch.tensor(gY))
    for name, found in zip(given, backward(**given, gY=gY), strict=True):
        assert np.allclose(found, inputs[name].grad, rtol=1e-11, atol=1e-12), name


def test_what_cannot_be_truncated() -> None:
    with pytest.raises(NotDifferentiable, match="no recurrence that could be cut"):
        dv.grad(dv.trace(lambda x: np.sum(x**2), x="n"), truncate=3)
    with pytest.raises(NotDifferentiable, match="at least 1; found 0"):
        dv.vjp(traced("rnn"), truncate=0)
    with pytest.raises(NotDifferentiable, match="truncated after 2 steps"):
        dv.check(dv.vjp(traced("rnn"), truncate=2))


@pytest.mark.parametrize(("name", "steps"), [("lstm", 1), ("lstm", 7), ("lstm", 200), ("gru", 7)])
def test_as_the_layers_of_torch(name: str, steps: int) -> None:
    given = arrays(name, steps)
    layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[name](3, 4, dtype=torch.float64)
    b = given["b"].reshape(-1)
    hidden = np.zeros_like(b)
    if name == "gru":
        hidden[8:] = given["d"]
    with torch.no_grad():
        layer.weight_ih_l0[:] = torch.tensor(given["W"].reshape(-1, 3))
        layer.weight_hh_l0[:] = torch.tensor(given["R"].reshape(-1, 4))
        layer.bias_ih_l0[:] = torch.tensor(b)
        layer.bias_hh_l0[:] = torch.tensor(hidden)
    x, h0 = (torch.tensor(given[n], requires_grad=True) for n in ("x", "h0"))
    states: Any = h0[None]
    if name == "lstm":
        c0 = torch.tensor(given["c0"], requires_grad=True)
        states = (h0[None], c0[None])
    y, _ = layer(x, states)
    assert np.allclose(traced(name)(**given), y.detach(), rtol=1e-11, atol=1e-12)
    gY = np.random.default_rng(3).normal(size=y.shape)
    y.backward(torch.tensor(gY))
    found = dv.vjp(traced(name), ["x", "W", "R", "b", "h0"])(**given, gY=gY)
    expected = (
        x.grad,
        layer.weight_ih_l0.grad.reshape(-1, 4, 3),
        layer.weight_hh_l0.grad.reshape(-1, 4, 4),
        layer.bias_ih_l0.grad.reshape(-1, 4),
        h0.grad,
    )
    for a, e in zip(found, expected, strict=True):
        assert np.allclose(a, e, rtol=1e-9, atol=1e-11)


def test_the_hypergradient_of_the_learning_rate() -> None:
    given = arrays("unrolled_descent")
    given["eta"] = np.array(0.05)
    found = dv.grad(traced("unrolled_descent"), "eta")(**given)
    step = sequences.unrolled_descent(**{**given, "eta": 0.05 + 1e-30j})
    assert np.isclose(found, step.imag / 1e-30, rtol=1e-12)


@pytest.mark.parametrize("steps", [1, 4])
def test_second_derivatives(steps: int) -> None:
    def loss(x: Any, W: Any, h0: Any) -> Any:
        def step(h: Any, x_t: Any) -> Any:
            h = np.tanh(W @ h + x_t)
            return h, np.sum(h**2)

        return np.sum(dv.scan(step, h0, x)[1])

    def in_torch(W: Any) -> Any:
        h, total = torch.tensor(h0), 0.0
        for x_t in torch.tensor(x):
            h = torch.tanh(W @ h + x_t)
            total = total + (h**2).sum()
        return total

    rng = np.random.default_rng(4)
    x, W, h0 = rng.normal(size=(steps, 3)), rng.normal(size=(3, 3)), rng.normal(size=3)
    hessian = dv.hessian(dv.trace(loss, x="T n", W="n n", h0="n"), "W")
    check_program(hessian.presented)
    expected = torch.autograd.functional.hessian(in_torch, torch.tensor(W))
    assert np.allclose(hessian(x, W, h0), expected, rtol=1e-9, atol=1e-11)
    assert dv.check(hessian).passed


def test_forward_mode_and_jacobian() -> None:
    for derivative in (dv.jvp(traced("lstm"), ["R", "c0"]), dv.jacobian(traced("rnn"), "h0")):
        check_program(derivative.presented)
        assert dv.check(derivative).passed
