"""Steps of a random program that run over time: `dv.scan` of a small random program, loops over sizes unrolled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .maker import Maker, bare
from .values import LARGEST, Interval, Value, at

UNIT = Interval(-1.0, 1.0)
Inner = Callable[[Maker, int], None]


def scan(run: Inner) -> Callable[[Maker], Value | None]:
    """A recurrence whose step is a few random statements that `run` adds."""

    def scanned(make: Maker) -> Value | None:
        xs = make.operand(lambda v: 0 < v.rank <= 3 and at(v.shape[0], LARGEST) <= LARGEST)
        start = make.operand(lambda v: v.rank <= 2)
        if xs is None or start is None:
            return None
        xs, start = make.named(xs), make.named(in_unit(start))
        carry, seen, step = (fresh(make) for _ in range(3))
        within = inside(make, [Value(carry, start.shape, UNIT), Value(seen, xs.shape[1:], xs.range)])
        run(within, 1 + make.choices.integer(0, 2))
        last = within.named(within.values[-1])
        new = within.named(next_carry(within, Value(carry, start.shape, UNIT), last, seen))
        result = last if make.chance(60) else Value(f"({new.text} * {carry})", start.shape, UNIT)
        make.lines += [f"def {step}({carry}, {seen}):", *("    " + line for line in within.lines),
                       f"    return {new.text}, {bare(result.text)}"]  # fmt: skip
        final, every = fresh(make), fresh(make)
        options = ", reverse=True" if make.chance(25) else ""
        make.lines.append(f"{final}, {every} = dv.scan({step}, {start.text}, {xs.text}{options})")
        make.values.append(Value(final, start.shape, UNIT))
        shape = (xs.shape[0], *result.shape)
        return Value(every, shape, result.range) if len(shape) <= 4 else None

    return scanned


def fresh(make: Maker) -> str:
    return next(n for n in make.names if n not in {i.name for i in make.inputs})


def in_unit(start: Value) -> Value:
    return start if start.range.within(-1, 1) else Value(f"np.tanh({bare(start.text)})", start.shape, UNIT)


def inside(make: Maker, first: list[Value]) -> Maker:
    """A maker for the body of the step: it sees what is outside, and the carry and the entry are not used yet."""
    within = Maker(make.choices)
    within.inputs, within.names = make.inputs, make.names
    within.needs = make.needs
    within.values = [*make.values, *first]
    within.used = {v.text for v in make.values}
    return within


def next_carry(make: Maker, carry: Value, last: Value, seen: str) -> Value:
    """A value of the carry's shape between -1 and 1, of the carry, of what was computed last and of the entry."""
    alike = last.shape == carry.shape
    term = last.text if alike else f"np.mean({last.text})" if last.rank else last.text
    forms = (
        f"np.tanh(0.5 * {carry.text} + {term})",
        f"(0.9 * {carry.text} + 0.1 * np.sin({term} + np.mean({seen})))",
        f"np.sin({term} - {carry.text} * np.mean({seen}))",
        f"({carry.text} * expit({term}) + 0.2 * np.tanh(np.sum({seen})))" if make.chance(50) else f"np.tanh({term} * (1 - {carry.text}))",
    )
    return replace(carry, text=make.pick(forms), range=UNIT)


def unrolled(make: Maker) -> Value | None:
    """A loop over `range` of a declared number, which is unrolled."""
    a = make.operand(lambda v: v.rank > 0 and v.shape[0].is_Integer and v.shape[0] <= 4)
    if a is None:
        return None
    a = make.named(a)
    name, count = fresh(make), fresh(make)
    form = make.pick(("{0} = np.tanh({0} + {1})", "{0} = {0} * {1} * 0.5 + {1}", "{0} = np.maximum({0}, {1})"))
    entry = f"{a.text}[{count}]"
    make.lines += [f"{name} = 0.3 * {a.text}[0]", f"for {count} in range({a.text}.shape[0]):",
                   "    " + form.format(name, entry)]  # fmt: skip
    high = max(1.0, a.range.magnitude) ** 2 * 4
    return Value(name, a.shape[1:], Interval(-high, high))

