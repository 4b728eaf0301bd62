"""Where losses come from: each is the negative log-likelihood of a law, derived here in one run.

What a network puts out, z, becomes a parameter of a law of the labels by a link. Minus the logarithm of the density, without
what no parameter changes, is the loss. Nothing but the densities is written down anywhere; the squared error,
cross-entropy and their gradients come out.

    python examples/losses_from_distributions.py
    python examples/losses_from_distributions.py --page poisson          # the whole derivation of one of them
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

import derive as dv


@dataclass(frozen=True)
class Row:
    """A loss by the name that it has in books, and the call that derives it."""

    name: str
    law: str
    link: str
    given: Mapping[str, Any] = field(default_factory=dict)


ROWS = (
    Row("squared error", "normal", "identity", {"sigma": 1}),
    Row("squared error, learned sigma", "normal", "identity", {"sigma": "learned"}),
    Row("absolute error", "laplace", "identity", {"scale": 1}),
    Row("quantile loss", "asymmetric laplace", "identity", {"scale": 1, "quantile": "known"}),
    Row("Huber's loss", "huber", "identity", {"scale": 1, "threshold": 1}),
    Row("log-cosh", "hyperbolic secant", "identity", {"scale": 1}),
    Row("Cauchy loss", "cauchy", "identity", {"scale": 1}),
    Row("squared error of logarithms", "log-normal", "identity", {"scale": 1}),
    Row("binary cross-entropy", "bernoulli", "logit"),
    Row("binary cross-entropy, probit", "bernoulli", "probit"),
    Row("cross-entropy", "categorical", "softmax"),
    Row("ordinal regression", "ordinal logit", "identity"),
    Row("Poisson loss", "poisson", "log"),
    Row("negative binomial loss", "negative binomial", "log", {"dispersion": "known"}),
    Row("exponential loss of times", "exponential", "log"),
    Row("gamma deviance / 2", "gamma", "log", {"shape": 1}),
    Row("survival, right-censored", "censored exponential", "log"),
    Row("loss of angles", "von mises", "identity", {"concentration": 1}),
)


def main(argv: Sequence[str] | None = None) -> dict[str, dv.Loss]:
    """Derive every loss of the table and print it; the losses by their names."""
    options = _parser().parse_args(argv)
    console = Console(width=options.width)
    losses = {row.name: dv.likelihood(row.law, row.link, **row.given) for row in ROWS}
    if options.page:
        for row in ROWS:
            if options.page in (row.law, row.name):
                console.print(str(losses[row.name]), highlight=False, markup=False)
        return losses
    table = Table(
        "loss",
        "law of the label",
        "link",
        "loss",
        "gradient",
        title="Losses <- distributions",
        show_lines=True,
    )
    for row in ROWS:
        table.add_row(row.name, row.law, row.link, *written(losses[row.name]))
    console.print(table)
    return losses


def written(loss: dv.Loss) -> tuple[str, str]:
    """The loss of one label and its gradient by the raw output."""
    return escape(str(loss.example)), escape(str(loss.example_gradient))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--page", metavar="LAW", help="print the whole derivation of the losses of one law instead"
    )
    parser.add_argument("--width", type=int, help="of the table, in characters; default: the terminal's")
    return parser


if __name__ == "__main__":
    main()
