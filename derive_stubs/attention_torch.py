"""attention and its backward pass, in PyTorch.

S = Q K' / sqrt(d)
P = softmax(S)
O = P V
gP = gO V'
gS = P ∘ (gP − rowsum(gP ∘ P))
gQ = gS K / sqrt(d)
gK = gS' Q / sqrt(d)
gV = P' gO

Derived from layers.py:205.
"""

import math

import torch
from torch.autograd.function import once_differentiable


class AttentionFunction(torch.autograd.Function):
    """The function with the backward pass above."""

    @staticmethod
    def forward(ctx, Q, K, V):
        d = Q.shape[1]
        S = Q @ K.T / math.sqrt(d)
        E = torch.exp(S - S.amax(dim=1)[:, None])
        P = E / E.sum(dim=1)[:, None]
        O = P @ V
        ctx.save_for_backward(Q, K, V, P)
        return O

    @staticmethod
    @once_differentiable
    def backward(ctx, gO):
        Q, K, V, P = ctx.saved_tensors
        d = Q.shape[1]
        gQ = gK = gV = None
        gP = gO @ V.T
        gS = P * (gP - (P * gP).sum(dim=1)[:, None])
        if ctx.needs_input_grad[0]:
            gQ = gS @ K / math.sqrt(d)
        if ctx.needs_input_grad[1]:
            gK = gS.T @ Q / math.sqrt(d)
        if ctx.needs_input_grad[2]:
            gV = P.T @ gO
        return gQ, gK, gV


def attention(Q, K, V):
    """O (n, p) from Q (n, d), K (m, d), V (m, p)."""
    return AttentionFunction.apply(Q, K, V)


def test_attention_gradcheck():
    """The gradients against differences of the function, in double precision."""
    torch.manual_seed(0)
    n, d, m, p = 3, 4, 5, 2
    Q = torch.randn(n, d, dtype=torch.float64, requires_grad=True)
    K = torch.randn(m, d, dtype=torch.float64, requires_grad=True)
    V = torch.randn(m, p, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(attention, (Q, K, V))
