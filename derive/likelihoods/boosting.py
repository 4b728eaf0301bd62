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
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sympy import Eq, Expr, S

from ..api import grad, jacobian, trace
from ..emit.target import EmitRequest, Objective
from ..errors import UnsupportedOp
from ..function import Function
from ..ir.facts import Spec
from ..ir.nodes import Bracket, Program, Read, Tensor, substitute
from ..ir.tensors import with_tensors
from ..render.matrix import render_matrix
from ..rewrite.derived import names_of, prepare, present
from ..rewrite.measure import prune

if TYPE_CHECKING:
    from .loss import Loss

CONVEX = "The loss is convex in the raw output"
BOOSTING = ("xgboost", "lightgbm")
Kind = Literal["hessian", "fisher", "bound"]
REASONS = {
    "hessian": f"{CONVEX}: the curvature is its second derivative, which is never negative.",
    "flat": (
        f"{CONVEX} but straight almost everywhere, so its second derivative says nothing; the curvature is 1, and a leaf "
        "takes the step of gradient descent."
    ),
    "flat fisher": (
        f"{CONVEX} but straight almost everywhere, so its second derivative says nothing; the curvature is the expected "
        "Fisher information, the variance of the gradient over labels that the model draws."
    ),
    "fisher": (
        "The curvature is the expected Fisher information, the mean of the second derivative over labels that the model "
        "draws, which is never negative: convexity is not proved, and where the second derivative is negative a step of "
        "Newton's method would go uphill."
    ),
    "absolute": (
        "The curvature is the absolute value of the second derivative: convexity is not proved, and where the second "
        "derivative is negative a step of Newton's method would go uphill."
    ),
    "rows fisher": (
        "Libraries take one curvature for each raw output: here the expected Fisher information F, which is never negative, "
        "where the Hessian of an example may be; for output a that is sum_b |F[a,b]|, which bounds F from above."
    ),
    "rows": (
        "Libraries take one curvature for each raw output, so that the rest of the Hessian H of an example must go into "
        "it: sum_b |H[a,b]| bounds H from above, and a step cannot go too far."
    ),
}


def boosting_request(loss: Loss) -> EmitRequest:
    """What a boosting target writes for a loss.

    Raises:
        UnsupportedOp: raw outputs or labels are neither numbers nor, alone, rows of numbers.
    """
    name = loss.name.removesuffix("_loss")
    convex = loss.convex.status == "PROVED"
    return objective_request(loss.function, loss.raw, loss.variable, convex, loss.fisher, name)


def objective_request(
    loss: Function,
    raw: Sequence[str],
    labels: str,
    convex: bool,
    fisher: Function | None = None,
    name: str = "",
) -> EmitRequest:
    """What a boosting target writes for the losses of examples.

    Args:
        loss: the loss of each example, [n], with inputs of its own order.
        raw: inputs that are raw outputs: one [n], one [n, k], or several [n].
        labels: the input with labels, [n], or [n, k] with a 1 in the place of the class.
        convex: whether the loss is known to be convex in the raw outputs.
        fisher: the expected Fisher information of each example about raw outputs and further things, in blocks [n], with
            inputs of `loss`; the mean of the Hessian over labels that the model draws.
    """
    tensors = {t.name: t for t in loss.program.inputs}
    constants = tuple(n for n in tensors if n not in raw and n != labels)
    ranks = [tensors[n].rank for n in raw]
    if ranks not in ([1], [2]) and set(ranks) != {1}:
        shapes = ", ".join(str(tensors[n]) for n in raw)
        raise UnsupportedOp(
            f"an objective of boosting has one raw output, a row of them, or several numbers; found {shapes}"
        )
    if tensors[labels].rank > 1 and "one-hot" not in tensors[labels].facts:
        raise UnsupportedOp(f"boosting libraries take one number as a label; found {tensors[labels]}")
    if tensors[labels].rank > 1:
        loss = _of_classes(loss, labels)
        tensors = {t.name: t for t in loss.program.inputs}
    specs = {n: spec_of(tensors[n]) for n in (*raw, labels, *constants)}
    gradients = _slopes(loss, raw, specs)
    curvatures, kind, reason = _curvatures(gradients, raw, specs, convex, fisher)
    name = name or loss.name
    forward = composed(lambda **arrays: loss(**arrays), specs, name)
    both = composed(lambda **arrays: tuple(f(**arrays) for f in (*gradients, *curvatures)), specs, name)
    ends = [f"_{n}" for n in raw] if len(raw) > 1 else [""]
    called = [f"{what}{e}" for what in ("gradient", "curvature") for e in ends]
    printed = (_outputs_called(forward.presented, ["loss"]), _outputs_called(both.presented, called))
    formulas = tuple(line for program in printed for line in _lines(program))
    several = [_as_run(f) for f in (*gradients, *curvatures)]
    run = composed(lambda **arrays: tuple(f(**arrays) for f in several), specs, name).presented
    run = _outputs_called(run, called)
    objective = Objective(run, tuple(raw), labels, constants, kind, REASONS[reason])
    total = _outputs_called(forward.stable, ["loss"])
    return EmitRequest(name, total, formulas=formulas, source=loss.source, objective=objective)


def _curvatures(
    gradients: Sequence[Function],
    raw: Sequence[str],
    specs: dict[str, Spec],
    convex: bool,
    fisher: Function | None,
) -> tuple[list[Function], Kind, str]:
    """One curvature for each raw output, what kind it is, and the key of the reason for it."""
    name = gradients[0].name
    if len(raw) > 1 and fisher is not None and not convex:
        rows = [_of_fisher(fisher, k, len(raw), specs, name) for k in range(len(raw))]
        return rows, "fisher", "rows fisher"
    if len(raw) > 1:
        return [_sum_of_row(g, raw, specs) for g in gradients], "bound", "rows"
    if len(specs[raw[0]].shape) > 1:
        return [_sums_of_rows(gradients[0], raw[0], specs)], "bound", "rows"
    second = _slopes(gradients[0], raw, specs)[0]
    flat = second.program.definitions[second.outputs[0]].body == 0
    if convex and not flat:
        return [second], "hessian", "hessian"
    if fisher is not None:
        return [_of_fisher(fisher, 0, 1, specs, name)], "fisher", "flat fisher" if flat else "fisher"
    if flat:
        return [composed(lambda **arrays: np.ones_like(arrays[raw[0]]), specs, name)], "fisher", "flat"
    return [composed(lambda **arrays: np.abs(second(**arrays)), specs, name)], "bound", "absolute"


def _of_fisher(fisher: Function, place: int, count: int, specs: dict[str, Spec], name: str) -> Function:
    """``sum_b |F[a,b]|`` over the raw outputs b."""

    def row(**arrays: Any) -> Any:
        found = fisher(**{n: arrays[n] for n in fisher.inputs})
        entries = [found] if fisher.structure == 0 else list(found[place][:count])
        return entries[0] if count == 1 else sum(np.abs(e) for e in entries)

    return composed(row, specs, name)


def _sum_of_row(gradient: Function, raw: Sequence[str], specs: dict[str, Spec]) -> Function:
    """``sum_b |H[i,a,b]|`` for the derivative of losses by one of several raw outputs."""
    row = _slopes(gradient, raw, specs)
    return composed(lambda **arrays: sum(np.abs(d(**arrays)) for d in row), specs, gradient.name)


def _of_classes(loss: Function, labels: str) -> Function:
    """The loss of labels that are numbers of classes, from that of vectors with a 1 in one place."""
    program = loss.program
    vectors = next(t for t in program.inputs if t.name == labels)
    numbers = Tensor(labels, vectors.shape[:1], "integer", bound=vectors.shape[1])
    equations = tuple(
        replace(
            e, body=substitute(e.body, {r: _is_class(numbers, r) for r in e.reads if r.tensor == vectors})
        )
        for e in program.equations
    )
    inputs = tuple(numbers if t == vectors else t for t in program.inputs)
    program = prepare(Program(inputs, equations, program.outputs))
    return Function(loss.name, program, loss.structure, names_of(program), source=loss.source)


def _is_class(numbers: Tensor, read: Read) -> Expr:
    example, place = read.indices
    return Bracket(Eq(place, Read(numbers, (example,))))


def _as_run(f: Function) -> Function:
    """The function by its stable equations, which are those that are written out."""
    return replace(f, program=f.stable, origin=None, _kernels={})


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


def _sums_of_rows(gradient: Function, raw: str, specs: dict[str, Spec]) -> Function:
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
    beside = equation.body.xreplace(
        {c: S.Zero for c in equation.body.atoms(Bracket) if c.args[0] in (Eq(a, b), Eq(b, a))}
    )
    return bool(beside.is_nonpositive)
