"""Slopes of gates are run as products with the gates that are there."""

import numpy as np

import derive as dv
from derive.ops.elementwise.hyperbolic import sech2


def gate(x, W):
    s = 1 / (1 + np.exp(-(x @ W)))
    return s * np.tanh(x @ W)


def heads(program, head):
    return {str(f) for e in program.equations for f in e.body.atoms(head)}


def test_the_slope_of_a_gate_reads_the_gate():
    program = dv.vjp(dv.trace(gate, x="n", W="n m")).stable
    assert len(heads(program, sech2)) == 1, "that of tanh alone"
    gate_of = next(e for e in program.equations if str(e.body).startswith("sigmoid("))
    slopes = [e for e in program.equations if "sigmoid(-" in str(e.body)]
    assert slopes and all(gate_of.target.name in {r.tensor.name for r in e.reads} for e in slopes)


def test_a_slope_by_itself_has_one_exponential():
    program = dv.grad(dv.trace(lambda x: 1 / (1 + np.exp(-x)), x="")).stable
    assert heads(program, sech2) == {"sech2(x/2)"}


def test_saturated_gates_keep_their_digits():
    pullback = dv.vjp(dv.trace(gate, x="n", W="n m")).compile()
    x, W = np.array([1.0]), np.array([[60.0, -60.0]])
    gx, _ = pullback(x, W, np.ones(2))
    t = np.array([60.0, -60.0])
    small = np.exp(-np.abs(t))  # sigmoid' to all digits
    slope = np.tanh(t) * small + np.where(t > 0, 1.0, small) * 4 * np.exp(-2 * np.abs(t))
    np.testing.assert_allclose(gx, [slope @ W[0]], rtol=1e-14)
