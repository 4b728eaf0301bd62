"""What can go wrong: one base class, each error also the builtin that a caller would catch."""

from collections.abc import Iterable
from difflib import get_close_matches


class DeriveError(Exception):
    """Base of every error that derive raises on purpose."""


class ShapeError(DeriveError, ValueError):
    """Axes, ranks or sizes that do not fit together."""


class ChunkError(DeriveError, ValueError):
    """An axis that cannot be computed chunk by chunk; the message names the equation and what to try."""


class SidesDiffer(ShapeError):
    """The two sides of a claim have different shapes."""


class VerdictError(DeriveError, ValueError):
    """A saved verdict that cannot be read or checked."""


class UnsupportedOp(DeriveError, NotImplementedError):
    """A NumPy function, method or option that has no record yet."""


class NoClosedForm(UnsupportedOp):
    """An expectation for which there is no formula here; the message says of what."""


class UnknownMethod(UnsupportedOp, AttributeError):
    """A method of arrays that has no record yet; `hasattr` answers False."""


class TraceError(DeriveError, TypeError):
    """Something was done to a traced value that needs a number."""


class NeedsSize(TraceError):
    """A number was asked for where there is a size; `sizes` are the symbols, `reason` the place in the user's code."""

    def __init__(self, message: str, sizes: Iterable[object] = (), reason: str = "") -> None:
        super().__init__(message)
        self.sizes, self.reason = frozenset(sizes), reason


class UnknownName(DeriveError, KeyError):
    """A name that is not there; the message offers the closest ones."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class NotDifferentiable(DeriveError, TypeError):
    """A gradient was asked of, or with respect to, something that has none."""


class StructureError(DeriveError, TypeError):
    """A nested argument that is not built like the one that was declared; the message names the path."""


class SpecError(DeriveError, ValueError):
    """A shape or a fact that could not be read."""


class ParseError(DeriveError, ValueError):
    """Text that could not be read; `position` is the character it is about, counted from 0.

    Where a cause has a class of its own (a `ShapeError`, an `UnsupportedOp`, ...) the error is of both; see `in_text`.
    """

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class CatalogError(DeriveError, ValueError):
    """A file of the catalog that cannot be read; the message names the file, the entry, and the character of a claim."""


class DomainError(DeriveError, ValueError):
    """Values outside the domain on which an operation or a check is defined."""


class FitError(DeriveError, ArithmeticError):
    """A likelihood that has no maximum at the data, or a search for it that ended early."""


_IN_TEXT: dict[type[DeriveError], type[ParseError]] = {}


def in_text(kind: type[DeriveError]) -> type[ParseError]:
    """The `ParseError` that is an error of this kind too: whoever reads text from strangers catches one class."""
    if issubclass(kind, ParseError):
        return kind
    if kind not in _IN_TEXT:
        _IN_TEXT[kind] = type(kind.__name__, (ParseError, kind), {"__doc__": kind.__doc__})
    return _IN_TEXT[kind]


def closest(name: str, names: Iterable[str], count: int = 3) -> str:
    """A phrase that offers the names nearest to `name`: ``"did you mean 'gamma'?"``."""
    names = list(names)
    near = get_close_matches(name, names, n=count, cutoff=0.5)
    if near:
        return "did you mean " + " or ".join(repr(n) for n in near) + "?"
    return "known: " + ", ".join(sorted(names)) if names else "there are none"
