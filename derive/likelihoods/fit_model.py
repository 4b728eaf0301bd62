"""The loss of a data set as a function of what is estimated: coefficients, and parameters on scales without bounds.

    L(beta, u) = sum_i w_i loss(z_i = X_i beta + offset_i, y_i, parameters(u))

It is one `Function`, so gradient, Hessian and their products are derived from it like from any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..api import grad, hessian, hvp, jacobian, trace, value_and_grad
from ..calculus.batched import batched
from ..function import Function
from ..ir.facts import Spec, spec
from ..ir.nodes import Program, Tensor, size
from ..rewrite.derived import names_of, prepare
from .boosting import composed, spec_of
from .fit_newton import Problem
from .fit_scales import Scale

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
class Predictor:
    """A raw output, and the names of the arrays that it is computed from.

    reference: whether its first entry is 0 in every example, the others being relative to it.
    """

    raw: str
    matrix: str
    coefficients: str
    offset: str = ""
    reference: bool = False


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
    def total(self) -> Function:
        """The loss of all examples together."""
        each = {t.name: 0 for t in self.example.inputs if t.name in self.each}
        program = prepare(batched(self.example, size("n"), each, [0]))
        examples = Function("loss", program, 0, names_of(program))

        def loss(**arrays: Any) -> Any:
            given = {p.raw: _linear(p, arrays) for p in self.predictors}
            given |= {
                name: block.scale.natural(arrays[block.name]) for name, block in self.parameters.items()
            }
            losses = examples(*(given[n] if n in given else arrays[n] for n in examples.inputs))
            return np.sum(arrays["weights"] * losses) if "weights" in arrays else np.sum(losses)

        return composed(loss, self._specs(program.inputs), "total")

    def _specs(self, inputs: tuple[Tensor, ...]) -> dict[str, Spec]:
        found = {b.name: spec(" ".join(_axes(b))) for b in self.blocks}
        for p in self.predictors:
            columns = next(b for b in self.blocks if b.name == p.coefficients)
            found[p.matrix] = spec(f"n {_axes(columns)[0]}")
            if p.offset:
                found[p.offset] = spec(" ".join(["n", *map(str, np.shape(self.data[p.offset])[1:])]))
        if "weights" in self.data:
            found["weights"] = spec("n")
        ours = {p.raw for p in self.predictors} | set(self.parameters)
        return found | {t.name: spec_of(t) for t in inputs if t.name not in ours}

    @cached_property
    def _slopes(self) -> Function:
        found: Function = value_and_grad(self.total, [b.name for b in self.blocks])
        return found

    @cached_property
    def _curved(self) -> Function:
        """The Hessian of one array; of several, which have one for each pair, products with vectors are shorter."""
        (block,) = self.blocks
        found: Function = hessian(self.total, block.name)
        return found

    @cached_property
    def _product(self) -> Function:
        found: Function = hvp(self.total, [b.name for b in self.blocks])
        return found

    @property
    def gradient(self) -> Function:
        """The gradient as a function of arrays, to be read."""
        found: Function = grad(self.total, [b.name for b in self.blocks])
        return found

    def split(self, u: Any) -> dict[str, Any]:
        """A vector of all that is estimated as arrays by name."""
        ends = np.cumsum([b.size for b in self.blocks])[:-1]
        return {
            b.name: np.reshape(part, b.shape) for b, part in zip(self.blocks, np.split(u, ends), strict=True)
        }

    def value(self, u: Any) -> float:
        with np.errstate(all="ignore"):
            return float(self.total(**self.data, **self.split(u)))

    def value_and_gradient(self, u: Any) -> tuple[float, Any]:
        with np.errstate(all="ignore"):
            value, slopes = self._slopes(**self.data, **self.split(u))
        return float(value), np.concatenate([np.ravel(s) for s in slopes])

    def hessian(self, u: Any) -> Any:
        if len(self.blocks) > 1:
            whole = np.array([self.product(u, v) for v in np.eye(len(u))])
        else:
            with np.errstate(all="ignore"):
                whole = np.reshape(self._curved(**self.data, **self.split(u)), (len(u), len(u)))
        return (whole + whole.T) / 2

    def product(self, u: Any, v: Any) -> Any:
        """The Hessian times a vector."""
        directions = {f"d{name}": part for name, part in self.split(v).items()}
        with np.errstate(all="ignore"):
            parts = self._product(**self.data, **self.split(u), **directions)
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
        return _linear(p, arrays)


def _axes(block: Block) -> list[str]:
    """The axes of an array of coefficients or of a parameter, as they are declared."""
    if block.part == "parameter":
        return [str(n) for n in block.shape]
    return [f"p_{block.name}", *(str(n) for n in block.shape[1:])]


def _linear(p: Predictor, arrays: Mapping[str, Any]) -> Any:
    X = arrays[p.matrix]
    z = X @ arrays[p.coefficients]
    if p.reference:
        z = np.concatenate((0 * X[:, :1], z), axis=1)
    return z + arrays[p.offset] if p.offset else z
