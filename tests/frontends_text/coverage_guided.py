"""A coverage-guided fuzzer of the parsers: what reaches a new line of them is kept, and changed further.

    python -m tests.frontends_text.coverage_guided latex 100000

prints how many texts were tried, how many were read, how much of the parsers they reached, and the memory in use. It
ends with an error at the first exception that is not a `ParseError`, or text that takes longer than `SECONDS`
(of the processor).
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import derive
from derive.errors import ParseError
from derive.frontends.formula import parse_formula
from derive.frontends.latex import parse_latex
from derive.frontends.parse_index import parse_equations
from derive.ir.facts import Spec, spec

from .corpus import EQUATIONS, FORMULAS
from .corpus_latex import LATEX
from .mutations import LATEX_PIECES, LATEX_WORDS, PIECES, WORDS

SECONDS = 20.0
TRACED = 0.05
"""Which part of the texts is run under a tracer, which makes them some times slower."""
FOLDER = str(Path(derive.__file__).parent / "frontends")
PARSERS: dict[str, tuple[Callable[..., Any], tuple[str, ...], re.Pattern[str], tuple[str, ...]]] = {
    "formula": (parse_formula, FORMULAS, WORDS, PIECES),
    "equations": (parse_equations, EQUATIONS, WORDS, PIECES),
    "latex": (parse_latex, LATEX, LATEX_WORDS, LATEX_PIECES),
}
DECLARED: tuple[dict[str, Spec], ...] = (
    {},
    {"x": spec("n"), "A": spec("n n"), "y": spec("n, integer < n")},
    {"x": spec("n d"), "w": spec("d"), "y": spec("n"), "a": spec("")},
)


class Coverage:
    """Lines of the parsers, each with the one before it, that a text reaches."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, int, int]] = set()
        self.new = 0
        self.last = 0

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        return self.line if frame.f_code.co_filename.startswith(FOLDER) else None

    def line(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "line":
            step = (frame.f_code.co_filename, self.last, frame.f_lineno)
            self.last = frame.f_lineno
            if step not in self.seen:
                self.seen.add(step)
                self.new += 1
        return self.line


def changed(draw: random.Random, kept: list[list[str]], pieces: tuple[str, ...]) -> list[str]:
    """A text that was kept, with some of its words exchanged, doubled, left out, or taken from another one."""
    words = list(draw.choice(kept[-200:] if draw.random() < 0.5 else kept)) if draw.random() < 0.55 else []
    for _ in range(draw.choice((1, 1, 2, 2, 3, 5)) if words else draw.randint(1, 20)):
        place = draw.randint(0, len(words))
        match draw.randint(0, 6):
            case 0 | 1:
                words.insert(place, draw.choice(pieces))
            case 2:
                words[place : place + 1] = [draw.choice(pieces)]
            case 3:
                del words[place : place + draw.randint(1, 3)]
            case 4:
                other = draw.choice(kept)
                start = draw.randint(0, len(other))
                words[place:place] = other[start : start + draw.randint(1, 8)]
            case 5:
                words[place:place] = words[place : place + 4] * draw.choice((1, 2, 20))
            case 6:
                words.insert(place, chr(draw.choice((draw.randint(0, 127), draw.randint(128, 0x2FFF), draw.randint(0x3000, 0x1F9FF)))))
    return words[:400]


def megabytes() -> int:
    """Memory in use, where the system says it."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * 4 // 1024 if status.exists() else 0


def fuzz(name: str, count: int, seed: int = 0) -> str:
    """Try so many texts on a parser; what was found, in words."""
    parse, valid, pattern, pieces = PARSERS[name]
    draw, coverage, start = random.Random(seed), Coverage(), time.perf_counter()
    kept = [pattern.findall(text) for text in valid]
    queue = list(kept)
    read = slowest = 0.0
    for number in range(1, count + 1):
        words = queue.pop() if queue else changed(draw, kept, pieces)
        text = "".join(words)
        occurring = set(re.findall(r"[A-Za-z]+", text))
        specs = {n: s for n, s in draw.choice(DECLARED).items() if n in occurring}
        traced = bool(queue) or draw.random() < TRACED
        before, coverage.new = time.process_time(), 0
        sys.settrace(coverage if traced else None)
        try:
            parse(text, specs)
            read += 1
        except ParseError as error:
            assert 0 <= error.position <= len(text), text
        except BaseException:
            sys.settrace(None)
            print(f"failed on {text!r} with {specs}", flush=True)
            raise
        finally:
            sys.settrace(None)
        slowest = max(slowest, time.process_time() - before)
        assert slowest < SECONDS, text
        if traced and coverage.new:
            kept.append(words)
        if number % 10_000 == 0:
            took = time.perf_counter() - start
            print(f"{name}: {number} texts, {took:.0f} s, {read:.0f} read, {len(kept)} kept, {megabytes()} MB", flush=True)
    return f"{name}: {count} texts, {read:.0f} read, {len(coverage.seen)} steps, slowest {slowest:.1f} s, {megabytes()} MB"


if __name__ == "__main__":
    print(fuzz(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0))
