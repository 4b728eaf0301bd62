"""The catalog as a page for people: every entry with its claim in mathematical notation and its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ...errors import CatalogError
from ...render.claim import claim_latex
from .entries import LEVELS, Entry

OPEN = "open"
"""What stands for a level where no run has reached one."""

MARKS = "<!-- catalog -->", "<!-- /catalog -->"
"""Where a page that is written by hand has the table of counts."""

HEAD = """\
# The catalog of identities

Written by `derive catalog page` from the files in `catalog/`; do not edit. The verdicts are those that a run of the engine
reached and that every later run must reach:

* PROVED: true for all sizes and all values with the declared facts.
* PROVED SMALL: true for all values at sizes up to a small number, every entry written out; no proof for all sizes.
* TESTED: no proof, but a test at random points whose chance of error is known, or 40 digits.
* CONDITIONAL: false as it stands, with a counterexample, and true under conditions that the engine found.
* REFUTED: false, with a counterexample, which `derive catalog show ID` shows. Well-known errors stay in for that reason.
* open: no verdict yet.

Vectors are columns. $\\nabla_x f$ has the shape of $x$, $\\mathrm{D}_X f\\,[V]$ is the derivative along $V$, and
$\\mathrm{D}_X f^*\\,[G]$ the cotangent of $X$ from that of $f$, which is the gradient of
$\\operatorname{sum}(G \\circ f)$ for constant $G$. $\\circ$ goes entry by entry, and $\\operatorname{ravel}$ lists a
matrix row by row. Axes are counted from 0; what was summed over an axis goes with every entry along it.
"""


def counted(among: Iterable[Entry]) -> dict[str, Counter[str]]:
    """How many entries have each level, by the name of the file, and in all."""
    found: dict[str, Counter[str]] = {}
    for entry in among:
        found.setdefault(topic(entry), Counter())[entry.level or OPEN] += 1
    return {**found, "all": sum(found.values(), Counter())}


def topic(entry: Entry) -> str:
    return entry.file.removesuffix(".toml")


def table_of_counts(among: Iterable[Entry]) -> str:
    """How many entries have each level, by file, as a table in Markdown."""
    return table_of(("file", *LEVELS, OPEN, "all"), _counts(tuple(among)))


def with_table(text: str, among: Iterable[Entry]) -> str:
    """A page in Markdown with the table of counts between its marks.

    Raises:
        CatalogError: it has no such marks.
    """
    before, first, rest = text.partition(MARKS[0])
    _, last, after = rest.partition(MARKS[1])
    if not first or not last:
        raise CatalogError(f"the table goes between {MARKS[0]} and {MARKS[1]}, which the page does not have")
    return f"{before}{first}\n{table_of_counts(among)}{last}{after}"


def page(among: Iterable[Entry]) -> str:
    """The page in Markdown, with mathematics between dollar signs."""
    among = tuple(among)
    parts = [HEAD, table_of_counts(among)]
    for name in dict.fromkeys(map(topic, among)):
        rows = [_row(e) for e in among if topic(e) == name]
        title = name.replace("-", " ").capitalize()
        parts.append(f"## {title}\n\n" + table_of(("identity", "claim", "with", "verdict", "source"), rows))
    return "\n".join(parts)


def _counts(among: Iterable[Entry]) -> list[tuple[str, ...]]:
    return [
        (name, *(str(count[level]) for level in (*LEVELS, OPEN)), str(count.total()))
        for name, count in counted(among).items()
    ]


def _row(e: Entry) -> tuple[str, ...]:
    drawn = claim_latex(e.statement)
    claim = f"`{e.statement}`" if drawn is None else f"${drawn}$"
    title = f"{e.title}<br>`{e.id}`" + (f"<br>{e.layout}" if e.layout else "")
    return title, claim, "; ".join(f"`{shape}`" for shape in e.shapes), e.level or OPEN, e.source


def table_of(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
