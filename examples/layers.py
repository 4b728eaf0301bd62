"""The layers people write, in plain NumPy and SciPy: nothing here knows that it will be differentiated.

Try any of them:  derive backprop examples/layers.py:layer_norm
The shapes of the arguments, by axis name, are in SHAPES at the end.
"""

import numpy as np
from scipy.special import erf, expit

EPS = 1e-5

# --- dense layers: X may hold a batch of rows or be a single vector -----------------------------------------


def dense(X, W, b):
    """Y = X W + b."""
    return X @ W + b


def dense_vector(W, x, b):
    """y = W x + b."""
    return W @ x + b


def dense_tanh(X, W, b):
    """Y = tanh(X W + b)."""
    Z = X @ W + b
    return np.tanh(Z)


def dense_sigmoid(X, W, b):
    """Y = 1 / (1 + exp(-Z)), Z = X W + b."""
    Z = X @ W + b
    return expit(Z)


def dense_relu(X, W, b):
    """Y = max(Z, 0), Z = X W + b."""
    Z = X @ W + b
    return np.maximum(Z, 0)


def dense_leaky_relu(X, W, b):
    """Y = Z where Z > 0, else Z / 100; Z = X W + b."""
    Z = X @ W + b
    return np.where(Z > 0, Z, 0.01 * Z)


def dense_elu(X, W, b):
    """Y = Z where Z > 0, else exp(Z) - 1; Z = X W + b."""
    Z = X @ W + b
    return np.where(Z > 0, Z, np.expm1(Z))


def dense_softplus(X, W, b):
    """Y = log(1 + exp(Z)), Z = X W + b."""
    Z = X @ W + b
    return np.logaddexp(0, Z)


def dense_gelu(X, W, b):
    """Y = Z Phi(Z), Phi the normal distribution function, Z = X W + b (Hendrycks and Gimpel 2016)."""
    Z = X @ W + b
    return Z * (1 + erf(Z / np.sqrt(2))) / 2


def dense_gelu_tanh(X, W, b):
    """The tanh approximation of dense_gelu."""
    Z = X @ W + b
    return 0.5 * Z * (1 + np.tanh(np.sqrt(2 / np.pi) * (Z + 0.044715 * Z**3)))


def dense_silu(X, W, b):
    """Y = Z sigmoid(Z), Z = X W + b."""
    Z = X @ W + b
    return Z * expit(Z)


def dense_mish(X, W, b):
    """Y = Z tanh(softplus(Z)), Z = X W + b (Misra 2019)."""
    Z = X @ W + b
    return Z * np.tanh(np.logaddexp(0, Z))


# --- blocks -------------------------------------------------------------------------------------------------


def residual_block(X, W1, b1, W2, b2):
    """Y = X + relu(X W1 + b1) W2 + b2."""
    H = np.maximum(X @ W1 + b1, 0)
    return X + H @ W2 + b2


def swiglu(X, Wg, Wu, Wd):
    """Y = (silu(X Wg) * X Wu) Wd (Shazeer 2020)."""
    G = X @ Wg
    U = X @ Wu
    H = G * expit(G) * U
    return H @ Wd


def dropout(X, mask, keep):
    """Y = X mask / keep, for a given mask of zeros and ones and the probability of keeping a unit."""
    return X * mask / keep


def embedding(E, tok):
    """Y[b,t] = E[tok[b,t]]: the row of each token."""
    return E[tok]


# --- softmax and the losses ---------------------------------------------------------------------------------


def softmax(Z):
    """P = exp(Z) / sum(exp(Z)) along the last axis."""
    E = np.exp(Z - Z.max(axis=-1, keepdims=True))
    P = E / E.sum(axis=-1, keepdims=True)
    return P


def log_softmax(Z):
    """logP = Z - log(sum(exp(Z))) along the last axis."""
    C = Z - Z.max(axis=-1, keepdims=True)
    logP = C - np.log(np.exp(C).sum(axis=-1, keepdims=True))
    return logP


def cross_entropy(z, y):
    """-sum(y log softmax(z)): logits z against the distribution y."""
    return -np.sum(y * log_softmax(z))


def cross_entropy_one_hot(Z, Y):
    """Mean cross-entropy of the logits in the rows of Z against the one-hot rows of Y."""
    return -np.mean(np.sum(Y * log_softmax(Z), axis=-1))


def cross_entropy_labels(Z, y):
    """Mean cross-entropy of the logits in the rows of Z against the integer labels y."""
    logP = log_softmax(Z)
    return -np.mean(logP[np.arange(len(y)), y])


def logistic_loss(w, X, y):
    """Sum over examples of log(1 + exp(z)) - y z, z = X w: the negative log-likelihood of labels 0 and 1."""
    z = X @ w
    return np.sum(np.logaddexp(0, z) - y * z)


def mse(Y, T):
    """Mean of (Y - T)^2."""
    return np.mean((Y - T) ** 2)


def least_squares(W, x, b, t):
    """|W x + b - t|^2."""
    r = W @ x + b - t
    return r @ r


def cosine_similarity(x, y):
    """x'y / (|x| |y|)."""
    return x @ y / (np.linalg.norm(x) * np.linalg.norm(y))


def bilinear_form(x, A, y):
    """x'Ay."""
    return x @ A @ y


def quadratic_form(x, A):
    """x'Ax."""
    return x @ A @ x


# --- normalisation ------------------------------------------------------------------------------------------


def layer_norm(X, gamma, beta):
    """Each row to mean 0 and variance 1, then scaled and shifted (Ba et al. 2016)."""
    mu = np.mean(X, axis=-1, keepdims=True)
    var = np.var(X, axis=-1, keepdims=True)
    xhat = (X - mu) / np.sqrt(var + EPS)
    return gamma * xhat + beta


def rms_norm(X, gamma):
    """Each row divided by its root mean square, then scaled (Zhang and Sennrich 2019)."""
    rms = np.sqrt(np.mean(X**2, axis=-1, keepdims=True) + EPS)
    return gamma * X / rms


def batch_norm(X, gamma, beta):
    """Each column to mean 0, variance 1 over the batch, then scaled and shifted (Ioffe and Szegedy 2015)."""
    mu = X.mean(axis=0)
    var = X.var(axis=0)
    xhat = (X - mu) / np.sqrt(var + EPS)
    return gamma * xhat + beta


# --- attention ----------------------------------------------------------------------------------------------


def attention(Q, K, V):
    """O = softmax(Q K' / sqrt(d)) V (Vaswani et al. 2017)."""
    d = Q.shape[-1]
    S = Q @ K.T / np.sqrt(d)
    P = softmax(S)
    O = P @ V
    return O


def causal_attention(Q, K, V):
    """Attention in which position i sees the positions j <= i only."""
    n, d = Q.shape
    S = Q @ K.T / np.sqrt(d)
    P = softmax(np.where(np.tril(np.ones((n, n), dtype=bool)), S, -np.inf))
    O = P @ V
    return O


def batched_attention(Q, K, V):
    """Attention within each sequence of a batch."""
    S = Q @ K.swapaxes(-1, -2) / np.sqrt(Q.shape[-1])
    P = softmax(S)
    O = P @ V
    return O


def batched_causal_attention(Q, K, V):
    """Causal attention within each sequence of a batch."""
    n, d = Q.shape[-2:]
    S = Q @ K.swapaxes(-1, -2) / np.sqrt(d)
    P = softmax(np.where(np.arange(n)[:, None] >= np.arange(n), S, -np.inf))
    O = P @ V
    return O


def multi_head_attention(Q, K, V):
    """Attention within each head of each sequence of a batch."""
    S = np.einsum("bhid,bhjd->bhij", Q, K) / np.sqrt(Q.shape[-1])
    P = softmax(S)
    O = np.einsum("bhij,bhjp->bhip", P, V)
    return O


def multi_head_causal_attention(Q, K, V):
    """Causal attention within each head of each sequence of a batch."""
    n, d = Q.shape[-2:]
    S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(d)
    P = softmax(np.where(np.triu(np.ones((n, n)), k=1) == 1, -np.inf, S))
    O = P @ V
    return O


def multi_head_self_attention(X, Wq, Wk, Wv, Wo):
    """The whole layer: X projected to queries, keys and values; attention; the heads projected back."""
    Q = np.einsum("bin,hnd->bhid", X, Wq)
    K = np.einsum("bin,hnd->bhid", X, Wk)
    V = np.einsum("bin,hnp->bhip", X, Wv)
    O = multi_head_attention(Q, K, V)
    return np.einsum("bhip,hpn->bin", O, Wo)


# --- recurrent cells ----------------------------------------------------------------------------------------


def rnn_step(x, h, W, U, b):
    """ht = tanh(x W + h U + b)."""
    ht = np.tanh(x @ W + h @ U + b)
    return ht


def lstm_cell(x, h, c, Wi, Ui, bi, Wf, Uf, bf, Wg, Ug, bg, Wo, Uo, bo):
    """The next hidden state and cell of a long short-term memory (Hochreiter and Schmidhuber 1997)."""
    it = expit(x @ Wi + h @ Ui + bi)
    ft = expit(x @ Wf + h @ Uf + bf)
    gt = np.tanh(x @ Wg + h @ Ug + bg)
    ot = expit(x @ Wo + h @ Uo + bo)
    ct = ft * c + it * gt
    ht = ot * np.tanh(ct)
    return ht, ct


def gru_cell(x, h, Wr, Ur, br, Wz, Uz, bz, Wn, Un, bn):
    """The next hidden state of a gated recurrent unit (Cho et al. 2014)."""
    rt = expit(x @ Wr + h @ Ur + br)
    zt = expit(x @ Wz + h @ Uz + bz)
    nt = np.tanh(x @ Wn + rt * (h @ Un) + bn)
    ht = (1 - zt) * nt + zt * h
    return ht


# --- whole networks -----------------------------------------------------------------------------------------


def mlp_two_layers(X, W1, b1, W2, b2, y):
    """Cross-entropy of a network with one hidden layer."""
    H = np.tanh(X @ W1 + b1)
    Z = H @ W2 + b2
    return cross_entropy_labels(Z, y)


def mlp_three_layers(X, W1, b1, W2, b2, W3, b3, T):
    """Mean squared error of a network with two hidden layers."""
    H1 = np.maximum(X @ W1 + b1, 0)
    H2 = np.maximum(H1 @ W2 + b2, 0)
    Y = H2 @ W3 + b3
    return mse(Y, T)


# --- shapes of the arguments --------------------------------------------------------------------------------
# Axis names separated by spaces, "" a scalar; after a comma, what is known about the values.

_DENSE = {"X": "batch n", "W": "n m", "b": "m"}
_STATE = {"x": "batch n", "h": "batch m"}
_ATTENTION = {"Q": "n d", "K": "m d", "V": "m p"}
_CAUSAL = {"Q": "n d", "K": "n d", "V": "n p"}


def _gates(names: str) -> dict[str, str]:
    parts = {"W": "n m", "U": "m m", "b": "m"}
    return {part + gate: axes for gate in names for part, axes in parts.items()}


SHAPES: dict[str, dict[str, str]] = {
    "dense": _DENSE,
    "dense_vector": {"W": "m n", "x": "n", "b": "m"},
    "dense_tanh": _DENSE,
    "dense_sigmoid": _DENSE,
    "dense_relu": _DENSE,
    "dense_leaky_relu": _DENSE,
    "dense_elu": _DENSE,
    "dense_softplus": _DENSE,
    "dense_gelu": _DENSE,
    "dense_gelu_tanh": _DENSE,
    "dense_silu": _DENSE,
    "dense_mish": _DENSE,
    "residual_block": {"X": "batch n", "W1": "n m", "b1": "m", "W2": "m n", "b2": "n"},
    "swiglu": {"X": "batch n", "Wg": "n m", "Wu": "n m", "Wd": "m n"},
    "dropout": {"X": "batch n", "mask": "batch n, integer < 2", "keep": ", positive"},
    "embedding": {"E": "v d", "tok": "batch n, integer < v"},
    "softmax": {"Z": "batch k"},
    "log_softmax": {"Z": "batch k"},
    "cross_entropy": {"z": "k", "y": "k, simplex"},
    "cross_entropy_one_hot": {"Z": "batch k", "Y": "batch k, one-hot"},
    "cross_entropy_labels": {"Z": "batch k", "y": "batch, integer < k"},
    "logistic_loss": {"w": "n", "X": "batch n", "y": "batch, integer < 2"},
    "mse": {"Y": "batch n", "T": "batch n"},
    "least_squares": {"W": "m n", "x": "n", "b": "m", "t": "m"},
    "cosine_similarity": {"x": "n", "y": "n"},
    "bilinear_form": {"x": "n", "A": "n m", "y": "m"},
    "quadratic_form": {"x": "n", "A": "n n"},
    "layer_norm": {"X": "batch n", "gamma": "n", "beta": "n"},
    "rms_norm": {"X": "batch n", "gamma": "n"},
    "batch_norm": {"X": "batch n", "gamma": "n", "beta": "n"},
    "attention": _ATTENTION,
    "causal_attention": _CAUSAL,
    "batched_attention": {name: f"batch {axes}" for name, axes in _ATTENTION.items()},
    "batched_causal_attention": {name: f"batch {axes}" for name, axes in _CAUSAL.items()},
    "multi_head_attention": {name: f"batch heads {axes}" for name, axes in _ATTENTION.items()},
    "multi_head_causal_attention": {name: f"batch heads {axes}" for name, axes in _CAUSAL.items()},
    "multi_head_self_attention": {
        "X": "batch t n",
        "Wq": "heads n d",
        "Wk": "heads n d",
        "Wv": "heads n p",
        "Wo": "heads p n",
    },
    "rnn_step": {**_STATE, "W": "n m", "U": "m m", "b": "m"},
    "lstm_cell": {**_STATE, "c": "batch m", **_gates("ifgo")},
    "gru_cell": {**_STATE, **_gates("rzn")},
    "mlp_two_layers": {
        "X": "batch n",
        "W1": "n h",
        "b1": "h",
        "W2": "h k",
        "b2": "k",
        "y": "batch, integer < k",
    },
    "mlp_three_layers": {
        "X": "batch n",
        "W1": "n h1",
        "b1": "h1",
        "W2": "h1 h2",
        "b2": "h2",
        "W3": "h2 m",
        "b3": "m",
        "T": "batch m",
    },
}

# The same dense layers for one vector instead of a batch of rows.
WITHOUT_BATCH = {name: {**axes, "X": "n"} for name, axes in SHAPES.items() if axes is _DENSE}
