"""Every function of scalars, written out: the file's own test samples within the domain and passes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import derive as dv
from derive.ops._record import Elementwise
from derive.ops.elementwise import elementwise_ops
from docs.operations import function_of

from .loading import load, run_tests_of


@pytest.mark.parametrize("op", elementwise_ops(), ids=lambda op: op.name)
def test_own_test_passes(op: Elementwise, tmp_path: Path) -> None:
    function, names = function_of(op)
    with np.errstate(all="ignore"):
        if function(*(np.ones(2) for _ in names)).dtype == bool:
            pytest.skip("truth values have no gradient")
    source = dv.trace(function, **dict.fromkeys(names, "n")).emit("numpy")
    with np.errstate(all="ignore"):
        run_tests_of(load(source, tmp_path, f"{op.name}_numpy"))


@pytest.mark.parametrize("target", ["numpy", "torch"])
def test_a_single_row_beside_others(target: str, tmp_path: Path) -> None:
    """One row of a matrix, put in front of it and behind it, keeps the axes that the others have."""

    def wrapped(A: np.ndarray) -> np.ndarray:
        return np.pad(A, [(1, 1), (0, 0)], mode="symmetric") ** 2

    pytest.importorskip(target)
    run_tests_of(load(dv.trace(wrapped, A="n m").emit(target), tmp_path, f"wrapped_{target}"))
