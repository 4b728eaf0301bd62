"""Plain NumPy: a forward function, a backward function, and a test by complex steps or central differences."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import sympy
from scipy import special
from sympy.core.relational import Relational

from ...ir.nodes import Entry, Tensor, reads_of
from ...ops._record import Elementwise
from ...ops.elementwise import elementwise_ops
from ..code import Atom, Code, Items, Suffix, call
from ..dialect import Dialect, Update, increment
from ..function import (
    assigned_tuple,
    backward_body,
    backward_docstring,
    called,
    definition,
    file,
    forward_body,
    forward_docstring,
    inner_name,
    module_docstring,
    output_items,
    returned,
    text_of,
    tuple_text,
    unpacked,
    with_sizes,
)
from ..helpers import helper_blocks
from ..layout import Statement, indented, signature, standard_imports
from ..nested import gradients_of, nested_function, nested_gradients
from ..plan import Plan, plan_of
from ..routine import continues
from ..samples import Templates, held_parts, sample_lines, samples_of
from ..target import EmitRequest, Target


def _update(update: Update) -> Statement:
    """``T[i, y] -= v``, or ``np.add.at`` where an entry may be met more than once."""
    index = ", ".join(update.index)
    if not update.repeats:
        return increment(update)
    where: Code = Items(tuple(map(Atom, update.index)), "()")
    if len(update.index) == 1:
        where = Atom(index)
    elif ":" in update.index:
        where = Suffix(Atom("np.s_"), f"[{index}]")
    return Statement("", call("np.add.at", update.target, where, update.value))


NUMPY = Dialect(
    target="numpy",
    module="np",
    axis="axis",
    methods={},
    swap_last=".swapaxes(-1, -2)",
    permute=".transpose({axes})",
    infinity="np.inf",
    arange="np.arange({n})",
    arange_real="np.arange({n}, dtype={like}.dtype)",
    cast=".astype({like}.dtype)",
    concatenate="np.concatenate",
    integer=".astype(int)",
    zeros="np.zeros({shape}, dtype={like}.dtype)",
    integer_zeros="np.zeros({shape}, dtype=int)",
    full="np.full({shape}, {value}, dtype={like}.dtype)",
    update=_update,
    copy=".copy()",
    einsum=("optimize=True",),
    promotes_integers=False,
)
SAMPLES: Templates = {
    "normal": ("{x} = rng.standard_normal({shape})",),
    "positive": ("{x} = rng.uniform(0.5, 1.5, {shape})",),
    "nonnegative": ("{x} = rng.uniform(0.5, 1.5, {shape})",),
    "unit": ("{x} = rng.uniform(0.1, 0.9, {shape})",),
    "above one": ("{x} = rng.uniform(1.5, 2.5, {shape})",),
    "increasing": ("{x} = np.sort(rng.standard_normal({shape}), axis=-1)",),
    "simplex": ("{x} = rng.uniform(0.5, 1.5, {shape})", "{x} /= {x}.sum(axis=-1, keepdims=True)"),
    "one-hot": ("{x} = np.eye({last})[rng.integers({last}, size={lead})]",),
    "symmetric": ("{x} = rng.standard_normal({shape})", "{x} = {x} + {x}.swapaxes(-1, -2)"),
    "positive definite": (
        "{x} = rng.standard_normal({shape})",
        "{x} = {x} @ {x}.swapaxes(-1, -2) + np.eye({last})",
    ),
    "positive semidefinite": (
        "{x} = rng.standard_normal({shape})",
        "{x} = {x} @ {x}.swapaxes(-1, -2)",
    ),
    "diagonal": ("{x} = rng.standard_normal({shape}) * np.eye({last})",),
    "upper triangular": ("{x} = np.triu(rng.standard_normal({shape}))",),
    "binary": ("{x} = rng.integers(2, size={shape}).astype(float)",),
    "orthogonal": ("{x} = np.linalg.qr(rng.standard_normal({shape}))[0]",),
    "lower triangular": ("{x} = np.tril(rng.standard_normal({shape}))",),
    "regular": ("{x} += {last} * np.eye({last})",),
    "held symmetric": ("({x} + {x}.swapaxes(-1, -2)) / 2",),
    "held diagonal": ("{x} * np.eye({x}.shape[-1])",),
    "held lower triangular": ("np.tril({x})",),
    "held upper triangular": ("np.triu({x})",),
    "integers": ("{x} = rng.integers({bound}, size={shape})",),
    "booleans": ("{x} = rng.random({shape}) < 0.5",),
}
RESERVED = ("np", "tested", "math", "expit", "erf", "erfc", "rng", "function", "numerical_gradient", "inputs", "gradients",
            "gradient", "expected", "position", "_", "results")  # fmt: skip

COMPLEX_STEP = '''\
def numerical_gradient(function, inputs, k):
    """The gradient of a scalar function in input k, by a complex step in each entry."""
    inputs = [np.array(x) for x in inputs]
    inputs = [x.astype(complex) if x.dtype == float else x for x in inputs]
    gradient = np.zeros(inputs[k].shape)
    for entry in np.ndindex(gradient.shape):
        inputs[k][entry] += 1e-30j
        gradient[entry] = function(*inputs).imag / 1e-30
        inputs[k][entry] -= 1e-30j
    return gradient'''
DIFFERENCES = '''\
def numerical_gradient(function, inputs, k, h=1e-4):
    """The gradient of a scalar function in input k, by differences of fourth order."""
    inputs = [np.array(x) for x in inputs]
    gradient = np.zeros(inputs[k].shape)
    for entry in np.ndindex(gradient.shape):
        value = inputs[k][entry]
        for step, weight in ((1, 8), (-1, -8), (2, -1), (-2, 1)):
            inputs[k][entry] = value + step * h
            gradient[entry] += weight * function(*inputs) / (12 * h)
        inputs[k][entry] = value
    return gradient'''


def _is_analytic(plan: Plan) -> bool:
    """Whether NumPy runs every operation of the forward pass on complex numbers, and no decision depends on a real."""
    bodies = [e.body for e in plan.forward]
    used = {type(node) for body in bodies for node in sympy.preorder_traversal(body)}
    relations = [r for body in bodies for r in body.atoms(Relational)]
    decided = any(r.tensor.kind == "real" for c in relations for side in c.args for r in reads_of(side))
    calls = all(continues(body) for body in bodies if isinstance(body, Entry))
    return not decided and calls and all(_takes_complex(op) for op in elementwise_ops() if op.head in used)


def _takes_complex(op: Elementwise) -> bool:
    name = op.spelling.get("numpy", "").partition("(")[0]
    function = getattr(np, name.removeprefix("np."), None) or getattr(special, name, None)
    return op.analytic and op.kink is None and "D->D" in getattr(function, "types", ())


def emit(request: EmitRequest) -> str:
    """The source of `request` as plain NumPy."""
    name = request.name
    variants = (f"{name}_forward", f"{name}_backward", f"test_{name}_backward")
    plan = with_sizes(NUMPY, plan_of(request, (*RESERVED, *variants)))
    blocks = [*_forward(plan), *nested_function(plan, name)]
    if request.backward:
        gradients = nested_gradients(plan, lambda: _passes(plan))
        blocks = [*_forward(plan), _backward(plan), *nested_function(plan, name), *gradients, *_test(plan)]
    what = " and its backward pass, in NumPy" if request.backward else ", in NumPy"
    blocks = [*helper_blocks(text_of(blocks), "numpy"), *blocks]
    return file(module_docstring(plan, what), numpy_imports(text_of(blocks)), *blocks)


def numpy_imports(code: str) -> list[str]:
    """What code of this target imports."""
    bare = {op.spelling["numpy"].partition("(")[0] for op in elementwise_ops() if "numpy" in op.spelling}
    used = sorted(name for name in bare if "." not in name and not name.startswith("_") and re.search(rf"\b{name}\(", code))
    lines = standard_imports(code)
    lines += ["import numpy as np"] if "np." in code else []
    lines += ["import scipy.linalg"] if "scipy.linalg." in code else []
    return [*lines, *([f"from scipy.special import {', '.join(used)}"] if used else [])]


def _forward(plan: Plan) -> list[list[str]]:
    """The function; where it has more to save than it returns, a second one that returns both."""
    name, arguments = plan.request.name, [plan.name(t) for t in plan.inputs]
    outputs = output_items(plan)
    body = forward_body(NUMPY, plan, 1)
    doc = forward_docstring(plan, 1)
    if not plan.extras:
        return [definition(signature(name, arguments), doc, *body, *returned(outputs, 84))]
    inner = f"{name}_forward"
    item = "[0]" if plan.request.outputs_single else f"[:{len(plan.outputs)}]"
    short = definition(signature(name, arguments), doc, *_outputs_of(inner, arguments, item))
    both = [plan.name(t) for t in (*plan.outputs, *plan.extras)]
    doc = forward_docstring(plan, 1, plan.extras)
    return [short, definition(signature(inner, arguments), doc, *body, *returned(both, 84))]


def _outputs_of(function: str, arguments: list[str], item: str) -> list[str]:
    """Return some of the results of a call."""
    flat = f"return {function}({', '.join(arguments)}){item}"
    if len(flat) <= 84:
        return [flat]
    return [*called(function, arguments, 84, "results = "), f"return results{item}"]


def _backward_arguments(plan: Plan) -> list[str]:
    return [plan.name(t) for t in (*plan.cotangents, *plan.kept, *plan.saved)]


def _backward(plan: Plan) -> list[str]:
    body = backward_body(NUMPY, plan)
    gradients = [plan.name(t) for t in plan.gradients]
    lines = [*body.prelude, *body.lines(1, plan.backward), *returned(gradients, 84)]
    head = signature(f"{plan.request.name}_backward", _backward_arguments(plan))
    return definition(head, backward_docstring(plan, 1), *lines)


def _passes(plan: Plan) -> list[str]:
    """Forward and backward pass one after the other."""
    name, arguments = plan.request.name, [plan.name(t) for t in plan.inputs]
    results = [plan.name(t) for t in (*plan.outputs, *plan.extras)]
    needed = {plan.name(t) for t in plan.saved}
    forward = f"{name}_forward" if plan.extras else name
    single = plan.request.outputs_single and not plan.extras
    prefix = f"{results[0]} = " if single else unpacked(results, "", 200)[0]
    lines = called(forward, arguments, 84, prefix) if needed else []
    return [*lines, *gradients_of(plan, f"{name}_backward", _backward_arguments(plan))]


def _test(plan: Plan) -> list[list[str]]:
    """A function for numerical gradients, and the test that compares them with the backward pass."""
    program, name = plan.original, plan.request.name
    analytic = _is_analytic(plan)
    samples = samples_of(program, plan.pullback)
    outputs = [plan.name(t) for t in (*plan.outputs, *plan.extras)]
    forward = f"{name}_forward" if plan.extras else name
    lines = ["rng = np.random.default_rng(0)", *sample_lines(plan, NUMPY, SAMPLES, samples)]
    lines += assigned_tuple("inputs", [plan.name(t) for t in plan.inputs], 84)
    single = plan.request.outputs_single and not plan.extras
    value = f"{forward}(*inputs)"
    lines += [f"{outputs[0]} = {value}"] if single else unpacked(outputs, value, 84)
    lines += [f"{plan.name(g)} = rng.standard_normal({plan.name(o)}.shape)" for g, o in _pairs(plan)]
    held = held_parts(SAMPLES, samples)
    lines += ["", f"def {inner_name(plan)}(*inputs):", *indented(_loss(plan, held)), ""]
    lines += _comparison(plan, [s.tensor.name for s in samples if s.free], held, analytic)
    doc = [f'"""The gradients against {"complex steps" if analytic else "differences"} of the function."""']
    test = definition([f"def test_{name}_backward():"], doc, *lines)
    return [(COMPLEX_STEP if analytic else DIFFERENCES).split("\n"), test]


def _pairs(plan: Plan) -> list[tuple[Tensor, Tensor]]:
    return list(zip(plan.cotangents, plan.outputs, strict=True))


def held_inputs(plan: Plan, held: Mapping[str, str], room: int) -> tuple[list[str], str]:
    """Lines that hold inputs to what was declared of them, and how the arguments are then written."""
    if not held:
        return [], "*inputs"
    names = [plan.name(t) for t in plan.inputs]
    lines = unpacked(names, "inputs", room)
    lines += [f"{plan.names.tensors[n]} = {part.format(x=plan.names.tensors[n])}" for n, part in held.items()]
    return lines, ", ".join(names)


def _loss(plan: Plan, held: Mapping[str, str]) -> list[str]:
    """The scalar whose gradient the backward pass computes: the outputs weighted by the cotangents."""
    name = plan.request.name
    lines, arguments = held_inputs(plan, held, 80)
    if plan.request.outputs_single:
        return [*lines, f"return np.sum({plan.name(plan.cotangents[0])} * {name}({arguments}))"]
    terms = [f"np.sum({plan.name(g)} * {plan.name(o)})" for g, o in _pairs(plan)]
    return [
        *lines,
        *unpacked([plan.name(o) for o in plan.outputs], f"{name}({arguments})", 80),
        f"return {' + '.join(terms)}",
    ]


def _comparison(plan: Plan, free: list[str], held: Mapping[str, str], analytic: bool) -> list[str]:
    wrt, inner = plan.request.wrt, inner_name(plan)
    tested = [w for w in wrt if w in free] or list(wrt)
    positions = [[t.name for t in plan.inputs].index(w) for w in tested]
    names = [plan.name(g) if w in tested else "_" for w, g in zip(wrt, plan.gradients, strict=True)]
    backward = (f"{plan.request.name}_backward", _backward_arguments(plan), 84)
    tolerance = "rtol=1e-9, atol=1e-12" if analytic else "rtol=1e-7, atol=1e-9"
    compare = f"np.testing.assert_allclose(gradient, expected, {tolerance})"
    if len(wrt) == 1:
        return [
            *called(*backward, prefix="gradient = "),
            *(f"gradient = {held[w].format(x='gradient')}" for w in wrt if w in held),
            f"expected = numerical_gradient({inner}, inputs, {positions[0]})",
            compare,
        ]
    lines = called(*backward, prefix="gradients = ")
    pairs = "enumerate(gradients)"
    parts = [(plan.name(g), held[w]) for w, g in zip(wrt, plan.gradients, strict=True) if w in held]
    if tested != list(wrt) or parts:
        lines += [
            *unpacked(names, "gradients", 84),
            *(f"{name} = {part.format(x=name)}" for name, part in parts),
            *assigned_tuple("gradients", [n for n in names if n != "_"], 84),
        ]
    if positions != list(range(len(wrt))):
        pairs = f"zip({tuple_text(positions)}, gradients, strict=True)"
    loop = [f"for position, gradient in {pairs}:"]
    return [*lines, *loop, *indented([f"expected = numerical_gradient({inner}, inputs, position)", compare])]


TARGET = Target("numpy", emit)
