"""The table of results that a person recognises, for the layers in examples/layers.py; and every line means its equation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import derive as dv
import layers
from derive.render.lines import board_lines
from derive.render.names import Names

from .test_meaning import check

SIZES = dict(batch=6, n=4, m=3, d=5, p=2, k=3, v=7, t=4, h=5, heads=2, h1=5, h2=3)


def layer(name: str) -> Any:
    return dv.trace(getattr(layers, name), **layers.SHAPES[name])


def plain_softmax(z: Any) -> Any:
    e = np.exp(z - z.max())
    p = e / e.sum()
    return p


TABLE: list[tuple[Callable[[], Any], list[str]]] = [
    (lambda: dv.grad(layer("quadratic_form"), "x"), ["gx = (A + A') x"]),
    (lambda: dv.hessian(layer("quadratic_form"), "x"), ["H = A + A'"]),
    (lambda: dv.grad(layer("least_squares"), "W"), ["gW = 2 (W x + b − t) x'"]),
    (
        lambda: dv.vjp(layer("dense_tanh")),
        ["gZ = gY ∘ (1 − Y²)", "gW = X' gZ", "gX = gZ W'", "gb = colsum(gZ)"],
    ),
    (lambda: dv.grad(layer("cross_entropy"), "z"), ["gz = softmax(z) − y"]),
    (lambda: dv.vjp(layer("softmax")), ["gZ = P ∘ (gP − rowsum(gP ∘ P))"]),
    (lambda: dv.jacobian(dv.trace(plain_softmax, z="k")), ["J = diag(p) − p p'"]),
    (lambda: dv.hessian(layer("logistic_loss"), "w"), ["H = X' diag(c ∘ (1 − c)) X"]),
    (
        lambda: dv.vjp(layer("attention")),
        ["gV = P' gO", "gS = P ∘ (gP − rowsum(gP ∘ P))", "gQ = gS K / sqrt(d)", "gK = gS' Q / sqrt(d)"],
    ),
    (
        lambda: dv.vjp(layer("layer_norm"), "X"),
        ["gX = (gxhat − rowmean(gxhat) − xhat ∘ rowmean(gxhat ∘ xhat)) / v"],
    ),
    (lambda: dv.vjp(layer("log_softmax")), ["gZ = glogP − softmax(Z) ∘ rowsum(glogP)"]),
    (lambda: dv.grad(layer("cross_entropy_labels")), ["gZ = (softmax(Z) − onehot(y)) / batch"]),
    (lambda: dv.grad(layer("mse"), "Y"), ["gY = 2 (Y − T) / (batch n)"]),
    (lambda: dv.grad(layer("bilinear_form"), ["x", "A"]), ["gx = A y", "gA = x y'"]),
]


@pytest.mark.parametrize("derivative, expected", TABLE, ids=[e[0] for _, e in TABLE])
def test_results_that_a_person_recognises(derivative: Callable[[], Any], expected: list[str]) -> None:
    lines = str(derivative()).splitlines()
    assert set(expected) <= set(lines), lines


@pytest.mark.usefixtures("slices_written_out")
@pytest.mark.parametrize("name", layers.SHAPES)
def test_lines_of_every_layer_mean_their_equations(name: str) -> None:
    f = layer(name)
    derivative = dv.vjp(f) if f.program.outputs[0].shape or len(f.outputs) > 1 else dv.grad(f)
    names = Names(derivative.program, derivative.forward)
    check(derivative.program, names, board_lines(names), SIZES)
