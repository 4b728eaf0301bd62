"""What a code target is, and what it is asked to write."""

from collections.abc import Callable
from dataclasses import dataclass

from ..ir.nodes import Program


@dataclass(frozen=True)
class EmitRequest:
    """A function to write out as source.

    name: the name of the emitted function, such as ``"attention"``.
    forward: the program of the function itself.
    backward: the vjp program, or None for a plain function. Its inputs are those of `forward`, then the
        cotangents; its leading equations are the forward ones it needs; its outputs are in the order of `wrt`.
    wrt: names of the inputs that get a gradient.
    cotangents: names of the cotangents, one for each output of `forward`.
    outputs_single: whether the function returns one array instead of a tuple.
    formulas: lines of matrix or index notation for the docstring.
    source: where the function comes from, in one line.
    """

    name: str
    forward: Program
    backward: Program | None = None
    wrt: tuple[str, ...] = ()
    cotangents: tuple[str, ...] = ()
    outputs_single: bool = True
    formulas: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class Target:
    """A language or framework that source can be written for; `emit` returns the complete text of a file."""

    name: str
    emit: Callable[[EmitRequest], str]
