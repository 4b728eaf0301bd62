"""What may be declared about an input: its axes, its kind and its facts, read from ``"n n, symmetric"``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import sympy
from sympy import Expr

from ..errors import SpecError, closest
from .nodes import Index, Kind, Tensor, size

IMPLIES: dict[str, tuple[str, ...]] = {
    "symmetric": (),
    "positive definite": ("symmetric", "invertible"),
    "positive semidefinite": ("symmetric",),
    "invertible": (),
    "orthogonal": ("invertible",),
    "diagonal": ("lower triangular", "upper triangular", "symmetric"),
    "lower triangular": (),
    "upper triangular": (),
    "positive": ("nonnegative",),
    "nonnegative": (),
    "probability": ("positive",),
    "simplex": ("nonnegative",),
    "one-hot": ("simplex",),
    "binary": ("nonnegative",),
    "increasing": (),
}
"""Every fact with the facts that follow from it.

Matrix facts speak of the last two axes, simplex, one-hot and increasing of the last; a probability lies between 0 and 1 and
is neither.
"""

SQUARE = {"symmetric", "positive definite", "positive semidefinite", "invertible", "orthogonal", "diagonal"}
TRIANGULAR = {"lower triangular", "upper triangular"}
LAST = {"simplex", "one-hot", "increasing"}
MORE = re.compile(r"([A-Za-z_]\w{0,40})\+([0-9]{1,9})")
AXIS = re.compile(r"[A-Za-z_]\w{0,40}|[0-9]{1,9}")
INTEGER = re.compile(r"integer(?:\s*<\s*(\w+))?")
LAW = re.compile(r"([A-Za-z_]\w{0,40})\s*\((.{1,400})\)")


def facts_across(facts: frozenset[str], rank: int, axis: int) -> frozenset[str]:
    """The facts that say the same of a tensor of `rank` axes and of each of its slices along `axis`.

    Example:
        >>> sorted(facts_across(frozenset({"positive", "symmetric"}), 3, 2))
        ['positive']
    """
    speaks_of = {**dict.fromkeys(LAST, 1), **dict.fromkeys(SQUARE | TRIANGULAR, 2)}
    return frozenset(fact for fact in facts if axis < rank - speaks_of.get(fact, 0))


@dataclass(frozen=True)
class Law:
    """What an array is drawn from, as it is written: ``normal(mu, Sigma)``; the parameters are formulas."""

    name: str
    parameters: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.parameters)})"


@dataclass(frozen=True)
class Spec:
    """A declared input: sizes of its axes, kind of its entries, facts, and what it is drawn from if it is random."""

    shape: tuple[Expr, ...]
    kind: Kind = "real"
    facts: frozenset[str] = frozenset()
    bound: Expr | None = None
    law: Law | None = None

    def tensor(self, name: str) -> Tensor:
        return Tensor(name, self.shape, self.kind, self.facts, self.bound)

    def words(self) -> str:
        """The declaration as `spec` reads it: ``n n, symmetric``."""
        bound = "" if self.bound is None else f" < {self.bound}"
        kind = [] if self.kind == "real" else [f"{self.kind}{bound}"]
        law = [] if self.law is None else [str(self.law)]
        return ", ".join([" ".join(str(e).replace(" ", "") for e in self.shape), *kind, *sorted(self.facts), *law])

    def at(self, sizes: Mapping[Expr, Expr]) -> Spec:
        """The declaration with numbers for some of its sizes."""
        bound = None if self.bound is None else self.bound.xreplace(sizes)
        return replace(self, shape=tuple(e.xreplace(sizes) for e in self.shape), bound=bound)


def spec(axes: str | int = "", *facts: str) -> Spec:
    """Declare an input by its axes and facts.

    Args:
        axes: names or integers separated by spaces, ``"batch n"``, ``"3 n"``, ``"T+1 n"``, ``""`` for a scalar;
            facts may follow after commas, ``"n n, symmetric"``.
        facts: words of `IMPLIES`, or ``"integer"``, ``"integer < v"``, ``"boolean"``; or what it is drawn from, such as
            ``"normal(mu, Sigma)"``: one of `distributions`, its parameters formulas.

    Raises:
        SpecError: an axis is not a name or a positive integer, or a fact is unknown or does not fit the shape.

    Example:
        >>> spec("n n", "positive definite").facts >= {"symmetric", "invertible"}
        True
    """
    if isinstance(axes, bool) or not isinstance(axes, str | int):
        raise SpecError(f"axes are a string of names such as 'batch n', or one integer; found {axes!r}")
    head, *tail = parts_of(str(axes))
    shape = tuple(_extent(word, axes) for word in head.split())
    kinds: dict[Kind, Expr | None] = {}
    known: set[str] = set()
    laws: list[Law] = []
    for word in (" ".join(part.split()) for part in parts_of(",".join([*tail, *facts])) if tail or facts):
        if match := INTEGER.fullmatch(word):
            kinds["integer"] = _extent(match[1], axes) if match[1] else None
        elif word == "boolean":
            kinds["boolean"] = None
        elif word in IMPLIES:
            known |= _closure(word)
        elif match := LAW.fullmatch(word):
            laws.append(Law(match[1], tuple(part.strip() for part in parts_of(match[2]))))
        else:
            raise SpecError(
                f"unknown fact {word!r} in {axes!r}; {closest(word, [*IMPLIES, 'integer', 'boolean'])}"
            )
    if len(kinds) > 1:
        raise SpecError(f"entries are either integer or boolean; found both in {axes!r}")
    if len(laws) > 1:
        raise SpecError(f"an array is drawn from one distribution; found {laws[0]} and {laws[1]} in {axes!r}")
    _fit(known, shape, axes)
    kind, bound = next(iter(kinds.items()), ("real", None))
    return Spec(shape, kind, frozenset(known), bound, laws[0] if laws else None)


def parts_of(text: str) -> list[str]:
    """The text between commas that stand in no brackets."""
    found, depth = [""], 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth <= 0:
            found.append("")
        else:
            found[-1] += character
    return found


def implied(shape: tuple[Expr, ...], fact: str) -> frozenset[str]:
    """A word of `IMPLIES` with all that follows from it, for an array of any shape.

    Raises:
        SpecError: an array of this shape cannot have it.
    """
    known = _closure(fact)
    _fit(known, shape, axes_as_declared(shape))
    return frozenset(known)


def axes_as_declared(shape: tuple[Expr, ...]) -> str:
    """The axes as `spec` reads them: ``n+2 m``."""
    return " ".join("".join(str(extent).split()) for extent in shape)


def _fit(known: set[str], shape: tuple[Expr, ...], axes: str | int) -> None:
    """Whether an array of this shape can have these facts."""
    if (wrong := sorted(known & SQUARE)) and (len(shape) < 2 or shape[-1] != shape[-2]):
        raise SpecError(f"{wrong[0]!r} needs the last two axes equal; found {axes!r}; try: 'n n, {wrong[0]}'")
    if (wrong := sorted(known & TRIANGULAR)) and len(shape) < 2:
        raise SpecError(f"{wrong[0]!r} needs two axes; found {axes!r}; try: 'n n, {wrong[0]}'")
    if known & {"simplex"} and not shape:
        raise SpecError(f"'simplex' and 'one-hot' need an axis to sum over; found the scalar {axes!r}")


def with_facts(facts: frozenset[str], *more: str) -> frozenset[str]:
    """Some facts with others, and all that follows from these."""
    return facts.union(*(_closure(f) for f in more))


def _closure(fact: str) -> set[str]:
    return {fact}.union(*(_closure(f) for f in IMPLIES[fact]))


def _extent(word: str, whole: str | int) -> Expr:
    if match := MORE.fullmatch(word):
        return size(match[1]) + int(match[2])
    if not AXIS.fullmatch(word):
        raise SpecError(f"an axis is a name or a positive integer; found {word!r} in {whole!r}")
    if word.isdigit():
        if int(word) == 0:
            raise SpecError(f"a size is at least 1; found 0 in {whole!r}")
        return sympy.Integer(int(word))
    return size(word)


def sign_facts(body: Expr, reduce: str | None, bound: Iterable[Index]) -> frozenset[str]:
    """What is known of the sign of an equation's entries; a sum that may have no terms is positive or 0."""
    empty = reduce == "sum" and not all(b.extent.is_positive for b in bound)
    if body.is_positive and not empty:
        return frozenset({"positive"})
    return frozenset({"nonnegative"} if body.is_nonnegative else ())


def parse_shapes(text: str) -> dict[str, Spec]:
    """``"X=batch n, W=n m, y=batch, integer < m"`` -> specs by name; a comma not followed by ``name=`` adds a fact."""
    found: dict[str, list[str]] = {}
    for part in text.split(","):
        name, equals, rest = part.partition("=")
        name = name.strip()
        if equals and name in found:
            raise SpecError(f"{name!r} is declared twice in {text!r}")
        if equals and name.isidentifier():
            found[name] = [rest]
        elif found and not equals:
            found[next(reversed(found))].append(part)
        elif equals or part.strip():
            raise SpecError(f"expected NAME=AXES, found {part.strip()!r} in {text!r}")
    return {name: spec(",".join(parts)) for name, parts in found.items()}
