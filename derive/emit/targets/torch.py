"""PyTorch: a `torch.autograd.Function` with its backward pass, and a gradcheck test."""

from __future__ import annotations

from ...ir.nodes import Equation, Tensor
from ..code import Atom, Items, call
from ..dialect import Dialect, Update, increment
from ..factor import Style
from ..function import (
    WIDEST,
    Body,
    assigned_nothing,
    assigned_tuple,
    backward_body,
    called,
    definition,
    file,
    forward_body,
    forward_docstring,
    holding,
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
from ..nested import nested_function
from ..plan import Plan, plan_of, users
from ..samples import Templates, held_parts, sample_lines, samples_of
from ..target import EmitRequest, Target


def _update(update: Update) -> Statement:
    """``T[i, y] -= v``, or `index_put_` where an entry may be met more than once."""
    if not update.repeats:
        return increment(update)
    index = [item for item, array in zip(update.index, update.arrays, strict=False) if array]
    value = call(f"{update.target}.new_tensor", update.value) if update.number else update.value
    return Statement(
        "",
        call(f"{update.target}.index_put_", Items(tuple(map(Atom, index)), "()"), value, "accumulate=True"),
    )


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
    concatenate="torch.cat",
    integer=".long()",
    zeros="{like}.new_zeros({shape})",
    integer_zeros="torch.zeros({shape}, dtype=torch.long, device={like}.device)",
    full="{like}.new_full({shape}, {value})",
    update=_update,
    copy=".clone()",
    flip=".flip({0})",
    one_axis=("prod",),
    numbers={"maximum": "torch.clamp({0}, min={1})", "minimum": "torch.clamp({0}, max={1})"},
    truth="torch.tensor",
    arrays_first=True,
)
SAMPLES: Templates = {
    "normal": ("{x} = torch.randn({dims}, dtype=torch.float64)",),
    "positive": ("{x} = torch.rand({dims}, dtype=torch.float64) + 0.5",),
    "nonnegative": ("{x} = torch.rand({dims}, dtype=torch.float64) + 0.5",),
    "unit": ("{x} = 0.1 + 0.8 * torch.rand({dims}, dtype=torch.float64)",),
    "above one": ("{x} = torch.rand({dims}, dtype=torch.float64) + 1.5",),
    "increasing": ("{x} = torch.randn({dims}, dtype=torch.float64).sort(dim=-1).values",),
    "simplex": ("{x} = torch.randn({dims}, dtype=torch.float64).softmax(dim=-1)",),
    "one-hot": ("{x} = torch.eye({last}, dtype=torch.float64)[torch.randint({last}, {lead})]",),
    "symmetric": ("{x} = torch.randn({dims}, dtype=torch.float64)", "{x} = {x} + {x}.mT"),
    "positive definite": (
        "{x} = torch.randn({dims}, dtype=torch.float64)",
        "{x} = {x} @ {x}.mT + torch.eye({last}, dtype=torch.float64)",
    ),
    "positive semidefinite": (
        "{x} = torch.randn({dims}, dtype=torch.float64)",
        "{x} = {x} @ {x}.mT",
    ),
    "diagonal": (
        "{x} = torch.randn({dims}, dtype=torch.float64)",
        "{x} = {x} * torch.eye({last}, dtype=torch.float64)",
    ),
    "upper triangular": ("{x} = torch.randn({dims}, dtype=torch.float64).triu()",),
    "binary": ("{x} = torch.randint(2, {shape}).double()",),
    "orthogonal": ("{x} = torch.linalg.qr(torch.randn({dims}, dtype=torch.float64))[0]",),
    "lower triangular": ("{x} = torch.randn({dims}, dtype=torch.float64).tril()",),
    "regular": ("{x} = {x} + {last} * torch.eye({last}, dtype=torch.float64)",),
    "held symmetric": ("({x} + {x}.mT) / 2",),
    "held diagonal": ("{x} * torch.eye({x}.shape[-1], dtype=torch.float64)",),
    "held lower triangular": ("{x}.tril()",),
    "held upper triangular": ("{x}.triu()",),
    "integers": ("{x} = torch.randint({bound}, {shape})",),
    "booleans": ("{x} = torch.rand({dims}) < 0.5",),
}
RESERVED = ("torch", "math", "ctx", "once_differentiable", "inputs", "function", "tested")


def emit(request: EmitRequest) -> str:
    """The source of `request` for PyTorch."""
    variants = (_class_name(request.name), f"test_{request.name}_gradcheck")
    plan = with_sizes(TORCH, plan_of(request, (*RESERVED, *variants), Style(first_pivot=1)))
    nested = nested_function(plan, request.name)
    if request.backward is None:
        blocks, what = [_plain(plan), *nested], ", in PyTorch"
    else:
        blocks, what = [_class(plan), _apply(plan), *nested, _test(plan)], " and its backward pass, in PyTorch"
    blocks = [*helper_blocks(text_of(blocks), "torch"), *blocks]
    return file(module_docstring(plan, what), _imports(text_of(blocks)), *blocks)


def _imports(code: str) -> list[str]:
    once = ["from torch.autograd.function import once_differentiable"] if "@once" in code else []
    return [
        *standard_imports(code),
        *(["import torch"] if "torch." in code else []),
        *once,
    ]


def _class_name(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_")) + "Function"


def _plain(plan: Plan) -> list[str]:
    head = signature(plan.request.name, [plan.name(t) for t in plan.inputs])
    body = forward_body(TORCH, plan, 1)
    return definition(head, forward_docstring(plan, 1), *body, *returned(output_items(plan), 84))


# --- the autograd function


def _class(plan: Plan) -> list[str]:
    doc = ['"""The function with the backward pass above."""']
    arguments = [plan.name(t) for t in plan.inputs]
    cotangents = [plan.name(t) for t in plan.cotangents]
    forward = ["@staticmethod", *signature("forward", ["ctx", *arguments], 84), *indented(_forward(plan))]
    once = ["@staticmethod", "@once_differentiable"]
    backward = [*once, *signature("backward", ["ctx", *cotangents], 84), *indented(_backward(plan))]
    head = f"class {_class_name(plan.request.name)}(torch.autograd.Function):"
    return [head, *indented([*doc, "", *forward, "", *backward])]


def _constants(plan: Plan) -> list[Tensor]:
    """Scalars without a gradient: they may be plain numbers, which autograd does not save."""
    return [t for t in plan.kept if not t.shape and t.name not in plan.request.wrt]


def _tensors(plan: Plan) -> list[str]:
    return [plan.name(t) for t in (*plan.kept, *plan.saved) if t not in _constants(plan)]


def _forward(plan: Plan) -> list[str]:
    body = forward_body(TORCH, plan, 2)
    saved = called("ctx.save_for_backward", _tensors(plan), 80) if _tensors(plan) else []
    constants = [f"ctx.{plan.name(t)} = {plan.name(t)}" for t in _constants(plan)]
    return [*body, *saved, *constants, *returned(output_items(plan), 80)]


def _backward(plan: Plan) -> list[str]:
    body = backward_body(TORCH, plan)
    loaded = unpacked(_tensors(plan), "ctx.saved_tensors", 80) if _tensors(plan) else []
    loaded += [f"{plan.name(t)} = ctx.{plan.name(t)}" for t in _constants(plan)]
    given = dict(zip(plan.request.wrt, (plan.name(g) for g in plan.gradients), strict=True))
    result = returned([given.get(t.name, "None") for t in plan.inputs], 80)
    return [*loaded, *body.prelude, *_gradients(plan, body), *result]


def _gradients(plan: Plan, body: Body) -> list[str]:
    """The equations that several gradients need, then those of each gradient, if it is asked for."""
    blocks = _own_equations(plan)
    if len(blocks) < 2:
        return body.lines(2, plan.backward)
    own = [e for equations in blocks.values() for e in equations]
    lines = assigned_nothing([plan.name(g) for g in plan.gradients if g.name in blocks], 80)
    lines += body.lines(2, [e for e in plan.backward if e not in own])
    inputs = [t.name for t in plan.inputs]
    for wrt, gradient in zip(plan.request.wrt, plan.gradients, strict=True):
        if gradient.name in blocks:
            lines.append(f"if ctx.needs_input_grad[{inputs.index(wrt)}]:")
            lines += indented(body.lines(3, blocks[gradient.name]))
    return lines


def _own_equations(plan: Plan) -> dict[str, list[Equation]]:
    """For each gradient, the equations that nothing else needs."""
    names = [g.name for g in plan.gradients]
    needed = users(plan)
    own: dict[str, list[Equation]] = {}
    for equation in plan.backward:
        of = needed[equation.target.name]
        if len(of) == 1 and names.count(min(of)) == 1:
            own.setdefault(min(of), []).append(equation)
    return own


def _apply(plan: Plan) -> list[str]:
    arguments = [plan.name(t) for t in plan.inputs]
    doc = forward_docstring(plan, 1)
    apply = called(f"{_class_name(plan.request.name)}.apply", arguments, 84, "return ")
    return definition(signature(plan.request.name, arguments), doc, *apply)


# --- its test


def _test(plan: Plan) -> list[str]:
    program, name = plan.original, plan.request.name
    samples = samples_of(program, plan.pullback)
    free = [s.tensor.name for s in samples if s.free]
    tested = [w for w in plan.request.wrt if w in free] or plan.request.wrt
    lines = ["torch.manual_seed(0)", *sample_lines(plan, TORCH, SAMPLES, samples)]
    lines = _requiring(lines, [plan.names.tensors[w] for w in tested])
    held = held_parts(SAMPLES, samples)
    if held:
        lines += ["", *holding(plan, held), ""]
    names = [plan.name(t) for t in plan.inputs]
    arguments = tuple_text(names)
    if len(arguments) > WIDEST:
        arguments = "inputs"
        lines += assigned_tuple(arguments, names, 84)
    checked = inner_name(plan) if held else name
    lines += called("torch.autograd.gradcheck", [checked, arguments, "rtol=1e-6", "atol=1e-6"], 84, "assert ")
    doc = ['"""The gradients against differences of the function, in double precision."""']
    return definition([f"def test_{name}_gradcheck():"], doc, *lines)


def _requiring(lines: list[str], names: list[str]) -> list[str]:
    """Ask for gradients: in the call that makes the tensor, else afterwards."""
    done: list[str] = []
    for name in names:
        last = max(p for p, line in enumerate(lines) if line.startswith(f"{name} = "))
        inline = lines[last][:-1] + ", requires_grad=True)"
        if lines[last].startswith(f"{name} = torch.randn(") and len(inline) <= 84:
            lines[last] = inline
        else:
            done.append(f"{name}.requires_grad_()")
    return lines + done


TARGET = Target("torch", emit)
