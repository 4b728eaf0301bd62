"""Steps of a random program that move entries or add them up: reductions, products, views, joins, look-ups."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import sympy
from sympy import Expr, S

from .maker import Maker, bare
from .values import LARGEST, SMALLEST, Interval, Shape, Value, at, broadcast, entries

# -- reductions


def reduction(make: Maker) -> Value | None:
    """``np.sum(a, axis)`` and its kin, with and without keepdims, as function or method."""
    a = make.operand(lambda v: v.rank > 0)
    if a is None:
        return None
    axes = some_axes(make, a)
    keepdims = make.chance(40)
    name = make.pick(("sum", "mean", "max", "min", "var", "sum", "mean", "prod", "logsumexp", "norm", "ptp"))
    count = entries(tuple(a.shape[p] for p in axes))
    if name == "prod" and (a.range.magnitude > 1.7 or count > LARGEST):
        name = "max"
    result = reduced_range(name, a.range, count)
    shape = tuple(S.One if p in axes else e for p, e in enumerate(a.shape) if keepdims or p not in axes)
    return Value(call(make, name, a, axes, keepdims), shape, result)


def some_axes(make: Maker, a: Value) -> tuple[int, ...]:
    if make.chance(20):
        return tuple(range(a.rank))
    first = make.choices.integer(0, a.rank - 1)
    second = make.choices.integer(0, a.rank - 1) if make.chance(20) else first
    return tuple(sorted({first, second}))


def call(make: Maker, name: str, a: Value, axes: tuple[int, ...], keepdims: bool) -> str:
    written: object = axes[0] if len(axes) == 1 else axes
    if len(axes) == 1 and make.chance(40):
        written = axes[0] - a.rank
    options = [] if len(axes) == a.rank and not make.chance(30) else [f"axis={written}"]
    options += ["keepdims=True"] if keepdims else []
    inner = bare(a.text)
    if name == "logsumexp":
        return f"logsumexp({', '.join([inner, *options])})"
    if name == "norm":
        return f"np.sqrt(np.sum({', '.join([f'{a.text} ** 2 + 0.1', *options])}))"
    if name in ("sum", "mean", "max", "min", "prod") and a.text.isidentifier() and make.chance(50):
        return f"{a.text}.{name}({', '.join(options)})"
    return f"np.{name}({', '.join([inner, *options])})"


def reduced_range(name: str, r: Interval, count: int) -> Interval:
    width = r.high - r.low
    match name:
        case "sum":
            return r | r.times(count)
        case "var":
            return Interval(0, width**2 / 4)
        case "ptp":
            return Interval(0, width)
        case "prod":
            most = max(1.0, r.magnitude) ** count
            return Interval(-most, most)
        case "logsumexp":
            return Interval(r.low, r.high + 6)
        case "norm":
            return Interval(0.3, sqrt(count * (r.magnitude**2 + 0.1)))
    return r


def normalised(make: Maker) -> Value | None:
    """Softmax, centred rows, rows over their norm: several equations that belong together."""
    a = make.operand(lambda v: v.rank > 0)
    if a is None:
        return None
    a = make.named(a)
    p = make.choices.integer(0, a.rank - 1)
    kind = make.choices.integer(0, 5)
    if kind == 0:
        return Value(f"({a.text} - {a.text}.mean(axis={p}, keepdims=True))", a.shape, a.range + -a.range)
    if kind == 1:
        weights = make.named(
            Value(f"np.exp({a.text} - {a.text}.max(axis={p}, keepdims=True))", a.shape, Interval(0, 1))
        )
        return Value(
            f"({weights.text} / {weights.text}.sum(axis={p}, keepdims=True))", a.shape, Interval(0, 1)
        )
    if kind == 2:
        return Value(f"softmax({a.text}, axis={p})", a.shape, Interval(0, 1))
    if kind == 3:
        root = f"np.sqrt(np.mean({a.text} ** 2, axis={p}, keepdims=True) + 0.1)"
        return Value(f"({a.text} / {root})", a.shape, Interval(-4, 4))
    if kind == 4:
        middle = make.named(Value(f"({a.text} - {a.text}.mean(axis={p}, keepdims=True))", a.shape, a.range))
        root = f"np.sqrt(np.var({a.text}, axis={p}, keepdims=True) + 0.1)"
        return Value(f"({middle.text} / {root})", a.shape, Interval(-4, 4))
    return Value(f"({a.text} / np.sqrt({a.text}.shape[{p}]))", a.shape, a.range)


# -- products


def matmul(make: Maker) -> Value | None:
    """``a @ b`` of vectors, matrices and batches, either one transposed where that fits."""
    sides = [*make.values, *(turned(v) for v in make.values if v.rank >= 2)]
    pairs = [(a, b) for a in sides for b in sides if matmul_shape(a.shape, b.shape) is not None]
    if not pairs:
        return None
    a, b = make.pick(pairs)
    shape = matmul_shape(a.shape, b.shape)
    assert shape is not None
    text = f"np.matmul({bare(a.text)}, {bare(b.text)})" if make.chance(20) else f"({a.text} @ {b.text})"
    return Value(text, shape, summed(a.range * b.range, a.shape[-1]))


def summed(r: Interval, *extents: Expr) -> Interval:
    return r | r.times(entries(extents))


def turned(v: Value) -> Value:
    shape = (*v.shape[:-2], v.shape[-1], v.shape[-2])
    return Value(f"{v.text}.T" if v.rank == 2 else f"np.swapaxes({bare(v.text)}, -1, -2)", shape, v.range)


def matmul_shape(a: Shape, b: Shape) -> Shape | None:
    if not a or not b or a[-1] != b[-2 if len(b) > 1 else 0]:
        return None
    batch = broadcast(a[:-2], b[:-2])
    result = None if batch is None else (*batch, *a[-2:-1], *(b[-1:] if len(b) > 1 else ()))
    return result if result is not None and len(result) <= 3 else None


def einsum(make: Maker) -> Value | None:
    """One to three operands, indices shared wherever extents agree, also within one operand."""
    operands = [
        v
        for v in (make.operand(lambda v: 0 < v.rank <= 3) for _ in range(1 + make.choices.integer(0, 2)))
        if v
    ]
    if not operands:
        return None
    letters: dict[str, Expr] = {}
    labels = [label(make, v, letters) for v in operands]
    out = [c for c in letters if make.chance(50)][:3]
    if make.chance(30):
        out.reverse()
    product = operands[0].range
    for v in operands[1:]:
        product = product * v.range
    rest = [e for c, e in letters.items() if c not in out]
    if entries((*letters.values(),)) > LARGEST**5:
        return None
    arguments = ", ".join(bare(v.text) for v in operands)
    text = f"np.einsum('{','.join(labels)}->{''.join(out)}', {arguments})"
    return Value(text, tuple(letters[c] for c in out), summed(product, *rest))


def label(make: Maker, v: Value, letters: dict[str, Expr]) -> str:
    result = ""
    for extent in v.shape:
        known = [c for c, e in letters.items() if e == extent]
        if known and make.chance(75):
            result += make.pick(known)
        else:
            result += "ijklmnopq"[len(letters)]
            letters[result[-1]] = extent
    return result


def other_product(make: Maker) -> Value | None:
    """``np.outer``, ``np.dot``, ``np.inner``, ``np.tensordot``, ``np.vdot``, ``np.trace``, ``np.diagonal``, ``np.diag``."""
    square = make.operand(lambda v: v.rank == 2 and v.shape[0] == v.shape[1])
    if square is not None and make.chance(50):
        name = make.pick(("trace", "diagonal", "diag"))
        shape = () if name == "trace" else square.shape[:1]
        value_range = summed(square.range, square.shape[0]) if name == "trace" else square.range
        return Value(f"np.{name}({bare(square.text)})", shape, value_range)
    a, b = make.operand(lambda v: v.rank > 0), make.operand(lambda v: v.rank > 0)
    if a is None or b is None:
        return None
    product = a.range * b.range
    inner = f"{bare(a.text)}, {bare(b.text)}"
    if a.rank == b.rank == 1 and make.chance(50):
        return Value(f"np.outer({inner})", (*a.shape, *b.shape), product)
    if a.rank == 1 and make.chance(40):
        return Value(f"np.diag({bare(a.text)})", a.shape * 2, a.range | Interval(0, 0))
    if a.shape[-1] == b.shape[-1] and a.rank + b.rank <= 5:
        return Value(f"np.inner({inner})", (*a.shape[:-1], *b.shape[:-1]), summed(product, a.shape[-1]))
    if a.shape[-1] == b.shape[0] and a.rank + b.rank <= 5:
        return Value(
            f"np.tensordot({inner}, axes=1)", (*a.shape[:-1], *b.shape[1:]), summed(product, b.shape[0])
        )
    return Value(f"np.vdot({bare(a.text)}, {bare(a.text)})", (), summed(a.range.squared(), *a.shape))


# -- views


def view(make: Maker) -> Value | None:
    """The same entries in another order or under other axes."""
    a = make.operand(lambda v: v.rank > 0)
    if a is None:
        return None
    options = [new_axis, flip]
    if a.rank >= 2:
        options += [transpose, transpose, merge]
    if S.One in a.shape:
        options.append(squeeze)
    if any(e.is_Integer and e > 2 and e % 2 == 0 for e in a.shape):
        options.append(divide)
    return make.pick(options)(make, make.named(a))


def new_axis(make: Maker, a: Value) -> Value | None:
    if a.rank > 2:
        return transpose(make, a)
    place = make.choices.integer(0, a.rank)
    shape = (*a.shape[:place], S.One, *a.shape[place:])
    if make.chance(30):
        return Value(f"np.expand_dims({a.text}, {place})", shape, a.range)
    return Value(f"{a.text}[{', '.join([*[':'] * place, 'None'])}]", shape, a.range)


def flip(make: Maker, a: Value) -> Value:
    if make.chance(50):
        return Value(f"np.flip({a.text}, {make.choices.integer(0, a.rank - 1)})", a.shape, a.range)
    return Value(f"{a.text}[::-1]", a.shape, a.range)


def transpose(make: Maker, a: Value) -> Value:
    order = list(range(a.rank))
    for p in range(a.rank - 1):
        q = make.choices.integer(p, a.rank - 1)
        order[p], order[q] = order[q], order[p]
    if order == sorted(order):
        return Value(f"{a.text}.T", a.shape[::-1], a.range)
    shape = tuple(a.shape[p] for p in order)
    how = make.pick(("np.transpose({0}, {1})", "{0}.transpose({2})", "np.moveaxis({0}, {1}, {3})"))
    places = ", ".join(map(str, order))
    return Value(how.format(a.text, tuple(order), places, tuple(range(a.rank))), shape, a.range)


def merge(make: Maker, a: Value) -> Value:
    if make.chance(40):
        return Value(f"{a.text}.reshape(-1)", (sympy.Mul(*a.shape),), a.range)
    p = make.choices.integer(0, a.rank - 2)
    shape = (*a.shape[:p], a.shape[p] * a.shape[p + 1], *a.shape[p + 2 :])
    parts = [f"{a.text}.shape[{q}]" for q in range(a.rank)]
    places = [*parts[:p], f"{parts[p]} * {parts[p + 1]}", *parts[p + 2 :]]
    return Value(f"np.reshape({a.text}, ({', '.join(places)},))", shape, a.range)


def divide(make: Maker, a: Value) -> Value:
    p = next(q for q, e in enumerate(a.shape) if e.is_Integer and e > 2 and e % 2 == 0)
    shape = (*a.shape[:p], S(2), a.shape[p] / 2, *a.shape[p + 1 :])
    places = [f"{a.text}.shape[{q}]" for q in range(a.rank)]
    places[p : p + 1] = ["2", str(a.shape[p] / 2)]
    return Value(f"{a.text}.reshape({', '.join(places)})", shape, a.range)


def squeeze(make: Maker, a: Value) -> Value:
    p = a.shape.index(S.One)
    return Value(f"np.squeeze({a.text}, axis={p})", (*a.shape[:p], *a.shape[p + 1 :]), a.range)


SLICES: dict[str, tuple[slice, object]] = {
    "1:": (slice(1, None), lambda n: n - 1),
    ":-1": (slice(None, -1), lambda n: n - 1),
    "::2": (slice(None, None, 2), lambda n: sympy.ceiling(n / 2)),
    "1::2": (slice(1, None, 2), lambda n: sympy.ceiling((n - 1) / 2)),
    "1:-1": (slice(1, -1), lambda n: n - 2),
    "::-1": (slice(None, None, -1), lambda n: n),
    "::-2": (slice(None, None, -2), lambda n: sympy.ceiling(n / 2)),
    ":2": (slice(None, 2), lambda n: S(2)),
    "-2:": (slice(-2, None), lambda n: S(2)),
    "0": (slice(0, 1), None),
    "-1": (slice(-1, None), None),
    "1": (slice(1, 2), None),
}


ANY_LENGTH = ("1:", ":-1", "::2", "::-1", "::-2", "0", "-1")
"""Slices that take no more than two entries to have a meaning, the others three."""


def sliced(make: Maker) -> Value | None:
    """Slices with steps and single places along one axis."""
    a = make.operand(lambda v: v.rank > 0 and any(e != 1 for e in v.shape))
    if a is None:
        return None
    p = make.pick([q for q, e in enumerate(a.shape) if e != 1])
    fitting = [s for s in SLICES if slice_fits(s, a.shape[p])]
    chosen = make.pick(fitting)
    make.need(a.shape[p] - (1 if chosen in ANY_LENGTH else 2))
    extent = SLICES[chosen][1]
    rest = () if extent is None else (sympy.simplify(extent(a.shape[p])),)  # type: ignore[operator]
    key = f"..., {chosen}" if p == a.rank - 1 and make.chance(50) else ", ".join([":"] * p + [chosen])
    return Value(f"{a.text}[{key}]", (*a.shape[:p], *rest, *a.shape[p + 1 :]), a.range)


def slice_fits(text: str, extent: Expr) -> bool:
    """Whether the slice has the extent that its formula says, at least one entry, for all sizes in use."""
    part, formula = SLICES[text]
    for number in range(SMALLEST, LARGEST + 1):
        found = len(range(at(extent, number))[part])
        if found < 1 or found != (1 if formula is None else at(formula(extent), number)):  # type: ignore[operator]
            return False
    return True


# -- joins and look-ups


def joined(make: Maker) -> Value | None:
    """``np.concatenate`` along an axis where extents may differ, ``np.stack`` of equal shapes."""
    a = make.operand(lambda v: 0 < v.rank <= 3)
    if a is None:
        return None
    p = make.choices.integer(0, a.rank - 1)

    def alike(b: Value) -> bool:
        return b.rank == a.rank and all(
            e == f for q, (e, f) in enumerate(zip(a.shape, b.shape, strict=True)) if q != p
        )

    others = [
        b for b in (make.operand(alike) for _ in range(1 + make.choices.integer(0, 1))) if b is not None
    ]
    parts: Sequence[Value] = [a, *others] if make.chance(50) else [*others, a]
    ranges = a.range
    for b in parts:
        ranges = ranges | b.range
    arguments = ", ".join(bare(b.text) for b in parts)
    if all(b.shape == a.shape for b in parts) and a.rank < 3 and make.chance(50):
        place = make.choices.integer(0, a.rank)
        shape = (*a.shape[:place], S(len(parts)), *a.shape[place:])
        return Value(f"np.stack([{arguments}], axis={place})", shape, ranges)
    total = sympy.Add(*(b.shape[p] for b in parts))
    return Value(f"np.concatenate([{arguments}], axis={p})", (*a.shape[:p], total, *a.shape[p + 1 :]), ranges)


def looked_up(make: Maker) -> Value | None:
    """Rows by integer arrays, ``a[tok]``; one entry per row, ``a[arange, y]``."""
    places = [i for i in make.inputs if i.kind == "integer"]
    found = [(a, i, p) for a in make.values for i in places for p, e in enumerate(a.shape) if e == i.bound]
    found = [(a, i, p) for a, i, p in found if a.rank + len(i.axes) <= 4]
    if not found:
        return None
    a, index, p = make.pick(found)
    a = make.named(a)
    if p == 1 and len(index.axes) == 1 and a.shape[0] == index.axes[0] and make.chance(60):
        shape = (*index.axes, *a.shape[2:])
        return Value(f"{a.text}[np.arange({a.text}.shape[0]), {index.name}]", shape, a.range)
    shape = (*a.shape[:p], *index.axes, *a.shape[p + 1 :])
    return Value(f"{a.text}[{', '.join([':'] * p + [index.name])}]", shape, a.range)
