"""The same random function said in other ways: nested arguments, a function called within another, loops over sizes.

Each way has values and gradients of the plain one, which `test_random_programs` compares with evidence of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import derive as dv

from .checks import as_tuple, close
from .maker import RandomFunction
from .programs import Seeded, make_function
from .test_random_programs import three_points


class Rest(NamedTuple):
    others: Any
    last: Any


def total(outputs: Any) -> Any:
    """One number that depends on every entry of every output."""
    return sum(np.sum(np.sin(y) + y) for y in as_tuple(outputs))


def packed(names: list[str], values: dict[str, Any]) -> dict[str, Any]:
    """Arguments as a dict of one array and a named tuple of a list and the last."""
    *others, last = names
    return {"rest": Rest([values[n] for n in others], {"it": values[last]})}


def unpacked(names: list[str], nest: dict[str, Any]) -> dict[str, Any]:
    rest = nest["rest"]
    return dict(zip(names, [*rest.others, rest.last["it"]], strict=True))


def as_nested(program: RandomFunction, plain: Callable[..., Any]) -> tuple[Any, Callable[[Any], Any]]:
    """Every argument within one container; gradients come back in it."""
    names = [i.name for i in program.inputs]
    f = dv.trace(lambda nest: total(plain(**unpacked(names, nest))), nest=packed(names, program.specs))
    return f, lambda arrays: (packed(names, arrays),)


def as_called(program: RandomFunction, plain: Callable[..., Any]) -> tuple[Any, Callable[[Any], Any]]:
    """The function traced by itself, and called within another."""
    names = [i.name for i in program.inputs]
    inner = dv.trace(plain, **program.specs)
    source = f"lambda {', '.join(names)}: total(inner({', '.join(names)}))"
    f = dv.trace(eval(source, {"total": total, "inner": inner}), **program.specs)
    return f, lambda arrays: tuple(arrays[n] for n in names)


def in_a_loop(program: RandomFunction, plain: Callable[..., Any]) -> tuple[Any, Callable[[Any], Any]]:
    """The same number as a sum over the rows of every output, whose number the code asks for."""
    names = [i.name for i in program.inputs]

    def by_rows(*arrays: Any) -> Any:
        found: Any = 0.0
        for y in as_tuple(plain(*arrays)):
            rows = [y[row] for row in range(y.shape[0])] if np.ndim(y) else [y]
            for row in rows:
                found = found + np.sum(np.sin(row) + row)
        return found

    f = dv.trace(eval(f"lambda {', '.join(names)}: by_rows({', '.join(names)})", {"by_rows": by_rows}), **program.specs)
    return f, lambda arrays: tuple(arrays[n] for n in names)


WAYS = (as_nested, as_called, in_a_loop)


def leaves(gradients: Any) -> list[Any]:
    """The arrays of a nested gradient in order, without those of integer arguments."""
    if isinstance(gradients, dict):
        gradients = list(gradients.values())
    if isinstance(gradients, tuple | list):
        return [leaf for g in gradients for leaf in leaves(g)]
    return [] if gradients is None else [gradients]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("number", range(8))
def test_said_in_another_way(number: int, way: Any) -> None:
    program = make_function(Seeded(1000 + number))
    plain = program.function()
    names = [i.name for i in program.inputs]
    reference = dv.trace(
        eval(f"lambda {', '.join(names)}: total(plain({', '.join(names)}))", {"total": total, "plain": plain}),
        **program.specs,
    )
    gradient = dv.grad(reference, program.wrt)
    f, arguments = way(program, plain)
    other = dv.grad(f)
    for _, arrays, _ in three_points(program):
        given = arguments(arrays)
        close(f(*given), reference(**arrays), "value")
        expected = as_tuple(gradient(**arrays))
        scale = max((float(np.max(np.abs(e), initial=0.0)) for e in expected), default=1.0)
        for mine, e in zip(leaves(other(*given)), expected, strict=True):
            close(mine, e, "gradient", scale)
