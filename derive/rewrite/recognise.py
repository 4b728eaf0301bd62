"""Compositions that have a name and a better-conditioned kernel: 1/(1 + exp(-x)), log(1 + exp(x))."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, S

from ..ops.elementwise.exponential import sigmoid, softplus
from ..ops.elementwise.piecewise import domestic


def _one_plus_exp(e: Any) -> Expr | None:
    """u, if e is 1 + exp(u)."""
    if e.is_Add and len(e.args) == 2 and S.One in e.args:
        (other,) = (a for a in e.args if a != 1)
        return other.args[0] if isinstance(other, sympy.exp) else None
    return None


def _power(e: Expr) -> Expr:
    """``(1 + exp(u))^-k`` is ``sigmoid(-u)^k``."""
    u = _one_plus_exp(e.base)
    return sigmoid(-u) ** (-e.exp) if u is not None and e.exp.is_Integer and e.exp < 0 else e


def _logarithm(e: Expr) -> Expr:
    """``log(1 + exp(u))`` is ``softplus(u)``; ``log(1 + x)`` written as such stays."""
    u = _one_plus_exp(e.args[0])
    return softplus(u) if u is not None else e


def _product(e: Expr) -> Expr:
    """``exp(u) sigmoid(-u)`` is ``sigmoid(u)``."""
    for f in e.args:
        if isinstance(f, sigmoid):
            partner = sympy.exp(-f.args[0])
            if partner in e.args:
                return sympy.Mul(*(a for a in e.args if a not in (f, partner))) * sigmoid(-f.args[0])
    return e


def recognise(body: Expr) -> Expr:
    """Rewrite a body by the rules above, innermost first."""
    body = domestic(body)
    return _compositions(body) if body.has(sympy.exp) else body


def _compositions(body: Expr) -> Expr:
    if body.is_Atom:
        return body
    args = [_compositions(a) if isinstance(a, Expr) else a for a in body.args]
    body = body.func(*args) if any(a is not b for a, b in zip(args, body.args, strict=True)) else body
    if body.is_Pow:
        return _power(body)
    if body.is_Mul:
        return _product(body)
    if isinstance(body, sympy.log):
        return _logarithm(body)
    return body
