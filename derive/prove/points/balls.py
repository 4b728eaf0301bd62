"""Enclosures of eigenvalues and singular values of any matrix of balls, and how many digits balls have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import flint
import numpy as np

from ...errors import UnsupportedOp
from ...ir.numbers import NotExact, Numbers
from ...ops._primitive import Primitive


class Balls(Numbers):
    """Numbers whose eigenvalues are enclosed where they have no closed form."""

    def linear_algebra(
        self, primitive: Primitive, arrays: list[Any], parameters: list[Any]
    ) -> tuple[Any, ...]:
        try:
            return super().linear_algebra(primitive, arrays, parameters)
        except (NotExact, UnsupportedOp):
            if primitive.name not in SPECTRA:
                raise
        (A,) = arrays
        batch = A.shape[:-2]
        found = [SPECTRA[primitive.name](A[place]) for place in np.ndindex(*batch)]
        return tuple(
            np.array(x, dtype=object).reshape((*batch, *x[0].shape)) for x in zip(*found, strict=True)
        )


def _eigenvalues(A: Any) -> list[flint.arb]:
    """Of a symmetric matrix, in ascending order: the smallest is between the smallest ends of all enclosures, and so on.

    Raises:
        NotExact: they could not be enclosed.
    """
    matrix = flint.arb_mat([[flint.arb(x) for x in row] for row in (A + A.T) / 2])
    try:
        found = [value.real for value in flint.acb_mat(matrix).eig(multiple=True)]
    except ValueError:
        raise NotExact("the eigenvalues could not be enclosed") from None
    lower, upper = sorted(x.lower() for x in found), sorted(x.upper() for x in found)
    return [a.union(b) for a, b in zip(lower, upper, strict=True)]


def _eigh(A: Any) -> tuple[Any, Any]:
    """The eigenvalues; of the eigenvectors, which are determined up to their signs, nothing."""
    return np.array(_eigenvalues(A), dtype=object), _nothing(A.shape)


def _svd(A: Any) -> tuple[Any, Any, Any]:
    """The singular values, largest first; of the vectors nothing."""
    m, n = A.shape
    squares = _eigenvalues(A @ A.T if m <= n else A.T @ A)
    values = [x.nonnegative_part().sqrt() for x in reversed(squares)]
    return _nothing((m, min(m, n))), np.array(values, dtype=object), _nothing((min(m, n), n))


def _nothing(shape: tuple[int, ...]) -> Any:
    return np.full(shape, flint.arb.nan(), dtype=object)


SPECTRA: dict[str, Callable[[Any], tuple[Any, ...]]] = {"eigh": _eigh, "svd": _svd}


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Balls with so many binary digits within the block."""
    before, flint.ctx.prec = flint.ctx.prec, bits
    try:
        yield
    finally:
        flint.ctx.prec = before
