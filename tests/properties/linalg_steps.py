"""Steps of a random program that use linear algebra, on matrices that are well conditioned whatever they are made of."""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr

from .maker import Maker, bare
from .values import LARGEST, Interval, Value, at

Step = Callable[[Maker, Value], Value]


def linear_algebra(make: Maker) -> Value | None:
    """A matrix made for it, and a primitive of that matrix."""
    kind = make.pick(("near eye", "positive definite", "separated", "near eye", "positive definite"))
    a = make.operand(lambda v: suits(v, kind))
    if a is None:
        return None
    a = make.named(a)
    matrix = make.named(MATRICES[kind](a))
    options = {"near eye": GENERAL, "positive definite": DEFINITE, "separated": SYMMETRIC}[kind]
    return make.pick(options + (() if kind == "separated" else SOLVES))(make, matrix)


def suits(v: Value, kind: str) -> bool:
    square = v.rank >= 2 and v.shape[-1] == v.shape[-2]
    fits = v.rank in (2, 3) and all(at(e, LARGEST) <= LARGEST for e in v.shape) and v.range.magnitude <= 2
    return fits and (square or kind == "positive definite")


def eye(a: Value) -> str:
    return f"np.eye({a.text}.shape[-2])"


def near_eye(a: Value) -> Value:
    return Value(f"({eye(a)} + 0.1 * np.tanh({a.text}))", a.shape, Interval(-0.1, 1.1))


def definite(a: Value) -> Value:
    product = f"{a.text} @ {a.text}.T" if a.rank == 2 else f"{a.text} @ {a.text}.mT"
    high = 2 + at(a.shape[-1], LARGEST) * a.range.magnitude**2
    return Value(f"({product} + 2 * {eye(a)})", (*a.shape[:-1], a.shape[-2]), Interval(-high, high))


def separated(a: Value) -> Value:
    """Symmetric, its eigenvalues near 0, 3, 6, ..., so that none is close to another."""
    small = f"0.1 * np.tanh({a.text} + {a.text}.{'T' if a.rank == 2 else 'mT'})"
    return Value(f"(np.diag(1 + 3.0 * np.arange({a.text}.shape[-1])) + {small})", a.shape, Interval(-0.1, 17))


MATRICES: dict[str, Callable[[Value], Value]] = {
    "near eye": near_eye, "positive definite": definite, "separated": separated,
}  # fmt: skip
UP_TO_TWO = Interval(-2.5, 2.5)


def whole(text: str, value_range: Interval = UP_TO_TWO) -> Step:
    """A matrix of the same shape."""
    return lambda make, m: Value(text.format(m.text), m.shape, value_range)


def number(text: str, high: float) -> Step:
    """A number for each matrix."""
    return lambda make, m: Value(text.format(m.text), m.shape[:-2], Interval(-high, high))


def values(text: str, high: float) -> Step:
    """A vector for each matrix."""
    return lambda make, m: Value(text.format(m.text), m.shape[:-1], Interval(0.1, high))


def single(step: Step) -> Step:
    """Only for one matrix, not for a stack of them; else its inverse."""
    return lambda make, m: (step if m.rank == 2 else whole("np.linalg.inv({0})"))(make, m)


def pseudo_inverse(make: Maker, m: Value) -> Value:
    """Of the matrix with another one, or itself, below it."""
    other = make.operand(lambda v: v.rank == 2 and v.shape[1:] == m.shape[1:] and at(v.shape[0], LARGEST) <= LARGEST)
    other = m if other is None else other
    text = f"np.linalg.pinv(np.concatenate([{m.text}, {bare(other.text)}]))"
    return Value(text, (m.shape[1], m.shape[0] + other.shape[0]), UP_TO_TWO)


def factors(call: str, product: str, value_range: Interval) -> Step:
    """Several results in one statement, put together so that no sign matters."""

    def step(make: Maker, m: Value) -> Value:
        names = [next(n for n in make.names if n not in {i.name for i in make.inputs}) for _ in range(call.count("_"))]
        left, right = call.split(" = ")
        for name in names:
            left = left.replace("_", name, 1)
        make.lines.append(f"{left} = {right.format(m.text)}")
        return Value(f"({product.format(*names)})", m.shape, value_range)

    return step


def right_side(make: Maker, extent: Expr) -> Value | None:
    return make.operand(lambda v: v.rank in (1, 2) and v.shape[0] == extent and at(v.shape[-1], LARGEST) <= 3 * LARGEST)


def solve(text: str) -> Step:
    def step(make: Maker, m: Value) -> Value:
        b = right_side(make, m.shape[-1]) if m.rank == 2 else None
        if b is None:
            return whole("np.linalg.inv({0})")(make, m)
        return Value(text.format(m.text, bare(b.text)), b.shape, b.range.times(4) | -b.range.times(4))

    return step


GENERAL: tuple[Step, ...] = (
    whole("np.linalg.inv({0})"),
    whole("np.linalg.inv({0})"),
    number("np.linalg.det({0})", 5),
    number("np.linalg.slogdet({0})[1]", 3),
    single(whole("scipy.linalg.expm({0} / 2)", Interval(-3, 4))),
    whole("np.linalg.matrix_power({0}, 3)", Interval(-4, 5)),
    whole("np.linalg.matrix_power({0}, -2)", Interval(-4, 5)),
    single(whole("np.linalg.matrix_power({0}, 5)", Interval(-12, 12))),
    factors("_, _ = np.linalg.qr({0})", "{0} + {1} * {1}", Interval(-4, 4)),
    single(pseudo_inverse),
    number("np.linalg.norm({0}, axis=(-2, -1))", 5),
    single(number("np.linalg.norm({0})", 5)),
    single(solve("scipy.linalg.solve_triangular(np.triu({0}), {1})")),
)
DEFINITE: tuple[Step, ...] = (
    whole("np.linalg.inv({0})"),
    number("np.linalg.slogdet({0})[1]", 30),
    number("np.log(np.linalg.det({0}))", 30),
    whole("np.linalg.cholesky({0})", Interval(-6, 6)),
    whole("np.linalg.cholesky({0})", Interval(-6, 6)),
    single(whole("scipy.linalg.sqrtm({0})", Interval(-6, 6))),
    single(number("np.trace(np.linalg.inv({0}))", 6)),
    single(solve("scipy.linalg.cho_solve(scipy.linalg.cho_factor({0}), {1})")),
    single(solve("scipy.linalg.solve_triangular(np.linalg.cholesky({0}), {1}, lower=True)")),
)
SYMMETRIC: tuple[Step, ...] = (
    values("np.linalg.eigvalsh({0})", 19),
    values("np.linalg.svd({0}, compute_uv=False)", 19),
    factors("_, _ = np.linalg.eigh({0})", "({1} * np.exp(-{0} / 9)[..., None, :]) @ {1}.mT", Interval(-2, 2)),
    factors("_, _ = np.linalg.eigh({0})", "{1} ** 2 + np.tanh({0})[..., None, :]", Interval(-1, 3)),
    factors("_, _, _ = np.linalg.svd({0})", "({0} / (1 + {1})[..., None, :]) @ {2}", Interval(-2, 2)),
    single(number("np.linalg.norm({0}, 'nuc')", 70)),
    single(number("np.linalg.norm({0}, 2)", 19)),
)
SOLVES: tuple[Step, ...] = (solve("np.linalg.solve({0}, {1})"), solve("np.linalg.solve({0}, {1})"))
