"""`derive likelihood poisson --link log`: the page of a loss, or its code. A shell without mathematics."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console

from .errors import SpecError
from .likelihoods import likelihood

TARGETS = ("numpy", "numba", "torch", "jax", "xgboost", "lightgbm")


def add_likelihood(commands: Any) -> None:
    """The command `likelihood`, added to the others."""
    text = "the loss that a density stands for: derivation, derivatives, information, estimates, convexity; or its code"
    command = commands.add_parser("likelihood", help=text, description=text)
    command.add_argument("density", help='the name of a law, or a formula such as "exp(-abs(y-mu)/b)/(2*b)"')
    command.add_argument(
        "--link", help='of the main parameter, "log"; or of several, "mean=identity, sigma=log"'
    )
    command.add_argument(
        "--set", dest="given", default="",
        help='numbers, known, learned, or facts: "sigma=1", "sigma=known", "b=positive"; default: learned',
    )  # fmt: skip
    command.add_argument("--raw", default="", help="facts of the raw outputs, such as positive")
    command.add_argument(
        "--target", choices=TARGETS, help="print source for this target in place of the page"
    )
    command.add_argument("--out", type=Path, help="write it here")
    command.set_defaults(run=_likelihood)


def _likelihood(options: argparse.Namespace, console: Console) -> int:
    links = _pairs(options.link, "--link") if options.link and "=" in options.link else options.link
    given = {name: _value(text) for name, text in _pairs(options.given, "--set").items()}
    loss = likelihood(options.density, links, raw=options.raw, **given)
    text = loss.emit(options.target) if options.target else f"{loss}\n"
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text, encoding="utf-8")
        text = f"written to {options.out}\n"
    console.print(text, markup=False, end="")
    return 0


def _pairs(text: str, option: str) -> dict[str, str]:
    """``"mean=identity, sigma=log"`` by name; a part without a name is another fact of the one before."""
    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, equals, value = map(str.strip, part.partition("="))
        if equals and name.isidentifier() and value:
            found[name] = value
        elif found and not equals:
            found[next(reversed(found))] += f", {name}"
        else:
            raise SpecError(f'{option} takes "name=value, name=value"; found {part!r}')
    return found


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
