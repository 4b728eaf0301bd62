"""Emitted objectives of XGBoost and LightGBM: they pass their own tests and grow the trees of the built-in objectives."""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.emit.emit import emit_source
from derive.errors import UnsupportedOp
from derive.likelihoods.boosting import objective_request

from .loading import assert_formatted, load, run_tests_of

LIBRARIES = ("xgboost", "lightgbm")
LOSSES: dict[str, tuple[Any, ...]] = {
    "poisson": ("poisson", "log"),
    "bernoulli": ("bernoulli", "logit"),
    "categorical": ("categorical", "softmax"),
    "heteroscedastic": ("normal", {"mean": "identity", "sigma": "log"}),
    "gamma": ("gamma", "log"),
    "laplace": ("laplace", "identity"),
    "cauchit": ("bernoulli", "cauchit"),
}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
COUNTS = RNG.poisson(np.exp(0.5 * X[:, 0])).astype(float)
BINARY = (RNG.random(300) < 0.3 + 0.4 * (X[:, 1] > 0)).astype(float)
CLASSES = RNG.integers(3, size=300) * (X[:, 2] > 0) * 1.0
WEIGHTS = RNG.uniform(0.5, 2, size=300)


@cache
def source(name: str, library: str) -> str:
    return dv.likelihood(*LOSSES[name]).emit(library)


def module(name: str, library: str, folder: Path) -> Any:
    pytest.importorskip(library)
    return load(source(name, library), folder, f"{name}_{library}")


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", LOSSES)
def test_own_tests_pass(name: str, library: str, tmp_path: Path) -> None:
    run_tests_of(module(name, library, tmp_path))


def test_formatted(tmp_path: Path) -> None:
    for name in LOSSES:
        for library in LIBRARIES:
            (tmp_path / f"{name}_{library}.py").write_text(source(name, library), encoding="utf-8")
    assert_formatted(tmp_path)


@pytest.mark.parametrize("line", ["gradient = np.exp(z) - y", "curvature = np.exp(z)"])
def test_a_wrong_derivative_is_found(line: str, tmp_path: Path) -> None:
    text = source("poisson", "lightgbm")
    assert line in text
    wrong = load(text.replace(line, line.replace("=", "= 1.001 *")), tmp_path, "wrong")
    with pytest.raises(AssertionError):
        wrong.test_poisson_derivatives()


# --- beside the built-in objectives

XGB = {"max_depth": 3, "nthread": 1, "max_delta_step": 0}
LGB = {"num_leaves": 7, "num_threads": 1, "verbosity": -1, "boost_from_average": False, "deterministic": True}


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize(
    ("name", "y", "builtin", "start"),
    [("poisson", COUNTS, "count:poisson", 1.0), ("bernoulli", BINARY, "binary:logistic", 0.5)],
)
def test_xgboost_grows_the_built_in_trees(name, y, builtin, start, weights, tmp_path: Path) -> None:
    ours = module(name, "xgboost", tmp_path)
    import xgboost

    data = xgboost.DMatrix(X, y, weight=weights)
    theirs = xgboost.train({**XGB, "objective": builtin, "base_score": start}, data, 20)
    own = xgboost.train({**XGB, "base_score": 0.0}, data, 20, obj=getattr(ours, f"{name}_objective"))
    expected = theirs.predict(data, output_margin=True)
    assert expected.std() > 0.3
    np.testing.assert_allclose(own.predict(data, output_margin=True), expected, rtol=1e-5, atol=1e-5)


def test_xgboost_grows_the_built_in_trees_of_classes(tmp_path: Path) -> None:
    ours = module("categorical", "xgboost", tmp_path)
    import xgboost

    data = xgboost.DMatrix(X, CLASSES, weight=WEIGHTS)
    given = {"max_depth": 3, "nthread": 1, "num_class": 3, "base_score": 0.0}
    theirs = xgboost.train({**given, "objective": "multi:softprob"}, data, 10)
    own = xgboost.train(given, data, 10, obj=ours.categorical_objective)
    expected = theirs.predict(data, output_margin=True)
    np.testing.assert_allclose(own.predict(data, output_margin=True), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize(
    ("name", "y", "builtin"),
    [
        ("poisson", COUNTS, {"objective": "poisson", "poisson_max_delta_step": 1e-12}),
        ("bernoulli", BINARY, {"objective": "binary"}),
    ],
)
def test_lightgbm_grows_the_built_in_trees(name, y, builtin, weights, tmp_path: Path) -> None:
    ours = module(name, "lightgbm", tmp_path)
    import lightgbm

    def raw(parameters: dict[str, Any]) -> Any:
        data = lightgbm.Dataset(X.copy(), y, weight=weights)
        return lightgbm.train({**LGB, **parameters}, data, 20).predict(X, raw_score=True)

    expected = raw(builtin)
    assert expected.std() > 0.3
    np.testing.assert_allclose(
        raw({"objective": getattr(ours, f"{name}_objective")}), expected, rtol=1e-5, atol=1e-6
    )


# --- around the trees


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_score_is_the_best_constant(library: str, tmp_path: Path) -> None:
    poisson, bernoulli = (module(name, library, tmp_path) for name in ("poisson", "bernoulli"))
    mean = np.average(COUNTS, weights=WEIGHTS)
    np.testing.assert_allclose(poisson.poisson_score(COUNTS, WEIGHTS), np.log(mean), rtol=1e-9)
    p = BINARY.mean()
    np.testing.assert_allclose(bernoulli.bernoulli_score(BINARY), np.log(p / (1 - p)), rtol=1e-9)
    shares = np.bincount(CLASSES.astype(int)) / len(CLASSES)
    score = module("categorical", library, tmp_path).categorical_score(CLASSES, 3)
    np.testing.assert_allclose(np.exp(score) / np.exp(score).sum(), shares, rtol=1e-6)
    assert np.isfinite(poisson.poisson_score(np.zeros(5)))  # the best would be minus infinity


def test_estimators_like_those_of_scikit_learn(tmp_path: Path) -> None:
    ours = {library: module("poisson", library, tmp_path) for library in LIBRARIES}
    import xgboost

    objective = ours["xgboost"].poisson_sklearn_objective
    model = xgboost.XGBRegressor(
        objective=objective, n_estimators=20, base_score=0.0, n_jobs=1, max_depth=3, max_delta_step=0
    )
    model.fit(X, COUNTS, sample_weight=WEIGHTS)
    data = xgboost.DMatrix(X, COUNTS, weight=WEIGHTS)
    own = xgboost.train({**XGB, "base_score": 0.0}, data, 20, obj=ours["xgboost"].poisson_objective)
    np.testing.assert_allclose(model.predict(X), own.predict(data, output_margin=True), rtol=1e-6)
    gradient, curvature = ours["lightgbm"].poisson_sklearn_objective(COUNTS, np.zeros(300), WEIGHTS)
    np.testing.assert_allclose(gradient, WEIGHTS * (1 - COUNTS))
    np.testing.assert_allclose(curvature, WEIGHTS)


def test_constants_stay_as_they_are(tmp_path: Path) -> None:
    gamma = module("gamma", "xgboost", tmp_path)
    gradient, curvature = gamma.gamma_sklearn_objective(3.0)(np.array([2.0]), np.array([0.0]))
    assert (gradient, curvature) == (3 * (1 - 2.0), 6.0)


def test_the_file_says_what_its_curvature_is() -> None:
    assert "expected Fisher information" in source("cauchit", "xgboost")
    cauchy = dv.trace(lambda z, y: np.log(1 + (y - z) ** 2), z="n", y="n")
    request = objective_request(cauchy, ["z"], "y", convex=False, name="cauchy")
    assert "absolute value of the second derivative" in emit_source(request, "xgboost").replace("\n", " ")
    assert "straight almost everywhere" in source("laplace", "xgboost")
    assert re.search(
        r"(p\w*) = softmax\(z\)\ncurvature = 2 \1 ∘ \(1 − \1\)", source("categorical", "xgboost")
    )


def test_what_is_no_loss_of_examples_is_refused() -> None:
    with pytest.raises(UnsupportedOp, match="the loss of each example in the raw output"):
        dv.trace(lambda z, y: z - y, z="n", y="n").emit("xgboost")


def test_writing_needs_neither_library() -> None:
    assert importlib.import_module("derive.emit.targets.xgboost").TARGET.name == "xgboost"


def test_extreme_raw_outputs(tmp_path: Path) -> None:
    bernoulli, categorical = (module(name, "lightgbm", tmp_path) for name in ("bernoulli", "categorical"))
    z, y = np.array([-800.0, -40.0, 40.0, 800.0]), np.array([0.0, 1, 0, 1])
    with np.errstate(all="ignore"):  # in branches that are not taken
        losses = bernoulli.bernoulli_loss(z, y)
    np.testing.assert_allclose(losses, [0, 40, 40, 0], atol=1e-16)
    gradient, curvature = bernoulli.bernoulli_derivatives(z, y)
    np.testing.assert_allclose(gradient, [0, -1, 1, 0])
    np.testing.assert_allclose(curvature, [0, np.exp(-40), np.exp(-40), 0], rtol=1e-13)
    rows = np.array([[1000.0, 0, -1000], [1e4, 1e4, 0]])
    np.testing.assert_allclose(categorical.categorical_loss(rows, np.array([2, 1])), [2000, np.log(2)])
    gradient, _ = categorical.categorical_derivatives(rows, np.array([2, 1]))
    np.testing.assert_allclose(gradient, [[1, 0, -1], [0.5, -0.5, 0]])


def test_helpers_are_written_with_what_they_import(tmp_path: Path) -> None:
    text = dv.likelihood("negative binomial", "log").emit("lightgbm")
    ours = load(text, tmp_path, "negative_binomial")
    near_poisson = ours.negative_binomial_loss(np.array([1.0]), np.array([3.0]), 1e-10)
    np.testing.assert_allclose(near_poisson, np.e - 3, rtol=1e-8)
