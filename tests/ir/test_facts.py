"""Declarations of inputs are read, completed and checked."""

from __future__ import annotations

from typing import Any

import pytest

from derive.errors import SpecError
from derive.ir.facts import IMPLIES, Spec, parse_shapes, spec
from derive.ir.nodes import size

n, m = size("n"), size("m")


@pytest.mark.parametrize(
    ("axes", "facts", "expected"),
    [
        ("", (), Spec(())),
        ("n", (), Spec((n,))),
        ("  n   m ", (), Spec((n, m))),
        ("3 n", (), Spec((3, n))),
        (3, (), Spec((3,))),
        ("n, positive", (), Spec((n,), facts=frozenset({"positive", "nonnegative"}))),
        ("n n", ("symmetric",), Spec((n, n), facts=frozenset({"symmetric"}))),
        (", positive", (), Spec((), facts=frozenset({"positive", "nonnegative"}))),
        ("n, integer", (), Spec((n,), "integer")),
        ("n, integer < m", (), Spec((n,), "integer", bound=m)),
        ("n", ("integer<7",), Spec((n,), "integer", bound=7)),
        ("n m, boolean", (), Spec((n, m), "boolean")),
        ("n,  one-hot ", (), Spec((n,), facts=frozenset({"one-hot", "simplex", "nonnegative"}))),
        (
            "n n, positive   definite",
            (),
            Spec((n, n), facts=frozenset({"positive definite", "symmetric", "invertible"})),
        ),
    ],
)
def test_declarations(axes: Any, facts: tuple[str, ...], expected: Spec) -> None:
    assert spec(axes, *facts) == expected


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ("n, symetric", ["'symetric'", "'symmetric'"]),
        ("n,", ["unknown fact ''"]),
        ("n m, symmetric", ["'symmetric'", "last two axes equal", "'n n, symmetric'"]),
        ("n, orthogonal", ["last two axes equal"]),
        ("n, lower triangular", ["two axes"]),
        (", simplex", ["an axis to sum over"]),
        ("n-1", ["'n-1'", "a name or a positive integer"]),
        ("n 0", ["at least 1", "found 0"]),
        ("-3", ["'-3'"]),
        ("1.5", ["'1.5'"]),
        ("n, integer <", ["'integer <'"]),
        ("n, integer < 0", ["found 0"]),
        ("n, integer, boolean", ["either integer or boolean"]),
        (None, ["None"]),
        (True, ["True"]),
        (("n", "m"), ["('n', 'm')"]),
        (2.5, ["2.5"]),
    ],
)
def test_what_cannot_be_read_is_refused(axes: Any, words: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        spec(axes)
    for word in words:
        assert word in str(caught.value)


def test_shapes_of_a_command_line() -> None:
    found = parse_shapes("X=batch n, W=n m,y=batch, integer < m, A=n n, positive definite, t=")
    assert list(found) == ["X", "W", "y", "A", "t"]
    assert found["y"] == spec("batch, integer < m")
    assert found["A"].facts == {"positive definite", "symmetric", "invertible"}
    assert found["t"] == spec("")
    assert parse_shapes("") == {}


@pytest.mark.parametrize(
    "text", ["X", "X=n, X=m", "X=n, 3=m", "y=n, integer <= 3", ", X=n, Y", "X=n, =m", "X=n,,Y=m"]
)
def test_shapes_that_cannot_be_read(text: str) -> None:
    with pytest.raises(SpecError):
        parse_shapes(text)


def test_every_implied_fact_is_known() -> None:
    for fact, implied in IMPLIES.items():
        assert set(implied) <= IMPLIES.keys()
        assert fact not in spec("n n", *implied).facts
