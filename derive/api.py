"""The verbs. Each is a short pipeline through the rooms of the house; start reading here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import sympy

from .calculus.jacobian import jacobian as jacobian_program
from .calculus.jvp import jvp as jvp_program
from .calculus.vjp import vjp as vjp_program
from .errors import NotDifferentiable, UnknownName, closest
from .frontends.formula import understand
from .frontends.parse_index import parse_equations
from .frontends.trace import Trace
from .frontends.trace_numpy import trace_numpy
from .function import CompiledFunction, Deferred, Function, Origin
from .ir.facts import Spec, spec
from .ir.nodes import Program, Tensor, size
from .ir.tensors import merge
from .rewrite.derived import derived, forward_names, names_of, prepare
from .verify.check import Report, check_derivative

Wrt = str | Sequence[str] | None
Traceable = Function | Deferred | Callable[..., Any]


def trace(fn: Callable[..., Any], **shapes: str | int | Spec) -> Any:
    """Turn an ordinary NumPy function into a `Function`.

    Args:
        fn: a function of arrays, untouched; it may use operators, NumPy, scipy.special, ``x.shape``, ``len``.
        shapes: for each argument the names of its axes, ``X="batch n"``, ``W="3 n"``, ``t=""`` for a scalar, with
            facts after commas or as a `spec`: ``A="n n, symmetric"``. Without any, ranks come from the first call
            and sizes are unified by the operations themselves.

    Returns:
        A `Function` (or, without shapes, one that is traced when first called).

    Raises:
        SpecError: a shape cannot be read.  UnknownName: a name is no argument of `fn`, or one has no shape.
        ShapeError: axes do not fit.  UnsupportedOp: a NumPy function has no record.
        TraceError: `fn` branches on a value, changes an array in place, or asks for a number.

    Example:
        >>> f = trace(lambda x, A: x @ A @ x, x="n", A="n n")
        >>> f([1, 2], [[1, 0], [0, 1]])
        5.0
    """
    if shapes or not inspect.signature(fn).parameters:
        specs = {name: s if isinstance(s, Spec) else spec(s) for name, s in shapes.items()}
        program, single = trace_numpy(fn, specs)
        return _function(fn, program, single)
    cache: dict[Any, Function] = {}

    def specialise(args: tuple[Any, ...], kwargs: Any) -> Function:
        bound = inspect.signature(fn).bind(*args, **kwargs)
        arrays = {name: np.asarray(value) for name, value in bound.arguments.items()}
        key = tuple((name, a.dtype.kind, tuple(n == 1 for n in a.shape)) for name, a in arrays.items())
        if key not in cache:
            cache[key] = _trace_open(fn, arrays)
        return cache[key]

    return Deferred(_name(fn), specialise)


def _trace_open(fn: Callable[..., Any], arrays: dict[str, np.ndarray]) -> Function:
    """Trace with a fresh size for every axis; the operations say which are equal."""
    names = (f"{c}{d}" for d in ("", *map(str, range(1, 1000))) for c in "nmpqrs")
    specs = {}
    for name, array in arrays.items():
        kind = {"b": "boolean", "i": "integer", "u": "integer"}.get(array.dtype.kind, "real")
        shape = tuple(sympy.S.One if n == 1 else size(next(names)) for n in array.shape)
        specs[name] = Spec(shape, kind)  # type: ignore[arg-type]
    flexible = {e for s in specs.values() for e in s.shape if e.is_Symbol}
    program, single = trace_numpy(fn, specs, Trace(flexible))
    return _function(fn, program, single)


def _function(fn: Callable[..., Any], program: Program, single: bool) -> Function:
    program = prepare(program)
    code = getattr(fn, "__code__", None)
    source = f"{Path(code.co_filename).name}:{code.co_firstlineno}" if code else ""
    structure = 0 if single else tuple(range(len(program.outputs)))
    return Function(_name(fn), program, structure, names_of(program), source=source)


def _name(fn: Callable[..., Any]) -> str:
    name = getattr(fn, "__name__", type(fn).__name__)
    return name if name.isidentifier() else "function"


def grad(f: Traceable, wrt: Wrt = None) -> Any:
    """The gradient of a scalar function; each gradient has the shape of its variable.

    Args:
        f: a `Function`, or a callable to trace.
        wrt: the name of an input gives one array, a list of names a tuple; None means every real input.

    Raises:
        NotDifferentiable: the output is no scalar, or an input is integer.  UnknownName: no such input.

    Example:
        >>> print(grad(trace(lambda x, A: x @ A @ x, x="n", A="n n"), "x"))
        gx = (A + A') x
    """
    return _lift(f, lambda g: _grad(g, wrt, "grad"))


def value_and_grad(f: Traceable, wrt: Wrt = None) -> Any:
    """``(value, gradient)`` in one function; arguments and errors as in `grad`."""
    return _lift(f, lambda g: _grad(g, wrt, "value_and_grad"))


def _grad(f: Function, wrt: Wrt, kind: Any) -> Function:
    names, single = _wrt(f, wrt)
    output = _one_output(f, kind)
    if output.rank:
        shape = ", ".join(map(str, output.shape))
        raise NotDifferentiable(
            f"{kind} needs a scalar; {f.name}() returns {output.name}[{shape}]; try: dv.vjp for a cotangent of that shape, "
            "dv.jacobian for all derivatives, or np.sum in the function"
        )
    program = vjp_program(f.program, names, {output.name: sympy.S.One})
    if kind == "value_and_grad":
        program = replace(program, outputs=(output, *program.outputs))
    gradients: Any = _structure(names, single, start=int(kind == "value_and_grad"))
    structure = (0, gradients) if kind == "value_and_grad" else gradients
    return _derived(f, program, structure, Origin(kind, f, names))


def vjp(f: Traceable, wrt: Wrt = None) -> Any:
    """The vector-Jacobian product, which is the backward pass of a layer.

    Returns:
        A Function with the inputs of `f` and a cotangent ``g<output>`` for each output, in the outputs' shapes.
    """
    return _lift(f, lambda g: _vjp(g, wrt))


def _vjp(f: Function, wrt: Wrt) -> Function:
    names, single = _wrt(f, wrt)
    program = vjp_program(f.program, names, {t.name: None for t in f.program.outputs})
    seeds = tuple(t.name for t in program.inputs[len(f.inputs) :])
    return _derived(f, program, _structure(names, single), Origin("vjp", f, names, seeds))


def jvp(f: Traceable, wrt: Wrt = None) -> Any:
    """The Jacobian-vector product.

    Returns:
        A Function with the inputs of `f` and a tangent ``d<input>`` for each of `wrt`; its outputs are ``d<output>``.
    """
    return _lift(f, lambda g: _jvp(g, wrt))


def _jvp(f: Function, wrt: Wrt) -> Function:
    names, _ = _wrt(f, wrt)
    program = jvp_program(f.program, names)
    seeds = tuple(t.name for t in program.inputs[len(f.inputs) :])
    return _derived(f, program, f.structure, Origin("jvp", f, names, seeds))


def jacobian(f: Traceable, wrt: Wrt = None) -> Any:
    """All first derivatives of one output: the output's axes first, then the input's (numerator layout)."""
    return _lift(f, lambda g: _jacobian(g, *_wrt(g, wrt)))


def _jacobian(f: Function, names: tuple[str, ...], single: bool, label: str = "J") -> Function:
    _one_output(f, "jacobian")
    pullback = _vjp(f, list(names))
    assert pullback.origin is not None
    (seed,) = pullback.origin.seeds
    cotangent = next(t for t in pullback.program.inputs if t.name == seed)
    labels = (label,) if single else tuple(f"{label}_{name}" for name in names)
    program = jacobian_program(pullback.program, cotangent, labels)
    return _derived(f, program, _structure(names, single), Origin("jacobian", f, names))


def hessian(f: Traceable, wrt: Wrt = None) -> Any:
    """All second derivatives of a scalar function; for a list of names a tuple of tuples of blocks."""
    return _lift(f, lambda g: _hessian(g, wrt))


def _hessian(f: Function, wrt: Wrt) -> Function:
    names, single = _wrt(f, wrt)
    rows = [
        _jacobian(_grad(f, name, "grad"), names, single, "H" if single else f"H_{name}") for name in names
    ]
    program = merge([row.program for row in rows])
    structure: Any = (
        0 if single else tuple(tuple(range(p * len(names), (p + 1) * len(names))) for p in range(len(names)))
    )
    return _derived(f, program, structure, Origin("hessian", f, names))


def hvp(f: Traceable, wrt: Wrt = None) -> Any:
    """The Hessian-vector product of a scalar function: inputs of `f` and tangents ``d<input>``."""
    return _lift(f, lambda g: _hvp(g, wrt))


def _hvp(f: Function, wrt: Wrt) -> Function:
    names, single = _wrt(f, wrt)
    gradient = _grad(f, list(names), "grad")
    product = _jvp(gradient, list(names))
    assert product.origin is not None
    origin = Origin("hvp", f, names, product.origin.seeds)
    return replace(
        product, structure=_structure(names, single), forward=f.forward, origin=origin, _kernels={}
    )


def check(f: Any, wrt: Wrt = None, **options: Any) -> Report:
    """Cross-check a derivative against numbers that share no code with it.

    Args:
        f: a derived `Function` or its compiled kernel; for a function that is not derived its gradient is checked.
        wrt: for a function that is not derived: the inputs to differentiate by.
        options: `seed`, `inputs` (arrays of your own as a further point).

    Returns:
        A report: method, shapes, largest error, and the smallest error that would have been caught.
    """
    kernel = f if isinstance(f, CompiledFunction) else None
    function: Function = kernel.function if kernel else f.last if isinstance(f, Deferred) and f.last else f
    if function.origin is None:
        function = (
            _grad(function, wrt, "grad") if not function.program.outputs[0].rank else _vjp(function, wrt)
        )
        kernel = function.compile(kernel.kernel.dtype) if kernel else None
    origin = function.origin
    assert origin is not None
    run: Any = function.presented if kernel is None else lambda arrays: kernel.kernel(**arrays)
    if kernel is not None:
        options.setdefault("dtype", kernel.kernel.dtype)
    seeds = {"vjp": "cotangents", "jvp": "tangents", "hvp": "tangents"}
    if origin.kind in seeds:
        options[seeds[origin.kind]] = origin.seeds
    return check_derivative(origin.base.program, run, origin.kind, origin.wrt, **options)


# -- formulas as text


def parse(text: str, /, **shapes: str | int | Spec) -> Function:
    """A formula as text, in the spelling of MATLAB and matrixcalculus.org or of NumPy; `source` says which it was.

    Args:
        text: such as ``"0.5*x'*A*x"`` or ``"0.5*x @ A @ x"``; `frontends.formula.understand` says what it means.
        shapes: as for `trace`; what is left out follows from the operations and the letters (A a matrix, x a vector).

    Raises:
        ParseError: the text is no formula; the message points at the character.
        ShapeError, UnsupportedOp, SpecError, UnknownName: as for `trace`.

    Example:
        >>> print(grad(parse("0.5*x'*A*x"), "x"))
        gx = (A + A') x / 2
    """
    found = understand(text, {name: s if isinstance(s, Spec) else spec(s) for name, s in shapes.items()})
    program = prepare(found.program)
    return Function("formula", program, 0, names_of(program), source=f"a formula in {found}")


def equations(text: str, /, outputs: Sequence[str] | None = None, **shapes: str | int | Spec) -> Function:
    """Equations in index notation, as they are printed: ``"S[i,j] = sum_k Q[i,k] K[j,k] / sqrt(d)"``.

    Args:
        text: one equation on each line; `frontends.parse_index.parse_equations` says what they mean.
        outputs: names of the results; None for what no later equation reads.
        shapes: as for `trace`, for inputs, and for results whose sizes the equations leave open.
    """
    specs = {name: s if isinstance(s, Spec) else spec(s) for name, s in shapes.items()}
    program = parse_equations(text, specs, outputs)
    single = len(program.outputs) == 1
    structure = 0 if single else tuple(range(len(program.outputs)))
    return Function("equations", program, structure, names_of(program), source="equations in index notation")


# -- what the verbs share


def _lift(f: Traceable, transform: Callable[[Function], Function]) -> Any:
    if isinstance(f, Function):
        return transform(f)
    deferred = f if isinstance(f, Deferred) else trace(f)
    return deferred.then(transform)


def _wrt(f: Function, wrt: Wrt) -> tuple[tuple[str, ...], bool]:
    """The names to differentiate by, and whether one array is returned for them."""
    tensors = {t.name: t for t in f.program.inputs}
    if wrt is None:
        names = tuple(t.name for t in tensors.values() if t.kind == "real")
        if not names:
            raise NotDifferentiable(f"{f.name}() has no real input to differentiate by")
        return names, len(names) == 1
    names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
    if not names:
        raise UnknownName("wrt is empty; give the name of an input, or a list of names")
    for name in names:
        if name not in tensors:
            raise UnknownName(f"{f.name}() has no input {name!r}; {closest(name, tensors)}")
        if tensors[name].kind != "real":
            real = ", ".join(t.name for t in tensors.values() if t.kind == "real") or "none"
            raise NotDifferentiable(
                f"{name} is {tensors[name].kind}: it has no gradient; real inputs: {real}"
            )
    if len(set(names)) != len(names):
        raise UnknownName(f"wrt names an input twice: {', '.join(names)}")
    return names, isinstance(wrt, str)


def _one_output(f: Function, what: str) -> Tensor:
    if len(f.program.outputs) != 1:
        raise NotDifferentiable(
            f"{what} needs one output; {f.name}() returns {', '.join(f.outputs)}; try: dv.vjp or dv.jvp"
        )
    return f.program.outputs[0]


def _structure(names: tuple[str, ...], single: bool, start: int = 0) -> Any:
    return start if single else tuple(range(start, start + len(names)))


def _derived(f: Function, program: Program, structure: Any, origin: Origin) -> Function:
    """Simplify a raw derivative of `f` and give it its place in the family."""
    program = derived(program, f.program)
    return Function(f.name, program, structure, forward_names(program, f.program), origin, f.source)
