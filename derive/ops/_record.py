"""The record of an elementwise operation: its mathematics, its numbers and its spelling on every target."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy import Expr


@dataclass(frozen=True, eq=False)
class Elementwise:
    """A function of scalars.

    name: as printed.
    make: SymPy scalars -> SymPy scalar; what a traced call becomes.
    numpy: the functions it answers to when traced, such as ``("numpy.tanh",)``.
    head: the SymPy function class found in bodies; None where `make` lowers to other operations.
    value: reference on NumPy arrays, real and (if `analytic`) complex.
    high_precision: reference on mpmath numbers, ``(mp, x, ...) -> mpf``.
    rational: the same on exact fractions, for operations that do not leave them.
    spelling: code for each target, ``"np.tanh({0})"``; the keys are the names of the targets.
    definition: the function in terms of simpler ones, as a textbook defines it: what a proof expands it to.
    slopes: its partial derivatives where those of `head`, which are printed, lose digits: what is run.
    constants: how many of the first arguments are constant integers, such as the order of a derivative.
    latex: LaTeX with ``{0}`` for the argument, or None for ``\\operatorname{name}``.
    analytic: whether `value` continues to complex arguments, so that a complex step goes through it.
    kink: arguments -> expression that changes sign where the derivative jumps; the convention is in `note`.
    domain: (low, high) of arguments on which it is defined and sampled.
    source: where the definition stands.
    """

    name: str
    make: Callable[..., Expr]
    numpy: tuple[str, ...] = ()
    head: type | None = None
    value: Callable[..., Any] | None = None
    high_precision: Callable[..., Any] | None = None
    rational: Callable[..., Any] | None = None
    spelling: Mapping[str, str] = field(default_factory=dict)
    definition: Callable[..., Expr] | None = None
    slopes: Callable[..., tuple[Expr, ...]] | None = None
    constants: int = 0
    latex: str | None = None
    analytic: bool = True
    kink: Callable[..., Expr] | None = None
    domain: tuple[float, float] = (-3.0, 3.0)
    arity: int = 1
    note: str = ""
    source: str = ""
