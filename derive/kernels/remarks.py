"""`remarks`: what LLVM's vectoriser says about each innermost loop of a kernel."""

from __future__ import annotations

import ast
import pickle
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UnsupportedOp

if TYPE_CHECKING:
    from .kernel import Kernel

FILE = "kernel.py"
CHILD = """
import pickle, sys
import llvmlite.binding as llvm
for kind in ("", "-missed", "-analysis"):
    llvm.set_option("", f"--pass-remarks{kind}=loop-vectorize")
source, path, name, signature = pickle.load(sys.stdin.buffer)
module = {}
exec(compile(source, path, "exec"), module)
module[name].compile(signature)
"""
"""LLVM's options hold for a whole process and write to its standard error, so a second one compiles the kernel."""
SAID = re.compile(rf"remark: \S*{re.escape(FILE)}:(\d+):\d+: (.*)")
VECTOR = re.compile(r"vectorized loop \(vectorization width: (\d+), interleaved count: (\d+)\)")


@dataclass(frozen=True)
class Remark:
    """An innermost loop.

    line, code: in the kernel's source.
    width: numbers in one vector; 1 if the loop is not vectorised, 0 if LLVM left no loop there.
    unrolled: vectors in one turn.
    reasons: why it is not vectorised.
    """

    line: int
    code: str
    width: int
    unrolled: int
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        match self.width:
            case 0:
                said = "no loop is left: it was unrolled, or replaced by a call"
            case 1:
                said = f"NOT vectorised: {'; '.join(self.reasons) or 'no reason given'}"
            case _:
                said = f"vectorised: {self.width} numbers in a vector, {self.unrolled} vectors in a turn"
        return f"{self.line:5}  {self.code.strip():40}  {said}"


@dataclass(frozen=True)
class Remarks:
    """The innermost loops of one kernel, in the order of its source; prints a line for each."""

    name: str
    loops: tuple[Remark, ...]

    @property
    def scalar(self) -> tuple[Remark, ...]:
        """Those that are not vectorised."""
        return tuple(r for r in self.loops if r.width == 1)

    def __str__(self) -> str:
        done = sum(r.width > 1 for r in self.loops)
        return "\n".join([f"{self.name}: {done} of {len(self.loops)} innermost loops vectorised", *map(str, self.loops)])


def remarks(kernel: Kernel) -> Remarks:
    """Compile a kernel once more, in a process of its own, and read what the vectoriser says.

    Raises:
        UnsupportedOp: the process failed; its last line is quoted.

    Numerics: the second compilation carries the numbers of lines, and is otherwise the same.
    """
    said = compiled_aloud(kernel)
    text = kernel.source.splitlines()
    loops = []
    for first, last in innermost_loops(kernel.source):
        messages = [m for line in range(first, last + 1) for m in said.get(line, [])]
        loops.append(_remark(first, text[first - 1], messages))
    return Remarks(kernel.name, tuple(loops))


def compiled_aloud(kernel: Kernel) -> dict[int, list[str]]:
    """What LLVM said, by line of the source."""
    source = kernel.source.replace("@njit(cache=True", "@njit(debug=True")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        path.write_text(source, encoding="utf-8")
        job = pickle.dumps((source, str(path), kernel.function.__name__, kernel.function.signatures[0]))
        done = subprocess.run([sys.executable, "-c", CHILD], input=job, capture_output=True, cwd=folder)
    text = done.stderr.decode(errors="replace")
    if done.returncode:
        raise UnsupportedOp(f"{kernel.name}: no remarks: {(text.strip().splitlines() or ['no output'])[-1]}")
    found: dict[int, list[str]] = {}
    for line, message in SAID.findall(text):
        if message not in found.setdefault(int(line), []):
            found[int(line)].append(message)
    return found


def innermost_loops(source: str) -> list[tuple[int, int]]:
    """First and last lines of the loops that have no loop inside."""
    return sorted(
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.For | ast.While)
        and not any(isinstance(inner, ast.For | ast.While) for s in node.body for inner in ast.walk(s))
    )


def _remark(line: int, code: str, messages: list[str]) -> Remark:
    """What the messages about a loop come to; a loop that was copied counts as its best copy."""
    vectors = [(int(m[1]), int(m[2])) for text in messages if (m := VECTOR.search(text))]
    if vectors:
        return Remark(line, code, *max(vectors))
    reasons = tuple(t.removeprefix("loop not vectorized: ") for t in messages if t != "loop not vectorized")
    reasons = tuple(dict.fromkeys(reasons))
    return Remark(line, code, 1 if messages else 0, 1, reasons)
