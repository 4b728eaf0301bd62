r"""The lines of a derivation as text: which pieces are formulas, which sign stands before each, and what is only said.

In the grammar of formulas each line begins with a sign, ``== b``, or is a relation of its own, ``a == b <= c``; in LaTeX
the rows are those of an align block. Nothing is known yet of what the formulas mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..errors import ParseError
from .formula_grammar import TOKEN
from .formula_text import MAX_LENGTH, Source
from .formula_tree import Place
from .latex_words import SIGNS

MOST_SIDES = 200

RELATIONS = {"=": "==", "≤": "<=", "≥": ">=", "≠": "!=", ":=": "==", "~=": "!="}
"""How a sign between two lines may be written, and what it is."""
LATEX_RELATIONS = {
    f"\\{name}": RELATIONS.get(sign, sign)
    for name, (kind, sign) in SIGNS.items()
    if kind in ("EQUALS", "COMPARE")
}
LATEX_MARK = re.compile(r"[{}&$]|\\\\|\^\\|\\[^A-Za-z0-9\s(]")
"""What no formula in the spelling of MATLAB or NumPy has."""

COMMENT = re.compile(r"[#%][^\n]*")
REASON = re.compile(r"(?:[,;(]\s*|(?<=\s))(?:by|since|because|using)\s+[^\W\d][^\n]*")
LABEL = re.compile(r"[ \t]{2,}\((?:\d+\w?|[ivx]+|\*+)\)[ \t]*$", re.MULTILINE)
LATEX_COMMENT = re.compile(r"(?<!\\)%[^\n]*|#[^\n]*")
LATEX_REASON = re.compile(
    r"(?:&&|\\q?quad\s*(?=\(?\s*\\text))(?:(?!\\\\|\\end)[\s\S])*"
    r"|\\(?:tag|label)\*?\{[^{}]*\}"
    r"|[,(]?\s*\\text(?:rm|it)?\{\s*\(?(?:by|since|because|using)\b[^{}]*\}\s*\)?"
)
LATEX_BLOCK = re.compile(r"\\(?:begin|end)\{[A-Za-z]+\*?\}|\\nonumber(?![A-Za-z])|\\notag(?![A-Za-z])|&")
LATEX_SPACE = re.compile(r"\\\\|\\q?quad(?![A-Za-z])")
LATEX_WHERE = re.compile(r"\\(?:text|textrm|mathrm)\{\s*(?:,\s*)?where\s*\}")
LATEX_TOKEN = re.compile(
    r"(?P<ROW>\\\\(?:\[[^\]\n]*\])?)"
    r"|(?P<SPACE>\s+|\\[,;:!>\ ]|\$\$?|\\[()\[\]]|~)|(?P<OPEN>\\\{|[(\[{])|(?P<CLOSE>\\\}|[)\]}])"
    r"|(?P<SIGN>:=|[=<>]|\\[A-Za-z]+)|(?P<JOINS>[-+*/])|(?P<OTHER>[\s\S])"
)
LATEX_JOINING = {f"\\{name}" for name, (kind, _) in SIGNS.items() if kind == "TIMES"}
JOINING = {"+", "-", "*", "/", "@", "\\", ".*", "./", "^", "**", ".^", ","}
"""Signs with which an expression goes on over the end of a line."""


@dataclass(frozen=True)
class Side:
    """One expression of a derivation: the sign before it, its characters, its line, and what is said of it."""

    relation: str
    place: Place
    line: int
    reason: str = ""


@dataclass(frozen=True)
class Named:
    """``p = softmax(z)`` after the word ``where``: the characters of the name and of its value."""

    name: Place
    value: Place


@dataclass(frozen=True)
class Written:
    """A derivation as it is written: chains of sides that are related one to the next, and what their names stand for.

    source: the text; latex: which grammar its pieces are in.
    """

    source: Source
    latex: bool
    chains: tuple[tuple[Side, ...], ...]
    definitions: tuple[Named, ...] = ()

    def piece(self, place: Place) -> Source:
        """One piece, at its place in a text that is blank elsewhere: messages show the line and the character."""
        text = self.source.text
        shown = (
            c if place.start <= k < place.end or c == "\n" else " " for k, c in enumerate(text[: place.end])
        )
        return replace(self.source, text="".join(shown))

    def words(self, place: Place) -> str:
        """What stands there, in one line, without comments and marks of the layout."""
        return " ".join(LATEX_SPACE.sub(" ", self.source.text[place.start : place.end]).split())


def read_derivation(text: str) -> Written:
    """The pieces of a derivation.

    Comments begin with ``#`` or ``%``; a reason is what follows ``by``, ``since``, ``because`` or ``using``. A line that
    begins or ends with an operator belongs to its neighbour. ``where p = softmax(z)``, on a line of its own or behind
    one, holds for all lines.

    Raises:
        ParseError: a line is no relation, or there is none at all, or the text is too long.
    """
    if len(text) > MAX_LENGTH:
        raise Source(text, "derivation").error(
            f"too long: {len(text)} characters, more than {MAX_LENGTH}", MAX_LENGTH
        )
    plain = LATEX_MARK.search(COMMENT.sub("", text)) is None
    if plain:
        bare, reasons = _without(text, (COMMENT, LABEL, REASON))
        source = Source(bare, "derivation")
        return _assembled(source, False, list(_plain_marks(source)), reasons)
    bare, reasons = _without(text, (LATEX_COMMENT, LATEX_REASON))
    bare = LATEX_BLOCK.sub(lambda m: _blank(m[0]), bare)
    source = Source(bare, "derivation")
    return _assembled(source, True, list(_latex_marks(source)), reasons)


def _blank(text: str) -> str:
    return "".join("\n" if c == "\n" else " " for c in text)


def _without(text: str, patterns: tuple[re.Pattern[str], ...]) -> tuple[str, dict[int, str]]:
    """The text with blanks where a pattern matches, and what was said there, by its line."""
    reasons: dict[int, str] = {}
    for pattern in patterns:
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            said = re.sub(r"\\(?:q?quad|text\w*|tag|label)\*?|[{}&$]", "", match[0]).strip(" #%,;()\t\n")
            reasons[line] = "; ".join(filter(None, (reasons.get(line, ""), said)))
        text = pattern.sub(lambda m: _blank(m[0]), text)
    return text, reasons


# -- marks: what is found between the pieces


@dataclass(frozen=True)
class _Mark:
    """A sign, a word, or an operand at the outermost level: kind is sign, where, comma, open, joins or other."""

    kind: str
    text: str
    start: int
    end: int
    row: int


def _plain_marks(source: Source) -> Iterator[_Mark]:
    text, position, depth = source.text, 0, 0
    while position < len(text):
        match = TOKEN.match(text, position)
        kind, word = (match.lastgroup or "", match[0]) if match else ("", text[position])
        if text.startswith(":=", position):
            kind, word = "OPERATOR", ":="
        start, position = position, position + len(word)
        if kind == "SPACE":
            continue
        row = text.count("\n", 0, start)
        depth += (word in "([") - (word in ")]") if len(word) == 1 else 0
        outer = depth == 0
        if outer and (word in ("=", "==", ":=", "!=", "~=", "<", "<=", ">", ">=") or word in RELATIONS):
            yield _Mark("sign", RELATIONS.get(word, word), start, position, row)
        elif outer and kind == "NAME" and word == "where" and _defines(text, position):
            yield _Mark("where", word, start, position, row)
        elif outer and word in (",", ";"):
            yield _Mark("comma", word, start, position, row)
        else:
            joins = word in JOINING
            yield _Mark(
                "joins" if joins else "open" if depth and word in "([" else "other",
                word,
                start,
                position,
                row,
            )


def _defines(text: str, position: int) -> bool:
    """Whether a name and an equals sign follow; ``where(c, a, b)`` is a function."""
    return re.match(r"\s*[^\W\d]\w*\s*:?==?(?!=)", text[position:]) is not None


def _latex_marks(source: Source) -> Iterator[_Mark]:
    text, position, depth, row = source.text, 0, 0, 0
    while position < len(text):
        if (found := LATEX_WHERE.match(text, position)) is not None and depth == 0:
            yield _Mark("where", found[0], position, found.end(), row)
            position = found.end()
            continue
        match = LATEX_TOKEN.match(text, position)
        assert match is not None
        kind, word, start = match.lastgroup, match[0], position
        position = match.end()
        if kind == "SPACE" or word in ("\\quad", "\\qquad"):
            continue
        if kind == "ROW":
            row += depth == 0
            continue
        depth += (kind == "OPEN") - (kind == "CLOSE")
        sign = LATEX_RELATIONS.get(word) or (
            RELATIONS.get(word, word) if kind == "SIGN" and word[0] != "\\" else ""
        )
        if sign and depth == 0:
            yield _Mark("sign", sign, start, position, row)
        elif word in (",", ";") and depth == 0:
            yield _Mark("comma", word, start, position, row)
        else:
            joins = kind == "JOINS" or word in LATEX_JOINING
            yield _Mark(
                "joins" if joins else "open" if kind == "OPEN" else "other", word, start, position, row
            )


# -- pieces


def _assembled(source: Source, latex: bool, marks: list[_Mark], reasons: dict[int, str]) -> Written:
    """Sides and definitions out of the marks between them."""
    chains: list[list[Side]] = []
    named: list[Named] = []
    position = 0
    while position < len(marks):
        mark = marks[position]
        if mark.kind == "comma":
            position += 1
        elif mark.kind == "where":
            position = _definitions(source, marks, position + 1, named)
        else:
            position = _side(source, marks, position, chains, reasons)
    for chain in chains:
        if len(chain) == 1:
            what = "this line is no relation; a line of a derivation begins with a sign, as in == b, or is one, as in a == b"
            raise source.error_at(what, chain[0].place)
    if not chains:
        raise ParseError('a derivation has lines such as "a == b" and "== c"; there are none')
    if sum(map(len, chains)) > MOST_SIDES:
        raise source.error_at(f"more than {MOST_SIDES} expressions", chains[-1][-1].place)
    return Written(source, latex, tuple(map(tuple, chains)), tuple(named))


def _side(
    source: Source, marks: list[_Mark], position: int, chains: list[list[Side]], reasons: dict[int, str]
) -> int:  # fmt: skip
    """Add the side that begins here to its chain; the place behind it."""
    first = marks[position]
    relation = first.text if first.kind == "sign" else ""
    body = position + bool(relation)
    end = body
    while (
        end < len(marks) and marks[end].kind not in ("sign", "where", "comma") and not _ends(marks, body, end)
    ):
        end += 1
    if end == body:
        after = marks[end] if end < len(marks) else first
        raise source.error_at(
            "an expression is missing beside this sign", Place(first.start, max(first.end, after.start))
        )
    place = Place(marks[body].start, marks[end - 1].end)
    line = source.text.count("\n", 0, first.start) + 1
    last = source.text.count("\n", 0, place.end) + 1
    reason = "; ".join(filter(None, (reasons.pop(k, "") for k in range(line, last + 1))))
    if relation and not chains:
        raise source.error_at("nothing stands before the first sign", Place(first.start, first.end))
    side = Side(relation, place, line, reason)
    if relation:
        chains[-1].append(side)
    else:
        chains.append([side])
    return end


def _ends(marks: list[_Mark], body: int, at: int) -> bool:
    """Whether a new line begins here that belongs to nothing before it."""
    return at > body and marks[at].row > marks[at - 1].row and not _goes_on(marks, body, at)


def _goes_on(marks: list[_Mark], body: int, at: int) -> bool:
    depth = sum(
        (m.text in ("(", "[", "{", "\\{")) - (m.text in (")", "]", "}", "\\}")) for m in marks[body:at]
    )
    return depth > 0 or marks[at].kind == "joins" or marks[at - 1].kind == "joins"


def _definitions(source: Source, marks: list[_Mark], position: int, named: list[Named]) -> int:
    """The names and values after ``where``, on the rest of its line; the place behind them."""
    row = marks[position].row if position < len(marks) else 0
    while position < len(marks) and (marks[position].row == row):
        start = position
        while (
            position < len(marks)
            and marks[position].kind not in ("comma", "where")
            and not _ends(marks, start, position)
        ):
            position += 1
        part = marks[start:position]
        sign = next((k for k, m in enumerate(part) if m.kind == "sign"), 0)
        if not sign or part[sign].text != "==" or sign == len(part) - 1:
            there = (
                Place(part[0].start, part[-1].end) if part else Place(marks[start].start, marks[start].end)
            )
            raise source.error_at("after where a name is given a value; as in where p = softmax(z)", there)
        name, value = part[:sign], part[sign + 1 :]
        named.append(Named(Place(name[0].start, name[-1].end), Place(value[0].start, value[-1].end)))
        if position < len(marks) and marks[position].kind == "comma":
            position += 1
        else:
            break
    return position
