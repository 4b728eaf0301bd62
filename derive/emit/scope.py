"""The names that one emitted function can see: its tensors, the sizes it reads from shapes, its index vectors."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence

import sympy
from sympy import Expr

from ..errors import DeriveError
from ..ir.nodes import Index, Program, Read, Tensor
from .code import Atom, Code
from .dialect import Dialect


class Names:
    """Python identifiers for tensors and sizes, the same in every function of an emitted file."""

    def __init__(self, programs: Iterable[Program], reserved: Iterable[str] = ()) -> None:
        self.taken = set(reserved)
        self.tensors: dict[str, str] = {}
        self.sizes: dict[sympy.Symbol, str] = {}
        programs = list(programs)
        for program in programs:
            for name in program.tensors:
                if name not in self.tensors:
                    self.tensors[name] = self.fresh(name)
        for program in programs:
            for symbol in program.sizes:
                if symbol not in self.sizes:
                    self.sizes[symbol] = self.fresh(symbol.name)

    def fresh(self, stem: str) -> str:
        """An identifier like `stem` that nothing else has."""
        stem = re.sub(r"\W", "_", stem)
        stem = stem if stem.isidentifier() and not keyword.iskeyword(stem) else f"{stem}_"
        stem = stem if stem.isidentifier() else f"_{stem}"
        name, count = stem, 1
        while name in self.taken:
            count += 1
            name = f"{stem}_{count}" if stem[-1:].isdigit() else f"{stem}{count}"
        self.taken.add(name)
        return name


class MissingSize(DeriveError, LookupError):
    """A size that no argument of the function has as an axis of its own."""

    def __init__(self, symbol: sympy.Symbol) -> None:
        super().__init__(f"the size {symbol} is not an axis of any argument")
        self.symbol = symbol


class Scope:
    """One function under construction; what it turns out to need is written by `prelude`."""

    def __init__(self, dialect: Dialect, names: Names, arguments: Sequence[Tensor]) -> None:
        self.dialect, self.names, self.arguments = dialect, names, tuple(arguments)
        self.codes: dict[str, Code] = {}
        self.positions = {name: position for position, name in enumerate(names.tensors)}
        self.symbols: dict[sympy.Symbol, None] = {}
        self.vectors: dict[Index, tuple[str, Code]] = {}
        self.like: str | None = None
        self.casts = not dialect.promotes_integers

    # --- tensors

    def tensor(self, tensor: Tensor) -> Code:
        """The name of a tensor, or the code of one that has none."""
        return self.codes.get(tensor.name) or Atom(self.names.tensors[tensor.name])

    def unnamed(self, code: Code, axes: Sequence[Index], position: int) -> Read:
        """A read of an array that is only an expression; `position` says where it sorts among the tensors."""
        tensor = Tensor(f"#{len(self.codes)}", tuple(axis.extent for axis in axes))
        self.codes[tensor.name] = code
        self.positions[tensor.name] = position
        return Read(tensor, axes)

    def template(self) -> str:
        """The name of an array whose type the results have: one read by the equation, else an argument."""
        if self.like is not None:
            return self.like
        real = [t for t in self.arguments if t.kind == "real"]
        if not real:
            raise DeriveError("no argument says which floating-point type the result has")
        return self.names.tensors[max(real, key=lambda t: t.rank > 0).name]

    def look_at(self, reads: Iterable[Read]) -> None:
        """Take the type of new arrays from one of these reads, an array rather than a scalar."""
        real = [r.tensor for r in reads if r.tensor.kind == "real" and r.tensor.name in self.names.tensors]
        best = max(real, key=lambda t: t.rank > 0, default=None)
        self.casts = not (real and self.dialect.promotes_integers)
        self.like = self.names.tensors[best.name] if best is not None and best.rank else None

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

    def prelude(self) -> list[str]:
        """The statements that read sizes from shapes, then those that make index vectors."""
        lines = _size_lines(list(self.symbols), self.arguments, self.names)
        like = self.names.tensors[self.arguments[0].name] if self.arguments else ""
        for name, extent in self.vectors.values():
            lines.append(f"{name} = " + self.dialect.arange.format(n=extent, like=like))
        return lines


def _size_lines(needed: list[sympy.Symbol], arguments: Sequence[Tensor], names: Names) -> list[str]:
    lines: list[str] = []
    missing = dict.fromkeys(needed)
    while missing:
        best = max(arguments, key=lambda t: len(_new(t, missing)), default=None)
        found = _new(best, missing) if best is not None else []
        if best is None or not found:
            raise MissingSize(next(iter(missing)))
        tensor = names.tensors[best.name]
        if len(found) == 1:
            axis = best.shape.index(found[0])
            lines.append(f"{names.sizes[found[0]]} = {tensor}.shape[{axis}]")
        else:
            seen: set[Expr] = set()
            left = [_slot(extent, found, seen, names) for extent in best.shape]
            lines.append(f"{', '.join(left)} = {tensor}.shape")
        for symbol in found:
            del missing[symbol]
    return lines


def _new(tensor: Tensor, missing: dict[sympy.Symbol, None]) -> list[sympy.Symbol]:
    return list(dict.fromkeys(extent for extent in tensor.shape if extent in missing))


def _slot(extent: Expr, found: list[sympy.Symbol], seen: set[Expr], names: Names) -> str:
    if extent not in found or extent in seen:
        return "_"
    seen.add(extent)
    return names.sizes[extent]
