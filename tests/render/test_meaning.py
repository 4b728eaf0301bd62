"""Every printed line, read back from its tree, has the value that the reference interpreter computes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, given, settings

from derive.ir.evaluate import evaluate
from derive.ir.nodes import Program, Tensor
from derive.render.index import index_lines, render_index
from derive.render.lines import board_lines, plain_lines
from derive.render.names import Names
from derive.render.tree import Line, Scale

from .programs import ALL
from .random_equations import programs
from .read_index import read_line
from .tree_value import line_value

SIZES = dict(zip(["n", "m", "d", "p", "batch", "heads", "v", "k"], [4, 3, 5, 2, 6, 2, 7, 3], strict=True))


def arrays(program: Program, known: dict[str, int] = SIZES) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    numbers = {s: known[str(s)] for s in program.sizes}
    found = {}
    for t in program.inputs:
        shape = tuple(int(e.subs(numbers)) for e in t.shape)
        limit = 2 if t.bound is None else int(t.bound.subs(numbers))
        found[t.name] = fitting(rng.normal(size=shape) + 0.1, t) if t.kind == "real" else rng.integers(0, limit, shape)
    return found


def fitting(x: Any, tensor: Tensor) -> Any:
    """Numbers for which the facts hold that were declared."""
    if "positive" in tensor.facts:
        return np.abs(x) + 0.1
    if "positive definite" in tensor.facts:
        return x @ x.swapaxes(-1, -2) + np.eye(x.shape[-1])
    return x + x.swapaxes(-1, -2) if "symmetric" in tensor.facts else x


pytestmark = pytest.mark.usefixtures("slices_written_out")


def extents_of(program: Program, names: Names, target: str, known: dict[str, int] = SIZES) -> dict[str, int]:
    numbers = {s: known[str(s)] for s in program.sizes}
    letters = names.letters(program.definitions[target])
    return {letter: int(i.extent.subs(numbers)) for i, letter in letters.items()}


def check(program: Program, names: Names, lines: list[Line], known: dict[str, int] = SIZES) -> None:
    values = evaluate(program, arrays(program, known))
    sizes = {str(s): known[str(s)] for s in program.sizes}
    numbers = {s: known[str(s)] for s in program.sizes}
    classes = {t.name: int(t.bound.subs(numbers)) for t in program.inputs if t.bound is not None}
    for line in lines:
        extents = extents_of(program, names, line.target, known)
        expected = np.asarray(values[line.target])
        found = line_value(line, expected.shape, extents, values, sizes, classes)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=str(line))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("lines", [index_lines, plain_lines, board_lines])
def test_lines_mean_their_equations(name: str, lines: Any) -> None:
    program, forward = ALL[name]()
    names = Names(program, forward)
    found = lines(program, names) if lines is index_lines else lines(names)
    check(program, names, found)


@pytest.mark.parametrize("name", ALL)
def test_index_text_reads_back(name: str) -> None:
    check_text(ALL[name]()[0])


def check_text(program: Program) -> None:
    values = evaluate(program, arrays(program))
    sizes = {str(s): SIZES[str(s)] for s in program.sizes}
    for equation, text in zip(program.equations, render_index(program), strict=True):
        expected = np.asarray(values[equation.target.name])
        extents = extents_of(program, Names(program), equation.target.name)
        found = read_line(text, expected.shape, extents, values, sizes)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=text)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_random_programs_mean_their_equations(program: Program) -> None:
    names = Names(program, frozenset(program.definitions))
    check(program, names, plain_lines(names))
    check(program, names, board_lines(names))


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(length=1))
def test_random_index_text_reads_back(program: Program) -> None:
    check_text(program)


def test_the_tester_notices_a_wrong_line() -> None:
    program, forward = ALL["attention"]()
    names = Names(program, forward)
    for position, line in enumerate(lines := board_lines(names)):
        wrong = replace(line, right=Scale(sympy.Rational(1001, 1000), line.right))
        with pytest.raises(AssertionError):
            check(program, names, [*lines[:position], wrong])
