"""dense_tanh and its backward pass, in PyTorch.

Z = X W + b
Y = tanh(Z)
gZ = gY ∘ (1 − Y²)
gX = gZ W'
gW = X' gZ
gb = colsum(gZ)

Derived from layers.py:25.
"""

import torch
from torch.autograd.function import once_differentiable


class DenseTanhFunction(torch.autograd.Function):
    """The function with the backward pass above."""

    @staticmethod
    def forward(ctx, X, W, b):
        Y = torch.tanh(X @ W + b)
        ctx.save_for_backward(X, W, Y)
        return Y

    @staticmethod
    @once_differentiable
    def backward(ctx, gY):
        X, W, Y = ctx.saved_tensors
        gX = gW = gb = None
        gZ = gY * (1 - Y**2)
        if ctx.needs_input_grad[0]:
            gX = gZ @ W.T
        if ctx.needs_input_grad[1]:
            gW = X.T @ gZ
        if ctx.needs_input_grad[2]:
            gb = gZ.sum(dim=0)
        return gX, gW, gb


def dense_tanh(X, W, b):
    """Y (batch, m) from X (batch, n), W (n, m), b (m)."""
    return DenseTanhFunction.apply(X, W, b)


def test_dense_tanh_gradcheck():
    """The gradients against differences of the function, in double precision."""
    torch.manual_seed(0)
    batch, n, m = 3, 4, 5
    X = torch.randn(batch, n, dtype=torch.float64, requires_grad=True)
    W = torch.randn(n, m, dtype=torch.float64, requires_grad=True)
    b = torch.randn(m, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(dense_tanh, (X, W, b))
