"""What must hold for every traced function and its derivatives."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

import derive as dv
from derive.ir.check import check_program

from .evidence import Arrays, Evidence
from .maker import RandomFunction

TOLERANCE = 1e-9
LINES_FOR_A_HESSIAN = 4
"""Hessians of longer random programs take seconds to derive."""


def close(found: Any, expected: Any, what: str, scale: float = 0.0, tolerance: float = TOLERANCE) -> None:
    """Equal shapes and equal entries, relative to the largest one (at least `scale`)."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, not {expected.shape}"
    size = max(scale, float(np.max(np.abs(expected), initial=0.0)), 1e-3)
    error = np.abs(found - expected)
    bad = ~(error <= tolerance * size)
    where = np.argwhere(bad)[:3].tolist()
    assert not np.any(bad), (
        f"{what}: {found[bad][:3]} found where {expected[bad][:3]} is right; entries {where}"
    )


class Derived:
    """The derivatives of one function, each checked for being well formed as it is made."""

    def __init__(self, random_function: RandomFunction) -> None:
        self.random = random_function
        self.plain = random_function.function()
        self.wrt = random_function.wrt
        self.f = self.well_formed(dv.trace(self.plain, **random_function.specs))
        self.vjp = self.well_formed(dv.vjp(self.f, self.wrt))
        self.jvp = self.well_formed(dv.jvp(self.f, self.wrt))
        self.second = random_function.scalar
        if self.second:
            self.hvp = self.well_formed(dv.hvp(self.f, self.wrt))
            small = len(random_function.lines) <= LINES_FOR_A_HESSIAN
            self.hessian = self.well_formed(dv.hessian(self.f, self.wrt[0])) if small else None

    @staticmethod
    def well_formed(function: Any) -> Any:
        check_program(function.program)
        check_program(function.presented)
        return function

    def at(self, inputs: Arrays, random: np.random.Generator, every_entry: bool) -> None:
        """Check values and derivatives at one point."""
        evidence = Evidence(self.random, inputs)
        outputs = as_tuple(self.plain(**inputs))
        for mine, y, z in zip(as_tuple(self.f(**inputs)), outputs, evidence.outputs(), strict=True):
            close(mine, y, "value")
            close(z.real, y, "the complex step's own value")
        cotangents = [random.standard_normal(np.shape(y)) for y in outputs]
        direction = {name: random.standard_normal(np.shape(inputs[name])) for name in self.wrt}
        gradients = as_tuple(self.vjp(**inputs, **self.seeds(self.vjp, cotangents)))
        tangents = as_tuple(self.jvp(**inputs, **self.seeds(self.jvp, direction.values())))
        scale = self.first_order(evidence, cotangents, direction, gradients, tangents, every_entry)
        if self.second:
            self.second_order(evidence, inputs, direction, scale)

    @staticmethod
    def seeds(function: Any, values: Any) -> dict[str, Any]:
        return dict(zip(function.origin.seeds, values, strict=True))

    def first_order(
        self,
        evidence: Evidence,
        cotangents: Any,
        direction: Arrays,
        gradients: Any,
        tangents: Any,
        every_entry: bool,
    ) -> float:
        for mine, right in zip(tangents, evidence.tangent(direction), strict=True):
            close(mine, right, "jvp")
        parts = [np.asarray(g) * direction[name] for g, name in zip(gradients, self.wrt, strict=True)]
        scale = float(sum(np.sum(np.abs(p)) for p in parts))
        along = sum(float(np.sum(g * dy)) for g, dy in zip(cotangents, tangents, strict=True))
        close(sum(float(np.sum(p)) for p in parts), along, "<vjp(gY), dX> = <gY, jvp(dX)>", scale)
        if every_entry:
            for mine, name in zip(gradients, self.wrt, strict=True):
                close(mine, evidence.gradient(cotangents, name), f"vjp by {name}")
        return scale

    def second_order(self, evidence: Evidence, inputs: Arrays, direction: Arrays, scale: float) -> None:
        products = as_tuple(self.hvp(**inputs, **self.seeds(self.hvp, direction.values())))
        parts = [np.asarray(p) * direction[name] for p, name in zip(products, self.wrt, strict=True)]
        scale = max(scale, float(sum(np.sum(np.abs(p)) for p in parts)))
        curvature = evidence.curvature(direction, direction)
        close(sum(float(np.sum(p)) for p in parts), curvature, "v' hvp(v)", scale, 1e-6)
        if self.hessian is None:
            return
        name = self.wrt[0]
        alone = {name: direction[name]}
        zeros = {n: np.zeros_like(d) for n, d in direction.items()}
        product = as_tuple(self.hvp(**inputs, **self.seeds(self.hvp, (zeros | alone).values())))[0]
        hessian = np.asarray(self.hessian(**inputs))
        rank = np.ndim(direction[name])
        close(np.tensordot(hessian, direction[name], rank), product, f"hessian by {name} times v", scale)


class Written:
    """The function and its backward pass as emitted NumPy source, against the interpreter."""

    def __init__(self, derived: Derived) -> None:
        self.derived = derived
        source = derived.f.emit("numpy")
        self.module: dict[str, Any] = {"__name__": "emitted"}
        exec(compile(source, "<emitted>", "exec"), self.module)

    def at(self, inputs: Arrays, random: np.random.Generator) -> None:
        """Compare the emitted forward and backward functions at one point."""
        derived = self.derived
        outputs = as_tuple(derived.f(**inputs))
        saving = "program_forward" if "program_forward" in self.module else "program"
        returned = as_tuple(self.call(saving, inputs))
        for found in (as_tuple(self.call("program", inputs)), returned[: len(outputs)]):
            for mine, right in zip(found, outputs, strict=True):
                close(mine, right, "emitted forward")
        seeds = Derived.seeds(derived.vjp, [random.standard_normal(np.shape(y)) for y in outputs])
        gradients = as_tuple(derived.vjp(**inputs, **seeds))
        given = {**inputs, **seeds, **dict(zip(derived.f.outputs, returned, strict=False))}
        saved = [name for name in self.arguments("program_backward") if name not in given]
        given |= dict(zip(saved, returned[len(outputs) :], strict=True))
        backward = as_tuple(self.call("program_backward", given))
        for mine, right, name in zip(backward, gradients, derived.wrt, strict=True):
            close(mine, right, f"emitted gradient by {name}")

    def call(self, name: str, given: Arrays) -> Any:
        """An emitted function, with the arguments that it names."""
        return self.module[name](**{argument: given[argument] for argument in self.arguments(name)})

    def arguments(self, name: str) -> list[str]:
        return list(inspect.signature(self.module[name]).parameters)


def as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
