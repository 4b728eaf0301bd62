"""Recurrences in index notation: read, computed and differentiated."""

import numpy as np
import pytest

import derive as dv
import sequences
from derive.errors import ParseError
from derive.frontends.parse_index import parse_equations
from derive.ir.check import check_program
from derive.ir.facts import Spec
from derive.render.index import render_index

TEXT = """
h[0,i] = h0[i]
h[t,i] = tanh(sum_j W[i,j] h[t-1,j] + x[t,i])
"""


def by_hand(h0: np.ndarray, W: np.ndarray, x: np.ndarray) -> np.ndarray:
    found = [h0]
    for x_t in x[1:]:
        found.append(np.tanh(W @ found[-1] + x_t))
    return np.stack(found)


def test_an_initial_equation_and_one_for_the_steps() -> None:
    f = dv.equations(TEXT, h0="n", W="n n", x="T n", h="T n")
    check_program(f.program)
    rng = np.random.default_rng(0)
    h0, W, x = rng.normal(size=4), rng.normal(size=(4, 4)), rng.normal(size=(6, 4))
    assert np.allclose(f(h0=h0, W=W, x=x), by_hand(h0, W, x), rtol=1e-13)
    assert dv.check(dv.vjp(f)).passed


def test_what_was_before_the_beginning_is_zero() -> None:
    f = dv.equations("y[t] = x[t] + a y[t-1] + b y[t-2]", x="T", a="", b="", y="T")
    assert np.allclose(f(x=np.array([1.0, 0.0, 0.0, 0.0]), a=0.5, b=2.0), [1, 0.5, 2.25, 2.125])
    assert dv.check(
        dv.grad(dv.equations("y[t] = x[t] + a y[t-1]\nL = sum_t y[t]^2", x="T", a="", y="T"))
    ).passed


def test_it_may_run_backward() -> None:
    f = dv.equations("G[t] = r[t] + gamma G[t+1]", r="T", gamma="", G="T")
    r = np.array([1.0, 2.0, 4.0])
    assert np.allclose(f(r=r, gamma=0.5), sequences.discounted_return(r, 0.5))


@pytest.mark.parametrize(
    ("text", "shapes", "words"),
    [
        ("h[t] = x[t] + h[t-1]", {"x": "T"}, "h is read before it is defined"),
        ("h[t] = x[t] + h[t]", {"x": "T", "h": "T"}, "no axis is a time"),
        ("h[0,j] = a[j]\nh[t,i] = h[t-1,i]", {"a": "n", "h": "T n"}, "the same letters"),
    ],
)
def test_what_is_no_recurrence(text: str, shapes: dict[str, str], words: str) -> None:
    with pytest.raises(ParseError, match=words):
        dv.equations(text, **shapes)


@pytest.mark.parametrize("name", [n for n in sequences.SHAPES if n != "unrolled_descent"])
def test_a_printed_recurrence_and_its_backward_pass_are_read_back(name: str) -> None:
    forward = dv.trace(getattr(sequences, name), **sequences.SHAPES[name])
    for f in (forward, dv.vjp(forward)):
        program = f.presented
        text = render_index(program)
        shapes = {t.name: Spec(t.shape, t.kind, t.facts, t.bound) for t in program.tensors.values()}
        again = parse_equations("\n".join(text), shapes, [t.name for t in program.outputs])
        assert render_index(again) == text


def test_a_condition_that_is_too_weak_does_not_keep_a_read_within() -> None:
    """``[t < 3] h[t-1]`` says nothing about t = 0: what is before the beginning is still 0."""
    f = dv.equations("h[t] = x[t] + [t < 3] h[t-1]", x="T", h="T")
    np.testing.assert_allclose(f(np.ones(5)), [1, 2, 3, 1, 1])
