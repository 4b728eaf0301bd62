"""The README's Python blocks run, and print what the README says they print."""

import contextlib
import io
import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(python|text)\n(.*?)```", README, flags=re.DOTALL)
MEASURED = re.compile(r"\d(\.\d+)?e-\d+|: g\w+\[[\d,]+\] at .*|[\d.]+ ulp at \w+ = \S+")


def comparable(text: str) -> str:
    """The text without the digits of rounding errors, which differ from machine to machine."""
    return MEASURED.sub("#", text.strip())


def test_python_blocks_print_the_text_blocks() -> None:
    namespace: dict[str, object] = {"__name__": "readme"}
    printed = io.StringIO()
    for language, block in BLOCKS:
        if language == "python":
            with contextlib.redirect_stdout(printed):
                exec(compile(block, "README.md", "exec"), namespace)
        else:
            assert comparable(printed.getvalue()) == comparable(block)
            printed = io.StringIO()
