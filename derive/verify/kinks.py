"""How far a point is from the nearest kink: a program measures the arguments whose sign matters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from ..ir.evaluate import evaluate
from ..ir.nodes import Bracket, Entry, Equation, Program, Read, Slot, Tensor, Where
from ..ops.elementwise import op_of_head
from ..ops.linalg import primitives
from .batch import Arrays

ORDERED = (sympy.StrictGreaterThan, sympy.GreaterThan, sympy.StrictLessThan, sympy.LessThan)


@dataclass(frozen=True)
class Gauge:
    """A tensor whose zeros (or, with `bound` > 0, whose ties along the last axes) are kinks of `where`."""

    tensor: Tensor
    where: str
    bound: int = 0

    def distances(self, value: Any) -> Any:
        """|value|, or the gap between the two largest (of a min: smallest) entries."""
        if not self.bound:
            return np.abs(value)
        flat = np.sort(value.reshape(*value.shape[: value.ndim - self.bound], -1), axis=-1)
        return flat[..., -1] - flat[..., -2] if flat.shape[-1] > 1 else np.full(flat.shape[:-1], np.inf)


@dataclass(frozen=True)
class Singularity:
    """A matrix that a primitive takes, and what it must not be: singular, or with eigenvalues that coincide."""

    operand: Read
    needs: str
    where: str

    def distance(self, value: Any) -> float:
        """From 0, where it is singular, to 1; of a stack the worst."""
        slots = [p for p, i in enumerate(self.operand.indices) if isinstance(i, Slot)]
        matrices = np.moveaxis(np.asarray(value, dtype=float), slots, range(-len(slots), 0))
        if not matrices.size or not np.all(np.isfinite(matrices)):
            return np.inf
        if self.needs == "distinct entries":
            gaps = np.diff(np.sort(matrices, axis=-1), axis=-1)
            return float(np.min(gaps, initial=np.inf) / np.max(np.abs(matrices)))
        if self.needs == "symmetric":
            return np.inf
        values = np.linalg.svd(matrices, compute_uv=False)
        return float(np.min(values[..., -1] / np.maximum(values[..., 0], 1e-300)))


class KinkGauge:
    """Finds the kinks and singularities of a program near a point."""

    def __init__(self, program: Program) -> None:
        extra: list[Equation] = []
        self.gauges: list[Gauge] = []
        for equation in program.equations:
            for body, where, bound in _sources(equation):
                target = Tensor(f"_kink{len(extra)}", tuple(i.extent for i in equation.indices))
                extra.append(Equation(target, equation.indices, body))
                self.gauges.append(Gauge(target, where, bound))
        self.program = Program(program.inputs, (*program.equations, *extra), program.outputs)
        self.singularities = list(_singularities(program))

    def nearest(self, inputs: Arrays) -> tuple[float, str]:
        """The distance to the nearest kink, relative to the values compared, and where it is; or inf."""
        best, where = np.inf, ""
        if not self.gauges and not self.singularities:
            return best, where
        values = evaluate(self.program, inputs)
        for one in self.singularities:
            distance = one.distance(values[one.operand.tensor.name])
            if distance < best:
                best, where = distance, one.where
        for gauge in self.gauges:
            value = np.asarray(values[gauge.tensor.name])
            with np.errstate(invalid="ignore"):
                distances = gauge.distances(value)
            distances = distances[np.isfinite(distances)]
            size = np.max(np.abs(value[np.isfinite(value)]), initial=1.0)
            if distances.size and np.min(distances) / size < best:
                best, where = float(np.min(distances) / size), gauge.where
        return best, where


def _singularities(program: Program) -> Iterable[Singularity]:
    """The first operand of every primitive that is not defined for all arrays."""
    for equation in program.equations:
        if isinstance(equation.body, Entry) and (needs := primitives()[equation.body.primitive].needs):
            operand = equation.body.operands[0]
            yield Singularity(operand, needs, f"{operand.tensor.name} in {equation.target.name}")


def _sources(equation: Equation) -> Iterable[tuple[Expr, str, int]]:
    """(expression, description, how many of its last axes compete) for every kink of one equation."""
    name = equation.target.name
    if equation.reduce in ("max", "min"):
        sign = 1 if equation.reduce == "max" else -1
        yield sign * equation.body, f"a tie of the {equation.reduce} in {name}", len(equation.bound)
    seen: set[Any] = set()
    for node in sympy.preorder_traversal(equation.body):
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, Bracket | Where):
            for relation in node.args[0].atoms(*ORDERED):
                difference = relation.lhs - relation.rhs
                if not difference.is_integer:
                    yield difference, f"the condition {relation} in {name}", 0
        elif isinstance(node, sympy.Function) and (op := op_of_head(node.func)) and op.kink:
            yield op.kink(*node.args), f"{op.name} in {name}", 0
        elif isinstance(node, sympy.Pow) and not node.exp.is_integer and node.base.free_symbols:
            yield node.base, f"a root in {name}", 0
