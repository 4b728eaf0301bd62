"""A function and its derivatives away from the interpreter: as printed and read back, in the frameworks, as kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

import derive as dv
from derive.errors import DomainError, ParseError, ShapeError
from derive.ir.facts import Spec

from .checks import Arrays, Derived, as_tuple, close
from .maker import RandomFunction

SINGLE = 2e-3
"""Of the largest entry, in single precision, through up to a hundred operations."""


def not_contiguous(x: Any) -> Any:
    """The same array, every second entry of a larger one, its axes turned."""
    x = np.asarray(x)
    if not x.ndim:
        return x
    wide = np.zeros([2 * n for n in x.shape[::-1]], x.dtype)
    part = wide[(slice(None, None, 2),) * x.ndim]
    part[...] = x.T
    return part.T


def seeds_of(derived: Derived, function: Any, inputs: Arrays, random: np.random.Generator) -> dict[str, Any]:
    """Random tangents or cotangents, whatever the function takes; none for one that takes none."""
    names = getattr(function.origin, "seeds", ()) if function.origin is not None else ()
    outputs = as_tuple(derived.f(**inputs)) if function is derived.vjp else ()
    like = outputs or [inputs[name] for name in derived.wrt]
    return {name: random.standard_normal(np.shape(x)) for name, x in zip(names, like, strict=False)}


class ReadBack:
    """What is printed in index notation, read as equations: the same values.

    A text does not say how far an index runs that occurs in no read; such a program is not compared.
    """

    def __init__(self, derived: Derived) -> None:
        self.derived = derived
        pairs = ((f, self.again(f)) for f in (derived.f, derived.vjp))
        self.pairs = [(f, again) for f, again in pairs if again is not None]

    @staticmethod
    def again(function: Any) -> Any:
        program = function.presented
        specs = {t.name: Spec(t.shape, t.kind, t.facts, t.bound) for t in program.tensors.values()}
        try:
            return dv.equations(function.index(), outputs=[t.name for t in program.outputs], **specs)
        except ParseError as error:
            assert "it is not known what the index" in str(error)
            return None

    def at(self, inputs: Arrays, random: np.random.Generator) -> None:
        """Compare the values of both at one point."""
        for function, again in self.pairs:
            given = {**inputs, **seeds_of(self.derived, function, inputs, random)}
            found = as_tuple(again(**{t.name: given[t.name] for t in again.program.inputs}))
            for mine, right in zip(found, as_tuple(function(**given)), strict=True):
                close(mine, right, "read back")


class InFramework:
    """The emitted module of a framework, differentiated by the framework, against the interpreter."""

    def __init__(self, derived: Derived, target: str) -> None:
        self.derived, self.target = derived, target
        self.module: dict[str, Any] = {"__name__": "emitted"}
        exec(compile(derived.f.emit(target), "<emitted>", "exec"), self.module)

    def at(self, inputs: Arrays, random: np.random.Generator) -> None:
        """Compare results and gradients at one point, in both precisions."""
        seeds = seeds_of(self.derived, self.derived.vjp, inputs, random)
        outputs = as_tuple(self.derived.f(**inputs))
        gradients = as_tuple(self.derived.vjp(**inputs, **seeds))
        run = self.in_torch if self.target == "torch" else self.in_jax
        for dtype, tolerance in ((np.float64, 1e-9), (np.float32, SINGLE)):
            with np.errstate(all="ignore"):
                found, slopes = run(as_type(inputs, dtype), list(as_type(seeds, dtype).values()))
            for mine, right in zip(found, outputs, strict=True):
                close(mine, right, f"{self.target} in {dtype.__name__}", tolerance=tolerance)
            for mine, right, name in zip(slopes, gradients, self.derived.wrt, strict=True):
                scale = max(float(np.max(np.abs(g), initial=0)) for g in gradients)
                close(mine, right, f"{self.target} in {dtype.__name__}: gradient by {name}", scale, tolerance)

    def in_torch(self, inputs: Arrays, seeds: list[Any]) -> tuple[Any, Any]:
        import torch

        arrays = {name: torch.as_tensor(x) for name, x in inputs.items()}
        wanted = [arrays[name].requires_grad_() for name in self.derived.wrt]
        results = as_tuple(self.module["program"](*arrays.values()))
        slopes = torch.autograd.grad(results, wanted, [torch.as_tensor(g) for g in seeds])
        return [r.detach().numpy() for r in results], [g.numpy() for g in slopes]

    def in_jax(self, inputs: Arrays, seeds: list[Any]) -> tuple[Any, Any]:
        import jax
        import jax.numpy as jnp

        double = all(np.asarray(g).dtype == np.float64 for g in seeds)
        with jax.enable_x64(double):

            def moved(*wanted: Any) -> Any:
                given = {name: jnp.asarray(x) for name, x in inputs.items()}
                given |= dict(zip(self.derived.wrt, wanted, strict=True))
                return as_tuple(self.module["program"](*given.values()))

            results, pullback = jax.vjp(moved, *(jnp.asarray(inputs[name]) for name in self.derived.wrt))
            return results, pullback(tuple(map(jnp.asarray, seeds)))


def as_type(arrays: Arrays, dtype: Any) -> dict[str, Any]:
    return {
        name: np.array(x, dtype) if np.asarray(x).dtype.kind == "f" else np.asarray(x)
        for name, x in arrays.items()
    }


class Compiled:
    """Kernels of a function and its derivatives, against the interpreter."""

    def __init__(self, derived: Derived, dtype: Any = np.float64, parallel: bool = False, all_of_them: bool = True) -> None:
        self.derived, self.dtype = derived, dtype
        highest = derived.hvp if derived.second else derived.vjp
        functions = (derived.f, derived.vjp, derived.jvp, *((derived.hvp,) if derived.second else ()))
        self.pairs = [(f, f.compile(dtype, parallel)) for f in (functions if all_of_them else (highest,))]

    def at(self, inputs: Arrays, random: np.random.Generator) -> None:
        """Compare at one point, with arrays in order and with views of larger ones."""
        tolerance = 1e-9 if self.dtype is np.float64 else SINGLE
        for function, kernel in self.pairs:
            given = as_type({**inputs, **seeds_of(self.derived, function, inputs, random)}, self.dtype)
            expected = as_tuple(function(**as_type(given, np.float64)))
            scale = max((float(np.max(np.abs(y), initial=0)) for y in expected), default=0.0)
            for given_now in (given, {name: not_contiguous(x) for name, x in given.items()}):
                found = as_tuple(kernel(**given_now))
                for mine, right, name in zip(found, expected, function.outputs, strict=True):
                    close(mine, right, f"kernel: {name}", scale if tolerance == SINGLE else 0.0, tolerance)

    def where_there_are_values(self, program: RandomFunction, sizes: dict[Any, int]) -> None:
        """Compare at given sizes, unless NumPy or the interpreter refuses them or finds no finite numbers there."""
        random = np.random.default_rng(0)
        try:
            inputs = {i.name: i.sample(random, sizes) for i in program.inputs}
            with np.errstate(all="ignore"):
                results = [self.derived.plain(**inputs)]
                for function, _ in self.pairs:
                    results.append(function(**inputs, **seeds_of(self.derived, function, inputs, random)))
        except (ShapeError, DomainError, RuntimeWarning, ValueError, IndexError, np.linalg.LinAlgError):
            return
        if not all(np.all(np.isfinite(y)) for found in results for y in as_tuple(found)):
            return
        self.at(inputs, random)


def at_small_sizes(derived: Derived, inputs: Arrays, others: Any = ()) -> bool:
    """Compare values and gradients where sizes are 1 or 2; False where NumPy itself does not run, or has no numbers."""
    random = np.random.default_rng(0)
    try:
        with np.errstate(all="ignore"):
            expected = as_tuple(derived.plain(**inputs))
    except (ValueError, IndexError, np.linalg.LinAlgError):
        return False
    if not all(np.all(np.isfinite(y)) for y in expected):
        return False
    try:
        found = as_tuple(derived.f(**inputs))
    except (ShapeError, DomainError):
        return False
    for mine, right in zip(found, expected, strict=True):
        close(mine, right, "value at small sizes")
    derived.at(inputs, random, every_entry=True)
    for other in others:
        other.at(inputs, random)
    return True
