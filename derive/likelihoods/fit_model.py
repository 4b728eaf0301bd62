"""The loss of a data set as a function of one vector: coefficients, and parameters on scales without bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..api import jacobian, trace
from ..function import Function
from ..ir.facts import spec
from ..ir.nodes import Program
from .fit_newton import Problem
from .fit_scales import Scale
from .fit_total import Predictor, Total, linear, shared

REACH = 3.0
"""How far one step may go on a scale without bounds, such as that of a logarithm."""


@dataclass(frozen=True, eq=False)
class Block:
    """Some of the estimated numbers: an array called `name` in the program, of this shape.

    part: "coefficients" of a linear predictor, or a "parameter" on a scale without bounds.
    names: one for each entry of what is reported.
    """

    name: str
    shape: tuple[int, ...]
    part: str
    names: tuple[str, ...]
    scale: Scale

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=int))

    def reported(self, u: Any) -> Any:
        """Its numbers as they are reported, as a vector."""
        return np.ravel(self.scale.natural(np.reshape(u, self.shape)))

    def slopes(self, u: Any) -> Any:
        """The Jacobian of `reported`, one row for each number."""
        if self.scale.name == "identity":
            return np.eye(self.size)
        natural = trace(lambda u: self.scale.natural(u), u=spec(" ".join(map(str, self.shape))))
        return np.reshape(jacobian(natural)(np.reshape(u, self.shape)), (len(self.names), self.size))


@dataclass(frozen=True, eq=False)
class Model:
    """The total loss and its derivatives at a data set.

    example: the program of the loss of one example, its sizes numbers.
    data: arrays by their names in the program: matrices, offsets, weights, labels, what is known.
    each: which of the inputs of `example` have one value for each row.
    parameters: the block of each learned parameter of `example`.
    """

    example: Program
    blocks: tuple[Block, ...]
    predictors: tuple[Predictor, ...]
    parameters: Mapping[str, Block]
    data: Mapping[str, Any]
    each: frozenset[str]

    @cached_property
    def derived(self) -> Total:
        """The functions of arrays, which are derived once for all data of the same build."""
        offsets = tuple((p.offset, np.shape(self.data[p.offset])[1:]) for p in self.predictors if p.offset)
        own = {b.name for b in self.parameters.values()}
        return shared(
            Total(
                self.example, self.each, tuple((b.name, b.shape[1:]) for b in self.blocks if b.name not in own),
                self.predictors, tuple((n, b.name, b.shape, b.scale) for n, b in self.parameters.items()), offsets,
                "weights" in self.data,
            )
        )  # fmt: skip

    def split(self, u: Any) -> dict[str, Any]:
        """A vector of all that is estimated as arrays by name."""
        ends = np.cumsum([b.size for b in self.blocks])[:-1]
        return {
            b.name: np.reshape(part, b.shape) for b, part in zip(self.blocks, np.split(u, ends), strict=True)
        }

    def value(self, u: Any) -> float:
        with np.errstate(all="ignore"):
            return float(self.derived.total(**self.data, **self.split(u)))

    def value_and_gradient(self, u: Any) -> tuple[float, Any]:
        with np.errstate(all="ignore"):
            value, slopes = self.derived.slopes(**self.data, **self.split(u))
        return float(value), np.concatenate([np.ravel(s) for s in slopes])

    def hessian(self, u: Any) -> Any:
        if len(self.blocks) > 1:
            whole = np.array([self.product(u, v) for v in np.eye(len(u))])
        else:
            with np.errstate(all="ignore"):
                whole = np.reshape(self.derived.hessian(**self.data, **self.split(u)), (len(u), len(u)))
        return (whole + whole.T) / 2

    def product(self, u: Any, v: Any) -> Any:
        """The Hessian times a vector."""
        directions = {f"d{name}": part for name, part in self.split(v).items()}
        with np.errstate(all="ignore"):
            parts = self.derived.product(**self.data, **self.split(u), **directions)
        return np.concatenate([np.ravel(p) for p in parts])

    def expected(self, u: Any, fisher: Function) -> Any:
        """The mean of the Hessian, from the expected information of each example about raw outputs and parameters.

        It is ``J' F J`` summed over the examples, J being the derivative of raw outputs and parameters by u.
        """
        raws = {p.raw: self.predictor(p, u) for p in self.predictors}
        split = self.split(u)
        values = {name: b.scale.natural(split[b.name]) for name, b in self.parameters.items()}
        given = {**self.data, **raws, **values}
        found = fisher(**{n: given[n] for n in fisher.inputs})
        names = [*raws, *self.parameters]
        F = [[found]] if len(names) == 1 else found
        n = len(next(iter(raws.values()))) if raws else len(next(iter(self.data.values())))
        slopes = [self.data[p.matrix] for p in self.predictors]
        for b in self.parameters.values():
            slopes.append(np.broadcast_to(b.slopes(split[b.name]).reshape(1, 1), (n, 1)))
        weights = self.data.get("weights", np.ones(n))
        places = [
            self.blocks.index(self.parameters[m]) if m in self.parameters else k for k, m in enumerate(names)
        ]
        assert places == list(range(len(self.blocks)))
        rows = [
            [a.T @ ((weights * F[i][j])[:, None] * b) for j, b in enumerate(slopes)]
            for i, a in enumerate(slopes)
        ]
        whole: Any = np.block(rows)
        return whole

    @property
    def problem(self) -> Problem:
        far = [np.full(b.size, np.inf if b.scale.name == "identity" else REACH) for b in self.blocks]
        return Problem(self.value_and_gradient, self.hessian, self.product, np.concatenate(far))

    def reported(self, u: Any) -> Any:
        """All that is estimated, as it is reported."""
        return np.concatenate([b.reported(part) for b, part in self._parts(u)])

    def slopes(self, u: Any) -> Any:
        """The Jacobian of `reported`, block by block."""
        found = [b.slopes(part) for b, part in self._parts(u)]
        J = np.zeros((sum(len(s) for s in found), len(u)))
        row = column = 0
        for s in found:
            J[row : row + s.shape[0], column : column + s.shape[1]] = s
            row, column = row + s.shape[0], column + s.shape[1]
        return J

    def _parts(self, u: Any) -> list[tuple[Block, Any]]:
        return list(zip(self.blocks, self.split(u).values(), strict=True))

    def predictor(self, p: Predictor, u: Any, matrix: Any = None, offset: Any = None) -> Any:
        """A raw output for the rows of a matrix, those of the data if left out."""
        rows = self.data[p.matrix] if matrix is None else matrix
        arrays: dict[str, Any] = {p.matrix: rows, p.coefficients: self.split(u)[p.coefficients]}
        if p.offset:
            arrays[p.offset] = self.data[p.offset] if matrix is None else offset
        return linear(p, arrays)
