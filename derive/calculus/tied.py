"""Derivatives by symmetric matrices whose entries ``A[i,j]`` and ``A[j,i]`` are one variable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import sympy

from ..ir.nodes import Bracket, Equation, Program, Step, Tensor, Where, fresh_indices
from ..ir.tensors import with_tensors
from .differentiate import new_name


def tie(program: Program, gradients: Iterable[Tensor]) -> Program:
    """Gradients by free entries as gradients by tied ones: ``G + G' - diag(G)``.

    Source: Magnus and Neudecker (2019), 3.8; Minka (2000), sec. 7.
    """
    taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
    for gradient in gradients:
        free = replace(gradient, name=new_name(f"{gradient.name}_free", taken))
        program = with_tensors(program, {gradient: free})
        *batch, i, j = axes = fresh_indices(gradient.shape)
        both = free[axes] + free[(*batch, j, i)] - Bracket(sympy.Eq(i, j)) * free[axes]
        equation = Equation(gradient, axes, both, step=Step("tied entries", of=free.name))
        outputs = tuple(gradient if t == free else t for t in program.outputs)
        program = replace(program, equations=(*program.equations, equation), outputs=outputs)
    return program


def from_lower_triangle(program: Program, names: Iterable[str]) -> Program:
    """The program as a function of the lower triangles of these inputs alone; what stands above is not read."""
    taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
    for tensor in [t for t in program.inputs if t.name in set(names)]:
        whole = replace(tensor, name=new_name(f"{tensor.name}_whole", taken))
        *batch, i, j = axes = fresh_indices(tensor.shape)
        body = Where(sympy.Ge(i, j), tensor[axes], tensor[(*batch, j, i)])
        inputs = program.inputs
        program = with_tensors(program, {tensor: whole})
        mirrored = Equation(whole, axes, body, step=Step("lower triangle", of=tensor.name))
        program = replace(program, inputs=inputs, equations=(mirrored, *program.equations))
    return program
