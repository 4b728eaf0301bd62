"""Scalar expressions as they are written on a wall: Greek letters, Phi and phi for the normal law, y! and psi."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import replace

import sympy
from sympy import Add, Expr

from ..ir.nodes import Equation, Program, Read, Tensor
from ..ops.elementwise.special import erfcx, log_ndtr, ndtr
from ..render.matrix import render_matrix
from .logarithms import OBSERVED
from .scalars import read
from .textbook import textbook

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eta": "η", "theta": "θ", "kappa": "κ",
    "lambda": "λ", "lambda_": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "omega": "ω",
}  # fmt: skip
DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
WIDE = 10_000


class Phi(sympy.Function):
    """The normal distribution function."""

    nargs = 1
    is_real = True
    is_positive = True


class NormalDensity(sympy.Function):
    """The normal density."""

    nargs = 1
    is_real = True
    is_positive = True


class Expected(sympy.Function):
    """A mean that is not written out."""

    nargs = 1
    is_real = True


NAMES = [
    (re.compile(r"\bNormalDensity\("), "φ("), (re.compile(r"\bPhi\("), "Φ("),
    (re.compile(r"gammaln\(1 \+ (\w+)\)"), r"log(\1!)"), (re.compile(r"gammaln\("), "log Γ("),
    (re.compile(r"polygamma\(0, "), "ψ("), (re.compile(r"polygamma\(1, "), "ψ′("),
    (re.compile(r"Average\((\w)\)"), "\\1\u0304"), (re.compile(r"\bAverage\("), "avg("),
    (re.compile(r"\bExpected\("), "E("),
    (re.compile(r"\bMedian\("), "median("), (re.compile(r"\bSmallest\("), "min("), (re.compile(r"\bLargest\("), "max("),
]  # fmt: skip
"""Functions in the text that is printed, and how they are written."""


SHORT = {
    "mean": "μ", "location": "μ", "scale": "s", "variance": "v", "precision": "τ", "rate": "λ", "shape": "a",
    "freedom": "ν", "concentration": "κ", "dispersion": "α", "trials": "m", "quantile": "q",
}  # fmt: skip
"""Names of parameters that are written as letters, though they are no letters' names."""


def letter(name: str) -> str:
    """``sigma`` as σ, ``eta_1`` as η₁, ``z_sigma`` as z_σ."""
    letters = GREEK | SHORT
    head, _, tail = name.partition("_") if name not in letters else (name, "", "")
    tail = tail.translate(DIGITS) if tail.isdigit() else f"_{letters.get(tail, tail)}" if tail else ""
    return letters.get(head, head) + tail


def wall(expr: Expr, hats: Collection[Expr] = ()) -> str:
    """One line of text.

    Args:
        hats: parameters that are written with a hat, as estimates.
    """
    if (named := _of_the_normal_law(expr)) != expr:
        expr = textbook(named)
    reads: dict[Expr, Expr] = {r: read(replace(r.tensor, name=_written(r, hats))) for r in expr.atoms(Read)}
    symbols = {s: read(Tensor(letter(s.name))) for s in expr.atoms(sympy.Symbol)}
    body = expr.xreplace({**reads, **symbols})
    inputs = sorted({r.tensor for r in body.atoms(Read)}, key=lambda t: (t.name not in OBSERVED, t.name))
    target = Tensor("wall")
    program = Program(tuple(inputs), (Equation(target, (), body),), (target,))
    (line, *_) = render_matrix(program, width=WIDE)
    text = line.partition(" = ")[2]
    return in_letters(text)


def in_letters(text: str) -> str:
    """A line with functions as they are written on a wall."""
    for pattern, name in NAMES:
        text = pattern.sub(name, text)
    return unicodedata.normalize("NFC", text)


def _written(r: Read, hats: Collection[Expr]) -> str:
    name = letter(r.tensor.name)
    return f"{name}\u0302" if r in hats and len(name) == 1 else name


def _of_the_normal_law(expr: Expr) -> Expr:
    """log Phi for log_ndtr, phi / Phi for 1 / erfcx, Phi for ndtr and erfc, and phi for exp(-x^2 / 2) beside these."""
    root = sympy.sqrt(2)
    if not expr.has(log_ndtr, erfcx, ndtr, sympy.erfc):
        return expr
    expr = expr.replace(log_ndtr, lambda x: sympy.log(Phi(x)))
    expr = expr.replace(erfcx, lambda u: sympy.sqrt(2 / sympy.pi) * Phi(-root * u) / NormalDensity(-root * u))
    expr = expr.replace(ndtr, Phi)
    expr = expr.replace(sympy.erfc, lambda u: 2 * Phi(-root * u))
    expr = expr.replace(sympy.exp, _gaussian)
    expr = expr.replace(
        lambda e: isinstance(e, Add) and isinstance(1 - e, Phi), lambda e: Phi(-(1 - e).args[0])
    )
    return expr.replace(
        NormalDensity, lambda u: NormalDensity(-u) if u.could_extract_minus_sign() else NormalDensity(u)
    )


def _gaussian(x: Expr) -> Expr:
    number, square = x.as_coeff_Mul()
    if not (number.is_negative and square.is_Pow and square.exp == 2):
        return sympy.exp(x)
    return (sympy.sqrt(2 * sympy.pi) * NormalDensity(square.base)) ** (-2 * number)
