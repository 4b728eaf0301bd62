"""Sequences and other loops over time in plain NumPy, with `dv.scan` for the loop.

The number of steps stays symbolic. `derive backprop examples/sequences.py:rnn` prints backpropagation through time.
"""

import numpy as np
from scipy.special import expit as sigmoid

import derive as dv

SHAPES = {
    "rnn": {"x": "T m", "W": "n n", "U": "n m", "b": "n", "h0": "n"},
    "rnn_loss": {"x": "T m", "target": "T k", "W": "n n", "U": "n m", "V": "k n", "b": "n", "h0": "n"},
    "lstm": {"x": "T m", "W": "4 n m", "R": "4 n n", "b": "4 n", "h0": "n", "c0": "n"},
    "gru": {"x": "T m", "W": "3 n m", "R": "3 n n", "b": "3 n", "d": "n", "h0": "n"},
    "rnn_batch": {"x": "batch T m", "W": "n n", "U": "n m", "b": "n"},
    "state_space": {"u": "T m", "A": "n n", "B": "n m", "C": "p n", "D": "p m", "x0": "n"},
    "euler": {"y0": "n", "W1": "h n", "b1": "h", "W2": "n h", "dt": "", "target": "T n"},
    "midpoint": {"y0": "n", "W1": "h n", "b1": "h", "W2": "n h", "dt": "", "target": "T n"},
    "rk4": {"y0": "n", "W1": "h n", "b1": "h", "W2": "n h", "dt": "", "target": "T n"},
    "unrolled_descent": {"theta": "n", "eta": "", "X": "k n", "y": "k", "Xval": "q n", "yval": "q"},
    "stacked_rnn": {"x": "T m", "U1": "n m", "W1": "n n", "U2": "n n", "W2": "n n", "h0": "n"},
    "reverse_rnn": {"x": "T m", "W": "n n", "U": "n m", "h0": "n"},
    "nested": {"x": "T S", "w": "", "v": ""},
    "discounted_return": {"r": "T", "gamma": ""},
    "ema": {"x": "T n", "beta": ""},
}


def rnn(x, W, U, b, h0):
    """The vanilla recurrent network: all hidden states."""

    def step(h, x_t):
        h = np.tanh(W @ h + U @ x_t + b)
        return h, h

    _, hs = dv.scan(step, h0, x)
    return hs


def rnn_loss(x, target, W, U, V, b, h0):
    """Squared error of an output at every step."""

    def step(h, x_t):
        h = np.tanh(W @ h + U @ x_t + b)
        return h, V @ h

    _, y = dv.scan(step, h0, x)
    return 0.5 * np.sum((y - target) ** 2)


def lstm(x, W, R, b, h0, c0):
    """Long short-term memory; W, R, b hold input gate, forget gate, candidate and output gate, as torch does."""

    def step(carry, x_t):
        h, c = carry
        i = sigmoid(W[0] @ x_t + R[0] @ h + b[0])
        f = sigmoid(W[1] @ x_t + R[1] @ h + b[1])
        g = np.tanh(W[2] @ x_t + R[2] @ h + b[2])
        o = sigmoid(W[3] @ x_t + R[3] @ h + b[3])
        c = f * c + i * g
        h = o * np.tanh(c)
        return (h, c), h

    _, hs = dv.scan(step, (h0, c0), x)
    return hs


def gru(x, W, R, b, d, h0):
    """Gated recurrent unit; W, R, b hold reset gate, update gate and candidate, as torch does."""

    def step(h, x_t):
        r = sigmoid(W[0] @ x_t + R[0] @ h + b[0])
        z = sigmoid(W[1] @ x_t + R[1] @ h + b[1])
        n = np.tanh(W[2] @ x_t + b[2] + r * (R[2] @ h + d))
        h = (1 - z) * n + z * h
        return h, h

    _, hs = dv.scan(step, h0, x)
    return hs


def rnn_batch(x, W, U, b):
    """A batch of sequences; the last hidden state of each."""

    def step(h, x_t):
        return np.tanh(h @ W.T + x_t @ U.T + b), None

    h, _ = dv.scan(step, np.zeros((x.shape[0], W.shape[0])), np.swapaxes(x, 0, 1))
    return h


def state_space(u, A, B, C, D, x0):
    """A linear system: its response to the input u."""

    def step(x, u_t):
        return A @ x + B @ u_t, C @ x + D @ u_t

    _, y = dv.scan(step, x0, u)
    return y


def field(y, W1, b1, W2):
    """The right-hand side of a neural differential equation."""
    return W2 @ np.tanh(W1 @ y + b1)


def euler(y0, W1, b1, W2, dt, target):
    """Squared distance of a trajectory to a target; steps of Euler's method."""

    def step(y, target_t):
        y = y + dt * field(y, W1, b1, W2)
        return y, y - target_t

    _, error = dv.scan(step, y0, target)
    return np.sum(error**2)


def midpoint(y0, W1, b1, W2, dt, target):
    """The same with the midpoint method."""

    def step(y, target_t):
        k = field(y, W1, b1, W2)
        y = y + dt * field(y + dt / 2 * k, W1, b1, W2)
        return y, y - target_t

    _, error = dv.scan(step, y0, target)
    return np.sum(error**2)


def rk4(y0, W1, b1, W2, dt, target):
    """The same with the classical method of Runge and Kutta."""

    def step(y, target_t):
        k1 = field(y, W1, b1, W2)
        k2 = field(y + dt / 2 * k1, W1, b1, W2)
        k3 = field(y + dt / 2 * k2, W1, b1, W2)
        k4 = field(y + dt * k3, W1, b1, W2)
        y = y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return y, y - target_t

    _, error = dv.scan(step, y0, target)
    return np.sum(error**2)


def unrolled_descent(theta, eta, X, y, Xval, yval):
    """The validation loss after ten steps of gradient descent: its derivative by eta is a hypergradient."""

    def step(theta, _):
        return theta - eta * (X.T @ (X @ theta - y)), None

    theta, _ = dv.scan(step, theta, length=10)
    return 0.5 * np.sum((Xval @ theta - yval) ** 2)


def stacked_rnn(x, U1, W1, U2, W2, h0):
    """Two layers, one scan each: the second reads what the first returned."""

    def layer(W, U):
        def step(h, x_t):
            h = np.tanh(W @ h + U @ x_t)
            return h, h

        return step

    _, below = dv.scan(layer(W1, U1), h0, x)
    top, _ = dv.scan(layer(W2, U2), h0, below)
    return top


def reverse_rnn(x, W, U, h0):
    """A recurrent network that reads the sequence from its end."""

    def step(h, x_t):
        h = np.tanh(W @ h + U @ x_t)
        return h, h

    _, hs = dv.scan(step, h0, x, reverse=True)
    return hs


def nested(x, w, v):
    """A scan within each step of a scan."""

    def outer(a, row):
        def inner(c, value):
            c = np.tanh(w * c + value)
            return c, c**2

        a, squares = dv.scan(inner, a, row)
        return np.sin(v * a), np.sum(squares)

    a, sums = dv.scan(outer, 0.5, x)
    return a + np.sum(sums)


def discounted_return(r, gamma):
    """What follows, discounted: the return of reinforcement learning at every step."""
    _, returns = dv.scan(
        lambda later, reward: (reward + gamma * later, reward + gamma * later), 0.0, r, reverse=True
    )
    return returns


def ema(x, beta):
    """The exponential moving average."""

    def step(m, x_t):
        m = beta * m + (1 - beta) * x_t
        return m, m

    _, averages = dv.scan(step, np.zeros(x.shape[1]), x)
    return averages
