"""`dv.accuracy` against values and errors that mpmath gives, and what it says about formulas that lose digits."""

from pathlib import Path

import mpmath
import numpy as np
import pytest
from scipy import special

import derive as dv
from derive.accuracy.errors import Reference, errors
from derive.accuracy.exact import exact

mpmath.mp.dps = 60


def softplus(x):
    return np.log(np.exp(x) + 1) - 0 * x


def close(ball, wanted) -> bool:
    mid = ball.mid()
    man, exp = mid.man_exp()
    found = mpmath.mpf(int(man)) * mpmath.mpf(2) ** int(exp)
    return abs(found - wanted) <= abs(wanted) * mpmath.mpf(10) ** -15


@pytest.mark.parametrize(
    ("f", "oracle", "points"),
    [
        (lambda x: np.log(1 + np.exp(x)), lambda x: mpmath.log1p(mpmath.exp(x)), (-700.0, -40.0, 1e-300, 3.0, 1e4)),
        (lambda x: (np.exp(x) - 1) / x, lambda x: mpmath.expm1(x) / x, (-1e4, 1e-300, 1e-9, 5.0)),
        (lambda x: x - np.sin(x), lambda x: x**3 / 6 - x**5 / 120 if x < 1e-4 else x - mpmath.sin(x), (1e-80, 1e-5, 2.0)),
        (lambda x: 1 - special.erf(x), mpmath.erfc, (-5.0, 1.0, 25.0)),
        (lambda x: 1 - np.tanh(x), lambda x: 2 / (mpmath.exp(2 * x) + 1), (-3.0, 0.5, 300.0)),
        (lambda x: np.sqrt(x + 1) - np.sqrt(x), lambda x: 1 / (mpmath.sqrt(x + 1) + mpmath.sqrt(x)), (1e-300, 1.0, 1e300)),
        (lambda x: np.log(special.i0(x)), lambda x: mpmath.log(mpmath.besseli(0, x)), (1e-3, 5.0, 1e4)),
    ],
)
def test_exact_values_are_mpmaths(f, oracle, points):
    program = dv.trace(f, x="").program
    for x in points:
        (ball,) = exact(program, {"x": np.float64(x)})
        assert close(ball[()], oracle(mpmath.mpf(x))), x


def test_a_removable_singularity_has_its_limit_and_a_pole_has_none():
    assert exact(dv.trace(lambda x: np.sin(x) / x, x="").program, {"x": np.float64(0)})[0][()] == 1
    assert not exact(dv.trace(lambda x: 1 / x, x="").program, {"x": np.float64(0)})[0][()].is_finite()
    assert not exact(dv.trace(lambda x: np.abs(x) / x, x="").program, {"x": np.float64(0)})[0][()].is_finite()


def test_errors_count_ulps_after_conditioning():
    reference = Reference(dv.trace(lambda x: np.exp(x), x="").program)
    x = np.float64(500.3)
    right = float(mpmath.exp(mpmath.mpf(x)))
    assert errors([np.float64(right)], reference, {"x": x}, np.float64)[0] <= 0.5
    off = right * (1 + 1e-10)
    ulps = errors([np.float64(off)], reference, {"x": x}, np.float64)[0]
    moved = (off - right) / (np.spacing(right) + right * np.spacing(x) / 2)
    assert ulps == pytest.approx(float(moved), rel=0.01)
    assert errors([np.float64(np.nan)], reference, {"x": x}, np.float64)[0] == np.inf


def test_log_cosh_overflows_where_cosh_does():
    report = dv.accuracy(lambda x: np.log((np.exp(x) + np.exp(-x)) / 2), "-1e4..1e4", points=80)
    naive = report["value", "naive"]
    edges = sorted(float(p["x"]) for p in naive.begins)
    assert edges == pytest.approx([-709.8, 709.8], rel=2e-3)
    assert report["value", "naive", "float32"].worst.ulps == np.inf
    assert {f.kind for f in report.findings} >= {"overflow", "logarithm of what was rounded near 1"}
    assert "NaN or Inf from x = " in str(report)


def test_what_is_right_has_no_findings():
    for formula in ("logaddexp(x, 0)", "log1p(x**2)", "tanh(x)", "expm1(x)"):
        report = dv.accuracy(formula, "-700..700", of=["value"], points=60)
        assert report.findings == (), formula
        assert report["value", "naive"].worst.ulps < 10


PLANTED = {
    "log(exp(x) - exp(-x))": "1e-3..1e4",
    "exp(x) / (exp(x) + exp(2*x))": "-1e4..1e4",
    "x**2 / sqrt(x**4)": "1e-300..1e4",
    "1 - cos(x)": "-1..1",
    "sqrt(x + 1) - sqrt(x)": "1e-3..1e15",
    "(1 + x) - 1": "1e-300..1",
    "log(1 + x)": "1e-300..1",
    "1/x - 1/(x + 1)": "1..1e100",
    "log(cosh(x))": "-1e4..1e4",
}


@pytest.mark.parametrize("formula", PLANTED)
def test_planted_losses_are_found(formula):
    report = dv.accuracy(formula, PLANTED[formula], of=["value"], dtypes=["float64"], points=60)
    if report["value", "naive"].failures:
        assert report.findings, formula


def test_one_pass_variance_is_found_and_two_passes_are_not():
    domain = {"x": "n, 1e4..1.0001e4"}
    one = dv.accuracy(lambda x: np.mean(x**2) - np.mean(x) ** 2, domain, of=["value"], points=40)
    assert [f.kind for f in one.findings] == ["cancellation"]
    two = dv.accuracy(lambda x: np.mean((x - np.mean(x)) ** 2), domain, of=["value"], points=40)
    assert not [f for f in two.findings if f.ulps > 1e6]


def test_an_epsilon_is_said_to_bound_the_answer():
    report = dv.accuracy(lambda p: -np.log(p + 1e-10), "0..1", of=["value"], points=20)
    (epsilon,) = report.epsilons
    assert epsilon.value == 1e-10 and "capped at 23.03" in epsilon.effect
    assert float(-np.log(1e-10)) == pytest.approx(23.03, abs=5e-3)
    (root,) = dv.accuracy(lambda x: np.sqrt(np.sum(x**2) + 1e-8), "n", of=["value"], points=10).epsilons
    assert "0.0001" in root.effect
    (ratio,) = dv.accuracy(lambda x, v: x / (v + 1e-6), {"v": "0..1"}, of=["value"], points=10).epsilons
    assert "at most 1e+06" in ratio.effect
    assert dv.accuracy(lambda x: np.log(x + 1e-10), "-1..1", of=["value"], points=10).epsilons == ()


def test_the_plot_is_written(tmp_path: Path):
    report = dv.accuracy("sqrt(x + 1) - sqrt(x)", "1e-3..1e15", points=30, of=["value"])
    assert report.plot(tmp_path / "error.png").stat().st_size > 5_000


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ("1e4..-1e4", "empty"),
        ("1e4", "axis"),
        ("-1..1..2", "cannot read the interval"),
        ("positive, -1..1", "declared"),
        ("simplex, 0..3", "simplex"),
        ({"y": "0..1"}, "no input 'y'"),
        ({"x": 3}, "interval"),
        ("integer 0.5..3", "whole"),
    ],
)
def test_bad_domains_are_refused(domain, message):
    with pytest.raises(dv.DeriveError, match=message):
        dv.accuracy(lambda x: np.exp(x), domain)


def test_other_bad_input_is_refused():
    with pytest.raises(dv.UnknownName, match="each domain needs its name"):
        dv.accuracy(lambda x, y: x * y, "0..1")
    with pytest.raises(dv.SpecError, match="points"):
        dv.accuracy("exp(x)", "0..1", points=0)
    with pytest.raises(dv.SpecError, match="gradient"):
        dv.accuracy("exp(x)", "0..1", of=["slope"])
    with pytest.raises(dv.SpecError, match="float64"):
        dv.accuracy("exp(x)", "0..1", dtypes=["float16"])
    with pytest.raises(dv.SpecError, match="text"):
        dv.accuracy(3, "0..1")  # type: ignore[arg-type]


def test_the_command_prints_the_table(capsys):
    from derive.cli import main

    assert main(["accuracy", "exp(x) + 0*x", "--x", "-1..1", "--points", "20", "--of", "value"]) == 0
    assert "ulp at x = " in capsys.readouterr().out
    assert main(["accuracy", "exp(x)", "--x"]) == 2
    assert "--x has no value" in capsys.readouterr().err
