"""Numbers and sizes as people write them: ``0.044715``, ``1 / sqrt(2)``, ``sqrt(2 / pi)``."""

from __future__ import annotations

import math

import sympy
from sympy import Expr, S

from .order import term_key
from .tree import Call, Name, Node, Power, Product, Quotient, Scalar, Scale, Sum

CONSTANTS = {S.Pi: "pi", S.Exp1: "e", S.Infinity: "inf", S.EulerGamma: "γ"}


def is_decimal(value: Expr) -> bool:
    """Whether a rational is better written ``0.044715`` or ``1e-05`` than as a quotient."""
    if not value.is_Rational or value.is_Integer or value.q < 10:
        return False
    rest = value.q
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return bool(rest == 1) and len(repr(float(value))) < 20


def split(factor: Expr) -> tuple[Expr, Expr]:
    """A positive factor as numerator and denominator, each ready to print."""
    inside, top, bottom = S.One, S.One, S.One
    for part in sympy.Mul.make_args(factor):
        base, exponent = part.as_base_exp()
        if part.is_Rational and not is_decimal(part):
            top, bottom = top * part.p, bottom * part.q
        elif exponent in (S.Half, -S.Half):
            inside *= base ** (2 * exponent)
        elif exponent.could_extract_minus_sign():
            bottom /= part
        else:
            top *= part
    return (top, bottom) if inside == 1 else _with_root(top, bottom, inside)


def _with_root(top: Expr, bottom: Expr, inside: Expr) -> tuple[Expr, Expr]:
    """``top sqrt(inside) / bottom`` with whole numbers under the root, squares out."""
    (p, above), (q, below) = top.as_coeff_Mul(), bottom.as_coeff_Mul()
    if not p.is_Integer:
        p, above = S.One, top
    num, den = sympy.fraction(sympy.together(inside * p**2 / q**2))
    (a, num), (b, den) = _square_out(num), _square_out(den)
    if num == 1 or den == 1:
        return above * a * sympy.sqrt(num), below * b * sympy.sqrt(den)
    return above * a * sympy.sqrt(num / den, evaluate=False), below * b


def _square_out(value: Expr) -> tuple[Expr, Expr]:
    """``12 d`` is ``2^2 * 3 d``: the root of the largest square, and the rest."""
    number, rest = value.as_coeff_Mul()
    if not number.is_Integer or number <= 0:
        return S.One, value
    root = S.One
    for prime, times in sympy.factorint(int(number)).items():
        root *= sympy.Integer(prime) ** (times // 2)
    return root, number / root**2 * rest


def scalar_tree(value: Expr) -> Node:
    """An expression of numbers and sizes as a tree whose leaves are numbers and names."""
    if value.is_Symbol:
        return Name(value.name)
    if value in CONSTANTS:
        return Name(CONSTANTS[value])
    if value.is_Rational or value.is_Float:
        return _number(value)
    if value.could_extract_minus_sign() and not value.is_Add:
        return Scale(S.NegativeOne, scalar_tree(-value))
    if value.is_Add:
        return Sum(tuple(sorted(map(scalar_tree, value.args), key=term_key)))
    if value.is_Pow and value.exp == S.Half:
        return Call("sqrt", (_ratio(value.base),), 0)
    if value.is_Pow and not value.exp.could_extract_minus_sign():
        return Power(scalar_tree(value.base), scalar_tree(value.exp))
    if value.is_Mul or value.is_Pow:
        top, bottom = split(value)
        if bottom == 1:
            return _product(top)
        return Quotient(_product(top), _product(bottom))
    name = {sympy.floor: "floor", sympy.Mod: "mod", sympy.Min: "min", sympy.Max: "max"}.get(value.func, value.func.__name__)
    return Call(name, tuple(map(scalar_tree, value.args)), 0)


def _ratio(value: Expr) -> Node:
    above, below = sympy.fraction(value)
    return scalar_tree(value) if below == 1 else Quotient(_product(above), _product(below))


def _product(value: Expr) -> Node:
    factors = [f for f in sympy.Mul.make_args(value) if f != 1]
    if not factors:
        return Scalar(S.One)
    factors.sort(key=lambda f: (not f.is_number, f.is_Pow, str(f)))
    roots = [f for f in factors if f.is_Pow and f.exp == S.Half]
    joined = sympy.sqrt(sympy.Mul(*(f.base for f in roots)), evaluate=False)
    factors = [f for f in factors if f not in roots] + [joined] * bool(roots)
    nodes = tuple(_number(f) if f.is_Rational else scalar_tree(f) for f in factors)
    return nodes[0] if len(nodes) == 1 else Product(nodes)


def _number(value: Expr) -> Node:
    if value.is_Rational and not value.is_Integer and not is_decimal(value):
        if value < 0:
            return Scale(S.NegativeOne, _number(-value))
        return Quotient(Scalar(sympy.Integer(value.p)), Scalar(sympy.Integer(value.q)))
    return Scalar(value)


def number_text(value: Expr) -> str:
    """``2``, ``0.044715``, ``1e-05``."""
    if value.is_Integer:
        return str(int(value))
    return repr(float(value)) if math.isfinite(float(value)) else str(value)
