"""Under which conditions a false claim is true after all: a search among hypotheses, each set of which is proved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from ...deadline import OutOfTime, check_time, within
from ...errors import DeriveError
from ...ir.nodes import Program, Tensor
from ...verify.sample import input_sizes
from ..ladder import proved_everywhere
from ..points.floats import finite_at_zero, has_values, may_agree, vanish
from .hypotheses import HYPOTHESES, Hypothesis

SECONDS = 5.0
"""For the whole search."""
PAIRED = {
    "nonnegative", "positive", "symmetric", "skew-symmetric", "orthogonal", "diagonal", "commute", "orthogonal to",
    "unit norm", "lower triangular", "simplex", "equal sizes", "all symmetric",
}  # fmt: skip
"""Hypotheses that are tried two at a time, where none alone is enough."""
MOST_PAIRS = 150
GENERAL = ("squares", "size", "two sizes")
"""What is not said of single variables: beside these conditions two at a time are tried."""

Fact = tuple[str, ...]
"""The name of a hypothesis and its subjects."""


Holds = Callable[[Program], bool]
"""Whether a claim on the outputs of a program is proved."""


@dataclass(frozen=True)
class Assumption:
    """A hypothesis on some variables or sizes of a claim."""

    hypothesis: Hypothesis
    subjects: tuple[str, ...]

    @property
    def facts(self) -> tuple[Fact, ...]:
        if self.hypothesis.name == "all symmetric":
            return tuple(("symmetric", subject) for subject in self.subjects)
        return ((self.hypothesis.name, *self.subjects),)

    def __str__(self) -> str:
        *first, last = self.subjects
        return self.hypothesis.words.format(
            *self.subjects, all=f"{', '.join(first)} and {last}" if first else last
        )


@dataclass(frozen=True)
class Condition:
    """Assumptions that together make a claim true, and everything that follows from them."""

    assumptions: tuple[Assumption, ...]
    facts: frozenset[Fact]

    def __str__(self) -> str:
        return " and ".join(map(str, self.assumptions))


def conditions(program: Program, holds: Holds | None = None) -> tuple[str, ...]:
    """The weakest conditions found under which a claim on both outputs of a program is proved.

    holds: whether the claim is proved of a program; by default that the outputs are equal.

    Single assumptions first; two at a time where none alone will do but special sizes; what leaves almost nothing, such
    as a matrix that is 0, where nothing else is found. None of them implies another.
    """
    found: list[Condition] = []
    try:
        with within(SECONDS):
            for condition in _search(program, found, holds or _equal):
                found.append(condition)
    except OutOfTime:
        pass  # what was found was proved
    return tuple(str(c) for c in found if not any(_implied(c, other) for other in found if other is not c))


def _search(program: Program, found: list[Condition], holds: Holds) -> Iterator[Condition]:
    """Conditions that hold, the weakest first; `found` is read as the caller adds to it."""
    every = tuple(assumptions(program))
    plain = [a for a in every if not a.hypothesis.degenerate]
    tried = _Trial(program, found, any(vanish(program)), holds)
    yield from tried([(a,) for a in plain])
    if all(c.assumptions[0].hypothesis.about in GENERAL for c in found):
        pairs = combinations([a for a in plain if a.hypothesis.name in PAIRED], 2)
        yield from tried([p for p in pairs if not _about_sizes(p)][:MOST_PAIRS])
    if not found:
        yield from tried([(a,) for a in every if a.hypothesis.degenerate])


@dataclass(frozen=True)
class _Trial:
    """nothing: whether it is worth saying when both sides are 0, since one of them always is."""

    program: Program
    found: list[Condition]
    nothing: bool
    holds: Holds

    def __call__(self, sets: Iterable[tuple[Assumption, ...]]) -> Iterator[Condition]:
        for chosen in sets:
            check_time()
            condition = Condition(chosen, closure(self.program, [f for a in chosen for f in a.facts]))
            if any(_implied(condition, other) for other in self.found) or self.has_no_value(chosen):
                continue
            if holds_under(self.program, chosen, self.nothing, self.holds):
                yield condition

    def has_no_value(self, chosen: tuple[Assumption, ...]) -> bool:
        """Whether a variable is called nonnegative though a side has no value where it is 0: it must be positive."""
        names = [a.subjects[0] for a in chosen if a.hypothesis.name == "nonnegative"]
        return not all(finite_at_zero(self.program, name) for name in names)


def _implied(condition: Condition, weaker: Condition) -> bool:
    """Whether what makes the one true follows from the other, which is therefore not worth saying."""
    return {f for a in weaker.assumptions for f in a.facts} <= condition.facts


def _about_sizes(chosen: tuple[Assumption, ...]) -> bool:
    return all(a.hypothesis.about in ("size", "two sizes") for a in chosen)


def holds_under(
    program: Program, chosen: tuple[Assumption, ...], nothing: bool = True, holds: Holds | None = None
) -> bool:
    """Whether the claim, by default that the outputs are equal, is proved under all these assumptions.

    nothing: whether that counts where both are 0.
    """
    ways: list[tuple[Program, ...]] = [(program,)]
    for assumption in sorted(chosen, key=lambda a: a.hypothesis.about == "two squares"):
        ways = [way for cases in ways for way in _imposed(cases, assumption)]
    ways = [cases for cases in ways if nothing or not all(all(vanish(case)) for case in cases)]
    return any(all(_holds(case, holds or _equal) for case in cases) and any(map(has_values, cases)) for cases in ways)


def _imposed(cases: tuple[Program, ...], assumption: Assumption) -> Iterator[tuple[Program, ...]]:
    """Ways to impose one more assumption on every case."""
    facts = {t.name: t.facts for case in cases for t in case.inputs}
    if any(facts.get(name, frozenset()) & assumption.hypothesis.clashes for name in assumption.subjects):
        return
    if len(cases) == 1:
        yield from assumption.hypothesis.impose(cases[0], *assumption.subjects)
        return
    each = [next(assumption.hypothesis.impose(case, *assumption.subjects), None) for case in cases]
    if all(way is not None for way in each):
        yield tuple(case for way in each if way is not None for case in way)


def _equal(program: Program) -> bool:
    return may_agree(program) and bool(proved_everywhere(program))


def _holds(program: Program, holds: Holds) -> bool:
    check_time()
    try:
        return holds(program)
    except (DeriveError, ArithmeticError, RecursionError, ValueError):
        return False


# -- which assumptions there are


def assumptions(program: Program) -> Iterator[Assumption]:
    """Every hypothesis on everything that it can be about."""
    real = [t for t in program.inputs if t.kind == "real"]
    sizes = [str(s) for s in input_sizes(program)]
    for hypothesis in HYPOTHESES:
        match hypothesis.about:
            case "size":
                yield from (Assumption(hypothesis, (s,)) for s in sizes)
            case "two sizes":
                yield from (Assumption(hypothesis, pair) for pair in combinations(sizes, 2))
            case "two squares" | "two vectors" as about:
                pairs = combinations([t for t in real if SHAPES[about](t)], 2)
                yield from (Assumption(hypothesis, (a.name, b.name)) for a, b in pairs if a.shape == b.shape)
            case "squares":
                yield from (Assumption(hypothesis, group) for group in _groups(real))
            case about:
                for t in real:
                    if SHAPES[about](t) and not t.facts & hypothesis.clashes:
                        yield Assumption(hypothesis, (t.name,))


def _groups(tensors: list[Tensor]) -> Iterator[tuple[str, ...]]:
    """Square matrices of one size, all there are."""
    squares = [t for t in tensors if _square(t)]
    for shape in dict.fromkeys(t.shape for t in squares):
        group = tuple(t.name for t in squares if t.shape == shape)
        if len(group) > 1:
            yield group


def _square(t: Tensor) -> bool:
    return t.rank == 2 and t.shape[0] == t.shape[1] and not t.shape[0].is_Integer


def _vector(t: Tensor) -> bool:
    return t.rank == 1


SHAPES: dict[str, Callable[[Tensor], bool]] = {
    "scalar": lambda t: t.rank == 0,
    "vector": _vector,
    "array": lambda t: t.rank > 0,
    "square": _square,
    "two squares": _square,
    "two vectors": _vector,
}


# -- what follows from what


def closure(program: Program, given: Iterable[Fact]) -> frozenset[Fact]:
    """The facts that follow from these, and from those that were declared."""
    squares = [t for t in program.inputs if _square(t)]
    known: set[Fact] = {(fact, t.name) for t in program.inputs for fact in t.facts}
    new = set(given)
    while new - known:
        known |= new
        new = {fact for known_fact in known for fact in _follows(known_fact, squares)}
        new |= {("commute", a, b) for a, b in _pairs(squares) if {("diagonal", a), ("diagonal", b)} <= known}
    return frozenset(known)


def _follows(fact: Fact, squares: list[Tensor]) -> Iterator[Fact]:
    name, *subjects = fact
    for hypothesis in HYPOTHESES:
        if hypothesis.name == name:
            yield from ((implied, *subjects) for implied in hypothesis.implies)
    if name == "one" and any(subjects[0] == str(t.shape[0]) for t in squares):
        yield from (("multiple of I", t.name) for t in squares if str(t.shape[0]) == subjects[0])
    if name == "multiple of I":
        yield from (("commute", a, b) for a, b in _pairs(squares) if subjects[0] in (a, b))


def _pairs(squares: list[Tensor]) -> Iterator[tuple[str, str]]:
    return ((a.name, b.name) for a, b in combinations(squares, 2) if a.shape == b.shape)
