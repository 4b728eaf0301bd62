"""LaTeX: braces balance, each line is accepted by a TeX parser, and cotangents have a bar."""

from __future__ import annotations

import re

import hypothesis.strategies as st
import numpy as np
import pytest
import sympy
from hypothesis import given
from matplotlib.mathtext import MathTextParser

import derive as dv
from derive.render.latex import Latex, latex_lines, render_latex
from derive.render.names import Names
from derive.render.tree import (
    BigSum,
    Call,
    Hadamard,
    Iverson,
    Name,
    Node,
    Power,
    Product,
    Quotient,
    Relation,
    Scalar,
    Scale,
    Sum,
    Transpose,
)

from .programs import ALL

PARSER = MathTextParser("agg")


def balanced(text: str) -> bool:
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0 and text.count(r"\left") == text.count(r"\right")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("style", ["matrix", "index"])
@pytest.mark.parametrize("name", ALL)
def test_lines_are_accepted_by_mathtext(name: str, style: str) -> None:
    program, forward = ALL[name]()
    for line in latex_lines(program, forward, style):  # type: ignore[arg-type]
        assert balanced(line), line
        PARSER.parse(f"${line}$")


def test_block() -> None:
    assert render_latex(*ALL["dense_tanh"]()) == "\n".join(
        [
            r"\begin{aligned}",
            r"  Z &= X W + b \\",
            r"  Y &= \tanh\left(Z\right) \\",
            r"  \bar{Z} &= \bar{Y} \odot (1 - Y^{2}) \\",
            r"  \bar{X} &= \bar{Z} W^\top \\",
            r"  \bar{W} &= X^\top \, \bar{Z} \\",
            r"  \bar{b} &= \operatorname{colsum}(\bar{Z})",
            r"\end{aligned}",
        ]
    )


@pytest.mark.parametrize(
    "name, expected",
    [
        ("X", "X"),
        ("W1", "W_{1}"),
        ("gamma", r"\gamma"),
        ("xhat", r"\hat{x}"),
        ("tok", r"\mathrm{tok}"),
        ("ht", "h_{t}"),
        ("gX", r"\bar{X}"),
        ("gW1", r"\bar{W}_{1}"),
        ("dX", r"\dot{X}"),
        ("gain", r"\mathrm{gain}"),
    ],
)
def test_names(name: str, expected: str) -> None:
    program, _ = ALL["quadratic"]()
    assert Latex(Names(program, frozenset({"X", "W1"}))).symbol(name) == expected


def test_elementwise_records_bring_their_own_latex() -> None:
    text = render_latex(*ALL["logistic_hessian"]())
    assert r"\sigma\left(X w\right)" in text


LEAVES = st.sampled_from(
    [
        Name("X"),
        Name("W1", 0, (Name("i"), Name("k"))),
        Name("tok", 0, (Sum((Name("i"), Scalar(sympy.Integer(1)))),)),
        Scalar(sympy.Rational(1, 10**5)),
        Scalar(sympy.sqrt(2 / sympy.pi)),
        Scalar(sympy.Integer(-3)),
    ]
)


def _larger(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        several.map(Sum),
        several.map(Product),
        several.map(Hadamard),
        st.builds(Quotient, inner, inner),
        st.builds(Power, inner, st.just(Scalar(sympy.Rational(3, 2)))),
        st.builds(Transpose, inner),
        st.builds(Scale, st.sampled_from([sympy.S(-2), sympy.Rational(1, 3), 1 / sympy.sqrt(2)]), inner),
        st.builds(lambda a: Call("exp", (a,), 0), inner),
        st.builds(lambda a: Call("softmax", (a,), 0), inner),
        st.builds(lambda a: BigSum("sum", ("j", "k"), a), inner),
        st.builds(lambda a, b: Iverson(Relation("<=", a, b)), inner, inner),
    )


@given(st.recursive(LEAVES, _larger, max_leaves=12))
def test_braces_of_any_tree_balance(node: Node) -> None:
    program, forward = ALL["quadratic"]()
    assert balanced(Latex(Names(program, forward)).top(node))


def test_an_input_is_no_tangent_for_its_first_letter() -> None:
    f = dv.trace(lambda w, data, gain: gain * (w - data), w="n", data="n", gain="")
    assert r"Y &= \mathrm{gain} \, (w - \mathrm{data})" in f.latex()
    assert r"\bar{w} &= \mathrm{gain} \, \bar{Y}" in dv.vjp(f, "w").latex()
    assert r"\dot{Y} &= \mathrm{gain} \, \dot{w}" in dv.jvp(f, "w").latex()


def test_paths_are_subscripts() -> None:
    f = dv.trace(lambda p, x: x @ p["my_layer"]["W1"] + p["b"], p={"my_layer": {"W1": "n m"}, "b": "m"}, x="n")
    assert r"Y &= W_{1,\mathrm{p.my\_layer}}^\top \, x + b_{\mathrm{p}}" in f.latex()
    assert r"(W_{1,\mathrm{p.my\_layer}})_{ij} \, x_{i}" in f.latex("index")
    assert r"\bar{W}_{1,\mathrm{p.my\_layer}} &= x \bar{Y}^\top" in dv.vjp(f, "p").latex()
    for style in ("matrix", "index"):
        for line in dv.vjp(f).latex(style).splitlines()[1:-1]:
            MathTextParser("path").parse(f"${line.replace('&', '').strip(chr(92)).replace(chr(92) + 'top', 'T')}$")
    blocks = dv.hessian(dv.trace(lambda p: np.sum(p["W"] ** 3), p={"W": "n"}), "p.W").latex()
    assert r"H &= 6" in blocks
    blocks = dv.hessian(dv.trace(lambda p: np.sum(p["W"] ** 3 * p["b"]), p={"W": "n", "b": "n"}), "p").latex()
    assert r"H_{\mathrm{p.W\_p.b}} &= 3" in blocks
