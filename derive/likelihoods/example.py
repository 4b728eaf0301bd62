"""Minus the logarithm of the density of one example, in raw outputs, what is observed, and learned and known parameters."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sympy import Expr

from .. import api
from ..errors import SpecError
from ..function import Function
from ..ir.facts import Spec, spec
from ..ir.nodes import Program, Tensor
from ..ir.tensors import with_tensors
from ..rewrite.derived import names_of
from ..rewrite.diagonals import of_diagonals
from .density import Density
from .links import of_number
from .scalars import function_of, read
from .setting import Given, Setting

AXES = {"vector": "k", "matrix": "k k", "whole": "", "entry": ""}
"""The axes of a parameter of one example by its role, where it does not say them itself."""


def example_of(setting: Setting) -> Function:
    """Minus the log-density of one example; nothing is dropped."""
    name = f"{_identifier(setting.density)}_loss"
    return _of_numbers(setting, name) if not setting.density.arrays else _of_arrays(setting, name)


def _identifier(density: Density) -> str:
    name = density.name.replace(" ", "_").replace("-", "_")
    return name if name.isidentifier() else "own"


def _axes(given: Given) -> str:
    axes = given.parameter.axes
    return AXES[given.parameter.role] if axes is None else axes


def inputs_of(setting: Setting) -> list[Tensor]:
    """The inputs of the loss of one example: raw outputs, what is observed, learned parameters, known ones."""
    density = setting.density
    observed = spec(density.axes, *density.facts).tensor(density.variable)
    raws = [spec(_axes(g), *g.raw).tensor(g.symbol) for g in setting.raws]
    others = [*setting.parts("learned"), *setting.parts("known")]
    rest = [spec(_axes(g), *g.parameter.facts).tensor(g.symbol) for g in others]
    found = [*raws, observed, *rest]
    names = [t.name for t in found]
    if doubled := next((n for n in names if names.count(n) > 1), None):
        raise SpecError(
            f"{doubled!r} is the name of a parameter and of a raw output or of what is observed; rename it"
        )
    return found


def _of_numbers(setting: Setting, name: str) -> Function:
    inputs = inputs_of(setting)
    reads = {t.name: read(t) for t in inputs}
    values = {g.name: number_of(g, reads) for g in setting.given}
    nll = -setting.density.log_density(reads[setting.density.variable], *setting.in_law(values))
    return function_of(name, inputs, {"loss": nll})


def number_of(given: Given, reads: Mapping[str, Expr]) -> Expr:
    """The value of a parameter that is a number, in the inputs of the loss."""
    if given.part == "number":
        assert given.value is not None
        return given.value
    if given.link is None:
        return reads[given.symbol]
    return of_number(given.link.inverse, reads[given.symbol], given.raw)


def _of_arrays(setting: Setting, name: str) -> Function:
    inputs = inputs_of(setting)
    names = [t.name for t in inputs]
    linked = [g for g in setting.raws if g.link is not None and str(g.link) != "identity"]

    def loss(*arrays: Any) -> Any:
        by_name = dict(zip(names, arrays, strict=True))
        values = {g.name: _array_of(g, by_name) for g in setting.given}
        nll = -setting.density.log_density(by_name[setting.density.variable], *setting.in_law(values))
        return (nll, *(values[g.name] for g in linked))

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    loss.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in names])  # type: ignore[attr-defined]
    found: Function = api.trace(loss, **{t.name: _spec(t) for t in inputs})
    program = _named(of_diagonals(found.program), [g.name for g in linked])
    return Function(name, program, 0, names_of(program))


def _named(program: Program, names: list[str]) -> Program:
    """The first output alone, the others tensors that a reader knows by these names."""
    whole, *values = program.outputs
    taken = {*program.tensors, *map(str, program.sizes)}
    named = {t: replace(t, name=n) for t, n in zip(values, names, strict=True) if n not in taken}
    moved = with_tensors(
        replace(program, outputs=(whole,)), {**named, whole: replace(whole, name=_free("loss", taken))}
    )
    known = {t.name for t in named.values()}
    equations = (
        replace(e, step=replace(e.step, named=True)) if e.target.name in known else e for e in moved.equations
    )
    return replace(moved, equations=tuple(equations))


def _free(name: str, taken: Collection[str]) -> str:
    return next(n for n in (name, *(f"{name}_{k}" for k in range(2, 99))) if n not in taken)


def _array_of(given: Given, arrays: Mapping[str, Any]) -> Any:
    if given.part == "number":
        return float(given.value)  # type: ignore[arg-type]
    array = arrays[given.symbol]
    return array if given.link is None else given.link.inverse(array)


def _spec(t: Tensor) -> Spec:
    return Spec(t.shape, t.kind, t.facts, t.bound)
