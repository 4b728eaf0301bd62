"""Derivatives of a plain NumPy function by the complex step: nothing of `derive` takes part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .maker import RandomFunction

STEP = 1e-30
Arrays = Mapping[str, np.ndarray]


class Evidence:
    """What plain NumPy says about one function at one point."""

    def __init__(self, function: RandomFunction, inputs: Arrays) -> None:
        self.inputs = inputs
        self.wrt = function.wrt
        self.run = function.complex_function()

    def outputs(self, inputs: Arrays | None = None) -> list[np.ndarray]:
        given = self.inputs if inputs is None else inputs
        with np.errstate(all="ignore"):
            return [np.asarray(y) for y in self.run(**{k: lifted(v) for k, v in given.items()})]

    def tangent(self, direction: Arrays, at: Arrays | None = None) -> list[np.ndarray]:
        """The derivative of every output along a direction."""
        given = self.inputs if at is None else at
        moved = {
            name: lifted(x) + 1j * STEP * direction[name] if name in direction else x
            for name, x in given.items()
        }
        return [y.imag / STEP for y in self.outputs(moved)]

    def slope(self, cotangents: list[np.ndarray], direction: Arrays, at: Arrays | None = None) -> float:
        """The derivative of ``sum of cotangent * output`` along a direction."""
        return float(sum(np.sum(g * y) for g, y in zip(cotangents, self.tangent(direction, at), strict=True)))

    def gradient(self, cotangents: list[np.ndarray], name: str) -> np.ndarray:
        """The derivative of ``sum of cotangent * output`` by every entry of an input."""
        x = self.inputs[name]
        result = np.zeros(np.shape(x))
        for place in np.ndindex(np.shape(x)):
            unit = np.zeros(np.shape(x))
            unit[place] = 1.0
            result[place] = self.slope(cotangents, {name: unit})
        return result

    def curvature(self, along: Arrays, across: Arrays) -> float:
        """The second derivative ``along' H across`` of a scalar: extrapolated differences of the exact slope.

        The smallest of a few steps is needed only where a larger one reaches over a kink; the extrapolation
        that changes least is taken.
        """

        def central(step: float) -> float:
            ends = [self.slope([np.ones(())], along, self.moved(across, sign * step)) for sign in (1, -1)]
            return (ends[0] - ends[1]) / (2 * step)

        def extrapolated(step: float) -> tuple[float, float]:
            coarse, middle, fine = (central(step / 2**k) for k in range(3))
            first, second = (4 * middle - coarse) / 3, (4 * fine - middle) / 3
            best = (16 * second - first) / 15
            return abs(best - second), best

        return min(extrapolated(step) for step in (2e-3, 3e-5, 5e-7))[1]

    def moved(self, direction: Arrays, step: float) -> dict[str, np.ndarray]:
        return {k: x + step * direction[k] if k in direction else x for k, x in self.inputs.items()}


def lifted(x: Any) -> Any:
    x = np.asarray(x)
    return x + 0j if x.dtype.kind == "f" else x
