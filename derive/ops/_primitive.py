"""The record of a linear-algebra primitive: what it computes on whole arrays, and its derivative, in NumPy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import sympy

from ..ir.nodes import Bracket, indices_of

NO_FACTS: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Primitive:
    """A function of whole vectors and matrices that is no scalar body: an inverse, a determinant, a factorisation.

    Everything is written for one matrix and holds for stacks of them: leading axes are batch axes, as in NumPy.

    name: as printed in index notation, ``inv(A)[i,j]``.
    operands: the axes that each operand has, such as ``("n n", "n")``; equal letters are equal sizes.
    results: the same for each result; a letter of the operands, or ``min(m,n)``.
    value: arrays (batched) and then parameters -> tuple of results, for float64, float32 and, if `analytic`, complex.
    exact: the same for one matrix of exact numbers or numbers of many digits, as object arrays; it computes with
        ``+ - * /`` and what `numbers.sqrt` and its kin offer.
    jvp: ``(operands, results, tangents, *parameters)`` -> tuple of tangents of the results, traced NumPy; a tangent
        may be None, and stands for zero.
    vjp: ``(operands, results, cotangents, *parameters)`` -> tuple of cotangents of the operands, likewise.
    labels: what the results are called where there are several, in NumPy's words: ``slogdet(X).logabsdet``.
    symbols: names for the results where nobody named them: ``w, V = eigh(A)``.
    under_transpose: what becomes of the results when the operand is transposed.
    linear: which operand the results are linear in, if any.
    facts: facts of each result from the facts of each operand.
    spelling: a call for each target, with ``{0}`` for the operands and then the parameters, that gives the tuple of
        results (or the one); under ``numpy.1`` the call for result 1 alone, where there is a cheaper one; under
        ``numpy.each`` that for a parameter that varies over the stack. A name with an underscore is a function that
        the emitted file brings along.
    analytic: whether `value` continues to complex arguments.
    needs: the fact that an operand must have for the result to exist; said in errors and used to draw samples.
    source: where the definition and the derivative stand.
    """

    name: str
    operands: tuple[str, ...]
    results: tuple[str, ...]
    value: Callable[..., tuple[Any, ...]]
    exact: Callable[..., tuple[Any, ...]]
    jvp: Callable[..., tuple[Any, ...]]
    vjp: Callable[..., tuple[Any, ...]]
    labels: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    under_transpose: Literal["transposed", "same", "different"] = "different"
    linear: int | None = None
    facts: Callable[..., tuple[frozenset[str], ...]] = lambda *facts: (NO_FACTS,)
    spelling: Mapping[str, str] = field(default_factory=dict)
    analytic: bool = True
    needs: str = "invertible"
    source: str = ""


def multiple_of_unit(E: Any) -> Any:
    """The scalar c where the traced matrix E is ``c I``, else None."""
    *_, i, j = E.axes
    factors = sympy.Mul.make_args(E.entry)
    unit = [f for f in factors if isinstance(f, Bracket) and f.condition in (sympy.Eq(i, j), sympy.Eq(j, i))]
    rest = sympy.Mul(*(f for f in factors if f not in unit))
    if not unit or {i, j} & indices_of(rest):
        return None
    return E.through(E.axes[:-2], rest)


def eye(like: Any, n: Any) -> Any:
    """The unit matrix of a traced size, in the trace of `like`."""
    return like.owner.call("numpy.eye", (n,), {})


def arange(like: Any, n: Any) -> Any:
    """``0, ..., n - 1`` for a traced size, in the trace of `like`."""
    return like.owner.call("numpy.arange", (n,), {})
