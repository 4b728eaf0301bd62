"""Where in the user's source a trace stands: for messages, and for the names that local variables give."""

from __future__ import annotations

import inspect
import linecache
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import scipy
import sympy

HERE = str(Path(__file__).resolve().parents[1]) + os.sep
FOLDERS = (str(Path(str(library.__file__)).parent) + os.sep for library in (np, scipy, sympy))
LIBRARIES = (HERE, *FOLDERS, "<frozen", "<__array_function__")


def run_traced(fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call the user's function; frames above this one are ours."""
    return fn(*args, **kwargs)


class UserCode:
    """The frames of the user's functions that were seen while tracing."""

    def __init__(self) -> None:
        self.frames: dict[int, FrameType] = {}

    def frame(self) -> FrameType | None:
        """The innermost frame of the user; it and those that called it are remembered for their locals."""
        frame: FrameType | None = sys._getframe(1)
        found = None
        while frame is not None and frame.f_code is not run_traced.__code__:
            if not frame.f_code.co_filename.startswith(LIBRARIES):
                self.frames.setdefault(id(frame), frame)
                found = found or frame
            frame = frame.f_back
        return found

    def where(self) -> str:
        """``layers.py:17``, or nothing outside a traced function."""
        frame = self.frame()
        return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else ""

    def place(self) -> str:
        """`where` in words, for messages."""
        return self.where() or "in the traced function"

    def line(self) -> str:
        """``dense(): Z = X @ W   (layers.py:17)``."""
        frame = self.frame()
        if frame is None:
            return "the traced function"
        text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        return f"{frame.f_code.co_name}(): {text}   ({self.where()})"

    def variables(self) -> Iterator[tuple[str, Any]]:
        """The local variables of all remembered frames, those of the outermost function first."""
        for frame in sorted(self.frames.values(), key=_depth):
            yield from list(frame.f_locals.items())


def source_lines(fn: Any) -> dict[str, str]:
    """The lines of a function's code by where they stand (``layers.py:17``); nothing where there is no source."""
    try:
        lines, first = inspect.getsourcelines(fn)
        name = Path(inspect.getsourcefile(fn) or "").name
    except (OSError, TypeError):
        return {}
    return {f"{name}:{number}": text.strip() for number, text in enumerate(lines, start=first)}


def _depth(frame: FrameType | None) -> int:
    depth = 0
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    return depth


def called_from_library(depth: int = 2) -> bool:
    """Whether the function `depth` frames up belongs to NumPy, SciPy, SymPy or us."""
    return sys._getframe(depth).f_code.co_filename.startswith(LIBRARIES)
