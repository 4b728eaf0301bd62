"""One read of a tensor as array code: slices, transposes, new axes and gathers, laid out for broadcasting."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy
from sympy import Expr

from ..ir.nodes import Index, Read, indices_of
from .code import Atom, Code, Suffix, call, span, subscript
from .ranges import inside
from .reshapes import reshaped
from .scope import Scope

Order = tuple[Index, ...]
Integers = Callable[[Expr, Order], Code]  # prints an index expression, broadcast over these axes
Item = tuple[
    str, Index | None
]  # what stands in a subscript, and the axis that it leaves; (":", None): extent 1


def entry(scope: Scope, read: Read, order: Order, integers: Integers) -> Code:
    """The array of all the values that `read` takes, its axes in the order of `order`.

    Axes that it lacks have extent 1, or are left out at the front where broadcasting supplies them.
    """
    base = scope.tensor(read.tensor)
    if not read.indices:
        return base
    if _is_diagonal(read):
        return aligned(scope, Suffix(base, ".diagonal()"), [read.indices[0]], order)
    gathered = _gathered(read, scope.trusting)
    if any(gathered):
        new = reshaped(scope, read, order, lambda e: integers(e, ()))
        if new is not None:
            return entry(scope, new, order, integers)
        return aligned(scope, *_gather(scope, base, read, gathered, order, integers), order)
    items = [
        _item(index, extent, integers) for index, extent in zip(read.indices, read.tensor.shape, strict=True)
    ]
    axes = [axis for _, axis in items if axis is not None]
    if axes == [axis for axis in order if axis in axes]:
        return _subscripted(base, items, order)
    kept = subscript("0" if item == (":", None) else item[0] for item in items)
    return aligned(scope, Suffix(base, kept) if kept else base, axes, order)


def _is_diagonal(read: Read) -> bool:
    """Whether it is the diagonal of a square matrix: of one that is not known to be, it may be shorter than its index."""
    first = read.indices[0]
    whole = isinstance(first, Index) and read.tensor.shape == (first.extent,) * 2
    return whole and read.indices == (first, first)


def aligned(scope: Scope, code: Code, axes: Sequence[Index], order: Order) -> Code:
    """Array code with these axes, transposed and given new axes so that it broadcasts over `order`."""
    wanted = [axis for axis in order if axis in axes]
    items: list[Item] = [(":", axis) for axis in wanted]
    return _subscripted(transposed(scope, code, axes, wanted), items, order)


def transposed(scope: Scope, code: Code, axes: Sequence[Index], wanted: Sequence[Index]) -> Code:
    """Array code with its axes in another order."""
    axes, wanted = list(axes), list(wanted)
    if axes == wanted:
        return code
    if len(axes) == 2:
        return Suffix(code, ".T")
    if axes[:-2] == wanted[:-2]:
        return Suffix(code, scope.dialect.swap_last)
    places = ", ".join(str(axes.index(axis)) for axis in wanted)
    return Suffix(code, scope.dialect.permute.format(axes=places))


def _subscripted(base: Code, items: Sequence[Item], order: Order) -> Code:
    """Apply one subscript that slices, drops and adds axes together; an axis of extent 1 serves as a new one."""
    own = {axis for _, axis in items}
    pending = list(order)
    out: list[str] = []
    leading = True
    for text, axis in items:
        if axis is not None:
            while pending.pop(0) != axis:
                out += [] if leading else ["None"]
            out.append(text)
            leading = False
        elif text != ":":
            out.append(text)
        elif pending and pending[0] not in own:
            pending.pop(0)
            out.append(":")
            leading = False
        else:
            out.append("0")
    out += ["None"] * len(pending) if own - {None} else []
    return Suffix(base, subscript(out)) if subscript(out) else base


def _item(index: Expr, extent: Expr, integers: Integers) -> Item:
    axis = next(iter(indices_of(index)), None)
    if axis is None:
        if index == 0 and extent == 1:
            return ":", None
        return ("-1" if index == extent - 1 else integers(index, ()).text), None
    start = sympy.expand(index - axis)
    if start == 0 and axis.extent == extent:
        return ":", axis
    return part_of(extent, start, sympy.expand(start + axis.extent), lambda e: integers(e, ())), axis


def part_of(extent: Expr, low: Expr, high: Expr, integers: Callable[[Expr], Code]) -> str:
    """The slice ``low:high`` of an axis, as short as it can be written."""
    missing = sympy.expand(high - extent)
    first = integers(low) if low != 0 else None
    if missing == 0:
        return span(first, None)
    from_end = missing.is_Integer and missing < 0 and not extent.is_Integer
    return span(first, Atom(str(missing)) if from_end else integers(high))


def _gathered(read: Read, trusting: bool) -> list[bool]:
    """Which index expressions need an integer array: all but constants and shifts of an index of its own."""
    everywhere = [axis for index in read.indices for axis in indices_of(index)]

    def shift(index: Expr, extent: Expr) -> bool:
        own = indices_of(index)
        if not own:
            return True
        axis = next(iter(own))
        plain = (
            len(own) == 1
            and everywhere.count(axis) == 1
            and not sympy.expand(index - axis).atoms(Index, Read)
        )
        return plain and (trusting or inside(index, extent))

    gathered = [
        not shift(index, extent) for index, extent in zip(read.indices, read.tensor.shape, strict=True)
    ]
    used = {axis for index, g in zip(read.indices, gathered, strict=True) if g for axis in indices_of(index)}
    return [g or bool(indices_of(index) & used) for index, g in zip(read.indices, gathered, strict=True)]


def _gather(
    scope: Scope, base: Code, read: Read, gathered: list[bool], order: Order, integers: Integers
) -> tuple[Code, list[Index]]:
    """Index with integer arrays; their common axes stand where they are if adjacent, else in front."""
    used = {axis for index, g in zip(read.indices, gathered, strict=True) if g for axis in indices_of(index)}
    common = tuple(axis for axis in order if axis in used)
    items: list[str] = []
    axes: list[Index | None] = []  # None: an integer array or a constant
    for index, extent, g in zip(read.indices, read.tensor.shape, gathered, strict=True):
        text, axis = (
            (_bounded(scope, index, extent, common, integers), None) if g else _item(index, extent, integers)
        )
        items.append("0" if (text, axis) == (":", None) else text)
        axes.append(axis)
    return Suffix(base, subscript(items), copies=True), placed(axes, common)


def placed(axes: Sequence[Index | None], common: Sequence[Index]) -> list[Index]:
    """The axes of a subscript whose integer arrays, marked None in `axes`, broadcast to the axes `common`."""
    arrays = [p for p, axis in enumerate(axes) if axis is None]
    rest = [axis for axis in axes if axis is not None]
    adjacent = arrays[-1] - arrays[0] + 1 == len(arrays)
    front = sum(axis is not None for axis in axes[: arrays[0]]) if adjacent else 0
    return [*rest[:front], *common, *rest[front:]]


def _bounded(scope: Scope, index: Expr, extent: Expr, common: Order, integers: Integers) -> str:
    code = integers(index, common)
    if scope.trusting or inside(index, extent):
        return code.text
    top = integers(sympy.expand(extent - 1), ())
    if not common:
        return call("min", code, top).text
    return call(f"{scope.dialect.module}.clip", code, "0", top).text
