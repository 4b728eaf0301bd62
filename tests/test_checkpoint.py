"""Checkpoints: the gradients are those of the whole backward pass, and the memory that of a few steps."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

import derive as dv
import sequences
from derive.errors import NotDifferentiable, UnknownName, UnsupportedOp

SIZES = {"T": 11, "m": 3, "n": 4, "k": 2, "h": 3, "q": 3}


def final_and_sum(x: Any, target: Any, W: Any, U: Any, V: Any, b: Any, h0: Any) -> Any:
    """A loss of every step and of the last state."""

    def step(h: Any, now: Any) -> Any:
        x_t, target_t = now
        h = np.tanh(W @ h + U @ x_t + b)
        return h, np.sum((V @ h - target_t) ** 2)

    last, losses = dv.scan(step, h0, (x, target))
    return np.sum(losses) + np.sum(last**2)


CASES = {n: getattr(sequences, n) for n in ("rnn", "rnn_loss", "lstm", "gru", "euler", "rk4", "ema")}
CASES["final_and_sum"] = final_and_sum
SHAPES = {**sequences.SHAPES, "final_and_sum": sequences.SHAPES["rnn_loss"]}


def arrays(name: str, sizes: dict[str, int] = SIZES) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = SHAPES[name].items()
    return {a: 0.5 * rng.normal(size=[sizes.get(e) or int(e) for e in axes.split()]) for a, axes in shapes}


@pytest.mark.parametrize(
    ("name", "every"), [*((name, "sqrt") for name in CASES), *(("final_and_sum", every) for every in (1, 4, 100))]
)
def test_equal_to_the_whole_backward_pass(name: str, every: int | str) -> None:
    f = dv.trace(CASES[name], **SHAPES[name])
    given = arrays(name)
    seed = np.random.default_rng(1).normal(size=np.shape(f(**given)))
    seeds = {f"g{f.outputs[0]}": seed}
    found = dv.checkpointed(f, every=every)(**given, **seeds)
    expected = dv.vjp(f)(**given, **seeds)
    for a, b in zip(found, expected, strict=True):
        assert np.allclose(a, b, rtol=1e-11, atol=1e-12)


def test_as_kernels() -> None:
    f = dv.trace(sequences.rnn_loss, **SHAPES["rnn_loss"])
    given = arrays("rnn_loss")
    found = dv.checkpointed(f, "W").compile()(**given)
    assert np.allclose(found, dv.grad(f, "W")(**given), rtol=1e-11)


def peak(call: Any) -> int:
    call()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_grows_with_the_root_of_the_number_of_steps() -> None:
    f = dv.trace(sequences.rnn_loss, **SHAPES["rnn_loss"])
    given = arrays("rnn_loss", {"T": 400, "m": 2, "n": 200, "k": 2})
    whole, little = dv.grad(f, ["W", "b"]), dv.checkpointed(f, ["W", "b"])
    for a, b in zip(whole(**given), little(**given), strict=True):
        assert np.allclose(a, b, rtol=1e-8, atol=1e-10)
    assert little.held == 20 * 200  # the carry at the beginning of 20 segments of 20 steps
    assert peak(lambda: little(**given)) < peak(lambda: whole(**given)) / 3


def test_what_has_no_checkpoints() -> None:
    with pytest.raises(UnsupportedOp, match="one recurrence that runs forward; found 0"):
        dv.checkpointed(dv.trace(lambda x: np.sum(x**2), x="n"))
    with pytest.raises(UnsupportedOp, match="one recurrence that runs forward"):
        dv.checkpointed(dv.trace(sequences.reverse_rnn, **SHAPES["reverse_rnn"]))
    f = dv.trace(sequences.rnn_loss, **SHAPES["rnn_loss"])
    with pytest.raises(NotDifferentiable, match='"sqrt" or a number of steps'):
        dv.checkpointed(f, every=0)
    with pytest.raises(UnknownName, match="expected x, target"):
        dv.checkpointed(f)(x=np.zeros((2, 3)))

    def smooth(x: Any, w: Any) -> Any:
        _, h = dv.scan(lambda c, v: (np.tanh(w * c + v),) * 2, 0.0, x)
        return np.sum((h[1:] - h[:-1]) ** 2)

    with pytest.raises(UnsupportedOp, match="checkpoints need"):
        dv.checkpointed(dv.trace(smooth, x="T", w=""))


def test_vjp_takes_checkpoints_as_an_option() -> None:
    f = dv.trace(sequences.rnn, **sequences.SHAPES["rnn"])
    given = arrays("rnn")
    gY = np.random.default_rng(1).normal(size=(SIZES["T"], SIZES["n"]))
    whole = dv.vjp(f, ["W", "U"])(**given, gY=gY)
    for found, expected in zip(dv.vjp(f, ["W", "U"], checkpoint="sqrt")(**given, gY=gY), whole, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11)
    with pytest.raises(NotDifferentiable, match="without truncate"):
        dv.vjp(f, "W", checkpoint=3, truncate=2)
