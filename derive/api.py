"""The verbs. Each is a short pipeline through the rooms of the house; start reading here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import sympy

from .batches import unbatched
from .calculus.jacobian import jacobian as jacobian_program
from .calculus.jvp import jvp as jvp_program
from .calculus.tied import from_lower_triangle, tie
from .calculus.vjp import vjp as vjp_program
from .checkpoint import Checkpointed
from .deferred import Deferred, DeferredKernel
from .errors import NotDifferentiable, UnknownName, closest
from .frontends.declared import declared
from .function import CompiledFunction, Function, Origin
from .ir.evaluate import evaluate
from .ir.nodes import Program, Tensor
from .ir.recurrences import members
from .ir.tensors import merge
from .rewrite.derived import derived, forward_names, names_of, simplified
from .structure import Structure, by_entry, is_container, matched, renumbered, shifted
from .tracing import if_nested, opened, when_called
from .verify.check import Report, check_derivative
from .wanted import Wanted, Wrt, wanted

Traceable = Function | Deferred | Callable[..., Any]


def trace(fn: Callable[..., Any], /, **shapes: Any) -> Any:
    """Turn an ordinary NumPy function into a `Function`.

    Args:
        fn: a function of arrays, untouched; it may use operators, NumPy, scipy.special, ``x.shape``, ``len``.
        shapes: for each argument the names of its axes, ``X="batch n"``, ``W="3 n"``, ``t=""`` for a scalar, with
            facts after commas or as a `spec`: ``A="n n, symmetric"``. An array stands for its own shape. Containers of
            these, ``params={"W": "n m", "b": "m"}``, declare nested arguments: dicts, lists, tuples, named tuples and
            dataclasses; what is no array in them is a constant. Without any, ranks come from the first call and sizes
            are unified by the operations themselves.

    Returns:
        A `Function` (or, without shapes, one that is traced when first called).

    Raises:
        SpecError: a shape cannot be read.  UnknownName: a name is no argument of `fn`, or one has no shape.
        ShapeError: axes do not fit.  UnsupportedOp: a NumPy function has no record.
        TraceError: `fn` branches on a value, changes an array in place, or asks for a number.

    Example:
        >>> f = trace(lambda x, A: x @ A @ x, x="n", A="n n")
        >>> print(f([1, 2], [[1, 0], [0, 1]]))
        5.0
    """
    if shapes or not inspect.signature(fn).parameters:
        return opened(fn, *declared(shapes))
    return when_called(fn)


def simplify(f: Traceable, small: Sequence[str] = ()) -> Any:
    """The same function in the shortest equations found: ``A A^-1`` is gone, ``log det(A B)`` is in parts.

    Args:
        f: a traced function.
        small: sizes that are small beside others, ``["k"]``: then ``(c I + U V')^-1`` and its determinant, with k columns
            in U and V, are written with the inverse or determinant of a k by k matrix (Woodbury, Sylvester).

    Example:
        >>> print(simplify(trace(lambda A, b: A @ np.linalg.solve(A, b), A="n n", b="n")))
        Y = b
    """
    return _lift(f, lambda g: _simplify(g, frozenset(small)))


def _simplify(f: Function, small: frozenset[str]) -> Function:
    if unknown := sorted(small - set(map(str, f.program.sizes))):
        raise UnknownName(f"{f.name}() has no size {unknown[0]!r}; {closest(unknown[0], map(str, f.program.sizes))}")
    program = simplified(f.program, small)
    return replace(f, program=program, forward=names_of(program), origin=None, _kernels={})


def grad(f: Traceable, wrt: Wrt = None, *, tied: bool = False, truncate: int | None = None) -> Any:
    """The gradient of a scalar function; each gradient has the shape of its variable.

    Args:
        f: a `Function`, or a callable to trace.
        wrt: the name of an input gives one array, a list of names a tuple; None means every real input.
        tied: for inputs declared symmetric, take ``A[i,j]`` and ``A[j,i]`` as one variable. Off the diagonal the result is
            then the sum of both partial derivatives, ``G + G' - diag(G)``; it says so when printed.
        truncate: backpropagation through time that is cut in front of every `truncate`-th step of a recurrence: no
            cotangent passes from step n k to the one before it (as if the carry were detached there). The result is
            an approximation, and says so when printed; k at least the number of steps gives the gradient itself.

    Raises:
        NotDifferentiable: the output is no scalar, an input is integer, or none is symmetric whose entries are to be
        tied.  UnknownName: no such input.

    Example:
        >>> print(grad(trace(lambda x, A: x @ A @ x, x="n", A="n n"), "x"))
        gx = (A + A') x
    """
    return _lift(f, lambda g: _grad(g, wrt, "grad", tied, truncate))


def value_and_grad(
    f: Traceable, wrt: Wrt = None, *, tied: bool = False, truncate: int | None = None
) -> Any:
    """``(value, gradient)`` in one function; arguments and errors as in `grad`."""
    return _lift(f, lambda g: _grad(g, wrt, "value_and_grad", tied, truncate))


def _grad(f: Function, wrt: Wrt, kind: Any, tied: bool = False, truncate: int | None = None) -> Function:
    by = _wrt(f, wrt)
    output = _one_output(f, kind)
    if output.rank:
        shape = ", ".join(map(str, output.shape))
        raise NotDifferentiable(
            f"{kind} needs a scalar; {f.name}() returns {output.name}[{shape}]; try: dv.vjp for a cotangent of that shape, "
            "dv.jacobian for all derivatives, or np.sum in the function"
        )
    program = vjp_program(f.program, by.names, {output.name: sympy.S.One}, _steps(f, truncate))
    structure = by.structure
    if kind == "value_and_grad":
        program = replace(program, outputs=(output, *program.outputs))
        structure = (f.structure, shifted(structure, 1))
    names = _tied(f, by.names) if tied else ()
    gradients = dict(zip(by.names, program.outputs[-len(by.names) :], strict=True))
    program = tie(program, (gradients[name] for name in names))
    origin = Origin(kind, f, by, (), names, truncate, partial(_grad, wrt=wrt, kind=kind, tied=tied, truncate=truncate))
    found = _derived(f, program, structure, origin)
    about = [*map(_about_ties, names), *_about_cuts(truncate)]
    return replace(found, note="\n".join(filter(None, [f.note, *about])))


def _tied(f: Function, wrt: tuple[str, ...]) -> tuple[str, ...]:
    """The inputs whose entries are to be tied."""
    names = tuple(t.name for t in f.program.inputs if t.name in wrt and "symmetric" in t.facts)
    if not names:
        raise NotDifferentiable(
            f"none of {', '.join(wrt)} was declared symmetric, so no entries can be tied; "
            f'try: trace({f.name}, {wrt[0]}="n n, symmetric")'
        )
    return names


def _about_ties(name: str) -> str:
    return f"{name}[i,j] and {name}[j,i] are one variable:"


def _steps(f: Function, truncate: int | None) -> int | None:
    """The number of steps after which to cut backpropagation through time."""
    if truncate is None:
        return None
    if isinstance(truncate, bool) or not isinstance(truncate, int) or truncate < 1:
        raise NotDifferentiable(f"truncate is a number of steps, at least 1; found {truncate!r}")
    if not members(f.program.equations):
        raise NotDifferentiable(f"{f.name}() has no recurrence that could be cut every {truncate} steps; try: dv.scan")
    return truncate


def _about_cuts(truncate: int | None) -> list[str]:
    if truncate is None:
        return []
    return [f"truncated: no cotangent passes back in front of step {truncate}, {2 * truncate}, ...:"]


def checkpointed(f: Function, wrt: Wrt = None, every: int | str = "sqrt") -> Checkpointed:
    """The backward pass of a function with a recurrence, in little memory.

    The carry is stored at every `every`-th step; each segment in between is computed again when its backward pass
    needs it. With ``"sqrt"``, about the square root of the number of steps, both take memory for that many steps.

    Args:
        f: a traced function with one `scan` that runs forward.
        wrt: as in `grad`.
        every: "sqrt", or a number of steps.

    Raises:
        UnsupportedOp: an equation looks at several steps at once, other than by a sum over all of them.

    Numerics: equal to `vjp` up to the order in which the contributions of the steps are added.
    """
    by = _wrt(f, wrt)
    if every != "sqrt" and (isinstance(every, bool | str) or every < 1):
        raise NotDifferentiable(f'every is "sqrt" or a number of steps, at least 1; found {every!r}')
    return Checkpointed(f.program, by.names, None if every == "sqrt" else int(every), by.structure == 0)


def vjp(
    f: Traceable, wrt: Wrt = None, *, truncate: int | None = None, checkpoint: int | str | None = None
) -> Any:
    """The vector-Jacobian product, which is the backward pass of a layer; `truncate` as in `grad`.

    Args:
        checkpoint: for a recurrence, ``"sqrt"`` or a number of steps: `checkpointed` with that `every`.

    Returns:
        A Function with the inputs of `f` and a cotangent ``g<output>`` for each output, in the outputs' shapes; for
        nested outputs one for each entry, in its structure.
    """
    if checkpoint is not None:
        if truncate is not None or not isinstance(f, Function):
            raise NotDifferentiable("checkpoint= is for a traced function with shapes, and without truncate=")
        return checkpointed(f, wrt, checkpoint)
    return _lift(f, partial(_vjp, wrt=wrt, truncate=truncate))


def _vjp(f: Function, wrt: Wrt, truncate: int | None = None) -> Function:
    by = _wrt(f, wrt)
    cotangents_of = dict.fromkeys(t.name for t in f.program.outputs)
    program = vjp_program(f.program, by.names, cotangents_of, _steps(f, truncate))
    seeds = tuple(t.name for t in program.inputs[len(f.inputs) :])
    cotangents = by_entry(f.structure, seeds)
    origin = Origin("vjp", f, by, seeds, (), truncate, partial(_vjp, wrt=wrt, truncate=truncate))
    found = _derived(f, program, by.structure, origin, cotangents)
    return replace(found, note="\n".join(filter(None, [f.note, *_about_cuts(truncate)])))


def jvp(f: Traceable, wrt: Wrt = None) -> Any:
    """The Jacobian-vector product.

    Returns:
        A Function with the inputs of `f` and a tangent ``d<input>`` for each of `wrt`; its outputs are ``d<output>``.
    """
    return _lift(f, lambda g: _jvp(g, wrt))


def _jvp(f: Function, wrt: Wrt) -> Function:
    by = _wrt(f, wrt)
    program = jvp_program(f.program, by.names)
    seeds = tuple(t.name for t in program.inputs[len(f.inputs) :])
    tangents = {
        f"d{path}".replace(".", "_") if is_container(part) else seeds[part]: part
        for path, part in by.parts.items()
    }
    origin = Origin("jvp", f, by, seeds, again=partial(_jvp, wrt=wrt))
    return _derived(f, program, f.structure, origin, tangents)


def jacobian(f: Traceable, wrt: Wrt = None) -> Any:
    """All first derivatives of one output: the output's axes first, then the input's (numerator layout)."""
    return _lift(f, lambda g: _jacobian(g, _wrt(g, wrt)))


def _jacobian(f: Function, by: Wanted, label: str = "J") -> Function:
    _one_output(f, "jacobian")
    pullback = _vjp(f, list(by.names))
    assert pullback.origin is not None
    (seed,) = pullback.origin.seeds
    cotangent = next(t for t in pullback.program.inputs if t.name == seed)
    alone = by.structure == 0
    labels = (label,) if alone else tuple(f"{label}_{name}" for name in by.names)
    program = jacobian_program(pullback.program, cotangent, labels)
    origin = Origin("jacobian", f, by, again=partial(_jacobian, by=by, label=label))
    return _derived(f, program, by.structure, origin)


def hessian(f: Traceable, wrt: Wrt = None) -> Any:
    """All second derivatives of a scalar function; for a list of names a tuple of tuples of blocks.

    For a nested argument its structure, with the structure of blocks in the place of each array.
    """
    return _lift(f, lambda g: _hessian(g, wrt))


def _hessian(f: Function, wrt: Wrt) -> Function:
    by = _wrt(f, wrt)
    label = "H" if by.structure == 0 else "H_{}"
    rows = [_jacobian(_grad(f, name, "grad"), by, label.format(name)) for name in by.names]
    program = merge([row.program for row in rows])
    count = len(by.names)
    structure = renumbered(by.structure, lambda row: shifted(by.structure, row * count))
    return _derived(f, program, structure, Origin("hessian", f, by, again=partial(_hessian, wrt=wrt)))


def hvp(f: Traceable, wrt: Wrt = None) -> Any:
    """The Hessian-vector product of a scalar function: inputs of `f` and tangents ``d<input>``."""
    return _lift(f, lambda g: _hvp(g, wrt))


def _hvp(f: Function, wrt: Wrt) -> Function:
    by = _wrt(f, wrt)
    gradient = _grad(f, list(by.names), "grad")
    product = _jvp(gradient, wrt)
    assert product.origin is not None
    origin = Origin("hvp", f, by, product.origin.seeds, again=partial(_hvp, wrt=wrt))
    return replace(product, structure=by.structure, forward=f.forward, origin=origin, _kernels={})


def check(f: Any, wrt: Wrt = None, **options: Any) -> Report:
    """Cross-check a derivative against numbers that share no code with it.

    Args:
        f: a derived `Function` or its compiled kernel; for a function that is not derived its gradient is checked. A
            batch of derivatives is checked at one of three problems, the two others being different ones.
        wrt: for a function that is not derived: the inputs to differentiate by.
        options: `seed`, `inputs` (arrays of your own as a further point).

    Returns:
        A report: method, shapes, largest error, and the smallest error that would have been caught.
    """
    if isinstance(f, DeferredKernel):
        f = f.latest
    kernel = f if isinstance(f, CompiledFunction) else None
    function: Function = kernel.function if kernel else f.latest if isinstance(f, Deferred) else f
    if not function.is_derived:
        function = (
            _grad(function, wrt, "grad") if not function.program.outputs[0].rank else _vjp(function, wrt)
        )
        kernel = function.compile(kernel.kernel.dtype) if kernel else None
    run: Any = function.stable if kernel is None else lambda arrays: kernel.kernel(**arrays)
    if function.batch is not None:
        function, run = _one_of_batch(function, run, options.get("seed", 0))
    origin = function.origin
    assert origin is not None
    if origin.truncate is not None:
        raise NotDifferentiable(
            f"{function.name}() was truncated after {origin.truncate} steps, so it is no derivative that could be checked; "
            "try: the same without truncate"
        )
    if origin.tied and isinstance(run, Program):
        return _check_tied(function, origin, **options)
    if kernel is not None:
        options.setdefault("dtype", kernel.kernel.dtype)
    seeds = {"vjp": "cotangents", "jvp": "tangents", "hvp": "tangents"}
    if origin.kind in seeds:
        options[seeds[origin.kind]] = origin.seeds
    if options.get("inputs"):
        options["inputs"] = _by_path(function, options["inputs"])
    report = check_derivative(origin.base.program, run, origin.kind, origin.wrt, **options)
    note = " ".join(line.strip() for line in function.note.removesuffix(":").splitlines())
    return replace(report, notes=(*report.notes, note)) if note else report


def _one_of_batch(function: Function, run: Any, seed: int) -> tuple[Function, Any]:
    """The derivative of which a batch was made, computed as one of a batch."""

    def batch(arrays: Mapping[str, Any]) -> Sequence[Any]:
        if not isinstance(run, Program):
            return run(arrays)
        values = evaluate(run, arrays)
        return [values[t.name] for t in run.outputs]

    return unbatched(function, batch, np.random.default_rng(seed))


def _check_tied(function: Function, origin: Origin, **options: Any) -> Report:
    """The lower triangles of tied gradients against a function that reads nothing else of these inputs."""
    base = from_lower_triangle(origin.base.program, origin.tied)
    outputs = dict(zip(origin.wrt, function.outputs[-len(origin.wrt) :], strict=True))

    def run(arrays: Mapping[str, Any]) -> list[Any]:
        values = evaluate(function.stable, arrays)
        lower = {outputs[name] for name in origin.tied}
        return [np.tril(values[name]) if name in lower else values[name] for name in function.outputs]

    return check_derivative(base, run, origin.kind, origin.wrt, **options)


def _by_path(function: Function, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays by the names of inputs, from arguments in their structure."""
    found: dict[str, Any] = {}
    for name, value in inputs.items():
        part = function.signature.get(name)
        if part is None:
            found[name] = value
        else:
            found |= {function.inputs[place]: array for place, array in matched(part, value, name).items()}
    return found


# -- what the verbs share


def _lift(f: Traceable, transform: Callable[[Function], Function]) -> Any:
    if isinstance(f, Function):
        return transform(f)
    deferred = f if isinstance(f, Deferred) else trace(f)
    return deferred.then(transform)


def _wrt(f: Function, wrt: Wrt) -> Wanted:
    return wanted(f.name, f.signature, f.program.inputs, wrt)


def _one_output(f: Function, what: str) -> Tensor:
    if len(f.program.outputs) != 1:
        raise NotDifferentiable(
            f"{what} needs one output; {f.name}() returns {', '.join(f.outputs)}; try: dv.vjp or dv.jvp"
        )
    return f.program.outputs[0]


def _derived(
    f: Function, program: Program, structure: Structure, origin: Origin, seeds: Mapping[str, Structure] | None = None
) -> Function:
    """Simplify a raw derivative of `f` and give it its place in the family; `seeds` are its additional arguments."""
    program = derived(program, f.program)
    more = {name: shifted(part, len(f.inputs)) for name, part in (seeds or {}).items()}
    arguments = {**f.signature, **more}
    if not f.captured:
        arguments = if_nested(arguments)
    gone = {*f.forward, *f.outputs} - program.tensors.keys()
    ahead = forward_names(program, f.program) | gone
    return Function(f.name, program, structure, ahead, origin, f.source, arguments, f.note, f.captured)
