"""LaTeX -> tokens for its grammar: fonts and layout are gone, bars are paired, functions are told from letters."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from .formula_names import near_of
from .formula_text import Source, Token, scan
from .latex_words import (
    ACCENTS,
    BIG,
    BOLD,
    CLOSING,
    FONTS,
    FUNCTIONS,
    LAYOUT,
    LETTERS,
    MISSING,
    OPENING,
    SIGNS,
    UPRIGHT,
)  # fmt: skip

MAX_TOKENS = 2_000

_END = r"(?![A-Za-z])"
_LETTER = r"(?:\\[A-Za-z]+|[A-Za-z0-9])"


def _styled() -> str:
    """A letter with up to three fonts or accents around it: ``\\hat{\\mathbf{y}}``."""
    command = rf"\\(?:{'|'.join(sorted({*FONTS, *ACCENTS}, key=len, reverse=True))}){_END}\s*"
    inner = _LETTER
    for _ in range(3):
        inner = rf"(?:{command}(?:\{{\s*{inner}\s*\}}|{_LETTER})|{_LETTER})"
    return rf"{command}(?:\{{\s*{inner}\s*\}}|{_LETTER})"


TOKEN = re.compile(
    rf"""(?P<SPACE>\s+|%[^\n]*|~|&|\\[,;:!>\ ]|\$\$?|\\[()]|\\\\|\\(?:label|tag)\{{[^{{}}]*\}})
    |(?P<WORD>\\(?:{"|".join(sorted(UPRIGHT, key=len, reverse=True))})\*?
        (?:\s*\{{\s*[A-Za-z][A-Za-z0-9_\- ]*\}}|\s+[A-Za-z]{_END}))
    |(?P<STYLED>{_styled()})
    |(?P<COMMAND>\\[A-Za-z]+)
    |(?P<NUMBER>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)
    |(?P<NAME>[A-Za-z])
    |(?P<OPERATOR>\\[{{}}|\[\]]|\|\||:=|[-+*/=<>()\[\]{{}},;|^_':!.])""",
    re.VERBOSE,
)

OPERATORS = {
    "+": "PLUS", "-": "MINUS", "*": "TIMES", "/": "TIMES", "=": "EQUALS", ":=": "EQUALS", "<": "COMPARE", ">": "COMPARE",
    "(": "LPAR", ")": "RPAR", "[": "LSQB", "]": "RSQB", "{": "LBRACE", "}": "RBRACE", "\\{": "LSET", "\\}": "RSET",
    ",": "COMMA", ";": "COMMA", "|": "BAR", "||": "NORM", "\\|": "NORM", "^": "SUP", "_": "SUB", "'": "TICK",
    ":": "COLON", "!": "BANG", ".": "PERIOD", "\\[": "SPACE", "\\]": "SPACE",
}  # fmt: skip

PAIRS = {"RPAR": "LPAR", "RSQB": "LSQB", "RBRACE": "LBRACE", "RSET": "LSET", "RANGLE": "LANGLE", "RFLOOR": "LFLOOR",
         "RCEIL": "LCEIL", "RNORM": "LNORM", "RBAR": "LBAR"}  # fmt: skip
OPENERS = set(PAIRS.values())
BEFORE_OPERAND = {*OPENERS, "PLUS", "MINUS", "TIMES", "EQUALS", "COMPARE", "COMMA", "SUP", "SUB", "FUNC", "BIG"}
"""Kinds after which a bar opens."""
BRACKETS = {"LPAR", "LSQB", "LSET"}
"""What makes a call of a function that stands before it."""


@dataclass
class Symbols:
    """What the tokens say of the variables: names that are set in bold, and the font of every letter."""

    bold: set[str] = field(default_factory=set)
    fonts: dict[str, str] = field(default_factory=dict)


def latex_tokens(source: Source, declared: Collection[str]) -> tuple[list[Token], Symbols]:
    """The tokens of a formula in LaTeX; `declared` are names of variables, which are no functions then.

    Raises:
        ParseError: an unknown command, a bracket without its partner, or a limit is exceeded.
    """
    symbols = Symbols()
    tokens = _shortened(_named(source, scan(source, TOKEN, OPERATORS, MAX_TOKENS, ()), symbols, declared))
    while tokens and tokens[-1].text in (",", "."):
        tokens.pop()
    return _called(_primed(_paired(source, tokens)), declared), symbols


# -- names


def _named(source: Source, found: list[Token], symbols: Symbols, declared: Collection[str]) -> list[Token]:
    """Commands as letters, functions, signs; layout left out."""
    tokens: list[Token] = []
    for token in found:
        match token.kind:
            case "COMMAND":
                kind, text = _command(source, token, declared)
            case "WORD":
                kind, text = _word(token, declared)
            case "STYLED":
                kind, text = _styled_letter(source, token, symbols, declared)
            case "NAME":
                kind, text = "NAME", token.text
                _note_font(source, token, symbols, text, "")
            case _:
                kind, text = token.kind, token.text
        if kind != "SPACE":
            tokens.append(_Word(kind, text, token.start, token.end))
    return tokens


@dataclass(frozen=True)
class _Word(Token):
    """A token whose text is not what stands in the source."""

    until: int = 0

    @property
    def end(self) -> int:
        return self.until


def _command(source: Source, token: Token, declared: Collection[str]) -> tuple[str, str]:
    name = token.text[1:]
    if name in LAYOUT:
        return "SPACE", ""
    if name in OPENING or name in CLOSING:
        return ("OPENS" if name in OPENING else "CLOSES"), name
    if name in LETTERS:
        return "NAME", LETTERS[name]
    if name in SIGNS:
        return SIGNS[name]
    if name in FUNCTIONS:
        return ("NAME", name) if name in declared else ("FUNC", FUNCTIONS[name])
    if name in BIG:
        return "FUNC", BIG[name]
    if name in MISSING:
        raise source.error(f"\\{name} at {source.place(token.start)} is not read; {MISSING[name]}", token.start, token.end)
    known = {*LETTERS, *SIGNS, *FUNCTIONS, *BIG, *FONTS, *ACCENTS}
    if name in {*FONTS, *ACCENTS, *UPRIGHT}:
        what = f"\\{name} at {source.place(token.start)} needs one letter or word in braces"
        raise source.error(what, token.start, token.end)
    hint = near_of(token.text, {f"\\{other}" for other in known})
    raise source.error(f"{token.text} at {source.place(token.start)} is not known{hint}", token.start, token.end)


def _word(token: Token, declared: Collection[str]) -> tuple[str, str]:
    """``\\operatorname{softmax}`` is a function; ``\\mathrm{T}`` a letter; any other word a name."""
    inner = token.text.partition("{")[2].rstrip("}") or token.text[-1]
    word = re.sub(r"[^A-Za-z0-9_]+", "_", inner.strip())
    if word in declared or len(word) == 1:
        return "NAME", word
    known = FUNCTIONS.get(word.lower())
    return ("FUNC", known) if known else ("WORD", word)


def _styled_letter(source: Source, token: Token, symbols: Symbols, declared: Collection[str]) -> tuple[str, str]:
    """A letter in a font, or with an accent."""
    *commands, letter = re.findall(r"\\[A-Za-z]+|[A-Za-z0-9]", token.text)
    name = LETTERS.get(letter[1:], "") if letter.startswith("\\") else letter
    if not name:
        raise source.error(f"{letter} at {source.place(token.start)} is no letter", token.start, token.end)
    marks = [c[1:] for c in commands]
    fonts = [m for m in marks if m in FONTS]
    name += "".join(f"_{ACCENTS[m]}" for m in reversed(marks) if m in ACCENTS)
    if letter.isdigit():
        return "CONSTANT", name
    if fonts == ["mathbb"] and name == "E" and name not in declared:
        return "FUNC", "expectation"
    if fonts == ["mathbb"] and name in ("P", "R", "V") and name not in declared:
        what = "sets are not read" if name == "R" else "there are no probabilities"
        raise source.error(f"{token.text} at {source.place(token.start)} is not read; {what}", token.start, token.end)
    if fonts and fonts[-1] in BOLD:
        symbols.bold.add(name)
    _note_font(source, token, symbols, name, "bold" if fonts and fonts[-1] in BOLD else "".join(fonts))
    return "NAME", name


def _note_font(source: Source, token: Token, symbols: Symbols, name: str, font: str) -> None:
    """One name must not be two variables."""
    if symbols.fonts.setdefault(name, font) != font:
        what = f"{name} occurs in two fonts, which would be one variable, at {source.place(token.start)}; rename one of them"
        raise source.error(what, token.start, token.end)


def _shortened(tokens: list[Token]) -> list[Token]:
    """TeX takes one digit where there are no braces: ``x^12`` is x to the power 1, times 2; ``\\frac12`` a half."""
    found: list[Token] = []
    wanted = 0
    for token in tokens:
        if wanted and token.kind == "NUMBER" and len(token.text) > 1 and token.text[0] != ".":
            while wanted and token.text and token.text[0].isdigit():
                found.append(_Word("NUMBER", token.text[0], token.start, token.start + 1))
                token, wanted = _Word("NUMBER", token.text[1:], token.start + 1, token.end), wanted - 1
            if token.text:
                found.append(token)
            wanted = 0
            continue
        found.append(token)
        left = wanted - 1 if wanted and token.kind != "LBRACE" else 0
        wanted = {"SUP": 1, "SUB": 1, "SQRT": 1, "FRAC": 2}.get(token.kind, left)
    return found


# -- brackets


def _paired(source: Source, tokens: list[Token]) -> list[Token]:
    """Bars as opening and closing ones; every bracket has its partner."""
    found: list[Token] = []
    opened: list[Token] = []
    side = ""
    for token in tokens:
        if token.kind in ("OPENS", "CLOSES"):
            side = token.kind
            continue
        for part in _bars(token, opened, found, side):
            if part.kind in OPENERS:
                opened.append(part)
            elif part.kind in PAIRS:
                if not opened or opened[-1].kind != PAIRS[part.kind]:
                    what = f"{source.text[part.start:part.end]!r} at {source.place(part.start)} has no partner before it"
                    raise source.error(what, part.start, part.end)
                opened.pop()
            found.append(part)
        side = ""
    if opened:
        last = opened[-1]
        what = f"{source.text[last.start:last.end]!r} at {source.place(last.start)} is never closed"
        raise source.error(what, last.start, last.end)
    return found


def _bars(token: Token, opened: list[Token], before: list[Token], side: str) -> list[Token]:
    if token.kind not in ("BAR", "NORM"):
        return [token]
    inside = opened[-1].kind if opened else ""
    operand = bool(before) and before[-1].kind not in BEFORE_OPERAND
    if token.text == "||" and inside == "LBAR":
        middle = token.start + 1
        return [_Word("RBAR", "|", token.start, middle), _Word("LBAR", "|", middle, token.end)]
    closes = side == "CLOSES" or (side != "OPENS" and inside == f"L{token.kind}" and operand)
    return [replace(token, kind=f"{'R' if closes else 'L'}{token.kind}")]


def _primed(tokens: list[Token]) -> list[Token]:
    """``^T``, ``^{T}`` and ``^{-T}`` are transposes; ``^{(i)}`` is an index, as ``_{i}`` is."""
    kinds = [t.kind for t in tokens]
    found = list(tokens)
    for p, kind in enumerate(kinds):
        if kind != "SUP" or _base_kind(kinds, p) == "FUNC":
            continue
        inner = p + 1
        if kinds[inner : inner + 1] == ["LBRACE"]:
            inner += 1
            if kinds[inner : inner + 1] == ["LPAR"] and (end := _match(kinds, inner)) and kinds[end + 1] == "RBRACE":
                found[p] = replace(found[p], kind="SUB")
                found[inner] = replace(found[inner], kind="DROP")
                found[end] = replace(found[end], kind="DROP")
                continue
            inner += kinds[inner : inner + 1] == ["MINUS"]
            if kinds[inner + 1 : inner + 2] != ["RBRACE"]:
                continue
        if inner < len(found) and found[inner].kind == "NAME" and found[inner].text == "T":
            found[inner] = replace(found[inner], kind="TOP")
        elif inner < len(found) and found[inner].text == "*":
            found[inner] = replace(found[inner], kind="STAR")
    return [t for t in found if t.kind != "DROP"]


def _base_kind(kinds: list[str], place: int) -> str:
    """The kind of what a superscript belongs to, behind its subscript."""
    place -= 1
    if place > 0 and kinds[place] != "RBRACE" and kinds[place - 1] == "SUB":
        return kinds[place - 2] if place > 1 else ""
    depth = 0
    if kinds[place] == "RBRACE":
        while place >= 0:
            depth += (kinds[place] in PAIRS) - (kinds[place] in OPENERS)
            if not depth:
                break
            place -= 1
        if place > 0 and kinds[place - 1] == "SUB":
            return kinds[place - 2] if place > 1 else ""
    return kinds[place] if place >= 0 else ""


def _match(kinds: list[str], start: int) -> int:
    """Where the bracket that opens at `start` is closed."""
    depth = 0
    for place in range(start, len(kinds)):
        depth += (kinds[place] in OPENERS) - (kinds[place] in PAIRS)
        if not depth:
            return place
    return 0


# -- functions


def _called(tokens: list[Token], declared: Collection[str]) -> list[Token]:
    """Functions before a bracket, and big operators, which have a subscript; a gradient takes all factors that follow."""
    kinds = [t.kind for t in tokens]
    found: list[Token] = []
    for place, token in enumerate(tokens):
        if token.kind == "NAME" and token.text == "sigma" and "sigma" not in declared and _next(kinds, place) in BRACKETS:
            token = replace(token, kind="CALLED", text="sigmoid")
        elif token.kind == "FUNC" and token.text != "nabla" and _behind(kinds, place) in BRACKETS:
            token = replace(token, kind="CALLED")
        scripted = token.kind in ("CALLED", "FUNC") and token.text in BIG and _next(kinds, place) in ("SUB", "SUP")
        if scripted or (token.kind == "FUNC" and token.text in ("sum", "prod")):
            token = replace(token, kind="BIG")
        found.append(token)
    return found


def _next(kinds: list[str], place: int) -> str:
    return kinds[place + 1] if place + 1 < len(kinds) else ""


def _behind(kinds: list[str], place: int) -> str:
    """The kind of the token behind a function and its sub- and superscripts."""
    place += 1
    while place < len(kinds) and kinds[place] in ("SUB", "SUP"):
        place += 1
        place = (_match(kinds, place) if kinds[place : place + 1] == ["LBRACE"] else place) + 1
    return kinds[place] if place < len(kinds) else ""
