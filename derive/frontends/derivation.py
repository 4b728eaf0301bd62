"""A derivation as text -> its steps: claims about neighbouring lines, all read together, so that a name means one thing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

from ..errors import ShapeError
from ..ir.facts import Spec
from ..ir.nodes import Program
from ..ir.sizes import sizes_in
from .claim import Claim, drawn
from .derivation_pieces import Chains, Letters, Piece, Pieces, names_in, read_pieces, together
from .derivation_text import Side, read_derivation
from .formula import Understood
from .formula_lower import Lowering
from .formula_program import Reading, program_of
from .formula_tree import Definition, Node, walk
from .formula_values import Value
from .latex_lower import LatexLowering


@dataclass(frozen=True)
class Derivation:
    """A derivation whose formulas are understood.

    specs: the declarations of all variables, those included that were not declared; understood: what was assumed.
    """

    pieces: Pieces
    specs: Mapping[str, Spec]
    understood: Understood

    @property
    def chains(self) -> Chains:
        """The sides, each with the sign that relates it to the one before."""
        return self.pieces.chains

    def words(self, side: Side) -> str:
        """A side as it is written, in one line."""
        return self.pieces.written.words(side.place)

    def named(self) -> dict[str, str]:
        """The names that it gives to values, and these as they are written."""
        return {d.name: self.pieces.written.words(d.body.place) for d in self.pieces.reading.definitions}

    def claim(self, left: Side, right: Side, relation: str, specs: Mapping[str, Spec]) -> Claim:
        """The claim that two sides are so related, some of the variables being declared in another way."""
        turned: list[bool] = []
        reading = _reading(self.pieces, [[left, right]], turned)
        program, _ = program_of(reading, {**self.specs, **specs})
        understood = Understood(_without_unread(program), reading.style)
        sides = self.words(left), self.words(right)
        return Claim(understood, relation, sides, turned[-1], self.needed(left, right), drawn(self.specs))

    def needed(self, *sides: Side) -> tuple[str, ...]:
        """The definitions that some sides use, as they are written."""
        found = _needed([self.pieces.sides[s.place].tree for s in sides], self.pieces.reading.definitions)
        return tuple(f"{d.name} = {self.pieces.written.words(d.body.place)}" for d in found)


def understand_derivation(text: str, specs: Mapping[str, Spec]) -> Derivation:
    """Read a derivation: its pieces by `derivation_text.read_derivation`, their formulas as `formula.understand` does.

    Undeclared names have one shape in all lines, the one that makes all of them fit. A name that stands alone at the
    beginning of a chain and has no declaration, as f in ``f = x'*A*x`` or in ``f(x) = ...``, is a name for what follows.

    Raises:
        ParseError: a formula cannot be read, or no relation is left; where shapes do not fit a ShapeError as well.
    """
    written = read_derivation(text)
    with written.source.about():
        pieces = read_pieces(written, specs)
        if all(len(chain) == 1 for chain in pieces.chains):
            last = written.chains[-1][-1].place
            raise written.source.error_at("there is nothing to verify; all lines define names", last)
        shapes = replace(_reading(pieces, pieces.chains, []), only_shapes=True)
        program, guessed = program_of(shapes, specs)
        known = {t.name: Spec(t.shape, t.kind, t.facts, t.bound) for t in program.inputs} | drawn(specs)
        return Derivation(pieces, known, Understood(program, pieces.reading.style, guessed))


def _reading(pieces: Pieces, chains: Iterable[Iterable[Side]], turned: list[bool]) -> Reading:
    """The reading of some chains, whose sides become the outputs of one program, and of the names that they need."""
    wanted = [[(side, pieces.sides[side.place]) for side in chain] for chain in chains]
    shown = [piece.tree for chain in wanted for _, piece in chain]
    whole = pieces.reading
    needed = _needed(shown, whole.definitions)
    places = [place for d in needed for _, place in pieces.letters.get(d.name, ())]
    places += [place for chain in wanted for _, piece in chain for _, place in piece.letters]
    inside = {n.place.start for tree in (*shown, *(d.body for d in needed)) for n in walk(tree)}
    inside |= {place.start for place in places}
    latex = partial(_LatexSides, pieces.letters, base=pieces.base) if pieces.written.latex else _Sides
    return replace(
        whole,
        tree=together(shown),
        sizes={name: place for name, place in whole.sizes.items() if place.start in inside},
        lengths={start: group for start, group in whole.lengths.items() if start in inside},
        definitions=needed,
        lowering=partial(latex, wanted, turned),
    )


def _needed(trees: Iterable[Node], definitions: Sequence[Definition]) -> tuple[Definition, ...]:
    """The definitions that these trees use, also within others, in their order."""
    used = names_in(trees)
    for d in reversed(definitions):
        if d.name in used:
            used |= names_in([d.body])
    return tuple(d for d in definitions if d.name in used)


def _without_unread(program: Program) -> Program:
    """The program without inputs that nothing reads, unless only they have a size that is used."""
    read = {r.tensor.name for e in program.equations for r in e.reads} | {t.name for t in program.outputs}
    used = set().union(*(sizes_in(e) for e in program.equations))
    for t in program.inputs:
        if t.name in read:
            used -= {s for extent in t.shape for s in extent.free_symbols}
    kept = []
    for t in program.inputs:
        own = {s for extent in t.shape for s in extent.free_symbols}
        if t.name in read or own & used:
            kept.append(t)
            used -= own
    return replace(program, inputs=tuple(kept))


class _Sides(Lowering):
    """Sides of a derivation on one set of traced arrays; those of one chain must have one shape.

    Whether one of two neighbours is a row and the other a column is added to `turned`.
    """

    def __init__(
        self, chains: list[list[tuple[Side, Piece]]], turned: list[bool], *given: Any, **options: Any
    ) -> None:
        super().__init__(*given, **options)
        self.chains, self.turned = chains, turned

    def result(self, tree: Node) -> Any:
        """All sides, one chain after the other."""
        found = []
        for chain in self.chains:
            values = [self.piece(piece) for _, piece in chain]
            for (left, a), (right, b) in pairwise(zip((side for side, _ in chain), values, strict=True)):
                self.match(left, a, right, b)
            found += [v.array for v in values]
        return tuple(found)

    def piece(self, piece: Piece) -> Value:
        return self.value(piece.tree)

    def match(self, left: Side, a: Value, right: Side, b: Value) -> None:
        with self.code.at(right.place):
            if a.rank != b.rank:
                raise ShapeError(f"line {left.line} is a {a.shape}, line {right.line} a {b.shape}")
            for p, (m, n) in enumerate(zip(a.array.extents, b.array.extents, strict=True)):
                self.trace.unify(m, n, f"lines {left.line} and {right.line}", (a.array, p), (b.array, p))
        self.turned.append(a.row != b.row and a.rank == 1)


class _LatexSides(_Sides, LatexLowering):
    """The same in LaTeX, where the name on the left brings indices along."""

    def __init__(self, letters: Mapping[str, Letters], *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.letters = letters

    def piece(self, piece: Piece) -> Value:
        if not piece.letters:
            return self.value(piece.tree)
        self.left = piece.letters
        return Value(LatexLowering.result(self, piece.tree))

    def define(self, definitions: Iterable[Definition], apart: Collection[str]) -> None:
        for d in definitions:
            letters = self.letters.get(d.name, ())
            if not letters:
                super().define([d], apart)
                continue
            value = self.piece(Piece(d.body, letters))
            self.names[d.name] = self.defined[d.name] = value
            self.code.named[d.name] = value.array
