"""The cross-check of a derivative against the function's own values, at random points of its domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import mpmath
import numpy as np
import sympy

from ..errors import DomainError, UnsupportedOp
from ..ir.nodes import Entry, Program
from ..ir.numbers import RATIONAL
from ..ops._primitive import Primitive
from ..ops._record import Elementwise
from ..ops.elementwise import op_of_head
from ..ops.linalg import primitives
from .batch import Model
from .differences import STEP
from .draw import Assignment, Points, named
from .expect import KindOfDerivative, Question
from .kinked import KinkedTrial
from .kinks import KinkGauge
from .oracles import DIGITS, ComplexStep, Differences, Exact, HighPrecision, Oracle
from .point import Outcome, Point
from .report import Report
from .sample import fractions, plan_sizes
from .subject import Derived, Subject
from .summary import summarize
from .trial import Trial

SMALL = (2, 3, 4, 1, 2, 3, 2, 1) * 4
"""Sizes for the arithmetic without rounding, which is slow."""
REDRAWS = 3
CLEAR = 5e6
"""Points are drawn again where rounding hides errors of more than this many units of precision."""


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

    The expected values are complex steps where every operation is analytic, else extrapolated central
    differences; at one small shape also exact rationals, or differences in 50 digits where the function is
    not rational.

    Args:
        base: the program that was differentiated.
        derived: its derivative: a program, or a function from arrays by name (the inputs of `base`, the
            cotangents and the tangents) to the derived arrays. Their order: one per `wrt` for grad, vjp and
            hvp; the value first for value_and_grad; one per output for jvp; for a Jacobian, output by output,
            one per `wrt`, with the axes of the output first; for a Hessian one for each pair of `wrt`.
        cotangents: the names of the inputs of a vjp that weigh the outputs, in their order.
        tangents: the names of the inputs of a jvp or hvp that give the direction, in the order of `wrt`.
        dtype: the precision that `derived` is called in, float64 or float32.
        shapes: how many shapes, or the sizes of each by name.
        method: how the expected values are computed, if not by complex steps where they are possible.
        inputs: arrays of the user's as a further point; cotangents and tangents may be among them.

    Raises:
        UnknownName: a name that is no input, or a missing one. NotDifferentiable: an integer input, a vector
            output.
        SpecError: a fact that cannot be sampled. ShapeError: given arrays whose sizes disagree.

    Numerics: an error of any entry above `report.sensitivity`, relative to the largest entry of its array, is
    flagged (in float64 about 1e-13); the value is measured from the rounding noise and confirmed by injecting
    such errors.

    Source: Squire and Trapp (1998) for the complex step; Ridders (1982) for the extrapolation.
    """
    question = Question(base, kind, tuple(wrt), tuple(cotangents), tuple(tangents))
    subject = Subject(question, derived, np.dtype(dtype).type)
    check = _Check(question, subject, np.random.default_rng(seed), method)
    chosen = not isinstance(shapes, int)
    with mpmath.workdps(DIGITS):
        plans = plan_sizes(base, shapes)
        rounded = [check.sampled(sizes, chosen) for sizes in plans]
        if inputs is not None:
            rounded.append(check.compare(check.points.given(inputs)))
        exact = check.exact(plans[0] if chosen else plan_sizes(base, 1, SMALL)[0], chosen)
    return summarize(subject, rounded, exact, check.rng)


def operations(program: Program) -> set[Elementwise | Primitive]:
    """The records of the functions and primitives that occur in a program."""
    nodes = [node for equation in program.equations for node in sympy.preorder_traversal(equation.body)]
    found = {op_of_head(node.func) for node in nodes if isinstance(node, sympy.Function)}
    applied = {primitives()[node.primitive] for node in nodes if isinstance(node, Entry)}
    return {op for op in found if op is not None} | applied


class _Check:
    """One question, asked at several points."""

    def __init__(
        self, question: Question, subject: Subject, rng: np.random.Generator, method: str | None
    ) -> None:
        self.question, self.subject, self.rng = question, subject, rng
        self.model = Model(question.base, question.wrt)
        self.gauge = KinkGauge(question.base)
        self.points = Points(question, self.gauge, subject.dtype, rng)
        analytic = all(op.analytic for op in operations(question.base))
        complex_step = analytic if method is None else method == "complex step"
        self.oracle: ComplexStep | Differences = (
            ComplexStep(self.model) if complex_step else Differences(self.model)
        )
        self.stepless = complex_step and question.order == 1

    @property
    def reach(self) -> float:
        """How far from the nearest kink a random point should be."""
        return 1e-3 if self.stepless else 0.02

    def sampled(self, sizes: Assignment, fixed: bool) -> Outcome:
        """One random point; where rounding hides much there, the clearest of a few."""
        outcomes: list[Outcome] = []
        for _ in range(REDRAWS):
            try:
                point = self.points.draw(sizes, self.reach, fixed)
            except DomainError as nowhere:
                return Outcome(Point({}, named(sizes)), self.oracle.name, notes=(str(nowhere),))
            outcomes.append(self.compare(point))
            if outcomes[-1].failures:
                return outcomes[-1]
            if self.hidden(outcomes[-1]) < CLEAR:
                break
        return min(outcomes, key=self.hidden)

    def hidden(self, outcome: Outcome) -> float:
        """The largest error of one entry that could have been missed, in units of the machine precision."""
        levels = (c.sensitivity(self.rng) for c in outcome.comparisons)
        return max(levels, default=0.0) / self.subject.precision

    def compare(self, point: Point) -> Outcome:
        distance, where = self.gauge.nearest(point.inputs)
        if distance < (1e-12 if self.stepless else 1e-6):
            return KinkedTrial(self.question, self.subject, self.oracle, point, self.rng, where).run()
        step = min(STEP, 50 * distance)
        oracle = self.oracle if self.stepless else replace(self.oracle, step=step)
        outcome = self.trial(oracle, point, distance=distance)
        if (
            self.stepless
            and point.given
            and not all(np.all(np.isfinite(c.expected)) for c in outcome.comparisons)
        ):
            return self.trial(Differences(self.model, step), point, distance=distance)
        return outcome

    def exact(self, sizes: Assignment, fixed: bool) -> list[Outcome]:
        """The same comparison without rounding: exact where the function is rational, else in many digits."""
        try:
            point = self.points.draw(sizes, self.reach, fixed)
        except DomainError:
            return []
        rational = fractions(self.question.base, point.inputs)
        if rational is None:
            return []
        rounded = {n: x.astype(float) if x.dtype == object else x for n, x in rational.items()}
        if self.gauge.nearest(rounded)[0] == 0 or not self.points.finite(rounded):
            return []
        for name in (*self.question.cotangents, *self.question.tangents):
            rational[name] = RATIONAL.array(point.inputs[name])
        digits = {n: np.asarray(_digits(x)) if x.dtype == object else x for n, x in rational.items()}
        for oracle, inputs in ((Exact(self.model), rational), (HighPrecision(self.model), digits)):
            try:
                return [self.trial(oracle, replace(point, inputs=inputs, notes=()), self.subject.exact)]
            except (ArithmeticError, UnsupportedOp):
                continue
        return []

    def trial(self, oracle: Oracle, point: Point, exact: bool = False, distance: float = np.inf) -> Outcome:
        return Trial(self.question, self.subject, oracle, point, self.rng, exact, distance).run()


_digits: Any = np.frompyfunc(lambda x: mpmath.mpf(x.numerator) / x.denominator, 1, 1)
