"""What a function does again and again to other arrays becomes a function of its own: it is compiled once, and called.

The layers of a deep net are runs of statements that are equal but for names. Nothing is known of layers here: the runs are
found in the text of the function.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from textwrap import dedent

from .loops_writer import Names

OFTEN = 4
"""As many equal parts share one function; fewer are compiled where they stand."""
LONGEST = 64
"""Statements in a part."""

Lines = Sequence[str]


@dataclass(frozen=True)
class Part:
    """Statements of a function that follow each other, as lines with their comments."""

    lines: Lines

    @cached_property
    def comments(self) -> list[str]:
        return [line for line in self.lines if line.lstrip().startswith("#")]

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(dedent("\n".join(line for line in self.lines if not line.lstrip().startswith("#"))))

    @cached_property
    def met(self) -> list[tuple[str, bool]]:
        """The names in the order in which they are met when it runs, and whether they are given a value there."""
        return list(_met(self.tree))

    @cached_property
    def given(self) -> list[str]:
        """The names that must have a value before it begins."""
        first: dict[str, bool] = {}
        for name, stored in self.met:
            first.setdefault(name, stored)
        return [name for name, stored in first.items() if not stored]

    @cached_property
    def stored(self) -> set[str]:
        return {name for name, stored in self.met if stored}

    @cached_property
    def loops(self) -> bool:
        return any(isinstance(node, ast.For) for node in ast.walk(self.tree))

    def shape(self, variables: set[str]) -> str:
        """The code with its variables numbered as they are met: equal for parts that differ in names only."""
        numbers: dict[str, int] = {}

        def number(found: re.Match[str]) -> str:
            name = found[1]
            return f"id={numbers.setdefault(name, len(numbers))}" if name in variables else found[0]

        return re.sub(r"id='(\w+)'", number, ast.dump(self.tree))


def _met(node: ast.AST) -> Iterator[tuple[str, bool]]:
    match node:
        case ast.Name(id=name, ctx=context):
            yield name, isinstance(context, ast.Store)
        case ast.Assign(targets=targets, value=value):
            yield from chain.from_iterable(map(_met, (value, *targets)))
        case ast.AugAssign(target=target, value=value):
            yield from ((name, False) for name, _ in _met(target))
            yield from chain.from_iterable(map(_met, (value, target)))
        case ast.For(target=target, iter=turns, body=body):
            yield from chain.from_iterable(map(_met, (turns, target, *body)))
        case _:
            yield from chain.from_iterable(map(_met, ast.iter_child_nodes(node)))


@dataclass(frozen=True)
class Shared:
    """A function for equal parts: its name, its arguments, and the lines of the first of them."""

    name: str
    arguments: list[str]
    lines: Lines


def shared(
    statements: Sequence[Lines], arguments: Sequence[str], last: str, names: Names
) -> tuple[list[Shared], list[Lines]]:
    """Take parts that are equal but for names out of a function.

    Args:
        statements: the lines of its outermost statements.
        arguments: the names that have a value when it begins.
        last: the expression that it returns.
        names: those that are taken.

    Returns:
        The functions for the parts, and the statements with calls of them.
    """
    single = [Part(tuple(lines)) for lines in statements]
    variables = set(arguments).union(*(part.stored for part in single))
    readers: dict[str, set[int]] = {}
    for place, part in enumerate([*single, Part((f"    return {last}",) if last else ())]):
        for name in part.given:
            readers.setdefault(name, set()).add(place)

    def apart(part: Part, places: range) -> bool:
        """It has loops, and nothing that it gives a value is used elsewhere: what it does is written to arrays."""
        return part.loops and all(readers.get(name, set()) <= set(places) for name in part.stored)

    shapes = [part.shape(variables) for part in single]
    units: list[tuple[Part, str]] = []
    for first, length, count in _runs(shapes):
        spans = [range(first + k * length, first + (k + 1) * length) for k in range(count)]
        joined = [Part(tuple(line for place in span for line in single[place].lines)) for span in spans]
        forms = {part.shape(variables) for part in joined}
        if len(forms) == 1 and all(map(apart, joined, spans)):
            units += [(part, form) for part in joined for form in forms]
        else:
            places = [place for span in spans for place in span]
            units += [(single[p], shapes[p] if apart(single[p], range(p, p + 1)) else "") for p in places]
    found: dict[str, Shared] = {}
    written: list[Lines] = []
    often = {form for form, count in Counter(form for _, form in units).items() if form and count >= OFTEN}
    for part, form in units:
        if form not in often:
            written.append(part.lines)
            continue
        given = [name for name in part.given if name in variables]
        if form not in found:
            name = next(name for name in iter(partial(names.new, "part"), None) if name not in variables)
            found[form] = Shared(name, given, part.lines)
        written.append([*part.comments, f"    {found[form].name}({', '.join(given)})"])
    return list(found.values()), written


def _runs(shapes: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Where equal sequences follow each other: the first place, how long each is, and how many there are."""
    first = 0
    while first < len(shapes):
        best = 1, 1
        for length in range(1, min(LONGEST, (len(shapes) - first) // OFTEN) + 1):
            count = 1
            while shapes[first + count * length : first + (count + 1) * length] == shapes[first : first + length]:
                count += 1
            if count >= OFTEN and length * count > best[0] * best[1]:
                best = length, count
        yield first, *best
        first += best[0] * best[1]
