"""What may be assumed of the variables of a claim: one record each, that says how a program is narrowed down to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from . import narrowing as to
from .narrowing import Cases

About = Literal[
    "scalar", "vector", "array", "square", "two vectors", "two squares", "squares", "size", "two sizes"
]


@dataclass(frozen=True)
class Hypothesis:
    """One assumption.

    words: how it is said of its subjects, "{} is symmetric".
    impose: a program and the names of the subjects -> ways to narrow the program down, each of which would do.
    implies: hypotheses on the same subjects that follow from it.
    clashes: declared facts beside which it says nothing, or nothing new.
    degenerate: whether it leaves so little that it is only said where nothing else is known.
    """

    name: str
    about: About
    words: str
    impose: Callable[..., Iterator[Cases]]
    implies: tuple[str, ...] = ()
    clashes: frozenset[str] = field(default=frozenset())
    degenerate: bool = False


MATRIX = frozenset({"symmetric", "orthogonal", "diagonal", "lower triangular", "upper triangular"})
STRUCTURED = MATRIX | {"positive", "nonnegative", "probability", "binary", "simplex"}
"""Facts beside which a definition would have to keep them as well."""
RIGID = STRUCTURED | {"invertible"}
SIGNED = frozenset({"nonnegative"})
DEFINITE = frozenset({"orthogonal", "diagonal", "positive definite"})


def _about(about: About, *given: tuple[Any, ...], degenerate: bool = False) -> tuple[Hypothesis, ...]:
    """Records about one kind of subject: name, words, how it is imposed, what it implies, what it clashes with."""
    return tuple(
        Hypothesis(
            name, about, words, impose, tuple(implies.split(", ")) if implies else (), clashes, degenerate
        )
        for name, words, impose, implies, clashes in given
    )


NONE: frozenset[str] = frozenset()
HYPOTHESES: tuple[Hypothesis, ...] = (
    *_about(
        "scalar",
        ("nonnegative", "{} is nonnegative", to.fact("nonnegative"), "", SIGNED),
        ("positive", "{} is positive", to.fact("positive"), "nonnegative", SIGNED),
    ),
    *_about(
        "array",
        ("nonnegative", "{} is nonnegative", to.fact("nonnegative"), "", SIGNED),
        ("positive", "{} is positive", to.fact("positive"), "nonnegative", SIGNED),
    ),
    *_about(
        "vector",
        ("centred", "the entries of {} add up to 0", to.defined(to.centred), "", STRUCTURED),
        ("unit norm", "{} has norm 1", to.defined(to.unit_norm), "", STRUCTURED),
        ("simplex", "{} is simplex", to.fact("simplex"), "nonnegative", frozenset({"simplex"})),
        ("binary", "{} is binary", to.fact("binary"), "nonnegative", SIGNED | {"binary"}),
        (
            "one-hot",
            "{} is one-hot",
            to.fact("one-hot"),
            "simplex, unit norm, binary",
            frozenset({"positive"}),
        ),
    ),
    *_about(
        "square",
        ("normal", "{} is normal", to.normal, "", STRUCTURED),
        ("symmetric", "{} is symmetric", to.fact("symmetric"), "normal", MATRIX - {"orthogonal"}),
        ("skew-symmetric", "{} is skew-symmetric", to.defined(to.skew), "normal", RIGID),
        ("orthogonal", "{} is orthogonal", to.fact("orthogonal"), "normal", DEFINITE),
        ("idempotent", "{0}*{0} = {0}", to.defined(to.idempotent), "", RIGID),
        (
            "projection",
            "{} is an orthogonal projection",
            to.defined(to.projection),
            "idempotent, positive semidefinite",
            RIGID,
        ),
        (
            "positive semidefinite",
            "{} is positive semidefinite",
            to.fact("positive semidefinite"),
            "symmetric",
            DEFINITE,
        ),
        (
            "positive definite",
            "{} is positive definite",
            to.fact("positive definite"),
            "positive semidefinite",
            DEFINITE,
        ),
        ("lower triangular", "{} is lower triangular", to.fact("lower triangular"), "", STRUCTURED),
        ("upper triangular", "{} is upper triangular", to.fact("upper triangular"), "", STRUCTURED),
        (
            "diagonal",
            "{} is diagonal",
            to.fact("diagonal"),
            "symmetric, lower triangular, upper triangular",
            NONE,
        ),
    ),
    *_about("squares", ("all symmetric", "{all} are symmetric", to.each(to.fact("symmetric")), "", MATRIX)),
    *_about("two squares", ("commute", "{} and {} commute", to.of_two(to.commuting), "", NONE)),
    *_about(
        "two vectors",
        ("orthogonal to", "{} and {} are orthogonal", to.of_two(to.orthogonal_vectors), "", NONE),
        ("parallel", "{} and {} are parallel", to.of_two(to.multiple("")), "", NONE),
        (
            "same direction",
            "{} and {} have the same direction",
            to.of_two(to.multiple("nonnegative")),
            "parallel",
            NONE,
        ),
    ),
    *_about("two sizes", ("equal sizes", "{} = {}", to.equal_sizes, "", NONE)),
    *_about("size", ("one", "{} = 1", to.one, "", NONE)),
    *_about(
        "square",
        (
            "multiple of I",
            "{} is a multiple of the unit matrix",
            to.defined(to.multiple_of_unit),
            "diagonal",
            RIGID,
        ),
        ("unit matrix", "{} is the unit matrix", to.defined(to.identity), "multiple of I, orthogonal", NONE),
        degenerate=True,
    ),
    *_about(
        "vector",
        ("constant", "all entries of {} are equal", to.defined(to.constant), "", STRUCTURED),
        degenerate=True,
    ),
    *_about("two squares", ("same", "{} = {}", to.of_two(to.same), "commute", NONE), degenerate=True),
    *_about("two vectors", ("same", "{} = {}", to.of_two(to.same), "same direction", NONE), degenerate=True),
    *_about(
        "scalar",
        ("one", "{} = 1", to.defined(to.number(1)), "positive", STRUCTURED),
        ("zero", "{} = 0", to.defined(to.number(0)), "nonnegative", STRUCTURED),
        degenerate=True,
    ),
    *_about("array", ("zero", "{} = 0", to.defined(to.number(0)), "nonnegative", RIGID), degenerate=True),
)
"""All that is tried, of what is said of the same subjects the weakest first."""
