"""`derive kl`, `entropy`, `cross-entropy` and `mutual-information`: a shell around the verbs of `divergences`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

from rich.console import Console

from . import divergences
from .errors import SpecError
from .information.result import Information
from .ir.facts import parse_shapes

COMMANDS: tuple[tuple[str, Callable[..., Information], int, str], ...] = (
    ("entropy", divergences.entropy, 1, 'the entropy of a law such as "normal(mu, sigma^2)", derived'),
    ("cross-entropy", divergences.cross_entropy, 2, "the cross-entropy of two laws, derived"),
    (
        "kl",
        divergences.kl,
        2,
        'the Kullback-Leibler divergence of two laws, "normal(m1, v1)" "normal(m2, v2)", derived',
    ),
    (
        "mutual-information",
        divergences.mutual_information,
        1,
        'of a joint law such as "normal(rho)", derived',
    ),
)


def add_divergences(commands: Any) -> None:
    """The commands of entropies and divergences."""
    for name, verb, count, text in COMMANDS:
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument(
            "laws", nargs=count, metavar="LAW", help='"normal(mu, sigma=s)", "n, normal(mu, Sigma)"'
        )
        command.add_argument(
            "--shapes", default="", help='"mu=n, S=n n, positive definite"; default: scalars'
        )
        command.add_argument("--at", help='values of the parameters: "mu=0, s=1.5"')
        command.add_argument("--bits", action="store_true", help="in bits; default: nats")
        command.set_defaults(run=partial(_run, verb))


def _run(verb: Callable[..., Information], options: argparse.Namespace, console: Console) -> int:
    found = verb(*options.laws, **parse_shapes(options.shapes))
    found = found.bits if options.bits else found
    console.print(str(found), markup=False)
    if options.at is not None:
        console.print(f"\n  at {options.at}: {found(**values(options.at)):.12g}", markup=False)
    return 0


def values(text: str) -> dict[str, float]:
    """``"mu=0, s=1.5"`` as numbers by name.

    Raises:
        SpecError: a part is no number with a name.
    """
    found = {}
    for part in filter(str.strip, text.split(",")):
        name, _, value = part.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise SpecError(f"a value is written NAME=NUMBER; found {part.strip()!r}") from None
    return found
