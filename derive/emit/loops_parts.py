"""Long kernels as several functions: the compiler takes more than twice the time for a function of twice the length."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONG = 160  # lines of a function that is divided
PART = 80  # lines of a part, at least


@dataclass(frozen=True)
class Part:
    """Some of the nests of a kernel as a function of their own.

    numbers: results without axes that it takes from the parts before it.
    gives: results without axes that it computes and that are needed after it.
    """

    name: str
    lines: tuple[str, ...]
    numbers: tuple[str, ...]
    gives: tuple[str, ...]

    def arguments(self, known: set[str]) -> list[str]:
        """Arrays, sizes and numbers that it uses."""
        used = words(self.lines)
        return [*sorted(known & used), *self.numbers]

    def call(self, known: set[str]) -> str:
        """The line that runs it."""
        left = ", ".join(self.gives) + (" = " if self.gives else "")
        return f"    {left}{self.name}({', '.join(self.arguments(known))})"

    @property
    def body(self) -> list[str]:
        return [*self.lines, *([f"    return {', '.join(self.gives)}"] if self.gives else [])]


def split(nests: list[list[str]], returned: str, name: str, numbers: list[str]) -> list[Part]:
    """The nests dealt out to parts, or nothing if they are short enough for one function."""
    if sum(map(len, nests)) <= LONG:
        return []
    groups: list[list[str]] = [[]]
    for nest in nests:
        groups[-1] += nest
        if len(groups[-1]) >= PART:
            groups.append([])
    groups = [group for group in groups if group]
    parts = []
    made: set[str] = set()
    for position, group in enumerate(groups):
        later = words([line for other in groups[position + 1 :] for line in other] + [returned])
        assigned = {n for n in numbers if any(re.match(rf" +{n} (?:[-+*]?=) ", line) for line in group)}
        takes = [n for n in numbers if n in made and n in words(group)]
        made |= assigned
        gives = tuple(n for n in numbers if n in assigned and n in later)
        parts.append(Part(f"{name}_part{position + 1}", tuple(group), tuple(takes), gives))
    return parts


def words(lines: list[str] | tuple[str, ...]) -> set[str]:
    """The names in the code, comments left out."""
    return {word for line in lines if not line.lstrip().startswith("#") for word in re.findall(r"\w+", line)}
