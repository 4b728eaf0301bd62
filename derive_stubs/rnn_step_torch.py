"""rnn_step and its backward pass, in PyTorch.

ht = tanh(x W + h U + b)
gR = ght ∘ (1 − ht²)
gx = gR W'
gh = gR U'
gW = x' gR
gU = h' gR
gb = colsum(gR)

Derived from layers.py:269.
"""

import torch
from torch.autograd.function import once_differentiable


class RnnStepFunction(torch.autograd.Function):
    """The function with the backward pass above."""

    @staticmethod
    def forward(ctx, x, h, W, U, b):
        ht = torch.tanh(x @ W + h @ U + b)
        ctx.save_for_backward(x, h, W, U, ht)
        return ht

    @staticmethod
    @once_differentiable
    def backward(ctx, ght):
        x, h, W, U, ht = ctx.saved_tensors
        gx = gh = gW = gU = gb = None
        gR = ght * (1 - ht**2)
        if ctx.needs_input_grad[0]:
            gx = gR @ W.T
        if ctx.needs_input_grad[1]:
            gh = gR @ U.T
        if ctx.needs_input_grad[2]:
            gW = x.T @ gR
        if ctx.needs_input_grad[3]:
            gU = h.T @ gR
        if ctx.needs_input_grad[4]:
            gb = gR.sum(dim=0)
        return gx, gh, gW, gU, gb


def rnn_step(x, h, W, U, b):
    """ht (batch, m) from x (batch, n), h (batch, m), W (n, m), U (m, m), b (m)."""
    return RnnStepFunction.apply(x, h, W, U, b)


def test_rnn_step_gradcheck():
    """The gradients against differences of the function, in double precision."""
    torch.manual_seed(0)
    batch, n, m = 3, 4, 5
    x = torch.randn(batch, n, dtype=torch.float64, requires_grad=True)
    h = torch.randn(batch, m, dtype=torch.float64, requires_grad=True)
    W = torch.randn(n, m, dtype=torch.float64, requires_grad=True)
    U = torch.randn(m, m, dtype=torch.float64, requires_grad=True)
    b = torch.randn(m, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(rnn_step, (x, h, W, U, b))
