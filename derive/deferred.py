"""Functions that are traced when they are called: their shapes, or numbers for some of their sizes, are not known before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .errors import DeriveError
from .function import Function


class Deferred:
    """A function whose shapes were not given: it is traced when first called, once for each set of ranks."""

    def __init__(
        self, name: str, specialise: Callable[[tuple[Any, ...], Mapping[str, Any]], Function]
    ) -> None:
        self.name, self.specialise = name, specialise
        self.last: Function | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Trace for these ranks if they are new, then run."""
        self.last = self.specialise(args, kwargs)
        return self.last(*args, **kwargs)

    def then(self, transform: Callable[[Function], Function]) -> Deferred:
        """A further derivative, deferred as well."""
        cache: dict[int, tuple[Function, Function]] = {}

        def specialise(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Function:
            base = self.specialise(args, kwargs)
            if id(base) not in cache:
                cache[id(base)] = (base, transform(base))
            return cache[id(base)][1]

        return Deferred(self.name, specialise)

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        if self.last is None:
            raise DeriveError(
                f"the shapes of {self.name}() are not known yet, so it has no {attribute!r}; "
                f'try: dv.trace({self.name}, X="n m", ...), or call it once'
            )
        return getattr(self.last, attribute)

    def __str__(self) -> str:
        return (
            str(self.last)
            if self.last is not None
            else f"{self.name}(...): shapes unknown until the first call"
        )
