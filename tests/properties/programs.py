"""Random NumPy functions, drawn by Hypothesis or from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable

from hypothesis import strategies as st
from sympy import Expr, S

from . import array_steps, axis_steps, linalg_steps, scalar_steps, time_steps
from .maker import Choices, Input, Maker, RandomFunction
from .values import Interval, Value, at, size

SIZES = (size("n"), size("m"), size("k"))
AXES: tuple[Expr, ...] = (*SIZES, *SIZES, S(1), S(2), S(4))
NAMES = ("x", "A", "w", "B", "Y", "c", "X", "gx", "dx")
STEPS: dict[Callable[[Maker], Value | None], int] = {
    scalar_steps.function: 8,
    scalar_steps.arithmetic: 8,
    scalar_steps.quotient: 3,
    scalar_steps.power: 1,
    scalar_steps.extremum: 2,
    scalar_steps.pair_function: 2,
    scalar_steps.choice: 3,
    scalar_steps.masked: 2,
    array_steps.reduction: 7,
    array_steps.normalised: 3,
    array_steps.matmul: 6,
    array_steps.einsum: 4,
    array_steps.other_product: 3,
    array_steps.view: 4,
    array_steps.sliced: 4,
    array_steps.joined: 3,
    array_steps.looked_up: 4,
    axis_steps.along: 9,
    axis_steps.windows: 1,
    axis_steps.convolved: 2,
    axis_steps.spread: 3,
    linalg_steps.linear_algebra: 4,
    time_steps.unrolled: 1,
}  # fmt: skip
MOST_ENTRIES = 400


def run(make: Maker, steps: int) -> None:
    """Add random statements."""
    for _ in range(steps):
        value = make.pick(BAG)(make)
        if value is not None and len(value.shape) <= 4 and small(value):
            make.keep(value)


STEPS[time_steps.scan(run)] = 3
BAG = [step for step, weight in STEPS.items() for _ in range(weight)]


def make_function(choices: Choices, steps: int = 7) -> RandomFunction:
    """A random function of up to `steps` steps."""
    make = Maker(choices)
    declare_inputs(make)
    run(make, 1 + choices.integer(0, steps - 1))
    return finished(make)


def small(value: Value) -> bool:
    total = 1
    for extent in value.shape:
        total *= at(extent, 5)
    return total <= MOST_ENTRIES


def declare_inputs(make: Maker) -> None:
    names = iter(NAMES)
    for _ in range(1 + make.choices.integer(0, 3)):
        rank = make.pick((1, 2, 2, 0, 3))
        axes = tuple(make.pick(AXES) for _ in range(rank))
        if rank == 2 and make.chance(30):
            axes = axes[:1] * 2
        positive = make.chance(20)
        declared = Input(next(names), axes, *(("positive", Interval(0.3, 1.8)) if positive else ()))
        make.inputs.append(declared)
        make.values.append(Value(declared.name, axes, declared.range))
    used = {e for i in make.inputs for e in i.axes if e in SIZES}
    if used and make.chance(35):
        rank = make.pick((1, 0, 2))
        bound = make.pick(sorted(used, key=str))
        make.inputs.append(Input("tok", tuple(make.pick(SIZES) for _ in range(rank)), "integer", bound=bound))
    if used and make.chance(25):
        shape = make.pick([i.axes for i in make.inputs if i.kind != "integer"])
        make.inputs.append(Input("mask", shape[-2:], "boolean"))


def finished(make: Maker) -> RandomFunction:
    """One scalar, one array or several outputs."""
    last = make.values[-1]
    kind = make.choices.integer(0, 9)
    if kind < 4 and last.rank:
        weight = make.operand(lambda v: v.shape == last.shape)
        inner = last.text if weight is None or weight.text == last.text else f"{last.text} * {weight.text}"
        name = make.pick(("sum", "mean"))
        return RandomFunction(
            tuple(make.inputs), tuple(make.lines), (Value(f"np.{name}({inner})", (), last.range),), tuple(make.needs)
        )
    outputs = [last]
    if kind >= 8:
        outputs += [v for v in (make.operand(),) if v is not None and v.text not in {o.text for o in outputs}]
    return RandomFunction(tuple(make.inputs), tuple(make.lines), tuple(outputs), tuple(make.needs))


class Drawn:
    """Choices made by Hypothesis."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def integer(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))


class Seeded:
    """Choices from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def integer(self, low: int, high: int) -> int:
        return self.random.randint(low, high)


@st.composite
def programs(draw: st.DrawFn, steps: int = 7) -> RandomFunction:
    """Random functions of up to `steps` steps."""
    return make_function(Drawn(draw), steps)
