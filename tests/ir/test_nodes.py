"""The nodes as SymPy values: equality, derivatives, signs, substitution, brackets, copies."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import pytest
import sympy

from derive.ir.nodes import (
    Bracket,
    Equation,
    Index,
    Program,
    Read,
    Tensor,
    Where,
    fresh_indices,
    indices_of,
    reads_of,
    size,
    substitute,
)
from derive.ir.tensors import merge, with_tensors

n, m = size("n"), size("m")
i, j, k = Index("i", n), Index("j", n), Index("k", m)
X, y = Tensor("X", (n, m)), Tensor("y", (n,))
tok = Tensor("tok", (n,), "integer", bound=m)


def test_reads_are_equal_by_tensor_and_place() -> None:
    assert X[i, k] == X[i, k] and hash(X[i, k]) == hash(X[i, k])
    assert X[i, k] != X[j, k]
    assert X[i, k] != Tensor("X", (n, n))[i, k]
    assert tok[i] != replace(tok, bound=None)[i]
    assert y[i] != replace(y, facts=frozenset({"positive"}))[i]
    assert Index("i", n) != Index("i", m)


def test_a_body_is_differentiated_by_its_reads() -> None:
    body = sympy.exp(X[i, k]) * y[i] ** 2 + y[j]
    assert body.diff(y[i]) == 2 * y[i] * sympy.exp(X[i, k])
    assert body.diff(y[j]) == 1
    assert body.diff(X[j, k]) == 0
    assert Bracket(y[i] > 0).diff(y[i]) == 0
    assert Where(y[i] > 0, y[i] ** 2, y[j]).diff(y[i]) == 2 * y[i] * Bracket(y[i] > 0)


@pytest.mark.parametrize(
    "body", [1 + y[i] ** 2, y[i] * y[i] - y[i], sympy.exp(y[i]) - i, 3 * i + 1 - n, i * i + 1]
)
def test_signs_can_be_asked_of_one_read_or_index(body: sympy.Expr) -> None:
    assert body.is_positive in (True, False, None)


def test_signs_that_are_known() -> None:
    positive = Tensor("p", (n,), facts=frozenset({"positive"}))[i]
    assert positive.is_positive and (positive + 1).is_positive and i.is_nonnegative and tok[i].is_integer
    assert y[i].is_positive is None and sympy.sqrt(positive**2) == positive
    assert Where(y[i] > 0, positive, 1).is_positive
    assert Where(y[i] > 0, tok[i], 2).is_integer and Where(y[i] > 0, y[i], 2).is_integer is None


def test_brackets_and_choices_simplify_themselves() -> None:
    holds = sympy.Eq(i, j)
    assert Bracket(True) == 1 and Bracket(False) == 0 and Bracket(sympy.Ge(i, 0)) == 1
    assert Bracket(holds) ** 3 == Bracket(holds)
    assert Where(True, y[i], y[j]) == y[i] and Where(False, y[i], y[j]) == y[j]
    assert Where(holds, y[i], y[i]) == y[i]
    assert Where(holds, y[i], 0) == y[i] * Bracket(holds)
    assert Where(holds, 0, y[i]) == y[i] * Bracket(sympy.Not(holds))
    assert isinstance(Where(holds, sympy.oo, 0), Where)


def test_substitution_reaches_into_places_and_is_simultaneous() -> None:
    body = X[i, tok[j]] * y[j] + i
    assert substitute(body, {i: j, j: i}) == X[j, tok[i]] * y[i] + j
    assert substitute(body, {tok[j]: sympy.Integer(0)}) == X[i, 0] * y[j] + i
    assert substitute(Bracket(sympy.Eq(i, tok[j])), {j: i}) == Bracket(sympy.Eq(i, tok[i]))
    assert substitute(n * y[i], {n: m}) == m * y[i]
    assert substitute(body, {}) is body


def test_what_occurs_in_a_body() -> None:
    body = X[i, tok[j]] * y[i] + k
    assert reads_of(body) == [y[i], X[i, tok[j]], tok[j]] or set(reads_of(body)) == {
        y[i],
        X[i, tok[j]],
        tok[j],
    }
    assert indices_of(body) == {i, j, k}


def test_fresh_indices_avoid_names() -> None:
    found = fresh_indices([n, m, n], avoid=[i])
    assert [f.name for f in found] == ["j", "k", "l"]
    assert [f.extent for f in found] == [n, m, n]
    assert len({f.name for f in fresh_indices([n] * 100)}) == 100


def program() -> Program:
    row = Tensor("r", (n,))
    out = Tensor("Y", (n,))
    first = Equation(row, (i,), X[i, k] * Where(y[i] > 0, 1, X[i, k]), "sum", (k,))
    return Program((X, y, tok), (first, Equation(out, (i,), row[i] * y[tok[i]])), (out,))


def test_nodes_pickle_and_copy() -> None:
    p = program()
    for again in (pickle.loads(pickle.dumps(p)), copy.deepcopy(p), copy.copy(p)):
        assert again == p and hash(again) == hash(p) and str(again) == str(p)
        assert all(isinstance(a, Read) for a in again.equations[0].body.atoms(Read))


def test_a_reduction_without_bound_indices_is_none() -> None:
    assert Equation(y, (i,), y[i], "sum").reduce is None


def test_printing() -> None:
    assert str(program()) == "r[i] = sum_k X[i,k]*where(y[i] > 0, 1, X[i,k])\nY[i] = r[i]*y[tok[i]]"


def test_sizes_in_order_of_appearance() -> None:
    assert program().sizes == [n, m]


def test_tensors_are_renamed_everywhere() -> None:
    p = program()
    renamed = with_tensors(p, {X: replace(X, name="A"), p.outputs[0]: replace(p.outputs[0], name="Z")})
    assert [t.name for t in renamed.inputs] == ["A", "y", "tok"]
    assert "X" not in str(renamed) and renamed.outputs[0].name == "Z"


def test_programs_merge_and_what_differs_is_renamed_apart() -> None:
    p = program()
    other = replace(p, equations=(p.equations[0], replace(p.equations[1], body=p.equations[1].body + 1)))
    both = merge([p, p, other])
    assert [e.target.name for e in both.equations] == ["r", "Y", "Y_2"]
    assert [t.name for t in both.outputs] == ["Y", "Y", "Y_2"]
