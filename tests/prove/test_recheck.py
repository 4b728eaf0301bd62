"""Saved verdicts: read without trust, and checked anew; a time limit ends in UNKNOWN."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

import derive as dv
from derive.cli import main
from derive.deadline import OutOfTime, check_time, within
from derive.errors import VerdictError

CLAIMS: list[tuple[str, dict[str, str]]] = [
    ("grad(x'*A*x, x) == 2*A*x", {}),
    ("norm1(Q*x) == norm1(x)", {"Q": "n n, orthogonal", "x": "n"}),
    ("norm2(x) == norm1(x)", {"x": "n"}),
    ("jacobian(A*x, x) == A'", {"A": "m n", "x": "n"}),
    ("x'*x <= norm1(x)", {"x": "n"}),
    ("tr(A*B) == tr(B*A)", {"A": "n m", "B": "m n"}),
    ("X[k] == X[k]*2", {"X": "n, positive", "k": "m, integer < n"}),
]


def saved(claim: str, shapes: dict[str, str], **changes: Any) -> str:
    data = json.loads(dv.verify(claim, **shapes).to_json())
    return json.dumps({**data, **changes})


@pytest.mark.parametrize(("claim", "shapes"), CLAIMS, ids=[c for c, _ in CLAIMS])
def test_a_verdict_is_confirmed(claim: str, shapes: dict[str, str]) -> None:
    verdict = dv.verify(claim, **shapes)
    assert dv.Verdict.from_json(verdict.to_json()).to_json() == verdict.to_json()
    found = dv.recheck(verdict.to_json())
    assert found.confirmed, str(found)
    assert str(found).startswith(f"confirmed: {verdict.status}")


def _with(text: str, path: tuple[str, ...], value: Any) -> str:
    data = json.loads(text)
    at = data
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return json.dumps(data)


FALSE = saved("grad(x'*A*x, x) == 2*A*x", {"A": "n n", "x": "n"})
TRUE = saved("tr(A*B) == tr(B*A)", {"A": "n m", "B": "m n"})


@pytest.mark.parametrize(
    ("text", "path", "value", "words"),
    [
        (FALSE, ("counterexample", "left"), "7", "other values were recorded"),
        (FALSE, ("counterexample", "place"), [1, 1], "other values were recorded"),
        (FALSE, ("counterexample", "arrays", "A"), [[0, 0], [0, 0]], "not false at these arrays"),
        (FALSE, ("counterexample", "arrays", "A"), [[0, 0]], "counterexample: "),
        (FALSE, ("counterexample", "arrays", "A"), [[0, 0], [0]], "different lengths"),
        (FALSE, ("counterexample", "arrays", "A"), 3, "has 0 axes, and should have 2"),
        (FALSE, ("counterexample", "arrays"), {"A": [[1]]}, "the claim has A, x"),
        (FALSE, ("counterexample", "sizes"), {"n": 3}, "do not have the recorded sizes"),
        (FALSE, ("variables", "A"), "n n, symmetric", "A is not symmetric"),
        (FALSE, ("claim",), "grad(x'*A*x, x) == (A + A')*x", "not false at these arrays"),
        (FALSE, ("status",), "PROVED", "there is a counterexample"),
        (FALSE, ("corrected",), "grad(x'*A*x, x) == A*x", "what holds"),
        (FALSE, ("holds_when",), ["A is diagonal"], "holds when A is diagonal"),
        (FALSE, ("counterexample",), None, ""),
        (TRUE, ("claim",), "tr(A*B) == 2*tr(B*A)", "REFUTED now"),
        (TRUE, ("status",), "REFUTED", "PROVED (all sizes) now"),
        (TRUE, ("level",), "sizes up to 3", "recorded: sizes up to 3"),
        (TRUE, ("status",), "UNKNOWN", "PROVED (all sizes) now"),
    ],
)
def test_what_was_changed_is_not_confirmed(text: str, path: tuple[str, ...], value: Any, words: str) -> None:
    found = dv.recheck(_with(text, path, value))
    if not words:
        assert found.confirmed  # without a counterexample the claim is verified anew, and found false again
        return
    assert not found.confirmed
    assert any(words in what for right, what in found.findings if not right), str(found)
    assert str(found).startswith("NOT CONFIRMED")


def test_a_check_is_no_truth_value() -> None:
    with pytest.raises(TypeError, match=r"\.confirmed"):
        bool(dv.recheck(TRUE))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON: .*line 1"),
        ("{}", "'claim' is missing"),
        ('{"claim": "x == x"}', "'status' is missing"),
        ('{"claim": 3, "status": "PROVED"}', "claim must be text; found an integer"),
        ('{"claim": "x == x", "status": "TRUE"}', "status is one of PROVED"),
        ('{"claim": "x == x", "status": "PROVED", "levle": ""}', "unknown field 'levle'; did you mean 'level'"),
        ('{"claim": "x == x", "status": "PROVED"}', "about functions"),
        (_with(FALSE, ("holds_when",), "A"), "holds_when must be an array"),
        (_with(FALSE, ("variables",), [1]), "variables must be an object"),
        (_with(FALSE, ("counterexample", "place"), [-1]), "natural number"),
        (_with(FALSE, ("counterexample", "arrays", "A"), [[0.5]]), "whole number or a fraction"),
        (_with(FALSE, ("counterexample", "arrays", "A"), [["__import__"]]), "whole number or a fraction"),
        (_with(FALSE, ("counterexample", "arrays", "A"), [0] * 10_001), "more than 10000 entries"),
        (_with(FALSE, ("counterexample", "arrays", "x"), [float("nan"), 0]), "NaN is no number"),
        (FALSE.replace('"left"', '"lef"'), "unknown field 'counterexample.lef'"),
        ('{"claim": ' + "[" * 100_000, "nests too deeply|no JSON"),
        ('{"claim": "' + "x" * 1_000_001, "at most 1000000 characters"),
        ('{"claim": "x == x", "status": "PROVED", "level": ' + "1" * 5_000 + "}", "at most 200 digits"),
    ],
)
def test_bad_files_say_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(VerdictError, match=words):
        dv.recheck(text)


def test_a_fraction_with_no_value() -> None:
    found = dv.recheck(_with(FALSE, ("counterexample", "arrays", "x"), ["1/0", 0]))
    assert not found.confirmed and "no fraction" in str(found)


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "verdict.json"
    assert main(["verify", "tr(A*B) == tr(B*A)", "--shapes", "A=n m, B=m n", "--json"]) == 0
    place.write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["verify", "--recheck", str(place)]) == 0
    assert "confirmed: PROVED" in capsys.readouterr().out
    place.write_text(_with(FALSE, ("counterexample", "left"), "7"), encoding="utf-8")
    assert main(["verify", "--recheck", str(place)]) == 1
    assert main(["verify", "--recheck", str(tmp_path / "nowhere.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert main(["verify", "x == x", "--recheck", str(place)]) == 2


# -- time limits


def test_a_time_limit_ends_in_unknown() -> None:
    start = time.monotonic()
    verdict = dv.verify("tr(A*B*C*D) == tr(D*A*B*C)", A="n n", B="n n", C="n n", D="n n", seconds=0)
    assert (verdict.status, verdict.level) == ("UNKNOWN", "time limit")
    assert "0 s" in verdict.evidence and time.monotonic() - start < 5
    assert not dv.recheck(verdict.to_json()).confirmed  # what is unknown is no pass


def test_limits_within_limits() -> None:
    check_time()
    with within(1000), within(None), pytest.raises(OutOfTime), within(-1):
        check_time()
    with within(-1), within(1000), pytest.raises(OutOfTime):
        check_time()
    check_time()
