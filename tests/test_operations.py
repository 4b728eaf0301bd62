"""The table of supported operations is current and complete; what is not in it names itself and says how to add it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special

import derive as dv
from derive.emit.emit import emit_source
from derive.errors import UnsupportedOp
from derive.ops.elementwise import elementwise_ops, op_of_head, op_of_numpy
from derive.ops.tensor import tensor_ops
from docs.operation_examples import AXES, EXAMPLES
from docs.operations import ROOMS, document, text_of

PAGE = Path(__file__).parents[1] / "docs" / "operations.md"
ROOT = Path(__file__).parents[1]


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == document(), "out of date; run: python -m docs"


def test_every_record_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    names = [*tensor_ops(), *(name for op in elementwise_ops() for name in op.numpy)]
    assert [name for name in names if f"`{name}`" not in page] == []
    rooms = {path.stem for path in (ROOT / "derive" / "ops" / "tensor").glob("[a-z]*.py")}
    assert set(ROOMS) <= rooms


def test_every_record_has_its_row_of_errors() -> None:
    page = (PAGE.parent / "conformance.md").read_text(encoding="utf-8")
    names = [*EXAMPLES, *(op.name for op in elementwise_ops())]
    assert [name for name in names if f"| `{name}` |" not in page] == [], "run: python -m tests.ops.conformance"


def test_every_example_belongs_to_a_record_and_says_its_axes() -> None:
    first = {op.numpy[0] for op in tensor_ops().values()}
    assert set(EXAMPLES) <= first
    assert {name for name in first - set(EXAMPLES) if ".linalg." not in name} == set()
    used = {
        argument
        for call in EXAMPLES.values()
        for argument in call.__code__.co_varnames[: call.__code__.co_argcount]
    }
    assert used <= set(AXES)
    assert text_of("numpy.diff") == "np.diff(x)"


# --- what users of NumPy and SciPy will look for, from the list that the project set itself

WANTED = """
matmul dot vdot vecdot inner outer kron tensordot einsum trace diagonal diag tril triu eye identity zeros ones full zeros_like ones_like
full_like arange linspace transpose swapaxes moveaxis reshape ravel expand_dims squeeze broadcast_to repeat tile roll flip pad concatenate
stack hstack vstack split take take_along_axis where sum mean var std prod max min ptp average cumsum cumprod diff sort argsort argmax
linalg.norm lib.stride_tricks.sliding_window_view convolve correlate argmin median interp trapezoid meshgrid column_stack dstack array_split
"""
WANTED_OF_SCIPY = """
special.expit special.logit special.log_expit special.erf special.erfc special.erfcx special.ndtr special.log_ndtr special.gammaln
special.digamma special.polygamma special.betaln special.xlogy special.xlog1py special.entr special.rel_entr special.kl_div
special.logsumexp special.softmax special.log_softmax special.i0e special.i1e special.i0 special.i1 special.ndtri special.erfinv
special.exprel signal.convolve signal.correlate
"""


def test_nothing_of_the_list_is_missing() -> None:
    known = {*tensor_ops(), *(name for op in elementwise_ops() for name in op.numpy)}
    wanted = {f"numpy.{name}" for name in [*WANTED.split(), "sinc", "hypot", "heaviside"]}
    assert (wanted | {f"scipy.{name}" for name in WANTED_OF_SCIPY.split()}) - known == set()


# --- what is missing names itself


CASES: list[tuple[Callable[..., Any], list[str]]] = [
    (lambda x: np.unwrap(x), ["numpy.unwrap", "one record in derive/ops/elementwise", "derive/ops/tensor", "docs/operations.md"]),
    (lambda x: special.jv(1, x), ["scipy.special.jv", "derive/ops/elementwise"]),
    (lambda x: np.pad(x, 1, mode="mean"), ["numpy.pad", "mode='mean'", "'edge'", "derive/ops/tensor/padding.py"]),
    (lambda x: np.nansum(x, where=x > 0), ["numpy.nansum", "'where'", "derive/ops/tensor/moments.py"]),
    (lambda x: np.sum(x, dtype=int), ["numpy.sum", "dtype=int64", "floating-point", "derive/ops/tensor"]),
    (lambda x: np.quantile(x, 0.5, method="weibull"), ["numpy.quantile", "weibull", "derive/ops/tensor/ordering.py"]),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "words"), CASES)
def test_what_is_missing_says_how_to_add_it(fn: Callable[..., Any], words: list[str]) -> None:
    with pytest.raises(UnsupportedOp) as caught:
        dv.trace(fn, x="n")
    assert [
        word for word in (*words, "to add it", "test_operations.py") if word not in str(caught.value)
    ] == []


@pytest.mark.parametrize("target", ["numpy", "numba", "torch", "jax"])
def test_a_missing_spelling_names_the_record(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    record = op_of_numpy("scipy.special.erfcx")
    assert record is not None
    without = replace(record, spelling={k: v for k, v in record.spelling.items() if k != target})
    for module in ("derive.emit.scalars", "derive.emit.loops_scalar"):
        monkeypatch.setattr(
            f"{module}.op_of_head", lambda head: without if head is record.head else op_of_head(head)
        )
        monkeypatch.setattr(f"{module}.home_of", lambda op: "derive/ops/elementwise/special.py")
    request = dv.trace(lambda x: special.erfcx(x), x="n").request
    with pytest.raises(
        UnsupportedOp, match=rf"erfcx has no spelling for {target}.*\n.*to add it.*special\.py"
    ):
        emit_source(request, target)
