"""Random programs grow here: statements so far, values to build on, and the choices that make them random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np
import scipy
import sympy
from scipy import signal, special
from sympy import Expr

import derive as dv

from . import complex_numpy
from .values import Interval, Shape, Value

T = TypeVar("T")
COMMON = Interval(-1.5, 1.5)
LIMIT = 30.0
"""Values are kept below this magnitude, so that rounding stays small beside every derivative."""


class Choices(Protocol):
    """Where randomness comes from."""

    def integer(self, low: int, high: int) -> int: ...


@dataclass(frozen=True)
class Input:
    """An argument: its axes and facts as the user declares them, and the range its entries are sampled from."""

    name: str
    axes: Shape
    kind: str = "real"
    range: Interval = COMMON
    bound: Any = None

    @property
    def spec(self) -> str:
        facts = {
            "real": "",
            "positive": ", positive",
            "boolean": ", boolean",
            "integer": f", integer < {self.bound}",
        }
        return " ".join(map(str, self.axes)) + facts[self.kind]

    @property
    def differentiable(self) -> bool:
        return self.kind in ("real", "positive")

    def sample(self, random: np.random.Generator, sizes: dict[Any, int]) -> np.ndarray:
        shape = [int(e.subs(sizes)) for e in self.axes]
        if self.kind == "boolean":
            return random.random(shape) < 0.6
        if self.kind == "integer":
            return random.integers(0, int(self.bound.subs(sizes)), shape)
        return random.uniform(self.range.low, self.range.high, shape)


@dataclass(frozen=True)
class RandomFunction:
    """A NumPy function as source text, with the shapes of its arguments.

    needs: extents that must not be less than 1.
    """

    inputs: tuple[Input, ...]
    lines: tuple[str, ...]
    outputs: tuple[Value, ...]
    needs: tuple[Expr, ...] = ()

    def defined(self, sizes: dict[Any, int]) -> bool:
        """Whether no array of the program is empty or too short for what is done with it."""
        return all(sympy.sympify(e).subs(sizes) >= 1 for e in self.needs)

    @property
    def source(self) -> str:
        head = f"def program({', '.join(i.name for i in self.inputs)}):"
        return "\n    ".join((head, *self.lines, f"return {', '.join(v.text for v in self.outputs)}")) + "\n"

    def __repr__(self) -> str:
        shapes = ", ".join(f"{i.name}={i.spec!r}" for i in self.inputs)
        return f"\n{self.source}f = dv.trace(program, {shapes})\n"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    @property
    def specs(self) -> dict[str, str]:
        return {i.name: i.spec for i in self.inputs}

    @property
    def wrt(self) -> list[str]:
        return [i.name for i in self.inputs if i.differentiable]

    @property
    def scalar(self) -> bool:
        return len(self.outputs) == 1 and not self.outputs[0].shape

    def function(self) -> Callable[..., Any]:
        """The function on real arrays: NumPy and SciPy as they are, `dv.scan` as a user has it."""
        return self._run({"np": np, "dv": dv, "scipy": scipy, "special": special, "signal": signal})

    def complex_function(self) -> Callable[..., tuple[Any, ...]]:
        """The same function where complex numbers pass through everything, as a complex step needs."""
        run = self._run(dict(complex_numpy.NAMESPACES))
        return lambda **arrays: result if isinstance(result := run(**arrays), tuple) else (result,)

    def _run(self, namespace: dict[str, Any]) -> Callable[..., Any]:
        names = ("expit", "erf", "softmax", "logsumexp")
        namespace |= {name: getattr(namespace["special"], name) for name in names}
        exec(compile(self.source, "<random program>", "exec"), namespace)
        return namespace["program"]


class Maker:
    """Builds one program; every random decision goes through `choices`, so that Hypothesis can shrink it."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.inputs: list[Input] = []
        self.lines: list[str] = []
        self.values: list[Value] = []
        self.used: set[str] = set()
        self.needs: dict[Expr, None] = {}
        self.names = iter([f"{c}{d}" for d in ("", *range(1, 50)) for c in "ahuvsztpqe"])

    # -- choices

    def pick(self, options: Sequence[T]) -> T:
        return options[self.choices.integer(0, len(options) - 1)]

    def chance(self, percent: int) -> bool:
        """Whether to do something out of the ordinary; shrinking prefers not to."""
        return self.choices.integer(0, 99) >= 100 - percent

    def operand(self, fits: Callable[[Value], bool] = lambda v: True) -> Value | None:
        """One of the values that fit, rather one that nothing has used yet, so that few statements are idle."""
        found = [v for v in self.values if fits(v)]
        if not found:
            return None
        unused = [v for v in found if v.text not in self.used]
        chosen = self.pick(found) if not unused or self.chance(40) else unused[-1]
        self.used.add(chosen.text)
        return chosen

    def pair(self, fits: Callable[[Value, Value], bool]) -> tuple[Value, Value] | None:
        first = self.operand(lambda a: any(fits(a, b) for b in self.values))
        if first is None:
            return None
        second = self.operand(lambda b: fits(first, b))
        assert second is not None
        return first, second

    # -- statements

    def need(self, *extents: Expr) -> None:
        """Note that the program has a meaning only where these are at least 1."""
        self.needs.update(dict.fromkeys(e for e in extents if not e.is_positive))

    def named(self, value: Value) -> Value:
        """The value as a local variable."""
        self.need(*value.shape)
        if value.text.isidentifier():
            return value
        name = next(n for n in self.names if n not in {i.name for i in self.inputs})
        self.lines.append(f"{name} = {bare(value.text)}")
        return replace(value, text=name)

    def keep(self, value: Value) -> None:
        """Make a value available to later steps: in range, and named or as the text of an expression."""
        if value.range.magnitude > LIMIT:
            value = self.squashed(value)
        self.need(*value.shape)
        self.values.append(value if len(value.text) < 60 and self.chance(35) else self.named(value))

    def squashed(self, value: Value) -> Value:
        if value.range.magnitude < 1e3 and self.chance(50):
            return Value(f"np.tanh({bare(value.text)} / 10)", value.shape, Interval(-1.0, 1.0))
        factor = 10.0 ** -round(np.log10(value.range.magnitude))
        return Value(f"({value.text} * {factor:g})", value.shape, value.range.times(factor))


def bare(text: str) -> str:
    """Without the outer parentheses, if they are one pair."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0 and position < len(text) - 1:
            return text
    return text[1:-1]
