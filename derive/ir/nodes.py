"""The language: a program is a list of index equations whose bodies are SymPy scalar expressions.

``S[i,j] = sum_k Q[i,k] K[j,k] / sqrt(d)`` is an `Equation`; `Q[i,k]` a `Read`; `i` an `Index` with an extent.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import sympy
from sympy import AtomicExpr, Expr, S, Tuple
from sympy.core.symbol import Str
from sympy.logic.boolalg import Boolean

HIDDEN = sympy.Dummy("entry")
"""A second free symbol of every read and index: with two of them SymPy decides signs without differentiating."""

Reduction = Literal["sum", "prod", "max", "min"]
Kind = Literal["real", "integer", "boolean"]


def size(name: str) -> sympy.Symbol:
    """The symbolic size called `name`: a positive integer."""
    return sympy.Symbol(name, integer=True, positive=True)


@dataclass(frozen=True)
class Tensor:
    """A named array: its sizes, what its entries are, and what is known about them.

    `facts` are the words of `ir.facts`; `bound` is the exclusive upper bound of an integer tensor.
    """

    name: str
    shape: tuple[Expr, ...] = ()
    kind: Kind = "real"
    facts: frozenset[str] = frozenset()
    bound: Expr | None = None

    @property
    def rank(self) -> int:
        return len(self.shape)

    def __getitem__(self, indices: Any) -> Read:
        return Read(self, indices if isinstance(indices, tuple) else (indices,))

    def __str__(self) -> str:
        return self.name

    @cached_property
    def key(self) -> Tuple:
        """The tensor as a SymPy value, so that reads of different tensors never compare equal."""
        known = sympy.Symbol(f"{self.kind}|{','.join(sorted(self.facts))}")
        return Tuple(
            sympy.Symbol(self.name), known, S.Zero if self.bound is None else self.bound, *self.shape
        )


class Index(AtomicExpr):
    """A bound or free index: an integer from 0 to extent - 1."""

    __slots__ = ("extent", "name")
    is_commutative = True
    is_integer = True
    is_nonnegative = True

    def __new__(cls, name: str, extent: Any) -> Index:
        self = AtomicExpr.__new__(cls)
        self.name = name
        self.extent = sympy.Integer(extent) if isinstance(extent, int) else extent
        return self

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.name, self.extent)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (self.name, self.extent)

    @property
    def free_symbols(self) -> set[Any]:
        return {self, HIDDEN}

    def _sympystr(self, printer: Any) -> str:
        return self.name

    def renamed(self, name: str) -> Index:
        return Index(name, self.extent)


class Read(AtomicExpr):
    """One entry of a tensor, ``X[i, k+1]``; an atom to SymPy, so that ``body.diff(read)`` is the calculus."""

    __slots__ = ("content", "indices", "tensor")
    is_commutative = True
    is_real = True
    _diff_wrt = True

    def __new__(cls, tensor: Tensor, indices: Iterable[Any]) -> Read:
        self = AtomicExpr.__new__(cls)
        self.tensor = tensor
        self.indices = tuple(S(i) if isinstance(i, int) else i for i in indices)
        self.content = (tensor.key, Tuple(*self.indices))
        return self

    def _hashable_content(self) -> tuple[Any, ...]:
        return self.content

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (self.tensor, self.indices)

    @property
    def free_symbols(self) -> set[Any]:
        return {self, HIDDEN}

    def _eval_derivative(self, s: Any) -> Expr:
        return S.One if self == s else S.Zero

    def _eval_is_positive(self) -> bool | None:
        return True if "positive" in self.tensor.facts else None

    def _eval_is_nonnegative(self) -> bool | None:
        facts = self.tensor.facts
        return True if "positive" in facts or "nonnegative" in facts else None

    def _eval_is_integer(self) -> bool | None:
        return True if self.tensor.kind != "real" else None

    def _sympystr(self, printer: Any) -> str:
        inner = ",".join(printer._print(i).replace(" ", "") for i in self.indices)
        return f"{self.tensor.name}[{inner}]" if self.indices else self.tensor.name


class Bracket(Expr):
    """Iverson's bracket ``[condition]``: 1 where it holds, else a strong 0 (0 times anything, even inf, is 0)."""

    is_commutative = True
    is_integer = True
    is_nonnegative = True

    def __new__(cls, condition: Any) -> Expr:
        condition = sympy.sympify(condition, strict=True) if isinstance(condition, bool) else condition
        if condition == True:  # noqa: E712 - SymPy's true
            return S.One
        if condition == False:  # noqa: E712
            return S.Zero
        return Expr.__new__(cls, condition)

    @property
    def condition(self) -> Boolean:
        return self.args[0]

    def _eval_derivative(self, s: Any) -> Expr:
        return S.Zero

    def _eval_power(self, exponent: Expr) -> Expr | None:
        return self if exponent.is_positive else None

    def _sympystr(self, printer: Any) -> str:
        return f"[{printer._print(self.condition)}]"


class Where(Expr):
    """``condition ? a : b`` as a scalar expression; only the chosen branch counts, also in derivatives."""

    is_commutative = True
    is_real = True

    def __new__(cls, condition: Any, a: Any, b: Any) -> Expr:
        condition, a, b = (sympy.sympify(x, strict=True) if isinstance(x, bool | int) else x for x in (condition, a, b))
        if condition == True or a == b:  # noqa: E712
            return a
        if condition == False:  # noqa: E712
            return b
        if b == 0 and a.is_finite is not False:
            return Bracket(condition) * a
        if a == 0 and b.is_finite is not False:
            return Bracket(sympy.Not(condition)) * b
        return Expr.__new__(cls, condition, a, b)

    def _eval_derivative(self, s: Any) -> Expr:
        condition, a, b = self.args
        return Where(condition, a.diff(s), b.diff(s))

    def _eval_is_integer(self) -> bool | None:
        return True if self.args[1].is_integer and self.args[2].is_integer else None

    def _eval_is_positive(self) -> bool | None:
        return True if self.args[1].is_positive and self.args[2].is_positive else None

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.args[1].is_nonnegative and self.args[2].is_nonnegative else None

    def _sympystr(self, printer: Any) -> str:
        return "where({}, {}, {})".format(*(printer._print(a) for a in self.args))


class Slot(AtomicExpr):
    """Stands in a read for an axis that a primitive takes whole: ``A[b,:0,:1]`` is A[b], ``A[b,:1,:0]`` its transpose."""

    __slots__ = ("number",)
    is_commutative = True
    is_integer = True
    is_nonnegative = True

    def __new__(cls, number: int) -> Slot:
        self = AtomicExpr.__new__(cls)
        self.number = number
        return self

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.number,)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (self.number,)

    def _sympystr(self, printer: Any) -> str:
        return f":{self.number}"


class Entry(Expr):
    """One entry of what a linear-algebra primitive makes of whole arrays: ``inv(A[b,:0,:1])[i,j]``.

    It stands alone as the body of an equation that defines the whole result: `places` are axes of the equation, each
    once; its other axes are batch axes, over which the primitive is applied separately. Operands are reads with a
    `Slot` for each axis that the primitive takes; `parameters` are integer expressions, such as the k of X^k.
    """

    is_commutative = True
    is_real = True

    def __new__(
        cls,
        primitive: Any,
        output: Any,
        operands: Iterable[Any],
        places: Iterable[Any],
        parameters: Iterable[Any] = (),
    ) -> Entry:
        name = primitive if isinstance(primitive, Str) else Str(primitive)
        return Expr.__new__(
            cls, name, sympy.Integer(int(output)), Tuple(*operands), Tuple(*places), Tuple(*parameters)
        )

    @property
    def primitive(self) -> str:
        return self.args[0].name

    @property
    def output(self) -> int:
        return int(self.args[1])

    @property
    def operands(self) -> tuple[Read, ...]:
        return tuple(self.args[2])

    @property
    def places(self) -> tuple[Index, ...]:
        return tuple(self.args[3])

    @property
    def parameters(self) -> tuple[Expr, ...]:
        return tuple(self.args[4])

    def of(self, output: int, places: Iterable[Any]) -> Entry:
        """An entry of another result of the same primitive."""
        return Entry(self.args[0], output, self.args[2], places, self.args[4])

    def _eval_derivative(self, s: Any) -> Expr:
        raise TypeError(
            f"{self} has a rule of its own; a body that holds it cannot be differentiated by SymPy"
        )

    def _sympystr(self, printer: Any) -> str:
        operands = ", ".join(map(_operand_text, self.operands))
        parameters = "".join(f"; {printer._print(p)}" for p in self.parameters)
        result = f".{self.output}" if self.output else ""
        places = ",".join(printer._print(i) for i in self.places)
        return f"{self.primitive}{result}({operands}{parameters})" + (f"[{places}]" if places else "")


def operand_slots(read: Read) -> list[int]:
    """Which axes of a primitive's operand stand where: ``[0, 1]`` for a matrix, ``[1, 0]`` for its transpose."""
    return [i.number for i in read.indices if isinstance(i, Slot)]


def _operand_text(read: Read) -> str:
    slots = operand_slots(read)
    text = str(read) if len(slots) < len(read.indices) else read.tensor.name
    return text + ("'" if slots == [1, 0] and len(slots) == len(read.indices) else "")


@dataclass(frozen=True)
class Step:
    """Where an equation comes from: the rule that made it, from which earlier tensor, and the user's line.

    `named` says that the target has a name that the user knows, so it stays visible; `default` that it is a result which
    no variable holds, called Y or L; `also` are the names of tensors that turned out to be equal to the target.
    """

    rule: str = ""
    of: str = ""
    where: str = ""
    named: bool = False
    default: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Equation:
    """``target[axes] = reduce_bound body``.

    `axes` are the free indices in the order of the target's shape; `bound` those that the reduction runs over.
    """

    target: Tensor
    axes: tuple[Index, ...]
    body: Expr
    reduce: Reduction | None = None
    bound: tuple[Index, ...] = ()
    step: Step = field(default=Step(), compare=False)

    def __post_init__(self) -> None:
        if bool(self.reduce) != bool(self.bound):
            object.__setattr__(self, "reduce", self.reduce if self.bound else None)

    @property
    def indices(self) -> tuple[Index, ...]:
        return self.axes + self.bound

    @property
    def lhs(self) -> Read:
        return Read(self.target, self.axes)

    @property
    def reads(self) -> list[Read]:
        return reads_of(self.body)

    def __str__(self) -> str:
        head = f"{self.reduce}_{','.join(b.name for b in self.bound)} " if self.bound else ""
        body = str(self.body)
        if head and self.body.is_Add:
            body = f"({body})"
        return f"{self.lhs} = {head}{body}"


@dataclass(frozen=True)
class Program:
    """Inputs, equations in an order in which they can be computed, and which tensors are the result."""

    inputs: tuple[Tensor, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[Tensor, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.equations))

    @property
    def tensors(self) -> dict[str, Tensor]:
        return {t.name: t for t in (*self.inputs, *(e.target for e in self.equations))}

    @property
    def definitions(self) -> dict[str, Equation]:
        return {e.target.name: e for e in self.equations}

    @property
    def sizes(self) -> list[sympy.Symbol]:
        """Every symbolic size, in order of first appearance."""
        seen: dict[sympy.Symbol, None] = {}
        for tensor in self.tensors.values():
            for extent in tensor.shape:
                for symbol in sorted(extent.free_symbols, key=str):
                    seen.setdefault(symbol)
        return list(seen)


def reads_of(expr: Expr) -> list[Read]:
    """The distinct reads in `expr`, outermost and inside index expressions, in a fixed order."""
    found: dict[Read, None] = {}

    def visit(e: Any) -> None:
        if isinstance(e, Read):
            found.setdefault(e)
            for index in e.indices:
                visit(index)
        else:
            for arg in e.args:
                visit(arg)

    visit(expr)
    return list(found)


def indices_of(expr: Any) -> set[Index]:
    """The indices that occur in `expr`, also inside reads."""
    if isinstance(expr, Index):
        return {expr}
    children = expr.indices if isinstance(expr, Read) else expr.args
    found: set[Index] = set()
    for child in children:
        found |= indices_of(child)
    return found


def substitute(expr: Any, mapping: dict[Any, Any]) -> Any:
    """Replace indices, reads and sizes, also inside the index expressions of reads."""
    if not mapping:
        return expr
    new = mapping.get(expr)
    if new is not None:
        return new
    if isinstance(expr, Read):
        indices = tuple(substitute(i, mapping) for i in expr.indices)
        return expr if indices == expr.indices else Read(expr.tensor, indices)
    if not expr.args:
        return expr
    args = [substitute(a, mapping) for a in expr.args]
    if all(a is b for a, b in zip(args, expr.args, strict=True)):
        return expr
    return expr.func(*args)


NAMES = "ijklpqrstuvwabcdefgh"


def fresh_indices(extents: Iterable[Any], avoid: Iterable[Index] = ()) -> tuple[Index, ...]:
    """New indices with these extents, named i, j, k, l, ... and different from those in `avoid`."""
    taken = {i.name for i in avoid}
    names = (name for name in _index_names() if name not in taken)
    return tuple(Index(next(names), extent) for extent in extents)


def _index_names() -> Iterator[str]:
    yield from NAMES
    for number in itertools.count(1):
        yield from (f"{letter}{number}" for letter in NAMES)
