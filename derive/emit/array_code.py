"""The array code of elementwise functions that no library has, as text for NumPy, torch and jax."""

from __future__ import annotations

import inspect
import re
from functools import cache

from ..ops._record import Elementwise
from ..ops.elementwise import elementwise_ops

MODULES = {"numpy": "np", "torch": "torch", "jax": "jnp"}


@cache
def array_code(target: str) -> dict[str, str]:
    """The functions that the spellings of a target bring along, by name: the code that the interpreter runs."""
    names = {op: op.spelling.get(target, "").partition("(")[0] for op in elementwise_ops()}
    return {name: _translated(op, target) for op, name in names.items() if _brings_along(op, name)}


def _brings_along(op: Elementwise, name: str) -> bool:
    return name.startswith("_") and getattr(op.value, "__name__", "") == name


def _translated(op: Elementwise, target: str) -> str:
    """The source of a record's value, without types and in the names of another module."""
    assert op.value is not None
    source = inspect.getsource(op.value)
    source = re.sub(r": Any\b| -> Any\b", "", source)
    return "\n" + re.sub(r"(?<!\w)np\.", f"{MODULES[target]}.", source)
