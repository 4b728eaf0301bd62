"""The arrangements of derivatives that textbooks use, beside ours: one record for each, with its standard name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .traced import Traced


@dataclass(frozen=True)
class Layout:
    """How the entries of a derivative are arranged.

    Ours: a gradient has the shape of its variable, a Jacobian the axes of the function first, then those of the variable.

    words: how a claim that holds in it is described.
    ranks: the function and the variable have this many axes.
    order: our axes in the order of the layout; groups: how many of them make one axis each.
    columns: whether ``ravel`` stacks columns in it, as vec does.
    tied: whether both entries of a pair of a symmetric variable are one variable.
    """

    words: str
    ranks: tuple[int, int]
    order: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    columns: bool = False
    tied: bool = False

    def arranged(self, trace: Any, derivative: Traced, rank: int) -> Traced:
        """A derivative by what has `rank` axes, in this layout; another kind of derivative as it is."""
        if (derivative.rank - rank, rank) != self.ranks or not self.order:
            return derivative
        call: Callable[..., Any] = trace.call
        turned = call("numpy.transpose", (derivative, self.order), {})
        if len(self.groups) == len(self.order):
            return _lifted(trace, turned)
        shape: list[Any] = []
        extents = list(turned.extents)
        for group in self.groups:
            size = trace.number(extents[0])
            for extent in extents[1:group]:
                size = size * trace.number(extent)
            shape.append(size)
            extents = extents[group:]
        return _lifted(trace, call("numpy.reshape", (turned, tuple(shape)), {}))


def _lifted(trace: Any, array: Any) -> Traced:
    found: Traced = trace.lift(array)
    return found


NUMERATOR = "derivatives are in the numerator layout"
DENOMINATOR = "derivatives are in the denominator layout"
BY_VEC = "for vec, which stacks columns"
BY_ROWS = "for vec of rows, as np.ravel makes it"

LAYOUTS: tuple[Layout, ...] = (
    Layout(
        f"{NUMERATOR}, where a gradient by a matrix has the shape of its transpose", (0, 2), (1, 0), (1, 1)
    ),
    Layout(
        f"{DENOMINATOR}, where the gradients of the outputs are the columns of the Jacobian",
        (1, 1),
        (1, 0),
        (1, 1),
    ),
    Layout(
        f"{DENOMINATOR}, where the derivative by a scalar has the shape of the transpose",
        (2, 0),
        (1, 0),
        (1, 1),
    ),
    Layout("ravel is read as vec, which stacks columns", (-1, -1), columns=True),
    Layout(
        "both entries of a pair of a symmetric variable are one variable, as in grad(f, X, tied=True)",
        (-1, -1),
        tied=True,
    ),
    Layout(f"{NUMERATOR} {BY_VEC}: d vec(F) / d vec(X)'", (2, 2), (1, 0, 3, 2), (2, 2)),
    Layout(f"{NUMERATOR} {BY_ROWS}", (2, 2), (0, 1, 2, 3), (2, 2)),
    Layout(f"{DENOMINATOR} {BY_VEC}: the transpose of d vec(F) / d vec(X)'", (2, 2), (3, 2, 1, 0), (2, 2)),
    Layout(f"{DENOMINATOR} {BY_ROWS}", (2, 2), (2, 3, 0, 1), (2, 2)),
    Layout(f"{DENOMINATOR}, where the axes of the variable come first", (2, 2), (2, 3, 0, 1), (1, 1, 1, 1)),
    Layout(f"{NUMERATOR} {BY_VEC}: d f / d vec(X)'", (1, 2), (0, 2, 1), (1, 2)),
    Layout(f"{NUMERATOR} {BY_ROWS}", (1, 2), (0, 1, 2), (1, 2)),
    Layout(f"{DENOMINATOR} {BY_VEC}: the transpose of d f / d vec(X)'", (1, 2), (2, 1, 0), (2, 1)),
    Layout(f"{DENOMINATOR} {BY_ROWS}", (1, 2), (1, 2, 0), (2, 1)),
    Layout(f"{NUMERATOR} {BY_VEC}: d vec(F) / d x'", (2, 1), (1, 0, 2), (2, 1)),
    Layout(f"{NUMERATOR} {BY_ROWS}", (2, 1), (0, 1, 2), (2, 1)),
    Layout(f"{DENOMINATOR} {BY_VEC}: the transpose of d vec(F) / d x'", (2, 1), (2, 1, 0), (1, 2)),
    Layout(f"{DENOMINATOR} {BY_ROWS}", (2, 1), (2, 0, 1), (1, 2)),
)
"""Source of the names: Magnus and Neudecker (2019), ch. 9; Minka (2000); Petersen and Pedersen (2012), sec. 2."""
