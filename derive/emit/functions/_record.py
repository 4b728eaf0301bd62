"""The record of a function that kernels bring along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ._format import Format


@dataclass(frozen=True, eq=False)
class KernelFunction:
    """A function of scalars as source.

    name: as it is called; a function of a constant order is called ``name_2``.
    source: the text without its decorator, ``(format, order) -> text``, for kernels: without branches, so that loops over
        it become vector instructions. The numerals of a text are those of double precision; `Format.typing` types them.
    plain: a shorter text that calls the mathematical library, for modules that people read; empty if the other serves.
    library: who calls this function calls the mathematical library instead where `plain` texts are wanted.
    intrinsic: the text is that of an LLVM intrinsic, with its decorator.
    ordered: it has a constant order.
    arity: how many arguments it has beside that.
    double: it computes in double precision in kernels of single precision too.
    contract: a product and a sum may be rounded together.
    inlined: it is short and has no loops, so that a loop that calls it can become vector instructions.
    """

    name: str
    source: Callable[[Format, int], str]
    plain: str = ""
    library: bool = False
    intrinsic: bool = False
    ordered: bool = False
    arity: int = 1
    double: bool = False
    contract: bool = True
    inlined: bool = True
