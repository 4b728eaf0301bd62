"""Use the backward pass of attention that `derive` derived in jax; compare it with jax's own autodiff.

The emitted file needs jax only: paste it into your project.

    python examples/attention_in_jax.py
"""

import argparse
import importlib.util
from pathlib import Path
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np

import derive as dv
from layers import SHAPES, attention


def plain_attention(Q, K, V):
    """Attention for jax to differentiate by itself."""
    return jax.nn.softmax(Q @ K.T / jnp.sqrt(Q.shape[-1])) @ V


def emitted(path: Path) -> ModuleType:
    """Derive attention, write its jax source to the path and import it from there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dv.trace(attention, **SHAPES["attention"]).emit("jax"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(attention_function, parameters: dict, X: jax.Array) -> list[jax.Array]:
    """The output of an attention head, then the gradients of a loss by weights and input; under jit."""

    def head(parameters, X):
        return attention_function(X @ parameters["Wq"], X @ parameters["Wk"], X @ parameters["Wv"])

    def loss(parameters, X):
        return jnp.sum(jnp.sin(head(parameters, X)))

    gradients = jax.jit(jax.grad(loss, argnums=(0, 1)))(parameters, X)
    return [jax.jit(head)(parameters, X), *jax.tree.leaves(gradients)]


def main(argv: list[str] | None = None) -> dict:
    """Use the emitted function under jit and grad, in float64.

    Returns:
        A dict with "difference" (the largest absolute one from jax's autodiff of plain jax.numpy, over
        output and gradients) and "stub" (the path).
    """
    parser = argparse.ArgumentParser(description="Attention in jax, with a derived backward pass.")
    default = Path(__file__).parent / "output" / "attention_jax.py"
    parser.add_argument("--stub", type=Path, default=default, help="where to write the emitted source")
    options = parser.parse_args(argv)

    with jax.enable_x64(True):
        stub = emitted(options.stub)
        rng = np.random.default_rng(0)
        X = jnp.asarray(rng.standard_normal((11, 16)))
        widths = {"Wq": 8, "Wk": 8, "Wv": 6}
        parameters = {name: jnp.asarray(rng.normal(0, 1 / 4, (16, m))) for name, m in widths.items()}
        pairs = zip(run(stub.attention, parameters, X), run(plain_attention, parameters, X), strict=True)
        difference = max(float(jnp.max(jnp.abs(ours - theirs))) for ours, theirs in pairs)

    print(f"emitted source: {options.stub}")
    print(f"largest difference from jax's autodiff, output and gradients: {difference:.1e}")
    return {"difference": difference, "stub": options.stub}


if __name__ == "__main__":
    main()
