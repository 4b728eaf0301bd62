"""The page of the laws is current: it has every law, and what stands on it is what is printed now."""

from pathlib import Path

import pytest

from derive.distributions import Record, distributions, loss_records
from docs.distributions import loss_row, parameter_row
from docs.operations import table

PAGE = (Path(__file__).parents[2] / "docs" / "distributions.md").read_text(encoding="utf-8")
LAWS = [d for d in distributions() if d.log_density is not None]
PRINTED_AGAIN = LAWS[::6]
"""Of all laws it would take half a minute."""


@pytest.mark.parametrize("law", LAWS, ids=lambda d: d.name)
def test_every_law_is_on_the_page(law: Record) -> None:
    assert table([], [parameter_row(law)])[2] in PAGE, "out of date; run: python -m docs"
    assert f"\n| {law.name} | " in PAGE


@pytest.mark.parametrize("law", PRINTED_AGAIN, ids=lambda d: d.name)
def test_losses_are_printed_as_on_the_page(law: Record) -> None:
    assert table([], [loss_row(law)])[2] in PAGE, "out of date; run: python -m docs"


def test_losses_without_density_are_on_the_page() -> None:
    assert all(record.statement in PAGE for record in loss_records())
