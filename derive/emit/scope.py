"""The names that one emitted function can see: its tensors, the sizes it reads from shapes, its index vectors."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from itertools import count

import sympy
from sympy import Expr

from ..errors import DeriveError
from ..ir.nodes import Bracket, Equation, Index, Program, Read, Tensor, Where, reads_of
from .code import Atom, Code
from .dialect import Dialect


class Names:
    """Python identifiers for tensors and sizes, the same in every function of an emitted file."""

    def __init__(self, programs: Iterable[Program], reserved: Iterable[str] = ()) -> None:
        self.taken = set(reserved)
        self.tensors: dict[str, str] = {}
        self.sizes: dict[sympy.Symbol, str] = {}
        self.locals: dict[tuple[str, int], str] = {}
        programs = list(programs)
        for program in programs:
            for name in program.tensors:
                if name not in self.tensors:
                    self.tensors[name] = self.fresh(name)
        for program in programs:
            for symbol in program.sizes:
                if symbol not in self.sizes:
                    self.sizes[symbol] = self.fresh(symbol.name)

    def of_loop(self, stem: str, depth: int) -> str:
        """An identifier that all loops within `depth` others have in common: their counter, their function."""
        if (stem, depth) not in self.locals:
            self.locals[stem, depth] = self.fresh(stem)
        return self.locals[stem, depth]

    def fresh(self, stem: str) -> str:
        """An identifier like `stem` that nothing else has."""
        stem = re.sub(r"\W", "_", stem)
        stem = stem if stem.isidentifier() and not keyword.iskeyword(stem) else f"{stem}_"
        stem = stem if stem.isidentifier() else f"_{stem}"
        name, number = stem, 1
        while name in self.taken:
            number += 1
            name = f"{stem}_{number}" if stem[-1:].isdigit() else f"{stem}{number}"
        self.taken.add(name)
        return name


class Scope:
    """One function under construction; what it turns out to need is written by `prelude.py`.

    outside: its arguments come from the user, and may be arrays of another framework.
    """

    def __init__(self, dialect: Dialect, names: Names, arguments: Sequence[Tensor]) -> None:
        self.dialect, self.names, self.arguments = dialect, names, tuple(arguments)
        self.codes: dict[str, Code] = {}
        self.numbers = count()
        self.positions = {name: position for position, name in enumerate(names.tensors)}
        self.symbols: dict[sympy.Symbol, None] = {}
        self.vectors: dict[Index, tuple[str, Code]] = {}
        self.calls: dict[str, tuple[Equation, ...]] = {}
        self.like: str | None = None
        self.trusting = False
        self.outside = False
        self.casts = not dialect.promotes_integers

    # --- tensors

    def tensor(self, tensor: Tensor) -> Code:
        """The name of a tensor, or the code of one that has none."""
        return self.codes.get(tensor.name) or Atom(self.names.tensors[tensor.name])

    def unnamed(self, code: Code, axes: Sequence[Index], position: int) -> Read:
        """A read of an array that is only an expression; `position` says where it sorts among the tensors."""
        return Read(self.array(code, tuple(axis.extent for axis in axes), position), axes)

    def array(self, code: Code, shape: tuple[Expr, ...], position: int) -> Tensor:
        """A tensor that is only an expression."""
        tensor = Tensor(f"#{next(self.numbers)}", shape)
        self.codes[tensor.name] = code
        self.positions[tensor.name] = position
        return tensor

    def template(self) -> str:
        """The name of an array whose type the results have: one read by the equation, else an argument."""
        if self.like is not None:
            return self.like
        real = [t for t in self.arguments if t.kind == "real"]
        if not real:
            raise DeriveError("no argument says which floating-point type the result has")
        return self.names.tensors[max(real, key=lambda t: t.rank > 0).name]

    def look_at(self, body: Expr) -> None:
        """Prepare for the body of an equation.

        The type of new arrays is that of a tensor it reads, an array rather than a scalar. A read that is not
        under a condition stays in its tensor.
        """
        real = [
            r.tensor for r in reads_of(body) if r.tensor.kind == "real" and r.tensor.name not in self.codes
        ]
        best = max(real, key=lambda t: t.rank > 0, default=None)
        self.casts = not (real and self.dialect.promotes_integers)
        self.like = self.names.tensors[best.name] if best is not None and best.rank else None
        self.trusting = not body.has(Bracket, Where)

    # --- sizes and index vectors

    def size(self, symbol: sympy.Symbol) -> Code:
        self.symbols.setdefault(symbol)
        if symbol not in self.names.sizes:
            self.names.sizes[symbol] = self.names.fresh(symbol.name)
        return Atom(self.names.sizes[symbol])

    def vector(self, index: Index, extent: Code) -> Code:
        """The name of ``arange(extent)``, which stands for the index."""
        if index not in self.vectors:
            name = self.names.fresh(index.name)
            self.names.taken.discard(name)
            while any(name == other for other, _ in self.vectors.values()):
                name += "_"
            self.vectors[index] = name, extent
        return Atom(self.vectors[index][0])
