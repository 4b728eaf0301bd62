"""Arrays of a formula with their orientation, and the operators of both styles on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import DeriveError, ShapeError
from .formula_code import FormulaCode
from .formula_grammar import Style
from .trace import Trace
from .traced import BOOL, INT, Traced


class Signs(NamedTuple):
    """How a notation writes its operators, for messages."""

    inner: str
    outer: str
    times: str
    over: str
    power: str
    spread: str


MATLAB = Signs("x'*y", "x*y'", ".*", "./", ".^", "vector(1)*x'")

ADVICE = {
    ("column", "column"): "both are columns: {0.inner} is their inner product, {0.outer} the outer, "
    "x {0.times} y goes entry by entry",
    ("row", "row"): "both are rows: transpose one of them, or write {0.times} to go entry by entry",
    ("column", "matrix"): "a column times a matrix: transpose the column, or write the matrix first",
    ("matrix", "row"): "a matrix times a row: transpose the row",
}

LARGEST_POWER = 1_000

ARITHMETIC = {f"numpy.{name}" for name in ("add", "subtract", "multiply", "divide", "power", "negative")}
"""Where truth values are the numbers 0 and 1: NumPy's ``True + True`` is True."""


@dataclass(frozen=True)
class Value:
    """An array; a vector is a column unless `row` says otherwise. In NumPy style vectors have no orientation."""

    array: Traced
    row: bool = False

    @property
    def rank(self) -> int:
        return self.array.rank

    @property
    def shape(self) -> str:
        """``scalar``, ``row``, ``column``, ``matrix``, or ``array of rank 3``."""
        words = ("scalar", "row" if self.row else "column", "matrix")
        return words[self.rank] if self.rank < len(words) else f"array of rank {self.rank}"


def number(x: Traced) -> Traced:
    """Truth values as numbers."""
    return Traced(x.owner, x.axes, x.entry, INT) if x.dtype == BOOL else x


class Operators:
    """What the signs of a formula do; everything goes to NumPy's functions in the trace."""

    def __init__(self, trace: Trace, code: FormulaCode, style: Style, signs: Signs = MATLAB) -> None:
        self.trace, self.code, self.style, self.signs = trace, code, style, signs

    def call(self, name: str, args: tuple[Any, ...], options: Mapping[str, Any] = MappingProxyType({})) -> Any:
        """A function of NumPy in the trace; what its record cannot use, written for code of Python, is said as such."""
        try:
            return self.trace.call(name, args, dict(options))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            if isinstance(error, DeriveError):
                raise
            raise self.code.error(f"{name} cannot be used with these arguments ({error})") from None

    def by_entry(self, name: str, *values: Value) -> Value:
        """A function entry by entry; in MATLAB style arrays must have one shape, or be scalars."""
        if self.style.columns:
            self._one_shape([v for v in values if v.rank])
            if name in ARITHMETIC:
                values = tuple(Value(number(v.array), v.row) for v in values)
        array = self.call(name, tuple(v.array for v in values))
        return Value(array, any(v.row for v in values))

    def _one_shape(self, values: list[Value]) -> None:
        for other in values[1:]:
            if other.shape != values[0].shape:
                raise ShapeError(
                    f"a {values[0].shape} and a {other.shape} entry by entry ({self.trace.place()}); try: a transpose, "
                    f"or {self.signs.spread} to repeat a row"
                )

    def product(self, a: Value, b: Value) -> Value:
        """``a * b``: the matrix product in MATLAB style, entry by entry in NumPy style; a scalar scales."""
        if 0 in (a.rank, b.rank) or not self.style.columns:
            return self.by_entry("numpy.multiply", a, b)
        self._not_mixed("*", "@ for the matrix product, .* to go entry by entry")
        return self.matrix_product(a, b)

    def matrix_product(self, a: Value, b: Value) -> Value:
        """``a @ b``; with columns and rows as MATLAB has them, where these occur."""
        if not self.style.columns:
            return Value(self.call("numpy.matmul", (a.array, b.array)))
        if (a.shape, b.shape) == ("column", "row"):
            return Value(self.call("numpy.outer", (a.array, b.array)))
        if (a.shape, b.shape) in ADVICE:
            raise ShapeError(f"{ADVICE[a.shape, b.shape].format(self.signs)} ({self.trace.place()})")
        array = self.call("numpy.matmul", (a.array, b.array))
        return Value(array, a.shape == "row" and array.rank == 1)

    def quotient(self, a: Value, b: Value) -> Value:
        """``a / b``: by a scalar, or entry by entry in NumPy style."""
        if b.rank and self.style.columns:
            self._not_mixed("/", "./ to go entry by entry")
            instead = self._entrywise(self.signs.over)
            raise ShapeError(f"a division by a {b.shape} ({self.trace.place()}); try: {instead}, or inv")
        return self.by_entry("numpy.divide", a, b)

    def left_quotient(self, a: Value, b: Value) -> Value:
        """``A \\ b``, the solution of A x = b."""
        if not a.rank:
            return self.by_entry("numpy.divide", b, a)
        return Value(self.call("numpy.linalg.solve", (a.array, b.array)))

    def power(self, base: Value, exponent: Value) -> Value:
        """``a ^ b``: of scalars, or a matrix to the power of an integer."""
        if not base.rank and not exponent.rank:
            return self.by_entry("numpy.power", base, exponent)
        if base.rank != 2 or exponent.rank:
            raise ShapeError(
                f"a {base.shape} to the power of a {exponent.shape} ({self.trace.place()}); "
                f"try: {self._entrywise(self.signs.power)}"
            )
        times = exponent.array.entry
        if not times.is_Integer:
            what = f"a matrix to a power that is no integer ({self.trace.place()})"
            raise ShapeError(f"{what}; try: {self._entrywise(self.signs.power)}")
        if abs(times) > LARGEST_POWER:
            raise self.code.error(f"a matrix to a power above {LARGEST_POWER}")
        if times == -1:
            return Value(self.call("numpy.linalg.inv", (base.array,)))
        return Value(self.call("numpy.linalg.matrix_power", (base.array, int(times))))

    def transposed(self, a: Value, symbol: str = "'") -> Value:
        """``a'`` and ``a.T``; NumPy's .T leaves a vector as it is."""
        if a.rank == 1 and self.style.columns:
            if symbol != "'":
                self._not_mixed(f"{symbol} of a vector", "'")
            return Value(a.array, not a.row)
        if a.rank > 2 and symbol == "'":
            raise ShapeError(f"the transpose of an {a.shape} ({self.trace.place()}); try: np.transpose with axes")
        return Value(a.array.mT if symbol == ".mT" else a.array.T)

    def _entrywise(self, sign: str) -> str:
        return f"{sign} to go entry by entry"

    def _not_mixed(self, sign: str, instead: str) -> None:
        if self.style.mixed:
            raise self.code.error(
                f"{sign} could mean two things, since the formula has {self.style.matlab} of MATLAB and "
                f"{self.style.numpy} of NumPy; try: {instead}"
            )
