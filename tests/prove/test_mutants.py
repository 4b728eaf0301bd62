"""Soundness: whatever is changed in a true claim, the proof must not go through where numbers say that it is false."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from derive.errors import ParseError
from derive.frontends.claim import understand_claim
from derive.ir.facts import spec
from derive.prove.counterexample import smallest_counterexample
from derive.prove.ladder import plausible, proved

from .test_verify import TRUE


def mutants(claim: str) -> Iterator[str]:
    """A transpose dropped or added, a sign, a factor, an order of factors, a function or a variable exchanged."""
    for match in re.finditer(r"'", claim):
        yield claim[: match.start()] + claim[match.end() :]
    for match in re.finditer(r"\b[A-Z]\b(?!')", claim):
        yield claim[: match.end()] + "'" + claim[match.end() :]
    for match in re.finditer(r" \+ ", claim):
        yield claim[: match.start()] + " - " + claim[match.end() :]
    for match in re.finditer(r" - ", claim):
        yield claim[: match.start()] + " + " + claim[match.end() :]
    for match in re.finditer(r"\b([A-Z])'?\*([A-Z])'?", claim):
        left, _, right = match[0].partition("*")
        yield claim[: match.start()] + f"{right}*{left}" + claim[match.end() :]
    for match in re.finditer(r"== ", claim):
        yield claim[: match.end()] + "2*(" + claim[match.end() :] + ")"
        yield claim[: match.end()] + "-(" + claim[match.end() :] + ")"
        yield claim[: match.end()] + claim[match.end() :] + " + 1"
    for old, new in (
        ("exp(", "log("),
        ("sum(", "mean("),
        ("^2", "^3"),
        ("inv(A)", "A"),
        ("tanh(", "sigmoid("),
        ("1 + ", "2 + "),
    ):
        if old in claim:
            yield claim.replace(old, new, 1)


@pytest.mark.parametrize(("claim", "shapes"), TRUE, ids=[c for c, _ in TRUE])
def test_no_false_mutant_is_proved(claim: str, shapes: dict[str, str]) -> None:
    original = understand_claim(claim, {name: spec(axes) for name, axes in shapes.items()})
    inputs = original.understood.program.inputs
    declared = {t.name: spec(" ".join(map(str, t.shape)), *t.facts) for t in inputs}
    false = 0
    for mutant in dict.fromkeys(mutants(claim)):
        try:
            program = understand_claim(mutant, declared).understood.program
        except ParseError:
            continue
        if plausible(program):
            continue
        false += 1
        if proved(program):  # floating point may be wrong beside a singular matrix: exact numbers decide
            found = smallest_counterexample(program, "==")
            assert found is None, f"{mutant}\n{found}"
    assert false, "no mutant of this claim is false"
