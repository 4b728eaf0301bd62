"""Convolutions and pooling in plain NumPy: windows that slide over an array, and a product with each.

Try any of them:  derive backprop examples/convolutions.py:conv2d
The shapes of the arguments, by axis name, are in SHAPES at the end. In index notation a convolution reads X[i+k];
its derivative is a shifted read, and where windows leave places out, a scatter.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def windows(X, width, stride=1, padding=0, dilation=1, fill=0.0):
    """Windows of `width` entries over the last axis, as a new last axis."""
    if padding:
        X = np.pad(X, [(0, 0)] * (X.ndim - 1) + [(padding, padding)], constant_values=fill)
    reach = dilation * (width - 1) + 1
    return sliding_window_view(X, reach, axis=-1)[..., ::stride, ::dilation]


def patches(X, height, width, stride=1, padding=0, dilation=1, fill=0.0):
    """Windows over the last two axes, as two new last axes."""
    if padding:
        X = np.pad(X, [(0, 0)] * (X.ndim - 2) + [(padding, padding)] * 2, constant_values=fill)
    reach = [dilation * (size - 1) + 1 for size in (height, width)]
    P = sliding_window_view(X, reach, axis=(-2, -1))
    return P[..., ::stride, ::stride, ::dilation, ::dilation]


# --- in one dimension ---------------------------------------------------------------------------------------


def conv1d(X, W, b):
    """Y[b,o,i] = sum of X[b,c,i+p] W[o,c,p], with a bias for each channel."""
    P = windows(X, W.shape[2])
    return np.einsum("bcip,ocp->boi", P, W) + b[:, None]


def conv1d_same(X, W, b):
    """As many entries as before: zeros stand around them."""
    P = windows(X, 3, padding=1)
    return np.einsum("bcip,ocp->boi", P, W) + b[:, None]


def conv1d_strided(X, W):
    """Every second window."""
    P = windows(X, W.shape[2], stride=2)
    return np.einsum("bcip,ocp->boi", P, W)


def conv1d_dilated(X, W):
    """Windows of every second entry."""
    P = windows(X, 3, dilation=2)
    return np.einsum("bcip,ocp->boi", P, W)


def causal_conv1d(X, W):
    """No entry sees a later one: zeros stand before the first."""
    P = windows(np.pad(X, [(0, 0), (0, 0), (2, 0)]), 3)
    return np.einsum("bcip,ocp->boi", P, W)


# --- in two dimensions --------------------------------------------------------------------------------------


def conv2d(X, W, b):
    """Y[b,o,i,j] = sum of X[b,c,i+p,j+q] W[o,c,p,q], with a bias for each channel."""
    P = patches(X, *W.shape[2:])
    return np.einsum("bcijpq,ocpq->boij", P, W) + b[:, None, None]


def conv2d_same(X, W, b):
    """Images of the size they had: zeros stand around them."""
    P = patches(X, 3, 3, padding=1)
    return np.einsum("bcijpq,ocpq->boij", P, W) + b[:, None, None]


def conv2d_strided(X, W):
    """Every second window in each direction, over padded images: half the resolution."""
    P = patches(X, 3, 3, stride=2, padding=1)
    return np.einsum("bcijpq,ocpq->boij", P, W)


def conv2d_dilated(X, W):
    """Windows of every second entry in each direction."""
    P = patches(X, 3, 3, dilation=2)
    return np.einsum("bcijpq,ocpq->boij", P, W)


def depthwise_conv2d(X, W):
    """Each channel has a kernel of its own and is not mixed with others."""
    P = patches(X, *W.shape[1:])
    return np.einsum("bcijpq,cpq->bcij", P, W)


def pointwise_conv2d(X, W):
    """A dense layer over the channels, at each place."""
    return np.einsum("bcij,oc->boij", X, W)


# --- pooling ------------------------------------------------------------------------------------------------


def max_pool2d(X):
    """The largest entry of each 2 x 2 block; equal ones share the gradient."""
    return patches(X, 2, 2, stride=2).max(axis=(-1, -2))


def overlapping_max_pool2d(X):
    """The largest entry of 3 x 3 windows that overlap, over padded images."""
    return patches(X, 3, 3, stride=2, padding=1, fill=-np.inf).max(axis=(-1, -2))


def average_pool2d(X):
    """The mean of each 2 x 2 block."""
    return patches(X, 2, 2, stride=2).mean(axis=(-1, -2))


def global_average_pool(X):
    """The mean of each channel."""
    return X.mean(axis=(2, 3))


def global_max_pool(X):
    """The largest entry of each channel."""
    return X.max(axis=(2, 3))


# --- a small network ----------------------------------------------------------------------------------------


def convolutional_network(X, K, W, a):
    """Convolution, relu, pooling, and a dense layer: the scores of each class."""
    H = np.maximum(np.einsum("bcijpq,ocpq->boij", patches(X, 3, 3), K), 0)
    return average_pool2d(H).mean(axis=(2, 3)) @ W + a


IMAGES = {"X": "batch c h w"}
SHAPES: dict[str, dict[str, str]] = {
    "conv1d": {"X": "batch c n", "W": "o c p", "b": "o"},
    "conv1d_same": {"X": "batch c n", "W": "o c 3", "b": "o"},
    "conv1d_strided": {"X": "batch c n", "W": "o c p"},
    "conv1d_dilated": {"X": "batch c n", "W": "o c 3"},
    "causal_conv1d": {"X": "batch c n", "W": "o c 3"},
    "conv2d": {**IMAGES, "W": "o c p q", "b": "o"},
    "conv2d_same": {**IMAGES, "W": "o c 3 3", "b": "o"},
    "conv2d_strided": {**IMAGES, "W": "o c 3 3"},
    "conv2d_dilated": {**IMAGES, "W": "o c 3 3"},
    "depthwise_conv2d": {**IMAGES, "W": "c p q"},
    "pointwise_conv2d": {**IMAGES, "W": "o c"},
    "max_pool2d": IMAGES,
    "overlapping_max_pool2d": IMAGES,
    "average_pool2d": IMAGES,
    "global_average_pool": IMAGES,
    "global_max_pool": IMAGES,
    "convolutional_network": {**IMAGES, "K": "o c 3 3", "W": "o k", "a": "k"},
}
