"""The layers in examples/layers.py are what their names say: each equals torch's on random arrays."""

import inspect

import numpy as np
import pytest

import layers

torch = pytest.importorskip("torch", reason="the references are torch's")
F = torch.nn.functional

# All different, so that a transposed or misplaced axis shows.
SIZES = dict(batch=4, n=5, m=7, k=6, d=3, p=8, t=9, v=11, heads=2, h=10, h1=12, h2=13)


def sample(shape: str, rng: np.random.Generator) -> np.ndarray:
    """A random array for a shape string of SHAPES, with the declared fact."""
    axes, _, fact = shape.partition(",")
    sizes = [SIZES[axis] for axis in axes.split()]
    match fact.split():
        case []:
            return rng.standard_normal(sizes)
        case ["positive"]:
            return rng.uniform(0.5, 1.5, sizes)
        case ["simplex"]:
            return rng.dirichlet(np.ones(sizes[-1]), sizes[:-1])
        case ["one-hot"]:
            return np.eye(sizes[-1])[rng.integers(sizes[-1], size=sizes[:-1])]
        case ["integer", "<", bound]:
            return rng.integers(int(SIZES.get(bound, bound)), size=sizes)
        case _:
            raise ValueError(f"no sampler for the fact {fact!r} in {shape!r}")


def linear(X, W, b):
    return F.linear(X, W.T, b)


def after_dense(activation):
    return lambda X, W, b: activation(linear(X, W, b))


def causal(Q, K, V):
    return F.scaled_dot_product_attention(Q, K, V, is_causal=True)


def self_attention(X, Wq, Wk, Wv, Wo):
    heads = [
        F.scaled_dot_product_attention(X @ q, X @ k, X @ v) @ o
        for q, k, v, o in zip(Wq, Wk, Wv, Wo, strict=True)
    ]
    return sum(heads)


def cell(kind, x, state, gates):
    """A torch cell with our weights: (W, U, b) per gate, in torch's order; its second bias is zero."""
    module = kind(x.shape[1], gates[0][1].shape[0]).double()
    W, U, b = ([gate[part] for gate in gates] for part in range(3))
    module.load_state_dict(
        {
            "weight_ih": torch.cat(W, dim=1).T,
            "weight_hh": torch.cat(U, dim=1).T,
            "bias_ih": torch.cat(b),
            "bias_hh": torch.zeros_like(torch.cat(b)),
        }
    )
    return module(x, state)


REFERENCES = {
    "dense": linear,
    "dense_vector": lambda W, x, b: F.linear(x, W, b),
    "dense_tanh": after_dense(torch.tanh),
    "dense_sigmoid": after_dense(torch.sigmoid),
    "dense_relu": after_dense(F.relu),
    "dense_leaky_relu": after_dense(F.leaky_relu),
    "dense_elu": after_dense(F.elu),
    "dense_softplus": after_dense(lambda Z: F.softplus(Z, threshold=1000)),
    "dense_gelu": after_dense(F.gelu),
    "dense_gelu_tanh": after_dense(lambda Z: F.gelu(Z, approximate="tanh")),
    "dense_silu": after_dense(F.silu),
    "dense_mish": after_dense(F.mish),
    "residual_block": lambda X, W1, b1, W2, b2: X + linear(F.relu(linear(X, W1, b1)), W2, b2),
    "swiglu": lambda X, Wg, Wu, Wd: F.linear(F.silu(F.linear(X, Wg.T)) * F.linear(X, Wu.T), Wd.T),
    "dropout": lambda X, mask, keep: torch.ops.aten.native_dropout_backward(X, mask.bool(), 1 / keep.item()),
    "embedding": lambda E, tok: F.embedding(tok, E),
    "softmax": lambda Z: F.softmax(Z, dim=-1),
    "log_softmax": lambda Z: F.log_softmax(Z, dim=-1),
    "cross_entropy": F.cross_entropy,
    "cross_entropy_one_hot": F.cross_entropy,
    "cross_entropy_labels": F.cross_entropy,
    "logistic_loss": lambda w, X, y: F.binary_cross_entropy_with_logits(X @ w, y.double(), reduction="sum"),
    "mse": F.mse_loss,
    "least_squares": lambda W, x, b, t: F.mse_loss(F.linear(x, W, b), t, reduction="sum"),
    "cosine_similarity": lambda x, y: F.cosine_similarity(x, y, dim=0),
    "bilinear_form": lambda x, A, y: F.bilinear(x, y, A[None])[0],
    "quadratic_form": lambda x, A: F.bilinear(x, x, A[None])[0],
    "layer_norm": lambda X, gamma, beta: F.layer_norm(X, gamma.shape, gamma, beta, eps=1e-5),
    "rms_norm": lambda X, gamma: F.rms_norm(X, gamma.shape, gamma, eps=1e-5),
    "batch_norm": lambda X, gamma, beta: F.batch_norm(X, None, None, gamma, beta, training=True, eps=1e-5),
    "attention": F.scaled_dot_product_attention,
    "causal_attention": causal,
    "batched_attention": F.scaled_dot_product_attention,
    "batched_causal_attention": causal,
    "multi_head_attention": F.scaled_dot_product_attention,
    "multi_head_causal_attention": causal,
    "multi_head_self_attention": self_attention,
    "rnn_step": lambda x, h, *gate: cell(torch.nn.RNNCell, x, h, [gate]),
    "lstm_cell": lambda x, h, c, *W: cell(torch.nn.LSTMCell, x, (h, c), [W[0:3], W[3:6], W[6:9], W[9:12]]),
    "gru_cell": lambda x, h, *W: cell(torch.nn.GRUCell, x, h, [W[0:3], W[3:6], W[6:9]]),
    "mlp_two_layers": lambda X, W1, b1, W2, b2, y: F.cross_entropy(
        linear(torch.tanh(linear(X, W1, b1)), W2, b2), y
    ),
    "mlp_three_layers": lambda X, W1, b1, W2, b2, W3, b3, T: F.mse_loss(
        linear(F.relu(linear(F.relu(linear(X, W1, b1)), W2, b2)), W3, b3), T
    ),
}


def agree(name: str, shapes: dict[str, str]) -> None:
    rng = np.random.default_rng(0)
    arrays = {argument: sample(shape, rng) for argument, shape in shapes.items()}
    ours = getattr(layers, name)(**arrays)
    with torch.no_grad():
        theirs = REFERENCES[name](*map(torch.as_tensor, arrays.values()))
    ours, theirs = (result if isinstance(result, tuple) else (result,) for result in (ours, theirs))
    for our, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(our, their.numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", layers.SHAPES)
def test_equals_torch(name: str) -> None:
    agree(name, layers.SHAPES[name])


@pytest.mark.parametrize("name", layers.WITHOUT_BATCH)
def test_equals_torch_without_batch(name: str) -> None:
    agree(name, layers.WITHOUT_BATCH[name])


def test_every_layer_declares_its_shapes_in_the_order_of_its_arguments() -> None:
    functions = {
        name: [*inspect.signature(value).parameters]
        for name, value in inspect.getmembers(layers, inspect.isfunction)
        if value.__module__ == layers.__name__ and not name.startswith("_")
    }
    assert {name: [*shapes] for name, shapes in layers.SHAPES.items()} == functions
