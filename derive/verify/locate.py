"""Which entry is wrong, when only combinations were compared: halve the combination until one is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .batch import Arrays
from .compare import Comparison
from .expect import Bases, Question
from .oracles import Oracle


def locate(
    question: Question, oracle: Oracle, inputs: Arrays, comparison: Comparison, lift: Any
) -> tuple[int, int, float]:
    """The row and column of the entry that explains the largest difference, and its expected value."""
    block, got = comparison.block, comparison.got
    row, column = np.unravel_index(int(np.argmax(comparison.differences(got))), np.shape(comparison.expected))
    left, right = (
        _weights(comparison.left, row, got.shape[0]),
        _weights(comparison.right, column, got.shape[1]),
    )

    def only(name: str, weights: Any) -> Bases:
        sizes = {x: int(np.size(inputs[x])) for x in question.wrt}
        return {x: lift(weights[None] if x == name else np.zeros((0, size))) for x, size in sizes.items()}

    def expected(left: Any, right: Any) -> Any:
        found = question.expected(oracle, inputs, only(block.of, left), only(block.wrt, right))[block][0]
        return found[0, 0] if question.kind == "hessian" else lift(left) @ found[:, 0]

    def difference(left: Any, right: Any) -> float:
        distance = abs(float(expected(left, right) - lift(left) @ got @ lift(right)))
        return distance if np.isfinite(distance) else np.inf

    right = _narrow(right, lambda half: difference(left, half))
    left = _narrow(left, lambda half: difference(half, right))
    truth = float(expected(np.sign(np.abs(left)), np.sign(np.abs(right))))
    return int(np.argmax(np.abs(left))), int(np.argmax(np.abs(right))), truth


def _weights(side: Any, at: Any, size: int) -> Any:
    return np.eye(1, size, int(at))[0] if side is None else np.asarray(side[at], dtype=float)


def _narrow(weights: Any, difference: Callable[[Any], float]) -> Any:
    while len(places := np.flatnonzero(weights)) > 1:
        first, second = weights.copy(), weights.copy()
        first[places[len(places) // 2 :]] = 0
        second[places[: len(places) // 2]] = 0
        weights = max((first, second), key=difference)
    return weights
