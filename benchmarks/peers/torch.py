"""Eager torch: the function written in torch, with its automatic differentiation."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..case import Arrays, Case
from ._record import Call, Peer, Setting


def build(case: Case, arrays: Arrays, setting: Setting) -> Call | None:
    if case.torch is None:
        return None
    torch = import_module("torch")
    torch.set_num_threads(setting.threads)
    return call(torch, case, arrays, lambda f: f)


def call(torch: Any, case: Case, arrays: Arrays, compiled: Any) -> Call:
    """A call of what the case computes; `compiled` is put around what torch is to compile."""
    count = len(case.traced.inputs)
    places = tuple(case.traced.inputs.index(name) for name in case.by)
    values = [tensor_of(torch, a) for a in arrays.values()]

    def f(*xs: Any) -> Any:
        return case.torch(torch, *xs)  # type: ignore[misc]

    if case.of in ("hessian", "hvp", "value") or case.batched:
        run = compiled(transformed(torch, case, f, count, places))

        def detached() -> Any:
            with torch.no_grad():
                return run(*values)

        return detached
    run = compiled(f)
    for place in places:
        values[place].requires_grad_(True)
    active = [values[p] for p in places]
    seeds = values[count:]

    def backward() -> Any:
        outputs = run(*values[:count])
        gradients = torch.autograd.grad(outputs, active, seeds or None)
        return (outputs.detach(), *gradients) if case.of == "value_and_grad" else gradients

    return backward


def transformed(torch: Any, case: Case, f: Any, count: int, places: tuple[int, ...]) -> Any:
    """What the case computes by torch.func."""
    func = torch.func
    at = places if len(places) > 1 else places[0]

    def hvp(*xs: Any) -> Any:
        def of_active(*active: Any) -> Any:
            given = list(xs[:count])
            for place, value in zip(places, active, strict=True):
                given[place] = value
            return f(*given)

        gradient = func.grad(of_active, tuple(range(len(places))))
        return func.jvp(gradient, tuple(xs[p] for p in places), tuple(xs[count:]))[1]

    by_name = {"value": lambda: f, "grad": lambda: func.grad(f, at), "hessian": lambda: func.hessian(f, at),
               "hvp": lambda: hvp}  # fmt: skip
    found = by_name[case.of]()
    if case.batched:
        return func.vmap(
            found, in_dims=tuple(0 if name in case.batched else None for name in case.derived.inputs)
        )
    return found


def tensor_of(torch: Any, array: Any) -> Any:
    """A tensor of its own memory and of the same type."""
    return torch.tensor(array, dtype=getattr(torch, array.dtype.name))


PEER = Peer("torch", build, "torch")
