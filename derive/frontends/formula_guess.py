"""Shapes for the variables that have none: by the letter, as on matrixcalculus.org, then with the fewest changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations, groupby, islice, product

import sympy

from ..ir.facts import Spec
from ..ir.nodes import size

WORDS = ("a scalar", "a vector", "a matrix")
GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "eps", "zeta", "eta", "theta", "kappa", "lam", "lambda_", "mu", "nu",
    "xi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega",
}  # fmt: skip
Ranks = tuple[int, ...]
LIKELY: dict[int, Ranks] = {0: (0, 1, 2), 1: (1, 0, 2), 2: (2, 1, 0)}
"""For each rank by convention, the ranks in the order in which they are tried."""
MOST_CHANGES = 2
"""How many variables may depart from the convention."""
MOST_GUESSES = 64
MOST_WORK = 8_000
"""Guesses times words of the formula, so that a long one is not traced many times."""


@dataclass(frozen=True)
class Guess:
    """A rank for each undeclared variable, with a size of its own for every axis."""

    specs: dict[str, Spec]

    @property
    def sizes(self) -> frozenset[sympy.Symbol]:
        return frozenset(extent for s in self.specs.values() for extent in s.shape)

    def rank(self, name: str) -> int:
        return len(self.specs[name].shape)

    def word(self, name: str) -> str:
        return WORDS[self.rank(name)]

    def note(self) -> str:
        """What was assumed, for the message of an error."""
        if not self.specs:
            return ""
        taken = ", ".join(f"{name} {self.word(name)}" for name in self.specs)
        first = next(iter(self.specs))
        return f'\n  taken for lack of a declaration: {taken}\n  try: declare shapes, such as {first}="n"'


def by_convention(name: str) -> int:
    """a to g and Greek letters are scalars, h to z vectors, A to Z matrices (matrixcalculus.org, documentation)."""
    if name in GREEK or not name[0].isascii():
        return 0
    return 2 if name[0].isupper() else 0 if name[0] in "abcdefg" else 1


def likely_ranks(name: str) -> Ranks:
    """The ranks that a name may have, the likeliest first."""
    return LIKELY[by_convention(name)]


def guesses(
    names: list[str],
    taken: Iterable[str],
    length: int,
    likely: Callable[[str], Ranks] = likely_ranks,
) -> Iterator[list[Guess]]:
    """Groups of equally likely guesses for a formula of so many words, the likeliest first.

    Their sizes are called differently from `taken`; `likely` gives the ranks to try for a name, in their order.
    """
    most = max(1, min(MOST_GUESSES, MOST_WORK // length))
    ranks = islice(sorted(_changes(list(map(likely, names))), key=lambda found: found[0]), most)
    letters = _letters(set(taken))
    for _, group in groupby(ranks, key=lambda found: found[0]):
        yield [_guess(names, ranks, letters) for _, ranks in group]


def _changes(orders: list[Ranks]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Ranks with what they cost: their places in the orders in which they are likely."""
    places = range(len(orders))
    for changed in chain.from_iterable(combinations(places, count) for count in range(min(MOST_CHANGES, len(orders)) + 1)):
        for steps in product(*(range(1, len(orders[place])) for place in changed)):
            chosen = dict(zip(changed, steps, strict=True))
            yield sum(steps), tuple(order[chosen.get(place, 0)] for place, order in enumerate(orders))


def _letters(taken: set[str]) -> list[str]:
    """More names of sizes than any guess needs."""
    names = (f"{letter}{number}" for number in ("", *range(1, 1000)) for letter in "npqrs")
    return [name for name in names if name not in taken]


def _guess(names: list[str], ranks: tuple[int, ...], letters: list[str]) -> Guess:
    free = iter(letters)
    shapes = [tuple(size(next(free)) for _ in range(rank)) for rank in ranks]
    return Guess({name: Spec(shape) for name, shape in zip(names, shapes, strict=True)})
