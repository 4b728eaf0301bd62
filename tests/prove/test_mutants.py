"""Soundness: no change that makes a claim false somewhere is ever verified, and the oracle agrees with every verdict.

``--mutants N`` examines N false mutants of each entry, ``--mutants all`` every one (hours).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from zlib import crc32

import numpy as np
import pytest

from derive.errors import DeriveError
from derive.frontends.claim import understand_claim
from derive.ir.facts import spec
from derive.prove import ladder
from derive.prove.catalog.entries import Entry, entries
from derive.prove.catalog.run import verify_entry
from derive.prove.points.counterexample import smallest_counterexample

from .examined import (
    POINTS,
    at_counterexample,
    false_mutants,
    judged,
    mutants,
    read,
    stated,
    understood,
    verified,
)
from .mutations import MUTATIONS, written
from .oracle import has_derivatives

CATALOG = entries()
WITH_AXES = Entry("a", "A", "sum(np.sum(X, axis=0)) == sum(X)", "derived", {"X": "n m"})
JUDGED, SAMPLED = 3, 12
"""By default the oracle judges one entry of so many, at fewer points, and one of so many has a mutant examined."""
FEWER = 6


def number(entry: Entry) -> int:
    """A number that an entry keeps when others are added."""
    return crc32(entry.id.encode())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The sample of entries, or with ``--mutants`` all of them."""
    for name, every in (("examined", SAMPLED), ("judged_entry", JUDGED)):
        if name in metafunc.fixturenames:
            some = metafunc.config.getoption("--mutants") == "some"
            chosen = [e for e in CATALOG if not some or number(e) % every == 0]
            metafunc.parametrize(name, chosen, ids=[e.id for e in chosen])


def test_no_false_mutant_is_verified(examined: Entry, pytestconfig: pytest.Config) -> None:
    wanted = str(pytestconfig.getoption("--mutants"))
    count = None if wanted == "all" else 1 if wanted == "some" else int(wanted)
    for mutant in false_mutants(examined, count):
        status, proof = verified(mutant)
        assert status not in ("PROVED", "TESTED"), f"{status}: {mutant.kind}: {mutant.claim}"
        assert not proof, f"{proof}: {mutant.kind}: {mutant.claim}"


def test_the_oracle_agrees(judged_entry: Entry, pytestconfig: pytest.Config) -> None:
    """A claim that is proved or tested is true at random points; one that is refuted is false where it is said to be."""
    entry, sampled = judged_entry, pytestconfig.getoption("--mutants") == "some"
    formula, claim = read(entry.statement), understood(entry)
    inputs = list(claim.understood.program.inputs)
    if entry.level not in ("REFUTED", "CONDITIONAL"):
        found = judged(formula, inputs, count=FEWER if sampled else POINTS)
        if found.unread:
            pytest.skip(f"the oracle cannot read it: {found.unread}")
        assert found.defined, "both sides are nowhere defined"
        assert found.violated is None or not entry.level, str(found.violated)
        return
    if claim.wrt:
        assert judged(formula, inputs, count=200).violated is not None
        return
    shown = smallest_counterexample(claim.understood.program, claim.relation)
    if shown is None:  # the search of inequalities, or of points of other kinds, goes further
        verdict = verify_entry(entry).verdict
        assert verdict is not None
        assert verdict.status in ("REFUTED", "UNKNOWN"), str(verdict)
        shown = verdict.counterexample
    if shown is None:
        pytest.skip("no counterexample within the time limit; that the level is reached is tested with the catalog")
    seen = at_counterexample(formula, shown)
    if seen is None:
        pytest.skip("the oracle has no value at the counterexample")
    coarse = 1e-3 if has_derivatives(formula) else 1e-6
    printed = [float(Fraction(side)) if "/" in side else float(side) for side in (shown.left, shown.right)]
    np.testing.assert_allclose(
        [seen.left[shown.place], seen.right[shown.place]], printed, rtol=coarse, atol=coarse
    )
    assert seen.violates(claim.relation, 0.0), "the claim is true at its counterexample"


# -- the testers are tested


def test_every_mutation_makes_false_mutants_somewhere() -> None:
    among = [WITH_AXES, *CATALOG[:: max(1, len(CATALOG) // 25)]]
    made = {m.kind for entry in among for m in mutants(entry)}
    assert made == {m.name for m in MUTATIONS}


@pytest.mark.parametrize("entry", CATALOG[::40], ids=[e.id for e in CATALOG[::40]])
def test_text_and_tree_are_the_same(entry: Entry) -> None:
    formula, inputs = read(entry.statement), [s.tensor(name) for name, s in stated(entry).specs.items()]
    again = read(written(formula))
    assert written(read(written(again))) == written(again)
    assert again.style.columns == formula.style.columns
    one, other = (judged(f, inputs, count=4) for f in (formula, again))
    assert (one.defined, one.violated is None) == (other.defined, other.violated is None)


def test_a_mutant_that_is_verified_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = next(e for e in CATALOG if e.claim == "tr(A*B) == tr(B*A)")
    (mutant,) = false_mutants(entry, 1)
    assert verified(mutant)[0] == "REFUTED"
    monkeypatch.setattr("derive.prove.ladder.may_agree", lambda program: True)
    monkeypatch.setattr("derive.prove.ladder.equal_outputs", lambda left, right: True)
    assert ladder.proved(understand_claim(mutant.claim, mutant.specs).understood.program)
    assert verified(mutant)[0] == "PROVED"


@pytest.mark.parametrize(
    ("claim", "shapes", "false"),
    [
        ("grad(x'*A*x, x) == (A + A')*x", {"x": "n", "A": "n n"}, False),
        ("grad(x'*A*x, x) == 2*A*x", {"x": "n", "A": "n n"}, True),
        ("grad(x'*A*x, x) == 2*A*x", {"x": "n", "A": "n n, symmetric"}, False),
        ("tr(A)^2 - tr(A*A) == 2*det(A)", {"A": "n n"}, True),
        ("sqrt(x.^2) == x", {"x": "n"}, True),
        ("sqrt(x.^2) == x", {"x": "n, positive"}, False),
        ("hessian(sum(exp(x)), x) == diag(exp(x))", {"x": "n"}, False),
        ("hessian(sum(exp(x)), x) == 1.001*diag(exp(x))", {"x": "n"}, True),
        ("sum(x)^2 <= n*sum(x.^2)", {"x": "n"}, False),
        ("sum(x)^2 <= (n-1)*sum(x.^2)", {"x": "n"}, True),
        ("A + vector(1)*vector(1)'*A == A", {"A": "m n"}, True),
    ],
)
def test_the_oracle_judges(claim: str, shapes: dict[str, str], false: bool) -> None:
    found = judged(read(claim), [spec(s).tensor(name) for name, s in shapes.items()])
    assert not found.unread and (false or found.defined > 3)
    assert (found.violated is not None) == false


def test_a_mutant_that_cannot_be_read_is_nothing() -> None:
    entry = next(e for e in CATALOG if e.claim == "tr(A*B) == tr(B*A)")
    (mutant,) = false_mutants(entry, 1)
    with pytest.raises(DeriveError):
        understand_claim("tr(A) == A", mutant.specs)
    assert verified(replace(mutant, claim="tr(A) == A")) == ("", "")
