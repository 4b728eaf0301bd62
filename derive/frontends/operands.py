"""What a traced operation is given: arrays, numbers and constants as traced arrays, and what their entries are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from sympy import Expr, S

from ..errors import DomainError, TraceError, UnsupportedOp
from ..ir.nodes import Entry, Read, indices_of, reads_of, substitute
from ..ops.elementwise.piecewise import domestic
from .constants import LARGEST_TABLE, exact, rule
from .traced import BOOL, FLOAT, INT, Traced, holds_traced


def lift(trace: Any, value: Any) -> Traced:
    """Any operand as a traced array: numbers exactly, constant arrays by a rule for their entries."""
    if isinstance(value, Traced):
        if value.owner is not trace and value.owner in trace.active and trace in trace.active:
            return trace.captured.view(trace, value)
        if value.owner is not trace or trace.ended:
            raise TraceError(
                "a traced array was kept from an earlier call or belongs to another trace "
                f"({trace.place()}); try: make it an argument, or compute it inside the function"
            )
        if trace.times & indices_of(value.entry) - set(trace.ambient) - set(value.axes):
            raise TraceError(
                f"an array of one step was kept after its scan had ended ({trace.place()}); try: return it from the "
                "step, as part of the carry or of y"
            )
        return value
    if isinstance(value, list | tuple) and holds_traced(value):
        return trace.call("numpy.stack", ([trace.lift(v) for v in value],), {})
    array = np.asarray(value)
    if array.dtype.kind == "c":
        raise TraceError(f"complex constant {value!r} ({trace.place()}): only real arithmetic can be derived")
    if array.dtype.kind not in "fiub":
        raise TraceError(f"cannot use {value!r} of type {type(value).__name__} as an array ({trace.place()})")
    dtype = {"f": FLOAT, "b": BOOL}.get(array.dtype.kind, INT)
    if array.ndim == 0:
        return trace.view((), exact(array.item()), dtype)
    axes = trace.fresh(array.shape)
    entry = rule(array, axes)
    if entry is None:
        raise UnsupportedOp(
            f"a constant array of shape {array.shape} ({trace.place()}): beyond {LARGEST_TABLE} entries it must be "
            "constant, triangular, diagonal or a progression; try: make it an argument"
        )
    return trace.view(axes, substitute(entry, {i: S.Zero for i in axes if i.extent == 1}), dtype)


def whole(trace: Any, x: Traced) -> Traced:
    """An array of integers with its entry in terms of integer tensors, as an index must be.

    Real numbers that a truth value compares stay the ones that are stored, and states are no expressions.
    """
    made = (
        e
        for e in trace.equations
        if e.reduce is None
        and e.target.kind == "real"
        and e.target not in trace.states
        and (x.dtype == INT or e.body.is_integer)
    )
    definitions = {e.target.name: e for e in made}
    entry = x.entry
    while found := [r for r in reads_of(entry) if r.tensor.name in definitions]:
        equations = [definitions[r.tensor.name] for r in found]
        entry = substitute(
            entry,
            {
                r: substitute(e.body, dict(zip(e.axes, r.indices, strict=True)))
                for r, e in zip(found, equations, strict=True)
            },
        )
    return trace.view(x.axes, entry, x.dtype)


def real_body(trace: Any, body: Expr) -> Expr:
    """The body with our own |x| and sign in place of SymPy's; it must be a real number."""
    body = domestic(body)
    if _written_out(trace, body).has(S.ImaginaryUnit, S.ComplexInfinity):
        raise DomainError(
            "a division by 0, or a root or logarithm of a negative number, whatever the arrays hold\n"
            f"  in {trace.user.line()}"
        )
    return body


def _written_out(trace: Any, body: Expr, levels: int = 3) -> Expr:
    """A body with roots in it, in terms of what its values are made of: sqrt(t) with t = -x^2 is imaginary."""
    if levels == 0 or all(p.exp.is_integer for p in body.atoms(sympy.Pow)):
        return body
    made = {e.target: e for e in trace.equations if e.reduce is None}
    values = {
        r: substitute(made[r.tensor].body, dict(zip(made[r.tensor].axes, r.indices, strict=True)))
        for r in body.atoms(Read)
        if r.tensor in made and not isinstance(made[r.tensor].body, Entry)
    }
    return _written_out(trace, substitute(body, values), levels - 1) if values else body
