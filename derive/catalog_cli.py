"""`derive catalog list|show|search|verify|errata|stats|update|page`: the catalog on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .errors import UnknownName, closest
from .prove.catalog.entries import LEVELS, Entry, entries, folder, search, tagged
from .prove.catalog.errata import errata, errata_markdown, errata_tables, summary
from .prove.catalog.page import OPEN, counted, page, with_table
from .prove.catalog.run import Outcome, counts, run
from .prove.catalog.update import reached, with_levels

PAGE = Path("docs/catalog.md")


def add_catalog(commands: Any) -> None:
    """The command with its own commands, for the parser of `derive`."""
    text = "the catalog of identities: list, look up, verify"
    parser = commands.add_parser("catalog", help=text, description=text)
    parser.add_argument(
        "--folder",
        type=Path,
        help="a folder of .toml files, or one file; default: the catalog that comes along",
    )
    own = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run_it, words in (
        ("list", _list, "one line for each entry"),
        ("show", _show, "one entry, and its verdict"),
        ("search", _search, "the entries in which all words occur"),
        ("verify", _verify, "verify entries in parallel; fails if one misses its level"),
        ("errata", _errata, "verify, and list every claim that is not proved as printed, with what is true instead"),
        ("stats", _stats, "how many entries have each verdict, by file"),
        ("update", _update, "verify, and write the levels reached where they are new or stronger"),
        ("page", _page, "write the page of all entries, in mathematical notation with their verdicts"),
    ):
        command = own.add_parser(name, help=words, description=words)
        if name == "page":
            command.add_argument("--out", type=Path, default=PAGE, help=f"default: {PAGE}")
            command.add_argument(
                "--table", type=Path, help="put the table of counts into this page as well, between its marks"
            )
        if name == "show":
            command.add_argument("id")
        if name == "search":
            command.add_argument("words", nargs="+")
        if name in ("list", "verify", "errata", "update"):
            command.add_argument(
                "--tag", action="append", default=[], help="only entries with this tag; may be repeated"
            )
        if name in ("verify", "update"):
            command.add_argument("--open", action="store_true", help="only entries without a level")
        if name == "errata":
            command.add_argument("--markdown", type=Path, metavar="FILE", help="write them as a page in Markdown as well")
        if name in ("verify", "errata", "update"):
            command.add_argument("--workers", type=int, help="processes; default: one for each core")
        command.set_defaults(run=run_it)


def _list(options: argparse.Namespace, console: Console) -> int:
    return _lines(tagged(options.tag, entries(options.folder)), console)


def _search(options: argparse.Namespace, console: Console) -> int:
    found = search(" ".join(options.words), entries(options.folder))
    return _lines(found, console) if found else 1


def _lines(found: Iterable[Entry], console: Console) -> int:
    table = Table(box=None, show_header=False, pad_edge=False)
    for entry in found:
        table.add_row(entry.id, entry.level or OPEN, entry.claim)
    console.print(table, markup=False)
    return 0


def _show(options: argparse.Namespace, console: Console) -> int:
    every = {entry.id: entry for entry in entries(options.folder)}
    if options.id not in every:
        raise UnknownName(f"there is no entry {options.id!r}; {closest(options.id, every)}")
    entry = every[options.id]
    (outcome,) = run([entry], workers=1)
    console.print(f"{entry}\n", markup=False)
    console.print(outcome.error or str(outcome.verdict), markup=False)
    return int(outcome.failed)


def _verify(options: argparse.Namespace, console: Console) -> int:
    outcomes = _run(options, console)
    for outcome in outcomes:
        if outcome.failed:
            console.print(str(outcome), markup=False)
    missed = sum(o.failed for o in outcomes)
    found = ", ".join(f"{count} {level}" for level, count in counts(outcomes).items() if count)
    slowest = max(outcomes, key=lambda o: o.seconds, default=None)
    console.print(f"{len(outcomes)} entries: {found}; {missed} below their level", markup=False)
    if slowest is not None:
        console.print(f"slowest: {slowest.entry.id}, {slowest.seconds:.1f} s", markup=False)
    return int(missed > 0)


def _run(options: argparse.Namespace, console: Console) -> tuple[Outcome, ...]:
    found = tagged(options.tag, entries(options.folder))
    chosen = [e for e in found if not (getattr(options, "open", False) and e.level)]
    return run(chosen, progress=console, workers=options.workers)


def _errata(options: argparse.Namespace, console: Console) -> int:
    outcomes = _run(options, console)
    found, caption = errata(outcomes), summary(outcomes)
    console.print(errata_tables(found, caption=caption), soft_wrap=False)
    if options.markdown:
        options.markdown.write_text(errata_markdown(found, caption=caption), encoding="utf-8")
        console.print(f"written to {options.markdown}", markup=False)
    return int(any(o.level == "ERROR" for o in outcomes))


def _stats(options: argparse.Namespace, console: Console) -> int:
    console.print(stats(entries(options.folder)), markup=False)
    return 0


def stats(among: Iterable[Entry]) -> Table:
    """How many entries have each level, by file; of what is claimed and true, how much is proved."""
    counts_of = counted(among)
    every = counts_of["all"]
    table = Table("file", *LEVELS, OPEN, "all", padding=(0, 0))
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for name, count in counts_of.items():
        table.add_section() if name == "all" else None
        table.add_row(name, *(str(count[level]) for level in (*LEVELS, OPEN)), str(count.total()))
    true = every["PROVED"] + every["PROVED SMALL"] + every["TESTED"]
    table.caption = f"proved for all sizes: {every['PROVED']} of {true} that hold, and {every[OPEN]} are open"
    return table


def _update(options: argparse.Namespace, console: Console) -> int:
    outcomes = _run(options, console)
    levels = reached(outcomes)
    place = options.folder or folder()
    for path in sorted(
        {place if place.is_file() else place / o.entry.file for o in outcomes if o.entry.id in levels}
    ):
        path.write_text(with_levels(path.read_text(encoding="utf-8"), levels), encoding="utf-8")
    for outcome in outcomes:
        if outcome.entry.id in levels:
            before = f"{outcome.entry.level} -> " if outcome.entry.level else ""
            console.print(f"{outcome.entry.id}: {before}{outcome.level}", markup=False)
        elif outcome.failed or outcome.level not in LEVELS:
            console.print(f"not written: {outcome}", markup=False)
    return int(any(o.failed for o in outcomes))


def _page(options: argparse.Namespace, console: Console) -> int:
    every = entries(options.folder)
    written = {options.out: page(every)}
    if options.table:
        written[options.table] = with_table(options.table.read_text(encoding="utf-8"), every)
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        console.print(f"written to {path}", markup=False)
    return 0
