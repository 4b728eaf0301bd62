"""Arrays of an enclosing trace that a function traced within it uses: inputs that nobody has to pass."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, S

from ..ir.nodes import Kind, Read, Tensor, size
from .traced import BOOL, FLOAT, INT, Traced

KINDS: dict[Any, Kind] = {FLOAT: "real", INT: "integer", BOOL: "boolean"}


class Captured:
    """What one trace has of those around it.

    values: by the name of the input that stands for it, the array of the enclosing trace.
    sizes: for each size of the enclosing trace the one that stands for it here; it may turn out to equal others.
    """

    def __init__(self) -> None:
        self.values: dict[str, Traced] = {}
        self.inputs: dict[str, Tensor] = {}
        self.sizes: dict[sympy.Symbol, sympy.Symbol] = {}
        self._seen: dict[int, Traced] = {}

    def view(self, trace: Any, value: Traced) -> Traced:
        """The array of the enclosing trace as one of `trace`."""
        if id(value) not in self._seen:
            self._seen[id(value)] = self._view(trace, value)
        return self._seen[id(value)]

    def sizes_around(self) -> dict[Expr, Expr]:
        """What the sizes that stand for those of the enclosing trace are there."""
        return {own: around for around, own in self.sizes.items()}

    def _view(self, trace: Any, value: Traced) -> Traced:
        if value.is_size:
            return trace.view((), self._size(trace, value.owner.resolve(value.entry)), value.dtype)
        name = self._name(trace, value)
        tensor = Tensor(name, tuple(self._size(trace, e) for e in value.extents), KINDS[value.dtype])
        self.values[name], self.inputs[name] = value, tensor
        axes = trace.fresh(tensor.shape)
        return trace.view(axes, Read(tensor, tuple(S.Zero if i.extent == 1 else i for i in axes)), value.dtype)

    def _size(self, trace: Any, extent: Expr) -> Expr:
        for symbol in sorted((s for s in extent.free_symbols if s.is_Symbol), key=str):
            if symbol not in self.sizes:
                self.sizes[symbol] = size(f"{symbol}_around")
                trace.sizes.open.add(self.sizes[symbol])
        return extent.xreplace(dict(self.sizes))

    def _name(self, trace: Any, value: Traced) -> str:
        """What the enclosing function calls it."""
        local = next((name for name, held in value.owner.user.variables() if held is value), "captured")
        taken = {*trace.inputs, *self.inputs}
        return next(n for n in (local, *(f"{local}{k}" for k in range(2, 10**6))) if n not in taken)
