"""What emitted code calls for whole matrices where it is no primitive: factorisations, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..ir.nodes import Entry
from ..ops._primitive import Primitive
from ..ops.linalg import primitives


@dataclass(frozen=True, eq=False)
class Routine:
    """A step between a program's primitives and the calls of a library.

    operands, results: their axes, as in a `Primitive`; ``"n *"`` is a vector or columns side by side.
    spelling: the call for each target, ``{0}`` for the first operand; its results are arrays of their own.
    transposed: the call that takes the transpose of the matrix behind the first operand.
    columns: the targets on which a vector must be given as one column.
    analytic: whether NumPy's spelling continues to complex arguments.
    integers: the places of the results that hold integers.
    """

    name: str
    operands: tuple[str, ...]
    results: tuple[str, ...]
    spelling: Mapping[str, str]
    transposed: Mapping[str, str] = field(default_factory=dict)
    columns: frozenset[str] = frozenset()
    analytic: bool = True
    integers: frozenset[int] = frozenset()


LU = Routine(
    "lu", ("n n",), ("n n", "n"),
    {"numpy": "scipy.linalg.lu_factor({0})", "torch": "torch.linalg.lu_factor_ex({0})[:2]",
     "jax": "jax.scipy.linalg.lu_factor({0})"}, integers=frozenset({1}),
)  # fmt: skip
LU_SOLVE = Routine(
    "lu_solve", ("n n", "n", "n *"), ("n *",),
    {"numpy": "_lu_solve({0}, {1}, {2})", "torch": "_lu_solve({0}, {1}, {2})",
     "jax": "jax.scipy.linalg.lu_solve(({0}, {1}), {2})"},
    {"numpy": "_lu_solve({0}, {1}, {2}, trans=1)", "torch": "_lu_solve({0}, {1}, {2}, adjoint=True)",
     "jax": "jax.scipy.linalg.lu_solve(({0}, {1}), {2}, trans=1)"},
    columns=frozenset({"torch"}),
)  # fmt: skip
LU_INVERSE = Routine(
    "lu_inverse", ("n n", "n"), ("n n",),
    dict.fromkeys(("numpy", "torch", "jax"), "_lu_inverse({0}, {1})"),
)  # fmt: skip
CHO_SOLVE = Routine(
    "cho_solve", ("n n", "n *"), ("n *",),
    {"numpy": "scipy.linalg.cho_solve(({0}, True), {1})", "torch": "torch.cholesky_solve({1}, {0})",
     "jax": "jax.scipy.linalg.cho_solve(({0}, True), {1})"},
    columns=frozenset({"torch"}), analytic=False,
)  # fmt: skip
CHO_INVERSE = Routine(
    "cho_inverse", ("n n",), ("n n",),
    {"numpy": "_cho_inverse({0})", "torch": "torch.cholesky_inverse({0})", "jax": "_cho_inverse({0})"},
    analytic=False,
)  # fmt: skip
SOLVE_LOWER = Routine(
    "solve_lower", ("n n", "n *"), ("n *",),
    {"numpy": "scipy.linalg.solve_triangular({0}, {1}, lower=True)",
     "torch": "torch.linalg.solve_triangular({0}, {1}, upper=False)",
     "jax": "jax.scipy.linalg.solve_triangular({0}, {1}, lower=True)"},
    {"numpy": "scipy.linalg.solve_triangular({0}, {1}, trans=1, lower=True)",
     "torch": "torch.linalg.solve_triangular({0}.mT, {1}, upper=True)",
     "jax": "jax.scipy.linalg.solve_triangular({0}, {1}, trans=1, lower=True)"},
    columns=frozenset({"torch"}),
)  # fmt: skip
SOLVE_UPPER = Routine(
    "solve_upper", ("n n", "n *"), ("n *",),
    {"numpy": "scipy.linalg.solve_triangular({0}, {1})",
     "torch": "torch.linalg.solve_triangular({0}, {1}, upper=True)",
     "jax": "jax.scipy.linalg.solve_triangular({0}, {1})"},
    {"numpy": "scipy.linalg.solve_triangular({0}, {1}, trans=1)",
     "torch": "torch.linalg.solve_triangular({0}.mT, {1}, upper=False)",
     "jax": "jax.scipy.linalg.solve_triangular({0}, {1}, trans=1)"},
    columns=frozenset({"torch"}),
)  # fmt: skip
INVERT_LOWER = Routine(
    "invert_lower", ("n n",), ("n n",),
    dict.fromkeys(("numpy", "torch", "jax"), "_invert_triangle({0}, lower=True)"),
)  # fmt: skip
INVERT_UPPER = Routine(
    "invert_upper", ("n n",), ("n n",),
    dict.fromkeys(("numpy", "torch", "jax"), "_invert_triangle({0}, lower=False)"),
)  # fmt: skip
SOLVES = {"solve", "lu_solve", "cho_solve", "solve_lower", "solve_upper"}
ROUTINES = {
    r.name: r
    for r in (LU, LU_SOLVE, LU_INVERSE, CHO_SOLVE, CHO_INVERSE, SOLVE_LOWER, SOLVE_UPPER, INVERT_LOWER, INVERT_UPPER)
}


CONJUGATING = {"cholesky", "slogdet"}  # NumPy's, on complex numbers


def continues(entry: Entry) -> bool:
    """Whether NumPy's spelling continues to complex arguments, so that a complex step goes through it."""
    return entry.primitive not in CONJUGATING and routine_of(entry).analytic


def routine_of(entry: Entry) -> Routine | Primitive:
    """What the entry is a result of."""
    return ROUTINES.get(entry.primitive) or primitives()[entry.primitive]
