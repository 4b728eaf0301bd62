"""The catalog of identities: entries as data, read from TOML files that may come from strangers."""

from __future__ import annotations

import re
import sysconfig
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import CatalogError, ParseError, SpecError, UnknownName, closest
from ...frontends.formula_grammar import read_formula
from ...frontends.formula_text import Source
from ...ir.facts import spec

LEVELS = ("PROVED", "PROVED SMALL", "TESTED", "CONDITIONAL", "REFUTED")
"""What a run can reach; PROVED is for all sizes, PROVED SMALL for sizes up to a number; CONDITIONAL is refuted as it stands,
and true under conditions that were found.
"""

ENOUGH: dict[str, tuple[str, ...]] = {
    "PROVED": ("PROVED",),
    "PROVED SMALL": ("PROVED SMALL", "PROVED"),
    "TESTED": ("TESTED", "PROVED SMALL", "PROVED"),
    "CONDITIONAL": ("CONDITIONAL",),
    "REFUTED": ("REFUTED", "CONDITIONAL"),
}
"""What reaches each level: more may be known of a true claim, or of why one is false, never less."""

LARGEST_FILE = 1_000_000
"""Bytes."""
LONGEST_LINE = 4_000
"""Characters: no line nests far, and no key has many parts."""
LONGEST_TEXT = 2_000
AXES = re.compile(r"^(?=,|$)")
"""Where no axes are named."""
ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class Entry:
    """One identity.

    id: permanent, in kebab-case, unique in the whole catalog.
    claim: a relation in the grammar of `derive.verify`, as it is printed in the source.
    variables: axes and facts by name, as for `derive.verify`.
    where: definitions that the claim uses, ``S = Q*K'``, one each, as after the word where in `derive.verify`.
    layout: how the derivative is arranged, where it matters.
    source: author, year, and equation or section.
    level: what a run must reach; empty where none has decided it.
    """

    id: str
    title: str
    claim: str
    source: str
    variables: Mapping[str, str] = field(default_factory=dict)
    where: tuple[str, ...] = ()
    layout: str = ""
    tags: tuple[str, ...] = ()
    level: str = ""
    file: str = ""

    @property
    def shapes(self) -> list[str]:
        """``A: n n, symmetric`` for each variable."""
        return [
            f"{name}: {AXES.sub('scalar', shape.strip(), count=1)}" for name, shape in self.variables.items()
        ]

    @property
    def statement(self) -> str:
        """The claim with its definitions, as `derive.verify` reads it."""
        return self.claim + (f" where {'; '.join(self.where)}" if self.where else "")

    def __str__(self) -> str:
        lines = [f"{self.id}: {self.title}", f"  {self.claim}"]
        lines += [f"    where {definition}" for definition in self.where]
        lines += [f"  with {'; '.join(self.shapes)}"] if self.variables else []
        lines += [f"  {self.layout}"] if self.layout else []
        lines += [
            f"  {self.source}",
            f"  {self.level or 'open'}; {', '.join(self.tags) or 'no tags'}; {self.file}",
        ]
        return "\n".join(lines)


TEXTS = ("id", "title", "claim", "source", "layout", "level")
REQUIRED = ("id", "title", "claim", "source")
LISTS = {"tags": "a tag", "where": "a definition"}
FIELDS = (*TEXTS, *LISTS, "variables")


def folder() -> Path:
    """Where the catalog is: ``catalog`` beside the package in a checkout, else where it was installed."""
    beside = Path(__file__).parents[3] / "catalog"
    return beside if beside.is_dir() else Path(sysconfig.get_path("data")) / "share" / "derive" / "catalog"


def entries(where: Path | str | None = None) -> tuple[Entry, ...]:
    """All entries of a folder of ``.toml`` files, or of one file; by default of the catalog that comes along.

    Raises:
        CatalogError: a file cannot be read, or an entry is not as it should be; it names the file and the entry.
    """
    place = folder() if where is None else Path(where)
    if not place.exists():
        raise CatalogError(f"there is no catalog at {place}; try: derive catalog --folder FOLDER ...")
    files = [place] if place.is_file() else sorted(place.glob("*.toml"))
    found: dict[str, Entry] = {}
    for path in files:
        for entry in read_file(path):
            if entry.id in found:
                other = found[entry.id].file
                raise CatalogError(f"{path.name}: the id {entry.id!r} is already in {other}; ids are unique")
            found[entry.id] = entry
    return tuple(found.values())


def read_file(path: Path) -> Iterator[Entry]:
    """The entries of one file.

    Raises:
        CatalogError: as for `entries`.
    """
    data = _toml(path)
    if unknown := sorted(data.keys() - {"identity"}):
        raise CatalogError(
            f"{path.name}: unknown table {unknown[0]!r}; a catalog file has [[identity]] tables only"
        )
    tables = data.get("identity", [])
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise CatalogError(
            f"{path.name}: identity must be an array of tables, [[identity]]; found {_kind(tables)}"
        )
    for number, table in enumerate(tables, 1):
        name = table.get("id")
        shown = name[:80] if isinstance(name, str) and name else f"entry {number}"
        try:
            yield _entry(table, path.name)
        except (CatalogError, ParseError, SpecError) as error:
            raise CatalogError(f"{path.name}: {shown}: {error}") from error


def _toml(path: Path) -> dict[str, Any]:
    """The data of a file within the limits."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise CatalogError(f"{path.name}: larger than {LARGEST_FILE} bytes; try: several files by topic")
        text = data.decode("utf-8")
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > LONGEST_LINE:
                what = f"line {number} has {len(line)} characters, more than {LONGEST_LINE}"
                raise CatalogError(f"{path.name}: {what}")
        return tomllib.loads(text)
    except OSError as error:
        raise CatalogError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise CatalogError(f"{path.name}: no UTF-8 text, at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{path.name}: no TOML: {error}") from error
    except RecursionError:
        raise CatalogError(f"{path.name}: no TOML that can be read: it nests too deeply") from None


def _entry(table: Mapping[str, Any], file: str) -> Entry:
    """One entry of a table, every field of which is checked."""
    for name in table:
        if name not in FIELDS:
            raise CatalogError(f"unknown field {name[:80]!r}; {closest(name, FIELDS)}")
    for name in REQUIRED:
        if name not in table:
            raise CatalogError(f"the field {name!r} is missing")
    for name in TEXTS:
        if name in table:
            _text(table[name], name, empty=False)
    if not ID.fullmatch(table["id"]) or len(table["id"]) > 80:
        raise CatalogError(
            f"an id is up to 80 small letters, digits and hyphens, as in 'trace-of-product'; found {table['id'][:90]!r}"
        )
    if table.get("level", LEVELS[0]) not in LEVELS:
        raise CatalogError(f"the level is one of {', '.join(LEVELS)}; found {table['level'][:80]!r}")
    for name, one in LISTS.items():
        values = table.get(name, [])
        if not isinstance(values, list):
            raise CatalogError(f"{name} must be an array of texts; found {_kind(values)}")
        for value in values:
            _text(value, one, empty=False)
    variables = table.get("variables", {})
    if not isinstance(variables, dict):
        raise CatalogError(f'variables must be a table such as {{ x = "n" }}; found {_kind(variables)}')
    for name, shape in variables.items():
        _text(shape, f"the variable {name[:80]!r}", empty=True)
        spec(shape)
    plain = {name: table[name] for name in TEXTS if name in table}
    tags, where = (tuple(table.get(name, ())) for name in LISTS)
    entry = Entry(**plain, variables=dict(variables), tags=tags, where=where, file=file)
    found = len(read_formula(Source(entry.statement, "claim")).definitions)
    if entry.where and found != len(entry.where):
        raise CatalogError(f"where has {len(entry.where)} texts with {found} definitions; each is a text of its own")
    return entry


def _text(value: Any, name: str, *, empty: bool) -> None:
    if not isinstance(value, str):
        raise CatalogError(f"{name} must be text in quotes; found {_kind(value)}")
    if len(value) > LONGEST_TEXT:
        raise CatalogError(f"{name} has {len(value)} characters, more than {LONGEST_TEXT}")
    if not empty and not value.strip():
        raise CatalogError(f"{name} is empty")


def _kind(value: Any) -> str:
    kinds = {
        dict: "a table",
        list: "an array",
        bool: "a truth value",
        int: "an integer",
        float: "a number",
        str: "text",
    }
    return kinds.get(type(value), f"a {type(value).__name__}")


def search(words: str, among: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries in which every word occurs: in the id, the title, the claim, the source or a tag."""
    wanted = words.casefold().split()

    def text(e: Entry) -> str:
        return " ".join((e.id, e.title, e.statement, e.source, e.layout, *e.tags)).casefold()

    return tuple(e for e in among if all(word in text(e) for word in wanted))


def tagged(tags: Iterable[str], among: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries that carry all these tags.

    Raises:
        UnknownName: no entry carries one of them.
    """
    among = tuple(among)
    known = {tag for e in among for tag in e.tags}
    tags = tuple(tags)
    for tag in tags:
        if tag not in known:
            raise UnknownName(f"no entry has the tag {tag!r}; {closest(tag, known)}")
    return tuple(e for e in among if set(tags) <= set(e.tags))
