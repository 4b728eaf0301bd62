"""The same program under other tensors: renamed, or with other sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .nodes import Program, Read, Tensor


def with_tensors(program: Program, mapping: Mapping[Tensor, Tensor]) -> Program:
    """Replace tensors wherever they are read, defined or returned."""
    if not mapping:
        return program

    def body(expr: Any) -> Any:
        if isinstance(expr, Read):
            return Read(mapping.get(expr.tensor, expr.tensor), tuple(body(i) for i in expr.indices))
        if not expr.args:
            return expr
        return expr.func(*(body(a) for a in expr.args))

    equations = tuple(replace(e, target=mapping.get(e.target, e.target), body=body(e.body)) for e in program.equations)
    return Program(
        tuple(mapping.get(t, t) for t in program.inputs), equations, tuple(mapping.get(t, t) for t in program.outputs)
    )
