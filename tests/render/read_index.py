"""A reader of index notation, to see that the printed text says what was meant: brackets, signs, quotients."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np

from .tree_value import FUNCTIONS, RELATIONS

Value = Callable[[dict[str, int]], Any]
TOKEN = re.compile(
    r"\s*(?:(?P<big>(?:sum|max|min|prod)_[a-z0-9,]+)|(?P<entry>[A-Za-z]\w*(?=\[))|(?P<call>[A-Za-z]\w*(?=\())"
    r"|(?P<word>[A-Za-z]\w*)|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)|(?P<sign>\+=|<=|>=|!=|[-+/^()\[\],=<>]))"
)
REDUCE = {"sum": np.sum, "max": np.max, "min": np.min, "prod": np.prod}


class Reader:
    """Recursive descent over one expression; every method answers a function of the indices."""

    def __init__(
        self, text: str, arrays: Mapping[str, Any], sizes: Mapping[str, int], extents: Mapping[str, int]
    ) -> None:
        self.tokens = [(m.lastgroup or "", m[m.lastgroup or 0]) for m in TOKEN.finditer(text)]
        assert "".join(t for _, t in self.tokens) == text.replace(" ", ""), text
        self.arrays, self.sizes, self.extents = arrays, sizes, extents
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("", "")

    def take(self, *expected: str) -> tuple[str, str]:
        kind, text = self.peek()
        assert not expected or text in expected, (text, expected)
        self.at += 1
        return kind, text

    def whole(self) -> Value:
        value = self.sum()
        assert self.at == len(self.tokens), self.tokens[self.at :]
        return value

    def sum(self) -> Value:
        total = self.term()
        while self.peek()[1] in ("+", "-"):
            sign = 1 if self.take()[1] == "+" else -1
            total = self._both(lambda a, b, s=sign: a + s * b, total, self.term())
        return total

    def term(self) -> Value:
        if self.peek()[1] == "-":
            self.take()
            inner = self.term()
            return lambda i: -inner(i)
        result = self.power()
        while True:
            kind, text = self.peek()
            if text == "/":
                self.take()
                result = self._both(lambda a, b: a / b, result, self.power())
            elif (
                kind in ("big", "entry", "call", "word", "number") and text not in ("and", "or")
            ) or text in ("(", "["):
                result = self._both(lambda a, b: a * b, result, self.power())
            else:
                return result

    def power(self) -> Value:
        base = self.atom()
        if self.peek()[1] != "^":
            return base
        self.take()
        return self._both(lambda a, b: a**b, base, self.atom())

    def atom(self) -> Value:
        kind, text = self.take()
        if kind == "big":
            return self.big(*text.split("_"))
        if kind == "number":
            return lambda i: float(text)
        if kind == "entry":
            return self.entry(text)
        if kind == "call":
            return self.call(text)
        if kind == "word":
            return self.word(text)
        if text == "(":
            inner = self.sum()
            self.take(")")
            return inner
        assert text == "[", text
        condition = self.condition()
        self.take("]")
        return lambda i: float(condition(i))

    def big(self, kind: str, letters: str) -> Value:
        names = letters.split(",")
        inner = self.term()
        ranges = [range(self.extents[n]) for n in names]
        return lambda i: REDUCE[kind]([inner(i | dict(zip(names, p, strict=True))) for p in product(*ranges)])

    def entry(self, name: str) -> Value:
        self.take("[")
        places = [self.sum()]
        while self.take(",", "]")[1] == ",":
            places.append(self.sum())
        return lambda i: self.arrays[name][tuple(int(p(i)) for p in places)]

    def call(self, name: str) -> Value:
        self.take("(")
        args = [self.condition()]
        while self.take(",", ")")[1] == ",":
            args.append(self.condition())
        if name == "where":
            return lambda i: args[1](i) if args[0](i) else args[2](i)
        return lambda i: FUNCTIONS[name](*(a(i) for a in args))

    def word(self, name: str) -> Value:
        constants = {"pi": np.pi, "e": np.e, "inf": np.inf, **self.sizes}
        if name in self.extents and name not in self.sizes:
            return lambda i: i[name]
        return lambda i: self.arrays[name] if name in self.arrays else constants[name]

    def condition(self) -> Value:
        left = self.relation()
        while self.peek()[1] in ("and", "or"):
            combine = np.logical_and if self.take()[1] == "and" else np.logical_or
            left = self._both(combine, left, self.relation())
        return left

    def relation(self) -> Value:
        left = self.sum()
        if self.peek()[1] not in RELATIONS:
            return left
        return self._both(RELATIONS[self.take()[1]], left, self.sum())

    @staticmethod
    def _both(combine: Any, a: Value, b: Value) -> Value:
        return lambda i: combine(a(i), b(i))


def read_line(
    text: str,
    shape: tuple[int, ...],
    extents: Mapping[str, int],
    arrays: Mapping[str, Any],
    sizes: Mapping[str, int],
) -> Any:
    """The array that a printed line defines."""
    left, sign, right = re.split(r" (=|\+=) ", text, maxsplit=1)
    body = Reader(right, arrays, sizes, extents).whole()
    inner = left.partition("[")[2][:-1]
    places = [Reader(p, arrays, sizes, extents).whole() for p in _split(inner)]
    result = np.zeros(shape)
    letters = [n for n in extents if re.search(rf"\b{n}\b", text if sign == "+=" else left.partition("[")[2])]
    for point in product(*(range(extents[n]) for n in letters)):
        i = dict(zip(letters, point, strict=True))
        result[tuple(int(p(i)) for p in places)] += body(i)
    return result


def _split(inner: str) -> list[str]:
    """At commas outside brackets."""
    parts, depth = [""], 0
    for c in inner:
        depth += (c == "[") - (c == "]")
        if c == "," and not depth:
            parts.append("")
        else:
            parts[-1] += c
    return [p for p in parts if p]
