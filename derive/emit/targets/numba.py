"""Numba: jitted forward and backward functions of fused loops, and a test of one against the other."""

from __future__ import annotations

from collections.abc import Mapping

from ...ir.nodes import Program, Tensor
from ..function import assigned_tuple, called, definition, inner_name, module_docstring, tuple_text, unpacked
from ..layout import docstring, indented
from ..loops import FunctionSource, lower, module_source
from ..loops_writer import Names
from ..nested import gradients_of, nested_function, nested_gradients
from ..plan import Plan, plan_of
from ..samples import held_parts, sample_lines, samples_of
from ..target import EmitRequest, Target
from .numpy import DIFFERENCES, NUMPY, SAMPLES, held_inputs

RESERVED = ("np", "math", "rng", "results", "function", "tested", "numerical_gradient", "inputs", "gradient", "gradients",
            "expected", "position")  # fmt: skip
ROOM = 84


def emit(request: EmitRequest) -> str:
    """The source of `request` as jitted functions of C-contiguous float64 arrays."""
    plan = plan_of(request, RESERVED)
    backward = request.backward
    if backward is None:
        functions = [_function(Names().new(request.name), request.forward, request.outputs_single)]
        tail = _joined(nested_function(plan, request.name))
        return module_source(functions, doc=_module_doc(plan, ""), tail=tail)
    functions = [
        _function(f"{request.name}_forward", request.forward, request.outputs_single),
        _function(f"{request.name}_backward", backward, len(backward.outputs) == 1),
    ]
    gradients = nested_gradients(plan, lambda: _backward_call(plan, backward))
    nested = [*nested_function(plan, f"{request.name}_forward"), *gradients]
    tail = _joined([*nested, DIFFERENCES.split("\n"), _test(plan, backward)])
    return module_source(functions, doc=_module_doc(plan, " and its backward pass"), tail=tail)


def _joined(blocks: list[list[str]]) -> str:
    return "\n\n\n".join("\n".join(block) for block in blocks)


def _backward_call(plan: Plan, backward: Program) -> list[str]:
    return gradients_of(plan, f"{plan.request.name}_backward", [plan.name(t) for t in backward.inputs])


def _module_doc(plan: Plan, what: str) -> str:
    """The text of the module's docstring, without its quotes."""
    quoted = "\n".join(module_docstring(plan, f"{what}, for Numba; the arrays are C-contiguous and of float64"))
    return quoted.removeprefix('"""').removesuffix('"""')


def _function(name: str, program: Program, single: bool) -> str:
    arguments = ", ".join(map(_shape, program.inputs))
    results = ", ".join(map(_shape, program.outputs))
    doc = docstring([f"{results} from {arguments}."], ROOM)
    lines = [doc[0].removeprefix('"""').removesuffix('"""'), *doc[1:-1]] if len(doc) > 1 else [doc[0].strip('"')]
    return lower(FunctionSource(name, program, single, tuple(lines))).text


def _shape(tensor: Tensor) -> str:
    kind = {"integer": " of integers", "boolean": " of booleans"}.get(tensor.kind, "")
    return f"{tensor.name} ({', '.join(map(str, tensor.shape))}){kind}" if tensor.shape else tensor.name


def _test(plan: Plan, backward: Program) -> list[str]:
    """The gradients against differences of the forward function."""
    name, program = plan.request.name, plan.original
    samples = samples_of(program, plan.pullback)
    held = held_parts(SAMPLES, samples)
    inputs = [plan.name(t) for t in program.inputs]
    outputs = [plan.name(t) for t in program.outputs]
    cotangents = {plan.name(t): output for t, output in zip(plan.cotangents, outputs, strict=True)}
    drawn = sample_lines(plan, NUMPY, SAMPLES, samples)
    drawn = [line.replace(", ())", ")").replace("(())", "()") for line in drawn]  # numbers, not arrays without axes
    lines = ["rng = np.random.default_rng(0)", *drawn]
    lines += unpacked_results(plan, f"{name}_forward", inputs, ROOM)
    lines += [f"{g} = rng.standard_normal(np.shape({output}))" for g, output in cotangents.items()]
    lines += ["", f"def {inner_name(plan)}(*inputs):", *indented(_loss(plan, list(cotangents), held)), ""]
    free = {s.tensor.name for s in samples if s.free} or set(plan.request.wrt)
    lines += _comparison(plan, backward, [w in free for w in plan.request.wrt], held)
    doc = ['"""The gradients against differences of the function."""']
    return definition([f"def test_{name}_backward():"], doc, *lines)


def _comparison(plan: Plan, backward: Program, tested: list[bool], held: Mapping[str, str]) -> list[str]:
    """Every gradient that can be tested by moving one entry at a time, against differences."""
    positions = [[t.name for t in plan.inputs].index(w) for w in plan.request.wrt]
    names = [plan.name(t) for t in plan.inputs]
    single = len(positions) == 1
    wide = len(tuple_text(names)) > ROOM - 48
    inputs = "inputs" if wide else tuple_text(names)
    lines = called(
        f"{plan.request.name}_backward", [plan.name(t) for t in backward.inputs], ROOM,
        prefix="gradient = " if single else "gradients = ",
    )  # fmt: skip
    lines += _held_gradients(plan, held, single)
    position = str(positions[0]) if single else "position"
    lines += assigned_tuple("inputs", names, ROOM) if wide else []
    room = ROOM if single else ROOM - 4
    expected = called("numerical_gradient", [inner_name(plan), inputs, position], room, prefix="expected = ")
    compared = [*expected, "np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-9)"]
    if single:
        return [*lines, *compared]
    pairs = [f"({p}, gradients[{n}])" for n, (p, good) in enumerate(zip(positions, tested, strict=True)) if good]
    head = f"for position, gradient in [{', '.join(pairs)}]:"
    if len(pairs) == len(positions):
        head = f"for position, gradient in zip({tuple_text(positions)}, gradients):"
    if positions == list(range(len(pairs))):
        head = "for position, gradient in enumerate(gradients):"
    return [*lines, head, *indented(compared)]


def _held_gradients(plan: Plan, held: Mapping[str, str], single: bool) -> list[str]:
    """The parts of the gradients that steps within the declared facts can see."""
    if single:
        return [f"gradient = {held[w].format(x='gradient')}" for w in plan.request.wrt if w in held]
    names = [plan.name(g) for g in plan.gradients]
    parts = [
        f"{name} = {held[w].format(x=name)}" for w, name in zip(plan.request.wrt, names, strict=True) if w in held
    ]
    if not parts:
        return []
    return [*unpacked(names, "gradients", ROOM), *parts, *assigned_tuple("gradients", names, ROOM)]


def unpacked_results(plan: Plan, function: str, arguments: list[str], room: int) -> list[str]:
    """``O = function(arguments)``, or ``a, b = function(arguments)``."""
    outputs = [plan.name(t) for t in plan.request.forward.outputs]
    if plan.request.outputs_single:
        return called(function, arguments, room, f"{outputs[0]} = ")
    value = f"{function}({', '.join(arguments)})"
    if len(value) + 4 <= room:
        return unpacked(outputs, value, room)
    return [*called(function, arguments, room, "results = "), *unpacked(outputs, "results", room)]


def _loss(plan: Plan, cotangents: list[str], held: Mapping[str, str]) -> list[str]:
    """The scalar whose gradient the backward function computes: the outputs weighted by the cotangents."""
    scalars = any(not t.rank for t in plan.request.forward.inputs)
    lines, arguments = held_inputs(plan, held, ROOM - 4)
    if scalars:
        arguments = "*(x[()] for x in inputs)"
        lines += [f"inputs = {tuple_text([plan.name(t) for t in plan.inputs])}"] if held else []
    value = f"{plan.request.name}_forward({arguments})"
    if plan.request.outputs_single:
        return [*lines, f"return np.sum({cotangents[0]} * {value})"]
    outputs = [plan.name(t) for t in plan.request.forward.outputs]
    total = " + ".join(f"np.sum({g} * {o})" for g, o in zip(cotangents, outputs, strict=True))
    return [*lines, *unpacked(outputs, value, ROOM - 4), f"return {total}"]


TARGET = Target("numba", emit)
