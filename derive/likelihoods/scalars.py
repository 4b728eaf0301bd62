"""Programs of numbers as SymPy expressions of reads, and the other way."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr

from ..errors import SpecError
from ..function import Function
from ..ir.nodes import Equation, Program, Read, Step, Tensor, substitute
from ..ops.elementwise.piecewise import domestic
from ..rewrite.derived import names_of, prepare
from ..structure import Structure


def scalar_of(program: Program) -> Expr:
    """The one output of a program of numbers, in its inputs.

    Raises:
        SpecError: there are arrays in it.
    """
    values: dict[Read, Expr] = {}
    for equation in program.equations:
        if equation.indices:
            raise SpecError(f"a density of one number is needed; found the array {equation.lhs}")
        values[equation.lhs] = substitute(equation.body, values)
    (output,) = program.outputs
    read = Read(output, ())
    return values.get(read, read)


def read(tensor: Tensor) -> Read:
    """The one entry of a tensor that is a number."""
    return Read(tensor, ())


def function_of(
    name: str, inputs: Sequence[Tensor], outputs: dict[str, Expr], structure: Structure = 0
) -> Function:
    """A `Function` of numbers.

    Args:
        outputs: each in the reads of `inputs`, by its name.
        structure: how they are returned; one alone if left out.
    """
    step = Step(named=True)
    equations = tuple(Equation(Tensor(n), (), domestic(body), step=step) for n, body in outputs.items())
    program = prepare(Program(tuple(inputs), equations, tuple(e.target for e in equations)))
    return Function(name, program, structure, names_of(program))
