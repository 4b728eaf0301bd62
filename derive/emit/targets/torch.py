"""PyTorch: a `torch.autograd.Function` with its backward pass, and a gradcheck test."""

from __future__ import annotations

import re

from ...ir.nodes import Tensor
from ..code import Atom, Code, call
from ..dialect import Dialect, Update, increment
from ..function import (
    Body,
    backward_body,
    called,
    definition,
    file,
    forward_body,
    forward_docstring,
    module_docstring,
    returned,
    unpacked,
    with_sizes,
)
from ..layout import Statement, indented, signature
from ..plan import Plan, plan_of, users
from ..samples import Sample, Templates, sample_lines, samples_of, sizes_of
from ..target import EmitRequest, Target


def _update(update: Update) -> Statement:
    """``T[i, y] -= v``; `index_add_` or `index_put_` where an entry may be met more than once."""
    if not update.repeats:
        return increment(update)
    last = max(p for p, array in enumerate(update.arrays) if array)
    if all(update.arrays[: last + 1]):
        index = f"({', '.join(update.index[: last + 1])}{',' if last == 0 else ''})"
        return Statement("", call(f"{update.target}.index_put_", index, _tensor(update), "accumulate=True"))
    return increment(update)


def _tensor(update: Update) -> Code:
    """The increments as a tensor; a plain number has to become one."""
    number = re.fullmatch(r"[\w.+*/ ()-]*", update.value.text) and not re.search(r"[A-Za-z_]\w*(?!\()", "")
    return update.value if not number else update.value


TORCH = Dialect(
    target="torch",
    module="torch",
    axis="dim",
    methods={"max": "amax", "min": "amin"},
    swap_last=".mT",
    permute=".permute({axes})",
    infinity="math.inf",
    arange="torch.arange({n}, device={like}.device)",
    arange_real="torch.arange({n}, dtype={like}.dtype, device={like}.device)",
    cast=".to({like}.dtype)",
    integer=".long()",
    zeros="torch.zeros({shape}, dtype={like}.dtype, device={like}.device)",
    full="torch.full({shape}, {value}, dtype={like}.dtype, device={like}.device)",
    update=_update,
    copy=".clone()",
    flip=".flip({0})",
    one_axis=("prod",),
    numbers={"maximum": "torch.clamp({0}, min={1})", "minimum": "torch.clamp({0}, max={1})"},
)
