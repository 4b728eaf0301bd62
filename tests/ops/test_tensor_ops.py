"""Every tensor operation does on traced arrays what NumPy does on numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.ops.tensor import tensor_ops

from . import (
    samples_of_joining,
    samples_of_linalg,
    samples_of_ordering,
    samples_of_sums,
    samples_of_taking,
    samples_of_views,
    samples_of_windows,
)
from .samples import SAMPLES, SIZES, Sample

FILES = (
    samples_of_joining,
    samples_of_linalg,
    samples_of_ordering,
    samples_of_sums,
    samples_of_taking,
    samples_of_views,
    samples_of_windows,
)


def draw(axes: str, sizes: dict[str, int], rng: np.random.Generator) -> np.ndarray:
    """A random array for a declaration such as ``"n m, integer < k"``."""
    names, _, fact = axes.partition(",")
    shape = [sizes.get(axis) or int(axis) for axis in names.split()]
    match fact.split():
        case []:
            return rng.uniform(0.2, 1.8, shape)
        case ["boolean"]:
            return rng.random(shape) < 0.6
        case ["integer", "<", bound]:
            return rng.integers(sizes.get(bound) or int(bound), size=shape)
    raise ValueError(axes)


def in_numbers(axes: str, sizes: dict[str, int]) -> str:
    names, comma, fact = axes.partition(",")
    numbers = " ".join(str(sizes.get(axis, axis)) for axis in names.split())
    return numbers + comma + " ".join(str(sizes.get(word, word)) for word in fact.split())


def assert_equal(got: Any, expected: Any) -> None:
    if isinstance(expected, tuple | list):
        assert len(got) == len(expected)
        for g, e in zip(got, expected, strict=True):
            assert_equal(g, e)
        return
    assert np.shape(got) == np.shape(expected)
    np.testing.assert_allclose(got, np.asarray(expected, dtype=float), rtol=1e-12, atol=1e-14)


def title(sample: Sample) -> str:
    return f"{sample.uses.split()[0]}:{sample.fn.__code__.co_firstlineno}"


def run(sample: Sample, symbolic: bool, fn: Any = None) -> None:
    rng = np.random.default_rng(0)
    traced = dv.trace(sample.fn, **sample.axes) if symbolic else None
    for sizes in SIZES:
        used = {
            axis for axes in sample.axes.values() for axis in axes.partition(",")[0].split() if axis in sizes
        }
        if any(sizes[axis] < sample.least for axis in used):
            continue
        arrays = {name: draw(axes, sizes, rng) for name, axes in sample.axes.items()}
        f = traced or dv.trace(sample.fn, **{n: in_numbers(a, sizes) for n, a in sample.axes.items()})
        with np.errstate(all="ignore"):
            assert_equal(f(**arrays), (fn or sample.fn)(**arrays))


@pytest.mark.parametrize("sample", SAMPLES, ids=title)
def test_like_numpy_with_symbolic_sizes(sample: Sample) -> None:
    run(sample, symbolic=True)


@pytest.mark.parametrize("sample", SAMPLES, ids=title)
def test_like_numpy_with_known_sizes(sample: Sample) -> None:
    run(sample, symbolic=False)


def test_every_record_has_a_sample_call() -> None:
    tested = {name for sample in SAMPLES for name in sample.uses.split()}
    assert set(tensor_ops()) <= tested


def test_names_are_answered_by_one_record() -> None:
    records = list(dict.fromkeys(tensor_ops().values()))
    names = [name for record in records for name in record.numpy]
    assert len(names) == len(set(names))
    assert all(record.source for record in records)


@pytest.mark.parametrize(
    "wrong", [lambda A: np.sum(A, axis=0), lambda A: np.sum(A, axis=1) * 1.001, lambda A: np.sum(A)]
)
def test_a_wrong_lowering_would_be_noticed(wrong: Any) -> None:
    with pytest.raises(AssertionError):
        run(Sample("numpy.sum", lambda A: np.sum(A, axis=1), {"A": "n m"}), symbolic=True, fn=wrong)
