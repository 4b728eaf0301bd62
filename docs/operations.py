"""The records as a page: what can be written, with which options, and the derivative that comes out."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from derive import api, scan
from derive.errors import DeriveError
from derive.ops._record import Elementwise
from derive.ops._tensor import TensorOp
from derive.ops.elementwise import elementwise_ops
from derive.ops.linalg import primitives
from derive.ops.tensor import home_of, tensor_ops

from . import operation_examples
from .operation_examples import AXES, EXAMPLES, LINEAR_ALGEBRA, LINEAR_AXES

TARGETS = ("numpy", "numba", "torch", "jax")
ROOMS = {
    "reductions": "Sums and extremes", "moments": "Moments", "norms": "Norms", "softmax": "Softmax",
    "running": "Running reductions, differences, quadrature", "contractions": "Products", "ordering": "Order",
    "windows": "Windows and convolutions", "padding": "Padding", "joining": "Putting together", "taking": "Taking apart",
    "choices": "Choices", "views": "Views", "construction": "Arrays of sizes",
}  # fmt: skip

LONGEST, CUT = 200, 60  # letters of a formula
INTRODUCTION = """\
# Supported operations

Made by `python -m docs` from the records in `derive/ops`; a test says when it is out of date. Every
derivative below is printed by `derive` itself: `gY` is the gradient of the output, `gx` that of `x`, a bracket
`[condition]` is 1 where it holds and 0 elsewhere. Capital letters are matrices, small ones vectors, `s` and `t` scalars.
The tests check value, both directions of the derivative and second order of each function against 50 digits; how far
each is off stands in [conformance.md](conformance.md).

Python's operators on arrays (`+ - * / // % ** @`, comparisons, `& | ^ ~`, `abs`, `round`, `divmod`, indexing with
integers, slices, `None`, `...`, integer arrays and constant masks) are those of the functions below. Whatever is not
here raises `UnsupportedOp`, which says what is missing and which record would add it.
"""


def document() -> str:
    """The page, in Markdown."""
    parts = [INTRODUCTION, *_elementwise(), *_tensor(), *_primitives(), *_time()]
    return "\n".join(parts).rstrip("\n") + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """The lines of a table in Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return [*("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines), ""]


def _code(lines: Iterable[str]) -> str:
    """Lines of formulas in one cell; what begins as a Taylor polynomial is cut short."""
    return "<br>".join(f"`{line if len(line) <= LONGEST else line[:CUT] + ' ...'}`" for line in lines)


# -- functions of scalars


def _elementwise() -> Iterator[str]:
    yield "## Functions of scalars, entry by entry\n"
    rows = [
        (
            _code(op.numpy),
            _code(derivative_of(op)),
            op.note,
            _targets(op.spelling if op.head else None),
            op.source,
        )
        for op in elementwise_ops()
    ]
    yield from table(("function", "derivative", "convention", "targets", "source"), rows)


def _targets(spelling: Any) -> str:
    missing = [target for target in TARGETS if spelling is not None and target not in spelling]
    return f"all but {', '.join(missing)}" if missing else "all"


def function_of(op: Elementwise) -> tuple[Callable[..., Any], tuple[str, ...]]:
    """The NumPy or SciPy function of a record, and its differentiable arguments."""
    library, _, name = op.numpy[0].rpartition(".")
    module = import_module(library)  # what a trace puts in place of a function stands in its module
    orders = (1,) * op.constants
    if op.arity - op.constants == 1:
        return lambda x: getattr(module, name)(*orders, x), ("x",)
    return lambda x, y: getattr(module, name)(*orders, x, y), ("x", "y")


def derivative_of(op: Elementwise) -> list[str]:
    """The lines of the gradient of one entry."""
    function, names = function_of(op)
    backward = api.grad(api.trace(function, **dict.fromkeys(names, "")), wrt=list(names))
    return backward.index().splitlines()


# -- functions of arrays


def _tensor() -> Iterator[str]:
    records = [op for op in dict.fromkeys(tensor_ops().values()) if op.numpy[0] in EXAMPLES]
    for room, title in ROOMS.items():
        chosen = [op for op in records if home_of(op.numpy[0]).endswith(f"/{room}.py")]
        yield f"## {title}\n"
        rows = (
            (_code(op.numpy), f"`{options(op)}`", f"`{text_of(op.numpy[0])}`", _code(backward_of(op)))
            for op in chosen
        )
        yield from table(("function", "arguments", "for example", "its derivative"), rows)


def options(op: TensorOp) -> str:
    """The arguments that a record knows."""
    parameters = list(inspect.signature(op.lower).parameters.values())[1:]
    plain = [p.replace(annotation=p.empty) for p in parameters]
    return str(inspect.Signature(plain))


def example(name: str) -> tuple[Callable[..., Any], dict[str, str]]:
    """The typical call of a NumPy name, and the axes of its arguments."""
    call = EXAMPLES[name]
    return call, {argument: AXES[argument] for argument in inspect.signature(call).parameters}


def backward_of(op: TensorOp) -> list[str]:
    """The lines of the backward pass of the typical call."""
    call, axes = example(op.numpy[0])
    try:
        return api.vjp(api.trace(call, **axes)).index().splitlines()
    except DeriveError as error:
        raise DeriveError(f"the example of {op.numpy[0]}: {error}") from error


@cache
def _texts() -> dict[str, str]:
    """The source of every example."""
    tree = ast.parse(Path(str(operation_examples.__file__)).read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Lambda):
                    found[str(key.value)] = ast.unparse(value.body)
    return found


def text_of(name: str) -> str:
    """The typical call of a NumPy name, as text."""
    return _texts()[name]


# -- linear algebra


def _primitives() -> Iterator[str]:
    yield "## Linear algebra\n"
    yield (
        "Leading axes are stacks, as in NumPy. Every derivative holds to any order; a singular matrix, or eigenvalues that "
        "coincide where eigenvectors are differentiated, are a `DomainError`. Derivatives in matrix notation, on every "
        "target:\n"
    )
    records = [op for op in dict.fromkeys(tensor_ops().values()) if op.numpy[0] not in EXAMPLES]
    rows = (
        (_code(op.numpy), f"`{options(op)}`", f"`{text_of(op.numpy[0])}`", _code(linear_backward(op.numpy[0])))
        for op in records
    )
    yield from table(("function", "arguments", "for example", "its derivative"), rows)
    yield "They are made of these primitives, each with a rule of its own:\n"
    kinds = ((f"`{p.name}`", _axes(p.operands), _axes(p.results), p.needs, p.source) for p in primitives().values())
    yield from table(("primitive", "axes of operands", "axes of results", "needs", "source"), kinds)


def _axes(groups: Iterable[str]) -> str:
    return _code(group or "scalar" for group in groups)


def linear_backward(name: str) -> list[str]:
    """The backward pass of the typical call, in matrix notation."""
    call = LINEAR_ALGEBRA[name]
    axes = {argument: LINEAR_AXES[argument] for argument in inspect.signature(call).parameters}
    return str(api.vjp(api.trace(call, **axes))).splitlines()


# -- loops over time


def _time() -> Iterator[str]:
    yield "## Time\n"
    yield (
        "`dv.scan(step, init, xs=None, length=None, reverse=False)` runs `step(carry, x) -> (carry, y)` over the "
        "leading axis of `xs`; carries, inputs and results may be containers of arrays. Its derivative is the recurrence of "
        "the adjoints:\n"
    )

    def rnn(W: Any, U: Any, h0: Any, x: Any) -> Any:
        def step(h: Any, x_t: Any) -> Any:
            h = np.tanh(W @ h + U @ x_t)
            return h, h

        return scan(step, h0, x)[1]

    backward = api.vjp(api.trace(rnn, W="n n", U="n m", h0="n", x="T m"))
    yield f"```text\n{backward}\n```\n"
