"""`vmap`: a function of one problem becomes one of a batch; which arguments have the batch axis, and where."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .deferred import Deferred, PerSize, after
from .errors import ShapeError, SpecError, UnknownName, closest
from .function import Batch, Function
from .ir.nodes import Program, Tensor
from .ir.recurrences import dependents
from .ir.sizes import solve_sizes
from .structure import Structure, is_array, is_container, is_place, leaves, mapped, parts_of
from .tracing import when_called
from .verify.sample import sample_inputs

Axes = int | None | str | Sequence[Any] | Mapping[str, Any]


def vmap(f: Any, axis: str = "batch", *, in_axes: Axes = 0, out_axes: Axes = 0) -> Any:
    """The function for a batch of problems: one more axis in every equation that depends on a batched argument.

    ``Y[i] = sum_j W[i,j] x[j]`` becomes ``Y[b,i] = sum_j W[i,j] x[b,j]``: nothing is called in a loop, and what does not
    depend on the batch is computed once. The result is a `Function` like any other: it can be differentiated, printed,
    compiled, emitted, and batched again. ``vmap(grad(loss), in_axes=["x", "y"])`` gives a gradient for each example.

    Args:
        f: a `Function`, derived ones included, or a callable to trace.
        axis: what the size of the new axis is called; no size of `f` may have that name.
        in_axes: which arguments have the batch axis and where. An integer: all of them, at that place. A name or a list
            of names: these, in front. A dict, ``{"X": 0, "w": None}``: these, at their places. A tuple: by position. None
            stands for what all problems share, and so does a name that is not mentioned. For nested arguments a path,
            ``{"params.W": 0}``, or the same containers, ``{"params": {"W": 0, "b": None}}``. Places count the axes of
            the argument as it is passed; negative ones from the end.
        out_axes: the place of the batch axis in the results: an integer for all of them, or as for `in_axes` by name or
            structure; None for one that all problems share.

    Raises:
        UnknownName: there is no such argument.  ShapeError: a place that is no axis, or a size that is called like `axis`.
        SpecError: nothing has a batch axis, or the name of the axis is none.

    Numerics: those of `f`, problem by problem.

    Example:
        >>> f = trace(lambda W, x: np.tanh(W @ x), W="m n", x="n")
        >>> print(vmap(f, in_axes="x").index())
        z[i,j] = sum_k x[i,k] W[j,k]
        Y[i,j] = tanh(z[i,j])
    """
    _check_name(axis)
    if isinstance(f, Function):
        return _vmap(f, axis, in_axes, out_axes)
    return _deferred(f if isinstance(f, Deferred) else when_called(f), axis, in_axes, out_axes)


def _check_name(axis: Any) -> None:
    if not isinstance(axis, str) or not axis.isidentifier() or keyword.iskeyword(axis):
        raise SpecError(
            f"axis is the name of the new axis, such as 'batch'; found {axis!r}"
            + ("" if isinstance(axis, str) else f"; try: vmap(f, in_axes={axis!r})")
        )


def _vmap(f: Function, axis: str, in_axes: Axes, out_axes: Axes) -> Function:
    names = {str(s) for s in f.program.sizes}
    if axis in names | f.program.tensors.keys():
        what = "a size" if axis in names else "an array"
        raise ShapeError(
            f"{f.name}() has {what} called {axis} already; try: vmap({f.name}, axis={_other(axis, names)!r})"
        )
    captured = f.captured.values if f.captured else {}
    signature = {n: part for n, part in f.signature.items() if n not in captured}
    inputs = _inputs(f, axis, in_axes, signature)
    outputs = _outputs(f, out_axes, inputs)
    batch = Batch(f, axis, inputs, outputs)
    program = batch.batched(f.program)
    ahead = (
        f.forward & program.tensors.keys()
        if f.origin
        else frozenset(e.target.name for e in program.equations)
    )
    return replace(f, program=program, forward=ahead, origin=None, batch=batch, _kernels={})


def _other(axis: str, names: Iterable[str]) -> str:
    return next(name for name in ("batch", "samples", f"{axis}_batch", "examples") if name not in names)


def _inputs(f: Function, axis: str, in_axes: Axes, signature: Mapping[str, Structure]) -> dict[str, int]:
    """The place of the batch axis of each batched input."""
    known = {
        path: leaf for name, part in signature.items() for path, leaf in leaves(part, name) if is_place(leaf)
    }
    chosen = by_path(in_axes, tuple(signature))
    _check_paths(chosen, known, f"{f.name}() has no input")
    found = {}
    for path, number in known.items():
        place = at_path(chosen, path)
        if place is not None:
            tensor = f.program.inputs[number]
            found[tensor.name] = _within(tensor, place, f"in_axes puts {axis} at {place} in {tensor.name}")
    if not found:
        what = "; in_axes says that all arguments are shared" if known else ", and has no array as argument"
        raise SpecError(
            f"no argument of {f.name}() has the axis {axis}{what}; try: in_axes={_first(known)!r}"
        )
    return found


def _first(known: Mapping[str, int]) -> dict[str, int]:
    return {next(iter(known), "x"): 0}


def _outputs(f: Function, out_axes: Axes, inputs: Mapping[str, int]) -> tuple[int | None, ...]:
    """The place of the batch axis of each output; None for one that all problems share."""
    known = {path: number for path, number in leaves(f.structure) if is_place(number)}
    named = {name: number for number, name in enumerate(f.outputs)}
    chosen = by_path(
        out_axes, tuple(map(str, parts_of(f.structure))) if is_container(f.structure) else f.outputs
    )
    if chosen.keys() <= named.keys() or not is_container(f.structure):
        known = named
    _check_paths(chosen, known, f"{f.name}() has no output")
    touched = dependents(f.program.equations, inputs, lambda e: e.reads)
    found: list[int | None] = [None] * len(f.outputs)
    for path, number in known.items():
        tensor = f.program.outputs[number]
        place = at_path(chosen, path, 0 if tensor.name in touched else None)
        if place is not None:
            place = _within(tensor, place, f"out_axes puts the batch at {place} in {tensor.name}")
        found[number] = place
    return tuple(found)


def _within(tensor: Tensor, place: int, what: str) -> int:
    if not -tensor.rank - 1 <= place <= tensor.rank:
        axes = "one axis, 0" if not tensor.rank else f"the axes 0 to {tensor.rank}"
        raise ShapeError(f"{what}[{', '.join(map(str, tensor.shape))}], which with it has {axes}")
    return place % (tensor.rank + 1)


# -- axes by path


def by_path(axes: Axes, names: Sequence[str]) -> dict[str, int | None]:
    """What `in_axes` says, by path; the empty path stands for everything.

    Raises:
        SpecError: a tuple of another length than there are names, or something that is no place.
    """
    if axes is None or (isinstance(axes, int) and not isinstance(axes, bool)):
        return {"": axes}
    if isinstance(axes, str):
        return {axes: 0}
    if isinstance(axes, Sequence) and axes and all(isinstance(a, str) for a in axes):
        return dict.fromkeys(axes, 0)
    if isinstance(axes, list | tuple):
        if len(axes) != len(names):
            raise SpecError(f"{len(axes)} places were given for {len(names)}: {', '.join(names)}")
        axes = dict(zip(names, axes, strict=True))
    if not isinstance(axes, Mapping):
        raise SpecError(f"axes are integers, None, names, or a dict or tuple of these; found {axes!r}")
    found = {path: leaf for name, value in axes.items() for path, leaf in leaves(value, name)}
    for path, leaf in found.items():
        if leaf is not None and (not isinstance(leaf, int) or isinstance(leaf, bool)):
            raise SpecError(f"the place of the batch axis in {path} is an integer or None; found {leaf!r}")
    return found


def at_path(axes: Mapping[str, int | None], path: str, default: int | None = None) -> int | None:
    """What is said of a path, or of the longest beginning of it."""
    while path not in axes and path:
        path = path.rpartition(".")[0]
    return axes.get(path, default)


def _check_paths(axes: Mapping[str, Any], known: Iterable[str], what: str) -> None:
    known = list(known)
    for path in axes:
        if path and not any(k == path or k.startswith(f"{path}.") for k in known):
            raise UnknownName(f"{what} {path!r}; {closest(path, known)}")


# -- functions whose shapes are not known yet


def _deferred(f: Deferred, axis: str, in_axes: Axes, out_axes: Axes) -> Deferred:
    """Traced for one problem of the batch that it is called with."""

    def transform(g: Function) -> Function:
        return _vmap(g, axis, in_axes, out_axes)

    if isinstance(f, PerSize):
        chosen = _of_these(in_axes, tuple(f.declared.signature))
        alone = replace(f.declared, structure=())
        declared = (
            _vmap(alone, axis, chosen, 0) if any(a is not None for a in chosen.values()) else f.declared
        )
        return PerSize(declared, lambda sizes: transform(f.at(**sizes)), f.needs)

    def specialise(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Function:
        given = [*f.parameters[: len(args)], *(f"argument {k}" for k in range(len(f.parameters), len(args)))]
        order = [
            *given,
            *(n for n in f.parameters if n in kwargs),
            *(n for n in kwargs if n not in f.parameters),
        ]
        chosen = by_path(in_axes, order)
        one = [_one(value, name, chosen) for name, value in zip(given, args, strict=True)]
        return f.specialise(tuple(one), {name: _one(value, name, chosen) for name, value in kwargs.items()})

    return Deferred(f.name, after(specialise, transform), f.parameters)


def _of_these(axes: Axes, names: tuple[str, ...]) -> dict[str, int | None]:
    """What is said of some arguments; a derivative may have more of them."""
    if isinstance(axes, list | tuple) and not all(isinstance(a, str) for a in axes):
        axes = dict(zip(names, axes, strict=False))
    found = by_path(axes, names)
    if "" in found:
        return dict.fromkeys(names, found[""])
    return {path: place for path, place in found.items() if path.partition(".")[0] in names}


def _one(value: Any, name: str, axes: Mapping[str, int | None]) -> Any:
    """An argument for one problem of the batch."""

    def alone(path: str, leaf: Any) -> Any:
        place = at_path(axes, path)
        if place is None or isinstance(leaf, str) or callable(leaf):
            return leaf
        array = leaf if is_array(leaf) else np.asarray(leaf)
        if not -array.ndim <= place < array.ndim:
            raise ShapeError(f"in_axes puts the batch at {place} in {path}, which has {array.ndim} axes")
        place %= array.ndim
        if isinstance(array, np.ndarray) and not array.shape[place]:
            return np.zeros(np.delete(array.shape, place), array.dtype)
        first: tuple[Any, ...] = (*(slice(None),) * place, 0)
        return array[first]

    plain = isinstance(value, list | tuple) and all(isinstance(x, int | float) for _, x in leaves(value))
    return mapped(np.asarray(value) if plain else value, alone, name)


# -- one of many


Run = Callable[[Mapping[str, Any]], Sequence[Any]]


def unbatched(f: Function, run: Run, rng: np.random.Generator) -> tuple[Function, Run]:
    """The function of one problem, and how to compute it with one of a batch: as the second of three problems.

    run: computes the outputs of `f` from its inputs by name; the other two problems are drawn at random.
    """
    while (batch := f.batch) is not None:
        f, run = batch.of, _second_of_three(batch, run, rng)
    return f, run


def _second_of_three(batch: Batch, run: Run, rng: np.random.Generator) -> Run:
    program: Program = batch.of.program
    drawn: dict[Any, list[Mapping[str, Any]]] = {}

    def others(arrays: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The same for all points of one shape, so that what leaks from them is no noise."""
        sizes = solve_sizes(program, arrays)
        key = tuple(sizes.values())
        if key not in drawn:
            try:
                drawn[key] = [sample_inputs(program, sizes, rng) for _ in range(2)]
            except SpecError:
                drawn[key] = [dict(arrays)] * 2
        return drawn[key]

    def alone(arrays: Mapping[str, Any]) -> list[Any]:
        before, after = others(arrays)
        given = dict(arrays)
        for name, place in batch.inputs.items():
            own = np.asarray(arrays[name])
            given[name] = np.stack(
                [before[name].astype(own.dtype), own, after[name].astype(own.dtype)], place
            )
        found = run(given)
        return [y if at is None else np.take(y, 1, at) for y, at in zip(found, batch.outputs, strict=True)]

    return alone
