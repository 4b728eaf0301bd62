"""Derivations, pages and legends."""

from __future__ import annotations

import re
import xml.dom.minidom

import pytest

from derive.render.html import render_html
from derive.render.legend import render_legend
from derive.render.steps import explain, render_steps

from .programs import ALL


def test_one_step_for_each_derived_equation() -> None:
    program, forward = ALL["attention"]()
    steps = render_steps(program, forward)
    assert [s.index.target for s in steps] == ["gV", "gP", "q", "gS", "gQ", "gK"]
    assert steps[-1].of == "S"
    assert steps[-1].source is not None


def test_text_names_rule_source_and_place() -> None:
    text = explain(*ALL["attention"]())
    assert "chain rule through S[i,j] = sum_k Q[i,k] K[j,k] / sqrt(d)   (model.py:7)" in text
    assert "in matrices: gK = gS' Q / sqrt(d)" in text
    assert text.startswith("forward pass\n  S[i,j] = ")
    assert "gO: n × p, the cotangent of O" in text


def test_the_whole_forward_pass_is_shown_if_it_is_given() -> None:
    program, forward = ALL["dense_tanh"]()
    base = type(program)(program.inputs[:3], program.equations[:3], (program.equations[2].target,))
    assert "chain rule through Y[i,j] = tanh(Z[i,j])" in explain(program, forward, base=base)


def test_latex_is_an_enumeration() -> None:
    text = explain(*ALL["dense_tanh"](), format="latex")
    assert text.count(r"\item") == 4
    assert r"\[ \bar{W}_{kj} = \sum_{i} X_{ik} \bar{Z}_{ij} \]" in text
    assert r"$\bar{X}$ is the cotangent of $X$" in text


def test_unknown_format() -> None:
    with pytest.raises(ValueError, match="known: text, latex, html"):
        explain(*ALL["dense_tanh"](), format="pdf")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ALL)
def test_pages_are_self_contained_and_well_formed(name: str) -> None:
    program, forward = ALL[name]()
    page = render_html("a <title>", program, forward, notes=["checked"], source="x < y")
    assert "a &lt;title&gt;" in page
    assert "<script" not in page
    assert "http" not in page
    for formula in re.findall(r"<math.*?</math>", page, re.DOTALL):
        xml.dom.minidom.parseString(formula)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("dense_tanh", "b: m, real; beside a matrix one entry for each column"),
        ("dense_tanh", "gY: batch × m, the cotangent of Y"),
        ("dense_tanh", "layout: a gradient has the shape of its variable"),
        ("dense_tanh", "X' is the transpose of X; a vector is a column"),
        ("attention", "softmax(z) = exp(z) / rowsum(exp(z))"),
        ("softmax_jacobian", "softmax(z) = exp(z) / sum(exp(z))"),
        ("cross_entropy_labels", "y: batch, integer from 0 to m − 1"),
        ("causal_mask", "[c] is 1 where c holds, else 0; i counts rows, j columns"),
        ("layer_norm", "rowvar(z) = rowmean((z − rowmean(z))²)"),
        ("scalars", "‖z‖² = the sum of the squares of all entries"),
    ],
)
def test_legend(name: str, expected: str) -> None:
    assert expected in render_legend(*ALL[name]())
