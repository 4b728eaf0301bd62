"""Every rule says what it claims, and `verify` proves it."""

import re

import pytest

import derive as dv
from derive.rewrite.stable import stable_rules

CLAIMS = [(rule.name, claim) for rule in stable_rules() for claim in rule.claims]


def proved(claim):
    """Whether a claim about numbers u, v, w is proved, between inverse functions at least tested."""
    identity, _, given = claim.partition(" where ")
    signs = set(re.findall(r"(\w) > ", given))
    for name in re.findall(r"(\w) > 1", given):  # v > 0 in the place of u > 1
        identity = re.sub(rf"\b{name}\b", f"(1 + {name})", identity)
    numbers = {n for n in "uvw" if re.search(rf"\b{n}\b", identity)}
    parts = set(re.findall(r"(\w) < 1", given))
    facts = {n: ", probability" if n in parts else ", positive" if n in signs else "" for n in numbers}
    verdict = dv.verify(identity, **facts)
    return verdict.level == "all sizes" or (bool(verdict.level) and "arc" in claim), verdict


def test_rules_have_names_of_their_own_and_claims():
    names = [rule.name for rule in stable_rules()]
    assert len(set(names)) == len(names)
    assert all(rule.claims for rule in stable_rules())


@pytest.mark.parametrize(("name", "claim"), CLAIMS, ids=[f"{n}: {c}" for n, c in CLAIMS])
def test_claims_are_proved(name, claim):
    holds, verdict = proved(claim)
    assert holds, verdict


def test_a_wrong_claim_is_noticed():
    assert not proved("exp(u)*exp(v) == exp(u - v)")[0]
    assert not proved("log(u*v) == log(u) + log(v)")[0]
