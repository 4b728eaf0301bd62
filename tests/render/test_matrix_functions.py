"""Linear algebra is printed as in a textbook, in every notation, and every line means its equation."""

from __future__ import annotations

import re
import xml.dom.minidom
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser
from sympy import Rational

import derive as dv
from derive.render.algebra import rebuild
from derive.render.index import index_lines, render_index
from derive.render.latex import latex_lines
from derive.render.legend import render_legend
from derive.render.lines import board_lines, plain_lines
from derive.render.names import Names
from derive.render.tree import Scale, Whole

from .matrix_functions import MORE, TABLE, L, logdet
from .test_meaning import check

PARSER = MathTextParser("agg")
FUNCTIONS = {name: make for name, (make, _) in TABLE.items()} | MORE


@pytest.mark.parametrize("name", TABLE)
def test_board(name: str) -> None:
    make, lines = TABLE[name]
    assert str(make()).split("\n") == lines


@pytest.mark.usefixtures("slices_written_out")
@pytest.mark.parametrize("lines", [plain_lines, board_lines])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_lines_mean_their_equations(name: str, lines: Any) -> None:
    f = FUNCTIONS[name]()
    names = Names(f.presented, f.forward)
    check(f.presented, names, lines(names))


@pytest.mark.parametrize("name", ["trace of an inverse", "cholesky", "eigenvectors", "sqrtm", "vjp of a power"])
def test_a_wrong_line_is_noticed(name: str) -> None:
    f = FUNCTIONS[name]()
    names = Names(f.presented, f.forward)
    last = board_lines(names)[-1]
    wrong = rebuild(last.right, lambda n: Scale(Rational(999, 1000), n) if isinstance(n, Whole) else None)
    wrong = Scale(Rational(1001, 1000), last.right) if wrong == last.right else wrong
    with pytest.raises(AssertionError):
        check(f.presented, names, [replace(last, right=wrong)])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("style", ["matrix", "index"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_latex_is_accepted_by_mathtext(name: str, style: Any) -> None:
    f = FUNCTIONS[name]()
    for line in latex_lines(f.presented, f.forward, style):
        PARSER.parse(f"${line}$")


@pytest.mark.parametrize(
    "name, line",
    [
        ("logdet", r"\bar{X} &= X^{-\top}"),
        ("trace of an inverse", r"\bar{X} &= -X^{-\top} A^\top \, B^\top \, X^{-\top}"),
        ("det", r"\bar{X} &= \det(X) X^{-\top}"),
        ("value of logdet", r"Y &= \log \left| \det (X) \right|"),
        ("power", r"\bar{X} &= 5 {(X^\top)}^{4}"),
        ("cholesky", r"\bar{A} &= \operatorname{sym}(L^{-\top} \Phi(L^\top \, \bar{L}) L^{-1})"),
        ("eigenvalues", r"\cdot, V &= \operatorname{eigh}(A)"),
        ("eigenvalues", r"\bar{A} &= V \operatorname{diag}(\bar{Y}) V^\top"),
        ("value of pinv", "Y &= X^{+}"),
        ("both powers", r"\bar{X} &= 3 X^{\circ 2} + 5 {(X^\top)}^{4}"),
    ],
)
def test_latex(name: str, line: str) -> None:
    assert line in FUNCTIONS[name]().latex()


@pytest.mark.parametrize(
    "name, line",
    [
        ("vjp of inv", r"Y_{ij} &= (X^{-1})_{ij}"),
        ("solve", r"\bar{b}_{j} &= (A^{-\top} \bar{Y})_{j}"),
        ("solve for a matrix", r"Y_{ij} &= (A^{-1} B_{:j})_{i}"),
        ("eigenvectors", r"V_{ij} &= \operatorname{eigh}(A)^{(\mathrm{eigenvectors})}_{ij}"),
        ("value of logdet", r"Y &= \log \left| \det (X) \right|"),
    ],
)
def test_latex_of_indices(name: str, line: str) -> None:
    assert line in FUNCTIONS[name]().latex("index")


INVERSE = "<mrow><mi>X</mi></mrow><mrow><mo>−</mo><mn>1</mn></mrow></msup>"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_pages_are_well_formed(name: str) -> None:
    page = FUNCTIONS[name]().explain("html")
    for formula in re.findall(r"<math.*?</math>", page, re.DOTALL):
        xml.dom.minidom.parseString(formula)


def test_mathml() -> None:
    assert INVERSE in FUNCTIONS["jvp of inv"]().explain("html")
    assert "<mo>−</mo><mo>⊤</mo>" in FUNCTIONS["logdet"]().explain("html")


@pytest.mark.parametrize(
    "name, lines",
    [
        ("vjp of inv, named", ["Y[i,j] = inv(X)[i,j]"]),
        ("vjp of inv, a stack", ["Y[i,j,l] = inv(X[i,:,:])[j,l]"]),
        ("det", ["Y = det(X)", "M[i,j] = inv(X)[i,j]"]),
        ("value of slogdet", ["sign = slogdet(X).sign", "logabsdet = slogdet(X).logabsdet"]),
        ("solve", ["Y[i] = solve(A, b)[i]", "gb[j] = solve(A', gY)[j]"]),
        ("solve for a matrix", ["Y[i,j] = solve(A, B[:,j])[i]"]),
        ("power", ["M[i,j] = power(X, 4)[j,i]"]),
        ("eigenvectors", ["w[i] = eigh(A).eigenvalues[i]", "V[i,j] = eigh(A).eigenvectors[i,j]"]),
    ],
)
def test_index_notation(name: str, lines: list[str]) -> None:
    found = render_index(FUNCTIONS[name]().presented)
    assert [line for line in lines if line not in found] == [], found


@pytest.mark.usefixtures("slices_written_out")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_index_lines_mean_their_equations(name: str) -> None:
    f = FUNCTIONS[name]()
    names = Names(f.presented, f.forward)
    check(f.presented, names, index_lines(f.presented, names))


@pytest.mark.parametrize(
    "name, line",
    [
        ("logdet", "X⁻ᵀ is the transpose of X⁻¹"),
        ("value of logdet", "logdet(X) = log |det(X)|"),
        ("marginal likelihood", "I is the unit matrix"),
        ("cholesky", "Φ(Z) is the lower triangle of Z with half of its diagonal"),
        ("eigenvectors", "w, V = eigh(A): A = V diag(w) V', V' V = I, w ascending"),
        ("eigenvectors", "gaps(w)[i,j] = [i ≠ j] / (w[j] − w[i])"),
        ("expm", "expm(X) is the exponential of a matrix, not of its entries"),
    ],
)
def test_legend(name: str, line: str) -> None:
    f = FUNCTIONS[name]()
    assert line in render_legend(f.presented, f.forward)


def test_steps_name_the_rule() -> None:
    text = dv.grad(dv.trace(logdet, X="n n")).explain()
    assert "Y = slogdet(X).logabsdet" in text
    assert "gX = X⁻ᵀ" in text


def test_a_matrix_of_the_user_that_is_called_I_is_no_unit_matrix() -> None:
    f = dv.trace(lambda A, I: L.inv(A + 2 * np.eye(A.shape[0])) + I, A="n n", I="n n")
    assert "2 I" not in str(f)
