"""JAX: a function with a `jax.custom_vjp` rule, and a check_grads test."""

from __future__ import annotations

from dataclasses import replace

from ...ir.nodes import Tensor
from ...ir.recurrences import members
from ..code import Method
from ..dialect import Dialect, Update
from ..function import (
    WIDEST,
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
from ..helpers import helper_blocks, silent_failures
from ..layout import Statement, enclosed, indented, signature, standard_imports
from ..nested import nested_function
from ..plan import Plan, plan_of
from ..samples import Templates, held_parts, sample_lines, samples_of
from ..target import EmitRequest, Target
from .numpy import SAMPLES as DRAWN


def _update(update: Update) -> Statement:
    """``T = T.at[tok].add(v)``, which adds up where an entry is met more than once."""
    method = f".at[{', '.join(update.index)}].add"
    return Statement(f"{update.target} =", Method(update.base, method, (update.value,)))


JAX = Dialect(
    target="jax",
    module="jnp",
    axis="axis",
    methods={},
    swap_last=".mT",
    permute=".transpose({axes})",
    infinity="jnp.inf",
    arange="jnp.arange({n})",
    arange_real="jnp.arange({n}, dtype={like}.dtype)",
    cast=".astype({like}.dtype)",
    concatenate="jnp.concatenate",
    integer=".astype(int)",
    zeros="jnp.zeros({shape}, dtype={like}.dtype)",
    integer_zeros="jnp.zeros({shape}, dtype=int)",
    full="jnp.full({shape}, {value}, dtype={like}.dtype)",
    update=_update,
)
SAMPLES: Templates = {
    **DRAWN,
    "held symmetric": ("({x} + {x}.mT) / 2",),
    "held diagonal": ("{x} * jnp.eye({x}.shape[-1])",),
    "held lower triangular": ("jnp.tril({x})",),
    "held upper triangular": ("jnp.triu({x})",),
}
RESERVED = ("inputs", "jax", "jnp", "np", "math", "check_grads", "rng", "saved", "cotangents", "function", "tested")


def emit(request: EmitRequest) -> str:
    """The source of `request` for JAX."""
    name = request.name
    plan = plan_of(request, (*RESERVED, f"{name}_fwd", f"{name}_bwd", f"test_{name}_grads"))
    if request.backward is None:
        blocks, what = [_plain(plan), *nested_function(plan, name)], ", in JAX"
    else:
        plan = with_sizes(JAX, _keeping_integers(plan))
        rule = [_function(plan), _fwd(plan), _bwd(plan), _registration(plan)]
        blocks = [*rule, *nested_function(plan, name), _test(plan)]
        what = " and its backward pass, in JAX"
    blocks = [*helper_blocks(text_of(blocks), "jax"), *blocks]
    code = text_of(blocks)
    return file(module_docstring(plan, what, silent_failures(code)), _imports(code), *blocks)


def _keeping_integers(plan: Plan) -> Plan:
    """Integer inputs get a gradient of type float0, which has their shape."""
    kept = {t.name for t in plan.kept} | {t.name for t in plan.inputs if t.kind != "real"}
    return replace(plan, kept=tuple(t for t in plan.inputs if t.name in kept))


def _imports(code: str) -> list[str]:
    lines = standard_imports(code)
    lines += ["import jax"] if "jax." in code.replace("from jax.", "") else []
    lines += ["import jax.numpy as jnp"] if "jnp." in code else []
    lines += ["import numpy as np"] if "np." in code.replace("jnp.", "") else []
    return lines + (["from jax.test_util import check_grads"] if "check_grads" in code else [])


def _plain(plan: Plan) -> list[str]:
    head = signature(plan.request.name, [plan.name(t) for t in plan.inputs])
    body = _body(plan)
    return definition(head, forward_docstring(plan, 1), *body, *returned(output_items(plan), 84))


def _body(plan: Plan) -> list[str]:
    return _traceable(forward_body(JAX, plan, 1), [plan.name(t) for t in plan.inputs if t.shape])


def _traceable(lines: list[str], arrays: list[str]) -> list[str]:
    """A loop takes entries at a place that is traced, which arrays of NumPy cannot give."""
    if not any("fori_loop" in line for line in lines) or not arrays:
        return lines
    if len(arrays) == 1:
        return [f"{arrays[0]} = jnp.asarray({arrays[0]})", *lines]
    names = ", ".join(arrays)
    head = enclosed(f"{names} = map(jnp.asarray, (", arrays, "))", 84) if len(names) < 72 else None
    return [*(head or [f"{name} = jnp.asarray({name})" for name in arrays]), *lines]


# --- the function and its rule


def _saved(plan: Plan) -> list[str]:
    return [plan.name(t) for t in (*plan.kept, *plan.saved)]


def _function(plan: Plan) -> list[str]:
    arguments = [plan.name(t) for t in plan.inputs]
    head = ["@jax.custom_vjp", *signature(plan.request.name, arguments)]
    call = f"return {plan.request.name}_fwd("
    body = enclosed(call, arguments, ")[0]", 84) or [f"{call}{', '.join(arguments)})[0]"]
    return definition(head, forward_docstring(plan, 1), *body)


def _fwd(plan: Plan) -> list[str]:
    """The function again, which also gives what the backward pass reads."""
    head = signature(f"{plan.request.name}_fwd", [plan.name(t) for t in plan.inputs])
    outputs = output_items(plan)
    output = outputs[0] if len(outputs) == 1 else tuple_text(outputs)
    doc = ['"""The result, and what the backward pass reads."""']
    lines = [
        *_body(plan),
        *assigned_tuple("saved", _saved(plan), 84),
        f"return {output}, saved",
    ]
    return definition(head, doc, *lines)


def _bwd(plan: Plan) -> list[str]:
    cotangents = [plan.name(t) for t in plan.cotangents]
    single = plan.request.outputs_single
    head = signature(f"{plan.request.name}_bwd", ["saved", cotangents[0] if single else "cotangents"])
    lines = unpacked(_saved(plan), "saved", 84) if _saved(plan) else []
    lines += [] if single else unpacked(cotangents, "cotangents", 84)
    body = backward_body(JAX, plan)
    own = [plan.name(t) for t in (*plan.cotangents, *plan.kept) if t.shape]
    lines += _traceable([*body.prelude, *body.lines(1, plan.backward)], own)
    given = dict(zip(plan.request.wrt, (plan.name(g) for g in plan.gradients), strict=True))
    items = [given.get(t.name) or _no_gradient(plan, t) for t in plan.inputs]
    return definition(head, backward_docstring(plan, 1), *lines, *returned(items, 84, always_tuple=True))


def _registration(plan: Plan) -> list[str]:
    name = plan.request.name
    return called(f"{name}.defvjp", [f"{name}_fwd", f"{name}_bwd"], 88)


def _no_gradient(plan: Plan, tensor: Tensor) -> str:
    """JAX's zeros for integers; None for a real input that no gradient was asked for."""
    return (
        "None" if tensor.kind == "real" else f"np.zeros({plan.name(tensor)}.shape, dtype=jax.dtypes.float0)"
    )


# --- its test


def _test(plan: Plan) -> list[str]:
    program, name = plan.original, plan.request.name
    samples = samples_of(program, plan.pullback)
    free = [s.tensor.name for s in samples if s.free]
    tested = [plan.names.tensors[w] for w in ([w for w in plan.request.wrt if w in free] or plan.request.wrt)]
    arguments = [plan.name(t) for t in plan.inputs]
    lines = ["rng = np.random.default_rng(0)", *sample_lines(plan, JAX, SAMPLES, samples)]
    function = name
    held = held_parts(SAMPLES, samples)
    if tested != arguments or held:
        function = inner_name(plan)
        given = [held[t.name].format(x=plan.name(t)) if t.name in held else plan.name(t) for t in plan.inputs]
        inner = called(name, given, 76, "return ")
        lines += ["", *signature(function, tested, 80), *indented(inner), ""]
    values = tuple_text(tested)
    if len(values) > WIDEST:
        values = "inputs"
        lines += assigned_tuple(values, tested, 80)
    options = ["order=1", 'modes=["rev"]', "rtol=1e-6", "atol=1e-6"]
    options += ["eps=1e-5"] if members(program.equations) else []  # what many steps make is more curved
    lines += called("check_grads", [function, values, *options], 80)
    doc = ['"""The gradients against differences of the function, in double precision."""']
    return definition([f"def test_{name}_grads():"], doc, "with jax.enable_x64(True):", *indented(lines))


TARGET = Target("jax", emit)
