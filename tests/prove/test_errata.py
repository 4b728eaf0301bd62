"""The errata: nothing that is not proved is missing, and what is called false is false in plain floating point."""

import re
from collections.abc import Iterator
from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import derive as dv
from derive.cli import main
from derive.prove.catalog.entries import Entry, entries, tagged
from derive.prove.catalog.errata import brief, errata, errata_markdown, errata_tables, summary
from derive.prove.catalog.run import Outcome, level_of, run, verify_entry
from derive.prove.points.gaps import NO_VALUE
from derive.prove.verdict import Counterexample

NOTES = tagged(["course notes"], entries())
FALSE = Entry(
    "a-b", "Trace | of a square", "tr(A*A) == tr(A)^2", "Someone (2000), eq. 1", {"A": "n n"}, file="a.toml"
)


@pytest.fixture(scope="module")
def outcomes() -> tuple[Outcome, ...]:
    """Of every third claim: `test_catalog` verifies them all."""
    return run(NOTES[::3], workers=1)


def test_there_are_many_claims_of_every_theme() -> None:
    assert len(NOTES) >= 150
    assert len({e.file for e in NOTES}) >= 7


def test_every_claim_is_understood(outcomes: tuple[Outcome, ...]) -> None:
    assert not [str(o) for o in outcomes if o.level == "ERROR"]


def test_every_claim_has_a_level() -> None:
    assert not [e.id for e in NOTES if not e.level]


def test_whatever_is_not_proved_is_listed(outcomes: tuple[Outcome, ...]) -> None:
    found = {e.entry.id: e for e in errata(outcomes)}
    assert found.keys() == {o.entry.id for o in outcomes if o.level != "PROVED"}
    for outcome in outcomes:
        verdict = outcome.verdict
        if verdict is not None and verdict.status == "REFUTED":
            assert verdict.counterexample is not None and found[outcome.entry.id].counterexample
            assert found[outcome.entry.id].level == level_of(verdict)
            if relation_of(outcome.entry.claim)[1] == "==":
                assert verdict.holds_when or verdict.corrected, outcome


def test_what_is_called_false_is_false_in_floating_point(outcomes: tuple[Outcome, ...]) -> None:
    """Both sides once more at every counterexample, by NumPy's own functions."""
    checked = 0
    for outcome in outcomes:
        found = outcome.verdict.counterexample if outcome.verdict is not None else None
        if found is None or outcome.entry.where:
            continue
        gap, relation = difference_at(outcome.entry, found)
        if NO_VALUE in (found.left, found.right):
            assert np.isnan(gap).any(), outcome
            continue
        wrong = {
            "==": abs(gap) > 1e-9,
            "<=": gap > 1e-9,
            ">=": gap < -1e-9,
            "<": gap > -1e-12,
            ">": gap < 1e-12,
        }
        assert np.any(wrong[relation]), outcome
        checked += 1
    assert checked >= 10


def difference_at(entry: Entry, found: Counterexample) -> tuple[Any, str]:
    """The left side minus the right side at a counterexample, and how they are said to be related."""
    left, relation, right = relation_of(entry.claim)
    arrays = {
        name: np.vectorize(lambda v: float(Fraction(str(v))))(value) for name, value in found.arrays.items()
    }
    gap = dv.parse(f"({left}) - ({right})", **entry.variables)
    return np.asarray(gap(**{n: arrays[n] for n in gap.inputs})), relation


def relation_of(claim: str) -> tuple[str, str, str]:
    """The claim at its relation, which is the one outside all brackets."""
    (place,) = [m for m in re.finditer(r"==|<=|>=|<|>", claim) if outside(claim, m.start())]
    return claim[: place.start()], place[0], claim[place.end() :]


def outside(claim: str, place: int) -> bool:
    before = claim[:place]
    return sum(before.count(c) for c in "([") == sum(before.count(c) for c in ")]")


# -- how they are printed


def shapes() -> Iterator[tuple[Counterexample, str, str]]:
    matrix = {"A": np.array([[1, 2], [3, 4]], dtype=object), "x": np.array(["1/2", 0], dtype=object), "c": -1}
    yield (
        Counterexample({"n": 2}, matrix, (1,), "0.50000000", "1/2", ""),
        "==",
        "A = [1 2; 3 4], x = [1/2 0], c = -1: 0.5 ≠ 1/2 at [1]",
    )
    yield Counterexample({"n": 3}, {}, (), "-1.1234567e-05", "3", ""), ">=", "n = 3: -1.1235e-05 ≱ 3"
    yield Counterexample({}, {}, (), "2", "1", ""), "<", "2 ≮ 1"
    yield Counterexample({}, {"T": [[[1, 2], [3, 4]]]}, (), "0", "1", ""), "==", "T = [[1 2; 3 4]]: 0 ≠ 1"


@pytest.mark.parametrize(("found", "relation", "shown"), [*shapes()])
def test_a_counterexample_in_one_line(found: Counterexample, relation: str, shown: str) -> None:
    assert brief(found, relation) == shown


def test_the_table_and_the_page() -> None:
    outcomes = [verify_entry(FALSE)]
    console = Console(width=120, record=True, file=StringIO())
    console.print(errata_tables(errata(outcomes), "Errata", summary(outcomes)))
    shown = console.export_text()
    assert (
        "1 claims: 1 CONDITIONAL" in shown and "tr(A*A) == tr(A)^2" in shown and "holds when n = 1" in shown
    )
    page = errata_markdown(errata(outcomes))
    assert r"**Trace \| of a square**<br>$\operatorname{tr}(A A) = \operatorname{tr}(A)^{2}$" in page
    assert "## A" in page and "CONDITIONAL" in page and "≠" in page


def test_what_is_proved_is_no_erratum() -> None:
    true = Entry("a", "t", "tr(A) == tr(A')", "derived", {"A": "n n"})
    unread = Entry("b", "t", "tr(A) == trace_of(A)", "derived", {"A": "n n"})
    found = errata([verify_entry(true), verify_entry(unread), verify_entry(FALSE)])
    assert [(e.entry.id, e.level) for e in found] == [("a-b", "CONDITIONAL"), ("b", "ERROR")]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place, page = tmp_path / "own.toml", tmp_path / "errata.md"
    place.write_text(
        '[[identity]]\nid = "a"\ntitle = "A"\nclaim = "x == 2*x"\nsource = "derived"\ntags = ["wrong"]\n'
    )
    command = [
        "catalog",
        "--folder",
        str(place),
        "errata",
        "--tag",
        "wrong",
        "--markdown",
        str(page),
        "--workers",
        "1",
    ]
    assert main(command) == 0
    assert "1 REFUTED" in capsys.readouterr().out
    assert "≠" in page.read_text(encoding="utf-8")
