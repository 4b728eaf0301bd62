"""The same layers as a user of torch or jax writes them, with all gradients by their automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

Peer = Callable[[], Any]


def torch_layers() -> dict[str, Callable[..., Any]]:
    """Forward passes in torch, by the name of the layer in examples/layers.py."""
    torch = import_module("torch")
    nn = torch.nn.functional

    def lstm_cell(x: Any, h: Any, c: Any, *parameters: Any) -> Any:
        gates = [parameters[p : p + 3] for p in (0, 3, 6, 9)]
        i, f, g, o = (x @ W + h @ U + b for W, U, b in gates)
        new = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(new), new

    return {
        "dense_tanh": lambda X, W, b: torch.tanh(X @ W + b),
        "attention": lambda Q, K, V: nn.scaled_dot_product_attention(Q[None], K[None], V[None])[0],
        "layer_norm": lambda X, gamma, beta: nn.layer_norm(X, X.shape[-1:], gamma, beta, 1e-5),
        "softmax": lambda Z: torch.softmax(Z, -1),
        "cross_entropy_labels": lambda Z, y: nn.cross_entropy(Z, y),
        "dense_gelu": lambda X, W, b: nn.gelu(X @ W + b),
        "lstm_cell": lstm_cell,
    }


def jax_layers() -> dict[str, Callable[..., Any]]:
    """Forward passes in jax, by the name of the layer in examples/layers.py."""
    jax, jnp = import_module("jax"), import_module("jax.numpy")

    def layer_norm(X: Any, gamma: Any, beta: Any) -> Any:
        mu, var = X.mean(-1, keepdims=True), X.var(-1, keepdims=True)
        return gamma * (X - mu) / jnp.sqrt(var + 1e-5) + beta

    def cross_entropy_labels(Z: Any, y: Any) -> Any:
        return -jnp.mean(jax.nn.log_softmax(Z)[jnp.arange(len(y)), y])

    def lstm_cell(x: Any, h: Any, c: Any, *parameters: Any) -> Any:
        gates = [parameters[p : p + 3] for p in (0, 3, 6, 9)]
        i, f, g, o = (x @ W + h @ U + b for W, U, b in gates)
        new = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(new), new

    return {
        "dense_tanh": lambda X, W, b: jnp.tanh(X @ W + b),
        "attention": lambda Q, K, V: jax.nn.softmax(Q @ K.T / K.shape[-1] ** 0.5) @ V,
        "layer_norm": layer_norm,
        "softmax": lambda Z: jax.nn.softmax(Z),
        "cross_entropy_labels": cross_entropy_labels,
        "dense_gelu": lambda X, W, b: jax.nn.gelu(X @ W + b, approximate=False),
        "lstm_cell": lstm_cell,
    }


def torch_peer(layer: str, inputs: Sequence[str], wrt: Sequence[str], arrays: dict[str, Any]) -> Peer | None:
    """A call that runs the layer and its backward pass in eager torch on one thread; None without torch."""
    if find_spec("torch") is None:
        return None
    torch = import_module("torch")
    torch.set_num_threads(1)
    function = torch_layers()[layer]
    tensors = {name: torch.from_numpy(arrays[name].copy()).requires_grad_(name in wrt) for name in inputs}
    seeds = [torch.as_tensor(arrays[name]) for name in arrays if name not in inputs]

    def run() -> Any:
        outputs = function(*tensors.values())
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return torch.autograd.grad(outputs, [tensors[name] for name in wrt], seeds)

    return run


def jax_peer(layer: str, inputs: Sequence[str], wrt: Sequence[str], arrays: dict[str, Any]) -> Peer | None:
    """A jitted call that runs the layer and its backward pass in jax in double precision; None without jax."""
    if find_spec("jax") is None:
        return None
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    function = jax_layers()[layer]
    fixed = {name: arrays[name] for name in inputs if name not in wrt}
    seeds = [arrays[name] for name in arrays if name not in inputs]

    @jax.jit
    def pullback(values: Any, cotangents: Any) -> Any:
        def forward(*active: Any) -> Any:
            named = {**fixed, **dict(zip(wrt, active, strict=True))}
            return function(*(named[name] for name in inputs))

        outputs, back = jax.vjp(forward, *values)
        return back(tuple(cotangents) if isinstance(outputs, tuple) else cotangents[0])

    values = [jax.numpy.asarray(arrays[name]) for name in wrt]
    cotangents = [jax.numpy.asarray(s) for s in seeds]
    return lambda: jax.block_until_ready(pullback(values, cotangents))
