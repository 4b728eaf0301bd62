"""Passing values that are used once go into the line that uses them, where that line stays short."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ..ir.nodes import Equation
from .arrays import statements
from .code import Code
from .factor import siblings
from .layout import Statement
from .scope import Scope

SHORT = 64  # columns of a line that a value is put into


def inlined(scope: Scope, equations: Sequence[Equation], results: set[str]) -> dict[str, list[Statement]]:
    """The statements of each equation, by target; those of values that were put elsewhere are left out.

    A name of more than one letter is taken to be the user's own, and kept.
    """
    scope.calls = siblings(equations)
    readers = Counter(name for e in equations for name in {r.tensor.name for r in e.reads})
    passing: dict[str, Code] = {}
    found: dict[str, list[Statement]] = {}
    for equation in equations:
        name = equation.target.name
        found[name], used = _with(scope, equation, passing)
        for gone in used:
            del found[gone]
        whole = len(found[name]) == 1 and found[name][0].left == f"{scope.names.tensors[name]} ="
        letter = re.fullmatch(r"[^\W\d_]\d*", name)
        if whole and letter and readers[name] == 1 and name not in results and equation.target.kind == "real":
            passing[name] = found[name][0].right
    return found


def _with(scope: Scope, equation: Equation, passing: dict[str, Code]) -> tuple[list[Statement], list[str]]:
    """The statements of an equation with as many passing values in them as fit, and the names of those."""
    plain = statements(scope, equation)
    text = " ".join(s.right.text for s in plain)
    names = [r.tensor.name for r in equation.reads if r.tensor.name in passing]
    names = [n for n in dict.fromkeys(names) if len(re.findall(rf"\b{scope.names.tensors[n]}\b", text)) == 1]
    names.sort(key=lambda n: len(passing[n].text))
    while names:
        scope.codes.update({n: passing[n] for n in names})
        tried = statements(scope, equation)
        if all(len(f"{s.left} {s.right.text}") <= SHORT for s in tried):
            return tried, names
        for n in names:
            del scope.codes[n]
        names.pop()
    return plain, []
