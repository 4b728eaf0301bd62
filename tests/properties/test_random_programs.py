"""Random NumPy functions at three random shapes: values, first and second derivatives, emitted source, kernels.

``pytest tests/properties --programs 5000`` checks more of them, ``--shrink`` makes a failing one small; every run
checks the same ones in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from .checks import Arrays, Derived, Written
from .elsewhere import Compiled, InFramework, ReadBack
from .maker import RandomFunction
from .programs import SIZES, Seeded, make_function, programs
from .values import LARGEST, SMALLEST

CHUNK = 20
"""How many programs one test draws; one more is run in a framework beside them."""
KERNELS = ((np.float64, False), (np.float32, True), (np.float32, False), (np.float64, True))
"""Precision, and whether in parallel: one program each for as many chunks, in turn."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    count = -(-metafunc.config.getoption("--programs") // CHUNK)
    if "chunk" in metafunc.fixturenames:
        metafunc.parametrize("chunk", range(count))
    if "kernel" in metafunc.fixturenames:
        metafunc.parametrize("kernel", range(max(len(KERNELS), count)))


def three_points(program: RandomFunction) -> Iterator[tuple[int, Arrays, np.random.Generator]]:
    """Inputs at three shapes in which all sizes differ, the same in every run."""
    random = np.random.default_rng(len(program.source))
    for point in range(3):
        drawn = random.permutation(np.arange(SMALLEST, LARGEST + 1))[: len(SIZES)]
        sizes = dict(zip(SIZES, map(int, drawn), strict=True))
        yield point, {i.name: i.sample(random, sizes) for i in program.inputs}, random


def test_derivatives(chunk: int, request: pytest.FixtureRequest) -> None:
    shrink = (Phase.shrink,) if request.config.getoption("--shrink") else ()

    @seed(chunk)
    @settings(
        max_examples=CHUNK,
        deadline=None,
        database=None,
        phases=(Phase.generate, *shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(programs())
    def check(program: RandomFunction) -> None:
        derived = Derived(program)
        written = Written(derived)
        for point, inputs, random in three_points(program):
            derived.at(inputs, random, every_entry=point == 0)
            written.at(inputs, random)

    check()


def test_kernels(kernel: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At three shapes, and where a size is 1 or 0, if the interpreter has values there."""
    monkeypatch.setenv("DERIVE_CACHE_DIR", str(tmp_path))
    program = make_function(Seeded(kernel))
    dtype, parallel = KERNELS[kernel % len(KERNELS)]
    compiled = Compiled(Derived(program), dtype, parallel, all_of_them=not parallel)
    for _, inputs, random in three_points(program):
        compiled.at(inputs, random)
    for sizes in ((1, 1, 1), (0, 5, 4), (0, 0, 0), (17, 2, 33)):
        compiled.where_there_are_values(program, dict(zip(SIZES, sizes, strict=True)))


def test_frameworks(chunk: int) -> None:
    """As printed and read back, and as emitted for torch or jax."""
    target = ("torch", "jax")[chunk % 2]
    pytest.importorskip(target)
    program = make_function(Seeded(1000 + chunk))
    derived = Derived(program)
    forms = (ReadBack(derived), InFramework(derived, target))
    _, inputs, random = next(three_points(program))  # frameworks compile again for every shape
    for form in forms:
        form.at(inputs, random)
