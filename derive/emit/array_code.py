"""The array code of elementwise functions that no library has, as text for NumPy, torch and jax."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable
from functools import cache

from ..ops._record import Elementwise
from ..ops.elementwise import elementwise_ops, op_of_numpy

MODULES = {"numpy": "np", "torch": "torch", "jax": "jnp"}


@cache
def array_code(target: str) -> dict[str, str]:
    """The functions that the spellings of a target bring along, by name: the code that the interpreter runs."""
    names = {op: op.spelling.get(target, "").partition("(")[0] for op in elementwise_ops()}
    return {name: _translated(op, target) for op, name in names.items() if _brings_along(op, name)}


def _brings_along(op: Elementwise, name: str) -> bool:
    return name.startswith("_") and getattr(op.value, "__name__", "") == name


def _translated(op: Elementwise, target: str) -> str:
    """The source of a record's value, without types and in the names of another library."""
    assert op.value is not None
    source = inspect.getsource(op.value).removeprefix("@by_order\n")
    source = re.sub(r": Any\b| -> Any\b", "", source)
    source = re.sub(r"(?<!\w)np\.", f"{MODULES[target]}.", source)
    return "\n" + re.sub(r"(?<!\w)special\.(\w+)", lambda m: _library(m[1], target), source)


def _library(name: str, target: str) -> str:
    """One of SciPy's functions as a target calls it."""
    op = op_of_numpy(f"scipy.special.{name}")
    assert op is not None
    return op.spelling[target].partition("(")[0]


def tables(target: str, name: str, orders: Iterable[int]) -> str:
    """The coefficients that a function of a constant order reads, for the orders that it is called with."""
    op = next((op for op in elementwise_ops() if op.spelling.get(target, "").startswith(f"{name}(")), None)
    if op is None or not op.constants or op.value is None:
        return ""
    fits = getattr(sys.modules[op.value.__module__], name.upper(), None)
    if fits is None:
        return ""
    rows = [f"    {n}: (\n{_numbers(fits[n])}\n    )," for n in sorted(orders)]
    return "\n".join([f"{name.upper()} = {{", *rows, "}"])


def _numbers(values: Iterable[float]) -> str:
    return "\n".join(f"        {v!r}," for v in values)
