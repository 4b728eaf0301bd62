"""What a code target is, and what it is asked to write."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ..ir.nodes import Program
from ..structure import Structure


@dataclass(frozen=True)
class Nested:
    """The function that a user calls, with arguments and results in structures: it wraps the one of plain arrays.

    arguments: by name, numbered like the inputs of the forward program.  outputs: the structure of its results.
    gradients: by the path of an argument or of a part of one, numbered like `wrt`; `single` if only one is returned.
    """

    name: str
    arguments: dict[str, Structure]
    outputs: Structure
    gradients: dict[str, Structure] = field(default_factory=dict)
    single: bool = False


@dataclass(frozen=True)
class Objective:
    """What a boosting library is told about a loss; the program of the request is the loss of each example.

    derivatives: the gradients of each example, then its curvatures, one of either for each raw output; the inputs are
        those of the loss: raw outputs, labels, constants.
    raw: the inputs that are raw outputs of the model: one of n numbers or of n rows, or several of n numbers.
    labels: the input that holds the labels.
    constants: the other inputs, which stay as they are while trees are grown.
    curvature: the second derivative, its mean over labels of the model, or the absolute values of a row of the Hessian.
    reason: why that, in a sentence.
    """

    derivatives: Program
    raw: tuple[str, ...]
    labels: str
    constants: tuple[str, ...] = ()
    curvature: Literal["hessian", "fisher", "bound"] = "hessian"
    reason: str = ""


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
    nested: the function in structures, if this one has its arrays flat.
    objective: for a boosting library: what the inputs and outputs of `forward` are.
    """

    name: str
    forward: Program
    backward: Program | None = None
    wrt: tuple[str, ...] = ()
    cotangents: tuple[str, ...] = ()
    outputs_single: bool = True
    formulas: tuple[str, ...] = ()
    source: str = ""
    nested: Nested | None = None
    objective: Objective | None = None

    @property
    def title(self) -> str:
        """The name of the user's function."""
        return self.nested.name if self.nested else self.name


@dataclass(frozen=True)
class Target:
    """A language or framework that source can be written for; `emit` returns the complete text of a file."""

    name: str
    emit: Callable[[EmitRequest], str]
