"""The cross-check of a derivative against the function's own values, at random points of its declared domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import mpmath
import numpy as np
import sympy

from ..errors import UnknownName, closest
from ..ir.evaluate import evaluate, solve_sizes
from ..ir.nodes import Program
from ..ir.numbers import RATIONAL
from ..ops._record import Elementwise
from ..ops.elementwise import op_of_head
from .batch import Arrays, Model
from .differences import DIGITS, STEP, ComplexStep, Differences, Exact, HighPrecision, Oracle
from .expect import KindOfDerivative, Question, signed
from .kinked import KinkedTrial
from .kinks import KinkGauge
from .point import Outcome, Point
from .report import Report
from .report import sizes as text
from .sample import POSITIVE, fractions, plan_sizes, sample_inputs
from .subject import Derived, Subject
from .summary import summarize
from .trial import Trial

SMALL = (2, 3, 4, 1, 2, 3, 2, 1) * 4
"""Sizes for the arithmetic without rounding, which is slow."""
REDRAWS = 3
CLEAR = 5e6
DRAWS = 6
"""Random points to choose from: the first that is far enough from every kink, else the farthest."""


def check_derivative(
    base: Program,
    derived: Derived,
    kind: KindOfDerivative,
    wrt: Sequence[str],
    *,
    cotangents: Sequence[str] = (),
    tangents: Sequence[str] = (),
    dtype: Any = np.float64,
    seed: int = 0,
    shapes: int | Sequence[Mapping[str, int]] = 4,
    method: Literal["complex step", "differences"] | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> Report:
    """Compare a derivative with what the values of `base` alone say.

    The expected values are complex steps where every operation is analytic, else extrapolated central differences; at
    one small shape also exact rationals, or differences in 50 digits where the function is not rational.

    Args:
        base: the program that was differentiated.
        derived: its derivative: a program, or a function from arrays by name (the inputs of `base`, the cotangents and
            the tangents) to the derived arrays. Their order: one per `wrt` for grad, vjp and hvp; the value first for
            value_and_grad; one per output for jvp; for a Jacobian, output by output, one per `wrt`, with the axes of
            the output first; for a Hessian one for each pair of `wrt`.
        cotangents: the names of the inputs of a vjp that weigh the outputs, in their order.
        tangents: the names of the inputs of a jvp or hvp that give the direction, in the order of `wrt`.
        dtype: the precision that `derived` is called in, float64 or float32.
        shapes: how many shapes, or the sizes of each by name.
        method: how the expected values are computed, if not by complex steps where they are possible.
        inputs: arrays of the user's as a further point; cotangents and tangents may be among them.

    Raises:
        UnknownName: a name that is no input, or a missing one. NotDifferentiable: an integer input, a vector output.
        SpecError: a fact that cannot be sampled. ShapeError: given arrays whose sizes disagree.

    Numerics: an error of any entry above `report.sensitivity`, relative to the largest entry of its array, is flagged
    (in float64 about 1e-13); the value is measured from the rounding noise and confirmed by injecting such errors.

    Source: Squire and Trapp (1998) for the complex step; Ridders (1982) for the extrapolation.
    """
    question = Question(base, kind, tuple(wrt), tuple(cotangents), tuple(tangents))
    subject = Subject(question, derived, np.dtype(dtype).type)
    check = _Check(question, subject, np.random.default_rng(seed), method)
    with mpmath.workdps(DIGITS):
        plans = plan_sizes(base, shapes)
        rounded = [check.sampled(sizes) for sizes in plans]
        if inputs is not None:
            rounded.append(check.given(inputs))
        exact = check.exact(plan_sizes(base, 1, SMALL)[0] if isinstance(shapes, int) else plans[0])
    return summarize(subject, rounded, exact, check.rng)


def operations(program: Program) -> set[Elementwise]:
    """The records of the functions that occur in a program."""
    nodes = (node for equation in program.equations for node in sympy.preorder_traversal(equation.body))
    found = {op_of_head(node.func) for node in nodes if isinstance(node, sympy.Function)}
    return {op for op in found if op is not None}


class _Check:
    """The points of one check."""

    def __init__(self, question: Question, subject: Subject, rng: np.random.Generator, method: str | None) -> None:
        self.question, self.subject, self.rng = question, subject, rng
        self.model = Model(question.base, question.wrt)
        self.gauge = KinkGauge(question.base)
        analytic = all(op.analytic for op in operations(question.base))
        complex_step = analytic if method is None else method == "complex step"
        self.oracle: Oracle = ComplexStep(self.model) if complex_step else Differences(self.model)

    @property
    def plain(self) -> bool:
        """Whether no finite step is taken."""
        return isinstance(self.oracle, ComplexStep) and self.question.order == 1

    @property
    def reach(self) -> float:
        """How far from the nearest kink a point should be."""
        return 1e-6 if self.plain else 0.02

    # -- points

    def sampled(self, sizes: Mapping[sympy.Symbol, int]) -> Outcome:
        """One random point; where rounding noise hides much there, the clearest of a few."""
        outcomes: list[Outcome] = []
        for _ in range(REDRAWS):
            point, notes = self.draw(sizes)
            if point is None:
                return Outcome(Point({}, _named(sizes)), self.oracle.name, notes=notes)
            outcome = self.compare(point)
            outcomes.append(replace(outcome, notes=(*notes, *outcome.notes)))
            if outcome.failures:
                return outcomes[-1]
            if self.hidden(outcome) < CLEAR:
                break
        return min(outcomes, key=self.hidden)

    def hidden(self, outcome: Outcome) -> float:
        """The largest error of one entry that could have been missed, in units of the machine precision."""
        levels = (c.sensitivity(self.rng) for c in outcome.comparisons)
        return max(levels, default=0.0) / self.subject.precision

    def given(self, inputs: Mapping[str, Any]) -> Outcome:
        arrays = {n: np.asarray(x) for n, x in inputs.items()}
        base = {t.name: t for t in self.question.base.inputs}
        extra = (*self.question.cotangents, *self.question.tangents)
        for name in arrays:
            if name not in (known := (*base, *extra)):
                raise UnknownName(f"no input is called {name!r}; {closest(name, known)}")
        sizes = solve_sizes(self.question.base, arrays)
        arrays = {n: x.astype(float) if n not in base or base[n].kind == "real" else x for n, x in arrays.items()}
        return self.compare(Point(self.complete(arrays), _named(sizes), given=True))

    def exact(self, sizes: Mapping[sympy.Symbol, int]) -> list[Outcome]:
        """The same comparison without rounding: exact where the function is rational, else in many digits."""
        point, _ = self.draw(sizes)
        rational = None if point is None else fractions(self.question.base, point.inputs)
        if point is None or rational is None:
            return []
        rounded = {n: x.astype(float) if x.dtype == object else x for n, x in rational.items()}
        if self.gauge.nearest(rounded)[0] == 0 or not self.finite(rounded):
            return []
        for name in (*self.question.cotangents, *self.question.tangents):
            rational[name] = RATIONAL.array(point.inputs[name])
        digits = {n: np.asarray(_digits(x)) if x.dtype == object else x for n, x in rational.items()}
        for oracle, inputs in ((Exact(self.model), rational), (HighPrecision(self.model), digits)):
            try:
                return [self.trial(oracle, replace(point, inputs=inputs), self.subject.exact).run()]
            except ArithmeticError:
                continue
        return []

    def draw(self, sizes: Mapping[sympy.Symbol, int]) -> tuple[Point | None, tuple[str, ...]]:
        """A random point where the function is finite, away from kinks as far as that is possible."""
        notes: tuple[str, ...] = ()
        best, found = -1.0, None
        fallback = None
        for _ in range(DRAWS):
            inputs = self.subject.rounded(sample_inputs(self.question.base, sizes, self.rng, fallback))
            inputs = {n: x.astype(float) if x.dtype.kind == "f" else x for n, x in inputs.items()}
            if not self.finite(inputs):
                if fallback is None:
                    notes = (f"not finite at {text(_named(sizes))}: inputs without a declared domain drawn from {POSITIVE} instead",)
                fallback = POSITIVE
                continue
            distance, _ = self.gauge.nearest(inputs)
            if distance > best:
                best, found = distance, inputs
            if best > self.reach:
                break
        if found is None:
            return None, (f"no point found at {text(_named(sizes))} where the function is finite",)
        return Point(self.complete(found), _named(sizes)), notes

    def finite(self, inputs: Arrays) -> bool:
        values = evaluate(self.question.base, inputs)
        return all(np.all(np.isfinite(values[t.name])) for t in self.question.base.outputs)

    def complete(self, inputs: Arrays) -> Arrays:
        """The point with random cotangents and tangents where they are not given."""
        shapes: dict[str, tuple[int, ...]] = {}
        if any(g not in inputs for g in self.question.cotangents):
            values = evaluate(self.question.base, inputs)
            outputs = (np.shape(values[t.name]) for t in self.question.base.outputs)
            shapes = dict(zip(self.question.cotangents, outputs, strict=True))
        if self.question.tangents:
            shapes |= {d: inputs[x].shape for d, x in zip(self.question.tangents, self.question.wrt, strict=True)}
        return {**{n: np.asarray(signed(self.rng, shape)) for n, shape in shapes.items()}, **inputs}

    # -- comparisons

    def compare(self, point: Point) -> Outcome:
        distance, where = self.gauge.nearest(point.inputs)
        plain = self.plain
        if distance < (1e-12 if plain else 1e-6):
            return KinkedTrial(self.question, self.subject, self.oracle, point, self.rng, where).run()
        step = min(STEP, distance / 4)
        oracle = self.oracle if plain else replace(self.oracle, step=step)
        outcome = self.trial(oracle, point).run()
        if plain and point.given and not all(np.all(np.isfinite(c.expected)) for c in outcome.comparisons):
            return self.trial(Differences(self.model, step), point).run()
        return outcome

    def trial(self, oracle: Oracle, point: Point, exact: bool = False) -> Trial:
        return Trial(self.question, self.subject, oracle, point, self.rng, exact)


def _named(sizes: Mapping[sympy.Symbol, int]) -> dict[str, int]:
    return {symbol.name: value for symbol, value in sizes.items()}


_digits: Any = np.frompyfunc(lambda x: mpmath.mpf(x.numerator) / x.denominator, 1, 1)
