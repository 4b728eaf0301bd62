"""The statements that open a function: sizes read from shapes, then index vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr

from ..errors import DeriveError
from ..ir.nodes import Tensor
from .code import ADD, MUL, Atom, chain
from .scalars import Printer
from .scope import Names, Scope


class MissingSize(DeriveError, LookupError):
    """A size that cannot be had from the shapes of the arguments."""

    def __init__(self, symbol: sympy.Symbol) -> None:
        super().__init__(f"the size {symbol} is not an axis of any argument")
        self.symbol = symbol


def prelude(scope: Scope) -> list[str]:
    """``n, d = Q.shape`` and ``i = np.arange(n)``, for what the statements of `scope` turned out to need.

    Raises:
        MissingSize: no argument has an axis from which a size follows.
    """
    lines = _size_lines(scope)
    like = scope.names.tensors[scope.arguments[0].name] if scope.arguments else ""
    for name, extent in sorted(scope.vectors.values(), key=lambda pair: pair[0]):
        lines.append(f"{name} = " + scope.dialect.arange.format(n=extent, like=like))
    return lines


def _size_lines(scope: Scope) -> list[str]:
    compound = _compound(scope)
    plain = [symbol for symbol in scope.symbols if symbol not in {c.symbol for c in compound}]
    return _plain_lines(plain, scope.arguments, scope.names) + [c.line(scope) for c in compound]


# --- sizes that are an axis


def _plain_lines(needed: list[sympy.Symbol], arguments: Sequence[Tensor], names: Names) -> list[str]:
    lines: list[str] = []
    missing = dict.fromkeys(needed)
    while missing:
        best = max(arguments, key=lambda t: len(_new(t, missing)), default=None)
        found = _new(best, missing) if best is not None else []
        if best is None or not found:
            raise MissingSize(next(iter(missing)))
        tensor = names.tensors[best.name]
        if len(found) == 1:
            lines.append(f"{names.sizes[found[0]]} = {tensor}.shape[{best.shape.index(found[0])}]")
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


# --- sizes that follow from an axis


@dataclass(frozen=True)
class Compound:
    """``symbol = (tensor.shape[place] - rest) // factor``"""

    symbol: sympy.Symbol
    tensor: Tensor
    place: int
    factor: Expr
    rest: Expr

    def line(self, scope: Scope) -> str:
        integers = Printer(scope, (), exact=True)
        value = Atom(f"{scope.names.tensors[self.tensor.name]}.shape[{self.place}]")
        difference = value if self.rest == 0 else chain(ADD, value, [("-", integers.code(self.rest))])
        whole = (
            difference if self.factor == 1 else chain(MUL, difference, [("//", integers.code(self.factor))])
        )
        return f"{scope.names.sizes[self.symbol]} = {whole.text}"


def _compound(scope: Scope) -> list[Compound]:
    """The needed sizes that are no axis, each after those it follows from; those are added to the scope."""
    known = {extent for t in scope.arguments for extent in t.shape if extent.is_Symbol}
    found: list[Compound] = []
    for symbol in list(scope.symbols):
        if symbol not in known:
            found.append(_following(symbol, scope, known))
            known.add(symbol)
    for compound in found:
        for other in sorted(compound.rest.free_symbols, key=str):
            scope.size(other)
    return found


def _following(symbol: sympy.Symbol, scope: Scope, known: set[Expr]) -> Compound:
    for tensor in scope.arguments:
        for place, extent in enumerate(tensor.shape):
            factor = sympy.expand(extent).coeff(symbol)
            rest = sympy.expand(extent - factor * symbol)
            if factor.is_Integer and factor > 0 and rest.free_symbols <= known:
                return Compound(symbol, tensor, place, factor, rest)
    raise MissingSize(symbol)
