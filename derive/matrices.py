"""Stacking the entries of a matrix: vec and vech, for arrays and in traced code."""

from typing import Any

import numpy as np


def vec(X: Any) -> Any:
    """The columns of a matrix one under the other: ``vec(X)[i + j m] = X[i,j]``.

    Args:
        X: shape (m, n).

    Returns:
        Shape (m n,). ``vec(A X B) = kron(B', A) vec(X)``.

    Source: Magnus and Neudecker (2019), 2.4.
    """
    return np.reshape(np.swapaxes(X, 0, 1), -1)


def vech(X: Any) -> Any:
    """The columns of the lower triangle of a square matrix one under the other, without what stands above the diagonal.

    Args:
        X: shape (n, n).

    Returns:
        Shape (n (n + 1) / 2,). A traced function that calls it is traced once for each n.

    Source: Magnus and Neudecker (2019), 3.8.
    """
    rows, columns = np.triu_indices(int(X.shape[0]))
    return np.swapaxes(X, 0, 1)[rows, columns]
