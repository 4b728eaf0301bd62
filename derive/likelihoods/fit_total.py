"""The loss of a data set as a function of arrays, and its derivatives: derived once for all data that are built alike.

L(beta, u) = sum_i w_i loss(z_i = X_i beta + offset_i, y_i, parameters(u))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from .. import api
from ..calculus.batched import batched
from ..function import Function
from ..ir.facts import Spec, spec
from ..ir.nodes import Program, Tensor, size
from ..rewrite.derived import names_of, prepare
from .boosting import composed, spec_of
from .fit_scales import Scale

Axes = tuple[int, ...]


@dataclass(frozen=True)
class Predictor:
    """A raw output, and the names of the arrays that it is computed from.

    reference: whether its first entry is 0 in every example, the others being relative to it.
    """

    raw: str
    matrix: str
    coefficients: str
    offset: str = ""
    reference: bool = False


@dataclass(frozen=True)
class Total:
    """How a data set is built, and what is derived from that.

    example: the program of the loss of one example, its sizes numbers.
    each: which of its inputs have one value for each row.
    coefficients: of each predictor the name of the array, and its axes after that of the columns.
    parameters: (input of `example`, name of the array, its shape, its scale).
    offsets: the names of offsets, and their axes after that of the rows.
    """

    example: Program
    each: frozenset[str]
    coefficients: tuple[tuple[str, Axes], ...]
    predictors: tuple[Predictor, ...]
    parameters: tuple[tuple[str, str, Axes, Scale], ...]
    offsets: tuple[tuple[str, Axes], ...]
    weighted: bool

    @cached_property
    def total(self) -> Function:
        """The loss of all examples together."""
        each = {t.name: 0 for t in self.example.inputs if t.name in self.each}
        program = prepare(batched(self.example, size("n"), each, [0]))
        examples = Function("loss", program, 0, names_of(program))

        def loss(**arrays: Any) -> Any:
            given = {p.raw: linear(p, arrays) for p in self.predictors}
            given |= {name: scale.natural(arrays[free]) for name, free, _, scale in self.parameters}
            losses = examples(*(given[n] if n in given else arrays[n] for n in examples.inputs))
            return np.sum(arrays["weights"] * losses) if self.weighted else np.sum(losses)

        return composed(loss, self._specs(program.inputs), "total")

    def _specs(self, inputs: tuple[Tensor, ...]) -> dict[str, Spec]:
        found = {name: _spec(f"p_{name}", *axes) for name, axes in self.coefficients}
        found |= {free: _spec(*shape) for _, free, shape, _ in self.parameters}
        found |= {p.matrix: _spec("n", f"p_{p.coefficients}") for p in self.predictors}
        found |= {name: _spec("n", *axes) for name, axes in self.offsets}
        found |= {"weights": _spec("n")} if self.weighted else {}
        ours = {p.raw for p in self.predictors} | {name for name, *_ in self.parameters}
        return found | {t.name: spec_of(t) for t in inputs if t.name not in ours}

    @property
    def names(self) -> list[str]:
        """The arrays of what is estimated."""
        return [name for name, _ in self.coefficients] + [free for _, free, *_ in self.parameters]

    @cached_property
    def slopes(self) -> Function:
        """The total and its gradients."""
        found: Function = api.value_and_grad(self.total, self.names)
        return found

    @cached_property
    def hessian(self) -> Function:
        """The Hessian of one array; of several, which have one for each pair, products with vectors are shorter."""
        (name,) = self.names
        found: Function = api.hessian(self.total, name)
        return found

    @cached_property
    def product(self) -> Function:
        """The Hessian times a vector in parts."""
        found: Function = api.hvp(self.total, self.names)
        return found


@lru_cache(maxsize=128)
def shared(total: Total) -> Total:
    """The first of all that are equal, with what was derived from it by now."""
    return total


def _spec(*axes: object) -> Spec:
    return spec(" ".join(map(str, axes)))


def linear(p: Predictor, arrays: Mapping[str, Any]) -> Any:
    """A raw output: ``X beta + offset``, with a first column of zeros where it is relative."""
    X = arrays[p.matrix]
    z = X @ arrays[p.coefficients]
    if p.reference:
        z = np.concatenate((0 * X[:, :1], z), axis=1)
    return z + arrays[p.offset] if p.offset else z
