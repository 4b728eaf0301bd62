"""The parts of the cross-check, each against mathematics that it does not contain."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from derive.frontends.trace_numpy import trace_numpy
from derive.ir.evaluate import evaluate
from derive.ir.facts import IMPLIES, spec
from derive.ir.nodes import Program, size
from derive.ir.numbers import FLOAT64
from derive.ops.elementwise import elementwise_ops
from derive.verify.batch import Model
from derive.verify.differences import richardson
from derive.verify.dual import Dual, slope
from derive.verify.noise import computational_noise
from derive.verify.oracles import ComplexStep, Differences, Exact
from derive.verify.sample import FACTS, PLAIN, fractions, plan_sizes, sample, sample_inputs

RNG = np.random.default_rng(0)


def traced(function: Any, **shapes: str) -> Program:
    return trace_numpy(function, {name: spec(axes) for name, axes in shapes.items()})[0]


# -- sampling


def test_every_fact_has_a_sampler() -> None:
    assert FACTS.keys() == IMPLIES.keys()


HOLDS: dict[str, Any] = {
    "nonnegative": lambda A: np.all(A >= 0),
    "positive": lambda A: np.all(A > 0),
    "probability": lambda A: np.all((A > 0) & (A < 1)),
    "binary": lambda A: np.all((A == 0) | (A == 1)),
    "lower triangular": lambda A: np.all(np.triu(A, 1) == 0),
    "upper triangular": lambda A: np.all(np.tril(A, -1) == 0),
    "diagonal": lambda A: np.all(A * (1 - np.eye(A.shape[-1])) == 0),
    "symmetric": lambda A: np.allclose(A, np.swapaxes(A, -1, -2), atol=1e-15),
    "invertible": lambda A: np.all(np.linalg.cond(A) < 100),
    "positive semidefinite": lambda A: np.all(np.linalg.eigvalsh(A) > -1e-12),
    "positive definite": lambda A: np.all(np.linalg.eigvalsh(A) > 0.1),
    "orthogonal": lambda A: np.allclose(A @ np.swapaxes(A, -1, -2), np.eye(A.shape[-1])),
    "simplex": lambda A: np.allclose(A.sum(axis=-1), 1) and np.all(A >= 0),
    "increasing": lambda A: np.all(np.diff(A, axis=-1) > 0),
    "one-hot": lambda A: np.all(np.sort(A, axis=-1)[..., -1] == 1) and np.all(A.sum(axis=-1) == 1),
}


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (3, 5, 5)])
def test_samples_have_their_facts_and_what_follows_from_them(fact: str, shape: tuple[int, ...]) -> None:
    tensor = spec("b n n", fact).tensor("A")
    array = sample(tensor, shape, RNG)
    assert array.shape == shape
    assert all(HOLDS[known](array) for known in tensor.facts)


@pytest.mark.parametrize(
    "facts",
    [("symmetric", "positive"), ("lower triangular", "invertible"), ("diagonal", "positive definite")],
)
def test_facts_combine(facts: tuple[str, ...]) -> None:
    array = sample(spec("n n", *facts).tensor("A"), (4, 4), RNG)
    assert all(HOLDS[fact](array) for fact in facts)


def test_integers_respect_their_bound() -> None:
    array = sample(spec("n, integer < v").tensor("t"), (200,), RNG, PLAIN, 7)
    assert array.dtype.kind == "i"
    assert set(array) == set(range(7))
    assert sample(spec("n, boolean").tensor("m"), (5,), RNG).dtype == bool


def test_fractions_keep_a_simplex_exactly() -> None:
    program = traced(lambda y: np.sum(y), y="batch n, simplex")
    exact = fractions(program, sample_inputs(program, {size("batch"): 2, size("n"): 3}, RNG))
    assert exact is not None
    assert [sum(row) for row in exact["y"]] == [1, 1]


def test_sizes_of_a_trial_are_all_different() -> None:
    program = traced(lambda X, W, b: X @ W + b, X="batch n", W="n m", b="m")
    plans = plan_sizes(program, 4)
    assert all(len(set(plan.values())) == len(plan) for plan in plans)
    assert sum(1 in plan.values() for plan in plans) == 2
    four = traced(lambda Q, K, V: Q @ K.T @ V, Q="n d", K="m d", V="m p")
    assert all(len(set(plan.values())) == 4 for plan in plan_sizes(four, 20))
    fixed = traced(lambda X, W: X @ W, X="batch 3", W="3 m")
    assert all(3 not in plan.values() for plan in plan_sizes(fixed, 4))


# -- oracles


def test_a_batch_is_the_same_as_one_by_one() -> None:
    program = traced(lambda X, W, t: np.tanh(X @ W)[t], X="batch n", W="n m", t="k, integer < batch")
    inputs = {"X": RNG.normal(size=(3, 4)), "W": RNG.normal(size=(4, 2)), "t": np.array([2, 0, 2])}
    moved = RNG.normal(size=(5, 3, 4))
    (together,) = Model(program, ["X"]).run(FLOAT64, inputs, {"X": moved})
    single = [evaluate(program, {**inputs, "X": x})[program.outputs[0].name] for x in moved]
    assert np.allclose(together, single, rtol=1e-15)


SMOOTH = [op for op in elementwise_ops() if op.head and op.arity == 1 and op.analytic and op.name != "floor"]


@pytest.mark.parametrize("op", SMOOTH, ids=lambda op: op.name)
def test_complex_step_and_differences_agree_on_every_operation(op: Any) -> None:
    points = np.linspace(*op.domain, 23) * 0.98 + 0.003
    steps = 0.02 / 1.8 ** np.arange(11)
    estimates = np.array([(op.value(points + h) - op.value(points - h)) / (2 * h) for h in steps])
    slopes, _ = richardson(estimates, np.zeros_like(estimates), 1.8)
    assert np.allclose(np.imag(op.value(points + 1e-30j)) / 1e-30, slopes, rtol=1e-8, atol=1e-8)


def test_the_three_ways_agree_on_a_rational_function() -> None:
    program = traced(lambda x: np.sum(x**3 / (1 + x * x)), x="n")
    x = np.array([0.5, -0.25, 1.5])
    U = {"x": np.eye(3)}
    model = Model(program, ["x"])
    ((step, _),) = ComplexStep(model).first({"x": x}, U)
    ((slope_, error),) = Differences(model).first({"x": x}, U)
    rational = np.array([Fraction(v) for v in x], dtype=object)
    ((exact, _),) = Exact(model).first({"x": rational}, {"x": np.eye(3).astype(int).astype(object)})
    truth = (x**4 + 3 * x**2) / (1 + x * x) ** 2
    assert exact[0] == Fraction(13, 25)
    assert np.allclose(exact.astype(float), truth, rtol=1e-15)
    assert np.allclose(step, truth, rtol=1e-14)
    assert np.all(np.abs(slope_ - truth) < 10 * error + 1e-12)


def test_second_derivatives_in_three_ways() -> None:
    program = traced(lambda x: np.prod(x) + np.sum(x**4), x="n")
    x = np.array([0.5, -0.25, 1.5])
    pairs = [(i, j) for i in range(3) for j in range(3)]
    U, V = ({"x": np.eye(3)[[p[k] for p in pairs]]} for k in (0, 1))
    truth = np.array([12 * x[i] ** 2 if i == j else np.prod(x) / x[i] / x[j] for i, j in pairs])
    model = Model(program, ["x"])
    for oracle in (ComplexStep(model), Differences(model)):
        ((value, error),) = oracle.second({"x": x}, U, V)
        assert np.all(np.abs(value - truth) < 10 * error + 1e-11)
    lifted = [{"x": side["x"].astype(int).astype(object)} for side in (U, V)]
    ((exact, _),) = Exact(model).second({"x": np.array([Fraction(v) for v in x], dtype=object)}, *lifted)
    assert [float(e) for e in exact] == list(truth)


def test_dual_numbers_follow_school_algebra() -> None:
    x = Dual(Fraction(2, 3), Fraction(1))
    assert slope(x * x * x) == 3 * Fraction(2, 3) ** 2
    assert slope(1 / x) == -1 / Fraction(2, 3) ** 2
    assert slope((x - 1) / (x + 1)) == 2 / (Fraction(5, 3)) ** 2
    assert slope(abs(-x)) == 1
    assert slope(x**-2) == -2 * Fraction(2, 3) ** -3
    assert slope(5) == 0
    assert max(x, Dual(Fraction(1), Fraction(7))).b == 7


def test_noise_is_measured_and_smoothness_is_not_noise() -> None:
    places = np.arange(7) * 1e-5
    smooth = np.sin(1 + places)[:, None]
    noisy = smooth + 1e-10 * RNG.normal(size=(7, 200))
    assert computational_noise(list(smooth)) < 1e-15
    assert np.sqrt(np.mean(computational_noise(list(noisy)) ** 2)) == pytest.approx(1e-10, rel=0.3)
