"""Random formulas against slightly different ones: whatever the verifier says of the pair, the oracle agrees."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from derive.errors import DeriveError
from derive.frontends.claim import understand_claim
from derive.frontends.formula_tree import Name, walk
from derive.ir.facts import spec
from derive.prove.ladder import decide, proved

from .examined import at_counterexample, judged, read, reread
from .mutations import MUTATIONS, Stated, written

RULES = [
    m for m in MUTATIONS if m.name not in ("another relation", "off by a constant", "a factor of a side")
]
SQUARE_FACTS = (
    "",
    ", symmetric",
    ", invertible",
    ", positive definite",
    ", orthogonal",
    ", diagonal",
    ", lower triangular",
)
VECTOR_FACTS = ("", ", positive", ", nonnegative", ", simplex", ", one-hot", ", binary")
SHAPES = {"a": "", "c": ", positive", "x": "n", "y": "n", "u": "m", "A": "n n", "B": "n n", "C": "n m"}


def made(*patterns: str, **parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """One of some patterns, filled with formulas."""
    return st.sampled_from(patterns).flatmap(
        lambda pattern: st.fixed_dictionaries(
            {name: part for name, part in parts.items() if "{" + name in pattern}
        ).map(lambda found: pattern.format(**found))
    )


def formulas(depth: int) -> tuple[st.SearchStrategy[str], st.SearchStrategy[str], st.SearchStrategy[str]]:
    """Numbers, vectors of n entries and square matrices, as text."""
    if depth == 0:
        return st.sampled_from(["a", "c", "2", "n"]), st.sampled_from(["x", "y"]), st.sampled_from(["A", "B"])
    s, v, M = formulas(depth - 1)
    inner: dict[str, Any] = {"s": s, "t": s, "v": v, "w": v, "M": M, "N": M}
    scalar = made(
        "({v})'*({w})", "tr({M})", "sum({v})", "mean({v})", "det({M})", "norm2({v})", "exp({s})", "({s}) + ({t})", "({s})*({t})",
        "({s})/({t})", "max({v})", "abs({s})", "log({s})", "({v})'*({M})*({w})", "sum(C)*({s})", "tanh({s})", "({s})^2", **inner,
    )  # fmt: skip
    vector = made(
        "({M})*({v})", "({v}) + ({w})", "({v}).*({w})", "exp({v})", "sigmoid({v})", "({s})*({v})", "diag({M})", "C*u", "relu({v})",
        "({M})\\({v})", "({v})./({w})", "softmax({v})", "grad(({v})'*({M})*x, x)", "grad(sum(tanh({v})), x)", "sign({v})", **inner,
    )  # fmt: skip
    matrix = made(
        "({M})'", "({M})*({N})", "({M}) + ({N})", "({s})*({M})", "inv({M})", "diag({v})", "({v})*({w})'", "({M}).*({N})", "eye(n)",
        "tril({M})", "C*C'", "({M}) - ({N})'", "jacobian({v}, x)", **inner,
    )  # fmt: skip
    return scalar, vector, matrix


FORMULAS = st.one_of(*formulas(2))
FACTS = st.fixed_dictionaries(
    {name: st.sampled_from(SQUARE_FACTS) for name in "AB"}
    | {name: st.sampled_from(VECTOR_FACTS) for name in "xy"}
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(FORMULAS, FACTS, st.integers(0, 10**6))
def test_pairs_of_formulas(formula: str, facts: dict[str, str], choice: int) -> None:
    found = changed(formula, facts, choice)
    if found is None:
        return
    claim, shapes = found
    specs = {name: spec(shape) for name, shape in shapes.items()}
    try:
        understood = understand_claim(claim, specs)
    except DeriveError:
        return
    program = understood.understood.program
    seen = judged(read(claim), program.inputs)
    verdict, proof = decide(program, "==", claim), proved(program)
    if seen.violated is not None:
        assert verdict.status not in ("PROVED", "TESTED") and not proof, f"{claim} {shapes}: {seen.violated}"
    elif verdict.counterexample is not None:
        there = at_counterexample(read(claim), verdict.counterexample)
        assert there is None or there.violates("==", 0.0), f"{verdict} {shapes}"


def changed(formula: str, facts: dict[str, str], choice: int) -> tuple[str, dict[str, str]] | None:
    """A formula beside one of its mutants."""
    claim = f"{formula} == {formula}"
    shapes = {name: shape + facts.get(name, "") for name, shape in SHAPES.items()}
    stated = Stated(read(claim), {name: spec(s) for name, s in shapes.items() if name in claim}, ())
    mutants = [
        m
        for n, mutation in enumerate(RULES)
        if n % 3 == choice % 3
        for m, _ in mutation.mutants(stated)
        if m is not None
    ]
    if not mutants:
        return None
    text = written(mutants[choice % len(mutants)])
    again = reread(text, True)
    if again is None:
        return None
    return text, {name: shape for name, shape in shapes.items() if uses(again, name)}


def uses(formula: Any, name: str) -> bool:
    return any(isinstance(n, Name) and n.name == name for tree in formula.trees for n in walk(tree))


def test_the_generator_makes_claims_of_both_kinds() -> None:
    kinds = set()
    for choice in range(0, 40):
        found = changed("(A)*(x) + (y)", {}, choice)
        if found is not None:
            claim, shapes = found
            kinds.add(judged(read(claim), [spec(s).tensor(n) for n, s in shapes.items()]).violated is None)
    assert kinds == {True, False}
