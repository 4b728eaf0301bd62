"""Names for values: a key that is equal for expressions that differ only in the names of their indices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..ir.nodes import Index, Read

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Canonical:
    """The key of an expression, and its indices in canonical order."""

    key: Key
    order: tuple[Index, ...]


def canonical(e: Any, bound: Iterable[Index] = ()) -> Canonical:
    """A key equal for all renamings of the indices; `bound` indices are told apart from free ones."""
    bound = frozenset(bound)
    numbers: dict[Index, int] = {}
    key = _key(e, bound, numbers, {})
    return Canonical((key, len(bound)), tuple(numbers))


def _children(e: Any) -> tuple[Any, ...]:
    return e.indices if isinstance(e, Read) else e.args


def _head(e: Any) -> Any:
    return ("read", e.tensor.name) if isinstance(e, Read) else e.func.__name__


@lru_cache(maxsize=10_000)
def _text(e: Any) -> str:
    return str(e)


def _masked(e: Any, bound: frozenset[Index], memo: dict[Any, Any]) -> str:
    """The expression as text with every index replaced by its extent, to order the arguments of sums and products."""
    if e in memo:
        return memo[e]
    if isinstance(e, Index):
        text = ("b" if e in bound else "f") + _text(e.extent)
    elif not _children(e):
        text = _text(e)
    else:
        parts = [_masked(c, bound, memo) for c in _children(e)]
        text = f"{_head(e)}({','.join(sorted(parts) if e.is_Add or e.is_Mul else parts)})"
    memo[e] = text
    return text


def _key(e: Any, bound: frozenset[Index], numbers: dict[Index, int], memo: dict[Any, Any]) -> Any:
    if isinstance(e, Index):
        return ("index", numbers.setdefault(e, len(numbers)), e in bound, e.extent)
    children = _children(e)
    if not children:
        return (_head(e),) if isinstance(e, Read) else e
    if getattr(e, "is_Add", False) or getattr(e, "is_Mul", False):
        children = tuple(sorted(children, key=lambda c: _masked(c, bound, memo)))
    return (_head(e), *(_key(c, bound, numbers, memo) for c in children))
