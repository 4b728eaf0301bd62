"""The array code of elementwise functions that no library has, as text for NumPy, torch and jax."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from ..ops.elementwise import elementwise_ops, op_of_numpy
from ..ops.elementwise._fits import horner

MODULES = {"numpy": "np", "torch": "torch", "jax": "jnp"}


@cache
def array_code(target: str) -> dict[str, str]:
    """The functions that the spellings of a target bring along, by name: the code that the interpreter runs."""
    found = {"_horner": _translated(horner, target).replace("horner", "_horner")}
    for op in elementwise_ops():
        name = op.spelling.get(target, "").partition("(")[0]
        if name.startswith("_") and getattr(op.value, "__name__", "") == name:
            assert op.value is not None
            found[name] = re.sub(r"(?<!\w)horner\(", "_horner(", _translated(op.value, target))
    return found


def _translated(function: Callable[..., Any], target: str) -> str:
    """The source of a function, without types and in the names of another library."""
    source = inspect.getsource(function).removeprefix("@by_order\n")
    source = re.sub(r": Any\b| -> Any\b", "", source)
    source = re.sub(r"(?<!\w)np\.", f"{MODULES[target]}.", source)
    return "\n" + re.sub(r"(?<!\w)special\.(\w+)", lambda m: _library(m[1], target), source)


def _library(name: str, target: str) -> str:
    """One of SciPy's functions as a target calls it."""
    op = op_of_numpy(f"scipy.special.{name}")
    assert op is not None
    return op.spelling[target].partition("(")[0]


def tables(name: str, code: str, target: str) -> str:
    """The coefficients that a function reads, for the orders that some code calls it with."""
    value = next((op.value for op in elementwise_ops() if op.spelling.get(target, "").startswith(f"{name}(")), None)
    fits = getattr(sys.modules[value.__module__], name.upper(), None) if value is not None else None
    if fits is None:
        return ""
    orders = {int(n) for n in re.findall(rf"(?<!\w){name}\((\d+),", code)} or {0}
    rows = [line for n in sorted(orders) for line in _numbers(f"{n}: ", fits[n], "    ")]
    return "\n".join([f"{name.upper()} = {{", *rows, "}"])


def _numbers(name: str, values: Any, indent: str) -> list[str]:
    """A tuple, nested or not, with a line for every number."""
    if isinstance(values, float):
        return [f"{indent}{name}{values!r},"]
    inner = [line for v in values for line in _numbers("", v, indent + "    ")]
    return [f"{indent}{name}(", *inner, f"{indent}),"]
