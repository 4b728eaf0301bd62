"""SymPy: expressions differentiated by it and printed for NumPy by `lambdify`, where a case has them."""

from __future__ import annotations

from importlib import import_module

from ..case import Arrays, Case
from ._record import Call, Peer, Setting


def build(case: Case, arrays: Arrays, setting: Setting) -> Call | None:
    if case.sympy is None:
        return None
    run = case.sympy(import_module("sympy"))
    values = list(arrays.values())
    return lambda: run(*values)


PEER = Peer("SymPy", build, "sympy")
