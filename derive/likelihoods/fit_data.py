"""Data as a fit needs them: matrices with names of columns, and labels in the support of the law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy

from ..calculus.batched import batched
from ..errors import DomainError, ShapeError, UnknownName, closest
from ..function import Function
from ..ir.nodes import size
from .setting import Given

if TYPE_CHECKING:
    from .loss import Loss

INTERCEPT = "(intercept)"


@dataclass(frozen=True, eq=False)
class Design:
    """A matrix [n, p] with a name for each column."""

    matrix: Any
    names: tuple[str, ...]


def design_of(
    X: Any, n: int, intercept: bool, names: Sequence[str] | None, what: str = "X", checked: bool = True
) -> Design:
    """The columns of X, after a column of ones.

    Args:
        X: [n, p], a table with `columns`, a dictionary of columns, one column [n], or None for no columns.
        names: of the columns; those of a table, or x1, x2, ... if left out.
        checked: whether columns must determine their coefficients.

    Raises:
        ShapeError: rows or names do not fit.  DomainError: an entry is not finite, or columns are collinear.
    """
    columns, names = _columns(X, n, names, what)
    if columns.shape[0] != n:
        raise ShapeError(f"{what} has {columns.shape[0]} rows, but there are {n} labels")
    if (
        intercept
        and X is not None
        and (constant := [k for k in range(len(names)) if np.ptp(columns[:, k]) == 0])
    ):
        raise DomainError(
            f"column {names[constant[0]]!r} of {what} is {columns[0, constant[0]]:g} in every row, and there is an "
            "intercept already; try: intercept=False, or leave the column out"
        )
    if intercept or X is None:
        columns, names = np.column_stack((np.ones(n), columns)), (INTERCEPT, *names)
    _check_finite(columns, names, what)
    if checked:
        _check_independent(columns, names, what)
    return Design(columns, tuple(names))


def _columns(X: Any, n: int, names: Sequence[str] | None, what: str) -> tuple[Any, Sequence[str]]:
    if X is None:
        return np.empty((n, 0)), ()
    if isinstance(X, Mapping):
        names = names or [str(key) for key in X]
        X = np.column_stack([np.asarray(column, dtype=float) for column in X.values()])
    elif names is None and hasattr(X, "columns"):
        names = [str(column) for column in X.columns]
    elif names is None and getattr(X, "name", None) is not None and np.ndim(X) == 1:
        names = [str(X.name)]
    try:
        columns = np.asarray(X, dtype=float)
    except (TypeError, ValueError) as error:
        raise DomainError(
            f"{what} must hold numbers: {error}; try: one column of 0 and 1 for each category"
        ) from None
    columns = columns[:, None] if columns.ndim == 1 else columns
    if columns.ndim != 2:
        raise ShapeError(f"{what} must be a matrix [n, p]; found the shape {columns.shape}")
    names = [f"x{k + 1}" for k in range(columns.shape[1])] if names is None else list(map(str, names))
    if len(names) != columns.shape[1]:
        raise ShapeError(
            f"{what} has {columns.shape[1]} columns, but there are {len(names)} names: {', '.join(names)}"
        )
    if doubled := [name for name in names if names.count(name) > 1 or name == INTERCEPT]:
        raise ShapeError(f"two columns of {what} are called {doubled[0]!r}")
    return columns, names


def _check_finite(columns: Any, names: Sequence[str], what: str) -> None:
    if len(bad := np.argwhere(~np.isfinite(columns))):
        row, k = map(int, bad[0])
        more = f" ({len(bad)} such entries in all)" if len(bad) > 1 else ""
        raise DomainError(
            f"{what}[{row}] is {columns[row, k]} in column {names[k]!r}{more}; try: leave such rows out"
        )


def _check_independent(columns: Any, names: Sequence[str], what: str) -> None:
    """Raises a DomainError that says which sum of columns is 0."""
    n, p = columns.shape
    if p > n:
        raise DomainError(
            f"{what} has {p} columns with the intercept but only {n} rows: many coefficients fit equally well"
        )
    scale = np.sqrt(np.sum(columns**2, axis=0))
    if len(zero := np.flatnonzero(scale == 0)):
        raise DomainError(f"column {names[zero[0]]!r} of {what} is 0 in every row")
    _, R, order = scipy.linalg.qr(columns / scale, mode="economic", pivoting=True)
    size = np.abs(np.diag(R))
    rank = int(np.sum(size > max(n, p) * np.finfo(float).eps * size[0] * 8))
    if rank == p:
        return
    weights = scipy.linalg.solve_triangular(R[:rank, :rank], R[:rank, rank])
    last = order[rank]
    terms = [
        (names[order[k]], w * scale[last] / scale[order[k]]) for k, w in enumerate(weights) if abs(w) > 1e-8
    ]
    said = " + ".join(f"{w:.4g} {name}" for name, w in terms).replace("+ -", "- ")
    said = said.replace(f" {INTERCEPT}", "") if INTERCEPT in said else said
    raise DomainError(
        f"columns of {what} are collinear, so that their coefficients are not determined: {names[last]} = {said or '0'}; "
        f"try: leave {names[last]!r} out"
    )


def labels_of(y: Any, loss: Loss) -> tuple[Any, tuple[str, ...]]:
    """Labels as an array, and the names of classes if they are such.

    Raises:
        DomainError: a label is outside of the support; it is said which.  ShapeError: labels of another shape, or none.
    """
    density = loss.setting.density
    axes = len(density.shape)
    if "one-hot" in density.facts and np.ndim(y) == 1:
        names, places = np.unique(np.asarray(y), return_inverse=True)
        if len(names) < 2:
            raise DomainError(f"all labels are {names[0]!r}; two classes are needed at least")
        return np.eye(len(names))[places], tuple(map(str, names))
    loss.check_labels(y)
    found = np.asarray(y, dtype=float)
    if found.ndim != 1 + axes:
        raise ShapeError(
            f"labels of the {density.name} law have {1 + axes} axes; found the shape {found.shape}"
        )
    if len(found) == 0:
        raise ShapeError("there are no labels")
    classes = range(found.shape[1]) if "one-hot" in density.facts else ()
    return found, tuple(map(str, classes))


def known_of(loss: Loss, known: Mapping[str, Any], n: int) -> dict[str, Any]:
    """Values of the known parameters, each a number or one for each row."""
    wanted = [g.symbol for g in loss.setting.parts("known")]
    if unknown := [name for name in known if name not in wanted]:
        raise UnknownName(f"fit() of this loss takes no {unknown[0]!r}; {closest(unknown[0], wanted)}")
    if missing := [name for name in wanted if name not in known]:
        raise UnknownName(
            f"the loss has {missing[0]} as a known parameter; try: loss.fit(X, y, {missing[0]}=...)"
        )
    found = {name: np.asarray(value, dtype=float) for name, value in known.items()}
    for name, value in found.items():
        if value.ndim > 1 or (value.ndim == 1 and len(value) != n):
            raise ShapeError(
                f"{name} must be one number, or one for each of {n} rows; found the shape {value.shape}"
            )
    return found


def weights_of(weights: Any, n: int) -> dict[str, Any]:
    """How often each row counts, by its name; nothing if each counts once."""
    if weights is None:
        return {}
    found = np.asarray(weights, dtype=float)
    if found.shape != (n,):
        raise ShapeError(f"weights must have the shape ({n},); found {found.shape}")
    if len(bad := np.flatnonzero(~(found >= 0))):
        raise DomainError(
            f"a weight says how often a row counts, 0 or more; weights[{bad[0]}] is {found[bad[0]]:g}"
        )
    return {"weights": found}


def offset_of(g: Given, offset: Any, n: int) -> tuple[dict[str, Any], str]:
    """The offset of a raw output by its name, and the name; neither if there is none."""
    parts = offset if isinstance(offset, Mapping) else {} if offset is None else {g.name: offset}
    if g.name not in parts:
        return {}, ""
    found = np.asarray(parts[g.name], dtype=float)
    if found.shape[:1] != (n,):
        raise ShapeError(f"offset must have one entry for each of {n} rows; found the shape {found.shape}")
    return {f"offset_{g.symbol}": found}, f"offset_{g.symbol}"


def constants_of(loss: Loss, data: Mapping[str, Any], n: int) -> Any:
    """What the loss dropped of minus the log-likelihood, for each row.

    Raises:
        DomainError: it is not finite, as for more successes than trials.
    """
    found = np.zeros(n)
    for d in loss.dropped:
        each = {name: 0 for name in d.inputs if np.ndim(data[name]) > len(_one(loss, name))}
        program = batched(d.term.program, size("n"), each, [0]) if each else d.term.program
        with np.errstate(all="ignore"):
            found = found + Function("constant", program)(**{name: data[name] for name in d.inputs})
    if len(bad := np.flatnonzero(~np.isfinite(found))):
        known = ", ".join(f"{k} = {data[k][bad[0]]}" for k in data if np.ndim(data[k]) and len(data[k]) == n)
        raise DomainError(
            f"row {bad[0]} has no probability under the {loss.setting.density.name} law: {known}"
        )
    return found


def _one(loss: Loss, name: str) -> tuple[Any, ...]:
    """The axes of an input of one example."""
    return next(t.shape for t in loss.example.program.inputs if t.name == name)
