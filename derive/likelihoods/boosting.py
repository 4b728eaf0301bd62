"""The loss of each example as what a boosting library asks for: gradients and curvatures in the raw outputs.

The libraries divide sums of gradients by sums of curvatures and take one curvature for each raw output. What stands for the
Hessian is therefore a diagonal that is never negative: the Hessian itself where that is one, the expected Fisher information
where the loss is not convex, and for several raw outputs the sums ``sum_b |H[a,b]|`` over a row, which bound a matrix H from
above (``diag - H`` is diagonally dominant), so that a step of Newton's method cannot go too far.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from sympy import Eq, S

from ..api import grad, jacobian, trace
from ..emit.target import EmitRequest, Objective
from ..errors import UnsupportedOp
from ..function import Function
from ..ir.facts import Spec
from ..ir.nodes import Bracket, Program, Tensor
from ..ir.tensors import with_tensors
from ..render.matrix import render_matrix
from ..rewrite.derived import names_of, present
from ..rewrite.measure import prune

REASONS = {
    "hessian": "The curvature is the Hessian, which is never negative: the loss is convex in the raw output.",
    "fisher": (
        "The curvature is the expected Fisher information, the mean of the Hessian over labels that the model draws: the "
        "Hessian itself is negative at some labels, where a step of Newton's method would go uphill."
    ),
    "absolute": (
        "The curvature is the absolute value of the Hessian: the loss is not convex in the raw output, and where the "
        "Hessian is negative a step of Newton's method would go uphill."
    ),
    "rows": (
        "A library takes one curvature for each raw output, so the rest of the Hessian H of an example must go into it: "
        "sum_b |H[a,b]| bounds H from above, and a step cannot go too far."
    ),
}


def objective_request(
    loss: Function, raw: Sequence[str], labels: str, convex: bool, fisher: Function | None = None, name: str = ""
) -> EmitRequest:
    """What a boosting target writes for a loss.

    Args:
        loss: the loss of each example, [n], with inputs of its own order.
        raw: inputs that are raw outputs: one [n], one [n, k], or several [n].
        labels: the input with labels.
        convex: whether the loss is convex in the raw outputs.
        fisher: for one raw output [n], the expected Fisher information of each example, with the inputs of `loss`.
    """
    tensors = {t.name: t for t in loss.program.inputs}
    constants = tuple(n for n in tensors if n not in raw and n != labels)
    order = (*raw, labels, *constants)
    specs = {n: spec_of(tensors[n]) for n in order}
    if tensors[labels].rank == 2:
        loss, specs = _of_classes(loss, labels, specs)
    if len(raw) > 1 and any(tensors[n].rank != 1 for n in raw):
        raise UnsupportedOp(f"several raw outputs must be numbers; found {', '.join(str(tensors[n]) for n in raw)}")
    single = len(raw) == 1 and tensors[raw[0]].rank == 1
    kind: Literal["hessian", "fisher", "bound"]
    if single:
        kind = "hessian" if convex else "fisher" if fisher is not None else "bound"
        reason = REASONS["absolute" if kind == "bound" else kind]
    else:
        kind, reason = "bound", REASONS["rows"]
    gradients = _slopes(loss, raw, specs)

    def derivatives(**arrays: Any) -> Any:
        slopes = [g(**arrays) for g in gradients]
        if kind == "fisher":
            assert fisher is not None
            curved = [fisher(**{n: arrays[n] for n in fisher.inputs})]
        elif kind == "hessian":
            curved = [_slopes(gradients[0], raw, specs)[0](**arrays)]
        elif not single and len(raw) == 1:
            curved = [_sums_over_rows(gradients[0], raw[0], specs)(**arrays)]
        else:
            rows = [[np.abs(d(**arrays)) for d in _slopes(g, raw, specs)] for g in gradients]
            curved = [sum(row[1:], row[0]) for row in rows]
        return (*slopes, *curved)

    name = name or loss.name
    ends = [f"_{n}" for n in raw] if len(raw) > 1 else [""]
    names = [*(f"gradient{e}" for e in ends), *(f"curvature{e}" for e in ends)]
    forward = _outputs_called(composed(lambda **arrays: loss(**arrays), specs, name).presented, ["loss"])
    both = _outputs_called(composed(derivatives, specs, name).presented, names)
    objective = Objective(both, tuple(raw), labels, constants, kind, reason)
    formulas = (*_lines(forward), *_lines(both))
    return EmitRequest(name, forward, formulas=formulas, source=loss.source, objective=objective)


def _of_classes(loss: Function, labels: str, specs: dict[str, Spec]) -> tuple[Function, dict[str, Spec]]:
    """The loss of labels that are numbers of classes, from that of vectors with a 1 in one place."""
    rows, classes = specs[labels].shape
    specs = {**specs, labels: Spec((rows,), "integer", bound=classes)}

    def of_classes(**arrays: Any) -> Any:
        raw = next(arrays[n] for n, s in specs.items() if s.shape[-1:] == (classes,))
        one_hot = np.where(arrays[labels][:, None] == np.arange(raw.shape[-1]), 1.0, 0.0)
        return loss(**{**arrays, labels: one_hot})

    return composed(of_classes, specs, loss.name), specs


def _outputs_called(program: Program, names: Sequence[str]) -> Program:
    return with_tensors(program, {t: replace(t, name=n) for t, n in zip(program.outputs, names, strict=True)})


def _lines(program: Program) -> list[str]:
    """Each output of a program in formulas of its own."""
    alone = [present(prune(replace(program, outputs=(t,)))) for t in program.outputs]
    return [line for part in alone for line in render_matrix(part, names_of(part))]


def spec_of(tensor: Tensor) -> Spec:
    """The declaration of an input."""
    return Spec(tensor.shape, tensor.kind, tensor.facts, tensor.bound)


def composed(function: Callable[..., Any], specs: dict[str, Spec], name: str) -> Function:
    """A function of arrays by name, such as one that calls others, traced with these declarations."""

    def call(*arrays: Any) -> Any:
        return function(**dict(zip(specs, arrays, strict=True)))

    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    call.__signature__ = inspect.Signature([inspect.Parameter(n, keyword) for n in specs])  # type: ignore[attr-defined]
    call.__name__ = name
    return trace(call, **specs)


def _slopes(f: Function, raw: Sequence[str], specs: dict[str, Spec]) -> list[Function]:
    """The derivatives of each example's value by each of its raw outputs: those of the sum over all examples."""
    total = composed(lambda **arrays: np.sum(f(**arrays)), specs, f.name)
    return [grad(total, name) for name in raw]


def _sums_over_rows(gradient: Function, raw: str, specs: dict[str, Spec]) -> Function:
    """``sum_b |H[i,a,b]|`` for the gradient [n, k] of losses in raw outputs [n, k].

    Where no entry beside the diagonal is positive and a row adds up to s, that is ``2 H[a,a] - s``.
    """
    J = jacobian(gradient, raw)
    blocks = composed(lambda **arrays: np.einsum("iaib->iab", J(**arrays)), specs, gradient.name)
    if not _nowhere_positive_beside_diagonal(blocks.presented):
        return composed(lambda **arrays: np.sum(np.abs(blocks(**arrays)), axis=2), specs, gradient.name)
    sums = _slopes(gradient, [raw], specs)[0]
    return composed(
        lambda **arrays: 2 * np.einsum("iaia->ia", J(**arrays)) - sums(**arrays), specs, gradient.name
    )


def _nowhere_positive_beside_diagonal(program: Program) -> bool:
    """Whether the entries [i,a,b] with a != b of the output are proved to be at most 0."""
    equation = program.definitions[program.outputs[0].name]
    a, b = equation.axes[-2:]
    beside = equation.body.xreplace({c: S.Zero for c in equation.body.atoms(Bracket) if c.args[0] in (Eq(a, b), Eq(b, a))})
    return bool(beside.is_nonpositive)
