"""`errata`: of what a run found, the claims that are not proved as printed, and what is true in place of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ...frontends.formula_grammar import read_formula
from ...frontends.formula_text import Source
from ...frontends.formula_tree import Compare
from ...render.claim import claim_latex
from ..verdict import Counterexample
from .entries import Entry
from .page import table_of, topic
from .run import Outcome, counts

DENIED = {"==": "≠", "!=": "=", "<": "≮", "<=": "≰", ">": "≯", ">=": "≱"}
COLOURS = {
    "REFUTED": "red",
    "CONDITIONAL": "yellow",
    "PROVED SMALL": "green",
    "TESTED": "cyan",
    "UNKNOWN": "magenta",
    "ERROR": "magenta",
}
"""What is not proved for all sizes, the worst first, and how it is printed."""

DECIMAL = re.compile(r"-?\d+\.\d*(?:e[+-]?\d+)?")

HEAD = """\
# Errata

Every claim below is checked as it is printed in its source, by one run of the engine; no verdict is typed in by hand.
REFUTED: false, with the smallest counterexample found. CONDITIONAL: false as printed, and true under a condition that
the engine found. PROVED SMALL: proved at sizes up to a number. TESTED: no proof, but agreement at random points, and no
counterexample. UNKNOWN: not decided.
"""


@dataclass(frozen=True)
class Erratum:
    """A claim that is not proved for all sizes as it is printed.

    counterexample: where it is false, and the two sides there, in one line; empty where none was found.
    holds_when: conditions under which it is true. instead: what holds without them; or why nothing is known.
    """

    entry: Entry
    level: str
    counterexample: str = ""
    holds_when: tuple[str, ...] = ()
    instead: str = ""


def errata(outcomes: Iterable[Outcome]) -> tuple[Erratum, ...]:
    """What is not proved as printed: the false first, each kind in the order of the catalog."""
    kinds = list(COLOURS)
    found = [_erratum(o) for o in outcomes if o.level != "PROVED"]
    return tuple(sorted(found, key=lambda e: kinds.index(e.level)))


def _erratum(outcome: Outcome) -> Erratum:
    verdict = outcome.verdict
    if verdict is None:
        return Erratum(outcome.entry, outcome.level, instead=outcome.error)
    if verdict.counterexample is None:
        return Erratum(outcome.entry, outcome.level, instead=verdict.evidence)
    shown = brief(verdict.counterexample, _relation(outcome.entry))
    return Erratum(outcome.entry, outcome.level, shown, verdict.holds_when, verdict.corrected)


def _relation(entry: Entry) -> str:
    tree = read_formula(Source(entry.statement, "claim")).tree
    return tree.symbol if isinstance(tree, Compare) else "=="


def brief(found: Counterexample, relation: str) -> str:
    """A counterexample in one line: ``c = -1, x = [1 0]: 1 ≠ -1``."""
    point = ", ".join(f"{name} = {_array(value)}" for name, value in found.arrays.items())
    if not point:
        point = ", ".join(f"{name} = {n}" for name, n in found.sizes.items())
    place = f" at {list(found.place)}" if found.place else ""
    return f"{point + ': ' if point else ''}{_number(found.left)} {DENIED[relation]} {_number(found.right)}{place}"


def _array(value: Any) -> str:
    """An array in the notation of formulas, ``[1 2; 3 4]``."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(value, list):
        return str(value)
    if any(isinstance(row, list) for row in value):
        inner = [_array(row) for row in value]
        flat = not any(isinstance(x, list) for row in value for x in row)
        return f"[{'; '.join(row[1:-1] for row in inner)}]" if flat else f"[{', '.join(inner)}]"
    return f"[{' '.join(map(str, value))}]"


def _number(text: str) -> str:
    """A value in five digits, and exactly where it has no more."""
    return f"{float(text):.5g}" if DECIMAL.fullmatch(text) else text


# -- for people


def summary(outcomes: Iterable[Outcome]) -> str:
    """How many claims there are, and how many of each verdict."""
    outcomes = tuple(outcomes)
    found = ", ".join(f"{n} {level}" for level, n in counts(outcomes).items() if n)
    return f"{len(outcomes)} claims: {found}"


def errata_tables(found: Iterable[Erratum], title: str = "Errata", caption: str = "") -> Group:
    """The errata for a terminal: a table for each topic with what is false, and one with what is not proved."""
    found = tuple(found)
    false = [e for e in found if e.counterexample]
    parts: list[RenderableType] = [Rule(f"[bold]{escape(title)}[/]"), Text(caption, justify="center")]
    for name, members in by_topic(false):
        table = _table(name, ("as printed", 6), ("counterexample", 4), ("what is true", 5))
        for e in members:
            table.add_row(_shown(e), escape(e.counterexample), escape("\n".join(_true(e))))
        parts += ["", table]
    if open_ones := [e for e in found if not e.counterexample]:
        table = _table(
            "Without a proof and without a counterexample", ("as printed", 6), ("what is known", 4)
        )
        for e in open_ones:
            table.add_row(_shown(e), escape(e.instead))
        parts += ["", table]
    return Group(*parts)


def _table(title: str, *columns: tuple[str, int]) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=ROUNDED, show_lines=True, expand=True
    )
    for name, ratio in columns:
        table.add_column(name, ratio=ratio)
    return table


def _shown(e: Erratum) -> Text:
    """A claim as it is printed, with its verdict, and where it stands."""
    level, entry = (e.level, COLOURS[e.level]), e.entry
    return Text.assemble(
        level, "  ", (entry.title, "bold"), "\n", (entry.statement, "cyan"), "\n", (entry.source, "dim")
    )


def by_topic(found: Iterable[Erratum]) -> Iterator[tuple[str, list[Erratum]]]:
    """The errata of each file of the catalog, under a title."""
    for name, members in groupby(sorted(found, key=lambda e: topic(e.entry)), key=lambda e: topic(e.entry)):
        yield name.replace("-", " ").capitalize(), list(members)


def _true(e: Erratum) -> list[str]:
    conditions = [f"holds when {'; or when '.join(e.holds_when)}"] if e.holds_when else []
    return [*conditions, *filter(None, [e.instead])]


def errata_markdown(found: Iterable[Erratum], head: str = HEAD, caption: str = "") -> str:
    """The errata as a page in Markdown, a section for each topic, mathematics between dollar signs."""
    parts = [f"{head}{f'{chr(10)}{caption}{chr(10)}' if caption else ''}"]
    for title, members in by_topic(found):
        rows = [_row(e) for e in members]
        parts.append(
            f"## {title}\n\n" + table_of(("as printed", "verdict", "counterexample", "what is true"), rows)
        )
    return "\n".join(parts)


def _row(e: Erratum) -> tuple[str, ...]:
    drawn = claim_latex(e.entry.statement)
    claim = f"`{e.entry.statement}`" if drawn is None else f"${drawn}$"
    true = "<br>".join(f"`{line}`" if line == e.instead and e.counterexample else line for line in _true(e))
    return (
        f"**{e.entry.title}**<br>{claim}<br>{e.entry.source}",
        e.level,
        f"`{e.counterexample}`" if e.counterexample else "",
        true.replace("\n", "<br>"),
    )
