"""Losses of laws as source: what is written for a target gives the same losses; of all laws with `--laws all`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.distributions import Distribution, Record, distributions

from ..emit.loading import MODULES, call, load
from .arrays import axes_of, drawn, observed, parameters, usual
from .laws import point

LAWS = [d for d in distributions() if d.log_density is not None]
TARGETS = ("numpy", "torch", "jax", "numba")
N, EVERY = 5, 5
"""Examples; and of the laws one in so many is written by default, each for another target."""


def own_parameters(law: Record) -> dict[str, Any]:
    if isinstance(law, Distribution):
        return dict(zip((p.name for p in law.parameters), point(law, 0), strict=True))
    return parameters(law)


def arguments(loss: dv.Loss, law: Record) -> dict[str, Any]:
    """Raw outputs, observations and learned parameters for N examples; a raw output lies below whatever is observed."""
    rng = np.random.default_rng(0)
    own = own_parameters(law)
    found: dict[str, Any] = {loss.variable: observed(law, own, N)}
    for given in loss.setting.given:
        p = given.parameter
        value = own[given.name] if given.name in own else drawn(p.facts, axes_of(p), rng, p.integer)
        raw = given.part == "raw" and given.link is not None and given.link.name != "identity"
        found[given.symbol] = rng.normal(size=(N, *np.shape(value))) if raw else value
        if given.part == "raw" and not raw:
            found[given.symbol] = np.repeat(np.asarray(value)[None], N, axis=0)
    return {n: found[n] for n in loss.function.inputs}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    everything = metafunc.config.getoption("--laws") == "all"
    numbers = range(0, len(LAWS), 1 if everything else EVERY)
    metafunc.parametrize("number", numbers, ids=[LAWS[n].name for n in numbers])


def test_source_of_every_loss(number: int, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    law, everything = LAWS[number], request.config.getoption("--laws") == "all"
    loss = usual(law)
    given = arguments(loss, law)
    expected = loss.function(**given)
    assert expected.shape == (N,) and np.isfinite(expected).all()
    for target in TARGETS if everything else (TARGETS[number % len(TARGETS)],):
        source = loss.emit(target)
        compile(source, target, "exec")
        if target in MODULES:
            pytest.importorskip(MODULES[target])
            module = load(source, tmp_path, f"loss_{target}")
            (found,) = call(module, loss.name, target, [np.asarray(v, dtype=float) for v in given.values()])
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)
