"""The verbs that read text, and expressions of SymPy: each gives a `Function`, as `trace` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .frontends.declared import declared
from .frontends.formula import understand
from .frontends.from_sympy import from_sympy as program_from_sympy
from .frontends.latex import understand_latex
from .frontends.parse_index import parse_equations
from .function import Function
from .ir.facts import Spec, spec
from .ir.nodes import Program
from .rewrite.derived import names_of, prepare
from .structure import flat
from .tracing import arguments_of


def specs_of(shapes: Mapping[str, str | int | Spec]) -> dict[str, Spec]:
    """Declarations as `Spec`, those in words read."""
    return {name: s if isinstance(s, Spec) else spec(s) for name, s in shapes.items()}


def _function(name: str, program: Program, source: str) -> Function:
    program = prepare(program)
    return Function(name, program, 0, names_of(program), source=source)


def parse(text: str, /, **shapes: str | int | Spec) -> Function:
    """A formula as text, in the spelling of MATLAB and matrixcalculus.org or of NumPy; `source` says which it was.

    Args:
        text: such as ``"0.5*x'*A*x"`` or ``"0.5*x @ A @ x"``; `frontends.formula.understand` says what it means.
        shapes: as for `trace`; what is left out follows from the operations and the letters (A a matrix, x a vector).

    Raises:
        ParseError: the text cannot be read, and nothing else; the message points at the character. Where axes do not
            fit it is a ShapeError as well, and so for UnsupportedOp, DomainError, SpecError, UnknownName.

    Example:
        >>> print(grad(parse("0.5*x'*A*x"), "x"))
        gx = (A + A') x / 2
    """
    found = understand(text, specs_of(shapes))
    return _function("formula", found.program, f"a formula in {found}")


def parse_latex(text: str, /, **shapes: str | int | Spec) -> Function:
    r"""A formula in LaTeX, in the notation of papers; `source` says how it was read, and printing it what it means.

    Args:
        text: such as ``r"\frac{1}{2}\|Wx+b-t\|_2^2"``; `frontends.latex.understand_latex` says what it means.
        shapes: as for `parse`; ``\hat{y}`` is called y_hat, ``W_1`` W_1, ``\lambda`` lambda_.

    Raises:
        ParseError: the text cannot be read, and nothing else; the message points at the character.

    Example:
        >>> print(grad(parse_latex(r"\frac{1}{2}\|Ax-y\|_2^2"), "x"))
        gx = A' (A x − y)
    """
    found = understand_latex(text, specs_of(shapes))
    return _function("formula", found.program, f"a formula in {found}")


def from_sympy(expr: Any, /, **shapes: str | int | Spec) -> Function:
    """A SymPy expression: a scalar, an explicit Matrix, a matrix expression, a sum of indexed entries.

    Args:
        expr: `frontends.from_sympy.from_sympy` says what it may hold and what it means.
        shapes: as for `trace`, in place of what the expression itself says, or for facts: ``A="n n, symmetric"``.

    Raises:
        UnsupportedOp: something has no counterpart here.  SpecError: a name cannot be one of an input.

    Example:
        >>> n = sympy.Symbol("n")
        >>> A, x = sympy.MatrixSymbol("A", n, n), sympy.MatrixSymbol("x", n, 1)
        >>> print(grad(from_sympy(x.T * A * x), "x"))
        gx = (A + A') x
    """
    return _function("expression", program_from_sympy(expr, specs_of(shapes)), "a SymPy expression")


def equations(text: str, /, outputs: Sequence[str] | None = None, **shapes: Any) -> Function:
    """Equations in index notation, as they are printed: ``"S[i,j] = sum_k Q[i,k] K[j,k] / sqrt(d)"``.

    Args:
        text: one equation on each line; `frontends.parse_index.parse_equations` says what they mean.
        outputs: names of the results; None for what no later equation reads.
        shapes: as for `trace`, for inputs, and for results whose sizes the equations leave open.
    """
    arguments, specs = declared(shapes)
    program = parse_equations(text, specs, outputs)
    single = len(program.outputs) == 1
    structure = 0 if single else flat(len(program.outputs))
    nested = arguments_of(arguments, specs, program)
    return Function(
        "equations", program, structure, names_of(program), source="equations in index notation", arguments=nested
    )
