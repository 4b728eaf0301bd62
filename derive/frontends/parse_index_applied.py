"""Functions of whole matrices in index notation: which operands, results and axes ``solve(A', B[:,k])[i]`` speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr

from ..errors import ShapeError
from ..ir.nodes import Read, Slot, Tensor
from ..ops._primitive import Primitive
from ..ops.linalg import primitives
from .extents import Extents
from .formula_names import near_of
from .formula_text import Source
from .formula_tree import Applied, Entry, Name, Node, Slice, Transpose
from .primitives import extent_of


@dataclass(frozen=True)
class Operand:
    """What a function is given: a tensor with an index, or None for an axis that is taken whole."""

    node: Node
    name: str
    indices: tuple[Node | None, ...]
    turned: bool

    @property
    def slots(self) -> list[Slot]:
        """The axes that are taken whole, in the order in which the tensor has them."""
        numbers = [Slot(n) for n in range(self.indices.count(None))]
        return numbers[::-1] if self.turned else numbers

    def read(self, tensor: Tensor, places: list[Expr]) -> Read:
        """The operand as a read, with `places` on the axes that have an index."""
        slots, others = iter(self.slots), iter(places)
        return Read(tensor, tuple(next(slots) if i is None else next(others) for i in self.indices))


@dataclass(frozen=True)
class Understood:
    """A function of matrices with its operands, the result that is meant, and its integers."""

    record: Primitive
    output: int
    operands: tuple[Operand, ...]
    parameters: tuple[Node, ...]

    def sizes(self, source: Source, tensors: Mapping[str, Tensor], extents: Extents) -> dict[str, Expr]:
        """What the letters of the record's axes stand for; axes that must be equal are made so."""
        found: dict[str, Expr] = {}
        for operand, axes in zip(self.operands, self.record.operands, strict=True):
            tensor = tensors[operand.name]
            whole = [e for i, e in zip(operand.indices, tensor.shape, strict=True) if i is None]
            for slot, extent in zip(operand.slots, whole, strict=True):
                letter = axes.split()[slot.number]
                common = extents.unify(found.get(letter, extent), extent)
                if common is None:
                    one, other = extents.resolve(found[letter]), extents.resolve(extent)
                    what = f"{self.record.name} needs axes of equal size; found {one} and {other}"
                    place = operand.node.place
                    raise source.error(what, place.start, place.end, ShapeError)
                found[letter] = common
        return found

    def extents(self, sizes: Mapping[str, Expr]) -> list[Expr]:
        """The axes of the result."""
        return [extent_of(word, dict(sizes)) for word in self.record.results[self.output].split()]


def understood(source: Source, node: Applied, tensors: Mapping[str, Tensor]) -> Understood:
    """What a call means.

    Raises:
        ParseError: there is no such result, or an operand is no tensor with as many whole axes as are needed.
    """
    record = primitives()[node.function]
    count = len(record.operands)
    if len(node.args) < count or (len(node.args) > count and record.name != "power"):
        needs = f"{count} argument{'s' * (count != 1)}"
        raise source.error_at(f"{record.name} takes {needs}; found {len(node.args)}", node.place)
    output = _output(source, node, record)
    wanted = len(record.results[output].split())
    if len(node.indices) != wanted:
        result = f"{record.name}(...)" + (f".{node.label}" if node.label else "")
        what = f"{result} has {wanted} axes; found {len(node.indices)} indices"
        raise source.error(what, node.place.start, node.place.end, ShapeError)
    pairs = zip(node.args, record.operands, strict=False)
    operands = tuple(_operand(source, arg, len(axes.split()), record, tensors) for arg, axes in pairs)
    return Understood(record, output, operands, node.args[count:])


def _output(source: Source, node: Applied, record: Primitive) -> int:
    if not record.labels and not node.label:
        return 0
    if node.label in record.labels:
        return record.labels.index(node.label)
    if not record.labels:
        raise source.error_at(f"{record.name}(...) has one result, without a name", node.place)
    known = ", ".join(f"{record.name}(...).{label}" for label in record.labels)
    what = f"which result is meant? {known}{near_of(node.label, record.labels) if node.label else ''}"
    raise source.error_at(what, node.place)


def _operand(source: Source, arg: Node, rank: int, record: Primitive, tensors: Mapping[str, Tensor]) -> Operand:
    inner = arg.arg if isinstance(arg, Transpose) else arg
    if isinstance(inner, Name):
        tensor = tensors.get(inner.name)
        indices: tuple[Node | None, ...] = (None,) * (rank if tensor is None else tensor.rank)
        name = inner.name
    elif isinstance(inner, Entry):
        name, indices = inner.name, tuple(None if isinstance(i, Slice) else i for i in inner.indices)
    else:
        what = f"{record.name} is applied to tensors; try: define {source.words(inner.place)} in a line of its own"
        raise source.error_at(what, inner.place)
    turned = isinstance(arg, Transpose)
    if indices.count(None) != rank or (turned and rank != 2):
        shape = "a matrix" if rank == 2 else "a vector"
        what = f"{record.name} needs {shape} here; found {source.words(arg.place)} with {indices.count(None)} whole axes"
        raise source.error(what, arg.place.start, arg.place.end, ShapeError)
    return Operand(arg, name, indices, turned)
