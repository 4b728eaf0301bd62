"""Steps of a random program that work along one axis: running sums, sorting, padding, shifts, windows, norms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy
from sympy import Expr, S

from .maker import Maker, bare
from .values import EVERYTHING, LARGEST, SMALLEST, Interval, Value, at

Extents = Callable[[Expr], tuple[Expr, ...]]
Ranges = Callable[[Interval, int], Interval]


def more(count: int) -> Extents:
    """That many entries more."""
    return lambda n: (n + count,)


def same(n: Expr) -> tuple[Expr, ...]:
    return (n,)


def gone(n: Expr) -> tuple[Expr, ...]:
    return ()


def one(n: Expr) -> tuple[Expr, ...]:
    return (S.One,)


def twice(n: Expr) -> tuple[Expr, ...]:
    return (2 * n,)


def kept(r: Interval, count: int) -> Interval:
    return r


def total(r: Interval, count: int) -> Interval:
    return r | r.times(count)


def product(r: Interval, count: int) -> Interval:
    most = max(1.0, r.magnitude) ** count
    return Interval(-most, most)


def times(factor: float) -> Ranges:
    return lambda r, count: Interval(-factor * r.magnitude, factor * r.magnitude)


def with_value(value: float) -> Ranges:
    return lambda r, count: r | Interval(value, value)


@dataclass(frozen=True)
class Along:
    """A function along an axis.

    text: ``{0}`` stands for the operand, ``{1}`` for it as an argument of a call, ``{p}`` for the axis, ``{w}`` for
        the widths of a padding by one entry before and two after, ``{r}`` for its axes from the last one.
    extent: the extents that stand in place of the axis.
    least: the axis has at least so many entries.
    """

    text: str
    extent: Extents = same
    range: Ranges = kept
    least: int = 1
    domain: Interval = EVERYTHING


SMALL = Interval(-1.6, 1.6)
WINDOW = "np.lib.stride_tricks.sliding_window_view({1}, {k}, axis={p})"
ALONG = (
    Along("np.cumsum({1}, axis={p})", range=total),
    Along("{0}.cumsum({p})", range=total),
    Along("np.cumprod({1}, axis={p})", range=product, domain=SMALL),
    Along("np.cumulative_sum({1}, axis={p}, include_initial=True)", more(1), total),
    Along("np.cumulative_prod({1}, axis={p})", range=product, domain=SMALL),
    Along("np.maximum.accumulate({1}, axis={p})"),
    Along("np.minimum.accumulate({1}, axis={p})"),
    Along("np.diff({1}, axis={p})", more(-1), times(2), 2),
    Along("np.diff({1}, n=2, axis={p})", more(-2), times(4), 3),
    Along("np.diff({1}, axis={p}, prepend=0.5)", same, times(3)),
    Along("np.gradient({1}, axis={p})", range=times(2), least=2),
    Along("np.trapezoid({1}, dx=0.5, axis={p})", gone, total, 2),
    Along("np.sort({1}, axis={p})"),
    Along("(-np.sort(-{0}, axis={p}))"),
    Along("np.median({1}, axis={p})", gone),
    Along("np.quantile({1}, 0.3, axis={p}, keepdims=True)", one),
    Along("np.percentile({1}, 60, axis={p})", gone),
    Along("np.take_along_axis({0}, np.argsort(-{0}, axis={p}), axis={p})"),
    Along("np.take_along_axis({0}, np.argmax({0}, axis={p}, keepdims=True), axis={p})", one),
    Along("(np.argmin({1}, axis={p}) + 0.5)", gone, lambda r, count: Interval(0.5, count)),
    Along("np.pad({1}, {w})", more(3), with_value(0)),
    Along("np.pad({1}, {w}, constant_values=0.7)", more(3), with_value(0.7)),
    Along("np.pad({1}, {w}, mode='edge')", more(3)),
    Along("np.pad({1}, {w}, mode='reflect')", more(3), least=3),
    Along("np.pad({1}, {w}, mode='symmetric')", more(3), least=2),
    Along("np.pad({1}, {w}, mode='wrap')", more(3), least=2),
    Along("np.pad({1}, {w}, mode='reflect', reflect_type='odd')", more(3), times(3), 3),
    Along("np.roll({1}, 1, axis={p})"),
    Along("np.roll({1}, -2, axis={p})", least=2),
    Along("np.repeat({1}, 2, axis={p})", twice),
    Along("{0}.repeat(2, axis={p})", twice),
    Along("np.insert({1}, 1, 0.5, axis={p})", more(1), with_value(0.5)),
    Along("np.delete({1}, 1, axis={p})", more(-1), least=2),
    Along("np.append({1}, {0}, axis={p})", twice),
    Along("np.split({1}, [2], axis={p})[1]", more(-2), least=3),
    Along("np.take({1}, [2, 0, 2], axis={p})", lambda n: (S(3),), least=3),
    Along(WINDOW.replace("{k}", "2") + ".max(axis=-1)", more(-1), least=2),
    Along(WINDOW.replace("{k}", "3") + ".mean(-1)", more(-2), least=3),
    Along("np.sum({1}, axis={p}, where={0} > 0.05)", gone, total),
    Along("np.max({1}, axis={p}, initial=-0.3)", gone, with_value(-0.3)),
    Along("np.average({1}, axis={p}, weights=np.exp({0}))", gone, domain=Interval(-3, 3)),
    Along("np.logaddexp.reduce({1}, axis={p})", gone, lambda r, count: Interval(r.low, r.high + 6)),
    Along("np.multiply.reduce({1}, axis={p})", gone, product, domain=SMALL),
    Along("np.linalg.norm({1}, ord=1, axis={p})", gone, lambda r, count: Interval(0, count * r.magnitude)),
    Along("np.linalg.norm({1}, ord=np.inf, axis={p}, keepdims=True)", one, lambda r, count: Interval(0, r.magnitude)),
    Along("np.linalg.norm(1 + {0} ** 2, axis={p})", gone, lambda r, count: Interval(1, count * (1 + r.magnitude**2))),
    Along("np.linalg.vector_norm(1.5 + {0} ** 2, ord=3, axis={p})", gone,
          lambda r, count: Interval(1, count * (2 + r.magnitude**2))),
    Along("special.log_softmax({1}, axis={p})", range=lambda r, count: Interval(-2 * r.magnitude - 4, 0)),
)  # fmt: skip


def along(make: Maker) -> Value | None:
    """One of the functions along an axis."""
    a = make.operand(lambda v: 0 < v.rank <= 3)
    if a is None:
        return None
    a, p = make.named(a), make.choices.integer(0, a.rank - 1)
    least, count = min(at(a.shape[p], s) for s in (SMALLEST, LARGEST)), at(a.shape[p], LARGEST)
    found = [f for f in ALONG if f.least <= least and a.range.within(f.domain.low, f.domain.high)]
    formula = make.pick([f for f in found if count <= 2 * LARGEST or f.range is not product])
    make.need(a.shape[p] - formula.least + 1)
    rest = formula.extent(a.shape[p])
    widths = [(1, 2) if q == p else (0, 0) for q in range(a.rank)]
    place = p - a.rank if make.chance(30) and "initial" not in formula.text else p
    text = formula.text.format(a.text, bare(a.text), p=place, w=widths)
    return Value(text, (*a.shape[:p], *map(sympy.expand, rest), *a.shape[p + 1 :]), formula.range(a.range, count))


def windows(make: Maker) -> Value | None:
    """Sliding windows as an axis of their own, also every second one."""
    a = make.operand(lambda v: 0 < v.rank <= 2)
    if a is None or min(at(e, SMALLEST) for e in a.shape) < 2:
        return None
    p = make.choices.integer(0, a.rank - 1)
    shape = (*a.shape[:p], a.shape[p] - 1, *a.shape[p + 1 :], S(2))
    return Value(f"np.lib.stride_tricks.sliding_window_view({bare(a.text)}, 2, axis={p})", shape, a.range)


def convolved(make: Maker) -> Value | None:
    """A convolution or correlation of two vectors, or of two matrices."""
    a = make.operand(lambda v: v.rank in (1, 2))
    b = None if a is None else make.operand(lambda v: v.rank == a.rank)
    if a is None or b is None:
        return None
    size = sympy.Mul(*b.shape)
    r = (a.range * b.range) | (a.range * b.range).times(min(at(size, LARGEST), at(sympy.Mul(*a.shape), LARGEST)))
    longer = all(at(m, s) <= at(n, s) and (m.is_Integer or n == m) for n, m in zip(a.shape, b.shape, strict=True)
                 for s in (SMALLEST, LARGEST))  # fmt: skip
    mode = make.pick(("full", "valid", "same")) if longer else "full"
    if mode != "full":
        make.need(*(n - m + 1 for n, m in zip(a.shape, b.shape, strict=True)))
    extents = {
        "full": [n + m - 1 for n, m in zip(a.shape, b.shape, strict=True)],
        "valid": [n - m + 1 for n, m in zip(a.shape, b.shape, strict=True)],
        "same": list(a.shape),
    }[mode]
    inner = f"{bare(a.text)}, {bare(b.text)}, {mode!r}"
    names = ("np.convolve", "np.correlate", "signal.convolve") if a.rank == 1 else ("signal.convolve2d", "signal.correlate")
    return Value(f"{make.pick(names)}({inner})", tuple(map(sympy.expand, extents)), r)


def spread(make: Maker) -> Value | None:
    """Broadcasts, tiles, Kronecker products, covariances, blocks, interpolation, counts."""
    return make.pick((tiled, kronecker, covariance, bordered, interpolated, counted))(make)


def tiled(make: Maker) -> Value | None:
    a = make.operand(lambda v: 0 < v.rank <= 2)
    if a is None:
        return None
    a = make.named(a)
    if make.chance(50):
        return Value(f"np.broadcast_to({a.text}, (2, *{a.text}.shape))", (S(2), *a.shape), a.range)
    reps = tuple(make.pick((1, 2)) for _ in a.shape)
    shape = tuple(n * k for n, k in zip(a.shape, reps, strict=True))
    return Value(f"np.tile({a.text}, {reps})", shape, a.range)


def kronecker(make: Maker) -> Value | None:
    a = make.operand(lambda v: 0 < v.rank <= 2)
    b = None if a is None else make.operand(lambda v: v.rank == a.rank)
    if a is None or b is None:
        return None
    shape = tuple(n * m for n, m in zip(a.shape, b.shape, strict=True))
    return Value(f"np.kron({bare(a.text)}, {bare(b.text)})", shape, a.range * b.range)


def covariance(make: Maker) -> Value | None:
    a = make.operand(lambda v: v.rank == 2 and at(v.shape[1], SMALLEST) > 1)
    if a is None:
        return None
    make.need(a.shape[1] - 1)
    width = (a.range.high - a.range.low) ** 2
    return Value(f"np.cov({bare(a.text)})" if a.shape[0] != 1 else f"np.var({bare(a.text)})",
                 a.shape[:1] * 2 if a.shape[0] != 1 else (), Interval(-width, width))  # fmt: skip


def bordered(make: Maker) -> Value | None:
    found = make.pair(lambda a, b: a.rank == 2 and b.rank == 1 and b.shape * 2 == a.shape)
    if found is None:
        return None
    a, b = found
    n = a.shape[0] + 1
    text = f"np.block([[{bare(a.text)}, {b.text}[:, None]], [{bare(b.text)}, 1.0]])"
    return Value(text, (n, n), a.range | b.range | Interval(1, 1))


def interpolated(make: Maker) -> Value | None:
    x, f = make.operand(), make.operand(lambda v: v.rank == 1 and at(v.shape[0], SMALLEST) > 1)
    if x is None or f is None:
        return None
    f = make.named(f)
    make.need(f.shape[0] - 1)
    return Value(f"np.interp({bare(x.text)}, np.linspace(-2.1, 2.3, {f.text}.shape[0]), {f.text})", x.shape, f.range)


def counted(make: Maker) -> Value | None:
    """A sum of entries by an array of places."""
    places = [i for i in make.inputs if i.kind == "integer" and len(i.axes) == 1]
    found = [(i, w, v) for i in places for w in make.values if w.shape == i.axes
             for v in make.values if v.shape and v.shape[0] == i.bound]  # fmt: skip
    if not found:
        return None
    index, weights, like = make.pick(found)
    like = make.named(like)
    text = f"np.bincount({index.name}, weights={bare(weights.text)}, minlength={like.text}.shape[0])"
    return Value(text, (index.bound,), total(weights.range, LARGEST))
