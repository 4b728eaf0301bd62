"""The mean of a function of a random vector, traced: its law's moments in the place of its entries."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..distributions import VectorDistribution
from ..frontends.formula_expectation import Means, entry_of
from ..moments.drawn import Drawn

DRAWN = "x"


def over(y: Any, x: Any, record: VectorDistribution, parameters: Sequence[Any]) -> Any:
    """The mean of a traced number over a traced random vector."""
    tensor = x.entry.tensor
    means = Means(y.owner, None, None, None)  # type: ignore[arg-type]
    functions = (entry_of(p, value, x.rank) for p, value in zip(record.parameters, parameters, strict=True))
    means.tensors = {tensor.name: tensor}
    means.drawn = {tensor.name: Drawn(record, tensor, tuple(functions))}
    return means.over(y, tensor.name)


def with_names(fn: Callable[..., Any], names: Iterable[str]) -> Callable[..., Any]:
    """A function of keywords as one with these arguments, which is what a trace looks at."""
    names = tuple(names)

    def named(*args: Any) -> Any:
        return fn(**dict(zip(names, args, strict=True)))

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    named.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in names])  # type: ignore[attr-defined]
    return named
