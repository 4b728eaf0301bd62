"""`derive accuracy "log(1+exp(x))" --x -1e4..1e4`: the digits that a formula loses, on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from .accuracy.accuracy import POINTS, accuracy
from .errors import SpecError

OPTIONS = ("points", "plot", "of", "dtypes", "wrt")
"""Options that are not the names of inputs."""


def add_accuracy(commands: Any, load: Callable[[str], Any]) -> None:
    """The command of its own.

    load: what reads a function from ``FILE.py:FUNCTION``.
    """
    text = "digits lost over a domain, as written and as run, with the derivatives"
    command = commands.add_parser(
        "accuracy",
        help=text,
        description=text,
        usage='derive accuracy "log(1+exp(x))" --x -1e4..1e4 [--plot FILE] ...',
    )
    command.add_argument("function", help="a formula, or FILE.py:FUNCTION")
    command.add_argument(
        "rest", nargs=argparse.REMAINDER, metavar="--INPUT DOMAIN",
        help='for each input an interval or words: --x -1e4..1e4 --y "integer 0..100" --p "n, simplex"; and --plot FILE, '
        "--points N, --of value,gradient,Hessian, --dtypes float64,float32, --wrt x,y",
    )  # fmt: skip
    command.set_defaults(run=lambda options, console: _accuracy(options, console, load))


def _accuracy(options: argparse.Namespace, console: Console, load: Callable[[str], Any]) -> int:
    given = pairs(options.rest)
    own = {name: given.pop(name) for name in OPTIONS if name in given}
    f = load(options.function) if ".py:" in options.function else options.function
    points = own.get("points", str(POINTS))
    if not points.isdecimal():
        raise SpecError(f"--points takes a number of points; found {points!r}")
    lists = {
        name: [w.strip() for w in own[name].split(",")] for name in ("of", "dtypes", "wrt") if name in own
    }
    report = accuracy(f, given, points=int(points), **lists)  # type: ignore[arg-type]
    console.print(str(report), markup=False)
    if "plot" in own:
        console.print(f"written to {report.plot(Path(own['plot']))}", markup=False)
    return 0 if report.passed else 1


def pairs(words: list[str]) -> dict[str, str]:
    """``["--x", "-1e4..1e4", "--y=0..1"]`` by name.

    Raises:
        SpecError: a word is no option, or one has no value.
    """
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not name.isidentifier():
            raise SpecError(f"expected --INPUT DOMAIN such as --x -1e4..1e4, found {word!r}")
        if not equals:
            if not rest:
                raise SpecError(f"--{name} has no value; try: --{name} -1e4..1e4")
            value = rest.pop(0)
        found[name] = value
    return found
