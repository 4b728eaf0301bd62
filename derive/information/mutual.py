"""Mutual information: the divergence of a joint law from the product of its marginal laws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from ..api import trace
from ..errors import DeriveError, ParseError, SpecError
from ..function import Function
from ..ir.facts import Spec, parts_of, spec
from ..texts import parse
from .divergence import AGREES
from .expected import with_names
from .laws import names_in, read_law
from .result import Information
from .spelling import function_of, right_side, spelled
from .vectors import derive_vectors, vector_law
from .written import tidied

EXAMPLES = (
    "'n m, categorical(P)' for a table, 'normal(rho)' for two numbers with this correlation, 'normal(vx, c, vy)' for their "
    "variances and covariance, 'n m, normal(Sx, C, Sy)' for vectors"
)


def mutual(joint: str, specs: Mapping[str, Spec]) -> Information:
    """The mutual information of the two parts of a joint law.

    Raises:
        SpecError: it is none of those in `EXAMPLES`.
    """
    head, opening, inside = " ".join(joint.split()).partition("(")
    axes, _, name = head.rpartition(",")
    parameters = (
        tuple(part.strip() for part in parts_of(inside[:-1])) if opening and inside.endswith(")") else ()
    )
    shape = spec(axes).shape
    match name.strip(), len(parameters), len(shape):
        case "categorical", 1, 2:
            return table(joint, parameters[0], shape, specs)
        case "normal", 1, 0:
            return of_numbers(joint, ("1", parameters[0], "1"), specs)
        case "normal", 3, 0:
            return of_numbers(joint, parameters, specs)
        case "normal", 3, 2:
            return of_blocks(joint, parameters, shape, specs)
    raise SpecError(f"{joint!r:.80} is no joint law here; try: {EXAMPLES}")


def table(joint: str, text: str, shape: tuple[Expr, ...], specs: Mapping[str, Spec]) -> Information:
    """``sum_ij P_ij log(P_ij / (r_i c_j))`` with the sums r of the rows and c of the columns."""
    declared = {
        n: specs.get(n) or Spec(shape, facts=frozenset({"nonnegative"})) for n in names_in(text, joint)
    }
    read = parse(text, **declared)

    def information(**arrays: Any) -> Any:
        P = read(*(arrays[name] for name in read.inputs))
        rows, columns = np.sum(P, axis=1), np.sum(P, axis=0)
        ratio = np.log(P) - np.log(rows)[:, None] - np.log(columns)[None, :]
        return np.sum(np.where(P > 0, P * ratio, 0.0))

    found = _named(trace(with_names(information, declared), **declared))
    steps = (
        "I(x; y) = KL(p(x, y) ‖ p(x) p(y)) = E[log p(x, y) − log p(x) − log p(y)]",
        "p(x), p(y): the sums of the rows and of the columns; a cell of probability 0 adds nothing",
    )
    return Information(f"I({joint})", found, right_side(found), steps)


def of_numbers(joint: str, texts: tuple[str, ...], specs: Mapping[str, Spec]) -> Information:
    """Of two normal numbers: the divergence of normal vectors at size 2."""
    names = tuple(dict.fromkeys(n for text in texts for n in names_in(text, joint)))
    facts = {n: (specs.get(n) or spec("")).facts for n in names}
    facts |= {n: facts[n] | {"positive"} for n in (texts[0], texts[2]) if n in facts}
    try:
        values = [
            parse(text, **{n: specs.get(n, spec("")) for n in names_in(text, joint)}).to_sympy()
            for text in texts
        ]
    except ParseError as error:
        raise SpecError(f"a parameter of {joint} cannot be read: {error}") from None
    symbols = {
        sympy.Symbol(n): sympy.Symbol(n, real=True, positive=True if "positive" in facts[n] else None)
        for n in names
    }
    a, c, b = (v.xreplace({s: symbols[sympy.Symbol(s.name)] for s in v.free_symbols}) for v in values)
    _check_correlation(joint, a, c, b)
    general = _divergence().to_sympy({"n": 2})
    one, two = sympy.Matrix([[a, c], [c, b]]), sympy.Matrix([[a, 0], [0, b]])
    matrices = {s.name: s for s in general.atoms(sympy.MatrixSymbol)}
    found = general.subs({matrices["A"]: one, matrices["B"]: two}).doit()
    middle = {s: 1 if "positive" in facts[s.name] else sympy.Rational(1, 5) for s in found.free_symbols}
    found = sympy.simplify(found.replace(sympy.Abs, lambda e: -e if e.subs(middle).is_negative else e))
    found = tidied(sympy.logcombine(found))
    if not found.subs(middle).is_real:
        raise DeriveError(f"the determinant of the covariance in {joint} is not positive")
    steps = (
        "I(x; y) = KL(p(x, y) ‖ p(x) p(y)), both normal, with the covariances",
        f"  A = [[{spelled(a)}, {spelled(c)}], [{spelled(c)}, {spelled(b)}]] and B = [[{spelled(a)}, 0], [0, {spelled(b)}]]",
        f"KL = {right_side(_divergence())}",
    )
    return Information(
        f"I({joint})", _named(function_of(found, names, facts, "mutual_information")), spelled(found), steps
    )


def of_blocks(
    joint: str, texts: tuple[str, ...], shape: tuple[Expr, ...], specs: Mapping[str, Spec]
) -> Information:
    """Of two normal vectors: determinants of the blocks of the covariance."""
    n, m = shape
    shapes = {texts[0]: Spec((n, n)), texts[1]: Spec((n, m)), texts[2]: Spec((m, m))}
    declared = {}
    for text, own in shapes.items():
        for name in names_in(text, joint):
            known = specs.get(name) or (own if name == text else spec(""))
            declared[name] = replace(known, facts=known.facts | _definite(own, name == text))
    read = [parse(text, **{name: declared[name] for name in names_in(text, joint)}) for text in texts]

    def information(**arrays: Any) -> Any:
        A, C, B = (f(*(arrays[name] for name in f.inputs)) for f in read)
        rest = A - C @ np.linalg.inv(B) @ C.T
        return (np.linalg.slogdet(A)[1] - np.linalg.slogdet(rest)[1]) / 2

    found = _named(trace(with_names(information, declared), **declared))
    _agrees(found, read, shape, joint)
    steps = (
        "I(x; y) = KL(p(x, y) ‖ p(x) p(y)), both normal: the mean and the trace are the same, and what is left is",
        "  (log det(A) + log det(B) − log det(S)) / 2, S = [[A, C], [C', B]], and det(S) = det(B) det(A − C B⁻¹ C')",
        "checked: agrees with the divergence of the joint law at a point",
    )
    return Information(f"I({joint})", found, right_side(found), steps)


def _definite(own: Spec, alone: bool) -> frozenset[str]:
    square = own.shape[0] == own.shape[1]
    return frozenset({"positive definite", "symmetric", "invertible"}) if square and alone else frozenset()


def _agrees(found: Function, read: list[Function], shape: tuple[Expr, ...], joint: str) -> None:
    """A check at one point by the divergence of normal vectors."""
    rng, sizes = np.random.default_rng(2), {s: k for k, s in enumerate(shape, start=2) if s.is_Symbol}
    n, m = (int(s.xreplace(sizes)) for s in shape)
    whole = rng.normal(size=(n + m, n + m))
    whole = whole @ whole.T + np.eye(n + m)
    blocks = [whole[:n, :n], whole[:n, n:], whole[n:, n:]]
    if any(len(f.inputs) != 1 for f in read):
        return
    arrays = {f.inputs[0]: block for f, block in zip(read, blocks, strict=True)}
    product = whole.copy()
    product[:n, n:] = product[n:, :n] = 0
    values = [f(block) for f, block in zip(read, blocks, strict=True)]
    if not all(np.allclose(v, b) for v, b in zip(values, blocks, strict=True)):
        return
    truth, value = float(_divergence()(whole, product)), float(found(**arrays))
    if abs(truth - value) > AGREES * (1 + abs(truth)):
        raise DeriveError(
            f"the mutual information of {joint} differs from the divergence: {value} and {truth}"
        )


def _check_correlation(joint: str, a: Expr, c: Expr, b: Expr) -> None:
    gap = a * b - c**2
    if gap.is_number and not gap > 0:
        raise SpecError(
            f"a covariance is smaller than the product of standard deviations; found {joint}, where {c}^2 >= {a * b}"
        )


def _divergence() -> Function:
    """``KL(normal(0, A) ‖ normal(0, B))``."""
    n = spec("n").shape
    p, q = (vector_law(read_law(f"n, normal(0, {name})"), n, {}) for name in "AB")
    return derive_vectors("KL", p, q, n)


def _named(f: Function) -> Function:
    return replace(f, name="mutual_information", source="derived")
