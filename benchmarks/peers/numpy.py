"""NumPy: by hand where the case has that, else the source that derive emits."""

from __future__ import annotations

import inspect
import re
from typing import Any

from derive.report import numpy_module

from ..case import Arrays, Case
from ._record import Call, Peer, Setting

EMITTED = "emitted"


def build(case: Case, arrays: Arrays, setting: Setting) -> Call | tuple[Call, str] | None:
    values = list(arrays.values())
    if case.numpy is not None:
        by_hand = case.numpy
        return lambda: by_hand(*values)
    run = emitted(case)
    return (lambda: run(*values)), EMITTED


def emitted(case: Case) -> Any:
    """The emitted source: forward and backward pass, or a derivative by itself."""
    function = case.derived
    name = function.name
    if case.of not in ("grad", "value_and_grad", "vjp") or case.batched:
        return getattr(numpy_module(function.emit("numpy"), name), name)
    module = numpy_module(function.emit("numpy"), name)
    forward = getattr(module, f"{name}_forward", getattr(module, name))
    backward = getattr(module, f"{name}_backward")
    base = case.traced
    needed = list(inspect.signature(backward).parameters)
    known = [*base.inputs, *base.outputs]
    seeds = [re.sub(r"\W", "_", name) for name in function.request.cotangents]
    saved = [n for n in needed if n not in (*function.inputs, *known, *seeds)]
    count = len(base.inputs)
    with_value = case.of == "value_and_grad"

    def both(*arrays: Any) -> Any:
        found = forward(*arrays[:count])
        found = found if isinstance(found, tuple) else (found,)
        values = dict(zip(function.inputs, arrays, strict=True))
        values |= dict(zip((*base.outputs, *saved), found, strict=True))
        values |= {n: 1.0 for n in seeds if n not in values}
        gradients = backward(*(values[n] for n in needed))
        return (found[0], gradients) if with_value else gradients

    return both


PEER = Peer("NumPy", build, "numpy")
