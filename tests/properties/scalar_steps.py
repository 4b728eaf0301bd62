"""Steps of a random program that compute entry by entry: functions, arithmetic with broadcasting, choices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import acosh, asin, asinh, atanh, cosh, exp, expm1, inf, log, log1p, sinh, sqrt, tan

from .maker import Maker, bare
from .values import EVERYTHING, Interval, Shape, Value, broadcast

Range = Callable[[Interval], Interval]


@dataclass(frozen=True)
class Formula:
    """A function of one array: code with ``{0}`` for the operand and ``{1}`` for it as an argument of a call."""

    text: str
    range: Range
    domain: Interval = EVERYTHING


def to(low: float, high: float) -> Range:
    return lambda r: Interval(low, high)


def rising(f: Callable[[float], float]) -> Range:
    return lambda r: r.mapped(f)


POSITIVE = Interval(0.05, inf)
UNIT = Interval(-0.9, 0.9)
MODEST = Interval(-6.0, 3.0)
FORMULAS = (
    Formula("np.tanh({1})", to(-1, 1)),
    Formula("np.sin({1})", to(-1, 1)),
    Formula("np.cos({1})", to(-1, 1)),
    Formula("({0} ** 2)", Interval.squared),
    Formula("np.square({1})", Interval.squared),
    Formula("({0} ** 3)", rising(lambda x: x**3)),
    Formula("(-{0})", lambda r: -r),
    Formula("(2 * {0} + 1)", rising(lambda x: 2 * x + 1)),
    Formula("(0.5 - {0} / 3)", rising(lambda x: 0.5 - x / 3)),
    Formula("np.exp({1})", rising(exp), MODEST),
    Formula("np.exp(-{0} ** 2)", to(0, 1)),
    Formula("np.exp2({1})", rising(lambda x: 2**x), MODEST),
    Formula("np.expm1({1})", rising(expm1), MODEST),
    Formula("np.log({1})", rising(log), POSITIVE),
    Formula("np.log10({1})", rising(lambda x: log(x) / log(10)), POSITIVE),
    Formula("np.log1p({1})", rising(log1p), Interval(-0.9, inf)),
    Formula("np.sqrt({1})", rising(sqrt), POSITIVE),
    Formula("np.cbrt({1})", rising(lambda x: x ** (1 / 3)), POSITIVE),
    Formula("({0} ** 1.5)", rising(lambda x: x**1.5), POSITIVE),
    Formula("({0} ** -0.5)", rising(lambda x: x**-0.5), POSITIVE),
    Formula("(1 / {0})", rising(lambda x: 1 / x), Interval(0.2, inf)),
    Formula("({0} ** -2)", rising(lambda x: x**-2), Interval(0.2, inf)),
    Formula("np.reciprocal({1})", rising(lambda x: 1 / x), Interval(-inf, -0.2)),
    Formula("np.sqrt({0} ** 2 + 0.1)", lambda r: r.squared().mapped(lambda x: sqrt(x + 0.1))),
    Formula("np.log({0} ** 2 + 1)", lambda r: r.squared().mapped(log1p)),
    Formula("(1 / (1.5 + np.cos({1})))", to(0.4, 2)),
    Formula("np.sinh({1})", rising(sinh), Interval(-3, 3)),
    Formula("np.cosh({1})", lambda r: Interval(1, cosh(r.magnitude)), Interval(-3, 3)),
    Formula("np.arcsinh({1})", rising(asinh)),
    Formula("np.arctan({1})", to(-1.6, 1.6)),
    Formula("np.tan({1})", rising(tan), Interval(-1.2, 1.2)),
    Formula("np.arcsin({1})", rising(asin), UNIT),
    Formula("np.arccos({1})", to(0, 3.15), UNIT),
    Formula("np.arctanh({1})", rising(atanh), UNIT),
    Formula("np.arccosh({1})", rising(acosh), Interval(1.2, inf)),
    Formula("expit({1})", to(0, 1)),
    Formula("(1 / (1 + np.exp(-{0})))", to(0, 1), Interval(-30, 30)),
    Formula("({0} * expit({1}))", lambda r: Interval(-0.3, r.magnitude)),
    Formula("({0} * (1 + erf({0} / np.sqrt(2))) / 2)", lambda r: Interval(-0.2, r.magnitude)),
    Formula("erf({1})", to(-1, 1)),
    Formula("np.logaddexp(0, {1})", rising(lambda x: log1p(exp(x))), Interval(-30, 30)),
    Formula("np.log(1 + np.exp({1}))", rising(lambda x: log1p(exp(x))), Interval(-30, 30)),
    Formula("np.abs({1})", lambda r: Interval(0, r.magnitude)),
    Formula("np.maximum({1}, 0)", rising(lambda x: max(x, 0.0))),
    Formula("np.minimum(0.3, {1})", rising(lambda x: min(x, 0.3))),
    Formula("np.clip({1}, -0.5, 0.7)", to(-0.5, 0.7)),
    Formula("np.where({0} > 0, {1}, 0.1 * {0})", rising(lambda x: x if x > 0 else 0.1 * x)),
    Formula("np.where({0} > 0, {1}, np.expm1({1}))", lambda r: Interval(-1, r.magnitude), Interval(-30, 30)),
    Formula("np.abs({0} ** 3)", lambda r: Interval(0, r.magnitude**3)),
    Formula("np.sqrt({0} ** 2)", lambda r: Interval(0, r.magnitude)),
    Formula("({0} - np.floor({1}))", to(0, 1)),
    Formula("({0} * np.heaviside({1}, 0.5))", lambda r: Interval(-r.magnitude, r.magnitude)),
    Formula("np.log2({1})", rising(lambda x: log(x) / log(2)), POSITIVE),
    Formula("special.exp10({1} / 4)", rising(lambda x: 10 ** (x / 4)), MODEST),
    Formula("np.deg2rad(90 * {0})", rising(lambda x: 1.571 * x)),
    Formula("special.log_expit({1})", lambda r: Interval(-r.magnitude - 1, 0)),
    Formula("special.logit({1})", rising(lambda x: log(x / (1 - x))), Interval(0.05, 0.95)),
    Formula("special.erfc({1})", to(0, 2)),
    Formula("special.ndtr({1})", to(0, 1)),
    Formula("special.log_ndtr({1})", to(-7, 0), Interval(-3, 5)),
    Formula("special.gammaln({1})", to(-0.2, 30), Interval(0.2, 15)),
    Formula("special.digamma({1})", to(-6, 4), Interval(0.2, 30)),
    Formula("special.entr({1})", lambda r: Interval(-r.magnitude * log(2 + r.magnitude), 0.4), POSITIVE),
    Formula("np.sinc({1})", to(-0.3, 1)),
    Formula("({0} - np.rint({1}))", to(-0.5, 0.5)),
    Formula("np.remainder({1}, 0.7)", to(0, 0.7)),
    Formula("np.fmod({1}, 0.7)", to(-0.7, 0.7)),
    Formula("np.nan_to_num({1})", lambda r: r),
    Formula("np.select([{0} > 0.6, {0} > -0.2], [{0} ** 2, 0.3 * {0}], 0.1)", lambda r: r.squared() | Interval(-1, 1)),
    Formula("(np.sign({1}) * {0} ** 2)", lambda r: Interval(-(r.magnitude**2), r.magnitude**2)),
)  # fmt: skip


def function(make: Maker) -> Value | None:
    """A function of one array."""
    x = make.operand()
    assert x is not None
    formula = make.pick([f for f in FORMULAS if x.range.within(f.domain.low, f.domain.high)])
    if formula.text.count("{") > 1:
        x = make.named(x)
    return Value(formula.text.format(x.text, bare(x.text)), x.shape, formula.range(x.range))


def fits(a: Value, b: Value) -> bool:
    shape = broadcast(a.shape, b.shape)
    return shape is not None and len(shape) <= 4


def two(make: Maker) -> tuple[Value, Value, Shape]:
    """Two arrays that broadcast, in either order."""
    found = make.pair(fits)
    assert found is not None
    a, b = found
    shape = broadcast(a.shape, b.shape)
    assert shape is not None
    return a, b, shape


def arithmetic(make: Maker) -> Value | None:
    """``a + b``, ``a - b``, ``a * b`` with broadcasting."""
    a, b, shape = two(make)
    symbol = make.pick("*+-")
    result = a.range * b.range if symbol == "*" else a.range + (b.range if symbol == "+" else -b.range)
    return Value(f"({a.text} {symbol} {b.text})", shape, result)


def quotient(make: Maker) -> Value | None:
    """``a / b`` where b is not near zero, else over something that is not."""
    a, b, shape = two(make)
    if b.range.within(0.2, inf):
        return Value(f"({a.text} / {b.text})", shape, a.range * b.range.mapped(lambda x: 1 / x))
    return Value(f"({a.text} / (1 + {b.text} ** 2))", shape, a.range * Interval(0, 1))


def power(make: Maker) -> Value | None:
    """``a ** b`` of arrays, for a > 0."""
    found = make.pair(lambda a, b: fits(a, b) and a.range.within(0.2, 5) and b.range.within(-3, 3))
    if found is None:
        return None
    a, b = found
    ends = [x**y for x in (a.range.low, a.range.high) for y in (b.range.low, b.range.high)]
    shape = broadcast(a.shape, b.shape)
    assert shape is not None
    return Value(f"({a.text} ** {b.text})", shape, Interval(min(*ends, 1.0), max(*ends, 1.0)))


def extremum(make: Maker) -> Value | None:
    """``np.maximum``, ``np.minimum`` and smooth functions of two arrays."""
    a, b, shape = two(make)
    name = make.pick(("maximum", "minimum", "logaddexp", "hypot"))
    if name == "hypot" and not b.range.within(0.05, inf):
        return Value(f"np.hypot({bare(a.text)}, 0.5)", a.shape, Interval(0.5, a.range.magnitude + 0.5))
    most = a.range.magnitude + b.range.magnitude
    result = {"logaddexp": Interval(-most - 1, most + 1), "hypot": Interval(b.range.low, most)}
    return Value(f"np.{name}({bare(a.text)}, {bare(b.text)})", shape, result.get(name, a.range | b.range))


PAIRS = (
    ("np.arctan2({0}, {1})", Interval(-30, 30), POSITIVE, Interval(-1.6, 1.6)),
    ("special.xlogy({0}, {1})", Interval(-5, 5), Interval(0.1, 20), Interval(-15, 15)),
    ("special.xlog1py({0}, {1})", Interval(-5, 5), Interval(-0.8, 20), Interval(-15, 15)),
    ("special.rel_entr({0}, {1})", Interval(0.1, 5), Interval(0.1, 5), Interval(-2, 20)),
    ("special.kl_div({0}, {1})", Interval(0.1, 5), Interval(0.1, 5), Interval(0, 25)),
    ("np.logaddexp2({0}, {1})", Interval(-9, 9), Interval(-9, 9), Interval(-9, 10)),
    ("np.copysign({0}, {1})", Interval(-9, 9), Interval(-9, 9), Interval(-9, 9)),
    ("np.fmax({0}, {1})", Interval(-9, 9), Interval(-9, 9), Interval(-9, 9)),
    ("np.fmin({0}, {1})", Interval(-9, 9), Interval(-9, 9), Interval(-9, 9)),
    ("np.hypot({0}, {1})", Interval(-9, 9), POSITIVE, Interval(0, 40)),
)  # fmt: skip
"""Functions of two arrays: where each may be, and where the value is."""


def pair_function(make: Maker) -> Value | None:
    """A function of two arrays that broadcast."""
    a, b, shape = two(make)

    def holds(where: Interval, r: Interval) -> bool:
        return r.within(where.low, where.high)

    fitting = [(text, r) for text, first, second, r in PAIRS if holds(first, a.range) and holds(second, b.range)]
    if not fitting:
        return None
    text, result = make.pick(fitting)
    return Value(text.format(bare(a.text), bare(b.text)), shape, result)


def choice(make: Maker) -> Value | None:
    """``np.where(condition, a, b)``."""
    a, b, shape = two(make)
    if not shape:
        return None
    condition = make_condition(make, shape)
    other = b if make.chance(60) else Value(make.pick(("0", "-1.5", "0.25")), (), Interval(-1.5, 0.25))
    shape = broadcast(a.shape, other.shape, condition.shape)
    text = f"np.where({condition.text}, {bare(a.text)}, {bare(other.text)})"
    return None if shape is None else Value(text, shape, a.range | other.range)


def masked(make: Maker) -> Value | None:
    """A product with a mask, or a triangle."""
    a = make.operand(lambda v: v.rank > 0)
    if a is None:
        return None
    if a.rank >= 2 and make.chance(50):
        triangle = make.pick(("np.tril({0})", "np.triu({0})", "np.tril({0}, -1)", "np.triu({0}, 1)"))
        return Value(triangle.format(bare(a.text)), a.shape, a.range | Interval(0, 0))
    condition = make_condition(make, a.shape)
    return Value(f"({a.text} * ({condition.text}))", a.shape, a.range | Interval(0, 0))


def make_condition(make: Maker, shape: Shape) -> Value:
    """A condition whose shape broadcasts to `shape`."""
    first = simple_condition(make, shape)
    if not make.chance(25):
        return first
    second = simple_condition(make, shape)
    text = make.pick(("~({0})", "({0}) & ({1})", "({0}) | ({1})", "np.logical_and({0}, {1})"))
    both = broadcast(first.shape, second.shape if "{1}" in text else first.shape)
    assert both is not None
    return Value(text.format(first.text, second.text), both, first.range)


def simple_condition(make: Maker, shape: Shape) -> Value:
    def narrow(v: Value) -> bool:
        return broadcast(v.shape, shape) == shape

    flags = [Value(i.name, i.axes, Interval(0, 1)) for i in make.inputs if i.kind == "boolean"]
    flags = [f for f in flags if narrow(f)]
    if flags and make.chance(50):
        return make.pick(flags)
    reference = make.operand(lambda v: v.shape == shape)
    if reference is not None and shape and make.chance(50):
        return index_condition(make, make.named(reference))
    a = make.operand(narrow)
    if a is None:
        return Value("True", (), Interval(1, 1))
    b = make.operand(narrow) if make.chance(40) else None
    middle = Value(f"{(a.range.low + a.range.high) / 2 + 0.05:.2f}", (), a.range)
    relation = make.pick((">", "<", ">=", "<="))
    other = b if b is not None and b.text != a.text else middle
    both = broadcast(a.shape, other.shape)
    assert both is not None
    return Value(f"{a.text} {relation} {other.text}", both, a.range)


def index_condition(make: Maker, a: Value) -> Value:
    """A condition on positions alone: causal masks, bands, every second entry."""
    last = f"np.arange({a.text}.shape[-1])"
    if a.rank == 1 or make.chance(30):
        text = make.pick(
            ("{0} > 0", "{0} < 2", "{0} != 1", "{0} == {1}.shape[-1] - 1", "{1}.shape[-1] - {0} > 2")
        )
        return Value(text.format(last, a.text), a.shape[-1:], a.range)
    rows = f"np.arange({a.text}.shape[-2])[:, None]"
    text = make.pick(("{0} >= {1}", "{0} == {1}", "{0} - {1} < 2", "{0} + {1} != 3", "abs({0} - {1}) <= 1"))
    return Value(text.format(rows, last), a.shape[-2:], a.range)
