"""Where in a formula a trace stands: for messages, and for the steps of a derivation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import ParseError
from .formula_text import Source
from .formula_tree import Place
from .user_code import UserCode


class FormulaCode(UserCode):
    """A formula in the part of the user's code: its places are characters, its local variables what it defines."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source
        self.now = Place(0, len(source.text))
        self.named: dict[str, Any] = {}

    @contextmanager
    def at(self, place: Place) -> Iterator[None]:
        """What happens in the block is about these characters; an error shows them."""
        before, self.now = self.now, place
        try:
            with self.source.about(place):
                yield
        finally:
            self.now = before

    def error(self, message: str) -> ParseError:
        """An error about the place at hand."""
        return self.source.error_at(message, self.now)

    # -- what a trace asks of the user's code

    def frame(self) -> None:
        return None

    def where(self) -> str:
        return self.source.words(self.now)

    def place(self) -> str:
        return self.source.place(self.now.start)

    def line(self) -> str:
        return f"the {self.source.what}: {self.where()}"

    def variables(self) -> Iterator[tuple[str, Any]]:
        return iter(self.named.items())
