"""Backward passes judged line by line: each error where it is made, and nothing said of lines that are right."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.errors import ShapeError, UnknownName

SHAPES = {"x": "n", "W": "m n", "V": "k m", "t": "k"}


def loss(x: Any, W: Any, V: Any, t: Any) -> Any:
    z = W @ x
    h = np.tanh(z)
    y = V @ h
    return 0.5 * np.sum((y - t) ** 2)


def right(x: Any, W: Any, V: Any, t: Any) -> Any:
    h = np.tanh(W @ x)
    dy = V @ h - t
    dV = np.outer(dy, h)
    dh = V.T @ dy
    dz = dh * (1 - h**2)
    return np.outer(dz, x), dV


def wrong_slope(x: Any, W: Any, V: Any, t: Any) -> Any:
    h = np.tanh(W @ x)
    dy = V @ h - t
    dV = np.outer(dy, h)
    dh = V.T @ dy
    dz = dh * (1 - h)
    return np.outer(dz, x), dV


def wrong_factor(x: Any, W: Any, V: Any, t: Any) -> Any:
    h = np.tanh(W @ x)
    grad_y = 2 * (V @ h - t)
    h_bar = V.T @ grad_y
    dz = h_bar * (1 - h**2)
    return np.outer(dz, x), np.outer(grad_y, h)


def wrong_forward(x: Any, W: Any, V: Any, t: Any) -> Any:
    h = np.sinh(W @ x)
    dy = V @ h - t
    dz = (V.T @ dy) * (1 - h**2)
    return np.outer(dz, x), np.outer(dy, h)


def helpers(x: Any, W: Any, V: Any, t: Any) -> Any:
    h = np.tanh(W @ x)
    error = V @ h - t
    slope = 1 - h**2
    signal = (V.T @ error) * slope
    return np.outer(signal, x), np.outer(error, h)


def audit(backward: Callable[..., Any]) -> Any:
    return dv.audit_gradient(dv.trace(loss, **SHAPES), backward, ["W", "V"])


def test_a_right_one_has_no_wrong_line() -> None:
    found = audit(right)
    assert not found.wrong and not found.undecided
    assert [n.meant for n in found.lines] == ["h", "y", "V", "h", "z", "W"]
    assert all(n.verdict.status == "PROVED" for n in found.lines)
    assert "no error found" in str(found)


@pytest.mark.parametrize(
    ("backward", "names", "factor"),
    [(wrong_slope, ["dz"], ""), (wrong_factor, ["grad_y"], "2"), (wrong_forward, ["h"], "")],
)
def test_an_error_is_named_once_and_where_it_is_made(
    backward: Callable[..., Any], names: list[str], factor: str
) -> None:
    found = audit(backward)
    assert [n.name for n in found.wrong] == names
    assert found.wrong[0].factor == factor
    assert "WRONG" in str(found)


def test_what_a_wrong_line_should_be_is_right() -> None:
    """The printed formula, typed in as code, makes the pass right: an error would be found."""
    (line,) = audit(wrong_slope).wrong
    assert line.expected == "dz = dh ∘ (1 − h²)"
    assert line.verdict.counterexample is not None


def test_helpers_are_known_by_their_values() -> None:
    found = {n.name: n for n in audit(helpers).lines}
    assert (found["error"].meant, found["signal"].meant) == ("y", "z")
    assert found["slope"].meant == "" and found["slope"].verdict is None


def test_the_gradients_agree_with_torch() -> None:
    """The references that lines are judged by are autograd's gradients of the intermediate arrays."""
    torch = pytest.importorskip("torch")
    from derive.ir.evaluate import evaluate
    from derive.prove.backward.adjoints import Adjoints

    rng = np.random.default_rng(0)
    arrays = {"x": rng.normal(size=4), "W": rng.normal(size=(3, 4)), "V": rng.normal(size=(2, 3)), "t": rng.normal(size=2)}
    x, W, V, t = (torch.tensor(v, requires_grad=True) for v in arrays.values())
    z = W @ x
    h = torch.tanh(z)
    y = V @ h
    for tensor in (z, h, y):
        tensor.retain_grad()
    (0.5 * ((y - t) ** 2).sum()).backward()
    adjoints = Adjoints(dv.trace(loss, **SHAPES).program)
    for name, tensor in {"z": z, "h": h, "y": y, "W": W, "V": V, "x": x, "t": t}.items():
        program = adjoints.program(name)
        (output,) = program.outputs
        np.testing.assert_allclose(evaluate(program, arrays)[output.name], tensor.grad.numpy(), rtol=1e-12)


def deep_loss(X: Any, A: Any, B: Any, gamma: Any, Y: Any) -> Any:
    Z = np.tanh(X @ A)
    C = Z - Z.mean(axis=1, keepdims=True)
    s = np.sqrt((C**2).mean(axis=1, keepdims=True) + 1e-5)
    H = C / s
    S = (gamma * H) @ B
    P = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
    return -np.sum(Y * np.log(P)) / X.shape[0]


def deep_gradient(X: Any, A: Any, B: Any, gamma: Any, Y: Any) -> Any:
    Z = np.tanh(X @ A)
    C = Z - Z.mean(axis=1, keepdims=True)
    s = np.sqrt((C**2).mean(axis=1, keepdims=True) + 1e-5)
    H = C / s
    S = (gamma * H) @ B
    P = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
    dS = (P - Y) / X.shape[0]
    dH = dS @ B.T * gamma
    dZ = (dH - dH.mean(axis=1, keepdims=True) - H * (dH * H).mean(axis=1, keepdims=True)) / s
    return X.T @ (dZ * (1 - Z**2)), (gamma * H).T @ dS, (dS @ B.T * H).sum(axis=0)


def test_a_deep_gradient_is_proved_layer_by_layer() -> None:
    """Written out in one piece, these forms have millions of terms."""
    shapes = {"X": "n d", "A": "d h", "B": "h k", "gamma": "h", "Y": "n k, one-hot"}
    traced = dv.trace(deep_loss, **shapes)
    verdict = dv.verify_gradient(traced, deep_gradient, ["A", "B", "gamma"])
    assert verdict.status == "PROVED" and verdict.level == "all sizes"

    def halved(X: Any, A: Any, B: Any, gamma: Any, Y: Any) -> Any:
        return deep_gradient(X, A, B, gamma, Y / 2)

    assert dv.verify_gradient(traced, halved, ["A", "B", "gamma"]).status == "REFUTED"


def test_what_is_generalised_too_far_is_not_proved() -> None:
    """1 - h^2 is the slope of tanh only while h is known to be a tanh: the definition comes back when it is needed."""
    h_free = dv.verify(dv.trace(lambda z, h: 1 - h**2, z="n", h="n"), dv.trace(lambda z, h: 1 / np.cosh(z) ** 2 + 0 * h, z="n", h="n"))
    assert h_free.status == "REFUTED"
    f = dv.trace(lambda z: 1 - np.tanh(z) ** 2, z="n")
    assert dv.verify(f, dv.trace(lambda z: 1 / np.cosh(z) ** 2, z="n")).status == "PROVED"


def test_bad_input() -> None:
    traced = dv.trace(loss, **SHAPES)
    with pytest.raises(ShapeError, match=r"right\(\) returns 2 arrays; loss\(\) has 3 gradients: gx, gW, gV"):
        dv.audit_gradient(traced, right, ["x", "W", "V"])
    with pytest.raises(ShapeError, match=r"in the place of gV\[k, m\]"):
        dv.audit_gradient(traced, right, ["V", "W"])
    with pytest.raises(UnknownName, match="known: V, W, t, x"):
        dv.audit_gradient(traced, right, ["W", "U"])
    with pytest.raises(UnknownName, match="trace"):
        dv.audit_gradient(loss, right)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"\.wrong"):
        bool(audit(right))


def through_time(W: Any, U: Any, X: Any, h0: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        h = np.tanh(W @ h + U @ x)
        return h, h

    _, H = dv.scan(step, h0, X)
    return np.sum(H)


def doubled(W: Any, U: Any, X: Any, h0: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        h = np.tanh(W @ h + U @ x)
        return h, h

    _, H = dv.scan(step, h0, X)

    def back(g: Any, h: Any) -> Any:
        dz = (g + 1) * (1 - h**2)
        return W.T @ dz, dz

    _, dZ = dv.scan(back, np.zeros_like(h0), H, reverse=True)
    return 2 * dZ.T @ X


def test_a_wrong_gradient_through_time_is_refuted_and_the_recurrence_shown() -> None:
    loss = dv.trace(through_time, W="n n", U="n k", X="T k", h0="n")
    assert dv.verify_gradient(loss, doubled, wrt="U").status == "REFUTED"
    (line,) = dv.audit_gradient(loss, doubled, wrt="U").wrong
    assert line.factor == "2"
    assert line.expected.endswith("gU = sum_t gz_t X_t'")
    assert "for t = T−1, …, 0:\n" in line.expected
