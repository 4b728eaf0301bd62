"""Every rule of the language is broken once, and the checker says which one and where."""

from dataclasses import replace

import pytest
import sympy
from sympy import S

from derive.ir.check import IllFormed, check_program
from derive.ir.nodes import Bracket, Equation, Index, Program, Read, Tensor, Where, size

n, m = size("n"), size("m")
X, W, b = Tensor("X", (n, m)), Tensor("W", (m, n)), Tensor("b", (n,))
tok = Tensor("tok", (n,), "integer", bound=n)
Z, Y = Tensor("Z", (n, n)), Tensor("Y", (n,))
i, j, k = Index("i", n), Index("j", n), Index("k", m)

PRODUCT = Equation(Z, (i, j), X[i, k] * W[k, j], "sum", (k,))
RESULT = Equation(Y, (i,), sympy.tanh(Z[i, i] + b[tok[i]]) * Bracket(sympy.Lt(i + 1, n)))
GOOD = Program((X, W, b, tok), (PRODUCT, RESULT), (Y,))


def with_body(body: object, **changes: object) -> Program:
    return replace(GOOD, equations=(PRODUCT, replace(RESULT, body=body, **changes)))


BROKEN = {
    "Z is defined a second time": replace(GOOD, equations=(PRODUCT, PRODUCT, RESULT)),
    "X is defined a second time": replace(GOOD, inputs=(*GOOD.inputs, X)),
    "not defined before": replace(GOOD, equations=(RESULT, PRODUCT)),
    r"Z\[n, m\] .* is read, but defined as Z\[n, n\]": with_body(Read(replace(Z, shape=(n, m)), (i, i))),
    r"b\[n\] \(real, positive\) is read": with_body(Read(replace(b, facts=frozenset({"positive"})), (i,))),
    "the output Q": replace(GOOD, outputs=(Tensor("Q"),)),
    r"the output Y\[m\]": replace(GOOD, outputs=(replace(Y, shape=(m,)),)),
    "neither an axis nor bound": with_body(Z[i, j]),
    "the index i of extent m": with_body(b[i] * Index("i", m)),
    "has rank 2": with_body(Read(Z, (i,))),
    "the axes have extents": with_body(X[i, k], axes=(i, k)),
    "an index occurs twice": with_body(Z[i, i], axes=(i,), reduce="sum", bound=(i,)),
    "an index occurs twice among i, i": with_body(X[i, Index("i", m)], reduce="sum", bound=(Index("i", m),)),
    "is no reduction": with_body(Z[i, j], reduce="median", bound=(j,)),
    "not known to be an integer": with_body(b[sympy.tanh(b[i])]),
    "no input has an axis of size q": with_body(b[i] * size("q")),
    "no operation is called zeta": with_body(sympy.zeta(b[i])),
    "zoo is no real number": with_body(b[i] + sympy.Mul(S.ComplexInfinity, b[i], evaluate=False)),
    "nan is no real number": with_body(S.NaN),
    "where a condition is needed": with_body(sympy.Basic.__new__(Bracket, b[i])),
    "where a scalar is needed": with_body(sympy.Basic.__new__(Where, sympy.Gt(b[i], 0), sympy.true, b[i])),
}


def test_a_good_program_passes() -> None:
    check_program(GOOD)


def test_a_branch_may_be_nan() -> None:
    check_program(with_body(Where(sympy.Gt(b[i], 0), sympy.log(b[i]), S.NaN)))


def test_a_quotient_rounded_down_is_a_place() -> None:
    check_program(with_body(b[sympy.floor(i / (m - 2)) + sympy.Mod(i, m - 2)]))


@pytest.mark.parametrize("rule", BROKEN)
def test_a_planted_violation_is_found(rule: str) -> None:
    with pytest.raises(IllFormed, match=rule):
        check_program(BROKEN[rule])


def test_the_equation_is_printed() -> None:
    with pytest.raises(IllFormed) as caught:
        check_program(with_body(Z[i, j]))
    assert "in Y[i] = Z[i,j]" in str(caught.value)


def test_an_output_may_be_an_input() -> None:
    check_program(Program((b,), (), (b,)))


def test_a_size_may_be_known_from_a_compound_axis() -> None:
    check_program(Program((Tensor("c", (2 * n,)),), (Equation(Y, (i,), n * i),), (Y,)))
