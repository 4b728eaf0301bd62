"""Whether an array of fractions has the facts that were declared of it, decided exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import Any

import flint
import numpy as np


def have_facts(array: Any, facts: Iterable[str]) -> bool:
    """Whether all of these facts hold; an array of more than two axes has those of matrices in every matrix."""
    return all(HOLDS[fact](array) for fact in facts if fact in HOLDS)


def _each(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda array: all(holds(A) for A in array.reshape(-1, *array.shape[-2:]))


def _identity(n: int) -> Any:
    return np.eye(n, dtype=int)


def _minor(A: Any, rows: Iterable[int]) -> Any:
    rows = list(rows)
    entries = [[flint.fmpq(int(A[i, j].numerator), int(A[i, j].denominator)) for j in rows] for i in rows]
    return flint.fmpq_mat(entries).det()


def _regular(A: Any) -> bool:
    return bool(_minor(A, range(len(A))) != 0)


def _positive_definite(A: Any) -> bool:
    return all(_minor(A, range(n)) > 0 for n in range(1, len(A) + 1))


def _positive_semidefinite(A: Any) -> bool:
    return all(_minor(A, rows) >= 0 for rows in _subsets(len(A)))


def _subsets(n: int) -> Iterator[tuple[int, ...]]:
    for size in range(1, n + 1):
        yield from combinations(range(n), size)


HOLDS: dict[str, Callable[[Any], bool]] = {
    "symmetric": _each(lambda A: bool((A == A.T).all())),
    "diagonal": _each(lambda A: bool((A * _identity(len(A)) == A).all())),
    "lower triangular": _each(lambda A: bool((np.tril(A) == A).all())),
    "upper triangular": _each(lambda A: bool((np.triu(A) == A).all())),
    "orthogonal": _each(lambda A: bool((_identity(len(A)) == A.T @ A).all())),
    "invertible": _each(_regular),
    "positive definite": _each(_positive_definite),
    "positive semidefinite": _each(_positive_semidefinite),
    "positive": lambda x: bool((x > 0).all()),
    "nonnegative": lambda x: bool((x >= 0).all()),
    "probability": lambda x: bool((x > 0).all() and (x < 1).all()),
    "binary": lambda x: bool(((x == 0) | (x == 1)).all()),
    "simplex": lambda x: bool((x >= 0).all() and np.all(x.sum(axis=-1) == 1)),
    "increasing": lambda x: bool((x[..., 1:] > x[..., :-1]).all()),
    "one-hot": lambda x: bool(((x == 0) | (x == 1)).all() and np.all(x.sum(axis=-1) == 1)),
}
"""Facts of real arrays, each with an exact test."""
