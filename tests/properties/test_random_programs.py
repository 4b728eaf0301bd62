"""Random NumPy functions at three random shapes: values, derivatives of first and second order, well-formed programs.

``pytest tests/properties --programs 5000`` checks more of them; the first programs are the same in every run.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from .checks import Derived
from .maker import RandomFunction
from .programs import SIZES, programs
from .values import LARGEST, SMALLEST

CHUNK = 20


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "chunk" in metafunc.fixturenames:
        count = metafunc.config.getoption("--programs")
        metafunc.parametrize("chunk", range(-(-count // CHUNK)))


def test_random_programs(chunk: int) -> None:
    @seed(chunk)
    @settings(
        max_examples=CHUNK,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(programs())
    def check(program: RandomFunction) -> None:
        check_program_at_three_shapes(program)

    check()


def check_program_at_three_shapes(program: RandomFunction) -> None:
    derived = Derived(program)
    random = np.random.default_rng(len(program.source))
    for point in range(3):
        drawn = random.permutation(np.arange(SMALLEST, LARGEST + 1))[: len(SIZES)]
        sizes = dict(zip(SIZES, map(int, drawn), strict=True))
        inputs = {i.name: i.sample(random, sizes) for i in program.inputs}
        derived.at(inputs, random, every_entry=point == 0)
