"""Find the errors in a hand-written backward pass: three are planted, and each is named where it is made.

A layer-normalised classifier with its backward pass in plain NumPy. The shapes are right, a smaller loss after some steps
would not be a surprise, and yet three lines are wrong. Run this file, or
`derive audit examples/wrong_backward.py:loss examples/wrong_backward.py:backward --wrt W1,b1,gamma,beta,W2,b2`.
"""

import numpy as np

import derive as dv

SHAPES = {
    "loss": {
        "X": "n d", "W1": "d h", "b1": "h", "gamma": "h", "beta": "h", "W2": "h k", "b2": "k", "Y": "n k, one-hot",
    },
}  # fmt: skip
PARAMETERS = ["W1", "b1", "gamma", "beta", "W2", "b2"]


def loss(X, W1, b1, gamma, beta, W2, b2, Y):
    """The mean cross-entropy of softmax(layer_norm(tanh(X W1 + b1)) W2 + b2)."""
    Z = X @ W1 + b1
    A = np.tanh(Z)
    C = A - A.mean(axis=1, keepdims=True)
    s = np.sqrt((C**2).mean(axis=1, keepdims=True) + 1e-5)
    H = C / s
    N = gamma * H + beta
    S = N @ W2 + b2
    P = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
    return -np.sum(Y * np.log(P)) / X.shape[0]


def backward(X, W1, b1, gamma, beta, W2, b2, Y):
    """What someone wrote for it."""
    A = np.tanh(X @ W1 + b1)
    C = A - A.mean(axis=1, keepdims=True)
    s = np.sqrt((C**2).mean(axis=1, keepdims=True) + 1e-5)
    H = C / s
    N = gamma * H + beta
    S = N @ W2 + b2
    P = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
    dS = P - Y
    dW2 = N.T @ dS
    db2 = dS.sum(axis=0)
    dN = dS @ W2.T
    dgamma = (dN * H).sum(axis=0)
    dbeta = dN.sum(axis=0)
    dH = dN * gamma
    dA = (dH - dH.mean(axis=1, keepdims=True)) / s
    dZ = dA * (1 - A)
    dW1 = X.T @ dZ
    db1 = dZ.sum(axis=0)
    return dW1, db1, dgamma, dbeta, dW2, db2


def main() -> dict[str, str]:
    """Print the audit; return what each wrong line should be, by the array that it defines."""
    audit = dv.audit_gradient(dv.trace(loss, **SHAPES["loss"]), backward, PARAMETERS)
    print(audit)
    return {line.name: line.expected for line in audit.wrong}


if __name__ == "__main__":
    main()
