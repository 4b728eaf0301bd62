"""Linear algebra as it is run: one factorisation for each matrix, right-hand sides side by side, results as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sympy
from sympy import Expr, S

from ..ir.nodes import (
    Entry,
    Equation,
    Index,
    Program,
    Read,
    Slot,
    Tensor,
    Where,
    fresh_indices,
    indices_of,
    operand_slots,
    reads_of,
    substitute,
)
from ..ir.recurrences import Recurrence, blocks
from ..ir.tensors import renamed
from ..ops.elementwise.piecewise import Absolute, Sign
from .symmetry import is_symmetric

SYSTEMS = ("solve", "inv", "det", "slogdet")
OF_SYMMETRIC = ("cholesky", "eigh", "sqrtm")


@dataclass(frozen=True)
class Style:
    """What a target wants.

    always: factorise also what is used once, where a library would do both steps in one.
    first_pivot: the number that a factorisation gives to the first row.
    """

    always: bool = False
    first_pivot: int = 0


ONCE = Style()


@dataclass(frozen=True)
class Matrix:
    """A matrix, or a stack of them, that primitives are given: ``tensor[at]``, its indices named by their order."""

    tensor: Tensor
    at: tuple[Expr, ...]
    batch: tuple[Index, ...]

    @property
    def size(self) -> Expr:
        return next(n for n, i in zip(self.tensor.shape, self.at, strict=True) if isinstance(i, Slot))


@dataclass(frozen=True)
class Factors:
    """How the systems of one matrix are solved: its factors, and the equations that make them."""

    kind: str
    tensors: tuple[Tensor, ...] = ()
    equations: tuple[Equation, ...] = ()


@dataclass
class Uses:
    """What the programs make of one matrix."""

    systems: set[Any] = field(default_factory=set)
    solves: int = 0
    factor: Tensor | None = None


def factored(programs: Sequence[Program], style: Style = ONCE) -> list[Program]:
    """The programs, which share the equations of equal names, with linear algebra in the steps in which it is run.

    Every primitive result stands in the order batch axes, own axes, columns; what was read otherwise is read so.
    """
    if not any(isinstance(e.body, Entry) for p in programs for e in p.equations):
        return list(programs)
    lowering = _Lowering(programs, style)
    done = [lowering.permuted(lowering.program(p)) for p in programs]
    first, *rest = _without_copies(done)
    return [_with_siblings(first, rest), *rest]


def application(e: Equation) -> Any:
    """What an equation's entry is a result of: equal for all results of one call."""
    assert isinstance(e.body, Entry)
    batch = [i for i in e.axes if i not in e.body.places]
    return substitute(e.body.of(0, ()), {i: Index(f"#{n}", i.extent) for n, i in enumerate(batch)})


def siblings(equations: Sequence[Equation]) -> dict[str, tuple[Equation, ...]]:
    """For each result of a call all of its results, in the order of the equations."""
    calls: dict[Any, list[Equation]] = {}
    for e in equations:
        if isinstance(e.body, Entry):
            calls.setdefault(application(e), []).append(e)
    return {e.target.name: tuple(together) for together in calls.values() for e in together}


def _with_siblings(program: Program, others: Sequence[Program]) -> Program:
    """The program with those results of its calls that only other programs read: they come at no cost."""
    wanted: dict[Any, list[Equation]] = {}
    for e in (e for p in others for e in p.equations):
        if isinstance(e.body, Entry) and e.target.name not in program.definitions:
            wanted.setdefault(application(e), []).append(e)
    equations: list[Equation] = []
    for e in program.equations:
        equations.append(e)
        if isinstance(e.body, Entry):
            equations += wanted.pop(application(e), [])
    return replace(program, equations=tuple(equations))


def matrix_of(read: Read) -> tuple[Matrix, tuple[Index, ...], bool]:
    """The matrix that is read, the indices that choose one of a stack, and whether it is read transposed."""
    flipped = operand_slots(read) == [1, 0]
    batch: dict[Index, None] = {}
    for index in read.indices:
        batch.update(dict.fromkeys(sorted(indices_of(index), key=str)))
    names = {i: Index(f"b{n}", i.extent) for n, i in enumerate(batch)}
    turn = {Slot(0): Slot(1), Slot(1): Slot(0)} if flipped else {}
    at = tuple(substitute(turn.get(i, i), names) for i in read.indices)
    return Matrix(read.tensor, at, tuple(names.values())), tuple(batch), flipped


class _Lowering:
    """Rewrites equations one by one; equal equations of two programs become equal ones."""

    def __init__(self, programs: Sequence[Program], style: Style) -> None:
        self.style = style
        self.outputs = {t.name for p in programs for t in p.outputs}
        self.taken = {name for p in programs for name in (*p.tensors, *(s.name for s in p.sizes))}
        self.definitions = {e.target.name: e for p in programs for e in p.equations}
        recurrences = [b for p in programs for b in blocks(p.equations) if isinstance(b, Recurrence)]
        self.recurrent = {e.target.name for b in recurrences for e in b.equations}
        self.uses: dict[Matrix, Uses] = {}
        for equation in self.definitions.values():
            if isinstance(equation.body, Entry):
                self.look_at(equation)
        self.factors: dict[Matrix, Factors] = {}
        self.found: dict[Any, list[Equation]] = {}
        self.orders: dict[str, tuple[Tensor, tuple[int, ...]]] = {}
        self.halves: dict[Any, Tensor] = {}

    def look_at(self, equation: Equation) -> None:
        entry = equation.body
        assert isinstance(entry, Entry)
        if entry.primitive not in (*SYSTEMS, "cholesky"):
            return
        uses = self.uses.setdefault(matrix_of(entry.operands[0])[0], Uses())
        if entry.primitive == "cholesky":
            natural = (*matrix_of(entry.operands[0])[1], *entry.places)
            uses.factor = equation.target if equation.axes == natural else None
            return
        uses.systems.add("slogdet" if entry.primitive == "slogdet" else equation.target.name)
        uses.solves += entry.primitive == "solve"

    def fresh(self, stem: str) -> str:
        """A name like `stem`."""
        candidates = (stem if n == 1 else f"{stem}{n}" for n in range(1, 10**6))
        name = next(c for c in candidates if c not in self.taken)
        self.taken.add(name)
        return name

    def program(self, program: Program) -> Program:
        equations: dict[str, Equation] = {}
        for equation in program.equations:
            for new in self.equations(equation):
                equations.setdefault(new.target.name, new)
        return replace(program, equations=tuple(equations.values()))

    def equations(self, e: Equation) -> list[Equation]:
        if not isinstance(e.body, Entry):
            return [e]
        key = (e.target.name, substitute(e.body, {i: Index(f"#{n}", i.extent) for n, i in enumerate(e.axes)}))
        if key not in self.found:
            rules: dict[str, Callable[[Equation, Entry], list[Equation]]] = {
                "solve": self.solve, "inv": self.inverse, "det": self.determinant, "slogdet": self.determinant,
            }  # fmt: skip
            self.found[key] = rules.get(e.body.primitive, self.other)(e, e.body)
        return self.found[key]

    # -- systems of equations

    def factors_of(self, matrix: Matrix) -> Factors:
        if matrix not in self.factors:
            self.factors[matrix] = self._factors(matrix)
        return self.factors[matrix]

    def _factors(self, matrix: Matrix) -> Factors:
        facts, uses = matrix.tensor.facts, self.uses[matrix]
        last = matrix.at[-2:] == (Slot(0), Slot(1))
        for triangle in ("lower", "upper"):
            if last and f"{triangle} triangular" in facts:
                return Factors(triangle)
        several = self.style.always or len(uses.systems) > 1
        extents = tuple(i.extent for i in matrix.batch)
        read = Read(matrix.tensor, matrix.at)
        i, j = fresh_indices((matrix.size, matrix.size), avoid=matrix.batch)
        if last and "positive definite" in facts and (several or uses.solves or uses.factor):
            name = uses.factor.name if uses.factor else self.fresh(f"L_{matrix.tensor.name}")
            factor = uses.factor or Tensor(name, (*extents, matrix.size, matrix.size), facts=frozenset({"lower triangular"}))
            body = Entry("cholesky", 0, (read,), (i, j))
            return Factors("cholesky", (factor,), (Equation(factor, (*matrix.batch, i, j), body),))
        if not several:
            return Factors("plain")
        LU = Tensor(self.fresh(f"LU_{matrix.tensor.name}"), (*extents, matrix.size, matrix.size))
        pivots = Tensor(self.fresh(f"pivots_{matrix.tensor.name}"), (*extents, matrix.size), "integer")
        first = Equation(LU, (*matrix.batch, i, j), Entry("lu", 0, (read,), (i, j)))
        second = Equation(pivots, (*matrix.batch, i), Entry("lu", 1, (read,), (i,)))
        return Factors("lu", (LU, pivots), (first, second))

    def solve(self, e: Equation, entry: Entry) -> list[Equation]:
        """``X = A^-1 B`` with the columns of B side by side: axes along which A does not vary."""
        A, b = entry.operands
        (place,) = entry.places
        matrix, batch, flipped = matrix_of(A)
        factors = self.factors_of(matrix)
        stepwise = e.target.name in self.recurrent
        columns = tuple(
            i for i in e.axes if i != place and i not in batch and i in indices_of(b) and not stepwise
        )
        written: list[Equation] = []
        if not all(b.indices.count(c) == 1 for c in columns) or len(indices_of(b)) > len(
            [i for i in b.indices if isinstance(i, Index)]
        ):
            written, b = self.written_out(b, place, batch, columns, e)
        b = substitute(b, {c: Slot(n) for n, c in enumerate(columns, start=1)})
        own = tuple(i for i in e.axes if i in batch or (stepwise and i != place))
        natural = (*own, place, *columns)
        if factors.kind == "plain":
            body = Entry("solve", 0, (A, b), (place, *columns))
        elif factors.kind in ("lower", "upper"):
            body = Entry(f"solve_{factors.kind}", 0, (A, b), (place, *columns))
        else:
            name = {"lu": "lu_solve", "cholesky": "cho_solve"}[factors.kind]
            flip = flipped and factors.kind == "lu"
            body = Entry(name, 0, (*_at(factors, batch, flip), b), (place, *columns))
        return [*factors.equations, *written, *self.in_order(e, body, natural)]

    def written_out(
        self, b: Read, place: Index, batch: Iterable[Index], columns: Sequence[Index], e: Equation
    ) -> tuple[list[Equation], Read]:
        """Right-hand sides that are no plain part of a tensor, as a tensor of their own."""
        own = tuple(i for i in batch if i in indices_of(b))
        axes = (*own, place, *columns)
        tensor = Tensor(self.fresh("R"), tuple(i.extent for i in axes))
        equation = Equation(tensor, axes, substitute(b, {Slot(0): place}), step=e.step)
        return [equation], Read(tensor, (*own, Slot(0), *columns))

    def inverse(self, e: Equation, entry: Entry) -> list[Equation]:
        """An inverse; that of a transpose is the transpose of the inverse."""
        matrix, batch, flipped = matrix_of(entry.operands[0])
        factors = self.factors_of(matrix)
        places = entry.places[::-1] if flipped else entry.places
        read = substitute(entry.operands[0], {Slot(0): Slot(1), Slot(1): Slot(0)}) if flipped else entry.operands[0]
        natural = (*(i for i in e.axes if i in batch), *places)
        if factors.kind == "plain":
            body = Entry("inv", 0, (read,), places)
        elif factors.kind in ("lower", "upper"):
            body = Entry(f"invert_{factors.kind}", 0, (read,), places)
        else:
            body = Entry({"lu": "lu_inverse", "cholesky": "cho_inverse"}[factors.kind], 0, _at(factors, batch), places)
        return [*factors.equations, *self.in_order(e, body, natural)]

    def determinant(self, e: Equation, entry: Entry) -> list[Equation]:
        """A determinant, or its sign and logarithm, from the diagonal of a factor."""
        matrix, batch, _ = matrix_of(entry.operands[0])
        factors = self.factors_of(matrix)
        if factors.kind == "plain":
            return self.other(e, entry)
        (i,) = fresh_indices((matrix.size,), avoid=e.axes)
        entries = {Slot(0): i, Slot(1): i}
        diagonal: Expr = substitute(entry.operands[0], entries)
        if factors.tensors:
            diagonal = Read(factors.tensors[0], (*batch, i, i))
        logarithm = entry.primitive == "slogdet" and entry.output == 1
        if logarithm:
            part = 2 * sympy.log(diagonal) if factors.kind == "cholesky" else sympy.log(Absolute(diagonal))
            return [*factors.equations, replace(e, body=part, reduce="sum", bound=(i,))]
        if factors.kind == "cholesky":
            part = S.One if entry.primitive == "slogdet" else diagonal**2
        else:
            part = Sign(diagonal) if entry.primitive == "slogdet" else diagonal
        if factors.kind == "lu":
            moved = sympy.Ne(Read(factors.tensors[1], (*batch, i)), i + self.style.first_pivot)
            part = Where(moved, -part, part)
        if part == 1:
            return [replace(e, body=S.One)]
        return [*factors.equations, replace(e, body=part, reduce="prod", bound=(i,))]

    # -- all others

    def other(self, e: Equation, entry: Entry) -> list[Equation]:
        """A primitive as it is, of a symmetric matrix where it needs one."""
        before: list[Equation] = []
        if entry.primitive in OF_SYMMETRIC and not is_symmetric(entry.operands[0], self.definitions):
            before, read = self.symmetrised(entry.operands[0], e)
            entry = Entry(entry.primitive, entry.output, (read,), entry.places)
        used = set().union(*(indices_of(x) for x in (*entry.operands, *entry.parameters)))
        natural = (*(i for i in e.axes if i in used and i not in entry.places), *entry.places)
        return [*before, *self.in_order(e, entry, natural)]

    def symmetrised(self, read: Read, e: Equation) -> tuple[list[Equation], Read]:
        """``(A + A') / 2``, which is what a function of symmetric matrices is of."""
        matrix, batch, _ = matrix_of(read)
        i, j = fresh_indices((matrix.size, matrix.size), avoid=matrix.batch)
        if matrix not in self.halves:
            shape = (*(b.extent for b in matrix.batch), matrix.size, matrix.size)
            self.halves[matrix] = Tensor(self.fresh("S"), shape, facts=frozenset({"symmetric"}))
        tensor = self.halves[matrix]
        entry = Read(matrix.tensor, matrix.at)
        body = (substitute(entry, {Slot(0): i, Slot(1): j}) + substitute(entry, {Slot(0): j, Slot(1): i})) / 2
        equation = Equation(tensor, (*matrix.batch, i, j), body, step=e.step)
        return [equation], Read(tensor, (*batch, Slot(0), Slot(1)))

    # -- the order of axes

    def in_order(self, e: Equation, body: Entry, natural: tuple[Index, ...]) -> list[Equation]:
        """The result with its axes as they come; the target is read so, or copied if it is an output."""
        if natural == e.axes:
            return [replace(e, body=body)]
        shape = tuple(i.extent for i in natural)
        if e.target.name not in self.outputs:
            tensor = replace(e.target, shape=shape)
            self.orders[tensor.name] = tensor, tuple(e.axes.index(i) for i in natural)
            return [replace(e, target=tensor, axes=natural, body=body)]
        tensor = replace(e.target, name=self.fresh("Z"), shape=shape)
        return [replace(e, target=tensor, axes=natural, body=body), replace(e, body=Read(tensor, natural))]

    def permuted(self, program: Program) -> Program:
        """The program reading every result in its own order."""
        return replace(
            program, equations=tuple(replace(e, body=self._permuted(e.body)) for e in program.equations)
        )

    def _permuted(self, e: Any) -> Any:
        if isinstance(e, Read):
            indices = tuple(self._permuted(i) for i in e.indices)
            if e.tensor.name not in self.orders:
                return e if indices == e.indices else Read(e.tensor, indices)
            tensor, order = self.orders[e.tensor.name]
            return Read(tensor, (indices[p] for p in order))
        if not e.args:
            return e
        args = [self._permuted(a) for a in e.args]
        return e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)


def _at(factors: Factors, batch: tuple[Index, ...], flipped: bool = False) -> tuple[Read, ...]:
    """The factors of one matrix of a stack."""
    slots = (Slot(1), Slot(0)) if flipped else (Slot(0), Slot(1))
    first, *rest = factors.tensors
    return Read(first, (*batch, *slots)), *(Read(t, (*batch, Slot(0))) for t in rest)


def _without_copies(programs: list[Program]) -> list[Program]:
    """Outputs that are a result as it is take its place."""
    outputs = {t.name for p in programs for t in p.outputs}
    inputs = {t.name for p in programs for t in p.inputs}
    results = {e.target.name for p in programs for e in p.equations if isinstance(e.body, Entry)}
    for program in programs:
        for e in program.equations:
            if e.target.name not in outputs or not isinstance(e.body, Read) or e.body.indices != e.axes:
                continue
            source = e.body.tensor
            if source.name in results - outputs - inputs and source.shape == e.target.shape:
                return _without_copies([_merged(p, source.name, e.target) for p in programs])
    return programs


def _merged(program: Program, source: str, target: Tensor) -> Program:
    """The program with one name for both."""
    same = {t for e in program.equations for t in (e.target, *(r.tensor for r in reads_of(e.body))) if t.name == source}
    equations = []
    for e in program.equations:
        copy = e.target.name == target.name and isinstance(e.body, Read) and e.body.tensor.name == source
        if not copy:
            body = renamed(e.body, dict.fromkeys(same, target))
            equations.append(replace(e, target=target if e.target.name == source else e.target, body=body))
    return replace(program, equations=tuple(equations))
