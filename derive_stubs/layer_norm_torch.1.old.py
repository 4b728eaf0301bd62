"""layer_norm and its backward pass, in PyTorch.

Y = gamma ∘ (X − rowmean(X)) / sqrt(rowvar(X) + 1e-05) + beta
gxhat = gamma ∘ gY
gX = (gxhat − rowmean(gxhat) − xhat ∘ rowmean(gxhat ∘ xhat)) / v
ggamma = colsum(gY ∘ xhat)
gbeta = colsum(gY)

Derived from layers.py:180.
"""

import torch
from torch.autograd.function import once_differentiable


class LayerNormFunction(torch.autograd.Function):
    """The function with the backward pass above."""

    @staticmethod
    def forward(ctx, X, gamma, beta):
        mu = X.mean(dim=1)
        Z = X - mu[:, None]
        var = (Z**2).mean(dim=1)
        v = torch.sqrt(var + 1e-5)
        xhat = Z / v[:, None]
        Y = gamma * xhat + beta
        ctx.save_for_backward(gamma, v, xhat)
        return Y

    @staticmethod
    @once_differentiable
    def backward(ctx, gY):
        gamma, v, xhat = ctx.saved_tensors
        n = gY.shape[1]
        gX = ggamma = gbeta = None
        if ctx.needs_input_grad[0]:
            gxhat = gamma * gY
            c = (xhat * gxhat).sum(dim=1)
            m = gxhat.sum(dim=1)
            gX = (gxhat - (c[:, None] * xhat + m[:, None]) / n) / v[:, None]
        if ctx.needs_input_grad[1]:
            ggamma = (xhat * gY).sum(dim=0)
        if ctx.needs_input_grad[2]:
            gbeta = gY.sum(dim=0)
        return gX, ggamma, gbeta


def layer_norm(X, gamma, beta):
    """Y (batch, n) from X (batch, n), gamma (n), beta (n)."""
    return LayerNormFunction.apply(X, gamma, beta)


def test_layer_norm_gradcheck():
    """The gradients against differences of the function, in double precision."""
    torch.manual_seed(0)
    batch, n = 3, 4
    X = torch.randn(batch, n, dtype=torch.float64, requires_grad=True)
    gamma = torch.randn(n, dtype=torch.float64, requires_grad=True)
    beta = torch.randn(n, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer_norm, (X, gamma, beta))
