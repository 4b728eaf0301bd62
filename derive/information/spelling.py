"""A scalar expression as a line of text, as derivations print it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sympy import Dummy, Eq, Expr, IndexedBase, Mul, Sum, Symbol, oo

from ..errors import DeriveError
from ..frontends.from_sympy import from_sympy as program_from_sympy
from ..function import Function
from ..ir.facts import Spec
from ..ir.nodes import Bracket, size
from ..render.matrix import render_matrix
from ..texts import from_sympy

WRITTEN = (
    (re.compile(r"gammaln\((\w+) \+ 1\)|gammaln\(1 \+ (\w+)\)"), lambda m: f"log({m[1] or m[2]}!)"),
    (re.compile(r"gammaln\("), lambda m: "log Γ("),
    (re.compile(r"polygamma\(0, "), lambda m: "ψ("),
    (re.compile(r"polygamma\(1, "), lambda m: "ψ′("),
)
"""Functions as they are printed on a page."""


def spelled(e: Expr) -> str:
    """The right side of ``Y = ...``; in SymPy's spelling if it takes several lines or has no other."""
    brackets = {b: Dummy("b") for b in e.atoms(Bracket)}
    named = {d: Symbol(f"b{k}_") for k, d in enumerate(brackets.values())}
    try:
        lines = render_matrix(program_from_sympy(e.xreplace(brackets).xreplace(named), {}), width=10_000)
    except DeriveError:
        return str(e)
    text = lines[0].partition(" = ")[2] if len(lines) == 1 else str(e)
    for bracket, d in brackets.items():
        condition = bracket.condition
        text = text.replace(
            named[d].name,
            f"[{condition.lhs} = {condition.rhs}]" if isinstance(condition, Eq) else f"[{condition}]",
        )
    return on_page(text)


def on_page(text: str) -> str:
    """With log Γ, ψ and factorials in place of the names of functions."""
    text = _gamma(text)
    for pattern, replacement in WRITTEN:
        text = pattern.sub(replacement, text)
    return text


def _gamma(text: str) -> str:
    """``Γ(a)`` for ``exp(gammaln(a))``."""
    head = "exp(gammaln("
    while (start := text.find(head)) >= 0:
        end, depth = start + len(head), 1
        while end < len(text) and depth:
            depth += (text[end] == "(") - (text[end] == ")")
            end += 1
        if text[end : end + 1] != ")":
            return text[: start + 4] + _gamma(text[start + 4 :])
        text = f"{text[:start]}Γ({text[start + len(head) : end - 1]}){text[end + 1 :]}"
    return text


def function_of(e: Expr, names: Sequence[str], facts: Mapping[str, frozenset[str]], title: str) -> Function:
    """A scalar expression as a function of those of the names that it depends on, in this order."""
    used = {s.name for s in e.free_symbols}
    found = from_sympy(e, **{name: Spec((), facts=facts.get(name, frozenset())) for name in used})
    inputs = sorted(found.program.inputs, key=lambda t: names.index(t.name))
    return replace(found, name=title, program=replace(found.program, inputs=tuple(inputs)), source="derived")


def sum_of(
    e: Expr, shape: tuple[Expr, ...], names: Sequence[str], specs: Mapping[str, Spec], title: str
) -> Function:
    """The sum of a scalar expression over all entries of arrays of a shape; names are arrays as they are declared."""
    letters = [Symbol(f"i{k}", integer=True) for k in range(len(shape))]
    entries = {}
    for s in e.free_symbols:
        axes = specs[s.name].shape
        if axes:
            entries[s] = IndexedBase(s.name, shape=axes)[tuple(letters[len(shape) - len(axes) :])]
    body = e.xreplace(entries)
    used = [k for k in range(len(shape)) if body.has(letters[k])]
    body = Mul(*(size(str(n)) if n.is_Symbol else n for k, n in enumerate(shape) if k not in used)) * body
    limits = [(letters[k], 0, shape[k] - 1) for k in used]
    found = from_sympy(
        Sum(body, *limits) if limits else body, **{s.name: specs[s.name] for s in e.free_symbols}
    )
    place = {name: k for k, name in enumerate(names)}
    inputs = sorted(found.program.inputs, key=lambda t: place.get(t.name, len(place)))
    return replace(found, name=title, program=replace(found.program, inputs=tuple(inputs)), source="derived")


def right_side(f: Function) -> str:
    """The right side of the line that prints a function, and what the letters in it stand for."""
    *letters, last = str(f).splitlines()
    return on_page(
        "\n".join(
            [
                last.partition(" = ")[2],
                *(f"{'where' if not k else '     '} {line}" for k, line in enumerate(letters)),
            ]
        )
    )


def infinite(title: str, specs: Mapping[str, Spec]) -> Function:
    """Infinity, as a function of arrays that it does not depend on."""
    found = from_sympy(oo)
    inputs = tuple(s.tensor(name) for name, s in specs.items())
    return replace(found, name=title, program=replace(found.program, inputs=inputs), source="derived")
