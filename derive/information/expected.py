"""The mean of a function of a random vector, traced: its law's moments in the place of its entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..api import trace
from ..distributions import VectorDistribution
from ..frontends.formula_expectation import Means, entry_of
from ..function import Function
from ..ir.facts import Spec
from ..moments.drawn import Drawn

DRAWN = "x"


def expected(
    g: Callable[..., Any], record: VectorDistribution, count: int, specs: dict[str, Spec], drawn: Spec
) -> Function:
    """``E g(x, ...)`` as a function of the other arguments of g.

    Args:
        g: a NumPy function of x and arrays by the names of `specs`; its first `count` arrays are the parameters of the law.
        record: the law of x; specs: declarations of the arrays; drawn: the shape of x.

    Raises:
        NoClosedForm: there is no formula for the mean of a term.
    """
    names = list(specs)

    def mean(**arrays: Any) -> Any:
        x = arrays.pop(DRAWN)
        return over(g(x, *(arrays[name] for name in names)), x, record, [arrays[name] for name in names[:count]])

    found = trace(_with_names(mean, (DRAWN, *names)), **{DRAWN: drawn}, **specs)
    program = found.program
    kept = tuple(t for t in program.inputs if t.name != DRAWN)
    return replace(found, program=replace(program, inputs=kept), _kernels={})


def over(y: Any, x: Any, record: VectorDistribution, parameters: Sequence[Any]) -> Any:
    """The mean of a traced number over a traced random vector."""
    tensor = x.entry.tensor
    means = Means(y.owner, None, None, None)  # type: ignore[arg-type]
    functions = (entry_of(p, value, x.rank) for p, value in zip(record.parameters, parameters, strict=True))
    means.tensors = {tensor.name: tensor}
    means.drawn = {tensor.name: Drawn(record, tensor, tuple(functions))}
    return means.over(y, tensor.name)


def _with_names(fn: Callable[..., Any], names: Sequence[str]) -> Callable[..., Any]:
    """A function of keywords as one with these arguments, which is what a trace looks at."""
    import inspect

    def named(*args: Any) -> Any:
        return fn(**dict(zip(names, args, strict=True)))

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    named.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in names])  # type: ignore[attr-defined]
    return named
