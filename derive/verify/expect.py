"""What each kind of derivative is, block by block, in directional derivatives of the base program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np
from sympy import Integer

from ..errors import NotDifferentiable, UnknownName, closest
from ..ir.nodes import Program
from ..ir.sizes import solve_sizes
from .batch import Arrays
from .differences import Estimates
from .oracles import Oracle

KindOfDerivative = Literal["grad", "value_and_grad", "vjp", "jvp", "jacobian", "hessian", "hvp"]
Matrix = Any
Spread = tuple[Arrays, dict[str, slice]]
Bases = dict[str, Matrix]
"""For each input, directions in it as rows: shape (directions, entries)."""


@dataclass(frozen=True)
class Block:
    """One derived array as a matrix: rows are entries of `of` (an output, or an input in a Hessian), columns
    of `wrt`.

    An empty name stands for a single row or column.
    """

    label: str
    of: str = ""
    wrt: str = ""


@dataclass(frozen=True)
class Question:
    """Which derivative of which program."""

    base: Program
    kind: KindOfDerivative
    wrt: tuple[str, ...]
    cotangents: tuple[str, ...] = ()
    tangents: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        inputs = {t.name: t for t in self.base.inputs}
        for name in self.wrt:
            if name not in inputs:
                raise UnknownName(f"no input is called {name!r}; {closest(name, inputs)}")
            if inputs[name].kind != "real":
                raise NotDifferentiable(
                    f"{name} is {inputs[name].kind}: there is no derivative with respect to it"
                )
        if self.scalar and (len(self.base.outputs) != 1 or self.base.outputs[0].rank):
            shapes = ", ".join(f"{t.name}{list(t.shape)}" for t in self.base.outputs)
            raise NotDifferentiable(f"{self.kind} needs one scalar output; found {shapes}")
        _matching(self.kind == "vjp", "cotangents", self.cotangents, len(self.base.outputs))
        _matching(self.kind in ("jvp", "hvp"), "tangents", self.tangents, len(self.wrt))

    @property
    def scalar(self) -> bool:
        return self.kind in ("grad", "value_and_grad", "hessian", "hvp")

    @property
    def order(self) -> int:
        return 2 if self.kind in ("hessian", "hvp") else 1

    @property
    def blocks(self) -> list[Block]:
        """The derived arrays in the order in which they are returned (the value of value_and_grad aside)."""
        outputs = [t.name for t in self.base.outputs]
        match self.kind:
            case "jvp":
                return [Block(f"d{y}", of=y) for y in outputs]
            case "jacobian":
                return [Block(f"d{y}/d{x}", of=y, wrt=x) for y in outputs for x in self.wrt]
            case "hessian":
                return [
                    Block(f"H[{a},{b}]" if len(self.wrt) > 1 else "H", a, b)
                    for a in self.wrt
                    for b in self.wrt
                ]
            case "hvp":
                return [Block(f"dg{x}", wrt=x) for x in self.wrt]
            case _:
                return [Block(f"g{x}", wrt=x) for x in self.wrt]

    def shapes(self, block: Block, inputs: Arrays) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The axes of the rows and of the columns of a block."""
        columns = np.shape(inputs[block.wrt]) if block.wrt else ()
        if self.kind == "hessian":
            return np.shape(inputs[block.of]), columns
        extents = next((t.shape for t in self.base.outputs if t.name == block.of), ())
        values = {symbol: Integer(value) for symbol, value in solve_sizes(self.base, inputs).items()}
        return tuple(int(e.xreplace(values)) for e in extents), columns

    def directions(self, inputs: Arrays, right: Bases) -> Spread:
        """The rows along which the base program is differentiated, and which of them belong to each input."""
        if self.kind == "jvp":
            return {x: inputs[d][None] for x, d in zip(self.wrt, self.tangents, strict=True)}, {}
        return _spread(right, inputs)

    def expected(
        self, oracle: Oracle, inputs: Arrays, left: Bases, right: Bases, center: Arrays | None = None
    ) -> Expected:
        """Every block between the directions `left` (rows of a Hessian) and `right` (columns).

        `center` replaces the values of inputs, where wanted by one value per direction.
        """
        at = {**inputs, **(center or {})}
        U, parts = self.directions(inputs, right)
        match self.kind:
            case "hessian":
                return self._hessian(oracle, at, _spread(left, inputs), (U, parts))
            case "jvp":
                return {b: _columns(*e) for b, e in zip(self.blocks, oracle.first(at, U), strict=True)}
            case "jacobian":
                found = dict(zip((t.name for t in self.base.outputs), oracle.first(at, U), strict=True))
                return {b: _columns(*(_part(a, parts[b.wrt]) for a in found[b.of])) for b in self.blocks}
            case "hvp":
                count = len(next(iter(U.values())))
                V = {x: np.stack([inputs[d]] * count) for x, d in zip(self.wrt, self.tangents, strict=True)}
                value, error = self._functional(oracle.second(at, U, V), inputs)
            case _:
                value, error = self._functional(oracle.first(at, U), inputs)
        return {b: (value[None, parts[b.wrt]], _part(error, parts[b.wrt])) for b in self.blocks}

    def _functional(self, found: Estimates, inputs: Arrays) -> tuple[Any, Any]:
        """The derivatives of the scalar that is differentiated: the outputs weighted by their cotangents."""
        weights = [inputs[g] for g in self.cotangents] if self.kind == "vjp" else [np.ones(())]
        value, error = 0, 0
        for (v, e), weight in zip(found, weights, strict=True):
            axes = tuple(range(1, v.ndim))
            value = value + np.sum(v * weight, axis=axes)
            error = error + np.sum(np.broadcast_to(e * np.abs(weight), v.shape), axis=axes)
        return value, error

    def _hessian(self, oracle: Oracle, at: Arrays, left: Spread, right: Spread) -> Expected:
        (U, rows), (V, columns) = left, right
        above, across = (len(next(iter(d.values()))) for d in (U, V))
        U = {x: np.repeat(u, across, axis=0) for x, u in U.items()}
        V = {x: np.concatenate([v] * above) for x, v in V.items()}
        ((value, error),) = oracle.second(at, U, V)
        error = np.broadcast_to(error, value.shape).reshape(above, across)
        value = value.reshape(above, across)
        return {
            b: (value[rows[b.of], columns[b.wrt]], error[rows[b.of], columns[b.wrt]]) for b in self.blocks
        }


Expected = dict[Block, tuple[Matrix, Any]]
"""For each block its matrix, seen from the directions on both sides, and the error of that."""


def _matching(wanted: bool, what: str, names: Sequence[str], count: int) -> None:
    if wanted and len(names) != count:
        raise UnknownName(f"{count} {what} are needed, got {list(names)}")


def _spread(bases: Bases, inputs: Arrays) -> Spread:
    """Directions of all inputs one after the other, each moving one input; and where each input's are."""
    total = sum(len(basis) for basis in bases.values())
    U, parts, start = {}, {}, 0
    for name, basis in bases.items():
        u = np.zeros((total, *inputs[name].shape), dtype=basis.dtype)
        parts[name] = slice(start, start + len(basis))
        u[parts[name]] = basis.reshape(len(basis), *inputs[name].shape)
        U[name], start = u, start + len(basis)
    return U, parts


def _part(array: Any, part: slice) -> Any:
    return array[part] if np.ndim(array) else array


def _columns(value: Any, error: Any) -> tuple[Matrix, Any]:
    """From (directions, *shape) to (entries, directions)."""
    count = len(value)
    turned = [np.asarray(a).reshape(count, -1).T if np.ndim(a) else a for a in (value, error)]
    return turned[0], turned[1]


def unit_bases(names: Sequence[str], inputs: Arrays) -> Bases:
    return {name: np.eye(prod(inputs[name].shape)) for name in names}


def dense_bases(names: Sequence[str], inputs: Arrays, count: int, rng: np.random.Generator) -> Bases:
    """Random directions without small components: an error in any one entry shows in all of them."""
    return {name: signed(rng, (count, prod(inputs[name].shape))) for name in names}


def signed(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Random eighths between 1/2 and 3/2 in size, of either sign."""
    return rng.integers(4, 13, shape) / 8 * rng.choice([-1.0, 1.0], shape)
