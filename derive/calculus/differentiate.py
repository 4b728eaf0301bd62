"""The derivative of one equation with respect to one of its reads: SymPy on the body, our rule for the reduction."""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr, S

from ..ir.nodes import Bracket, Equation, Read, Tensor, Where, substitute
from ..ir.recurrences import dependents
from ..ops.elementwise.piecewise import domestic
from .slopes import derivative


@dataclass(frozen=True)
class Linearised:
    """An equation's differential: ``dY[I] = sum_K  sum_r  weight * partial[r] * dr``, with helper equations first."""

    partials: dict[Read, Expr]
    helpers: tuple[Equation, ...] = ()


def differentiable_reads(equation: Equation, active: set[str]) -> list[Read]:
    """The reads of the body that carry a derivative: of active real tensors, and not inside index expressions."""
    atoms = equation.body.atoms(Read)
    return sorted((r for r in atoms if r.tensor.name in active and r.tensor.kind == "real"), key=str)


def linearise(equation: Equation, active: set[str], fresh: dict[str, int]) -> Linearised:
    """Differentiate the body by every active read; the reduction contributes a weight.

    sum: weight 1.  max, min: the selected entries, shared equally at ties.  prod: the product of the others.
    """
    reads = differentiable_reads(equation, active)
    body = domestic(equation.body)
    partials = {r: d for r in reads if (d := _derivative(body, r)) != 0}
    if not partials or equation.reduce in (None, "sum"):
        return Linearised(partials)
    weigh = _selected if equation.reduce in ("max", "min") else _others
    weight, helpers = weigh(equation, fresh)
    return Linearised({r: weight * d for r, d in partials.items()}, helpers)


def _derivative(body: Expr, read: Read) -> Expr:
    """The derivative, with ``b a^(b-1)`` for its ``b a^b / a``, which has no value at 0."""
    found = derivative(body, read)
    open_powers = any(not p.exp.is_number for p in body.atoms(sympy.Pow))
    return sympy.powsimp(found, combine="exp") if open_powers else found


def _selected(equation: Equation, fresh: dict[str, int]) -> tuple[Expr, tuple[Equation, ...]]:
    chosen = Bracket(sympy.Eq(equation.body, equation.lhs))
    count = Tensor(
        new_name(f"ties_{equation.target.name}", fresh), equation.target.shape, facts=frozenset({"positive"})
    )
    helper = Equation(count, equation.axes, chosen, "sum", equation.bound)
    return chosen / count[equation.axes], (helper,)


def _others(equation: Equation, fresh: dict[str, int]) -> tuple[Expr, tuple[Equation, ...]]:
    twins = tuple(b.renamed(b.name + "o") for b in equation.bound)
    same = sympy.And(*(sympy.Eq(b, t) for b, t in zip(equation.bound, twins, strict=True)))
    at_twin = substitute(equation.body, dict(zip(equation.bound, twins, strict=True)))
    indices = equation.axes + equation.bound
    rest = Tensor(new_name(f"rest_{equation.target.name}", fresh), tuple(i.extent for i in indices))
    helper = Equation(rest, indices, Where(same, S.One, at_twin), "prod", twins)
    return rest[indices], (helper,)


def new_name(wanted: str, taken: dict[str, int]) -> str:
    """`wanted`, or with the first number that makes it new; recorded in `taken`."""
    name = wanted
    while name in taken:
        taken[wanted] += 1
        name = f"{wanted}{taken[wanted]}"
    taken[name] = 1
    return name


def active_tensors(equations: tuple[Equation, ...], wrt: set[str]) -> set[str]:
    """The tensors that depend on `wrt` through differentiable reads."""
    return dependents(equations, wrt, lambda e: e.body.atoms(Read) if e.target.kind == "real" else ())
