"""The record of a loss that is used like a negative log-likelihood though no density is written down for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sympy import Expr

from ._record import Parameter


@dataclass(frozen=True, eq=False)
class LossRecord:
    """A loss of an observation and parameters of which the density is not known in closed form, or does not exist.

    loss: (y, *parameters) -> SymPy. It is minus the logarithm of a density but for a factor of y and the parameters in
        `fixed`, where there is one.
    statement: what density or tilt it corresponds to, or that there is none.
    fixed: parameters that the factor left out depends on: they cannot be learned.
    values: what y can be, where that is finitely many numbers.
    bound: (y, *parameters) -> what the loss is never less than: the negative log-likelihood that it is a tilt of.
    reference: floats -> the law that has this loss, for tests; None where there is none.
    """

    name: str
    parameters: tuple[Parameter, ...]
    loss: Callable[..., Expr]
    statement: str
    source: str
    support: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    values: tuple[float, ...] = ()
    requires: Callable[..., tuple[Expr, ...]] | None = None
    bound: Callable[..., Expr] | None = None
    modelled: str = ""
    reference: Callable[..., Any] | None = None
