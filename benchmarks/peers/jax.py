"""jax.jit: the function written in jax.numpy, with the derivatives of jax."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..case import Arrays, Case
from ._record import Call, Peer, Setting


def build(case: Case, arrays: Arrays, setting: Setting) -> Call | None:
    if case.jax is None:
        return None
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    run = jax.jit(transformed(jax, case))
    values = [jax.numpy.asarray(a) for a in arrays.values()]
    return lambda: jax.block_until_ready(run(*values))


def transformed(jax: Any, case: Case) -> Any:
    """What the case computes, as a function of all arrays."""
    count = len(case.traced.inputs)
    places = tuple(case.traced.inputs.index(name) for name in case.by)
    at = places if len(places) > 1 else places[0]

    def f(*xs: Any) -> Any:
        return case.jax(jax, *xs)  # type: ignore[misc]

    def of_active(xs: Any) -> Any:
        def forward(*active: Any) -> Any:
            given = list(xs)
            for place, value in zip(places, active, strict=True):
                given[place] = value
            return f(*given)

        return forward

    def vjp(*xs: Any) -> Any:
        outputs, back = jax.vjp(of_active(xs[:count]), *(xs[p] for p in places))
        return back(tuple(xs[count:]) if isinstance(outputs, tuple) else xs[count])

    def hvp(*xs: Any) -> Any:
        gradient = jax.grad(of_active(xs[:count]), tuple(range(len(places))))
        return jax.jvp(gradient, tuple(xs[p] for p in places), tuple(xs[count:]))[1]

    by_name = {"value": lambda: f, "grad": lambda: jax.grad(f, at), "value_and_grad": lambda: jax.value_and_grad(f, at),
               "vjp": lambda: vjp, "hessian": lambda: jax.hessian(f, at), "hvp": lambda: hvp}  # fmt: skip
    found = by_name[case.of]()
    if case.batched:
        names = case.derived.inputs
        return jax.vmap(found, in_axes=tuple(0 if name in case.batched else None for name in names))
    return found


PEER = Peer("jax.jit", build, "jax")
