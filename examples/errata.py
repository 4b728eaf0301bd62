"""The errata of five sets of course notes, made in one run.

The catalog has the claims of the notes as they are printed: identities, rules of differentiation, inequalities. Each is
verified here, and what is not proved is listed with its smallest counterexample, when it holds, and what holds instead.

    python examples/errata.py
    python examples/errata.py --markdown errata.md      # as a page, with the claims in mathematical notation
    python examples/errata.py --tag erratum             # well-known errors that are no course's own
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from derive.prove.catalog.entries import entries, tagged
from derive.prove.catalog.errata import Erratum, errata, errata_markdown, errata_tables, summary
from derive.prove.catalog.run import run

NOTES = "course notes"


def main(argv: Sequence[str] | None = None) -> tuple[Erratum, ...]:
    """Verify every claim with a tag and print those that do not hold as printed."""
    options = _parser().parse_args(argv)
    console = Console(width=options.width)

    claims = tagged(options.tag or [NOTES], entries())
    outcomes = run(claims, progress=console, workers=options.workers)
    found = errata(outcomes)

    console.print(errata_tables(found, title="Errata", caption=summary(outcomes)))
    if options.markdown:
        options.markdown.write_text(errata_markdown(found, caption=summary(outcomes)), encoding="utf-8")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tag", action="append", help=f"claims with all these tags; default: {NOTES}")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the errata as a page in Markdown as well"
    )
    parser.add_argument("--width", type=int, help="of the table, in characters; default: the terminal's")
    parser.add_argument("--workers", type=int, help="processes; default: one for each core")
    return parser


if __name__ == "__main__":
    main()
